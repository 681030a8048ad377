"""The catalogue as a table: every kind, with every option that changes what it does, by topic."""

from __future__ import annotations

from seqlayers.testing import Example
from tests.seqlayers.cases import (
    attention,
    forecast,
    labels,
    parallel,
    parallel_recurrent,
    readings,
    recurrent,
    tokens,
)

TOPICS = (readings, tokens, attention, recurrent, parallel_recurrent, parallel, forecast, labels)

CASES: dict[str, Example] = {name: example for topic in TOPICS for name, example in topic.CASES.items()}
assert len(CASES) == sum(len(topic.CASES) for topic in TOPICS), "two topics use one name"

#: One of each way of computing, for what takes seconds a kind.
REPRESENTATIVE: tuple[str, ...] = tuple(name for topic in TOPICS for name in topic.REPRESENTATIVE)

#: The first case of each kind, and those above: what the fast tests try, the slow ones trying all.
CORE: frozenset[str] = frozenset(REPRESENTATIVE) | {
    next(name for name, e in CASES.items() if (e.slot, e.configuration["kind"]) == kind)
    for kind in {(e.slot, e.configuration["kind"]) for e in CASES.values()}
}

#: Arguments whose values change nothing that the harness could compare, or that tests of their own change.
ELSEWHERE = {
    "dropout": "random: tests/seqlayers/test_dropout.py",
    "recurrent_dropout": "random: tests/seqlayers/test_dropout.py",
    "token_dropout": "random: tests/seqlayers/test_dropout.py",
    "unknown": "of ids left out at random: test_regions.py",
    "eps": "test_normalise.py",
    "strengths": "test_ridge.py",
    "tied": "needs a table to be tied to: test_labels.py, test_row.py",
}
