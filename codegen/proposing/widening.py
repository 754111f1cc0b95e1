"""Which types take what was seen besides what the spec has, and what stands where nobody has found words yet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from codegen.documents import FILL

_DIGITS = re.compile(r"[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_KEY = re.compile(r"^ +(?:- )?(?P<key>\w+):")
_MARKED_NAME, _MARKED_TYPE = f"name: {FILL}", re.compile(rf"type: (?:list<)?{FILL}>?")
_MARKED = re.compile(rf'"{FILL}\b[^"]*"|\b{FILL}\b[^,}}\n]*')
_WHOLE = ("int", "id", "time", "time_or_digits")


def wider(spec: str, seen: Any) -> str:
    """The type that takes what the spec says as well as what was seen; empty where none but ``any`` does."""
    is_number = isinstance(seen, (int, float)) and not isinstance(seen, bool)
    is_decimal = isinstance(seen, str) and _DECIMAL.fullmatch(seen) is not None
    if spec == "time" and isinstance(seen, str) and _DIGITS.fullmatch(seen):
        return "time_or_digits"
    if spec in _WHOLE and isinstance(seen, float):
        return "number"
    if (spec == "decimal" and is_number) or (spec in ("number", "int", "id") and is_decimal):
        return "decimal_or_number"
    return "string" if spec in ("decimal", "symbol") and isinstance(seen, str) else ""


def fits(type_: str, value: Any) -> bool:
    """Whether a value may stand at a position of this type."""
    if type_ in _WHOLE:
        return isinstance(value, int) and not isinstance(value, bool)
    if type_ == "decimal":
        return isinstance(value, str) and _DECIMAL.fullmatch(value) is not None
    return type_ == "any" or isinstance(value, str)


def common_ending(names: list[str]) -> str:
    """The words in which all of the names end: ``Filter``."""
    words = [re.findall(r"[A-Z][a-z0-9]*", name) for name in names]
    ending: list[str] = []
    for column in zip(*(reversed(one) for one in words), strict=False):
        if len(set(column)) > 1:
            break
        ending.insert(0, column[0])
    return "".join(ending)


def stand_in(key: str) -> str:
    """A name for what has none: keys of one letter may be there twice, small and large."""
    return f"undocumented_{key.lower()}{'_upper' if key.isupper() else ''}"


def filled(lines: Sequence[str]) -> list[str]:
    """Lines of drafted schemas, with something in the place of each mark."""
    found: list[str] = []
    for number, line in enumerate(lines):
        match = _KEY.match(line)
        key = match["key"] if match and match["key"] not in ("description", "name") else ""
        line = line.replace(_MARKED_NAME, f"name: {stand_in(key or str(number))}")
        line = _MARKED_TYPE.sub("type: any", line)
        found.append(_MARKED.sub(f'"Undocumented `{key}`."' if key else '"Undocumented."', line))
    return found
