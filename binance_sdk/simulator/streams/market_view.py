"""The market as the streams see it: read at any moment, past or to come, through the same code as REST answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

from binance_sdk._runtime.operation import Operation
from binance_sdk.simulator.errors import RejectionError
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.simulated_market import SymbolData
from binance_sdk.simulator.market.symbols import Instrument
from binance_sdk.simulator.market.tape import Tape
from binance_sdk.simulator.rest.answers_by_market import answers_of
from binance_sdk.simulator.rest.served_market import ServedMarket
from binance_sdk.simulator.rest.validation import RequestValidator
from binance_sdk.simulator.streams.book_changes import BookChanges

_AHEAD = 5
"""Minutes looked ahead for the next trade."""


class MarketView:
    """One market."""

    def __init__(self, market: ServedMarket, operations: Mapping[str, Operation[object]]) -> None:
        self.market = market
        self._operations = operations
        self._validator = RequestValidator(partial(getattr, market, "table"), api_key_required=False)
        self.others: Sequence[MarketView] = ()
        """Markets whose rows come in the streams of all symbols too."""
        self.carries_others = True
        self._changes: dict[str, tuple[SymbolData, BookChanges]] = {}

    def symbol_data(self, symbol: str, at: int) -> SymbolData | None:
        """The data of a symbol, or None where it is not listed at that time."""
        self.market.open(at)
        return self.market.symbol_data(symbol) if symbol in self.market.table.by_symbol else None

    def live(self, symbol: str, at: int) -> SymbolData | None:
        """The data of a symbol that trades at that time."""
        data = self.symbol_data(symbol, at)
        return data if data is not None and (data.tape.stopped_at is None or at <= data.tape.stopped_at) else None

    def traded(self, at: int) -> Sequence[Instrument]:
        """What trades at that time."""
        self.market.open(at)
        return [instrument for instrument in self.market.table.instruments if instrument.traded]

    def belongs(self, symbol: str, at: int) -> dict[str, Any]:
        """Pair and market of a contract, as an event says them where markets have common streams."""
        if not self.market.rules.symbol_type:
            return {}
        data = self.symbol_data(symbol, at)
        return {"ps": symbol if data is None else data.instrument.pair, "st": self.market.rules.symbol_type}

    def ask(self, operation: str, at: int, query: str = "") -> dict[str, Any] | None:
        """The object REST would answer at that time, or the first one of its list; None where it would refuse."""
        answer = self._ask(operation, at, query)
        if isinstance(answer, list):
            answer = next(iter(cast("list[object]", answer)), None)
        return cast("dict[str, Any] | None", answer)

    def ask_all(self, operation: str, at: int, query: str = "") -> list[dict[str, Any]]:
        """The rows REST would answer at that time; none where it would refuse."""
        return cast("list[dict[str, Any]] | None", self._ask(operation, at, query)) or []

    def _ask(self, operation: str, at: int, query: str) -> object:
        self.market.open(at)
        try:
            call = self._validator.read(self._operations[operation], query, at)
            body = answers_of(self.market.name)[operation](self.market, call, at)
        except (RejectionError, KeyError):
            # A catalogue of the user's own may lack the operation: then there is no event.
            return None
        return json.loads(body) if isinstance(body, bytes) else body

    def changes(self, data: SymbolData, at: int) -> BookChanges:
        """The book of a symbol as a sequence of changes, from that time on."""
        symbol = data.instrument.symbol
        known = self._changes.get(symbol)
        if known is None or known[0] is not data:
            known = self._changes[symbol] = (data, BookChanges(data, self.market.rules.book_levels, at))
        return known[1]


def next_trade(tape: Tape, after: int) -> int | None:
    """Time of the first trade after this millisecond; None where none comes within some minutes."""
    first = after // MINUTE
    for minute in range(first, first + _AHEAD):
        found = tape.minutes(minute, minute + 1)
        place = int(found.time.searchsorted(after, side="right"))
        if place < len(found):
            time = int(found.time[place])
            return time if tape.stopped_at is None or time <= tape.stopped_at else None
    return None
