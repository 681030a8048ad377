"""The documentation's table of capabilities is what the cases say."""

from __future__ import annotations

import pytest

from seqlayers import slots
from seqlayers.testing import CHECKS, ELSEWHERE
from tests.seqlayers import capabilities


@pytest.mark.slow
def test_the_page_is_up_to_date():
    written = capabilities.PAGE.read_text(encoding="utf-8")
    assert written == capabilities.table(), "run: python -m tests.seqlayers.capabilities"


def test_every_kind_has_a_row_and_every_column_a_check():
    written = capabilities.PAGE.read_text(encoding="utf-8")
    for kinds in slots.catalogue().values():
        for kind in kinds:
            assert f"\n| `{kind}` |" in written
    assert set(capabilities.COLUMNS.values()) <= {*CHECKS, *ELSEWHERE}
