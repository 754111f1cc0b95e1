"""Type expressions of the spec: ``list<Kline>``, ``map<decimal>``, ``decimal``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

SCALARS = (
    "int",
    "id",
    "time",
    "time_or_digits",
    "decimal",
    "number",
    "decimal_or_number",
    "string",
    "symbol",
    "bool",
    "any",
)

_SLIPS = {
    "array": "list<...>",
    "boolean": "bool",
    "date": "time",
    "datetime": "time",
    "dict": "map<...>",
    "double": "decimal",
    "float": "decimal",
    "integer": "int",
    "list": "list<...>",
    "long": "int",
    "map": "map<...>",
    "object": "map<...>",
    "str": "string",
    "timestamp": "time",
}
"""What people write from habit."""

_DEEPEST = 10
_CONTAINER = re.compile(r"^(list|map)<(.+)>$")
_NAME = re.compile(r"^[A-Z][A-Za-z0-9]*$")


@dataclass(frozen=True)
class TypeRef:
    """``kind`` is scalar, name (an enum or schema), list or map; containers have an ``item``."""

    kind: Literal["scalar", "name", "list", "map"]
    name: str = ""
    item: TypeRef | None = None

    @property
    def leaf(self) -> TypeRef:
        return self if self.item is None else self.item.leaf


@lru_cache(maxsize=1024)
def parse_type(text: str) -> TypeRef:
    """Parse a type expression.

    Raises:
        ValueError: saying what was expected.
    """
    text = text.strip()
    if text.count("<") > _DEEPEST:
        raise ValueError(f"more than {_DEEPEST} lists and maps lie in each other")
    if match := _CONTAINER.match(text):
        return TypeRef("list" if match[1] == "list" else "map", item=parse_type(match[2]))
    if text in SCALARS:
        return TypeRef("scalar", text)
    if _NAME.match(text):
        return TypeRef("name", text)
    inner = re.sub(r"[^A-Za-z_]", " ", text).split()
    hint = _SLIPS.get(inner[-1]) if inner else None
    if hint is not None:
        raise ValueError(f"`{text}` is no type; did you mean `{hint}`?")
    raise ValueError(
        f"`{text}` is no type; write {', '.join(SCALARS)}, the name of an enum or schema, list<...> or map<...>"
    )
