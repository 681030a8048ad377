"""What the report of a classifier promises: complete, safe with any text, and readable by eye and by ear."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.report import model_card, write_report
from pipelines.report.classify import tables
from pipelines.report.classify.page import render
from tests.pipelines.report.pages import Page, words
from tests.pipelines.report.promises import can_be_read_aloud, stands, texts_are_no_markup
from tests.pipelines.report.texts import difficult, evil
from tests.pipelines.text_records import BAYES, MAJORITY, TAG, TOPICS, record

SECTIONS = ["data", "metrics", "reliability", "threshold", "ranking", "classes", "mistakes", "model", "learning"]


@pytest.fixture(scope="module")
def reviews() -> Page:
    return Page(render(record()))


def lines(source: str) -> list[str]:
    return re.findall(r"<tr role=\"row\".*?</tr>", source.split("<details>")[0], re.S)[1:]


def test_the_family_of_a_record_chooses_its_page_and_its_card(tmp_path: Path) -> None:
    made = record(tested=200)
    write_report(made, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == render(made)
    assert "| classifier | accuracy |" in model_card(made)
    with pytest.raises(KeyError, match="translate"):
        model_card(made | {"family": "translate"})


def test_every_part_is_there(reviews: Page) -> None:
    for name in [*SECTIONS, "exports", "checks", "reproduce"]:
        assert len(words(reviews.section(name))) > 40, name
    data = words(reviews.section("data"))
    assert "imdb: 50,000 texts of two classes." in data and "2,803" in data and "12,500 (50.0 %)" in data
    assert "204 tokens in the median; 95 of 100 texts have 690 or fewer" in data
    assert "8.1 % of what is read in training" in data and "1.2 % of the test part’s tokens" in data
    assert (
        "123 repairs and two odd texts noticed and kept." in data and "96 texts of train are copies of another" in data
    )
    assert "50,000 further texts from more.jsonl; each epoch draws a label for each of them, by what “NB n-gr" in data
    assert "on the 24,877 texts of the test part that did not stand in train as well" in words(
        reviews.section("metrics")
    )


def test_the_highest_accuracy_and_the_lowest_loss_are_marked(reviews: Page) -> None:
    rows = lines(reviews.section("metrics"))
    assert [next(n for n in (MAJORITY, BAYES, TAG) if n in words(row)) for row in rows[:3]] == [MAJORITY, BAYES, TAG]
    assert [row.count("(best)") for row in rows[:2]] == [0, 0]
    cells = [words(c) for c in re.findall(r"<td.*?</td>", rows[2], re.S)]
    assert ["(best)" in c for c in cells[:4]] == [True] * 4
    made = record(tested=200)
    made["metrics"][1].update(accuracy=0.999, log_loss=0.01, f1=0.999, auc=0.999, skill=0.99, ece=0.0001)
    made["metrics"][0]["ece"] = 0.0
    rows = lines(Page(render(made)).section("metrics"))
    assert [row.count("(best)") for row in rows[:3]] == [0, 6, 0]  # a majority's calibration is not compared


def test_the_head_tells_accuracies_and_what_is_between_them(reviews: Page) -> None:
    made = record()
    ours, theirs = (made["metrics"][i]["accuracy"] for i in (2, 1))
    head = words(reviews.source[reviews.source.index('<ul class="tiles">') : reviews.source.index("</header>")])
    assert f"the model{100 * ours:.2f} %" in head and f"{BAYES}{100 * theirs:.2f} %" in head
    assert f"against the {BAYES}+{100 * (ours - theirs):.2f} points" in head


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.004, 0.016, "right 1.0 points more often than the NB n-grams (95 % interval +0.4 to +1.6); 40 texts only"),
        (-0.016, -0.004, "right 1.0 points less often than the NB n-grams (95 % interval −1.6 to −0.4)"),
        (-0.002, 0.022, "cannot be told from the NB n-grams"),
        (0.0, 0.02, "cannot be told from the NB n-grams"),
    ],
)
def test_no_difference_is_claimed_that_the_interval_does_not_bear(low: float, high: float, said: str) -> None:
    row = {"name": BAYES, "difference": (low + high) / 2, "low": low, "high": high, "better": 40, "worse": 30}
    found = Page(render(record(tested=400, comparison=[row])))
    assert said in found.text.replace("\xa0", " ")


def test_more_classes_have_no_threshold_and_no_roc_and_say_what_is_confused() -> None:
    found = Page(render(record(tested=2_000, classes=TOPICS)))
    assert 'id="threshold"' not in found.source and 'id="ranking"' not in found.source
    assert "AUC" not in found.section("metrics") and "No text, and no group" in found.text
    table = found.section("classes")
    assert table.count('class="right"') == 5 and table.count('class="wrong"') == 20
    assert "Most often confused" in table and re.search(r"\w+ taken for \w+: \d+", words(table))
    many = Page(render(difficult()["seventy-seven classes"])).section("classes")
    assert 'class="confusion"' not in many and "Most often confused" in many


def test_mistakes_show_the_words_that_drove_them(reviews: Page) -> None:
    cards = re.findall(r'<article class="mistake">.*?</article>', reviews.section("mistakes"), re.S)
    assert len(cards) == 7 and cards[-1] in reviews.section("mistakes").partition("one mistake more")[2]
    first = cards[0]
    assert "Labelled “negative”, read as “positive” with 99.8 % confidence" in words(first)
    assert re.search(r'<mark class="towards" style="--w:1.00">wonderful</mark>', first)
    assert re.search(r'<mark class="against" style="--w:0.92">disappointment</mark>', first)
    assert re.search(r'<mark class="towards" style="--w:0.31">not bad</mark>', first)
    assert "wonderful +1.31 · great +0.94" in words(first).replace("\xa0", " ")
    excerpt, whole = first.split("<details>")
    assert "Hardly." not in excerpt and whole.count("Hardly.") == 1
    assert "br /" not in words(first)
    assert "The text is empty." in cards[4] and "<mark" not in cards[4]
    assert ">好</mark>看" in cards[5] and "<details>" not in cards[5]


def test_texts_and_names_are_text_and_never_markup() -> None:
    texts_are_no_markup(Page(render(evil())), model_card(evil()))


@pytest.mark.parametrize("case", difficult())
def test_it_stands_what_records_bring(case: str) -> None:
    made = difficult()[case]
    stands(made, render)
    assert model_card(made).startswith("# ")


def test_a_sample_is_marked_everywhere() -> None:
    found = Page(render(record(tested=240, sample=True)))
    assert all("SAMPLE" in found.section(name) for name in [*SECTIONS, "exports", "checks", "reproduce"])
    pictures = re.findall(r'<svg viewBox[^>]*role="img".*?</svg>', found.source, re.S)
    assert len(pictures) == 2 * 6 and all("SAMPLE" in p for p in pictures)
    assert "SAMPLE" in model_card(record(tested=240, sample=True))
    assert "SAMPLE" not in render(record(tested=240)) + model_card(record(tested=240))


def test_it_can_be_read_aloud(reviews: Page) -> None:
    can_be_read_aloud(reviews)


def test_whose_pictures_they_are_is_said_where_a_baseline_is_shipped() -> None:
    found = Page(render(difficult()["the baseline is exported"]))
    assert "Exported, and offered to the registry, is the NB n-grams" in found.text.split("SHA-256")[0]
    assert "below are of the NB n-grams, which is exported, not of the trained model." in found.text
    assert '<path class="line ridge solid"' in found.section("reliability")
    assert "below are of" not in render(record(tested=200))


def test_the_temperature_is_told() -> None:
    assert "It was too sure: logits are divided by 1.42" in Page(render(record(tested=300))).text
    assert (
        "It was not sure enough: logits are divided by 0.80" in Page(render(record(tested=300, temperature=0.8))).text
    )
    assert "its confidence was right already" in Page(render(record(tested=300, temperature=1.01))).text


@pytest.mark.parametrize(
    ("chosen", "best", "said"),
    [
        (0.5, 0.47, "0.50 on (the likelier class). The accuracy on the validation part is highest from 0.47 on."),
        (0.47, 0.47, "0.47 on (the likelier class). There the accuracy on the validation part is highest."),
        (0.5, None, "0.50 on (the likelier class)."),
    ],
)
def test_the_threshold_is_told_beside_the_best_one(chosen: float, best: float | None, said: str) -> None:
    made = record(tested=300)
    made["threshold"] |= {"chosen": chosen, "best": best}
    text = words(Page(render(made)).section("threshold").partition("<figure>")[0] + "</div></section>")
    assert text.strip().endswith(f"A text is called “positive” from a probability of {said}")


def test_exports_tell_the_log_loss(reviews: Page) -> None:
    loss = f"{record()['metrics'][2]['log_loss']:.4f}"
    table = words(reviews.section("exports"))
    assert "log loss" in table and table.count(loss) == 4 and "MAE" not in table
    assert f"| {loss} |" in model_card(record()).replace("\xa0", " ")


def test_the_card_says_what_it_is_for_and_where_it_ends() -> None:
    card = model_card(record()).replace("\xa0", " ")
    for head in ("Intended use", "Data", "Metrics", "Exports", "Limits", "Run it again"):
        assert f"\n## {head}\n" in card
    assert "which of two classes it is: `negative`, `positive`" in card and "from a probability of 0.47 on" in card
    table = [line for line in card.splitlines() if line.startswith("|")]
    assert table[0].startswith("| classifier | accuracy | log loss |") and table[2].startswith(f"| {MAJORITY} |")
    assert len({line.count(" | ") for line in table[:5]}) == 1
    assert "texts of another domain" in card and "not to be used" not in card
    loses = record(tested=300)
    loses["metrics"][-1].update(skill=-0.1, error=0.6)
    assert "No better than the majority class: not to be used." in model_card(loses)
    assert "NB n-grams is at least as good, and quicker to fit" in model_card(loses)
    weak = record(tested=300, classes=TOPICS)
    weak["per_class"][3]["f1"] = 0.21
    assert "Much worse than the others it finds other (F1 21.0 %)." in model_card(weak).replace("\xa0", " ")
    weak["per_class"][3].update(precision=None, recall=None, f1=None, count=0)
    assert "Much worse than the others" not in model_card(weak)
    table = tables.per_class(weak)
    assert table is not None and [cell.text for cell in table.lines[3].cells] == ["–", "–", "–", "0"]
