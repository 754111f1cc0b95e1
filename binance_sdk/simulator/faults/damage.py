"""Answers and events that are well-formed JSON, but not what the exchange documents."""

from __future__ import annotations

import json
from typing import Any, cast

from binance_sdk.simulator.json_text import json_text

_FAR = 10**9
_IDS = ("a", "t", "u")


def newest_first(body: bytes) -> bytes:
    """A list the wrong way round; anything else as it is."""
    rows: object = json.loads(body)
    return json_text(cast("list[object]", rows)[::-1]) if isinstance(rows, list) else body


def bad_row(body: bytes) -> bytes:
    """A list whose middle row has ``""`` for its first number; of an object, its own first number is."""
    whole: object = json.loads(body)
    if not isinstance(whole, list):
        return json_text(_emptied(whole))
    rows = cast("list[object]", whole)
    middle = len(rows) // 2
    return json_text([*rows[:middle], *map(_emptied, rows[middle : middle + 1]), *rows[middle + 1 :]])


def _emptied(row: object) -> object:
    if isinstance(row, list):
        values = cast("list[object]", row)
        place = next((n for n, value in enumerate(values) if _is_number(value)), None)
        return values if place is None else [*values[:place], "", *values[place + 1 :]]
    if isinstance(row, dict):
        fields = cast("dict[str, object]", row)
        name = next((name for name, value in fields.items() if _is_number(value)), None)
        if name is not None:
            return {**fields, name: ""}
        return {name: _emptied(fields[name]) if isinstance(fields[name], dict) else fields[name] for name in fields}
    return row


def _is_number(value: object) -> bool:
    return isinstance(value, str) and value.replace(".", "", 1).removeprefix("-").isdecimal()


def from_the_future(event: bytes) -> bytes:
    """An event whose ids are a billion ahead."""
    whole: object = json.loads(event)
    if not isinstance(whole, dict):
        return event
    fields = cast("dict[str, Any]", whole)
    return json_text(
        {name: value + _FAR if name in _IDS and type(value) is int else value for name, value in fields.items()}
    )
