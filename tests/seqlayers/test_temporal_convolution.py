"""The temporal convolutional network is its equations, and sees as far as it says and no further."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqlayers import slots
from seqlayers.testing import Example, equal
from tests.seqlayers.cases import CASES
from tests.seqlayers.gradients import check_gradients
from tests.seqlayers.reference import convolution, gelu, layer_norm, relu, weights

NAMES = [name for name in CASES if name.startswith("temporal_convolution")]
ACTIVATIONS = {"relu": relu, "gelu": gelu}


def equation(layer, x, w, real=None):
    """Every convolution by its sum, from the weights by their paths; zeros where nothing is `real`."""
    f = ACTIVATIONS[layer.activation]
    for i, dilation in enumerate(layer.dilations):
        h = x
        for j in (1, 2):
            part = f"block_{i}/convolution_{j}"
            kernel = w[f"{part}/kernel"]
            if layer.norm == "weight":
                lengths = np.sqrt((kernel**2).sum((0, 1)))
                kernel = w[f"{part}/scale"] * kernel / lengths
            h = convolution(h if real is None else h * real[..., None], kernel, w[f"{part}/bias"], dilation)
            if layer.norm == "layer":
                h = layer_norm(h, w[f"block_{i}/norm_{j}/gamma"], w[f"block_{i}/norm_{j}/beta"])
            h = f(h)
        shortcut = x
        if f"block_{i}/shortcut/kernel" in w:
            shortcut = x @ w[f"block_{i}/shortcut/kernel"] + w[f"block_{i}/shortcut/bias"]
        x = f(h + shortcut)
    return x


@pytest.mark.parametrize("name", NAMES)
def test_it_is_its_equation(name):
    layer, x = CASES[name].layer(), CASES[name].input()
    equal(layer(x), equation(layer, x.astype("float64"), weights(layer)), name)


@pytest.mark.parametrize("name", NAMES)
def test_its_gradients_are_those_of_the_equation(name):
    layer, x = CASES[name].layer(), CASES[name].input()[:, :12]
    paths = ["/".join(w.path.split("/")[1:]) for w in layer.trainable_weights]
    check_gradients(layer, layer, lambda x, w: equation(layer, x, dict(zip(paths, w, strict=True))), x, directions=2)


def test_only_where_widths_differ_there_is_a_projection():
    assert [w for w in weights(CASES["temporal_convolution"].layer()) if "shortcut" in w] == [
        "block_0/shortcut/kernel",
        "block_0/shortcut/bias",
    ]
    assert not [w for w in weights(CASES["temporal_convolution same width"].layer()) if "shortcut" in w]


@pytest.mark.parametrize("kernel, dilations, reach", [(3, (1, 2, 4, 8), 60), (2, (1, 2, 4), 14), (1, (1, 2), 0)])
def test_it_sees_as_far_as_it_says_and_no_further(kernel, dilations, reach):
    configuration = {"kind": "temporal_convolution", "units": 4, "kernel": kernel, "dilations": list(dilations)}
    example = Example("encoder", configuration | {"activation": "tanh"}, time=64)
    layer, x = example.layer(), example.input()
    assert layer.reach == reach
    changed = x.copy()
    changed[:, 2] += 1
    moved = np.abs(np.asarray(layer(changed)) - np.asarray(layer(x))).max((0, 2)) > 0
    assert moved.nonzero()[0].tolist() == list(range(2, 2 + reach + 1))


def test_padding_anywhere_is_as_the_zeros_outside():
    layer, x = CASES["temporal_convolution"].layer(), CASES["temporal_convolution"].input()
    real = np.random.default_rng(3).random((3, 24)) < 0.7
    real[0] = np.arange(24) >= 5
    spoilt = np.where(real[..., None], x, 1e3).astype("float32")
    y = np.asarray(layer(spoilt, mask=real))
    equal(y[real], equation(layer, x.astype("float64"), weights(layer), real)[real], "real steps")
    equal(y[:1, 5:], layer(x[:1, 5:]), "a sequence padded on the left")


def test_a_stream_remembers_what_each_convolution_reaches_back():
    layer = CASES["temporal_convolution"].layer()
    shapes = [[tuple(s.shape) for s in block] for block in layer.initial_state(2)]
    assert shapes == [[(2, 2, 4), (2, 2, 6)], [(2, 4, 6), (2, 4, 6)]]
    assert CASES["temporal_convolution of one"].layer().initial_state(2) == ()


def test_a_stream_goes_on_far_beyond_the_receptive_field():
    example = Example("encoder", {"kind": "temporal_convolution", "units": 4, "dilations": [1, 2]}, time=40)
    layer, x = example.layer(), example.input()
    equal(example.stepped(layer, x), layer(x), "forty steps")


def test_dropout_takes_a_feature_for_the_whole_sequence():
    configuration = {"kind": "temporal_convolution", "units": 40, "kernel": 1, "dilations": [1], "dropout": 0.5}
    layer = slots.build("encoder", configuration)
    x = np.random.default_rng(0).normal(size=(2, 1, 40)).astype("float32").repeat(9, axis=1)
    y = np.asarray(layer(x, training=True))
    equal(y, y[:, :1].repeat(9, axis=1), "the same for each step of the same input")
    assert np.abs(y - np.asarray(layer(x))).max() > 1e-3 and np.abs(y[0] - y[1]).max() > 1e-3


def test_weight_norm_leaves_the_length_of_a_filter_to_its_scale():
    layer, x = CASES["temporal_convolution"].layer(), CASES["temporal_convolution"].input()
    before = np.asarray(layer(x))
    for w in layer.weights:
        if "/convolution_" in w.path and w.path.endswith("kernel"):
            w.assign(keras.ops.convert_to_numpy(w) * 7)
    equal(layer(x), before, "longer v")


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"units": 0}, r"units: 0 given"),
        ({"kernel": 0}, r"kernel: 0 given"),
        ({"dilations": []}, r"dilations: no block without a dilation"),
        ({"dilations": [1, 0]}, r"dilations\.1: .*greater than or equal to 1"),
        ({"norm": "batch"}, r"norm: 'batch' given"),
    ],
)
def test_wrong_arguments_are_refused(settings, words):
    with pytest.raises(slots.ConfigurationError, match=rf"encoder\.{words}"):
        slots.build("encoder", {"kind": "temporal_convolution", **settings})


def test_a_state_cannot_be_made_before_the_width_is_known():
    with pytest.raises(ValueError, match=r"'temporal_convolution' must be called once"):
        slots.build("encoder", {"kind": "temporal_convolution"}).initial_state(1)
