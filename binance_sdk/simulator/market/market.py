"""One market of the simulated exchange: its symbols, and tape, candles and book of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.market.book import Book
from binance_sdk.simulator.market.candles import DAY, Candles
from binance_sdk.simulator.market.listings import Life, Roster
from binance_sdk.simulator.market.prices import Prices
from binance_sdk.simulator.market.symbols import Instrument, Market, SymbolTable
from binance_sdk.simulator.market.tape import Tape
from binance_sdk.simulator.rest.json_rows import Fixed
from binance_sdk.simulator.rest.kline_cache import Forms, Pages
from binance_sdk.simulator.rest.rate_limits import Limiter
from binance_sdk.simulator.rest.validation import Call

_LAST_TRADED_DAY = 300
"""Days after the listing when an instrument that is no longer traded saw its last trade."""


@dataclass(frozen=True)
class Desk:
    """Everything about one instrument."""

    instrument: Instrument
    tape: Tape
    candles: Candles
    book: Book

    @cached_property
    def price(self) -> Fixed:
        return Fixed(self.instrument.price_decimals, self.instrument.price_zeros)

    @cached_property
    def quantity(self) -> Fixed:
        return Fixed(self.instrument.lot_decimals, self.instrument.lot_zeros)

    @cached_property
    def value(self) -> Fixed:
        """Price times quantity."""
        decimals = self.instrument.price_decimals + self.instrument.lot_decimals
        zeros = 8 - decimals if self.instrument.market == "spot" else self.instrument.price_zeros
        return Fixed(decimals, zeros)

    @cached_property
    def forms(self) -> Forms:
        return (self.price, self.quantity, self.value)


class Venue:
    """What the endpoints of one market read."""

    def __init__(
        self,
        market: Market,
        instruments: Iterable[Instrument],
        seed: int,
        listing: int,
        limiter: Limiter,
        lively_from: int | None = None,
    ) -> None:
        """A market.

        Args:
            market: Which one.
            instruments: What is listed; those of other markets are left out.
            seed: Chooses everything that happens.
            listing: When all instruments began to trade: milliseconds since the epoch, a UTC midnight.
            limiter: Counts what is spent here.
            lively_from: From when on trades come every second; see ``Tape``.
        """
        self.market = market
        self.seed = seed
        self.listing = listing
        self.limiter = limiter
        self._lively_from = lively_from
        self.prices = Prices(seed)
        self.pages = Pages()
        gone = listing + _LAST_TRADED_DAY * DAY
        self.roster = Roster(
            market,
            [Life(one, listing, None if one.traded else gone) for one in instruments if one.market == market],
        )
        self._listed = self.roster.at(listing)
        self._desks: dict[str, Desk] = {}

    @property
    def table(self) -> SymbolTable:
        """The symbols that are listed now."""
        return self._listed.table

    def open(self, now: int) -> None:
        """Take over what was listed, paused or removed up to this moment. Called before each answer."""
        self._listed = self.roster.at(now)

    def desk(self, symbol: str) -> Desk:
        life = self._listed.lives[symbol]
        desk = self._desks.get(symbol)
        if desk is None or (desk.tape.listing, desk.tape.end) != (life.listed, life.stopped):
            tape = Tape(
                life.instrument, self.prices, self.seed, life.listed, life.stopped, lively_from=self._lively_from
            )
            desk = self._desks[symbol] = Desk(life.instrument, tape, Candles(tape), Book(tape, self.seed))
        elif desk.instrument != life.instrument:
            desk = self._desks[symbol] = replace(desk, instrument=life.instrument)
        return desk

    def chosen(self, call: Call) -> Sequence[Desk]:
        """The desks that ``symbol``, ``symbols`` and ``symbolStatus`` of a call select."""
        if "symbol" in call.given:
            return (self.desk(call.text("symbol")),)
        status = call.given.get("symbolStatus")
        names = call.names("symbols") or self.table.by_symbol
        return [self.desk(name) for name in names if status in (None, self.table.by_symbol[name].status)]

    def contract(self, pair: str, contract_type: str) -> Desk | None:
        """The contract of a pair, if the exchange lists one of this type."""
        for one in self.table.instruments:
            if one.pair == pair and one.contract_type == contract_type:
                return self.desk(one.symbol)
        return None


def pick(instruments: Iterable[Instrument], wanted: Iterable[str] | None) -> list[Instrument]:
    """The instruments with these symbols, on whatever market; all of them for ``None``."""
    everything = list(instruments)
    if wanted is None:
        return everything
    names = set(wanted)
    unknown = names - {one.symbol for one in everything}
    if unknown:
        known = ", ".join(sorted({one.symbol for one in everything}))
        raise SimulatorError(f"the simulator knows no symbol {', '.join(sorted(unknown))}; it knows {known}")
    return [one for one in everything if one.symbol in names]
