"""What a model writes or composes, for its report."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from data.corpus import CorpusData
from data.transforms.text import padded
from pipelines.config import GenerationOptions
from pipelines.tasks.context import context_of, streams
from seqlayers.generation import TokenChoice, generate, read
from seqlayers.model import SequenceModel
from seqlayers.sampling import Sampling

#: Characters of the test part that a sample begins with, where the configuration names no prompts.
PROMPT = 60


def written(model: SequenceModel, data: CorpusData, options: GenerationOptions) -> list[dict[str, Any]]:
    """Texts that go on from prompts; none of a model that does not stream.

    Args:
        model: a model of tokens.
        data: that it was trained on; prompts are lines of its test part, where there are none in the options.
        options: how many, how long, how drawn.
    """
    if not streams(model):
        return []
    prompts = options.prompts or lines(data.text("test"), options.samples)
    ids = [data.transform.ids_numpy(prompt) for prompt in prompts]
    ids = [found if len(found) else np.array([data.start], np.int32) for found in ids]
    room = context_of(model)
    most = options.length if room is None else min(options.length, room - max(map(len, ids), default=0))
    if most < 1 or not ids:
        return []
    sampling = Sampling(options.temperature, options.top_k, options.top_p)
    tokens = continued(model, padded(ids), most, sampling, lengths=[len(found) for found in ids])
    settings: dict[str, Any] = {"temperature": options.temperature}
    settings |= {"top_k": options.top_k} if options.top_k else {}
    settings |= {"top_p": options.top_p} if options.top_p < 1 else {}
    return [
        {"prompt": prompt, "text": data.transform.text_numpy(row), "settings": settings | {"seed": seed}}
        for seed, (prompt, row) in enumerate(zip(prompts, tokens, strict=True))
    ]


def continued(
    model: SequenceModel,
    prompts: np.ndarray,
    most: int,
    sampling: Sampling,
    *,
    lengths: list[int] | None = None,
    stop: int | None = None,
) -> np.ndarray:
    """ids (rows, time) → what is drawn after them, (rows, most), in one compiled loop; row i has the seed i.

    Args:
        model: that streams.
        prompts: zeros after the end.
        most: tokens that are drawn.
        sampling: how.
        lengths: tokens of each prompt; None: all of them.
        stop: the id that ends a row, which has zeros after it.
    """
    seeds = list(range(len(prompts)))

    @tf.function(autograph=False)
    def write(ids: tf.Tensor) -> tf.Tensor:
        output, state, _ = read(model.step, model.initial_state(len(prompts)), ids, lengths)
        return generate(model.step, output, state, most, TokenChoice(model.head, sampling, seeds), stop=stop)

    return write(tf.constant(prompts, tf.int32)).numpy()


def lines(text: str, count: int) -> list[str]:
    """The beginnings of lines that stand evenly over a text."""
    starts = [round(len(text) * i / count) for i in range(count)]
    found = []
    for start in starts:
        at = text.find("\n", start) + 1
        found.append(text[at : at + PROMPT].rstrip() or text[:PROMPT])
    return found
