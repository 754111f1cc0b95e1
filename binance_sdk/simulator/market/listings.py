"""Which symbols there are at a moment: new ones appear, others pause, are settled and leave."""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.symbols import DEFAULT_SYMBOLS, Instrument, Market, SymbolTable

_NEVER = 2**62
_ALWAYS = -1


@dataclass(frozen=True, slots=True)
class Life:
    """A symbol as it is listed: its first and its last moment of trading, milliseconds since the epoch."""

    instrument: Instrument
    listed: int
    stopped: int | None = None


@dataclass(frozen=True)
class Listing:
    """What is listed from one moment to the next change."""

    table: SymbolTable
    lives: dict[str, Life]
    since: int
    until: int


@dataclass(order=True, slots=True)
class _Event:
    at: int
    life: Life | None = field(compare=False)


class Roster:
    """The symbols of one market over time. Changes may be made from any thread, also for a time that is to come."""

    def __init__(self, market: Market, lives: Iterable[Life]) -> None:
        self._market: Market = market
        self._events: dict[str, list[_Event]] = {one.instrument.symbol: [_Event(_ALWAYS, one)] for one in lives}
        self._status: str | None = None
        self._lock = threading.Lock()
        self._listing = self._listed_at(0)

    def at(self, now: int) -> Listing:
        """The symbols at a time in milliseconds."""
        listing = self._listing
        if not listing.since <= now < listing.until:
            with self._lock:
                listing = self._listing = self._listed_at(now)
        return listing

    def begin(self, instrument: Instrument, at: int) -> None:
        """List a symbol that did not exist before the next whole minute."""
        at = -(-at // MINUTE) * MINUTE
        with self._lock:
            self._events[instrument.symbol] = [_Event(at, Life(instrument, at))]
            self._refresh()

    def change(self, symbol: str, status: str, at: int) -> None:
        """Another status; any but ``TRADING`` ends the trades."""
        with self._lock:
            life = self._alive(symbol, at)
            stopped = None if status == "TRADING" else at if life.stopped is None else life.stopped
            changed = Life(replace(life.instrument, status=status), life.listed, stopped)
            insort(self._events[symbol], _Event(at, changed))
            self._refresh()

    def end(self, symbol: str, at: int) -> None:
        """The symbol is unknown from then on."""
        with self._lock:
            self._alive(symbol, at)
            insort(self._events[symbol], _Event(at, None))
            self._refresh()

    def show(self, status: str | None) -> None:
        """Give every symbol this status; trading goes on behind it. ``None`` shows their own again."""
        with self._lock:
            self._status = status
            self._refresh()

    def known(self, symbol: str) -> Instrument:
        """An instrument by its name, listed or not.

        Raises:
            SimulatorError: There is none.
        """
        with self._lock:
            lives = [event.life for event in self._events.get(symbol, ()) if event.life is not None]
        usual = [one for one in DEFAULT_SYMBOLS if one.symbol == symbol and one.market == self._market]
        found = [lives[0].instrument] if lives else usual
        if not found:
            raise SimulatorError(f"{self._market} knows no symbol {symbol}; hand in an Instrument of your own")
        return found[0]

    # ------------------------------------------------------------------------------ under the lock

    def _alive(self, symbol: str, at: int) -> Life:
        events = self._events.get(symbol, [])
        place = bisect_right(events, at, key=lambda event: event.at)
        life = events[place - 1].life if place else None
        if life is None:
            raise SimulatorError(f"{self._market} lists no symbol {symbol} at that time")
        return life

    def _refresh(self) -> None:
        # Nobody's time is within an empty span, so the next reader builds it anew.
        self._listing = replace(self._listing, since=0, until=0)

    def _listed_at(self, now: int) -> Listing:
        lives: dict[str, Life] = {}
        since, until = _ALWAYS, _NEVER
        for symbol, events in self._events.items():
            place = bisect_right(events, now, key=lambda event: event.at)
            if place < len(events):
                until = min(until, events[place].at)
            if not place:
                continue
            since = max(since, events[place - 1].at)
            life = events[place - 1].life
            if life is not None:
                shown = life.instrument if self._status is None else replace(life.instrument, status=self._status)
                lives[symbol] = replace(life, instrument=shown)
        table = SymbolTable(self._market, tuple(one.instrument for one in lives.values()))
        return Listing(table, lives, since, until)
