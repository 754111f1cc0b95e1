"""Answers and events that are JSON as it should be, and yet not what the exchange documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

_FAR = 10**9
_IDS = ("a", "t", "u")
_COIN_M = {"s": "BTCUSD_PERP", "ps": "BTCUSD", "st": 2}


def newest_first(body: bytes) -> bytes:
    """A list the wrong way round; anything else as it is."""
    rows: object = json.loads(body)
    return _text(cast("list[object]", rows)[::-1]) if isinstance(rows, list) else body


def bad_row(body: bytes) -> bytes:
    """A list whose middle row has ``""`` for its first number; of an object, its own first number is."""
    whole: object = json.loads(body)
    if not isinstance(whole, list):
        return _text(_emptied(whole))
    rows = cast("list[object]", whole)
    middle = len(rows) // 2
    return _text([*rows[:middle], *map(_emptied, rows[middle : middle + 1]), *rows[middle + 1 :]])


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

    def later(fields: dict[str, Any]) -> dict[str, Any]:
        return {name: value + _FAR if name in _IDS and type(value) is int else value for name, value in fields.items()}

    return _changed(event, later)


def coin_m(event: bytes) -> bytes:
    """The event of an all-market stream as that of a COIN-M contract; of a list, with such a row at its end."""
    whole: object = json.loads(event)
    if isinstance(whole, list):
        rows = cast("list[object]", whole)
        return _text([*rows, *(_coin_m(row) for row in rows[:1])])
    return _text(_coin_m(whole))


def _coin_m(event: object) -> object:
    if not isinstance(event, dict):
        return event
    fields = cast("dict[str, Any]", event)
    if isinstance(fields.get("o"), dict):
        # A liquidation names its symbol in the order.
        return {**fields, "o": {**fields["o"], "s": _COIN_M["s"]}, "ps": _COIN_M["ps"], "st": _COIN_M["st"]}
    return {**fields, **_COIN_M}


def _changed(event: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    whole: object = json.loads(event)
    return _text(change(cast("dict[str, Any]", whole))) if isinstance(whole, dict) else event


def _text(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
