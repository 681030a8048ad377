"""The head of random features is a ridge in closed form, a strength a target, and sees what no linear map can."""

from __future__ import annotations

import numpy as np
import pytest

from seqlayers import slots
from seqlayers.head import random_features
from seqlayers.model import SequenceModel
from seqlayers.slots import ConfigurationError
from seqlayers.testing import equal

HORIZON, TARGETS, CHANNELS, LOOK_BACK, KNOWN = 3, 2, 3, 12, 2
BINS = (1, 2, 5)


def head(**settings):
    given = {"kind": "random_features", "horizon": HORIZON, "targets": TARGETS, "bins": BINS, "units": 20, **settings}
    return slots.build("head", given)


def windows(seed, count=200):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.normal(size=(count, LOOK_BACK, CHANNELS)), axis=1).astype("float32")
    a = rng.normal(size=(count, HORIZON, KNOWN)).astype("float32")
    y = np.abs(x[:, -1:, :TARGETS]) + a[..., :1] + rng.normal(size=(count, HORIZON, TARGETS)) * (0.1, 5)
    return x, a, y.astype("float32")


def batches(x, a, y, size=64):
    parts = [slice(i, i + size) for i in range(0, len(x), size)]
    return [(x[p] if a is None else {"past": x[p], "ahead": a[p]}, y[p]) for p in parts]


def design(layer, x, a, subtract):
    """Bins, level and known ahead by their definitions, standardised and cut, in float64."""
    x = x.astype(np.float64)
    level = {"none": 0 * x[:, 0], "last": x[:, -1], "mean": x.mean(axis=1)}[subtract]
    parts, end = [], LOOK_BACK
    for steps in BINS:
        parts.append(x[:, end - steps : end].mean(axis=1) - level)
        end -= steps
    parts += [level] if subtract != "none" else []
    parts += [a.reshape(len(a), -1)] if a is not None else []
    return np.concatenate(parts, axis=1), level[:, None, :TARGETS]


@pytest.mark.parametrize("subtract", ["none", "last", "mean"])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("units", [0, 20])
def test_it_is_the_closed_form_at_the_strength_that_validates_best_for_each_target(subtract, known, units):
    strengths = (0.001, 0.1, 10.0)
    layer = head(subtract=subtract, units=units, strengths=strengths)
    parts = [(x, a if known else None, y) for x, a, y in (windows(0), windows(1), windows(2))]
    (x, a, y), validation, (new_x, new_a, _) = parts
    layer.adapt(batches(x, a, y), batches(*validation))

    raw, _ = design(layer, x, a, subtract)
    center, scale = raw.mean(0), raw.std(0)
    scale[scale < 1e-4] = 1

    def features(x, a):
        z, level = design(layer, x, a, subtract)
        z = (z - center) / scale
        if units:
            u = np.clip(z, -5, 5) @ np.asarray(layer.directions, np.float64) + np.asarray(layer.thresholds, np.float64)
            z = np.concatenate([z, np.maximum(u, 0)], axis=1)
        return z, level

    z, level = features(x, a)
    mean = z.mean(0)
    scatter = (z - mean).T @ (z - mean)
    found = np.asarray(layer(new_x, ahead=new_a))
    for target in range(TARGETS):
        response = (y - level)[..., target]

        def solved(strength, x, a, response=response, target=target):
            penalty = strength * np.trace(scatter) / len(scatter) * np.eye(len(scatter))
            w = np.linalg.solve(scatter + penalty, (z - mean).T @ (response - response.mean(0)))
            new_z, new_level = features(x, a)
            return (new_z - mean) @ w + response.mean(0) + new_level[..., target]

        errors = [np.mean((solved(s, *validation[:2]) - validation[2][..., target]) ** 2) for s in strengths]
        best = strengths[int(np.argmin(errors))]
        assert layer.strength[target] == best
        equal(found[..., target], solved(best, new_x, new_a), f"target {target}", tolerance=1e-3)


def test_the_random_features_see_what_a_linear_map_cannot():
    train, validation, (x, _, y) = windows(0, 2000), windows(1, 500), windows(2, 500)
    errors = {}
    for units in (0, 200):
        layer = head(units=units, subtract="none")
        layer.adapt(*(batches(p[0], None, p[2]) for p in (train, validation)))
        errors[units] = np.mean((np.asarray(layer(x)) - y)[..., 0] ** 2)
    assert errors[200] < 0.6 * errors[0]


def test_a_seed_gives_the_same_features_and_another_gives_others():
    x, _, y = windows(0)
    found = []
    for seed in (0, 0, 1):
        layer = head(seed=seed)
        layer.adapt(batches(x, None, y), batches(x, None, y))
        found.append(np.asarray(layer(x)))
    equal(found[1], found[0], "the same seed", tolerance=0)
    assert np.abs(found[2] - found[0]).max() > 1e-3


def test_a_channel_that_does_not_move_in_training_changes_nothing():
    x, _, y = windows(0)
    x[..., 2] = 7
    layer = head(subtract="none")
    layer.adapt(batches(x, None, y), batches(x, None, y))
    assert np.isfinite(np.asarray(layer(x))).all()


def test_before_it_is_solved_its_forecasts_are_nan_and_it_needs_no_fit():
    model = SequenceModel.for_task({"head": {"kind": "random_features"}}, horizon=HORIZON, targets=TARGETS)
    x = np.zeros((1, 16, CHANNELS), "float32")
    assert np.isnan(np.asarray(model({"past": x}))).all()
    assert not model.needs_fit and model.rows[0].adapts


def test_slices_of_large_batches_add_up(monkeypatch):
    x, a, y = windows(0)
    found = []
    for size in (2048, 7):
        monkeypatch.setattr(random_features, "SLICE", size)
        layer = head()
        layer.adapt(batches(x, a, y), batches(x, a, y))
        found.append(np.asarray(layer(x, ahead=a)))
    equal(found[1], found[0], "slices", tolerance=1e-3)


@pytest.mark.parametrize("steps", [None, 7])
def test_bins_longer_than_the_look_back_are_refused(steps):
    with pytest.raises(ValueError, match=r"'random_features' has bins of 8 steps in all, but was given"):
        head().build((None, steps, CHANNELS))


def test_fewer_channels_than_targets_and_empty_lists_are_refused():
    with pytest.raises(ValueError, match="forecasts 2 targets, but was given 1 channels"):
        head().build((None, LOOK_BACK, 1))
    for name in ("bins", "strengths"):
        with pytest.raises(ConfigurationError, match=f"{name}.*an empty list"):
            head(**{name: []})


def test_no_windows_and_nan_are_refused():
    x, _, y = windows(0)
    with pytest.raises(ValueError, match="there are no training windows"):
        head().adapt([], batches(x, None, y))
    with pytest.raises(ValueError, match="there are no validation windows"):
        head().adapt(batches(x, None, y), [])
    y[3, 0, 0] = np.nan
    with pytest.raises(ValueError, match="the training windows hold NaN or infinity"):
        head().adapt(batches(x, None, y), batches(x, None, y))
