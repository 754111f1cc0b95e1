"""One market of the simulated exchange: which symbols it lists, and the trades, candles and book of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from binance_sdk.simulator.market.book import Book
from binance_sdk.simulator.market.candles import DAY, Candles
from binance_sdk.simulator.market.decimals import DecimalFormat, Formats
from binance_sdk.simulator.market.listings import Listing, Listings
from binance_sdk.simulator.market.prices import Prices
from binance_sdk.simulator.market.randomness import Ints
from binance_sdk.simulator.market.rules import MarketRules, rules_of
from binance_sdk.simulator.market.symbols import Instrument, Market, SymbolTable
from binance_sdk.simulator.market.tape import Tape
from binance_sdk.simulator.market.worth import BASE_DECIMALS, worth

_LAST_TRADED_DAY = 300
"""Days after the listing when an instrument that is no longer traded saw its last trade."""


@dataclass(frozen=True)
class SymbolData:
    """All data of one symbol."""

    instrument: Instrument
    tape: Tape
    candles: Candles
    book: Book

    @cached_property
    def rules(self) -> MarketRules:
        return rules_of(self.instrument.market)

    @cached_property
    def price(self) -> DecimalFormat:
        return DecimalFormat(self.instrument.price_decimals, self.instrument.price_zeros)

    @cached_property
    def quantity(self) -> DecimalFormat:
        return DecimalFormat(self.instrument.lot_decimals, self.instrument.lot_zeros)

    @cached_property
    def value(self) -> DecimalFormat:
        """What quantities are worth at prices."""
        if self.instrument.contract_size:
            return DecimalFormat(BASE_DECIMALS)
        decimals = self.instrument.price_decimals + self.instrument.lot_decimals
        zeros = 8 - decimals if self.rules.eight_decimals else self.instrument.price_zeros
        return DecimalFormat(decimals, zeros)

    def worth(self, price: Ints, quantity: Ints) -> Ints:
        """What trades are worth, in the units of ``value``."""
        return worth(self.instrument, price, quantity)

    def average_price(self, volume: int, value: int) -> str:
        """The price at which a volume was worth a value, both in their units; 0 where nothing was traded."""
        lots, units = 10**self.instrument.lot_decimals, 10**self.value.decimals
        if self.instrument.contract_size:
            return self.price.ratio(volume * self.instrument.contract_size * units, value * lots)
        return self.price.ratio(value * lots, volume * units)

    @cached_property
    def formats(self) -> Formats:
        return (self.price, self.quantity, self.value)


class SimulatedMarket:
    """The symbols of one market at the moment that was last opened, and the data of each."""

    def __init__(
        self,
        name: Market,
        instruments: Iterable[Instrument],
        seed: int,
        listed_at: int,
        lively_from: int | None = None,
    ) -> None:
        """A market.

        Args:
            name: Which one.
            instruments: What is listed; those of other markets are left out.
            seed: Chooses everything that happens.
            listed_at: When all instruments began to trade: milliseconds since the epoch, a UTC midnight.
            lively_from: From when on trades come every second; see ``Tape``.
        """
        self.name: Market = name
        self.rules: MarketRules = rules_of(name)
        self.seed = seed
        self.listed_at = listed_at
        self._lively_from = lively_from
        self.prices: Prices = Prices(seed)
        stopped_at = listed_at + _LAST_TRADED_DAY * DAY
        self.listings: Listings = Listings(
            name,
            [
                Listing(instrument, listed_at, None if instrument.traded else stopped_at)
                for instrument in instruments
                if instrument.market == name
            ],
        )
        self._listed = self.listings.at(listed_at)
        self._symbols: dict[str, SymbolData] = {}

    @property
    def table(self) -> SymbolTable:
        """The symbols that are listed now."""
        return self._listed.table

    def open(self, now: int) -> None:
        """Apply what was listed, paused or removed up to this moment. Called before each answer."""
        self._listed = self.listings.at(now)

    def symbol_data(self, symbol: str) -> SymbolData:
        """The data of a symbol that is listed now."""
        listing = self._listed.listings[symbol]
        data = self._symbols.get(symbol)
        if data is None or (data.tape.listed_at, data.tape.stopped_at) != (listing.listed_at, listing.stopped_at):
            data = self._symbols[symbol] = self.make_data(listing)
        elif data.instrument != listing.instrument:
            data = self._symbols[symbol] = replace(data, instrument=listing.instrument)
        return data

    def make_data(self, listing: Listing) -> SymbolData:
        """The data of a symbol as it is or was listed, with nothing kept from earlier readers."""
        tape = Tape(
            listing.instrument,
            self.prices,
            self.seed,
            listing.listed_at,
            listing.stopped_at,
            lively_from=self._lively_from,
        )
        return SymbolData(listing.instrument, tape, Candles(tape), Book(tape, self.seed))

    def contract(self, pair: str, contract_type: str) -> SymbolData | None:
        """The contract of a pair, if the exchange lists one of this type."""
        for instrument in self.table.instruments:
            if instrument.pair == pair and instrument.contract_type == contract_type:
                return self.symbol_data(instrument.symbol)
        return None
