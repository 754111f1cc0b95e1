"""The symbols the simulated exchange lists, with the tick and lot sizes their namesakes have on Binance.

Tick and lot decimals of a symbol add up to at most eight, the decimals Binance shows for quote volumes:
so every quote volume is exact, and sums of trades equal the volumes of candles and tickers to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from binance_sdk._runtime.market import Market
from binance_sdk.simulator.errors import SimulatorError

__all__ = ["ASSETS", "DEFAULT_SYMBOLS", "FUTURES", "SPOT", "Asset", "Instrument", "Market", "SymbolTable", "asset"]


@dataclass(frozen=True, slots=True)
class Asset:
    """Price in US dollars around which the asset moves, and how wildly (1 = about 40 % either way)."""

    dollars: float
    wildness: float = 1.0


ASSETS: dict[str, Asset] = {
    "USDT": Asset(1.0, 0.0),
    "USDC": Asset(0.9998, 0.0008),
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
        """Usual price of one unit, in US dollars."""
        return asset(self.followed).dollars * self.multiplier

    @property
    def pair(self) -> str:
        return self.base + self.quote

    @property
    def traded(self) -> bool:
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

DEFAULT_SYMBOLS: tuple[Instrument, ...] = SPOT + FUTURES


def choose_instruments(symbols: Iterable[str | Instrument] | None) -> list[Instrument]:
    """The instruments to list: your own ones, and those of the default ones that are named, on whatever market.

    Args:
        symbols: Names and instruments; ``None`` for all default ones.

    Raises:
        SimulatorError: There is no default instrument of that name.
    """
    if symbols is None:
        return list(DEFAULT_SYMBOLS)
    wanted = list(symbols)
    names = {symbol for symbol in wanted if isinstance(symbol, str)}
    known = {instrument.symbol for instrument in DEFAULT_SYMBOLS}
    if not names <= known:
        raise SimulatorError(
            f"the simulator knows no symbol {', '.join(sorted(names - known))}; it knows {', '.join(sorted(known))}"
        )
    own = [instrument for instrument in wanted if isinstance(instrument, Instrument)]
    return own + [instrument for instrument in DEFAULT_SYMBOLS if instrument.symbol in names]


@dataclass(frozen=True)
class SymbolTable:
    """The symbols of one market, by name, in the order they are listed."""

    market: Market
    instruments: tuple[Instrument, ...]

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
