"""Sentiment: reviews, with a made sample of them."""

from __future__ import annotations

from data.text_sample import sample
from pipelines.tasks.classify import Classify


class Sentiment(Classify):
    sample = staticmethod(sample)
