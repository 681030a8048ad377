"""The next token at each step."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from keras import ops
from pydantic import Field

from seqlayers.arguments import Fraction
from seqlayers.head.logits import SoftmaxHead
from seqlayers.head.targets import check_axes
from seqlayers.slots import Choice, Kind, kind


@kind("head", "tokens")
class Tokens(SoftmaxHead):
    r"""Gives the logits of the next token at each step; tied, their weights are the embedding's table E.

    \[ z_t = W x_t + b \;\text{ or tied }\; z_t = E x_t + b, \qquad
       \ell = -\frac{1}{|R|} \sum_{t \in R} \sum_i q_{t,i} \log \mathrm{softmax}(z_t)_i \]

    R: the steps whose target is not −1, which is padding; q as in head `classify`.

    Args:
        vocabulary: how many tokens there are, at least two.
        tied: E in place of weights of its own; the row hands it over by `tie`.
        dropout: fraction of x dropped in training.
        label_smoothing: the probability that a target shares out among all tokens.

    Call arguments:
        features: x, (batch, time, features), or one step (batch, features).

    Returns:
        z, (batch, time, vocabulary) or (batch, vocabulary), in the precision of the variables.

    Raises:
        ValueError: tied, but to no table, or to one of another size; targets that are neither tokens nor −1.

    The loss takes whole numbers (batch, time) and gives (batch,), each row's share in ℓ, which is their mean, in nats a
    token. Streams without a state.

    Press and Wolf 2017, Using the output embedding to improve language models.
    """

    search: ClassVar = {"dropout": Choice((0.0, 0.1, 0.3))}
    from_task = ("vocabulary",)
    per_step = True
    hidden = None

    def __init__(
        self,
        vocabulary: Annotated[int, Field(ge=2)],
        tied: bool = False,
        dropout: Fraction = 0.0,
        label_smoothing: Fraction = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.vocabulary, self.tied, self.dropout, self.label_smoothing = vocabulary, tied, dropout, label_smoothing
        self.embedding: Any = None
        self._make(vocabulary)

    def tie(self, embedding: Kind) -> None:
        """Use the `table` (vocabulary, features) of an embedding that is built before this head is."""
        if not self.tied:
            raise ValueError("head 'tokens' has weights of its own with `tied: false`; set `tied: true` to tie them.")
        self.embedding = embedding

    def build(self, features_shape: Any, ahead_shape: Any = None) -> None:
        if not self.tied:
            return super().build(features_shape, ahead_shape)
        expected = (self.vocabulary, check_axes(self, features_shape))
        table = getattr(self.embedding, "table", None)
        if table is None:
            given = "nothing" if self.embedding is None else f"embedding '{self.embedding.kind}', which has no table"
            raise ValueError(
                f"head 'tokens' with `tied: true` was tied to {given}. Put `embedding: {{kind: token, units: "
                f"{expected[1]}}}` into its row (or call tie(embedding) once that is built), or set `tied: false`."
            )
        if tuple(table.shape) != expected:
            raise ValueError(
                f"head 'tokens' with `tied: true` needs a table (vocabulary, features) of {expected}, but the "
                f"embedding's is {tuple(table.shape)}. Give the last encoder as many units as the embedding has, or "
                "set `tied: false`."
            )
        self.bias = self.add_weight(name="bias", shape=(self.vocabulary,), initializer="zeros")

    def logits(self, features: Any) -> Any:
        if not self.tied:
            return super().logits(features)
        table = ops.cast(self.embedding.table, self.compute_dtype)
        return ops.matmul(features, ops.transpose(table)) + self.bias
