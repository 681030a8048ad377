"""What every page of a report promises, whatever it is of."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from tests.pipelines.report.pages import Page

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
#: Nothing is loaded from anywhere.
LOADED = {"script", "link", "iframe", "img", "object", "audio", "image", "use"}
SHAPES, PLACES = ("rect", "circle", "text"), ("x", "y", "cx", "cy", "width", "height")


def texts_are_no_markup(page: Page, card: str) -> None:
    """`EVIL` stands in the page as text, and nothing of it in the card but as code."""
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img"})
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")]
    assert EVIL in page.text and "\x00" not in page.source
    prose = "\n".join(line for line in card.splitlines() if not line.startswith("    "))
    assert "<" not in re.sub(r"`[^`\n]*`", "", prose)


def stands(made: dict[str, Any], render: Callable[[dict[str, Any]], str]) -> None:
    """The record has a page, before and after JSON, with nothing loaded and no drawing that breaks."""
    page = Page(render(made))
    assert made["title"] in page.text
    assert render(json.loads(json.dumps(made))) == page.source
    for tag, attrs in page.tags:
        assert tag not in LOADED
        for key in ("d", *PLACES):
            assert not re.search("nan|inf", str(attrs.get(key) or ""), re.I), (tag, attrs)
        if tag in SHAPES:
            assert all(math.isfinite(float(attrs[key] or 0)) for key in PLACES if key in attrs), (tag, attrs)
    names_stand_once(page)
    assert len(page.source) < 1_500_000


def names_stand_once(page: Page) -> None:
    """What links lead to."""
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def can_be_read_aloud(page: Page) -> None:
    """Pictures and tables say in words what they show."""
    small = ("skill", "key")
    pictures = [attrs for attrs in page.attributes("svg") if attrs.get("class") not in small]
    assert pictures and all(len(a["aria-label"] or "") > 30 and a["role"] == "img" for a in pictures)
    assert all(a.get("aria-hidden") == "true" for a in page.attributes("svg") if a.get("class") in small)
    assert all("scope" in a for a in page.attributes("th"))
    assert page.source.count("<caption") == page.source.count("<table")
    names_stand_once(page)
