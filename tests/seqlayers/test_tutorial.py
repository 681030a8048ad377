"""The tutorial does what it says: its blocks run as they stand and print what stands in them, and its links lead on."""

from __future__ import annotations

import ast
import itertools
import re

import pytest

from seqlayers import slots
from tests.seqlayers import tutorial
from tests.seqlayers.tutorial_pictures import DRAWN

BLOCKS = tutorial.blocks()
TEXT = tutorial.PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def read():
    """What each block prints, or the error that it ends in, and which pictures can be drawn: read once, in order."""
    kinds = dict(slots.catalogue()["encoder"])
    names, found = {"__name__": "tutorial"}, {}
    for section, blocks in itertools.groupby(BLOCKS, lambda block: block.section):
        for block in blocks:
            try:
                found[block] = tutorial.run(block, names)
            except Exception as error:
                found[block] = error
        for picture in tutorial.pictures(section):
            try:
                found[picture] = DRAWN[picture](names)
            except Exception as error:
                found[picture] = error
    yield found
    slots.catalogue()["encoder"].clear()  # of the kind that the tutorial adds
    slots.catalogue()["encoder"].update(kinds)


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_prints_what_stands_in_it(block, read):
    if isinstance(read[block], Exception):
        raise read[block]
    assert tutorial.same(read[block], block.printed), f"printed:\n{read[block]}\nbut there stands:\n{block.printed}"


@pytest.mark.slow
@pytest.mark.parametrize("picture", DRAWN)
def test_a_picture_can_be_drawn_from_what_the_blocks_leave(picture, read):
    if isinstance(read[picture], Exception):
        raise read[picture]


def test_every_picture_is_there_and_small_and_in_the_tutorial():
    linked = re.findall(r"^!\[[^\]]{20,}\]\(pictures/([^)]+)\)$", TEXT, re.MULTILINE)  # with a description
    assert sorted(linked) == sorted(DRAWN) == sorted(file.name for file in tutorial.PICTURES.iterdir())
    assert [name for name in linked if (tutorial.PICTURES / name).stat().st_size > 60 * 1024] == []


def test_every_link_leads_to_a_file():
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(links) > 30
    assert [link for link in links if not (tutorial.PAGE.parent / link).is_file()] == []


def test_equations_hold_nothing_that_markdown_would_take_for_its_own():
    equations = re.findall(r"\$\$?[^$]+\$\$?", tutorial.BLOCK.sub("", TEXT))
    assert len(equations) > 20
    assert [equation for equation in equations if re.search(r"\\[^a-zA-Z]|[^\w]_|\*", equation)] == []


def test_blocks_import_only_what_the_layers_themselves_need():
    for block in BLOCKS:
        imports = [node for node in ast.walk(ast.parse(block.code)) if isinstance(node, ast.Import | ast.ImportFrom)]
        modules = {getattr(node, "module", None) or node.names[0].name for node in imports}
        assert {module.partition(".")[0] for module in modules} <= {"keras", "numpy", "seqlayers"}, block


def test_what_is_stated_is_held_to_its_last_digit():
    assert tutorial.same("off by 0.2\n2 steps", "off by 0.1\n2  steps")
    assert not tutorial.same("off by 0.3", "off by 0.1")
    assert not tutorial.same("off by 0.1", "is 0.1")
    assert not tutorial.same("3 steps", "2 steps")
    assert tutorial.same("3e-11 is left", "9e-12 is left") and not tutorial.same("3e-13 is left", "9e-12 is left")
