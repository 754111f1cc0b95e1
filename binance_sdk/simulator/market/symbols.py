"""The symbols the simulated exchange lists, with the tick and lot sizes their namesakes have on Binance.

Tick and lot decimals of a symbol add up to at most eight, the decimals Binance shows for quote volumes:
so every quote volume is exact, and sums of trades equal the volumes of candles and tickers to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal

from binance_sdk._runtime.market import Market
from binance_sdk.catalogue import MARKETS
from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.market.deliveries import deliveries
from binance_sdk.simulator.market.rules import rules_of

__all__ = ["ASSETS", "DEFAULT_SYMBOLS", "FUTURES", "SPOT", "Asset", "Instrument", "Market", "SymbolTable", "asset"]


_THREE_QUARTERS = 300 * 86_400_000
"""Milliseconds in which there are at least two deliveries."""


@dataclass(frozen=True, slots=True)
class Asset:
    """Price in US dollars around which the asset moves, and how wildly (1 = about 40 % either way)."""

    dollars: float
    wildness: float = 1.0


ASSETS: dict[str, Asset] = {
    "USDT": Asset(1.0, 0.0),
    "USDC": Asset(0.9998, 0.0008),
    "USD": Asset(1.0, 0.0),
    "BTC": Asset(92_000.0, 1.0),
    "ETH": Asset(3_400.0, 1.2),
    "BNB": Asset(840.0, 1.0),
    "SOL": Asset(185.0, 1.4),
    "XRP": Asset(2.4, 1.4),
    "ADA": Asset(0.72, 1.4),
    "DOGE": Asset(0.21, 1.5),
    "TRX": Asset(0.31, 0.9),
    "LINK": Asset(18.5, 1.3),
    "AVAX": Asset(27.0, 1.4),
    "LTC": Asset(98.0, 1.1),
    "DOT": Asset(4.1, 1.4),
    "SHIB": Asset(0.0000125, 1.4),
    "PEPE": Asset(0.0000108, 1.6),
    "TON": Asset(3.1, 1.2),
    "SUI": Asset(3.3, 1.5),
    "币安人生": Asset(0.19, 1.6),
    "WTC": Asset(0.034, 1.4),
    "SRM": Asset(0.041, 1.4),
    "XAU": Asset(3_900.0, 0.3),
    "DEFI": Asset(1_150.0, 1.2),
}


def asset(name: str) -> Asset:
    """Facts about an asset; one that is not listed is worth a dollar."""
    return ASSETS.get(name, Asset(1.0))


@dataclass(frozen=True, slots=True)
class Instrument:
    """One symbol of one market."""

    market: Market
    symbol: str
    base: str
    quote: str
    price_decimals: int
    """The tick is ten to the minus this."""
    lot_decimals: int
    """The lot is ten to the minus this."""
    price_zeros: int = 0
    """Zeros that Binance shows behind the decimals of the tick."""
    lot_zeros: int = 0
    rate: int = 4
    """Mean number of orders that trade in a minute."""
    status: str = "TRADING"
    asset: str = ""
    """Asset whose price the symbol follows; empty for the base asset itself."""
    multiplier: int = 1
    """Units of that asset in one contract."""
    contract_type: str = ""
    underlying: str = "COIN"
    contract_size: int = 0
    """Worth of one contract in the quote asset, where quantities are contracts of a fixed worth (inverse contracts)."""
    delivers_at: int = 0
    """When a contract is delivered, milliseconds since the epoch; 0 for never."""
    tags: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ("SPOT", "MARGIN")

    @property
    def quiet(self) -> bool:
        """So thinly traded that some minutes pass without a trade."""
        return self.rate == 1

    @property
    def followed(self) -> str:
        """The asset whose price the symbol follows."""
        return self.asset or self.base

    @property
    def dollars(self) -> float:
        """Usual worth of one unit of quantity, in US dollars."""
        if self.contract_size:
            return self.contract_size * asset(self.quote).dollars
        return asset(self.followed).dollars * self.multiplier

    @property
    def usual_price(self) -> float:
        """Usual price, in the quote asset."""
        return asset(self.followed).dollars * self.multiplier / asset(self.quote).dollars

    @property
    def valued_in(self) -> Literal["base", "quote"]:
        """The asset in which it is said what a quantity is worth at a price."""
        return "base" if self.contract_size else "quote"

    @property
    def pair(self) -> str:
        """Base and quote asset in one, e.g. ``BTCUSDT``; contracts of one pair differ in their delivery."""
        return self.base + self.quote

    @property
    def traded(self) -> bool:
        """Whether it is traded now: its status is ``TRADING``."""
        return self.status == "TRADING"


def _spot(
    base: str,
    quote: str,
    price_decimals: int,
    lot_decimals: int,
    *,
    rate: int = 4,
    status: str = "TRADING",
    permissions: tuple[str, ...] = ("SPOT", "MARGIN"),
) -> Instrument:
    """Spot shows eight decimals of everything, whatever the tick."""
    return Instrument(
        market="spot",
        symbol=base + quote,
        base=base,
        quote=quote,
        price_decimals=price_decimals,
        lot_decimals=lot_decimals,
        price_zeros=8 - price_decimals,
        lot_zeros=8 - lot_decimals,
        rate=rate,
        status=status,
        permissions=permissions,
    )


def _perpetual(
    base: str,
    price_decimals: int,
    lot_decimals: int,
    price_zeros: int = 0,
    *,
    tag: str = "",
    quote: str = "USDT",
    rate: int = 4,
    status: str = "TRADING",
    contract_type: str = "PERPETUAL",
    underlying: str = "COIN",
) -> Instrument:
    """A base like 1000SHIB is a thousand units of SHIB, for coins whose price is all zeros."""
    thousand = base.startswith("1000")
    return Instrument(
        market="futures",
        symbol=base + quote,
        base=base,
        quote=quote,
        price_decimals=price_decimals,
        lot_decimals=lot_decimals,
        price_zeros=price_zeros,
        rate=rate,
        status=status,
        asset=base.removeprefix("1000"),
        multiplier=1000 if thousand else 1,
        contract_type=contract_type,
        underlying=underlying,
        tags=(tag,) if tag else (),
    )


def _inverse(base: str, price_decimals: int, *, size: int = 10, rate: int = 4, tag: str = "") -> Instrument:
    """A perpetual of contracts worth ``size`` US dollars each, settled in the coin."""
    return Instrument(
        market="coin_futures",
        symbol=f"{base}USD_PERP",
        base=base,
        quote="USD",
        price_decimals=price_decimals,
        lot_decimals=0,
        rate=rate,
        contract_type="PERPETUAL",
        contract_size=size,
        tags=(tag,) if tag else (),
    )


SPOT: tuple[Instrument, ...] = (
    _spot("BTC", "USDT", 2, 5),
    _spot("ETH", "USDT", 2, 4),
    _spot("BNB", "USDT", 2, 3),
    _spot("SOL", "USDT", 2, 3),
    _spot("XRP", "USDT", 4, 1),
    _spot("ADA", "USDT", 4, 1),
    _spot("DOGE", "USDT", 5, 0),
    _spot("TRX", "USDT", 4, 1),
    _spot("LINK", "USDT", 2, 2),
    _spot("AVAX", "USDT", 2, 2),
    _spot("LTC", "USDT", 2, 3),
    _spot("DOT", "USDT", 3, 2),
    _spot("SHIB", "USDT", 8, 0),
    _spot("PEPE", "USDT", 8, 0),
    _spot("TON", "USDT", 3, 2, permissions=("SPOT",)),
    _spot("SUI", "USDT", 4, 1),
    _spot("USDC", "USDT", 5, 0),
    _spot("BTC", "USDC", 2, 5),
    _spot("ETH", "BTC", 5, 3),
    _spot("BNB", "BTC", 6, 2),
    _spot("币安人生", "USDT", 4, 1, rate=1, permissions=("SPOT",)),
    _spot("WTC", "USDT", 4, 1, rate=1, status="BREAK", permissions=("SPOT",)),
)

FUTURES: tuple[Instrument, ...] = (
    _perpetual("BTC", 1, 3, 1, tag="PoW"),
    _perpetual("ETH", 2, 3, tag="Layer-1"),
    _perpetual("BNB", 2, 2, 1, tag="Layer-1"),
    _perpetual("SOL", 2, 2, 2, tag="Layer-1"),
    _perpetual("XRP", 4, 1, tag="Payment"),
    _perpetual("ADA", 4, 0, 1, tag="Layer-1"),
    _perpetual("DOGE", 5, 0, 1, tag="Meme"),
    _perpetual("TRX", 5, 0, tag="Layer-1"),
    _perpetual("LINK", 3, 2, tag="Oracle"),
    _perpetual("AVAX", 3, 0, 1, tag="Layer-1"),
    _perpetual("LTC", 2, 3, tag="PoW"),
    _perpetual("DOT", 3, 1, tag="Layer-1"),
    _perpetual("1000SHIB", 6, 0, tag="Meme"),
    _perpetual("1000PEPE", 7, 0, tag="Meme"),
    _perpetual("TON", 4, 1, tag="Layer-1"),
    _perpetual("SUI", 4, 1, 2, tag="Layer-1"),
    _perpetual("BTC", 1, 3, quote="USDC", tag="PoW"),
    _perpetual("币安人生", 5, 0, rate=1, tag="Meme"),
    _perpetual("XAU", 2, 3, contract_type="TRADIFI_PERPETUAL", underlying="COMMODITY", tag="TradFi"),
    _perpetual("DEFI", 1, 3, underlying="INDEX", tag="Index"),
    _perpetual("SRM", 4, 0, rate=1, status="SETTLING"),
)

COIN_FUTURES: tuple[Instrument, ...] = (
    _inverse("BTC", 1, size=100, tag="PoW"),
    _inverse("ETH", 2, tag="Layer-1"),
    _inverse("BNB", 2, tag="Layer-1"),
    _inverse("SOL", 2, tag="Layer-1"),
    _inverse("XRP", 4, tag="Payment"),
    _inverse("ADA", 5, tag="Layer-1"),
    _inverse("DOGE", 5, tag="Meme"),
    _inverse("LINK", 3, tag="Oracle"),
    _inverse("LTC", 2, tag="PoW"),
    _inverse("DOT", 3, rate=1, tag="Layer-1"),
)
_WITH_QUARTERS = ("BTC", "ETH")

DEFAULT_SYMBOLS = tuple(instrument for instrument in SPOT + FUTURES + COIN_FUTURES if instrument.market in MARKETS)
"""Those of every market that the spec has; contracts for a quarter come with the time, see ``quarterly_contracts``."""


def quarterly_contracts(now: int) -> tuple[Instrument, ...]:
    """The contracts that are delivered at the end of this quarter and of the next, as seen from a time."""
    quarters = [delivery for delivery in deliveries(now, now + _THREE_QUARTERS) if delivery > now][:2]
    return tuple(
        replace(
            perpetual,
            symbol=f"{perpetual.pair}_{datetime.fromtimestamp(delivers_at / 1000, UTC):%y%m%d}",
            contract_type=kind,
            delivers_at=delivers_at,
        )
        for perpetual in COIN_FUTURES
        if perpetual.base in _WITH_QUARTERS and perpetual.market in MARKETS
        for kind, delivers_at in zip(("CURRENT_QUARTER", "NEXT_QUARTER"), quarters, strict=True)
    )


def choose_instruments(symbols: Iterable[str | Instrument] | None, now: int) -> list[Instrument]:
    """The instruments to list: your own ones, and those of the default ones that are named, on whatever market.

    Args:
        symbols: Names and instruments; ``None`` for all default ones.
        now: Decides which contracts there are for quarters: milliseconds since the epoch.

    Raises:
        SimulatorError: There is no default instrument of that name.
    """
    usual = [*DEFAULT_SYMBOLS, *quarterly_contracts(now)]
    if symbols is None:
        return usual
    wanted = list(symbols)
    names = {symbol for symbol in wanted if isinstance(symbol, str)}
    known = {instrument.symbol for instrument in usual}
    if not names <= known:
        raise SimulatorError(
            f"the simulator knows no symbol {', '.join(sorted(names - known))}; it knows {', '.join(sorted(known))}"
        )
    own = [instrument for instrument in wanted if isinstance(instrument, Instrument)]
    return own + [instrument for instrument in usual if instrument.symbol in names]


@dataclass(frozen=True)
class SymbolTable:
    """The symbols of one market, by name, in the order they are listed."""

    market: Market
    instruments: tuple[Instrument, ...]

    @cached_property
    def knows_any(self) -> bool:
        """Whether any symbol will do, as the market has examples alone."""
        return not self.instruments and rules_of(self.market).examples_only

    @cached_property
    def by_symbol(self) -> dict[str, Instrument]:
        return {instrument.symbol: instrument for instrument in self.instruments}

    @cached_property
    def pairs(self) -> frozenset[str]:
        return frozenset(instrument.pair for instrument in self.instruments)

    @cached_property
    def dollar_assets(self) -> frozenset[str]:
        """What asset_index goes by: assets in dollars (ADAUSD), not contracts."""
        return frozenset(f"{instrument.base}USD" for instrument in self.instruments)
