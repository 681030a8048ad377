"""One of several classes for a whole sequence."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from seqlayers.arguments import Count, Fraction
from seqlayers.head.logits import SoftmaxHead
from seqlayers.slots import Choice, kind


@kind("head", "classify")
class Classify(SoftmaxHead):
    r"""Says which of several classes a sequence belongs to: logits z, probabilities softmax(z).

    \[ z = W c + b, \qquad \ell = -\sum_i q_i \log \mathrm{softmax}(z)_i, \qquad
       q_i = (1 - \varepsilon)\,[i = y] + \varepsilon / n \]

    With `hidden`, \(u = \mathrm{relu}(W_u c + b_u)\) takes the place of c.

    Args:
        classes: n, at least two.
        hidden: units of a hidden layer; None: none.
        dropout: fraction of c (or of u) dropped in training.
        label_smoothing: ε, the probability that the target shares out among all classes.

    Call arguments:
        features: c, (batch, features).

    Returns:
        z, (batch, classes), in the precision of the variables.

    Raises:
        ValueError: a whole sequence, which needs a pooling first; targets that are no classes.

    The loss takes whole numbers (batch,) and gives (batch,).

    Szegedy et al. 2016, Rethinking the Inception architecture for computer vision (label smoothing).
    """

    search: ClassVar = {"hidden": Choice((None, 32, 64)), "dropout": Choice((0.0, 0.2, 0.5))}
    from_task = ("classes",)
    rate = None

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
