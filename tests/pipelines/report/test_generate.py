"""What the report of a generator promises: complete, safe with any text or name, and readable by eye and by ear."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from pipelines.report import model_card, write_report
from pipelines.report.diagram import diagram
from pipelines.report.generate import tables, units
from pipelines.report.generate.page import render
from pipelines.report.generate.writings import LONGEST
from tests.pipelines.generate_records import FREQUENCIES, MARKOV, MUSIC_TAG, NGRAM, TAG, UNIGRAM, music, text
from tests.pipelines.report.pages import Page, words
from tests.pipelines.report.promises import can_be_read_aloud, stands, texts_are_no_markup
from tests.pipelines.report.writers import difficult, evil, evil_music

ALWAYS = ["data", "metrics", "samples", "model", "learning", "exports", "checks", "reproduce"]


@pytest.fixture(scope="module")
def plays() -> Page:
    return Page(render(text()))


@pytest.fixture(scope="module")
def chorales() -> Page:
    return Page(render(music()))


def said(source: str) -> str:
    return words(source).replace("\xa0", " ")


def head(page: Page) -> str:
    return said(page.source[page.source.index('<ul class="tiles">') : page.source.index("</header>")])


def test_the_family_of_a_record_chooses_its_page_and_its_card(tmp_path: Path) -> None:
    write_report(music(), tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == render(music())
    assert "| candidate | loss | accuracy |" in model_card(music())


def test_every_part_is_there(plays: Page, chorales: Page) -> None:
    for page, more in ((plays, "position"), (chorales, "voice-leading")):
        assert all(len(words(page.section(name))) > 40 for name in [*ALWAYS, more])
    data = said(plays.section("data"))
    assert "shakespeare: 1,115,394 characters in one document." in data and "970,393 (87.0 %)" in data
    assert "characters; a vocabulary of 67" in data and "< 0.1 % of the test part’s characters are not" in data
    assert (
        "streams: stretches of 128 characters, the state carried" in data
        and "Two odd passages noticed and kept." in data
    )
    data = said(chorales.section("data"))
    assert "jsb: 23,210 frames in 382 pieces." in data and "one frame a quarter note, of 88 pitches" in data
    assert "up to five semitones higher and lower" in data and "pieces22976" in data.replace(" ", "")
    assert 'id="position"' not in chorales.source and 'id="voice-leading"' not in plays.source


def test_what_the_source_holds_is_told_in_its_own_units() -> None:
    assert units.holds(text(unit="word")) == "1,115,394 characters and 1,115,394 words in one document"
    assert units.holds(text(corpus={"documents": 3, "characters": None})) == "1,115,394 characters in three documents"
    assert units.holds(text(corpus=None, splits=None)) == ""
    events = music(representation="tokens", unit="event")
    assert units.holds(events) == "23,210 steps in 382 pieces"
    assert "grid</dt><dd>one step a quarter note" in Page(render(events)).section("data")
    for part in events["splits"]:
        part["tokens"] = 10_000
    assert units.holds(events) == "30,000 events in 382 pieces"
    assert units.each({"unit": "event"}) == "an event" and units.each({}) == "a token"


def test_the_head_tells_losses_and_what_is_between_them(plays: Page, chorales: Page) -> None:
    assert re.search(
        rf"the model1\.461 natsa character; perplexity 4\.31; fitted in 3 min 31 s ?{NGRAM}1\.669 nats", head(plays)
    )
    assert f"the model less the {NGRAM}−0.208 nats−0.214 to −0.202 (95 % interval)" in head(plays)
    assert f"{UNIGRAM}3.317 nats" in head(plays)
    found = head(chorales)
    assert f"{MARKOV}9.412 natsa frame; fitted in 0.30 s" in found and f"{FREQUENCIES}11.070 nats" in found
    assert "perplexity" not in found


def test_the_lowest_loss_and_the_highest_share_are_marked() -> None:
    made = text()
    assert [head for head, _ in tables.metrics(made, made["metrics"]).heads] == [
        *("loss", "loss in 64", "loss in 256", "perplexity", "bits", "top 1", "top 5", "skill", "fitted in")
    ]
    lines = tables.metrics(made, made["metrics"]).lines
    assert [[cell.best for cell in line.cells[:8]] for line in lines] == [[False] * 8, [False] * 8, [True] * 8]
    made["metrics"][1].update(loss=1.4611, top_1=0.9)
    cells = [line.cells for line in tables.metrics(made, made["metrics"]).lines]
    assert [c[0].text for c in cells] == ["3.317", "1.461", "1.461"] and [c[0].best for c in cells] == [0, 1, 1]
    assert [c[5].best for c in cells] == [False, True, False]
    made = music()
    assert [h for h, _ in tables.metrics(made, made["metrics"]).heads] == ["loss", "accuracy", "skill", "fitted in"]


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (-0.09, -0.03, "It needs 0.060 nats a character less than the n-grams (95 % interval −0.090 to −0.030)."),
        (0.03, 0.09, "It needs 0.060 nats a character more than the n-grams (95 % interval +0.030 to +0.090)."),
        (-0.01, 0.03, "It cannot be told from the n-grams: +0.010 nats a character"),
        (-0.02, 0.0, "It cannot be told from the n-grams"),
    ],
)
def test_no_difference_is_claimed_that_the_interval_does_not_bear(low: float, high: float, told: str) -> None:
    made = text(comparison=[{"name": NGRAM, "difference": (low + high) / 2, "low": low, "high": high}])
    assert told in Page(render(made)).text.replace("\xa0", " ")
    assert told in model_card(made).replace("\xa0", " ")


def test_the_picture_of_contexts_spreads_doublings_evenly(plays: Page) -> None:
    drawn = plays.section("position")
    wide = drawn.split("<svg")[1]
    (path,) = re.findall(r'<path class="line model" d="([^"]+)"', wide)
    xs = [float(x) for x, _ in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]
    assert len(xs) == 9 and [b - a for a, b in pairwise(xs)] == pytest.approx([(xs[-1] - xs[0]) / 8] * 8, abs=0.11)
    assert "from 3.317 at place 1 to 1.499 at place 256" in said(drawn)


def test_a_model_that_reaches_less_far_has_a_shorter_line() -> None:
    made = text()
    made["by_position"]["curves"][TAG][7:] = [None, None]
    assert "to 1.562 at place 64" in said(Page(render(made)).section("position"))
    made["by_position"]["curves"][TAG] = [None] * 9
    found = Page(render(made)).section("position")
    assert "line model" not in found and "line ridge" in found and "finite" not in found


def test_what_was_written_is_set_apart_from_what_was_given(plays: Page) -> None:
    cards = re.findall(r'<article class="writing">.*?</article>', plays.section("samples"), re.S)
    assert len(cards) == 5 and cards[-1] in plays.section("samples").partition("one sample more")[2]
    assert '<span class="prompt">ROMEO:</span>\nWhat say you, sir? and let the sun be gone\nThat' in cards[0]
    assert "temperature 0.8 · top k 20 · seed 0" in cards[0] and "top k" not in cards[1]
    assert "<low> &amp; cold;\n  I will" not in cards[0] and "&lt;low&gt; &amp; cold;\n  I will" in cards[0]
    assert 'class="prompt"' not in cards[1]
    assert re.search(r"\.writing blockquote \{ white-space: pre-wrap; \}", plays.source)


def test_a_long_text_is_cut_and_an_empty_one_is_told() -> None:
    cards = Page(render(difficult()["long texts"])).section("samples")
    assert "… and 498,000 characters more" in cards and cards.count("word ") < 10 * LONGEST / 5
    empty = Page(render(text(samples=[{"prompt": "The", "text": "", "settings": None}])))
    assert "Nothing was written." in empty.section("samples")


def test_pieces_have_their_files_beside_them(chorales: Page) -> None:
    links = [a["href"] for a in chorales.attributes("a")]
    assert links[:2] == ["./music/1%20%26%20only.mid", "./music/1.wav"] and len(links) == 4
    assert {a["href"] for a in Page(render(evil_music())).attributes("a")} >= {
        "./javascript%3Aalert%281%29",
        ".///example.org/a.wav",
    }


def test_voice_leading_stands_beside_the_test_pieces(chorales: Page) -> None:
    found = tables.voice_leading(music())
    assert found is not None and [h for h, _ in found.heads] == ["written", "test pieces"]
    assert [(line.name, *(c.text for c in line.cells)) for line in found.lines] == [
        ("voice crossings", "0.6 (4)", "0.7 (31)"),
        ("parallel fifths", "1.7 (11)", "0.3 (12)"),
        ("parallel octaves", "0.9 (6)", "0.1 (5)"),
        ("notes out of key", "8.1 (52)", "8.5 (402)"),
        ("frames looked at", "640", "4,720"),
    ]
    assert "one parallel fifth, two parallel octaves and no notes out of key" in said(chorales.section("samples"))
    without = music()
    without["voice_leading"]["generated"]["frames"] = 0
    cells = tables.voice_leading(without).lines[0].cells  # type: ignore[union-attr]
    assert [c.text for c in cells] == ["–", "0.7 (31)"]


def test_texts_and_names_are_text_and_never_markup() -> None:
    for made in (evil(), evil_music()):
        texts_are_no_markup(Page(render(made)), model_card(made))


@pytest.mark.parametrize("case", difficult())
def test_it_stands_what_records_bring(case: str) -> None:
    made = difficult()[case]
    stands(made, render)
    assert model_card(made).startswith("# ")


def test_what_has_no_finite_loss_is_an_alarm() -> None:
    found = Page(render(difficult()["nothing finite"]))
    assert f"The loss of {TAG} is not a finite number." in found.text
    assert "The model has no finite loss." in found.section("position")


def test_a_sample_is_marked_everywhere() -> None:
    for made in (text(sample=True), music(sample=True)):
        found = Page(render(made))
        assert all("SAMPLE" in found.section(name) for name in ALWAYS)
        pictures = re.findall(r'<svg viewBox[^>]*role="img".*?</svg>', found.source, re.S)
        assert pictures and all("SAMPLE" in p for p in pictures)
        assert "SAMPLE" in model_card(made)
    assert "SAMPLE" not in render(text()) + model_card(text()) + render(music())


def test_it_can_be_read_aloud(plays: Page, chorales: Page) -> None:
    can_be_read_aloud(plays)
    can_be_read_aloud(chorales)


def test_who_wrote_it_is_said_where_a_baseline_is_shipped() -> None:
    found = Page(render(difficult()["the counts are exported"]))
    assert "Exported, and offered to the registry, is the n-grams, not the trained model." in found.text
    assert "Written by the n-grams, which is exported, not by the trained model." in found.section("samples")
    assert f"{NGRAM} (exported)1.669 nats" in head(found)


def test_the_drawing_says_what_goes_in_and_comes_out() -> None:
    ends = [(d.enters, d.leaves) for d in map(diagram, (text(), music())) if d]
    assert ends == [("the characters so far", "the next character"), ("the frames so far", "the next frame")]
    harmonised = music()
    harmonised["pieces"]["given"] = "soprano"
    drawn = diagram(harmonised)
    assert drawn is not None and (drawn.enters, drawn.leaves) == ("the soprano", "the notes of the other voices")
    assert "Writes the other voices to a given soprano" in model_card(harmonised)
    assert "the soprano; the notes below it are to be found" in Page(render(harmonised)).section("data")


def test_the_card_says_what_it_is_for_and_where_it_ends() -> None:
    card = model_card(text()).replace("\xa0", " ")
    for title in ("Intended use", "Data", "Metrics", "Exports", "Limits", "Run it again"):
        assert f"\n## {title}\n" in card
    assert "Writes text, character by character, from nothing or as the continuation of what is given" in card
    assert "losses in nats a character" in card and "Of a character that train does not hold" in card
    table = [line for line in card.splitlines() if line.startswith("|")]
    assert table[0].startswith("| candidate | loss | loss in 64 |") and table[2].startswith(f"| {UNIGRAM} | 3.317 |")
    assert len({line.count(" | ") for line in table[:5]}) == 1
    assert "not to be used" not in card
    loses = text()
    loses["metrics"][-1].update(skill=-0.1, error=3.6)
    assert "No better than the unigram: not to be used." in model_card(loses)
    assert "The n-grams is at least as good, and quicker to fit." in model_card(loses)
    card = model_card(music())
    assert "Writes music, frame by frame" in card and MUSIC_TAG.replace(">", "&gt;") in card
    assert "In 640 frames that it wrote were counted: four voice crossings, eleven parallel fifths" in card
