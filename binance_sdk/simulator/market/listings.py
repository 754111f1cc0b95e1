"""Which symbols there are at a moment: new ones appear, others pause, are settled and leave."""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.rules import rules_of
from binance_sdk.simulator.market.symbols import DEFAULT_SYMBOLS, Instrument, Market, SymbolTable

_NEVER = 2**62
_ALWAYS = -1
_SHOWN_AFTER_DELIVERY = 86_400_000


@dataclass(frozen=True, slots=True)
class Listing:
    """A symbol as it is listed: its first and its last moment of trading, milliseconds since the epoch."""

    instrument: Instrument
    listed_at: int
    stopped_at: int | None = None


@dataclass(frozen=True)
class ListedSymbols:
    """What is listed from one moment to the next change."""

    table: SymbolTable
    listings: dict[str, Listing]
    since: int
    until: int

    @property
    def contracts(self) -> Collection[str]:
        """The symbols, where they are contracts."""
        return self.listings if rules_of(self.table.market).contracts else ()


@dataclass(order=True, slots=True)
class _Event:
    at: int
    listing: Listing | None = field(compare=False)


def _delivery(listing: Listing) -> list[_Event]:
    """The end of a contract that is delivered: its trades stop, and a day later it is gone."""
    instrument = listing.instrument
    if not instrument.delivers_at:
        return []
    delivered = Listing(replace(instrument, status="DELIVERING"), listing.listed_at, instrument.delivers_at)
    return [_Event(instrument.delivers_at, delivered), _Event(instrument.delivers_at + _SHOWN_AFTER_DELIVERY, None)]


class Listings:
    """The symbols of one market over time. Any thread may change them, also at a time in the future."""

    def __init__(self, market: Market, listings: Iterable[Listing]) -> None:
        self._market: Market = market
        self._events: dict[str, list[_Event]] = {
            listing.instrument.symbol: [_Event(_ALWAYS, listing), *_delivery(listing)] for listing in listings
        }
        self._status: str | None = None
        self._lock = threading.Lock()
        self._listed = self._listed_symbols(0)

    def at(self, now: int) -> ListedSymbols:
        """The symbols at a time in milliseconds."""
        listed = self._listed
        if not listed.since <= now < listed.until:
            with self._lock:
                listed = self._listed = self._listed_symbols(now)
        return listed

    def ever(self, now: int) -> dict[str, Listing]:
        """Every symbol there was up to a time, as it is or was at last; of one that was removed, the trades stopped."""
        found: dict[str, Listing] = {}
        with self._lock:
            for symbol, events in self._events.items():
                past = events[: bisect_right(events, now, key=lambda event: event.at)]
                known = [event.listing for event in past if event.listing is not None]
                if not known:
                    continue
                listing, last = known[-1], past[-1]
                if last.listing is None:
                    stopped = last.at if listing.stopped_at is None else min(listing.stopped_at, last.at)
                    listing = replace(listing, stopped_at=stopped)
                found[symbol] = listing
        return found

    def add(self, instrument: Instrument, at: int) -> None:
        """List a symbol, which begins to trade at the next whole minute."""
        at = -(-at // MINUTE) * MINUTE
        with self._lock:
            listing = Listing(instrument, at)
            self._events[instrument.symbol] = [_Event(at, listing), *_delivery(listing)]
            self._refresh()

    def set_status(self, symbol: str, status: str, at: int) -> None:
        """Another status; any but ``TRADING`` ends the trades."""
        with self._lock:
            listing = self._listing(symbol, at)
            stopped = None if status == "TRADING" else at if listing.stopped_at is None else listing.stopped_at
            changed = Listing(replace(listing.instrument, status=status), listing.listed_at, stopped)
            insort(self._events[symbol], _Event(at, changed))
            self._refresh()

    def remove(self, symbol: str, at: int) -> None:
        """The symbol is unknown from then on."""
        with self._lock:
            self._listing(symbol, at)
            insort(self._events[symbol], _Event(at, None))
            self._refresh()

    def show_all_as(self, status: str | None) -> None:
        """Give every symbol this status; their trading goes on. ``None`` shows their own again."""
        with self._lock:
            self._status = status
            self._refresh()

    def known(self, symbol: str) -> Instrument:
        """An instrument by its name, listed or not.

        Raises:
            SimulatorError: There is none.
        """
        with self._lock:
            listings = [event.listing for event in self._events.get(symbol, ()) if event.listing is not None]
        usual = [known for known in DEFAULT_SYMBOLS if known.symbol == symbol and known.market == self._market]
        found = [listings[0].instrument] if listings else usual
        if not found:
            raise SimulatorError(f"{self._market} knows no symbol {symbol}; hand in an Instrument of your own")
        return found[0]

    # ------------------------------------------------------------------------------ under the lock

    def _listing(self, symbol: str, at: int) -> Listing:
        events = self._events.get(symbol, [])
        place = bisect_right(events, at, key=lambda event: event.at)
        listing = events[place - 1].listing if place else None
        if listing is None:
            raise SimulatorError(f"{self._market} lists no symbol {symbol} at that time")
        return listing

    def _refresh(self) -> None:
        # No time lies within an empty span, so the next reader builds the list anew.
        self._listed = replace(self._listed, since=0, until=0)

    def _listed_symbols(self, now: int) -> ListedSymbols:
        listings: dict[str, Listing] = {}
        since, until = _ALWAYS, _NEVER
        for symbol, events in self._events.items():
            place = bisect_right(events, now, key=lambda event: event.at)
            if place < len(events):
                until = min(until, events[place].at)
            if not place:
                continue
            since = max(since, events[place - 1].at)
            listing = events[place - 1].listing
            if listing is not None:
                shown = listing.instrument if self._status is None else replace(listing.instrument, status=self._status)
                listings[symbol] = replace(listing, instrument=shown)
        table = SymbolTable(self._market, tuple(listing.instrument for listing in listings.values()))
        return ListedSymbols(table, listings, since, until)
