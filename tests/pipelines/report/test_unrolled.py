"""The unrolled recurrence: every state is handed on, and arrows are as wide as the gradient."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from pipelines.report.unrolled import CELLS, THINNEST, WIDEST, Norms, draw, picture

INPUTS = [0.4, 0.2, 0.1, 1e-9]
STATES = [[0.8, 0.4, 0.2, 0.1, 0.05], [0.8] * 5]
NAMESPACE = "{http://www.w3.org/2000/svg}"


def norms(kind: str) -> Norms:
    return Norms(STATES[: len(CELLS[kind].states)], INPUTS)


def words(svg: str) -> list[str]:
    """What is written in a drawing, lowered letters after an underscore."""
    found = []
    for text in ET.fromstring(svg).iter(f"{NAMESPACE}text"):
        lowered = [f"_{t.text}" if t.get("font-size") else (t.text or "") for t in text]
        found.append((text.text or "") + "".join(a + (t.tail or "") for a, t in zip(lowered, text, strict=True)))
    return [word.replace("\u200b", "") for word in found]


@pytest.mark.parametrize("kind", CELLS)
def test_the_file_stands_alone_and_names_steps_weights_and_equations(kind):
    svg = picture(kind, 4, norms(kind))
    root = ET.fromstring(svg)
    assert root.tag == f"{NAMESPACE}svg" and root.get("width") == "860"
    assert "prefers-color-scheme: dark" in svg
    said = words(svg)
    assert {"x_t", "x_t−1", "x_t−2", "x_t−3", "W", "V", "loss L", "folded"} <= set(said)
    for name, by in CELLS[kind].states:
        assert f"… {name}_t−4" in said and said.count(by) >= 5, "once in the loop, and at each step"
    assert any(word.startswith("h_t = ") for word in said)


def widths(svg: str) -> list[float]:
    """Of the gradient's arrows, in the order in which they are drawn."""
    found = []
    for d in re.findall(r'<path class="back" d="M([^"]+)Z"', svg):
        points = [tuple(map(float, p.split())) for p in d.split("L")]
        (x1, y1), (x2, y2) = points[0], points[-1]
        found.append(abs(x2 - x1) + abs(y2 - y1))
    return found


def test_an_arrow_is_as_wide_as_its_norm():
    found = widths(picture("simple_rnn", 4, norms("simple_rnn")))
    expected = [INPUTS[0], STATES[0][1], INPUTS[1], STATES[0][2], INPUTS[2], STATES[0][3], INPUTS[3], STATES[0][4], 0.8]
    assert found == pytest.approx([max(THINNEST, WIDEST * n / 0.8) for n in expected], abs=0.11)
    assert len(set(widths(picture("simple_rnn")))) == 1, "without norms all are alike"


def test_norms_are_written_beside_their_arrows():
    said = words(picture("lstm", 4, norms("lstm")))
    assert {"0.80", "0.40", "0.050", "1.0 × 10⁻⁹"} <= set(said)


@pytest.mark.parametrize("kind", CELLS)
def test_on_a_page_it_is_drawn_for_wide_and_narrow_screens(kind):
    drawn = draw(kind, 4, norms(kind), sample=True)
    assert drawn.startswith('<div class="wide">') and '<div class="narrow">' in drawn
    assert drawn.count("SAMPLE") == 2 and drawn.count('role="img"') == 2
    wide, narrow = re.findall(r"<svg.*?</svg>", drawn, re.S)
    assert wide.count('class="cell"') == 5 and narrow.count('class="cell"') == 3, "folded, and a cell a step"


def test_steps_are_as_many_as_asked():
    assert picture("gru", 2).count('class="cell"') == 3 and picture("gru", 6).count('class="cell"') == 7
