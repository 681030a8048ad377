"""Adagrad, whose step takes as long as the gradient has values, not as the weight has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

#: What each weight's squares begin with: about those of one example's gradient in a batch of some dozens, so that the
#: first step of a rare weight is damped, and not of the full rate whatever its gradient.
BEGINNING = 1e-6


class SparseAdagrad(keras.optimizers.Adagrad):
    r"""Divides each weight's steps by the root of all its squared gradients: what moves seldom takes large steps.

    \[ a \leftarrow a + g^2, \qquad w \leftarrow w - \eta\, g / \sqrt{a} \]

    Of a gradient that names the rows it touches (`tf.IndexedSlices`) no other rows are read or written; Keras's own
    Adagrad goes through all of them. A row that is named twice takes two steps, one after the other.

    Args:
        learning_rate: η, or a schedule.
        clip_norm: gradients whose joint norm is above this are scaled down to it; None leaves them alone.

    Duchi et al. 2011, Adaptive subgradient methods for online learning and stochastic optimization.
    """

    def __init__(self, learning_rate: Any, clip_norm: float | None = None):
        super().__init__(learning_rate, initial_accumulator_value=BEGINNING, name="sparse_adagrad")
        self.clip_norm = clip_norm

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> Any:
        if self.clip_norm is not None:
            grads, _ = tf.clip_by_global_norm(grads, self.clip_norm)
        return super().apply(grads, trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        squares = self._accumulators[self._get_variable_index(variable)]
        weight = _handle(variable)
        tf.raw_ops.ResourceSparseApplyAdagradV2(
            var=weight,
            accum=_handle(squares),
            lr=tf.cast(learning_rate, variable.dtype),
            epsilon=self.epsilon,
            grad=tf.cast(gradient.values, variable.dtype),
            indices=gradient.indices,
        )
        # else a weight that has taken a sparse step is copied, whole, wherever it is read
        tf.raw_ops.DisableCopyOnRead(resource=weight)


def _handle(variable: Any) -> Any:
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle
