"""Heads of classes, tokens and labels are their equations; padding counts for nothing; bad targets are refused."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqlayers import slots
from seqlayers.row import Row
from seqlayers.testing import Example, equal
from tests.seqlayers import litert
from tests.seqlayers.cases import CASES
from tests.seqlayers.gradients import check_gradients
from tests.seqlayers.reference import relu, weights
from tests.seqlayers.reference_labels import cross_entropy, mean_over_real, shares, softmax

PER_STEP = ["tag", "tag hidden", "tokens", "tokens smoothed"]


def case(name):
    example = CASES[name]
    layer, rng = example.layer(), np.random.default_rng(6)
    target = rng.integers(0, layer.count, (3, 24) if layer.per_step else 3).astype("int32")
    if layer.per_step:
        target[0, 20:], target[1, :3], target[2, 7] = -1, -1, -1
    return layer, example.input(), target


def expected_loss(layer, z, target):
    values = cross_entropy(z, target, layer.label_smoothing)
    return shares(values, target != -1) if layer.per_step else values


@pytest.mark.parametrize("name", ["classify", "tag", "tokens"])
def test_logits_are_one_matrix(name):
    layer, x, _ = case(name)
    w = weights(layer)
    equal(layer(x), x @ w["outer/kernel"] + w["outer/bias"], name)


@pytest.mark.parametrize("name", ["classify hidden", "tag hidden"])
def test_hidden_units_stand_between(name):
    layer, x, _ = case(name)
    w = weights(layer)
    u = relu(x @ w["inner/kernel"] + w["inner/bias"])
    equal(layer(x), u @ w["outer/kernel"] + w["outer/bias"], name)


@pytest.mark.parametrize("name", ["classify", "classify hidden", *PER_STEP])
def test_the_loss_is_the_cross_entropy(name):
    layer, x, target = case(name)
    z = np.asarray(layer(x), np.float64)
    expected = expected_loss(layer, z, target)
    for given in (target, target.astype("int64"), target.astype("float32")):  # Keras makes floats of what it is given
        equal(layer.loss(given, z.astype("float32")), expected, name)
    equal(layer.predict(z), softmax(z), "the probabilities")


@pytest.mark.parametrize("name", PER_STEP)
def test_the_mean_of_the_rows_is_the_mean_over_real_steps(name):
    layer, x, target = case(name)
    z = np.asarray(layer(x))
    equal(np.mean(layer.loss(target, z)), mean_over_real(z.astype(float), target, layer.label_smoothing), name)
    single = np.asarray(layer.loss(target[:, 9], z[:, 9]))
    equal(single, cross_entropy(z[:, 9].astype(float), target[:, 9], layer.label_smoothing), "a step by itself")


@pytest.mark.parametrize("name", ["classify", "tokens"])
def test_rows_can_be_weighed(name):
    layer, x, target = case(name)
    model = CASES[name].model(layer)
    model.compile("sgd", layer.loss)
    weight = np.array([1.0, 0.0, 0.5], "float32")
    rows = expected_loss(layer, np.asarray(model({"x": x}), np.float64), target)
    equal(model.test_on_batch({"x": x}, target, sample_weight=weight), np.mean(weight * rows), name)


@pytest.mark.parametrize("name", ["classify", "classify hidden", "tag", "tokens smoothed"])
def test_gradients_of_the_loss_are_those_of_the_equation(name):
    layer, x, target = case(name)

    def equation(x, w):
        if layer.hidden:
            x, w = relu(x @ w[0] + w[1]), w[2:]
        return expected_loss(layer, x @ w[0] + w[1], target)

    check_gradients(layer, lambda x: layer.loss(target, layer(x)), equation, x)


@pytest.mark.parametrize("name", PER_STEP)
def test_padding_has_no_loss_and_no_gradient(name):
    layer, x, target = case(name)
    output = tf.Variable(layer(x))
    with tf.GradientTape() as tape:
        loss = layer.loss(target, output)
    gradient = np.asarray(tape.gradient(loss, output))
    assert loss.shape == (3,) and not gradient[target == -1].any() and gradient[target != -1].all()
    with tf.GradientTape() as tape:
        loss = layer.loss(np.full_like(target, -1), output)
    assert not np.asarray(loss).any()
    assert not np.asarray(tape.gradient(loss, output)).any()


@pytest.mark.parametrize(
    "name, spoil, words",
    [
        ("classify", lambda t: t[:, None], r"targets of shape \(3,\) here, but was given \(3, 1\)"),
        ("classify", lambda t: np.eye(3, dtype="int32")[t], r"but was given \(3, 3\).*argmax"),
        ("classify", lambda t: t + 0.5, r"0 … 2, whole numbers, but was given"),
        ("classify", lambda t: t * 0 + 3, r"0 … 2, whole numbers, but was given 3"),
        ("classify", lambda t: t * 0 - 1, r"0 … 2, whole numbers, but was given -1"),
        ("tokens", lambda t: t * 0 + 11, r"0 … 10 \(or −1 where there is padding\), whole numbers, but was given 11"),
        ("tokens", lambda t: t * 0 - 2, r"but was given -2"),
        ("tag", lambda t: t - 0.5, r"whole numbers, but was given"),
        ("tag", lambda t: t[:, :-1], r"targets of shape \(3, 24\) here, but was given \(3, 23\)"),
    ],
)
def test_targets_that_are_no_ids_are_refused(name, spoil, words):
    layer, x, target = case(name)
    with pytest.raises(ValueError, match=f"head '{name}' takes.*{words}"):
        layer.loss(spoil(target), layer(x))


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("wrong", [11, -2, 3.5])
def test_in_a_compiled_function_the_loss_of_what_is_no_id_is_not_a_number(wrong, jit):
    layer, x, target = case("tokens")
    loss = tf.function(layer.loss, jit_compile=jit)
    good, bad = target.astype("float32"), target.astype("float32")
    bad[0, 0] = wrong
    output = layer(x)
    assert np.isfinite(loss(good, output)).all()
    assert np.isnan(loss(bad, output)).tolist() == [True, False, False]


def test_a_whole_sequence_without_pooling_is_refused_by_classify():
    with pytest.raises(ValueError, match=r"head 'classify' takes features \(batch, features\).*kind: last.*'tag'"):
        slots.build("head", {"kind": "classify", "classes": 2})(np.zeros((2, 5, 3), "float32"))


@pytest.mark.parametrize("kind, argument", [("classify", "classes"), ("tag", "classes"), ("tokens", "vocabulary")])
def test_one_class_is_no_choice(kind, argument):
    with pytest.raises(slots.ConfigurationError, match=rf"head\.{argument}: 1 given.*Accepted: int ≥ 2"):
        slots.build("head", {"kind": kind, argument: 1})


@pytest.mark.parametrize("name", ["classify", "tag", "notes"])
def test_what_is_known_ahead_has_no_use(name):
    with pytest.raises(ValueError, match=f"head '{name}' has no use for what is known `ahead`"):
        CASES[name].layer()(CASES[name].input(), ahead=np.zeros((3, 2, 2), "float32"))


def test_features_of_each_step_need_a_known_number():
    with pytest.raises(ValueError, match=r"head 'tag' needs a known number of features"):
        slots.build("head", {"kind": "tag", "classes": 2})(keras.KerasTensor((None, 5, None)))


def test_heads_are_blended_with_their_like_alone():
    kinds = [CASES[n].layer().output_kind for n in ("classify", "classify hidden", "tag", "tokens", "tokens smoothed")]
    assert kinds == [("classify", 3), ("classify", 2), ("tag", 3), ("tokens", 11), ("tokens", 11)]


# Tied weights


def row(units=6, head_units=6, **head):
    tied = {"kind": "tokens", "tied": True, "vocabulary": 11, **head}
    return Row(
        embedding={"kind": "token", "vocabulary": 11, "units": units},
        encoder=[{"kind": "gru", "units": head_units}],
        head=tied,
    )


IDS = np.random.default_rng(0).integers(0, 11, (3, 8)).astype("int32")


def test_tied_logits_are_products_with_the_rows_of_the_table():
    tied = row()
    tied(IDS)
    tied.head.bias.assign(np.arange(11))
    x = CASES["tokens"].input()[:, :, :1] * np.arange(6, dtype="float32")
    table = np.asarray(tied.embedding.table, np.float64)
    equal(tied.head(x), x @ table.T + np.arange(11), "tied")
    assert [w.shape for w in tied.head._trainable_variables] == [(11,)], "it has a bias of its own, and nothing else"
    assert len(tied.weights) == len({id(w) for w in tied.weights}) == 5, "the table is one weight of the row"


def test_the_tied_table_learns_from_both_ends():
    tied = row()
    with tf.GradientTape() as tape:
        loss = tied.head.loss(np.roll(IDS, -1, axis=1), tied(IDS))
    gradient = np.asarray(tf.convert_to_tensor(tape.gradient(loss, tied.embedding.table.value)))
    assert (np.abs(gradient).sum(-1) > 0).all(), "rows of ids that were not read are scored too"


def test_a_tied_row_is_saved_and_loaded(tmp_path):
    inputs = keras.Input((8,), dtype="int32")
    model = keras.Model(inputs, row()(inputs))
    model.save(tmp_path / "tied.keras")
    loaded = keras.saving.load_model(tmp_path / "tied.keras")
    equal(loaded(IDS), model(IDS), "a loaded model", tolerance=0)
    again = loaded.layers[-1]
    assert again.head.embedding is again.embedding and len(again.weights) == 5


def test_a_training_step_of_a_tied_row_under_xla_is_the_plain_one():
    found = []
    for jit in (False, True):
        inputs = keras.Input((8,), dtype="int32")
        tied = row()
        model = keras.Model(inputs, tied(inputs))
        rng = np.random.default_rng(1)
        model.set_weights([rng.normal(scale=0.3, size=w.shape) for w in model.weights])
        model.compile(keras.optimizers.SGD(0.1), tied.head.loss, jit_compile=jit)
        found.append([model.train_on_batch(IDS, np.roll(IDS, -1, axis=1)), *model.get_weights()])
    for plain, compiled in zip(*found, strict=True):
        equal(compiled, plain, "under XLA", tolerance=1e-4)


def test_a_tied_row_in_litert_gives_the_same_logits():
    tied = row()
    expected = tied(IDS[:1])
    (found,) = litert.run(litert.convert(tied, tied, IDS[:1]), IDS[:1])
    equal(found, expected, "in LiteRT")


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_tied_weights_in_half_precision_give_logits_in_single(policy):
    example = Example("embedding", {"kind": "token", "vocabulary": 11, "units": 4}, vocabulary=11)
    head = type(CASES["tokens"].layer())(vocabulary=11, tied=True, dtype=policy)
    head.tie(example.layer())
    x = CASES["tokens"].input()
    assert head(x).dtype == "float32"
    equal(head(x), x @ np.asarray(head.embedding.table).T, "half precision", tolerance=0.03)


def test_what_cannot_be_tied_is_refused():
    x = np.zeros((1, 2, 4), "float32")
    alone = slots.build("head", {"kind": "tokens", "vocabulary": 11, "tied": True})
    with pytest.raises(ValueError, match=r"tied to nothing\. Put `embedding: \{kind: token, units: 4\}`.*tied: false"):
        alone(x)
    alone.tie(slots.build("embedding", {"kind": "value"}))
    with pytest.raises(ValueError, match=r"tied to embedding 'value', which has no table"):
        alone(x)
    with pytest.raises(ValueError, match=r"table \(vocabulary, features\) of \(11, 5\).*\(11, 6\).*as many units"):
        row(head_units=5)(IDS)
    with pytest.raises(ValueError, match=r"\(12, 6\), but the embedding's is \(11, 6\)"):
        row(vocabulary=12)(IDS)
    with pytest.raises(ValueError, match=r"weights of its own with `tied: false`"):
        CASES["tokens"].layer().tie(None)
