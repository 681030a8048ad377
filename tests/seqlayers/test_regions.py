"""Head `regions`: the equation, by hand, and a gradient that is as sparse as it says."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqlayers.errors import ConfigurationError
from seqlayers.head.regions import Regions
from seqlayers.model import SequenceModel
from seqlayers.testing import equal

VOCABULARY, UNITS = 13, 4


def head(**changed):
    keras.utils.set_random_seed(0)
    layer = Regions(**{"classes": 2, "vocabulary": VOCABULARY, "units": UNITS, "kernel": 3} | changed)
    layer.build((None, None))
    rng = np.random.default_rng(1)
    table, *others = layer.get_weights()
    weights = rng.normal(size=table.shape).astype("float32") * (table != 0)
    layer.set_weights([weights, *(rng.normal(size=w.shape).astype("float32") for w in others)])
    return layer


def texts(*lengths, time=9):
    rng = np.random.default_rng(2)
    ids = np.zeros((len(lengths), time), "int32")
    for row, length in zip(ids, lengths, strict=True):
        row[:length] = rng.integers(1, VOCABULARY, length)
    return ids


def by_hand(layer, ids):
    """Every region of every text, one after the other."""
    table, offset, kernel, bias = layer.get_weights()
    table = table.reshape(layer.kernel, VOCABULARY, UNITS)
    found = []
    for row in ids:
        regions = []
        for begin in range(1 - layer.kernel, len(row) + 1):
            total = np.zeros(UNITS)
            for j in range(layer.kernel):
                if 0 <= begin + j < len(row) and row[begin + j]:
                    total += table[j, row[begin + j]]
            regions.append(total)
        found.append(np.maximum(np.max(regions, axis=0) + offset, 0) @ kernel + bias)
    return np.array(found)


@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
def test_it_is_the_equation(kernel):
    layer, ids = head(kernel=kernel), texts(9, 6, 1, 3)
    for training in (False, True):
        equal(layer(ids, training=training), by_hand(layer, ids), f"kernel {kernel}, training {training}")


def test_the_weights_of_padding_are_nought_and_stay_so():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("trained with SparseAdagrad, which is TensorFlow's")
    from pipelines.adagrad import SparseAdagrad

    model = SequenceModel(head={"kind": "regions", "classes": 2, "vocabulary": VOCABULARY, "units": UNITS})
    ids = texts(9, 6, 1, 3)
    model(ids)
    model.compile(SparseAdagrad(0.1), loss=model.loss_function)
    before = model.get_weights()[0].reshape(-1, VOCABULARY, UNITS)
    model.fit(ids, np.array([0, 1, 0, 1]), epochs=3, verbose=0)
    after = model.get_weights()[0].reshape(-1, VOCABULARY, UNITS)
    assert not after[:, 0].any()
    assert (after[:, 1:] != before[:, 1:]).any()


def test_more_padding_changes_nothing_and_a_mask_is_padding():
    layer, short = head(), texts(5, 3, time=5)
    long = np.pad(short, ((0, 0), (0, 7)))
    equal(layer(long), layer(short), "padded")
    ids = texts(9, 9)
    real = np.arange(9) < 4
    equal(layer(ids, mask=np.stack([real, real])), layer(np.where(real, ids, 0)), "masked")


def test_training_takes_the_gradient_of_the_equation_and_names_only_the_weights_it_touches():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("sparse gradients are TensorFlow's")
    import tensorflow as tf

    layer, ids = head(), texts(9, 4, 7)
    gradients = []
    for training in (True, False):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(ids, training=training) ** 2)
        gradients.append(tape.gradient(loss, [v.value for v in layer.trainable_variables]))
    sparse = gradients[0][0]
    assert isinstance(sparse, tf.IndexedSlices)
    assert len(sparse.values) == len(ids) * UNITS * layer.kernel
    real = np.repeat(np.arange(layer.kernel * VOCABULARY) % VOCABULARY != 0, UNITS)  # padding's weights are left alone
    equal(tf.convert_to_tensor(sparse), gradients[1][0] * real, "table")
    for one, other, variable in zip(*(each[1:] for each in gradients), layer.trainable_variables[1:], strict=True):
        equal(one, other, variable.path)


@pytest.mark.parametrize("unknown", [0, 1])
def test_token_dropout_reads_ids_as_unknown(unknown):
    layer, ids = head(token_dropout=0.9, unknown=unknown), texts(*[7] * 64)
    nothing = layer(np.where(ids, unknown, 0))
    same = np.all(np.isclose(layer(ids, training=True), nothing, atol=1e-6), axis=1)
    assert 10 < same.sum() < 60, "of seven ids all are read so in 0.9⁷ = 48 % of the texts"


def test_an_unknown_outside_the_vocabulary_is_refused():
    with pytest.raises(ConfigurationError, match=r"unknown.*13 given.*an id below 13"):
        head(unknown=VOCABULARY)


def test_a_word_for_each_class_is_learnt():
    rng = np.random.default_rng(0)
    ids = rng.integers(3, VOCABULARY, (256, 9)).astype("int32")
    labels = rng.integers(0, 2, 256).astype("int32")
    at = rng.integers(0, 8, 256)
    ids[np.arange(256), at], ids[np.arange(256), at + 1] = np.where(labels, 1, 2), np.where(labels, 2, 1)
    model = SequenceModel(head={"kind": "regions", "classes": 2, "vocabulary": VOCABULARY, "units": 8, "kernel": 2})
    model(ids)
    model.compile(keras.optimizers.Adam(0.02), loss=model.loss_function)
    model.fit(ids, labels, batch_size=32, epochs=15, verbose=0)
    said = np.argmax(ops.convert_to_numpy(model(ids)), axis=1)
    assert (said == labels).mean() > 0.98, "which of two words comes first says the class"


def test_an_embedding_before_it_is_refused():
    with pytest.raises(ConfigurationError, match=r"'regions' reads the ids themselves, but embedding 'token' stands"):
        SequenceModel(
            embedding={"kind": "token", "vocabulary": 9, "units": 4},
            head={"kind": "regions", "classes": 2, "vocabulary": 9},
        )


def test_ids_outside_the_vocabulary_are_refused():
    with pytest.raises(ValueError, match=r"head 'regions' has a vocabulary of 13, ids 0 to 12.*the id 13"):
        head()(np.full((1, 4), VOCABULARY))
