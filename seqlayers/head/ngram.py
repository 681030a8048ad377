"""How often each token came next after the last few: counts, the strong baseline of every language model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import keras
import numpy as np
from keras import ops
from pydantic import Field

from seqlayers.arguments import Count, known_ids
from seqlayers.head.logits import Logits
from seqlayers.head.trie import NOTHING, Smoothing, Text, Trie
from seqlayers.slots import Choice, kind

#: The vocabulary in so many parts: children of a node are looked at one part of its size after the other.
BLOCKS = 8


@kind("head", "ngram")
class NGram(Logits):
    r"""Gives the log-probability of the next token at each step, from counts of the n-grams that end in it.

    \[ p_n(c \mid w_1 \dots w_n) = s(w_1 \dots w_n c) + \lambda(w_1 \dots w_n) \, p_{n-1}(c \mid w_2 \dots w_n), \qquad
       p_{-1} = 1 / \text{vocabulary} \]

    up to n = `context`; a context that `adapt` has not seen has s = 0 and λ = 1. With N tokens counted after the
    context w, T different ones, and k times c, Witten and Bell take

    \[ s(w c) = \frac{k}{N + T}, \qquad \lambda(w) = \frac{T}{N + T} \]

    and modified Kneser-Ney, with \(n_i\) n-grams of a length that are counted i times,

    \[ s(w c) = \frac{k - D_{\min(k, 3)}}{N}, \qquad \lambda(w) = 1 - \sum_c s(w c), \qquad
       D_i = \max\Big(i - (i + 1) D_1 \frac{n_{i+1}}{n_i}, D_1\Big), \qquad D_1 = \frac{n_1}{n_1 + 2 n_2} \]

    where below the longest context k counts after how many different tokens wc stands, instead of how often.

    The n-grams are a trie in flat weights of a fixed size, which are searched by halves. Where there are more than
    `nodes`, the rarest of the longest are left out, and their probability is left to shorter contexts.

    Args:
        vocabulary: how many tokens there are, 0 among them, which is padding.
        context: tokens read before the next, at most; 0: only how often each token comes.
        nodes: n-grams kept, at most; 16 bytes each.
        smoothing: `witten_bell`, or `kneser_ney`, interpolated.

    Call arguments:
        ids: integers (batch, time), 0 ≤ id < vocabulary. A context that holds padding, or would reach back before the
            start, is cut short.
        mask: boolean (batch, time); false steps are padding, as zeros are.

    Returns:
        log p (batch, time, vocabulary), in the precision of the variables; NaN before `adapt`.

    Raises:
        ValueError: an id outside the vocabulary (NaN in a compiled function, where nothing can be raised); `adapt`
            without a token.

    Streams with the last `context` ids as its state. The loss is that of head `tokens`.

    Witten and Bell 1991, The zero-frequency problem: estimating the probabilities of novel events in adaptive text
    compression; Kneser and Ney 1995, Improved backing-off for m-gram language modeling; Chen and Goodman 1999, An
    empirical study of smoothing techniques for language modeling.
    """

    search: ClassVar = {"context": Choice((3, 4, 5, 6)), "smoothing": Choice(("witten_bell", "kneser_ney"))}
    from_task = ("vocabulary",)
    takes: Literal["sequence", "ids"] = "ids"
    per_step = True
    remembers = True
    #: Counted before anything is trained, and then done.
    adapts = True
    solved = True
    label_smoothing = 0.0

    def __init__(
        self,
        vocabulary: Annotated[int, Field(ge=2)],
        context: Annotated[int, Field(ge=0)] = 4,
        nodes: Count = 2**19,
        smoothing: Smoothing = "witten_bell",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.vocabulary, self.context, self.nodes, self.smoothing = vocabulary, context, nodes, smoothing
        self.count = vocabulary

    @property
    def output_kind(self) -> tuple[str, int]:
        """That of head `tokens`, to be joined with it."""
        return "tokens", self.vocabulary

    def build(self, ids_shape: Any) -> None:
        nothing = keras.initializers.Constant(math.nan)
        settings: Any = {"trainable": False, "autocast": False}
        of_ids: Any = {"initializer": "zeros", "dtype": "int32", "trainable": False}
        self.ids = self.add_weight(name="ids", shape=(self.nodes + 2,), **of_ids)
        self.first = self.add_weight(name="first", shape=(self.nodes + 3,), **of_ids)
        self.share = self.add_weight(name="share", shape=(self.nodes + 2,), initializer=nothing, **settings)
        self.left = self.add_weight(name="left", shape=(self.nodes + 2,), initializer=nothing, **settings)

    def call(self, ids: Any, ahead: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        if ahead is not None:
            raise ValueError(f"head '{self.kind}' has no use for what is known `ahead`; leave it out.")
        ids = ops.convert_to_tensor(ids)
        real = ids if mask is None else ops.where(mask, ids, NOTHING)
        return self._after(ops.pad(ops.cast(real, "int32"), ((0, 0), (self.context, 0))))

    def initial_state(self, batch: int) -> Any:
        return (ops.zeros((batch, self.context), "int32"),) if self.context else ()

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        """A chunk of ids (batch, time), the last ids → log p (batch, time, vocabulary), the last ids after it."""
        if not self.built:
            self.build(x.shape)
        ids = ops.concatenate([*state, ops.cast(x, "int32")], axis=1)
        return self._after(ids), (ids[:, -self.context :],) if self.context else ()

    def _after(self, ids: Any) -> Any:
        """log p after each of the ids (batch, context + time), but for the first `context` of them."""
        known = known_ids(self, ids)
        node = ops.zeros_like(ids)  # that of the empty context, which is the root
        steps = ops.shape(node[:, self.context :])
        p = self._with(node[:1, 0], ops.full((1, self.vocabulary), 1 / self.vocabulary, self.share.dtype))
        p = ops.broadcast_to(p, (steps[0] * steps[1], self.vocabulary))
        for _ in range(self.context):
            node = self._child(ops.pad(node[:, :-1], ((0, 0), (1, 0)), constant_values=self.nodes + 1), ids)
            p = self._with(ops.reshape(node[:, self.context :], (-1,)), p)
        y = ops.reshape(ops.log(p), (*steps, self.vocabulary))
        return ops.where(ops.expand_dims(known[:, self.context :], -1), y, ops.full_like(y, math.nan))

    def _child(self, node: Any, ids: Any) -> Any:
        """The children of nodes that hold the ids beside them; the last node where there is none.

        By halves: the children before the one sought are counted, from the highest binary digit to the lowest.
        """
        at, end = ops.take(self.first, node, axis=0), ops.take(self.first, node + 1, axis=0)
        for digit in reversed(range(self.vocabulary.bit_length())):
            further = at + 2**digit
            before = ops.take(self.ids, ops.minimum(further - 1, self.nodes), axis=0) < ids
            at = ops.where((further <= end) & before, further, at)
        found = (at < end) & (ops.take(self.ids, at, axis=0) == ids)
        return ops.where(found, at, self.nodes + 1)

    def _with(self, node: Any, p: Any) -> Any:
        """p_n (rows, vocabulary) from the nodes of contexts (rows), and p_{n − 1}: what their children have, added.

        A block of children after the other, as long as a node has so many.
        """
        start, end = (ops.expand_dims(ops.take(self.first, node + i, axis=0), 1) for i in (0, 1))
        size = -(-self.vocabulary // BLOCKS)
        block, rows = ops.arange(size, dtype="int32"), ops.expand_dims(ops.arange(ops.shape(node)[0], dtype="int32"), 1)

        def body(done: Any, p: Any) -> tuple[Any, Any]:
            at = start + done + block
            inside, at = at < end, ops.minimum(at, self.nodes + 1)
            index = ops.stack([ops.broadcast_to(rows, ops.shape(at)), ops.take(self.ids, at, axis=0)], axis=-1)
            share = ops.exp(ops.take(self.share, at, axis=0)) * ops.cast(inside, p.dtype)
            return done + size, p + ops.scatter(ops.reshape(index, (-1, 2)), ops.reshape(share, (-1,)), ops.shape(p))

        p = ops.exp(ops.expand_dims(ops.take(self.left, node, axis=0), 1)) * p
        most = ops.max(end - start)
        return ops.while_loop(
            lambda done, _: done < most, body, (ops.zeros((), "int32"), p), maximum_iterations=BLOCKS
        )[1]

    def adapt(self, train: Any, validation: Any = None) -> None:
        """Count; `train` is an iterable of batches of (ids or {past, reset}, targets), −1 where there is no target.

        An n-gram lies within a row of a batch; where `reset` is false the row goes on from the same of the batch
        before, and n-grams lie across.
        """
        text = Text.of(self._batches(train))
        if not (text.following >= 0).any():
            raise ValueError(f"head '{self.kind}' cannot be solved: there is no token in training.")
        trie = Trie.of(text, self.vocabulary, self.context + 1, self.nodes, self.smoothing)
        for name, value in trie._asdict().items():
            getattr(self, name).assign(value)

    def _batches(self, batches: Any) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for given, target in batches:
            given = given if isinstance(given, Mapping) else {"past": given}
            ids, target = np.asarray(given["past"]), np.asarray(target)
            if not self.built:
                self.build(ids.shape)
            known_ids(self, ids)
            self._read(target, np.broadcast_to(np.float32(0), (*ids.shape, self.vocabulary)))
            begins = np.asarray(given["reset"]) if "reset" in given else np.ones(len(ids), bool)
            yield ids, target, begins.reshape(len(ids))
