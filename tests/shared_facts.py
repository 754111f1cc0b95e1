"""The fact base beside the checkout: other people's examples and recordings, read in place and never copied.

Most checkouts have none; tests that read it carry ``needs_facts`` and are skipped there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
FACTS = REPOSITORY.parent / "shared" / "binance"

needs_facts = pytest.mark.skipif(not FACTS.is_dir(), reason="no fact base: it is looked for in ../shared/binance")


def found(pattern: str) -> list[Path]:
    """Files of the fact base, sorted; none where there is no fact base."""
    return sorted(FACTS.glob(pattern)) if FACTS.is_dir() else []


def name_of(path: Path) -> str:
    """How a test calls a file: its path within the fact base."""
    return path.relative_to(FACTS).as_posix()


def load(path: str | Path) -> Any:
    return json.loads((FACTS / path).read_bytes())
