"""The tiny spec, ready to be broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import TinySpec


@pytest.fixture
def tiny(tmp_path: Path) -> TinySpec:
    return TinySpec(tmp_path)
