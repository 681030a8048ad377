"""Adagrad on sparse gradients takes the steps that Keras's takes on dense ones."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines import config
from pipelines.adagrad import BEGINNING, SparseAdagrad
from seqlayers.errors import ConfigurationError

ROWS = 50


def stepped(optimizer, sparse, dense_too=False):
    """A vector after ten steps, each along a gradient of five rows."""
    weight, beside = keras.Variable(np.zeros(ROWS, "float32")), keras.Variable(np.zeros(3, "float32"))
    rng = np.random.default_rng(0)
    optimizer.build([weight, beside])
    for _ in range(10):
        rows = rng.permutation(ROWS)[:5]
        values = rng.normal(size=5).astype("float32")
        gradient = tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant([ROWS]))
        optimizer.apply([gradient if sparse else tf.convert_to_tensor(gradient), tf.fill([3], values[0])])
    return weight.numpy(), beside.numpy()


def test_a_sparse_gradient_is_followed_as_a_dense_one():
    keras_own = keras.optimizers.Adagrad(0.1, initial_accumulator_value=BEGINNING)
    expected = stepped(keras_own, sparse=False)
    for sparse in (False, True):
        for found, wanted in zip(stepped(SparseAdagrad(0.1), sparse), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def test_a_weight_that_took_a_sparse_step_is_read_without_a_copy():
    weight = keras.Variable(np.zeros(ROWS, "float32"))
    optimizer = SparseAdagrad(0.1)
    optimizer.build([weight])
    for _ in range(2):
        gradient = tf.IndexedSlices(tf.constant([1.0]), tf.constant([3]), tf.constant([ROWS]))
        optimizer.apply([gradient])
        one, other = (np.asarray(memoryview(weight.value.read_value())) for _ in range(2))
        assert np.shares_memory(one, other)


def test_gradients_are_clipped_by_their_joint_norm():
    clipped, _ = stepped(SparseAdagrad(0.1, clip_norm=1e-6), sparse=True)
    free, _ = stepped(SparseAdagrad(0.1), sparse=True)
    assert 0 < np.abs(clipped).max() < 0.01 * np.abs(free).max(), "far below the squares that it begins with"


@pytest.mark.parametrize("settings", [["train.jit=true"], ["train.weight_decay=0.1"]])
def test_what_adagrad_cannot_have_is_refused(settings):
    with pytest.raises(ConfigurationError, match=r"train: .*optimizer adagrad"):
        config.load("sentiment", settings=["train.optimizer=adagrad", "train.jit=auto", *settings])
