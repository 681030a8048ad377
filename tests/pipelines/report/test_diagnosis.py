"""The page of a diagnosis: whole in every case, each encoder one colour, vanishing and exploding as they are."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from pipelines.report import reach
from pipelines.report.chart import WIDE
from pipelines.report.diagnosis import render, verdict, write_diagnosis
from tests.pipelines.report.diagnoses import diagnosis, difficult
from tests.pipelines.report.pages import Page


@pytest.mark.parametrize("case", difficult())
def test_the_page_is_whole_in_every_case(case):
    page = Page(render(difficult()[case]))
    for svg in page.attributes("svg"):
        assert svg.get("aria-hidden") == "true" or len(svg["aria-label"] or "") > 30
    assert "nan" not in "".join(str(value) for _, attributes in page.tags for value in attributes.values()).lower()
    assert all("scope" in th for th in page.attributes("th"))
    assert len({a["id"] for _, a in page.tags if "id" in a}) == sum("id" in a for _, a in page.tags)


def test_it_is_written_whole(tmp_path):
    write_diagnosis(diagnosis(), tmp_path / "report.html")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_the_verdict_says_what_training_changed():
    assert verdict(diagnosis()) == (
        "At initialisation the gradient vanishes in simple_rnn and lstm; it explodes in simple_rnn×2.5. "
        "After training it reaches far back in simple_rnn×2.5."
    )
    assert verdict(diagnosis(trained=False)).endswith("explodes in simple_rnn×2.5.")
    same = diagnosis()
    for curve in same["curves"]:
        curve["trained"] = curve["initial"]
    assert verdict(same).endswith("A short training does not change that.")


def points(drawing: str, style: str) -> list[tuple[float, float]]:
    """The line of a style in the wide drawing."""
    wide = drawing.split('<div class="narrow">')[0]
    (d,) = re.findall(rf'<path class="line {style}" d="([^"]+)"', wide)
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", d)]


def test_a_geometric_decay_is_a_straight_line_that_leaves_the_picture_at_its_lower_edge():
    record = diagnosis()
    drawing = reach.curves(record, "initial").svg
    falling, rising = points(drawing, "model solid"), points(drawing, "ridge solid")
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in pairwise(falling)][:-1]
    assert max(slopes) - min(slopes) < 0.05 and slopes[0] > 0, "a logarithmic scale"
    floor = WIDE.height - 46
    assert falling[-1][1] == pytest.approx(floor) and len(falling) == 53, "0.7⁵² is the first below 10⁻⁸"
    assert rising[0] == falling[0] and rising[-1][1] < rising[0][1] and len(rising) == 72


def test_clipping_moves_a_curve_down_by_one_distance():
    figure = reach.clipped(diagnosis())
    before, after = points(figure.svg, "ridge before"), points(figure.svg, "ridge solid")
    assert {round(b - a, 0) for (_, a), (_, b) in zip(before, after, strict=True)} == {
        round(after[0][1] - before[0][1], 0)
    }
    assert after[0][1] > before[0][1] and "model" not in figure.svg, "only what clipping acts on"
    assert reach.clipped(diagnosis(clip=None)) is None


def test_what_clipping_does_is_told():
    page = Page(render(diagnosis())).text
    assert "clipping acts on simple_rnn×2.5, in 8 of 8 batches, by a factor down to 1.5 × 10⁻⁶" in page
    assert "nothing is clipped" in Page(render(diagnosis(clip=None))).text
    calm = diagnosis(clip=1e9)
    assert "no batch has a joint norm above train.clip_norm" in Page(render(calm)).text


def test_an_encoder_has_one_colour_in_pictures_and_table():
    page = Page(render(diagnosis()))
    assert re.search(r'<tr role="row" class="ridge">.{0,90}rnn×2', page.section("reach"), re.S)
    assert 'class="line ridge solid"' in page.section("reach") and 'class="line ridge solid"' in page.section(
        "clipping"
    )


def test_powers_of_ten_stand_on_the_axis():
    assert [text for _, text in reach._powers(1e-8, 1e6, 5)] == ["10⁻⁶", "10⁻³", "1", "1,000", "10⁶"]
    assert [text for _, text in reach._powers(0.01, 100, 5)] == ["0.01", "0.1", "1", "10", "100"]
