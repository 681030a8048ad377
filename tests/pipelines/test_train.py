"""Training stops early, keeps the best weights, and after an interruption ends where an undisturbed run ends."""

from __future__ import annotations

import errno

import keras
import numpy as np
import pytest
import tensorflow as tf

from data.windows import WindowSpec, window_dataset
from pipelines import train
from pipelines.config import TrainOptions


class Model(keras.Model):
    """A small model with dropout, so that its random state matters."""

    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(16, activation="tanh")
        self.drop = keras.layers.Dropout(0.3, seed=1)
        self.out = keras.layers.Dense(2)

    def call(self, inputs, training=None):
        x = keras.ops.reshape(inputs["past"], (-1, 5 * 3))
        return self.out(self.drop(self.hidden(x), training=training))[:, :, None]

    def loss_function(self, target, output):
        return keras.ops.mean(keras.ops.square(target - output), axis=(1, 2))


class Batches:
    def __init__(self):
        rng = np.random.default_rng(0)
        self.past = rng.normal(size=(300, 3)).astype("float32")
        self.target = (self.past[:, :1] * 0.5 + 0.1 * rng.normal(size=(300, 1))).astype("float32")
        self.spec = WindowSpec(look_back=5, horizon=2, stride=1, season=1)

    def training(self, batch_size, *, seed, first_epoch, epochs):
        return window_dataset(
            self.past, self.target, None, np.arange(5, 200), self.spec, batch_size,
            seed=seed, first_epoch=first_epoch, epochs=epochs, drop_remainder=True,
        )  # fmt: skip

    def steps_per_epoch(self, batch_size):
        return 195 // batch_size

    def validation(self, batch_size):
        return window_dataset(self.past, self.target, None, np.arange(205, 298), self.spec, batch_size)


def made() -> Model:
    keras.utils.set_random_seed(7)
    model = Model()
    model({"past": tf.zeros((2, 5, 3))})
    return model


OPTIONS = TrainOptions(epochs=6, batch_size=32, learning_rate=1e-2, patience=6, jit=False, weight_decay=0.01)


def test_interrupted_training_ends_where_undisturbed_training_ends(tmp_path):
    undisturbed = made()
    whole = train.fit(undisturbed, Batches(), OPTIONS, train.Checkpoint(tmp_path / "a.npz"))

    checkpoint, cut = train.Checkpoint(tmp_path / "b.npz"), made()

    def stop_in_third_epoch(history, loss, step, steps):
        if len(history.epoch) == 2 and step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.fit(cut, Batches(), OPTIONS, checkpoint, stop_in_third_epoch)
    again = made()
    rest = train.fit(again, Batches(), OPTIONS, checkpoint)
    assert rest.resumed == 1 and rest.epoch == whole.epoch == list(range(6))
    assert rest.loss == whole.loss and rest.validation_loss == whole.validation_loss
    for a, b in zip(undisturbed.weights, again.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_that_had_finished_is_not_done_again(tmp_path):
    checkpoint = train.Checkpoint(tmp_path / "a.npz")
    first = made()
    train.fit(first, Batches(), OPTIONS, checkpoint)
    second, called = made(), []
    train.fit(second, Batches(), OPTIONS, checkpoint, lambda *a: called.append(a))
    assert not called
    for a, b in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_best_weights_are_kept_and_training_stops_when_validation_gets_worse(tmp_path):
    options = OPTIONS.model_copy(update={"epochs": 40, "learning_rate": 0.5, "patience": 2, "schedule": "constant"})
    model = made()
    history = train.fit(model, Batches(), options, train.Checkpoint(tmp_path / "a.npz"))
    assert len(history.epoch) == history.best_epoch + 1 + 2 < 40
    assert history.best == min(history.validation_loss)
    model.compile(loss=model.loss_function)
    assert model.evaluate(Batches().validation(32), verbose=0) == pytest.approx(history.best, rel=1e-5)


def test_a_full_disk_leaves_the_last_checkpoint_whole(tmp_path, monkeypatch):
    checkpoint, model = train.Checkpoint(tmp_path / "a.npz"), made()

    def fill_the_disk_after_two_epochs(history, loss, step, steps):
        if len(history.epoch) == 2:
            monkeypatch.setattr(np, "savez", full)

    def full(file, **arrays):
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        train.fit(model, Batches(), OPTIONS, checkpoint, fill_the_disk_after_two_epochs)
    monkeypatch.undo()
    again = made()
    train.compile_model(again, OPTIONS, 6, jit=False)
    again.optimizer.build(again.trainable_variables)
    _, history = checkpoint.load(again)
    assert history.epoch == [0, 1]


def test_measuring_xla_changes_nothing(tmp_path):
    model = made()
    before = train.snapshot(train.state_of(model))
    options = OPTIONS.model_copy(update={"jit": "auto"})
    train.compile_model(model, options, 6, jit=False)
    choice = train.choose_jit(model, Batches(), options, steps=10**6)  # long enough to be worth measuring
    assert choice["plain_ms"] > 0 and choice["xla_ms"] > 0
    for a, b in zip(before, train.state_of(model), strict=True):
        np.testing.assert_array_equal(a, b)
    short = train.choose_jit(model, Batches(), options, steps=2)
    assert short["chosen"] is False and short["xla_ms"] is None


def test_a_loss_that_is_not_a_number_stops_with_advice(tmp_path):
    batches = Batches()
    batches.target[50] = np.nan
    with pytest.raises(FloatingPointError, match="smaller learning rate"):
        train.fit(made(), batches, OPTIONS, train.Checkpoint(tmp_path / "a.npz"))
