"""The glossary of CONTRIBUTING: each word once, with a place that exists."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (
    (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Words that are ours")[2].partition("\n## ")[0]
)
ROWS = re.findall(r"^\| ([^|`]+) \| ([^|]+) \| `([^`|]+)` \|$", PAGE, re.MULTILINE)


def test_every_line_of_the_table_is_understood() -> None:
    assert len(ROWS) == PAGE.count("\n| ") - 1 > 20
    words = [word.strip() for row in ROWS for word in row[0].split(",")]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("where", sorted({where for _, _, where in ROWS}))
def test_what_it_points_at_exists(where: str) -> None:
    if where.startswith("binance_sdk."):
        module, _, name = where.rpartition(".")
        assert hasattr(import_module(module), name)
        return
    # Without the name of the package in front, for short.
    assert (ROOT / where).exists() or (ROOT / "binance_sdk" / where).exists()
