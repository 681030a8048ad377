"""Tokens from an exported model: drawn one after the other, or found by a beam."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from data.transforms.tokens import TokenTransform
from pipelines.generate.order import Order
from pipelines.generate.stream import Stream
from pipelines.predict.output import PredictError


class Writer:
    """Ids to text as they come; of bytes, characters as soon as they are whole."""

    def __init__(self, transform: TokenTransform):
        self._of = transform.texts_of_ids
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace") if transform.tokens == "bytes" else None
        self.text = ""

    def add(self, id: int) -> str:
        """What the id adds to the text."""
        return self._added(self._of[id])

    def end(self) -> str:
        """What is left at the end: of bytes, a character that is not whole."""
        return self._added("", final=True)

    def _added(self, piece: str, final: bool = False) -> str:
        new = self._decoder.decode(piece.encode("latin-1"), final) if self._decoder else piece
        self.text += new
        return new


def begun(stream: Stream, prompt: np.ndarray, rows: int, *, seen: bool) -> tuple[Any, Any, Any]:
    """Read what stands before a text, and the prompt: the logits after it, the state there, and the ids seen."""
    from seqlayers.generation import read

    contract = stream.contract
    ids = np.tile(np.concatenate([[contract["start"]], prompt]).astype("int32"), (rows, 1))
    return read(stream.token, stream.start(rows), ids, vocabulary=contract["vocabulary"] if seen else None)


def drawn(stream: Stream, order: Order, prompt: np.ndarray, stop: int | None = None) -> Iterator[np.ndarray]:
    """Ids (rows,) one after the other, each as soon as it is drawn; 0 after a row's end."""
    import tensorflow as tf

    from seqlayers.choices import TokenChoice
    from seqlayers.generation import streamed

    sampling = order.sampling
    output, state, seen = begun(stream, prompt, order.rows, seen=sampling.changes("repetition_penalty"))
    most = order.steps(stream.contract)
    # in a graph: one by one the operations of a draw take longer than the step
    choose = tf.function(TokenChoice(None, sampling, np.array(order.seeds, "int32")).ahead(most), autograph=False)
    return streamed(stream.token, output, state, most, choose, stop=stop, seen=seen)


def texts(
    stream: Stream, transform: TokenTransform, order: Order, prompt: np.ndarray, show: Callable[[str], None]
) -> tuple[list[str], int]:
    """Drawn continuations, each up to its stop, and how many tokens a row took.

    Args:
        stream, transform: the model, and how its ids become text.
        order: what is asked for.
        prompt: ids, int32 (time,).
        show: called with every piece of text, if there is but one continuation.
    """
    writers = [Writer(transform) for _ in range(order.rows)]
    shown, over = show if order.rows == 1 else (lambda _: None), np.zeros(order.rows, bool)
    steps = 0
    for ids in drawn(stream, order, prompt):
        steps += 1
        for row in np.flatnonzero(~over):
            shown(writers[row].add(int(ids[row])))
            over[row] = order.stop is not None and order.stop in writers[row].text
        if over.all():
            break
    for row in np.flatnonzero(~over):
        if rest := writers[row].end():
            shown(rest)
    return [writer.text for writer in writers], steps


def likeliest(
    stream: Stream, order: Order, prompt: np.ndarray, stop: int | None = None
) -> list[tuple[np.ndarray, float]]:
    """The continuations that a beam finds, ids and log p each, best first."""
    from seqlayers.generation import beam

    assert order.beam is not None
    if order.rows > order.beam:
        raise PredictError(f"--samples: {order.rows} given. A beam of {order.beam} has no more than {order.beam}.")
    output, state, _ = begun(stream, prompt, 1, seen=False)
    ids, found = beam(stream.token, output, state, order.steps(stream.contract), order.beam, stop=stop)
    pairs = zip(np.asarray(ids)[0], np.asarray(found)[0], strict=True)
    return [(row, float(log_p)) for row, log_p in pairs if np.isfinite(log_p)][: order.rows]


def stop_id(transform: TokenTransform, order: Order) -> int | None:
    """The one token that a beam stops at."""
    if order.stop is None:
        return None
    ids = transform.ids_numpy(order.stop)
    if len(ids) != 1 or ids[0] == 1:
        raise PredictError(
            f"--stop: {order.stop!r} is {len(ids)} tokens to this model, and a beam stops at one that it knows."
        )
    return int(ids[0])
