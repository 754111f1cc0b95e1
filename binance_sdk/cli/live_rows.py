"""The rows of a live table: the newest messages, or the newest message of each symbol, as texts.

Messages are kept as events and turned into texts when they are drawn, which happens far less often.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Literal, cast

from pydantic import BaseModel

from binance_sdk.cli.formats import exact, moment, places_of, printable, utc

By = Literal["message", "symbol", "stream", "bar"]
"""What a row stands for."""
Cells = dict[str, str | Decimal]
"""A row: texts, and numbers that are aligned with those of other rows."""

_HIDDEN = frozenset({"event_type", "ignore", "is_best_match", "symbol_type"})
_TIMES = "time"
_NAMED_BY = ("symbol", "pair")
NAMES = ("stream", *_NAMED_BY)
"""Columns that identify a row."""
_MOST_KEPT = 500
"""Messages that are kept for a table of messages; no terminal has more lines."""


@dataclass(frozen=True)
class View:
    """How messages become rows.

    Attributes:
        by: What a row stands for.
        bar: For ``bar``: path of the attribute that tells bars apart, e.g. ``kline.open_time``.
    """

    by: By
    bar: str = ""


class LiveRows:
    """Keeps the messages of a stream that a table shows."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.seen: int = 0
        self._log: deque[object] = deque(maxlen=_MOST_KEPT)
        self._newest: dict[object, object] = {}
        self._bar: Callable[[object], object] = attrgetter(view.bar) if view.bar else id

    def put(self, message: object) -> None:
        """Add a message: an event, or a list of events."""
        self.seen += 1
        for event in cast("list[object]", message) if isinstance(message, list) else [message]:
            match self.view.by:
                case "message":
                    self._log.appendleft(event)
                case "bar":
                    self._newest[self._bar(event)] = event
                    if len(self._newest) > _MOST_KEPT:
                        del self._newest[next(iter(self._newest))]
                case "stream":
                    self._newest[getattr(event, "stream", "")] = event
                case "symbol":
                    self._newest[_name_of(event)] = event

    def __len__(self) -> int:
        return len(self._log) or len(self._newest)

    def rows(self, most: int) -> list[Cells]:
        """At most ``most`` rows: messages and bars newest first, symbols by turnover if they have one, else by name."""
        if self.view.by == "message":
            chosen = list(self._log)[:most]
        elif self.view.by == "bar":
            chosen = list(self._newest.values())[: -most - 1 : -1]
        else:
            chosen = [event for _, event in sorted(self._newest.items(), key=_by_turnover)[:most]]
        return [self._row(event) for event in chosen]

    def _row(self, event: object) -> Cells:
        cells = dict(_cells(event))
        if self.view.by == "stream" and not any(name in cells for name in _NAMED_BY):
            cells = {"stream": str(getattr(event, "stream", "")), **cells}
        if self.view.by in ("message", "bar"):
            # The title shows it.
            cells.pop("symbol", None)
        return cells


def ordered(names: Iterable[str], by: By) -> list[str]:
    """Columns in the order in which people look for them: what the row is about, figures, times, ids."""
    known = list(names)
    leading = next((name for name in known if name.endswith(_TIMES)), "") if by == "message" else ""
    if by == "bar" and "open_time" in known:
        leading = "open_time"

    def rank(name: str) -> int:
        if name in (leading, *NAMES):
            return 0
        if name.endswith(_TIMES):
            return 2
        return 3 if name.endswith("_id") else 1

    return sorted(known, key=rank)


def texts(rows: Sequence[Cells], name: str, places: int | None) -> list[str]:
    """The cells of a column; numbers with at least ``places`` decimals."""
    return [_written(row.get(name, ""), places or 0) for row in rows]


def decimals(rows: Sequence[Cells], name: str) -> int:
    """Decimal places that the numbers of a column need."""
    return max((places_of(abs(value)) for row in rows if isinstance(value := row.get(name), Decimal)), default=0)


def _written(cell: str | Decimal, places: int) -> str:
    return exact(cell, places) if isinstance(cell, Decimal) else cell


def _by_turnover(item: tuple[object, object]) -> tuple[Decimal, str]:
    turnover: object = getattr(item[1], "quote_volume", None)
    return -turnover if isinstance(turnover, Decimal) else Decimal(0), str(item[0])


def _name_of(event: object) -> str:
    """Symbol or pair of an event or of an object in it; empty if there is none."""
    for name in _NAMED_BY:
        found: object = getattr(event, name, None)
        if isinstance(found, str):
            return found
    fields = type(event).model_fields if isinstance(event, BaseModel) else {}
    parts = (getattr(event, field) for field in fields)
    return next((name for part in parts if isinstance(part, BaseModel) and (name := _name_of(part))), "")


def _cells(event: object) -> Iterator[tuple[str, str | Decimal]]:
    """Names and texts of the fields of an event; objects in it are taken apart, lists are counted."""
    if not isinstance(event, BaseModel):
        yield "message", printable(str(event))
        return
    for name in type(event).model_fields:
        value: object = getattr(event, name)
        if name in _HIDDEN or value is None:
            continue
        if isinstance(value, BaseModel):
            yield from _cells(value)
        elif isinstance(value, (list, tuple)):
            yield name, _levels(cast("Sequence[object]", value))
        else:
            yield name, value if isinstance(value, Decimal) else _text(name, value)


def _levels(values: Sequence[object]) -> str:
    best = getattr(values[0], "price", None) if values else None
    return f"{len(values)} from {exact(best)}" if isinstance(best, Decimal) else str(len(values))


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and name.endswith(_TIMES) and value > 10**11:
        return utc(moment(value)).partition(" ")[2]
    return printable(str(value))
