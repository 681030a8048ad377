"""Heads are their equations; their losses are the textbook's; quantiles never cross."""

from __future__ import annotations

import numpy as np
import pytest

from seqlayers import slots
from seqlayers.testing import Example, equal
from tests.seqlayers.reference import relu, weights

SIZES = {"horizon": 3, "targets": 2}


def case(kind="forecast", known=4, **settings):
    example = Example("head", {"kind": kind, **SIZES, **settings}, known=known)
    layer = example.layer()
    found = {path.removeprefix("projection/"): w for path, w in weights(layer).items()}
    return layer, example.input(), example.beside(3).get("ahead"), found


def test_forecast_is_its_equation():
    layer, c, a, w = case()
    expected = (c @ w["outer/kernel"] + w["outer/bias"]).reshape(3, 3, 2) + a @ w["known/kernel"]
    equal(layer(c, ahead=a), expected, "it")


def test_hidden_units_let_features_and_the_known_ahead_act_on_each_other():
    layer, c, a, w = case(hidden=5)
    u = relu(c @ w["inner/kernel"] + w["inner/bias"])
    both = relu((u @ w["mix_features/kernel"] + w["mix_features/bias"])[:, None] + a @ w["mix_known/kernel"])
    y = (u @ w["outer/kernel"] + w["outer/bias"]).reshape(3, 3, 2) + a @ w["known/kernel"]
    equal(layer(c, ahead=a), y + both @ w["mix_output/kernel"], "it")


def test_a_sequence_is_flattened():
    example = Example("head", {"kind": "forecast", **SIZES}, pooled=False)
    layer, x = example.layer(), example.input()
    w = weights(layer)
    expected = x.reshape(3, -1) @ w["projection/outer/kernel"] + w["projection/outer/bias"]
    equal(layer(x), expected.reshape(3, 3, 2), "it")


def test_quantiles_are_the_median_and_steps_away_from_it():
    quantiles = [0.05, 0.25, 0.5, 0.9]
    layer, c, _, w = case("quantile", known=0, quantiles=quantiles)
    raw = (c @ w["outer/kernel"] + w["outer/bias"]).reshape(3, 3, 2, 4)
    step = np.log1p(np.exp(raw))
    median = raw[..., 2]
    low = median - step[..., 1]
    expected = np.stack([low - step[..., 0], low, median, median + step[..., 3]], axis=-1)
    y = layer(c)
    equal(y, expected, "it")
    equal(layer.predict(y), median, "the point forecast")


def test_quantiles_never_cross():
    layer, *_ = case("quantile", known=0, quantiles=[0.01, 0.1, 0.5, 0.75, 0.9, 0.99])
    y = np.asarray(layer(1e3 * np.random.default_rng(0).normal(size=(200, 4)).astype("float32")))
    assert (np.diff(y, axis=-1) >= 0).all()


@pytest.mark.parametrize("quantiles", [[0.1, 0.9], [0.5, 0.1, 0.9], [0.5, 0.5], []])
def test_quantiles_without_a_median_or_out_of_order_are_refused(quantiles):
    with pytest.raises(slots.ConfigurationError, match=r"model\.head\.quantiles: .*must rise and hold the median"):
        slots.build("head", {"kind": "quantile", **SIZES, "quantiles": quantiles}, "model.head")


def test_the_point_losses_are_means_over_horizon_and_targets():
    y, z = np.random.default_rng(0).normal(size=(2, 5, 3, 2)).astype("float32") * 2
    e = np.abs(y.astype(np.float64) - z)
    for name, value in {"mse": e**2, "mae": e, "huber": np.where(e <= 1, e**2 / 2, e - 0.5)}.items():
        head = slots.build("head", {"kind": "forecast", **SIZES, "loss": name})
        equal(head.loss(y, z), value.mean(axis=(1, 2)), name)
        assert head.to_configuration()["loss"] == name


def test_the_quantile_loss_is_the_pinball():
    rng = np.random.default_rng(0)
    y, z = rng.normal(size=(5, 3, 2)).astype("float32"), rng.normal(size=(5, 3, 2, 3)).astype("float32")
    expected = np.zeros(5)
    for i, q in enumerate((0.1, 0.5, 0.9)):
        e = y.astype(np.float64) - z[..., i]
        expected += np.where(e >= 0, q * e, (q - 1) * e).mean(axis=(1, 2)) / 3
    equal(slots.build("head", {"kind": "quantile", **SIZES}).loss(y, z), expected, "it")


def test_outputs_are_in_single_precision_under_half():
    for name in ("forecast", "quantile"):
        y = Example("head", {"kind": name, **SIZES}).layer("mixed_float16")(np.ones((1, 4), "float32"))
        assert str(y.dtype).removeprefix("<dtype: '").rstrip("'>") == "float32"


@pytest.mark.parametrize("kind, pooled", [("forecast", True), ("quantile", True), ("linear", False)])
def test_what_is_known_ahead_must_fit_the_horizon_and_stay(kind, pooled):
    example = Example("head", {"kind": kind, **SIZES}, pooled=pooled)
    x = example.input()
    with pytest.raises(ValueError, match=r"horizon 3.*\(3, 7, 2\)"):
        slots.build("head", example.configuration)(x, ahead=np.zeros((3, 7, 2), "float32"))
    with pytest.raises(ValueError, match=r"built without what is known `ahead`, but is called with"):
        example.layer()(x, ahead=np.zeros((3, 3, 2), "float32"))


def test_heads_say_what_their_output_means():
    assert case()[0].output_kind == "point"
    assert case("quantile")[0].output_kind == ("quantile", (0.1, 0.5, 0.9))
    assert Example("head", {"kind": "linear", **SIZES}, pooled=False).layer().output_kind == "point"
