"""What pydantic needs for the type of an answer or an event: its adapter, and a validator that reads JSON alone."""

from __future__ import annotations

from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic_core import CoreConfig, CoreSchema, SchemaValidator

from binance_sdk._runtime.locks import IMPORTING

CACHE_STRINGS: Literal["keys"] = "keys"
"""Names of fields come again and again; prices hardly ever do, and to look each up costs a sixth of a decode."""
_NO_SCHEMAS = frozenset({"cls", "config", "default", "expected", "metadata", "serialization"})
"""Keys of a core schema whose values hold none."""


def type_adapter(type_: object) -> TypeAdapter[Any]:
    """Built with the same setting as the models, which bring their own where they stand alone."""
    alone = isinstance(type_, type) and issubclass(cast("type[object]", type_), BaseModel)
    config = None if alone else ConfigDict(cache_strings=CACHE_STRINGS)
    with IMPORTING:
        # Pydantic imports some of itself only now.
        return TypeAdapter[Any](cast("type[Any]", type_), config=config)


def json_validator(adapter: TypeAdapter[Any]) -> SchemaValidator:
    """Reads what the adapter reads, from JSON alone, and stops at the first bad item of each array.

    Without the half that serves Python values it is a fifth faster, and without an error for each of a million bad
    items a small body cannot take minutes and gigabytes.
    """
    # As a dict, for a model that is built at its first use gives a mapping that builds it when it is read.
    schema = cast("CoreSchema", _json_only(dict(adapter.core_schema)))
    fail_early(schema)
    config = CoreConfig(cache_strings=CACHE_STRINGS)
    try:
        # Not what a model has built for itself meanwhile.
        return SchemaValidator(schema, config, _use_prebuilt=False)
    except TypeError:
        # The oldest pydantic knows no such argument; it takes what a model has built, which reads the same, slower.
        return SchemaValidator(schema, config)


def _json_only(node: object) -> Any:
    if isinstance(node, list):
        return [_json_only(item) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    found = cast("dict[str, Any]", node)
    if found.get("type") == "json-or-python":
        kept = _json_only(found["json_schema"])
        return {**kept, "ref": found["ref"]} if "ref" in found else kept
    return {key: value if key in _NO_SCHEMAS else _json_only(value) for key, value in found.items()}


def fail_early(schema: CoreSchema) -> None:
    """Make the arrays and maps of a schema stop at their first bad item."""
    todo: list[object] = [schema]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            found = cast("dict[str, object]", node)
            if found.get("type") in ("list", "dict"):
                found["fail_fast"] = True
            todo += [value for key, value in found.items() if key not in _NO_SCHEMAS]
        elif isinstance(node, list):
            todo += cast("list[object]", node)
