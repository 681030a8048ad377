"""What a model writes or composes, for its report."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from data.corpus import CorpusData
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
    found = []
    for seed, prompt in enumerate(prompts):
        ids = data.transform.ids_numpy(prompt)
        ids = np.concatenate([[data.start], ids]) if not len(ids) else ids
        room = context_of(model)
        most = options.length if room is None else min(options.length, room - len(ids))
        if most < 1:
            continue
        sampling = Sampling(options.temperature, options.top_k, options.top_p)
        tokens = continued(model, ids[None], most, sampling, [seed])
        found.append(
            {
                "prompt": prompt,
                "text": data.transform.text_numpy(tokens[0]),
                "settings": {"temperature": options.temperature, "seed": seed}
                | ({"top_k": options.top_k} if options.top_k else {})
                | ({"top_p": options.top_p} if options.top_p < 1 else {}),
            }
        )
    return found


def continued(
    model: SequenceModel,
    prompt: np.ndarray,
    most: int,
    sampling: Sampling,
    seeds: list[int],
    stop: int | None = None,
) -> np.ndarray:
    """ids (rows, time) → what is drawn after them, (rows, most), in one compiled loop; 0 after a row's `stop`."""

    @tf.function(autograph=False)
    def write(ids: tf.Tensor) -> tf.Tensor:
        output, state, _ = read(model.step, model.initial_state(len(prompt)), ids)
        return generate(model.step, output, state, most, TokenChoice(model.head, sampling, seeds), stop=stop)

    return write(tf.constant(prompt, tf.int32)).numpy()


def lines(text: str, count: int) -> list[str]:
    """The beginnings of lines that stand evenly over a text."""
    starts = [round(len(text) * i / count) for i in range(count)]
    found = []
    for start in starts:
        at = text.find("\n", start) + 1
        found.append(text[at : at + PROMPT].rstrip() or text[:PROMPT])
    return found
