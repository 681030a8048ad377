"""The linear head is one matrix; solved as a ridge it is the closed form, at the strength that validates best."""

from __future__ import annotations

import numpy as np
import pytest

from seqlayers import slots
from seqlayers.head import linear, ridge
from seqlayers.model import SequenceModel
from seqlayers.testing import equal

HORIZON, TARGETS, CHANNELS, LOOK_BACK, KNOWN = 4, 2, 3, 12, 2


def head(**settings):
    configuration = {"kind": "linear", "horizon": HORIZON, "targets": TARGETS, "solve": "ridge", **settings}
    return slots.build("head", configuration, "model.head")


def windows(seed, count=300, noise=0.1):
    """Windows of random walks; the target a fixed linear map of them and of what is known ahead, and noise."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(99)
    x = np.cumsum(rng.normal(size=(count, LOOK_BACK, CHANNELS)), axis=1)
    a = rng.normal(size=(count, HORIZON, KNOWN))
    y = np.einsum("blc,lcht->bht", x, fixed.normal(size=(LOOK_BACK, CHANNELS, HORIZON, TARGETS)) / 10) + 2
    y = y + a @ fixed.normal(size=(KNOWN, TARGETS)) + noise * rng.normal(size=y.shape)
    return x.astype("float32"), a.astype("float32"), y.astype("float32")


def batches(x, a, y, size=64):
    """Re-iterable, the last batch smaller."""
    parts = [slice(i, i + size) for i in range(0, len(x), size)]
    return [({"past": x[p], "ahead": a[p]} if a is not None else x[p], y[p]) for p in parts]


def average(length, steps):
    """The moving average of x as a matrix, by its definition: the mean over a centred window, the ends repeated."""
    reach, matrix = steps // 2, np.zeros((length, length))
    for t in range(length):
        for s in range(t - reach, t + reach + 1):
            matrix[t, min(max(s, 0), length - 1)] += 1 / steps
    return matrix


def closed_form(x, a, y, new_x, new_a, strength, *, channels, share, subtract, trend, bias):
    """Ridge as in a textbook: a design matrix with every window in it, and the normal equations."""
    x, y, new_x = (v.astype(np.float64) for v in (x, y, new_x))
    level = {
        "none": lambda v: 0 * v[:, :1],
        "last": lambda v: v[:, -1:],
        "mean": lambda v: v.mean(axis=1, keepdims=True),
    }[subtract]
    y, offset = y - level(x)[..., :TARGETS], level(new_x)[..., :TARGETS]
    x, new_x = x - level(x), new_x - level(new_x)

    def design(v, known, targets):
        """A row a window and target: the readings the map sees (both parts of a decomposition), and the known ahead."""
        rows = []
        for t in targets:
            seen = v if channels == "all" else v[:, :, t : t + 1]
            if trend:
                smooth = np.einsum("kl,blc->bkc", average(LOOK_BACK, trend), seen)
                seen = np.concatenate([smooth, seen - smooth], axis=1)
            parts = [seen] if known is None else [seen, known]
            rows.append(np.concatenate([part.reshape(len(v), -1) for part in parts], axis=1))
        return np.concatenate(rows)

    forecast = np.zeros((len(new_x), HORIZON, TARGETS))
    groups = [range(TARGETS)] if channels == "own" and share == "shared" else [[t] for t in range(TARGETS)]
    for group in groups:
        z, target = design(x, a, group), np.concatenate([y[..., t] for t in group])
        z0, y0 = (z.mean(0), target.mean(0)) if bias else (np.zeros(z.shape[1]), np.zeros(HORIZON))
        scatter = (z - z0).T @ (z - z0)
        penalty = strength * _mean_eigenvalue(scatter, trend, x.shape[2] if channels == "all" else 1)
        w = np.linalg.solve(scatter + penalty * np.eye(len(scatter)), (z - z0).T @ (target - y0))
        for t in group:
            forecast[..., t] = (design(new_x, new_a, [t]) - z0) @ w + y0
    return forecast + offset


def _mean_eigenvalue(scatter, trend, channels):
    """Of the scatter; with a decomposition an input counts once, not once a part."""
    doubled = LOOK_BACK * channels if trend else 0
    return np.trace(scatter) / (len(scatter) - doubled)


OPTIONS = [
    {"channels": "own", "share": "shared"},
    {"channels": "own", "share": "per_channel"},
    {"channels": "all", "share": "shared"},
]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda o: f"{o['channels']} {o['share']}")
@pytest.mark.parametrize("subtract, bias", [("none", None), ("last", None), ("mean", True)])
@pytest.mark.parametrize("trend", [None, 5])
@pytest.mark.parametrize("known", [False, True])
def test_it_is_the_closed_form(option, subtract, bias, trend, known):
    x, a, y = windows(0)
    new_x, new_a, _ = windows(1, 20)
    if not known:
        a = new_a = None
    layer = head(**option, subtract=subtract, trend=trend, bias=bias, strengths=[0.01])
    layer.adapt(batches(x, a, y), batches(x, a, y))
    settings = option | {"subtract": subtract, "trend": trend, "bias": bias or subtract == "none"}
    expected = closed_form(x, a, y, new_x, new_a, 0.01, **settings)
    equal(layer(new_x, ahead=new_a), expected, "the forecast", tolerance=2e-4)


def test_a_problem_without_noise_is_solved_exactly_by_the_smallest_strength():
    x, a, y = windows(0, 600, noise=0)
    layer = head(channels="all", subtract="none", strengths=[1e-8, 1e-4, 1e-2, 1])
    layer.adapt(batches(x, a, y), batches(*windows(1, noise=0)))
    assert layer.strength == [1e-8]
    new_x, new_a, new_y = windows(2, 50, noise=0)
    equal(layer(new_x, ahead=new_a), new_y, "the forecast", tolerance=1e-3)


def test_pure_noise_is_shrunk_by_the_largest_strength():
    rng = np.random.default_rng(0)
    noise = lambda: (rng.normal(size=(100, 12, 3)), None, rng.normal(size=(100, 4, 2)))  # noqa: E731
    layer = head(subtract="none", strengths=[1e-4, 1e-2, 1, 1e3])
    layer.adapt(batches(*noise()), batches(*noise()))
    assert layer.strength == [1e3]


@pytest.mark.parametrize("wide", [False, True])
def test_the_strength_is_the_one_with_the_lowest_validation_error(monkeypatch, wide):
    monkeypatch.setattr(ridge, "WIDE", 0 if wide else 1024)
    train, validation = windows(0, 40, noise=3), windows(1, 200, noise=3)
    strengths = [1e-4, 1e-3, 1e-2, 1e-1, 1, 10]
    errors = []
    for s in strengths:
        one = head(channels="all", strengths=[s])
        one.adapt(batches(*train), batches(*validation))
        forecast = one(validation[0], ahead=validation[1])
        errors.append(np.square(np.asarray(forecast) - validation[2]).mean())
    assert 0 < np.argmin(errors) < len(strengths) - 1, "the best strength should lie inside the grid"
    layer = head(channels="all", strengths=strengths)
    layer.adapt(batches(*train), batches(*validation))
    assert layer.strength == [strengths[int(np.argmin(errors))]]
    equal(layer(validation[0], ahead=validation[1]), closed(train, validation, layer.strength[0]), "it", tolerance=2e-4)


def closed(train, new, strength):
    x, a, y = train
    settings = {"channels": "all", "share": "shared", "subtract": "last", "trend": None, "bias": False}
    return closed_form(x, a, y, new[0], new[1], strength, **settings)


def test_each_part_is_read_once_and_in_slices(monkeypatch):
    class Counted(list):
        times = 0

        def __iter__(self):
            self.times += 1
            return super().__iter__()

    data = windows(0)
    train, validation = Counted(batches(*data)), Counted(batches(*data))
    whole, sliced = head(strengths=[0.1]), head(strengths=[0.1])
    whole.adapt(train, validation)
    assert (train.times, validation.times) == (1, 1)
    monkeypatch.setattr(linear, "SLICE", 500)
    sliced.adapt(train, validation)
    equal(sliced(data[0], ahead=data[1]), whole(data[0], ahead=data[1]), "slices")


def test_it_beats_gradient_descent_on_a_linear_problem():
    x, a, y = windows(0, 600, noise=0.5)
    new = windows(1, 200, noise=0.5)
    errors = {}
    for solve in ("ridge", "gradient"):
        configuration = {"head": {"kind": "linear", "solve": solve, "channels": "all", "subtract": "none"}}
        model = SequenceModel.for_task(configuration, horizon=HORIZON, targets=TARGETS)
        inputs = {"past": x, "ahead": a}
        model(inputs)
        model.adapt(batches(x, a, y), batches(*new))
        assert model.needs_fit == (solve == "gradient")
        if model.needs_fit:
            model.compile("adam", model.loss_function)
            model.fit(inputs, y, epochs=20, verbose=0)
        errors[solve] = float(np.square(np.asarray(model({"past": new[0], "ahead": new[1]})) - new[2]).mean())
    assert errors["ridge"] < 0.9 * errors["gradient"]
    assert errors["ridge"] < 1.5 * 0.5**2, "near the noise that nothing can forecast"


def test_before_it_is_solved_its_forecasts_are_nan_and_never_look_like_forecasts():
    assert np.isnan(head()(windows(0, 3)[0])).all()


def test_by_gradient_it_starts_at_the_naive_forecast():
    x, a, _ = windows(0, 3)
    for subtract, level in {"last": x[:, -1:], "mean": x.mean(1, keepdims=True)}.items():
        y = head(solve="gradient", subtract=subtract, trend=5)(x, ahead=a)
        equal(y, np.repeat(level[..., :TARGETS], HORIZON, axis=1), subtract)


def test_inputs_that_never_move_give_the_mean():
    y = np.random.default_rng(0).normal(size=(50, HORIZON, TARGETS)).astype("float32")
    x = np.ones((50, LOOK_BACK, CHANNELS), "float32")
    layer = head(subtract="none")
    layer.adapt([(x, y)], [(x, y)])
    equal(layer(x[:1])[0], np.repeat(y.mean(axis=(0, 2), dtype=np.float64)[:, None], TARGETS, axis=1), "the forecast")


def test_a_solution_survives_saving(tmp_path):
    import keras

    x, a, y = windows(0)
    model = SequenceModel.for_task({"head": {"kind": "linear", "solve": "ridge", "trend": 3}}, horizon=4, targets=2)
    model.adapt(batches(x, a, y), batches(x, a, y))
    expected = model({"past": x, "ahead": a})
    assert np.isfinite(expected).all()
    model.save(tmp_path / "ridge.keras")
    equal(keras.saving.load_model(tmp_path / "ridge.keras")({"past": x, "ahead": a}), expected, "loaded", tolerance=0)


def test_what_cannot_be_solved_is_refused_with_the_reason():
    x, a, y = windows(0)
    good = batches(x, a, y)
    with pytest.raises(ValueError, match="no validation windows"):
        head().adapt(good, [])
    with pytest.raises(ValueError, match="the training windows hold NaN"):
        head().adapt(batches(np.where(x > 5, np.nan, x), a, y), good)
    with pytest.raises(ValueError, match="trained by fit"):
        head(solve="gradient").adapt(good, good)
    with pytest.raises(ValueError, match="2 targets, but was given 1 channels"):
        head()(x[..., :1])


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"trend": 4}, r"model\.head\.trend: 4 given; a centred.*none, 3, 5"),
        ({"loss": "mae"}, r"model\.head\.loss: 'mae' given, but `solve: ridge` minimises squared errors"),
        ({"strengths": []}, r"model\.head\.strengths: \[\] given.*a list"),
        ({"strengths": [0.0]}, r"model\.head\.strengths.*greater than 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(slots.ConfigurationError, match=message):
        head(**settings)
