"""How the page looks and reads: small, quick, one colour a model, legible, inside its width on any screen."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from pipelines.report import backtest, diagnosis
from pipelines.report.classify.page import render as render_classifier
from pipelines.report.generate.page import render as render_generator
from pipelines.report.page import render
from tests.pipelines.records import record
from tests.pipelines.report.diagnoses import difficult as difficult_diagnoses
from tests.pipelines.report.pages import difficult, difficult_backtests, page
from tests.pipelines.report.promises import can_be_read_aloud
from tests.pipelines.report.texts import difficult as difficult_classifiers
from tests.pipelines.report.writers import difficult as difficult_generators
from tests.pipelines.text_records import record as text_record


def test_it_is_small_and_quick() -> None:
    wide = record(targets=tuple(f"target {i}" for i in range(21)), horizon=720, look_back=2160)
    start = time.process_time()
    size = len(render(wide).encode())
    assert time.process_time() - start < 5
    assert size < 1_500_000


def test_a_model_has_one_colour_in_all_pictures_and_tables() -> None:
    found = page()
    assert re.search(r'<tr role="row" class="ridge">.{0,120}ridge', found.section("metrics"), re.S)
    assert '<path class="line ridge"' in found.section("forecasts") and '<path class="line ridge"' in found.section(
        "steps"
    )
    assert '<path class="line first"' in found.section("steps")
    assert re.search(r'<tr role="row" class="first">.{0,120}last value', found.section("metrics"), re.S)


def test_pictures_and_tables_can_be_read_aloud() -> None:
    found = page(targets=("a (m)", "b (m)"))
    can_be_read_aloud(found)
    assert next(iter(found.attributes("html")))["lang"] == "en"


def test_text_can_be_read_on_its_ground_in_light_and_dark() -> None:
    css = render(record())
    light, dark = re.findall(r":root \{\s*(--ground.*?)color-scheme", css, re.S)[:2]
    for theme in (light, dark):
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
        for name in ["ink", "quiet", "model", "ridge", "first", "second", "third", "fourth", "good", "bad"]:
            for ground in ("ground", "raised", "tint"):
                assert _contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
        pairs = [("sample", "sample-ground"), ("on-test", "test"), ("ink", "train"), ("ink", "validation")]
        for text, ground in [*pairs, ("ink", "bad-ground"), ("bad", "bad-ground"), ("sample", "ground")]:
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def test_marked_words_can_be_read_on_the_deepest_mark() -> None:
    css = render_classifier(text_record(tested=100))
    mixed = {int(share) for share in re.findall(r"calc\(var\(--w\) \* (\d+)%\)", css)}
    (share,) = mixed
    for theme in re.findall(r":root \{\s*(--ground.*?)color-scheme", css, re.S)[:2]:
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
        for tone in ("ridge", "model"):
            for ground in ("ground", "raised"):
                assert _contrast(colours["ink"], _mix(colours[tone], colours[ground], share / 100)) >= 4.5, (
                    tone,
                    ground,
                )


def _mix(one: str, other: str, share: float) -> str:
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.1, (L₁ + 0.05) / (L₂ + 0.05) with relative luminances L."""

    def luminance(colour: str) -> float:
        linear = []
        for i in (1, 3, 5):
            c = int(colour[i : i + 2], 16) / 255
            linear.append(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 400, 1200])
def test_nothing_sticks_out_of_the_page(tmp_path: Path, width: int) -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    pages = {case: render(made) for case, made in difficult().items()}
    pages |= {f"backtest: {case}": backtest.render(made) for case, made in difficult_backtests().items()}
    pages |= {f"diagnosis: {case}": diagnosis.render(made) for case, made in difficult_diagnoses().items()}
    pages |= {f"classifier: {case}": render_classifier(made) for case, made in difficult_classifiers().items()}
    pages |= {f"generator: {case}": render_generator(made) for case, made in difficult_generators().items()}
    frames = "".join(
        f'<iframe width="{width}" height="900" srcdoc="{html.escape(source)}"></iframe>' for source in pages.values()
    )
    script = """<script>addEventListener("load", () => { document.title = JSON.stringify([...document.querySelectorAll(
        "iframe")].map(f => f.contentDocument.documentElement.scrollWidth)); })</script>"""
    (tmp_path / "page.html").write_text(f"<!doctype html><meta charset=utf-8>{script}{frames}", encoding="utf-8")
    flags = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --hide-scrollbars"
    command = [
        browser,
        *flags.split(),
        f"--user-data-dir={tmp_path / 'profile'}",
        "--dump-dom",
        f"file://{tmp_path / 'page.html'}",
    ]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    found = re.search(r"<title>(\[.*?\])</title>", told)
    assert found, told[:500]
    widths = dict(zip(pages, json.loads(found[1]), strict=True))
    assert {case: w for case, w in widths.items() if w > width} == {}
