"""What heads share that choose one of several ids: features to logits, the loss of logits, and draws from them."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqlayers.arguments import known_value
from seqlayers.head.targets import PADDING, check_axes, check_shape, check_uniforms, shares_of_mean
from seqlayers.slots import Kind

#: Probabilities are counted in units of 2⁻³⁰ to draw from them: whole numbers add up to the same in any order.
UNITS = 2.0**30


class Logits(Kind):
    """A head whose output are logits z, with probabilities softmax(z); `count` ids are told apart."""

    mixture_shape = ()

    count: int
    label_smoothing: float

    @property
    def output_kind(self) -> tuple[str, int]:
        """What the output means; heads are blended only with their like."""
        return self.kind, self.count

    def loss(self, target: Any, output: Any) -> Any:
        """Cross-entropy in nats of target ids beside logits (…, ids).

        Always (batch,): of heads of each step, each row's share in the mean over the steps of all rows whose target is
        not −1, which is padding, and 0 if all are. Targets that are no ids are refused, or give NaN in a compiled
        function, where nothing can be raised.
        """
        ids, wrong = self._read(target, output)
        value = cross_entropy(output, ops.clip(ids, 0, self.count - 1), self.label_smoothing)
        value = ops.where(wrong, ops.full_like(value, float("nan")), value)
        return shares_of_mean(value, ops.logical_or(ids != PADDING, wrong)) if self.per_step else value

    def _read(self, target: Any, output: Any) -> tuple[Any, Any]:
        """Targets as int32, and which of them are no ids."""
        target = ops.convert_to_tensor(target)
        check_shape(self, "targets", target, output.shape[:-1], "A row of zeros and a one becomes an id by argmax.")
        lowest = PADDING if self.per_step else 0
        ids = ops.cast(target, "int32")
        wrong = (ids < lowest) | (ids >= self.count) | (ops.cast(ids, target.dtype) != target)
        known, values = known_value(wrong), known_value(target)
        if known is not None and values is not None and known.any():
            padding = " (or −1 where there is padding)" if self.per_step else ""
            raise ValueError(
                f"head '{self.kind}' takes as targets the ids 0 … {self.count - 1}{padding}, whole numbers, but was "
                f"given {values[known].flat[0]}."
            )
        return ids, wrong

    def predict(self, output: Any) -> Any:
        """The probabilities of an output, in its shape."""
        return ops.softmax(output, axis=-1)

    def sample(self, output: Any, uniforms: Any) -> Any:
        """Ids drawn from logits (…, ids) by uniform numbers (…) in [0, 1), int32: the same on every backend.

        An id is drawn where u falls into its share of [0, 1), border below included. What has probability zero (or
        less than 2⁻³⁰) never comes. A temperature divides the logits before; −∞ there rules an id out.
        """
        uniforms = check_uniforms(self, uniforms, output.shape[:-1])
        return draw(output, uniforms)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """None: what is padding, the targets say."""


class SoftmaxHead(Logits):
    """Logits as a linear map of features, or of a hidden layer."""

    hidden: int | None
    dropout: float

    def _make(self, count: int) -> None:
        """The layers: features → (hidden →) dropout → logits of `count` ids."""
        self.count = count
        policy = {"dtype": self.dtype_policy}
        self.inner = keras.layers.Dense(self.hidden, "relu", name="inner", **policy) if self.hidden else None
        self.drop = keras.layers.Dropout(self.dropout, name="drop", **policy)
        self.outer = keras.layers.Dense(count, name="outer", **policy)

    def build(self, features_shape: Any, ahead_shape: Any = None) -> None:
        features = check_axes(self, features_shape)
        if self.inner is not None:
            self.inner.build((None, features))
        self.outer.build((None, self.hidden or features))

    def call(self, features: Any, ahead: Any = None, training: bool | None = None) -> Any:
        check_axes(self, features.shape, ahead)
        if self.inner is not None:
            features = self.inner(features)
        return ops.cast(self.logits(self.drop(features, training=training)), self.variable_dtype)

    def logits(self, features: Any) -> Any:
        """Features (…, features) → (…, ids), in the precision of the computation."""
        return self.outer(features)


def cross_entropy(logits: Any, ids: Any, smoothing: float = 0.0) -> Any:
    r"""\(-\sum_i q_i \log \mathrm{softmax}(z)_i\), q = 1 − ε at the id and ε / n shared by all n: (…, n), (…) → (…)."""
    value = ops.sparse_categorical_crossentropy(ids, logits, from_logits=True)
    if not smoothing:
        return value
    return (1 - smoothing) * value + smoothing * (ops.logsumexp(logits, axis=-1) - ops.mean(logits, axis=-1))


def draw(logits: Any, uniforms: Any) -> Any:
    """The inverse of the cumulative distribution of softmax(logits) at `uniforms`: (…, n), (…) → ids (…)."""
    shares = ops.cast(ops.softmax(ops.cast(logits, "float32"), axis=-1) * UNITS, "int32")
    ends = ops.cumsum(shares, axis=-1)
    total = ends[..., -1]
    at = ops.cast(ops.cast(uniforms, "float32") * ops.cast(total, "float32"), "int32")
    at = ops.expand_dims(ops.minimum(at, total - 1), -1)
    return ops.sum(ops.cast(ends <= at, "int32"), axis=-1)
