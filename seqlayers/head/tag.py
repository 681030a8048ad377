"""A label for each step."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from seqlayers.arguments import Count, Fraction
from seqlayers.head.logits import SoftmaxHead
from seqlayers.slots import Choice, kind


@kind("head", "tag")
class Tag(SoftmaxHead):
    r"""Gives each step a label (many to many, aligned): logits z_t, probabilities softmax(z_t).

    \[ z_t = W x_t + b, \qquad \ell = -\frac{1}{|R|} \sum_{t \in R} \sum_i q_{t,i} \log \mathrm{softmax}(z_t)_i \]

    R: the steps whose target is not −1, which is padding; q as in head `classify`. With `hidden`,
    \(u_t = \mathrm{relu}(W_u x_t + b_u)\) takes the place of x_t.

    Args:
        classes: how many labels there are, at least two.
        hidden: units of a hidden layer; None: none.
        dropout: fraction of x (or of u) dropped in training.
        label_smoothing: the probability that a target shares out among all labels.

    Call arguments:
        features: x, (batch, time, features), or one step (batch, features).

    Returns:
        z, (batch, time, classes) or (batch, classes), in the precision of the variables.

    Raises:
        ValueError: targets that are neither labels nor −1.

    The loss takes whole numbers (batch, time) and gives (batch,), each row's share in ℓ, which is their mean. Streams
    without a state.
    """

    search: ClassVar = {"hidden": Choice((None, 32, 64)), "dropout": Choice((0.0, 0.2, 0.5))}
    from_task = ("classes",)
    per_step = True

    def __init__(
        self,
        classes: Annotated[int, Field(ge=2)],
        hidden: Count | None = None,
        dropout: Fraction = 0.0,
        label_smoothing: Fraction = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.classes, self.hidden, self.dropout, self.label_smoothing = classes, hidden, dropout, label_smoothing
        self._make(classes)
