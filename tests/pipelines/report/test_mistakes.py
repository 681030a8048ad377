"""Words are found in the text they came from, and the stretch that is shown is the one that counts."""

from __future__ import annotations

import time

from pipelines.report.classify.mistakes import EXCERPT, pieces, readable, spans, strongest, window
from pipelines.report.quoted import LONGEST


def found(text: str, **weights: float) -> list[str]:
    return [text[a:b] for a, b, _ in spans(text, {k.replace("_", " "): v for k, v in weights.items()})]


def test_a_word_is_found_in_any_case_and_only_whole() -> None:
    assert found("Good goods, GOOD: ungood good.", good=1.0) == ["Good", "GOOD", "good"]
    assert spans("a (b) .* c", {".*": 1.0, "(": 2.0}) == [(2, 3, 2.0), (6, 8, 1.0)]
    assert spans("", {"a": 1.0}) == [] and spans("text", {}) == []


def test_words_that_follow_one_another_are_found_across_any_space() -> None:
    assert found("not  bad\nnot\nbad notbad", not_bad=1.0) == ["not  bad", "not\nbad"]
    text = "good, but long"
    assert [text[a:b] for a, b, _ in spans(text, {"good , but": 1.0})] == ["good, but"]
    assert found("not bad", bad=2.0, not_bad=1.0) == ["not bad"]


def test_scripts_without_spaces_are_read_sign_by_sign() -> None:
    assert found("很好看", 好=1.0) == ["好"]


def test_of_a_word_that_comes_twice_the_larger_weight_counts() -> None:
    rows = [{"word": "a", "weight": 0.2}, {"word": "a", "weight": -0.9}, {"word": "b", "weight": float("nan")}]
    assert strongest([*rows, {"word": " ", "weight": 1.0}, {"word": "c", "weight": 0.0}]) == {"a": -0.9}


def test_the_stretch_shown_holds_what_weighs_most() -> None:
    text = "weak " + "filler " * 300 + "strong strong " + "filler " * 300
    start, end = window(text, spans(text, {"weak": 0.5, "strong": 1.0}))
    assert "strong strong" in text[start:end] and end - start <= 1.3 * EXCERPT
    assert text[start - 1].isspace() and text[end].isspace()
    assert text[slice(*window(text, []))].startswith("weak filler")
    assert window("short", []) == (0, 5)


def test_the_pieces_are_the_text() -> None:
    text = "a good film, not a bad one"
    cut = pieces(text, spans(text, {"good": 1.0, "bad": -0.5}), 0, len(text))
    assert "".join(p.text for p in cut) == text
    assert [(p.text, p.side, p.depth) for p in cut if p.side] == [
        ("good", "towards", "1.00"),
        ("bad", "against", "0.50"),
    ]


def test_a_text_is_made_readable_and_no_longer_than_a_page_bears() -> None:
    assert readable("one<br /><BR>two <br/> three\x00\x1b\u202e") == "one\ntwo\nthree���"
    assert readable("x" * 200_000).startswith("x" * LONGEST + " … and 188,000 characters more")


def test_a_long_text_full_of_words_that_weigh_is_quick() -> None:
    text = readable("word good " * 20_000)
    start = time.process_time()
    window(text, spans(text, {f"word{i}": 1.0 for i in range(79)} | {"good": 1.0}))
    assert time.process_time() - start < 1
