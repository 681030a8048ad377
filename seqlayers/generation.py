"""Generation by streaming: a prompt is read, and what is chosen is fed back, one `step` a token, in one loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from keras import ops, tree

from seqlayers.beam import beam
from seqlayers.choices import Choice, NoteChoice, TokenChoice
from seqlayers.loop import Step, alike, blank, check_most, check_numbers, complete, is_stop, where_rows, written_on

__all__ = ["NoteChoice", "Step", "TokenChoice", "beam", "generate", "read", "streamed"]

#: (output, t, seen) → what comes next, a row each.
Choose = Callable[[Any, Any, Any], Any]


def read(
    step: Step, state: Any, prompt: Any, lengths: Any = None, vocabulary: int | None = None
) -> tuple[Any, Any, Any]:
    """Run through a prompt, each row as far as its own last token.

    Args:
        step: one step of the model.
        state: the state before the prompt, such as `model.initial_state(batch)`.
        prompt: ids (batch, time), or frames (batch, time, pitches), of one step at least.
        lengths: how many steps of each row are real, (batch,), one at least; None: all are.
        vocabulary: how many ids there are, to mark those that the prompt holds.

    Returns:
        The output after each row's last token, the state there, and booleans (batch, vocabulary) of the ids read; None
        without a vocabulary.
    """
    prompt = ops.convert_to_tensor(prompt)
    output, after = step(prompt[:, 0], state)
    most = ops.shape(prompt)[1] if lengths is None else ops.max(lengths)

    def body(t: Any, output: Any, flat: list[Any]) -> tuple[Any, ...]:
        found = tree.flatten(step(prompt[:, t], tree.pack_sequence_as(after, flat)))
        before = [output, *flat]
        if lengths is not None:
            goes_on = t < ops.convert_to_tensor(lengths, "int32")
            found = [where_rows(goes_on, new, old) for new, old in zip(found, before, strict=True)]
        output, *flat = alike(found, before)
        return t + 1, output, flat

    start = ops.ones((), "int32"), output, tree.flatten(after)
    _, output, flat = ops.while_loop(lambda t, *_: t < most, body, start)
    seen = None if vocabulary is None else _held(prompt, lengths, vocabulary)
    return output, tree.pack_sequence_as(after, flat), seen


def generate(
    step: Step,
    output: Any,
    state: Any,
    most: Any,
    choose: Choose,
    *,
    stop: int | Sequence[int] | None = None,
    seen: Any = None,
    lengths: Any = None,
) -> Any:
    """Choose, step, choose again, in one loop that ends when all rows have.

    Args:
        step: one step of the model.
        output, state: those after the prompt, as `read` gives them.
        most: how many tokens a row gets at most, 1 at least; may be a tensor, but not on JAX.
        choose: what comes next; its numbers are drawn ahead if it is a `Choice`.
        stop: the id, or ids, that end a row; the row keeps it.
        seen: booleans (batch, vocabulary) of the ids before, for a repetition penalty; kept up to date.
        lengths: how many tokens each row gets, (batch,); None: `most`.

    Returns:
        ids (batch, most), or frames (batch, most, pitches); 0 after a row's end.

    Raises:
        ValueError: the output is no number. While a function is compiled the tokens are −1 there, and frames NaN.
    """
    take = _Taking(choose, most, stop, lengths)
    first = take(output, ops.zeros((), "int32"), take.start(output, seen))

    def body(t: Any, written: list[Any], flat: list[Any], now: dict[str, Any]) -> tuple[Any, ...]:
        output, after = step(now["token"], tree.pack_sequence_as(state, flat))
        new = take(output, t, now)
        new = {name: alike([value], [now[name]])[0] for name, value in new.items()}
        return t + 1, written_on(written, t, new["token"]), alike(tree.flatten(after), flat), new

    def goes_on(t: Any, written: list[Any], flat: list[Any], now: dict[str, Any]) -> Any:
        return ops.logical_and(t < most, ops.logical_not(ops.all(now["done"])))

    zero = ops.zeros((), "int32")
    written = written_on(blank(most, first["token"]), zero, first["token"])
    t, written, *_ = ops.while_loop(goes_on, body, (zero + 1, written, tree.flatten(state), first))
    return check_numbers(ops.swapaxes(complete(written, t, most), 0, 1))


def streamed(
    step: Step,
    output: Any,
    state: Any,
    most: int,
    choose: Choose,
    *,
    stop: int | Sequence[int] | None = None,
    seen: Any = None,
) -> Iterator[np.ndarray]:
    """The tokens of `generate` one after the other, each as soon as it is chosen; not to be compiled.

    Args: those of `generate`.

    Yields:
        ids (batch,), or frames (batch, pitches); 0 after a row's end. No more once all rows have ended.

    Raises:
        ValueError: the output is no number.
    """
    take = _Taking(choose, most, stop, None)
    now = take.start(output, seen)
    for t in range(most):
        if t:
            output, state = step(now["token"], state)
        now = take(output, ops.convert_to_tensor(t, "int32"), now)
        yield ops.convert_to_numpy(check_numbers(now["token"]))
        if ops.convert_to_numpy(now["done"]).all():
            return


class _Taking:
    """What happens to each row between two steps: something is chosen, and may end it."""

    def __init__(self, choose: Choose, most: Any, stop: int | Sequence[int] | None, lengths: Any):
        check_most(most)
        self.choose = choose.ahead(most) if isinstance(choose, Choice) else choose
        self.stop, self.lengths = stop, None if lengths is None else ops.convert_to_tensor(lengths, "int32")

    def start(self, output: Any, seen: Any) -> dict[str, Any]:
        done = ops.zeros(ops.shape(output)[:1], "bool") if self.lengths is None else self.lengths < 1
        return {"done": done} | ({} if seen is None else {"seen": seen})

    def __call__(self, output: Any, t: Any, now: dict[str, Any]) -> dict[str, Any]:
        done, seen = now["done"], now.get("seen")
        token = self.choose(output, t, seen)
        token = where_rows(done, ops.zeros_like(token), token)
        after = {"token": token, "done": done}
        if self.stop is not None:
            after["done"] = ops.logical_or(done, is_stop(token, self.stop))
        if self.lengths is not None:
            after["done"] = ops.logical_or(after["done"], t + 1 >= self.lengths)
        if seen is not None:
            after["seen"] = ops.logical_or(seen, ops.expand_dims(token, 1) == np.arange(seen.shape[1], dtype="int32"))
        return after


def _held(prompt: Any, lengths: Any, vocabulary: int) -> Any:
    """Which ids each row holds, (batch, vocabulary)."""
    rows, time = ops.shape(prompt)
    ids = ops.cast(prompt, "int32")
    if lengths is not None:  # into a column more, which is cut off
        real = ops.arange(time, dtype="int32") < ops.expand_dims(ops.convert_to_tensor(lengths, "int32"), 1)
        ids = ops.where(real, ids, vocabulary)
    row = ops.repeat(ops.arange(rows, dtype="int32"), time)
    places = ops.stack([row, ops.reshape(ids, (-1,))], axis=1)
    marked = ops.scatter_update(ops.zeros((rows, vocabulary + 1), "int32"), places, ops.ones_like(row))
    return ops.cast(marked[:, :vocabulary], "bool")
