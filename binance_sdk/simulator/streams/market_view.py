"""The market as the streams see it: read at any moment, past or to come, through the same code as REST answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

from binance_sdk._runtime.operation import Operation
from binance_sdk.simulator.errors import RejectionError
from binance_sdk.simulator.market.market import Desk, Venue
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.symbols import Instrument
from binance_sdk.simulator.market.tape import Tape
from binance_sdk.simulator.rest import futures, spot
from binance_sdk.simulator.rest.json_rows import encode
from binance_sdk.simulator.rest.validation import Judge
from binance_sdk.simulator.streams.book_changes import BookChanges

_ANSWERS = {"spot": spot.ANSWERS, "futures": futures.ANSWERS}
_LEVELS = {"spot": 5000, "futures": 1000}
"""The deepest book REST shows; changes behind it are not told."""
_AHEAD = 5
"""Minutes looked ahead for the next trade."""


class Source:
    """One market."""

    def __init__(self, venue: Venue, operations: Mapping[str, Operation[object]]) -> None:
        self.market = venue.market
        self.venue = venue
        self._operations = operations
        self._judge = Judge(partial(getattr, venue, "table"), api_key_required=False)
        self._changes: dict[str, tuple[Desk, BookChanges]] = {}

    def desk(self, symbol: str, at: int) -> Desk | None:
        """The desk of a symbol, or None where it is not listed at that time."""
        self.venue.open(at)
        return self.venue.desk(symbol) if symbol in self.venue.table.by_symbol else None

    def live(self, symbol: str, at: int) -> Desk | None:
        """The desk of a symbol that trades at that time."""
        desk = self.desk(symbol, at)
        return desk if desk is not None and (desk.tape.end is None or at <= desk.tape.end) else None

    def traded(self, at: int) -> Sequence[Instrument]:
        """What trades at that time."""
        self.venue.open(at)
        return [one for one in self.venue.table.instruments if one.traded]

    def ask(self, operation: str, at: int, query: str = "") -> dict[str, Any] | None:
        """The object REST would answer at that time; None where it would refuse."""
        return cast("dict[str, Any] | None", self._ask(operation, at, query))

    def ask_all(self, operation: str, at: int, query: str = "") -> list[dict[str, Any]]:
        """The rows REST would answer at that time; none where it would refuse."""
        return cast("list[dict[str, Any]] | None", self._ask(operation, at, query)) or []

    def _ask(self, operation: str, at: int, query: str) -> object:
        self.venue.open(at)
        try:
            call = self._judge.call(self._operations[operation], query, at)
            body = _ANSWERS[self.market][operation](self.venue, call, at)
        except (RejectionError, KeyError):
            # A catalogue of somebody's own may lack the operation: then there is nothing to tell.
            return None
        return json.loads(body) if isinstance(body, bytes) else body

    def changes(self, desk: Desk, at: int) -> BookChanges:
        """The book of a desk as a sequence of changes, from that time on."""
        symbol = desk.instrument.symbol
        known = self._changes.get(symbol)
        if known is None or known[0] is not desk:
            known = self._changes[symbol] = (desk, BookChanges(desk, _LEVELS[self.market], at))
        return known[1]


def text(body: object) -> bytes:
    """JSON as the wire has it."""
    return encode(cast(Any, body))


def next_trade(tape: Tape, after: int) -> int | None:
    """Time of the first trade after this millisecond; None where none comes within some minutes."""
    first = after // MINUTE
    for minute in range(first, first + _AHEAD):
        found = tape.minutes(minute, minute + 1)
        place = int(found.time.searchsorted(after, side="right"))
        if place < len(found):
            time = int(found.time[place])
            return time if tape.end is None or time <= tape.end else None
    return None
