"""Words to pieces: what is learnt, how a word is cut, and that neither needs the library again nor changes."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from data.transforms.subwords import MORE, Subwords, joined, spelt

#: The dictionary of Sennrich, Haddow and Birch, algorithm 1: `es`, `est`, `lo` and `low` are joined first.
PUBLISHED = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
LETTERS = 11


def made(words: int = 300) -> Counter[str]:
    rng = np.random.default_rng(0)
    stems, ends = ["help", "hope", "use", "über", "naïve", "don't", "слово"], ["", "s", "ful", "less", "fully", "’s"]
    return Counter(f"{rng.choice(stems)}{rng.choice(ends)}" for _ in range(words)) + Counter("!!!?你你😀")


def test_the_neighbours_that_meet_most_often_are_joined_first():
    found = Subwords.fit(PUBLISHED, LETTERS + 4, 1)
    assert {word: found.of(word) for word in PUBLISHED} == {
        "low": ["low"],
        "lower": ["low", "##e", "##r"],
        "newest": ["n", "##e", "##w", "##est"],
        "widest": ["w", "##i", "##d", "##est"],
    }
    assert found.pieces == ("##est", "##e", "low", "##w", "n", "##d", "##i", "w", "##r"), "by frequency and name"
    assert found.cuts == ("low ##e ##r", "n ##e ##w ##est", "w ##i ##d ##est")


def test_a_word_that_was_not_in_train_is_spelt_unless_it_is_a_piece():
    found = Subwords.fit({"lower": 5, "lowest": 5, "x": 1}, 50, 5)
    assert found.of("lowly") == ["l", "##o", "##w", "##l", "##y"]
    assert found.of("x") == ["x"] and "x" not in found.pieces
    assert Subwords.fit({"lower": 4, "low": 4, "lowest": 1}, LETTERS + 3, 2).of("lowest") == spelt("lowest")


@pytest.mark.parametrize("most", [1, 7, 40, 60, 1000])
@pytest.mark.parametrize("fewest", [1, 3])
def test_there_are_no_more_pieces_than_asked_for_and_none_is_rare(most, fewest):
    counts = made()
    found = Subwords.fit(counts, most, fewest)
    used = Counter(piece for word in counts.elements() for piece in found.of(word))
    assert 0 < len(found.pieces) <= most
    assert all(used[piece] >= fewest for piece in found.pieces)
    assert list(found.pieces) == sorted(found.pieces, key=lambda piece: (-used[piece], piece))
    if most == 1000:
        assert all(set(found.of(word)) <= set(found.pieces) for word, count in counts.items() if count >= fewest)
    for word in [*counts, "unseen", "q"]:
        assert joined(found.of(word)) == word
        assert [piece.startswith(MORE) for piece in found.of(word)] == [False] + [True] * (len(found.of(word)) - 1)


@pytest.mark.parametrize("counts", [{}, {"a": 1}, {"!": 3}, {"rough": 1, "lynx": 1}], ids=str)
def test_words_that_cannot_be_joined(counts):
    found = Subwords.fit(counts, 10, 2)
    assert (found.pieces, found.cuts) == (tuple(word for word in counts if counts[word] >= 2), ())


def test_the_graph_form_equals_the_numpy_form():
    counts = made()
    found = Subwords.fit(counts, 60, 2)
    rows = [[*counts, "unseen", "\x00", "x" * 3000], [], ["uses"], [*sorted(counts)]]
    graph = tf.function(found.ragged)(tf.ragged.constant(rows, dtype=tf.string))
    expected = [[piece.encode() for word in row for piece in found.of(word)] for row in rows]
    assert graph.to_list() == expected
    assert found.ragged(tf.ragged.constant([], dtype=tf.string, ragged_rank=1)).to_list() == []


LEARN = (
    "from collections import Counter\nfrom data.transforms.subwords import Subwords\n"
    "words = [a + b + c for a in 'abcdefgé' for b in 'stuvwxyz' for c in 'mnopqr']\n"
    "print(Subwords.fit(Counter(words * 2), 60, 1))"
)


def test_another_process_learns_the_same():
    """Every pair meets as often as many others, and the library's own tables are in another order each time."""
    found = {subprocess.run([sys.executable, "-c", LEARN], capture_output=True, check=True).stdout for _ in range(4)}
    assert len(found) == 1 and b"##" in found.pop()


def test_pieces_are_applied_without_the_library_and_without_tensorflow():
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['tokenizers'] = None\n"
        "from data.transforms.subwords import Subwords\n"
        "print(*Subwords(('help', '##ful'), ('help ##ful',)).of('helpful'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "help ##ful"
