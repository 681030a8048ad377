"""check_kind: what every kind of the catalogue promises, checked the same way for all of them.

The half that needs only Keras; equality of exported files is checked where TensorFlow is. Each check is a function of
an `Example`, named after the capability it proves, so that a kind which declares in `refusals()` that it has not got
one is checked to refuse it instead.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from seqlayers import slots
from seqlayers.example import Example, same_structure
from seqlayers.kind import Kind, Refused
from seqlayers.row import Row

__all__ = ["CHECKS", "ELSEWHERE", "TOLERANCE", "Example", "check_kind", "check_refusal", "equal", "to_array"]

#: Errors count relative to max(1, |y|).
TOLERANCE = 1e-5


def check_kind(slot: str, configuration: Mapping[str, Any], *, only: Sequence[str] | None = None, **sizes: Any) -> None:
    """Check everything that kinds promise, on one configuration.

    Args:
        slot, configuration: what is built, such as `"encoder", {"kind": "gru", "units": 8}`.
        only: names of checks (keys of `CHECKS`) to be run; all if left out.
        **sizes: what of `Example` shall be different (time, features, vocabulary, position, …).

    Raises:
        AssertionError: a promise is not kept; the message names it.
    """
    example = Example(slot, configuration, **sizes)
    declared = example.layer().refusals()
    unknown = set(declared) - set(CHECKS) - set(ELSEWHERE)
    assert not unknown, f"{slot} '{configuration['kind']}' refuses capabilities that do not exist: {unknown}"
    for name in only or CHECKS:
        if name in declared:
            check_refusal(example, name)
        else:
            CHECKS[name](example)


def check_round_trip(example: Example) -> None:
    """A configuration builds the layer it came from, and a `.keras` file gives the same numbers."""
    layer, x = example.layer(), example.input()
    assert layer.settings().keys() == layer.arguments().keys(), "the settings are not the constructor's arguments"
    again = slots.build(example.slot, layer.to_configuration())
    assert again.settings() == layer.settings()
    assert json.loads(json.dumps(layer.get_config())) == layer.get_config(), "the configuration must be plain values"
    same = type(layer).from_config(layer.get_config())
    assert same.settings() == layer.settings() and same.name == layer.name
    model, inputs = example.model(layer), example.model_inputs(x)
    if example.position is not None:  # which is the row's, and saved with it
        kinds: dict[str, Any] = {example.slot: [example.configuration], "position": example.position}
        row = Row(**kinds)
        given = {tensor.name: tensor for tensor in model.inputs}
        called = {"past": given["memory"], "target": given["x"]} if example.memory else given["x"]
        model = keras.Model(given, row(called))
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/kind.keras")
        loaded = keras.saving.load_model(f"{folder}/kind.keras")
    equal(loaded(inputs), model(inputs), "a loaded model differs", tolerance=0)


def check_masks(example: Example) -> None:
    """Padding on the right changes no real output, and is as if it were not there."""
    layer, x = example.layer(), example.input()
    if example.slot == "head" and not layer.per_step and layer.takes != "ids":
        return  # comes after pooling, which leaves the padding out
    lengths = [example.time - 8 * (i % 2) for i in range(len(x))]
    mask = np.arange(example.time) < np.array(lengths)[:, None]
    other = np.where(mask if x.ndim == 2 else mask[..., None], x, 1 if x.ndim == 2 else 1e3).astype(x.dtype)
    y, z = (to_array(example.call(layer, v, mask=ops.convert_to_tensor(mask))) for v in (x, other))
    for i, length in enumerate(lengths):
        beside = {name: value[i : i + 1] for name, value in example.beside(len(x)).items()}
        alone = to_array(example.call(layer, x[i : i + 1, :length], beside=beside))[0]
        real = ... if layer.rate is None else slice(len(alone))
        equal(z[i][real], y[i][real], "padding changes real outputs")
        equal(y[i][real], alone, "a padded sequence differs from the same without padding")
        if layer.rate is not None:
            after = layer.compute_mask(x, ops.convert_to_tensor(mask))
            marked = mask if after is None else to_array(after)
            assert marked[i].sum() == len(alone), "the mask that is handed on marks other steps than the real ones"


def check_dynamic_time(example: Example) -> None:
    """Compiled for any length, the layer has the numbers at two of them that it has when called at each."""
    layer = example.layer()
    if example.slot == "head" and example.pooled and layer.takes != "ids":
        return
    if example.slot == "head" and not layer.per_step and layer.takes != "ids":
        return check_refusal(example, "dynamic_time")  # its weights are for a length
    model = example.model(layer, time=None)
    for time in (example.time, example.time // 2, example.time):  # the second length makes the compiler open it
        x = example.input(time=time)
        found = model.predict_on_batch(example.model_inputs(x))
        equal(found, example.call(layer, x), f"{time} steps through an open length differ")


def check_mixed_precision(example: Example) -> None:
    """Half precision stays finite, and near single precision."""
    x = example.input()
    expected = to_array(example.call(example.layer(), x))
    scale = max(1.0, float(np.abs(expected).max()))
    for policy in ("mixed_float16", "mixed_bfloat16"):
        layer = example.layer(policy)
        for training in (True, False):
            y = ops.cast(example.call(layer, x, training=training), "float32")
            assert np.isfinite(to_array(y)).all(), f"{policy} is not finite"
        equal(y, expected, f"{policy} is far from single precision", tolerance=0.1 * scale)


def check_xla(example: Example) -> None:
    """A training step compiled by XLA gives the loss, and the weights, of the plain step."""
    x = example.input()
    found = []
    for jit in (False, True):
        layer = example.layer()
        model = example.model(layer)
        inputs = example.model_inputs(x)
        target = example.target(layer, tuple(model(inputs).shape))
        loss: Any = layer.loss if example.slot == "head" else "mse"
        model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=jit)
        value = model.train_on_batch(inputs, target)
        found.append([np.asarray(value), *(to_array(w) for w in model.trainable_weights)])
    assert len(found[0]) > 1 or not layer.trainable_weights
    random = any(layer.settings().get(name) for name in ("dropout", "recurrent_dropout", "zoneout"))
    for plain, compiled in zip(*found, strict=True):
        if random:  # XLA draws other numbers than TensorFlow does
            assert np.isfinite(compiled).all(), "a training step under XLA is not finite"
        else:
            equal(compiled, plain, "a training step under XLA differs", tolerance=1e-4)


def check_causal(example: Example) -> None:
    """A causal kind's outputs do not move when its inputs after them do; its last output does."""
    layer = example.layer()
    if not layer.causal or layer.rate is None:
        return
    x = example.input()
    for first in (example.time // 3, example.time - 1):
        changed = x.copy()
        changed[:, first:] = example.input(seed=4)[:, first:]
        y, z = to_array(example.call(layer, x)), to_array(example.call(layer, changed))
        # output i of n has seen the inputs up to time − (n − 1 − i) / rate
        seen = example.time - np.arange(y.shape[1])[::-1] / layer.rate
        equal(z[:, seen <= first], y[:, seen <= first], f"outputs before step {first} see it", tolerance=1e-6)
        assert np.abs(z[:, -1] - y[:, -1]).max() > 1e-6, f"the last output does not see step {first}"


def check_streams(example: Example) -> None:
    """The whole sequence, chunks of it from a state handed on, and single steps give the same numbers."""
    layer = example.layer()
    if example.slot == "head" and not layer.per_step:
        return  # takes what a stream gives, as it takes anything else
    assert layer.causal and layer.rate in (1, None), "only causal kinds of rate one, and poolings, stream"
    x, rng = example.input(), np.random.default_rng(5)
    for _ in range(3):
        time = int(rng.integers(2, example.time + 1))
        cuts = np.sort(rng.choice(np.arange(1, time), size=min(3, time - 1), replace=False))
        state = example.initial_state(layer, len(x))
        chunks = []
        for chunk in np.split(x[:, :time], cuts, axis=1):
            before = state
            y, state = layer.stream(ops.convert_to_tensor(chunk), state)
            same_structure(before, state)
            chunks.append(to_array(y))
        _compare_stream(example, layer, x[:, :time], np.concatenate(chunks, axis=1), f"chunks cut at {cuts}")
    _compare_stream(example, layer, x, example.stepped(layer, x), "single steps")


def _compare_stream(example: Example, layer: Kind, x: np.ndarray, streamed: np.ndarray, how: str) -> None:
    whole = to_array(example.call(layer, x))
    equal(streamed if layer.rate == 1 else streamed[:, -1], whole, f"{how} differ from the whole sequence")


def check_refusal(example: Example, capability: str) -> None:
    """What a kind declares it cannot do is refused in an error that names the kind."""
    try:
        if capability == "streams":
            example.initial_state(example.layer(), 1)
        elif capability == "dynamic_time":
            example.model(slots.build(example.slot, example.configuration), time=None)
        else:
            CHECKS[capability](example)
    except (Refused, ValueError) as error:
        kind = example.configuration["kind"]
        assert f"'{kind}'" in str(error), f"the refusal of '{capability}' does not name '{kind}': {error}"
        return
    raise AssertionError(f"'{capability}' is declared as refused, but nothing was raised")


def check_bad_input(example: Example) -> None:
    """Wrong shapes, wrong types and masks that do not fit are refused in an error that names the kind."""
    layer, x = example.layer(), example.input()
    wrong: dict[str, Callable[[], Any]] = {}
    if layer.takes != "anything":
        wrong["an axis too many"] = lambda: example.call(layer, x[None])
        other = "float32" if x.dtype == "int32" else "int32"
        wrong["the other type"] = lambda: example.call(layer, x.astype(other))
        if example.slot != "head":
            wrong["an axis too few"] = lambda: example.call(layer, x[:, 0])
    if example.slot in ("encoder", "decoder", "pooling", "normalise"):
        wrong["a short mask"] = lambda: example.call(layer, x, mask=np.ones((len(x), x.shape[1] - 1), "bool"))
        wrong["a mask of numbers"] = lambda: example.call(layer, x, mask=np.ones(x.shape[:2], "float32"))
    for what, call in wrong.items():
        try:
            call()
        except ValueError as error:
            assert f"'{layer.kind}'" in str(error), f"the refusal of {what} does not name '{layer.kind}': {error}"
        else:
            raise AssertionError(f"{what} is not refused")


CHECKS: dict[str, Callable[[Example], None]] = {
    "bad_input": check_bad_input,
    "round_trip": check_round_trip,
    "masks": check_masks,
    "dynamic_time": check_dynamic_time,
    "mixed_precision": check_mixed_precision,
    "causal": check_causal,
    "streams": check_streams,
    "xla": check_xla,
}

#: Capabilities checked with a process (`seqlayers.backends`) or a library (LiteRT) of their own.
ELSEWHERE = ("jax", "litert", "int8")


def equal(found: Any, expected: Any, message: str, tolerance: float = TOLERANCE) -> None:
    """Assert equality up to `tolerance` relative to max(1, |expected|), shapes included."""
    found, expected = (to_array(v) for v in (found, expected))
    found, expected = (v.astype("float64") if v.dtype == bool else v for v in (found, expected))
    assert found.shape == expected.shape, f"{message}: shapes {found.shape} and {expected.shape}"
    error = np.abs(found - expected) / np.maximum(1, np.abs(expected))
    assert (error <= tolerance).all(), f"{message}: by up to {error.max(initial=0):.2g} (allowed {tolerance:g})"


def to_array(x: Any) -> np.ndarray:
    """A tensor of any backend as NumPy."""
    return np.asarray(ops.convert_to_numpy(x))
