"""Embeddings are their projections, patch by patch, and the rows of their tables."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqlayers import slots
from seqlayers.testing import Example, equal
from tests.seqlayers import elsewhere
from tests.seqlayers.gradients import check_gradients, gradients

IDS = np.array([[3, 0, 4, 3], [1, 1, 0, 2]], "int32")
OF_IDS = {
    "one_hot": {"kind": "one_hot", "vocabulary": 5},
    "token": {"kind": "token", "vocabulary": 5, "units": 3},
    "ngrams": {"kind": "ngrams", "vocabulary": 5, "units": 3, "longest": 1, "buckets": 7},
}

every_kind_of_ids = pytest.mark.parametrize("kind", OF_IDS)


def of_ids(kind, **settings):
    return Example("embedding", {**OF_IDS[kind], **settings}, vocabulary=5).layer()


def test_value_projects_each_step():
    example = Example("embedding", {"kind": "value", "units": 5, "activation": "tanh"})
    layer, x = example.layer(), example.input()
    kernel, bias = (w.astype(np.float64) for w in layer.get_weights())
    equal(layer(x), np.tanh(x @ kernel + bias), "it")


@pytest.mark.parametrize("length, stride, time, first", [(4, 4, 12, 0), (4, 4, 14, 2), (6, 2, 11, 1), (5, 5, 5, 0)])
def test_patches_end_at_the_last_step(length, stride, time, first):
    example = Example("embedding", {"kind": "patch", "length": length, "stride": stride, "units": 3}, time=time)
    layer, x = example.layer(), example.input()
    kernel, bias = (w.astype(np.float64) for w in layer.get_weights())
    starts = range(first, time - length + 1, stride)
    assert starts[-1] + length == time
    patches = np.stack([x[:, s : s + length] for s in starts], axis=1)
    equal(layer(x), np.einsum("bnlf,lfu->bnu", patches, kernel) + bias, "it")


def test_a_sequence_shorter_than_a_patch_is_refused():
    layer = slots.build("embedding", {"kind": "patch", "length": 8, "stride": 4})
    with pytest.raises(ValueError, match=r"patches of 8 steps, but was given 5.*shorter `length`"):
        layer(np.zeros((1, 5, 2), "float32"))


def test_patches_that_would_skip_steps_are_refused():
    with pytest.raises(slots.ConfigurationError, match=r"model\.embedding\.stride: 9 given with patches of 8.*int ≤ 8"):
        slots.build("embedding", {"kind": "patch", "length": 8, "stride": 9}, "model.embedding")


def test_time2vec_is_a_line_and_waves():
    example = Example("embedding", {"kind": "time2vec", "units": 5}, time=6)
    layer, x = example.layer(), 3 * example.input()

    def equation(x, weights):
        kernel, bias = weights
        y = np.zeros((*x.shape[:2], 5))
        for i in range(5):
            angle = x @ kernel[:, i] + bias[i]
            y[..., i] = angle if i == 0 else np.sin(angle)
        return y

    equal(layer(x), equation(x.astype("float64"), [w.astype("float64") for w in layer.get_weights()]), "it")
    check_gradients(layer, layer, equation, x)


def test_one_hot_is_the_rows_of_the_identity():
    equal(of_ids("one_hot")(IDS), np.eye(5)[IDS], "it", tolerance=0)


@pytest.mark.parametrize("scale, factor", [(False, 1), (True, np.sqrt(3))])
def test_token_is_the_rows_of_its_table(scale, factor):
    layer = of_ids("token", scale=scale)
    equal(layer(IDS), factor * np.asarray(layer.table, "float64")[IDS], "it", tolerance=1e-6)


def test_tokens_weights_are_those_of_the_keras_layer_both_ways():
    ours, keras_layer = of_ids("token"), keras.layers.Embedding(5, 3)
    keras_layer(IDS)
    keras_layer.set_weights(ours.get_weights())
    equal(ours(IDS), keras_layer(IDS), "theirs", tolerance=0)
    keras_layer.set_weights([np.arange(15, dtype="float32").reshape(5, 3)])
    ours.set_weights(keras_layer.get_weights())
    equal(ours(IDS), keras_layer(IDS), "ours", tolerance=0)


@pytest.mark.parametrize("scale, factor", [(False, 1), (True, np.sqrt(3))])
def test_the_gradient_of_a_tokens_row_is_the_sum_over_where_it_was_used(scale, factor):
    layer = of_ids("token", scale=scale)
    cotangent = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    expected = np.zeros((5, 3))
    for row, step in np.ndindex(IDS.shape):
        expected[IDS[row, step]] += factor * cotangent[row, step].astype("float64")
    equal(gradients(layer, IDS, [layer.table], cotangent)[1][0], expected, "it", tolerance=1e-6)


def test_a_scaled_table_begins_with_rows_of_length_near_one():
    layer = slots.build("embedding", {"kind": "token", "vocabulary": 200, "units": 64, "scale": True})
    layer(IDS)
    assert np.abs(np.linalg.norm(layer.table, axis=1).mean() - 1) < 0.05


@every_kind_of_ids
def test_zero_is_padding_where_it_is_said_to_be(kind):
    layer = of_ids(kind, mask_zero=True)
    given = np.array([[True, True, False, True], [False, True, True, True]])
    assert (np.asarray(layer.compute_mask(IDS)) == (IDS != 0)).all()
    assert (np.asarray(layer.compute_mask(IDS, given)) == ((IDS != 0) & given)).all()
    without = of_ids(kind)
    assert without.compute_mask(IDS) is None
    assert (np.asarray(without.compute_mask(IDS, given)) == given).all()


@every_kind_of_ids
@pytest.mark.parametrize("unknown", [-1, 5, 2**32 + 3])
def test_an_id_outside_the_vocabulary_is_refused(kind, unknown):
    ids = IDS.astype("int64")
    ids[1, 2] = unknown
    message = rf"'{kind}' has a vocabulary of 5, ids 0 to 4, but was given the id {unknown}\..*or set `vocabulary`"
    with pytest.raises(ValueError, match=message):
        of_ids(kind)(ids)


@every_kind_of_ids
@pytest.mark.parametrize("unknown", [-1, 5, 2**32 + 3])
@pytest.mark.parametrize("xla", [False, True])
def test_compiled_it_is_nan_and_never_a_wrong_number(kind, unknown, xla):
    tf = pytest.importorskip("tensorflow")
    layer, ids = of_ids(kind), IDS.astype("int64")
    ids[1, 2] = unknown
    y = tf.function(layer, jit_compile=xla)(tf.constant(ids))
    is_known = ids == IDS
    assert np.isnan(y.numpy()[~is_known]).all()
    equal(y.numpy()[is_known], layer(IDS).numpy()[is_known], "the others", tolerance=1e-6)


def test_an_unknown_id_gives_no_gradient():
    tf = pytest.importorskip("tensorflow")
    layer = of_ids("token")
    with tf.GradientTape() as tape:
        y = tf.function(layer)(tf.constant([[2, 9]]))
        loss = tf.reduce_sum(y[:, 0])
    gradient = tf.convert_to_tensor(tape.gradient(loss, layer.table.value))
    equal(gradient, np.eye(5)[[2]].T * np.ones(3), "it", tolerance=0)


ON_JAX = """
import jax, numpy as np
from seqlayers import slots
for configuration in {configurations}:
    layer = slots.build("embedding", configuration)
    ids = np.array([[3, 0, 4, 3]], "int32")
    layer(ids)
    for unknown in (-1, 5):
        ids[0, 2] = unknown
        y = np.asarray(jax.jit(lambda x: layer(x))(ids))
        assert np.isnan(y).all(2).tolist() == [[False, False, True, False]], (configuration, unknown, y)
        assert not np.isnan(y[:, [0, 1, 3]]).any()
        try:
            layer(ids)
        except ValueError as error:
            assert f"the id {{unknown}}" in str(error), error
        else:
            raise AssertionError("not refused")
"""


@pytest.mark.slow
def test_on_jax_as_well():
    elsewhere.run("jax", "-c", ON_JAX.format(configurations=list(OF_IDS.values())))


@every_kind_of_ids
def test_the_task_says_how_many_ids_there_are(kind):
    settings = {k: v for k, v in OF_IDS[kind].items() if k != "vocabulary"}
    assert slots.complete("embedding", settings, {"vocabulary": 9})["vocabulary"] == 9
    with pytest.raises(slots.ConfigurationError, match=rf"embedding '{kind}' needs 'vocabulary'; the task sets it"):
        slots.build("embedding", settings)


@every_kind_of_ids
@pytest.mark.parametrize("wrong", [IDS[0], IDS[..., None], IDS.astype("float32")], ids=["flat", "features", "float"])
def test_anything_but_ids_is_refused(kind, wrong):
    with pytest.raises(
        ValueError, match=rf"embedding '{kind}' takes ids, whole numbers \(batch, time\), but was given"
    ):
        of_ids(kind)(wrong)


@every_kind_of_ids
@pytest.mark.parametrize("argument", ["vocabulary", "units", "longest", "buckets"])
def test_none_of_something_is_refused(kind, argument):
    if argument in OF_IDS[kind]:
        with pytest.raises(slots.ConfigurationError, match=rf"embedding\.{argument}: 0 given for embedding '{kind}'"):
            slots.build("embedding", {**OF_IDS[kind], argument: 0})
