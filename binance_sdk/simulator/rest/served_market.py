"""A market with what only REST adds to it: limits on requests, and pages of candles that were rendered before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from binance_sdk.simulator.market.simulated_market import SimulatedMarket, SymbolData
from binance_sdk.simulator.market.symbols import Instrument, Market
from binance_sdk.simulator.rest.kline_cache import KlineCache
from binance_sdk.simulator.rest.rate_limits import Limiter
from binance_sdk.simulator.rest.validation import Call


class ServedMarket(SimulatedMarket):
    """What the endpoints of one market read."""

    def __init__(
        self,
        name: Market,
        instruments: Iterable[Instrument],
        seed: int,
        listed_at: int,
        limiter: Limiter,
        lively_from: int | None = None,
    ) -> None:
        """``limiter`` counts the requests to this market; the rest is as ``SimulatedMarket`` takes it."""
        super().__init__(name, instruments, seed, listed_at, lively_from)
        self.limiter = limiter
        self.kline_cache: KlineCache = KlineCache()

    def chosen(self, call: Call) -> Sequence[SymbolData]:
        """The symbols that ``symbol``, ``symbols`` and ``symbolStatus`` of a call select."""
        if "symbol" in call.given:
            return (self.symbol_data(call.text("symbol")),)
        status = call.given.get("symbolStatus")
        names = call.names("symbols") or self.table.by_symbol
        return [self.symbol_data(name) for name in names if status in (None, self.table.by_symbol[name].status)]
