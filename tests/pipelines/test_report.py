"""What the report promises: one page, complete, offline, honest about samples and failures, safe with any name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pipelines.report import model_card, write_report
from pipelines.report.page import render
from tests.pipelines.records import TAG, record
from tests.pipelines.report.pages import ODD, Page, difficult, page, words
from tests.pipelines.report.promises import EVIL, stands, texts_are_no_markup

SECTIONS = ["data", "metrics", "forecasts", "steps", "coverage", "model", "learning", "exports", "checks", "reproduce"]


def test_one_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    write_report(record(), path)
    first = path.read_text(encoding="utf-8")
    assert first.startswith("<!doctype html>") and first.rstrip().endswith("</html>")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]

    def fail(source: Any, target: Any) -> None:
        raise OSError("the disk went away")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="went away"):
        write_report(record(title="another"), path)
    assert path.read_text(encoding="utf-8") == first


def test_nothing_is_loaded_from_anywhere() -> None:
    found = page(branches=True)
    for tag, attrs in found.tags:
        assert tag not in ("script", "link", "iframe", "img", "object", "image", "use")
        for name, value in attrs.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in ("src", "srcset", "href", "xlink:href", "data", "action"), (tag, name, value)
    assert "url(" not in found.source and "@import" not in found.source
    policy = next(a["content"] for a in found.attributes("meta") if "http-equiv" in a)
    assert policy and policy.startswith("default-src 'none'")


def test_every_part_is_there() -> None:
    found = page()
    for name in SECTIONS:
        assert len(words(found.section(name))) > 40, name
    assert found.text.index("The trained model earns its time") < found.text.index("SHA-256")
    assert "9b1d6c0f" * 8 in found.text
    assert "42 repairs, one column left out and 30 odd readings noticed and kept." in found.text
    assert "Marked as missing (-9999): 38 – 18 in wv (m/s), 20 in max. wv (m/s)" in found.text
    assert "no target crosses a border" in found.text
    assert "seqlayers run weather --source sample" in found.text and "tensorflow 2.21.0" in found.text
    assert "{kind: gru, units: 64}" in found.text and "3f2a9c1" in found.text


def test_baselines_stand_first_and_the_lowest_error_is_marked() -> None:
    lines = re.findall(r"<tr role=\"row\".*?</tr>", page().section("metrics").split("<details>")[0], re.S)[1:]
    names = ["last value", "seasonal naive", "drift", "ridge", TAG]
    assert [next(n for n in reversed(names) if n in words(line)) for line in lines] == names
    assert [line.count("(best)") for line in lines] == [0, 0, 0, 0, 5]  # MAE, RMSE, MASE, pinball, skill
    cells = re.findall(r"<td.*?</td>", lines[-1], re.S)
    told = ["2.16 (best)", "2.83 (best)", "3.07 (best)", "0.777 (best)", "79.1 %", "20.3 % (best)", "92 s"]
    assert [words(c) for c in cells] == told


def test_the_ridge_is_marked_where_it_is_better() -> None:
    made = record()
    made["metrics"][-1].update(mae=2.4, rmse=3.2, mase=3.5, pinball=0.9, skill=0.11)
    lines = re.findall(r"<tr role=\"row\".*?</tr>", Page(render(made)).section("metrics"), re.S)
    assert [line.count("(best)") for line in lines[1:6]] == [0, 0, 0, 5, 0]


def test_errors_that_print_alike_are_marked_alike() -> None:
    made = record()
    made["metrics"][-2]["mae"], made["metrics"][-1]["mae"] = 2.1581, 2.1579
    lines = re.findall(r"<tr role=\"row\".*?</tr>", Page(render(made)).section("metrics"), re.S)
    assert [words(line).count("2.16 (best)") for line in lines[1:6]] == [0, 0, 0, 1, 1]


def test_a_sample_is_marked_everywhere() -> None:
    found = page()
    assert re.search(r"<title>SAMPLE", found.source)
    for name in SECTIONS:
        assert "SAMPLE" in found.section(name), name
    pictures = re.findall(r'<svg viewBox[^>]*role="img".*?</svg>', found.source, re.S)
    assert len(pictures) >= 10
    assert all("SAMPLE" in p for p in pictures)
    assert "SAMPLE" in model_card(record())


def test_real_data_are_not_called_a_sample() -> None:
    made = record(sample=False)
    assert "SAMPLE" not in render(made)
    assert "SAMPLE" not in model_card(made)


def test_names_are_text_and_never_markup() -> None:
    made = record(targets=(ODD, EVIL), title=EVIL, verdict=EVIL, command=EVIL, commit=EVIL, run_id=EVIL)
    made["source"].update(name=EVIL, note=EVIL, sha256=EVIL)
    made["repairs"] = [{"what": EVIL, "count": 3, "column": EVIL}]
    made["checks"] = [{"name": EVIL, "passed": False, "detail": EVIL}]
    made["exports"] = [{"format": EVIL, "status": "failed", "note": EVIL, "path": EVIL}]
    made["model"].update(tag=EVIL, configuration=EVIL)
    made["model"]["slots_table"] = [{"branch": 0, "slot": EVIL, "kind": EVIL, "settings": {EVIL: EVIL}}]
    made["splits"][0]["part"] = EVIL
    made["metrics"][0]["name"] = made["best_naive"] = EVIL
    made["by_step"]["mae"][EVIL], made["by_step"]["unit"], made["by_step"]["of"] = [1.0] * 24, EVIL, EVIL
    made["series"].update(look_back=EVIL, horizon=EVIL, step=EVIL)
    made["windows"][0]["label"] = EVIL
    made["curves"]["jit"]["why"] = EVIL
    made["versions"] = {EVIL: EVIL}
    found = Page(render(made))
    texts_are_no_markup(found, model_card(made))
    assert ODD in found.text


@pytest.mark.parametrize("case", difficult())
def test_it_stands_what_records_bring(case: str) -> None:
    made = difficult()[case]
    stands(made, render)
    assert model_card(made).startswith("# ")


def test_what_is_not_a_number_is_said_plainly() -> None:
    found = Page(render(difficult()["nothing finite"]))
    assert "The error of value>gru>last>forecast is not a finite number." in found.text
    assert "status is “failed”" in found.text
    assert "The model has no finite error." in found.text
    assert "No epoch had a finite validation loss." in found.text
    assert "(best)" not in re.findall(r"<tr role=\"row\" class=\"model.*?</tr>", found.source, re.S)[0]


def test_a_single_step_is_drawn_as_bars() -> None:
    drawn = page(horizon=1).section("steps")
    assert '<rect class="bar model"' in drawn and '<path class="line' not in drawn
    assert "The horizon is a single step" in drawn


def test_of_many_targets_the_first_are_drawn_and_all_are_tabled() -> None:
    targets = tuple(f"target {i} (m/s)" for i in range(21))
    found = page(targets=targets)
    assert found.section("forecasts").count("<figure>") == 6
    assert "first two targets of 21" in words(found.section("forecasts"))
    table = words(found.section("targets"))
    assert all(t in table for t in targets)
    assert "the model for all" in table
    assert 'id="targets"' not in page().source


def test_a_model_solved_in_closed_form_has_no_learning_curves() -> None:
    assert "solved in closed form" in words(page(curves=None).section("learning"))
    found = page(epochs=14)
    best = record(epochs=14)["curves"]["best_epoch"] + 1
    assert f"best: epoch {best}" in found.section("learning")
    assert f"in epoch {best}, with its weights kept" in found.text


def test_exports_that_failed_or_were_refused_are_shown() -> None:
    made = record()
    nothing = {"max_error": None, "metric": None, "size_kib": None, "latency_ms": None, "path": None}
    made["exports"][1] |= {"status": "refused", "note": "the position kind 'x' has no LiteRT form"} | nothing
    made["exports"][2] |= {"status": "failed", "note": "max error 0.31", "max_error": 0.31}
    found = Page(render(made))
    table = words(found.section("exports"))
    assert "✓ proven" in table and "– refused" in table and "✕ failed" in table
    assert "the position kind 'x' has no LiteRT form" in table and "0.31" in table
    head = found.text.split("SHA-256")[0]
    assert "The LiteRT int8 export failed: max error 0.31" in head and "refused" not in head
    assert "Nothing was exported." in words(page(exports=[]).section("exports"))


def test_a_resumed_run_says_so() -> None:
    assert "was interrupted and resumed" in page(resumed=1).text
    assert "resumed two times" in page(resumed=2).text
    assert "interrupted" not in page().text


def test_a_failed_leak_check_stands_at_the_top() -> None:
    made = record()
    made["checks"][2]["passed"] = False
    assert "Leak check failed: no target crosses a border." in Page(render(made)).text.split("SHA-256")[0]


def test_bands_are_drawn_inside_each_other_and_named() -> None:
    drawn = page().section("forecasts")
    paths = re.findall(r'<path class="band model" fill-opacity="([\d.]+)" d="([^"]*)"', drawn)
    assert len(paths) == 3 * 2 * 3 and len({opacity for opacity, _ in paths}) == 1  # windows, wide and narrow, bands
    heights = [max(ys) - min(ys) for ys in ([float(y) for y in re.findall(r" ([\d.]+)", d)] for _, d in paths)]
    assert all(a > b > c for a, b, c in zip(heights[::3], heights[1::3], heights[2::3], strict=True))
    assert drawn.count("</svg>bands for 50</li>") == drawn.count("</svg>95 of 100 cases</li>") == 3
    assert drawn.count("Bands for 50, 80 and 95 of 100 cases; the widest ends between") == 3 * 2  # read aloud
    assert re.search(r"Of 24 readings, \d+, \d+ and \d+ lie inside the 50, 80 and 95\xa0% bands", drawn)
    without = page(bands=False)
    assert 'class="band' not in without.section("forecasts") and 'id="coverage"' not in without.source
    assert "pinball" not in without.section("metrics")


def test_what_is_exported_instead_of_the_model_is_said_where_it_matters() -> None:
    made = record(chosen={"name": "ridge", "role": "baseline"})
    found = Page(render(made))
    assert "Exported, and offered to the registry, is the ridge" in found.text.split("SHA-256")[0]
    assert "These files are of the ridge" in words(found.section("exports"))
    lines = re.findall(r"<tr role=\"row\".*?</tr>", found.section("metrics"), re.S)[1:6]
    assert [("exported" in line, line.count(">model<")) for line in lines] == [
        *[(False, 0)] * 3,
        (True, 0),
        (False, 1),
    ]
    assert "skill of the ridge14.0" in found.text.replace("\n", "")
    card = model_card(made)
    assert "**Exported, and offered to the registry, is the ridge, not the trained model.**" in card
    assert "Model: the ridge, a simple model beside which `value>gru>last>forecast`" in card
    assert "| ridge (exported) |" in card and "In the worst window" not in card
    unproven = [row | {"status": "failed"} for row in made["exports"]]
    for exports in ([], unproven):
        found = Page(render(made | {"exports": exports}))
        assert "Chosen is the ridge, not the trained model; nothing was exported." in found.text
        assert ">exported<" not in found.source and ">chosen<" in found.section("metrics")
        card = model_card(made | {"exports": exports})
        assert "nothing was exported" in card and "| ridge (chosen) |" in card
    assert "not the trained model" not in page().text and "not the trained model" not in model_card(record())


def test_a_long_list_of_repairs_stays_short() -> None:
    rows = [{"what": "empty or NaN", "count": 2, "column": f"c{i}"} for i in range(300)]
    rows += [{"what": "column of text, left out", "count": 9, "column": f"t{i}"} for i in range(40)]
    rows += [{"what": "look-back set to 12 rows, less than usual: the series is short", "count": 900, "column": None}]
    text = page(repairs=rows).text
    assert "600 repairs and 40 columns left out." in text
    assert "Empty or NaN: 600 – 2 in c0, 2 in c1," in text and "2 in c11 and 288 more" in text
    assert "Look-back set to 12 rows, less than usual: the series is short" in text and "900" not in text


def test_branches_are_drawn_side_by_side_and_joined() -> None:
    drawn = page(branches=True).section("model")
    assert 'aria-label="2 branches side by side, concatenated"' in drawn
    said = words(drawn).partition("31,256 parameters.")[2]
    places = [said.index(kind) for kind in ("reversible", "gru", "patch", "transformer", "concatenated", "forecast")]
    assert places == sorted(places)
    assert "× 2" in said  # two equal transformers are one box
    assert 'class="branches"' not in page().section("model")


def test_a_baseline_that_towers_above_all_others_does_not_flatten_them() -> None:
    made = record()
    made["by_step"]["mae"]["drift"] = [3.0 * 10 ** (i / 8) for i in range(24)]
    assert "The drift leaves the picture and reaches 2,250." in words(Page(render(made)).section("steps"))


def test_the_card_says_what_it_is_for_and_where_it_ends() -> None:
    card = model_card(record())
    for head in ("Intended use", "Data", "Metrics", "Exports", "Limits", "Run it again"):
        assert f"\n## {head}\n" in card
    table = [line for line in card.splitlines() if line.startswith("|")]
    assert table[0].startswith("| forecast | MAE (°C) |")
    assert table[2].startswith("| last value | 2.71 |") and "**2.16**" in table[6]
    assert len({line.count(" | ") for line in table[:7]}) == 1
    assert "2.16 °C is 20.3 % below" in card.replace("\xa0", " ")
    assert "The 95 % band holds only 89.0 % of the truth, 6 points less than it should" in card.replace("\xa0", " ")
    assert "no measure of its own uncertainty" in model_card(record(bands=False))
    loses = record()
    loses["metrics"][-1].update(skill=-0.1, mase=4.2)
    assert "not to be used" in model_card(loses) and "The ridge is at least as good" in model_card(loses)
