"""A model of tokens as the export room takes it: texts in, their likelihood and their continuations out."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from pipelines.export.servable import Arrays, Endpoint, drawn
from pipelines.task import Candidate
from pipelines.tasks.stream_serving import (
    GENERATED,
    LONGEST,
    NUMBERS,
    STEPS,
    StreamServable,
    before,
    drawable,
    require,
    state_specs,
)
from seqlayers.choices import TokenChoice
from seqlayers.generation import generate, read
from seqlayers.sampling import Sampling

#: Settings of the generations that are proven: all tokens, or the likely ones.
TEMPERATURES, TOP_K, TOP_P = (1.0, 0.8, 1.3), (0, 5, 1), (1.0, 0.9, 1.0)


class TokenServable(StreamServable):
    """The model with its tokenizer in the graph.

    `serving_default`, the score, takes `text`, strings (batch,), and gives `log_likelihood` (batch,) in nats and
    `tokens` (batch,), how many there are. `generate` continues a `prompt` by `length` tokens. `step` takes `token` and
    the state and gives `logits` and the state. A LiteRT file has `step` and `initial_state`. Of events there are no
    texts: they come and go as `ids`, with zeros after the end.
    """

    def __init__(self, name: str, candidate: Candidate, data: Any, unit: str):
        super().__init__(name, candidate, data, unit)
        self.texts = hasattr(data.transform, "texts")
        self.size: int = data.transform.size

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        if self.texts:
            return {"text": tf.TensorSpec([batch], tf.string, "text")}
        return {"ids": tf.TensorSpec([batch, None], tf.int32, "ids")}

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        ids, lengths = self.read(inputs["text" if self.texts else "ids"])
        past = self.begun(ids)[:, :-1]
        longest = f"a text has more tokens than the {self.context} that this model can read"
        with require((self.context is None or tf.reduce_all(lengths <= self.context), longest)):
            past = tf.identity(past)
        logits = tf.cast(self.model(past, training=False), tf.float32)
        found = tf.gather(tf.nn.log_softmax(logits), ids, axis=2, batch_dims=2)
        real = tf.sequence_mask(lengths, tf.shape(ids)[1])
        return {"log_likelihood": tf.reduce_sum(tf.where(real, found, 0.0), axis=1), "tokens": lengths}

    def read(self, given: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Texts, or ids → ids (batch, time), zeros after the end and one step at least, and how many are real."""
        if self.texts:
            found = self.data.transform.ids(given)
            ids, lengths = found.to_tensor(0), tf.cast(found.row_lengths(), tf.int32)
        else:
            ids, lengths = given, tf.reduce_sum(tf.cast(given != 0, tf.int32), axis=1)
        return tf.pad(ids, [[0, 0], [0, tf.maximum(0, 1 - tf.shape(ids)[1])]]), lengths

    def begun(self, ids: tf.Tensor) -> tf.Tensor:
        """Ids behind that of what stands before the first token."""
        return tf.pad(ids, [[0, 0], [1, 0]], constant_values=self.data.start)

    def written(self, ids: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"text": self.data.transform.texts(ids)} if self.texts else {"ids": ids}

    def tables(self) -> list[Any]:
        return self.data.transform.trackables() if self.texts else []

    def one_step(self, start: Endpoint) -> Endpoint:
        return _Step(self, start)

    def generation(self) -> Endpoint:
        return _Generate(self)

    def whole(self) -> Endpoint:
        return _Window(self)

    def stretches(self, count: int, seed: int, time: int) -> np.ndarray:
        """int32 (rows, time + 1) of held-out ids, of as many rows as have `count` steps or fit a proof."""
        ids = self.data.ids("test")
        time = min(time, len(ids) - 1)
        rows = max(1, min(count // time, NUMBERS // (time * self.size)))
        first = time * drawn(np.arange((len(ids) - 1) // time), rows, seed)
        return ids[first[:, None] + np.arange(time + 1)]

    def given(self, ids: np.ndarray) -> np.ndarray:
        """Ids as a caller gives them."""
        return np.array([self.data.transform.text_numpy(row).encode() for row in ids]) if self.texts else ids

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        ids = self.stretches(count, seed, self.window)[:, 1:]
        return {"text" if self.texts else "ids": self.given(ids)}, np.zeros(len(ids))

    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        """Nats a token."""
        return float(-outputs["log_likelihood"].sum(dtype=np.float64) / max(1, outputs["tokens"].sum()))

    def contract(self) -> dict[str, Any]:
        """What a caller must know: what to send, what comes back, and how texts become ids."""
        transform = self.data.transform
        given = "strings (batch,), UTF-8" if self.texts else "int32 (batch, time), zeros after the end"
        return self.stream_contract() | {
            "representation": "tokens",
            "transform": transform.to_json(),
            "vocabulary": self.size,
            "start": int(self.data.start),
            "device": {
                "step": "token int32 (1,) and the state → logits float32 (1, vocabulary) and the state",
                "initial_state": "nothing → the state before the first token, which is that with id `start`",
            }
            if not self.no_stream
            else {"window": f"ids int32 (1, {self.window}) → logits float32 (1, {self.window}, vocabulary)"},
            "inputs": {
                "text": "strings (batch,), UTF-8",
                "ids": "int32 (batch, time), zeros after the end",
                "prompt": f"{given}: what is continued; may be empty",
                "length": f"int32 (batch,), tokens to be generated, 1 to {LONGEST:,}",
                "temperature": "float32 (batch,), above 0",
                "top_k": "int32 (batch,), how many of the likeliest tokens may come; 0: all, 1: the likeliest",
                "top_p": "float32 (batch,), the share of probability that may come, above 0, at most 1",
                "seed": "int32 (batch,)",
                "token": "int32 (batch,); the first is `start`",
                "rows": "int32 (batch,), any numbers, one a row",
            },
            "outputs": {
                "log_likelihood": "float32 (batch,), nats",
                "tokens": "int32 (batch,), how many tokens the text has",
                "text": "strings (batch,), what follows the prompt",
                "ids": "int32 (batch, time), what follows the prompt",
                "logits": "float32 (batch, vocabulary), of the next token",
            },
        }


class _Step(Endpoint):
    """A token and a state → the logits of the next token, and the state after it."""

    steps = True

    def __init__(self, of: TokenServable, start: Endpoint):
        self.of, self.start = of, start

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        return {"token": tf.TensorSpec([batch], tf.int32, "token")} | state_specs(self.start, batch)

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        logits, state = self.of.stepped(inputs["token"], inputs)
        return {"logits": tf.cast(logits, tf.float32)} | state

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        ids = self.of.stretches(count, seed, self.of.window)
        return {"token": ids[:, :-1]} | before(self.start, len(ids)), ids[:, 1:]

    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        """Nats a token, the state carried from the start of each stretch."""
        return _nats(outputs["logits"], truth)


class _Window(Endpoint):
    """Ids of a window → the logits of the token after each; of a shorter text the rest counts for nothing."""

    def __init__(self, of: TokenServable):
        self.of = of

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        return {"ids": tf.TensorSpec([batch, self.of.window], tf.int32, "ids")}

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {"logits": tf.cast(self.of.model(inputs["ids"], training=False), tf.float32)}

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        ids = self.of.stretches(count, seed, self.of.window)
        ids = np.pad(ids, [(0, 0), (0, self.of.window + 1 - ids.shape[1])])
        return {"ids": ids[:, :-1]}, ids[:, 1:]

    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        return _nats(outputs["logits"], truth)


class _Generate(Endpoint):
    """A prompt and settings → what follows, the whole loop in the graph."""

    def __init__(self, of: TokenServable):
        self.of = of

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        prompt = tf.TensorSpec([batch], tf.string) if self.of.texts else tf.TensorSpec([batch, None], tf.int32)
        specs = {"prompt": prompt}
        for name, dtype in (("length", tf.int32), ("temperature", tf.float32), ("top_k", tf.int32)):
            specs[name] = tf.TensorSpec([batch], dtype)
        specs |= {"top_p": tf.TensorSpec([batch], tf.float32), "seed": tf.TensorSpec([batch], tf.int32)}
        return {name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in specs.items()}

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        of, length, top_p = self.of, inputs["length"], inputs["top_p"]
        ids, lengths = of.read(inputs["prompt"])
        conditions = [
            *drawable(inputs["temperature"], length),
            (tf.reduce_all(inputs["top_k"] >= 0), "top_k must be 0, for all tokens, or above"),
            (tf.reduce_all((top_p > 0) & (top_p <= 1)), "top_p must be above 0, and at most 1"),
        ]
        if of.context is not None:
            room = tf.reduce_all(lengths + length <= of.context)
            conditions.append((room, f"prompt and length together exceed the {of.context} tokens of this model"))
        with require(*conditions):
            ids, length = tf.identity(ids), tf.identity(length)
        state = of.model.initial_state(tf.shape(ids)[0])
        output, state, _ = read(of.model.step, state, of.begun(ids), lengths + 1)
        sampling = Sampling(inputs["temperature"], inputs["top_k"], top_p)
        choose = TokenChoice(of.model.head, sampling, inputs["seed"])
        most, border = (
            tf.reduce_max(length),
            None if of.texts else of.data.start,
        )  # a piece of events ends at its border
        return of.written(generate(of.model.step, output, state, most, choose, stop=border, lengths=length))

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        of, rows = self.of, min(count, GENERATED)
        steps = STEPS if of.context is None else max(1, min(STEPS, of.context // 2))
        prompts = of.stretches(rows * steps, seed, steps)[:, 1:]
        rows = len(prompts)

        def spread(values: tuple[float, ...], dtype: str) -> np.ndarray:
            return np.resize(values, rows).astype(dtype)

        settings = {
            "length": np.full(rows, steps, "int32"),
            "temperature": spread(TEMPERATURES, "float32"),
            "top_k": spread(TOP_K, "int32"),
            "top_p": spread(TOP_P, "float32"),
            "seed": seed + np.arange(rows, dtype="int32"),
        }
        return {"prompt": of.given(prompts)} | settings, np.zeros(rows)

    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        """Nothing: what is drawn equals Keras's draw or does not."""
        return 0.0


def _nats(logits: np.ndarray, truth: np.ndarray) -> float:
    """Mean −log p of the true tokens, padding left out."""
    logits = logits.astype(np.float64)
    highest = logits.max(-1, keepdims=True)
    total = highest[..., 0] + np.log(np.exp(logits - highest).sum(-1))
    found = np.take_along_axis(logits, truth[..., None], -1)[..., 0]
    return float((total - found)[truth > 0].mean())
