"""The schema of ``market_data`` and its example, read in place beside the checkout; most checkouts have neither."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
    # References are looked up each time, which is most of the work; none of these definitions refers to itself.
    kind = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"items": _items})
    return kind(_inlined(schema, schema["$defs"]))


_VALID: set[tuple[int, str]] = set()
"""Rows, each with the schema that it was found valid by."""


def _items(
    validator: Any, items: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[jsonschema.ValidationError]:
    """The keyword ``items``, with a row that was found valid once looked at once: polls bring most rows again."""
    if items is False or "prefixItems" in schema or not isinstance(instance, list):
        yield from jsonschema.Draft202012Validator.VALIDATORS["items"](validator, items, instance, schema)
        return
    for index, item in enumerate(instance):
        key = (id(items), repr(item))
        if key not in _VALID:
            found = list(validator.descend(item, items, path=index))
            yield from found
            if not found:
                _VALID.add(key)


def _inlined(node: Any, definitions: Mapping[str, Any]) -> Any:
    """A schema with its definitions in the place of the references to them."""
    if isinstance(node, list):
        return [_inlined(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    own = {key: _inlined(value, definitions) for key, value in node.items() if key not in ("$defs", "$ref")}
    name = node.get("$ref")
    return own if name is None else {**_inlined(definitions[name.removeprefix("#/$defs/")], definitions), **own}


def problems(view: Mapping[str, Any]) -> list[str]:
    """What the schema says against a JSON view."""
    return [f"{error.json_path}: {error.message[:200]}" for error in validator().iter_errors(view)]


def examples() -> list[Path]:
    return sorted((FACTS / "examples").glob("*.json")) if FACTS.is_dir() else []
