"""The reply of the script, checked value by value: whatever can write to the store can write what is read here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from binance_sdk._runtime.budget.shared.leased_windows import Snapshot

T = TypeVar("T")
Table = dict[str, dict[int, int]]
"""Limits by kind (weight, or the name of a group) and length in seconds."""

_MOST = 10**15
_LONGEST = 200
_GRANTED = re.compile("[01]*")


class ReplyError(Exception):
    """The store answered something that the script never answers."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the store says to one message. ``now`` is its time; ``closed`` and ``banned`` are seconds from then."""

    granted: tuple[bool, ...]
    """For each want, in order."""
    short: Mapping[str, tuple[float | None, int]]
    """Windows without room: seconds until there may be some, if that is known, and the amount that was refused."""
    taken: Mapping[str, Snapshot]
    used: Mapping[str, int]
    table: Table | None
    """Limits in force, where the message named others."""
    version: str
    """Of those limits."""
    settled: int
    """Number of the last ending that counts."""
    doubted: bool
    """It does not know what was spent in a running window."""
    live: int
    """Processes."""
    shares: float
    """Of all of them."""
    now: float
    closed: float
    banned: float
    reason: str


def read_reply(text: bytes | str) -> Reply | str:
    """A reply, or its only word: ``stale`` (overtaken by a later message) or ``unknown`` (limits are to be told).

    Raises:
        ReplyError: it is neither.
    """
    try:
        found: object = json.loads(text)
    except ValueError as error:
        raise ReplyError(f"not JSON: {error}") from error
    fields = read_object(found, "reply")
    for word in ("stale", "unknown"):
        if fields.get(word) is True:
            return word
    now = read_text(fields, "now")
    granted = read_text(fields, "granted")
    if _GRANTED.fullmatch(granted) is None:
        raise ReplyError(f"granted={granted[:20]!r}")
    return Reply(
        granted=tuple(flag == "1" for flag in granted),
        short=read_each(fields, "short", _short),
        taken=read_each(fields, "taken", lambda row, name: _snapshot(row, name, now)),
        used=read_each(fields, "used", read_count),
        table=_table(fields["table"]) if "table" in fields else None,
        version=read_text(fields, "version"),
        settled=read_count(fields.get("settled"), "settled"),
        doubted=read_flag(fields.get("doubted"), "doubted"),
        live=read_count(fields.get("live"), "live"),
        shares=read_number(fields.get("shares"), "shares", 1e-9),
        now=_time(now),
        closed=read_number(fields.get("closed"), "closed"),
        banned=read_number(fields.get("banned"), "banned"),
        reason=read_text(fields, "reason"),
    )


def read_object(value: object, name: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ReplyError(f"{name} is no object")
    return cast("dict[str, object]", value)


def read_each(fields: dict[str, object], name: str, read: Callable[[object, str], T]) -> dict[str, T]:
    return {key: read(value, f"{name}.{key}") for key, value in read_object(fields.get(name), name).items()}


def read_row(value: object, name: str, length: int) -> list[object]:
    if not isinstance(value, list) or len(cast("list[object]", value)) != length:
        raise ReplyError(f"{name} is no list of {length}")
    return cast("list[object]", value)


def read_number(value: object, name: str, least: float = 0.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= _MOST:
        raise ReplyError(f"{name} is no number from {least:g} on")
    return float(value)


def read_count(value: object, name: str, least: int = 0) -> int:
    number = read_number(value, name, least)
    if number != int(number):
        raise ReplyError(f"{name} is no whole number")
    return int(number)


def read_flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise ReplyError(f"{name} is neither true nor false")
    return value


def read_text(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        raise ReplyError(f"{name} is no short text")
    return value


def _time(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < _MOST:
        raise ReplyError("now is no time")
    return value


def _short(value: object, name: str) -> tuple[float | None, int]:
    row = read_row(value, name, 2)
    seconds = read_number(row[0], name, -1.0)
    return (None if seconds < 0 else seconds), read_count(row[1], name)


def _snapshot(value: object, name: str, at: str) -> Snapshot:
    row = read_row(value, name, 5)
    index, unreported, reported, resets = (read_count(part, name, -1) for part in row[:4])
    return Snapshot(index, unreported, reported, resets, at, read_flag(row[4], name))


def _table(value: object) -> Table:
    table: Table = {}
    for kind, row in read_object(value, "table").items():
        pairs = read_row(row, f"table.{kind}", 2)[1]
        if not isinstance(pairs, list) or not pairs:
            raise ReplyError(f"table.{kind} has no limit")
        limits = table[kind] = {}
        for pair in cast("list[object]", pairs):
            seconds, limit = read_row(pair, f"table.{kind}", 2)
            limits[read_count(seconds, f"table.{kind}", 1)] = read_count(limit, f"table.{kind}", 1)
    return table
