"""The schema of ``market_data`` and its example, read in place beside the checkout; most checkouts have neither."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

FACTS = Path(__file__).resolve().parents[3] / "shared" / "virtuoso"

needs_schema = pytest.mark.skipif(
    not FACTS.is_dir(), reason="no schema of market_data: it is looked for in ../shared/virtuoso"
)


@cache
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((FACTS / "market_data.schema.json").read_text("utf-8"))
    return jsonschema.Draft202012Validator(schema)


def problems(view: Mapping[str, Any]) -> list[str]:
    """What the schema says against a JSON view."""
    return [f"{error.json_path}: {error.message[:200]}" for error in validator().iter_errors(view)]


def examples() -> list[Path]:
    return sorted((FACTS / "examples").glob("*.json")) if FACTS.is_dir() else []
