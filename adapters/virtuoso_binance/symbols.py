"""Symbols as Virtuoso writes them, and the market each of them means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from binance_sdk import futures, spot
from binance_sdk.errors import shown
from binance_sdk.symbols import SymbolRules, read_symbols
from virtuoso_binance.errors import InvalidSymbolError

__all__ = ["Listed", "Listing", "MarketName", "Spelling", "SymbolLike", "plain_symbol", "read_symbol"]

MarketName: TypeAlias = Literal["usdm", "spot"]
SymbolLike: TypeAlias = str | Mapping[str, object]

_FORMS = re.compile(r"(?P<base>[^/:\s]+?)(?:/(?P<quote>[^/:\s]+))?(?::(?P<settle>[^/:\s]+))?")
_JOINED = re.compile(r"(?P<base>[^-_]+)[-_](?P<quote>[^-_\d]+)")
"""As other exchanges write it: ``BTC-USDT``, ``BTC_USDT``. Behind the line of a dated contract stands a number."""
_LONGEST = 100
_WRITE = "write it like BTCUSDT, BTC/USDT, BTC-USDT or BTC/USDT:USDT"


@dataclass(frozen=True, slots=True)
class Spelling:
    """What a caller wrote.

    Args:
        plain: The exchange's form, e.g. ``BTCUSDT``.
        perpetual: It was written with a settlement asset, ``BTC/USDT:USDT``, so it can only be the perpetual.
    """

    plain: str
    perpetual: bool = False


def read_symbol(symbol: object) -> Spelling:
    """Understand ``BTCUSDT``, ``BTC/USDT``, ``BTC-USDT``, ``BTC_USDT``, any of them with ``:USDT``, in any case; or a
    dict with key ``symbol``.

    Raises:
        InvalidSymbolError: it is written in another way.
    """
    text: object = symbol
    if isinstance(text, Mapping):
        text = cast("Mapping[str, object]", text).get("symbol")
    if not isinstance(text, str):
        raise InvalidSymbolError(symbol, "write it like 'BTCUSDT', or pass a dict with the key 'symbol'")
    if len(text) > _LONGEST:
        raise InvalidSymbolError(text, f"longer than {_LONGEST} characters; {_WRITE}")
    found = _FORMS.fullmatch(unicodedata.normalize("NFKC", text).strip().upper())
    if found is None:
        raise InvalidSymbolError(text, _WRITE)
    base, quote, settle = found["base"], found["quote"] or "", found["settle"]
    if not quote and ("-" in base or "_" in base):
        joined = _JOINED.fullmatch(base)
        if joined is None:
            # E.g. BTCUSDT_260327, a dated contract, or BTC-USDT-SWAP.
            raise InvalidSymbolError(text, f"only linear perpetuals and spot are served; {_WRITE}")
        base, quote = joined["base"], joined["quote"]
    plain = base + quote
    if settle is not None and (settle != quote if quote else not base.endswith(settle)):
        # E.g. BTC/USD:BTC, an inverse contract, or BTC/USDT:USDT-261225, a dated one.
        raise InvalidSymbolError(text, "only linear perpetuals, settled in their quote asset, are served")
    return Spelling(plain, settle is not None)


def plain_symbol(symbol: object) -> str:
    """The exchange's form of a symbol, listed or not.

    Raises:
        InvalidSymbolError: it cannot be read.
    """
    return read_symbol(symbol).plain


@dataclass(frozen=True, slots=True)
class Listed:
    """One symbol of one market.

    Args:
        market: ``usdm`` for perpetuals, ``spot``.
        symbol: E.g. ``BTCUSDT``.
        contract_type: E.g. ``PERPETUAL``; empty on spot.
        rules: Tick, step and least notional.
    """

    market: MarketName
    symbol: str
    contract_type: str
    rules: SymbolRules

    @property
    def active(self) -> bool:
        return self.rules.is_trading

    @property
    def unified(self) -> str:
        """As CCXT writes it: ``BTC/USDT:USDT`` for the perpetual, ``BTC/USDT`` on spot."""
        pair = f"{self.rules.base_asset}/{self.rules.quote_asset}"
        return f"{pair}:{self.rules.quote_asset}" if self.market == "usdm" else pair

    def spellings(self) -> tuple[str, ...]:
        """All forms under which it is known."""
        quote = self.rules.quote_asset
        both = (self.symbol, f"{self.rules.base_asset}/{quote}")
        return (*both, self.unified, f"{self.symbol}:{quote}") if self.market == "usdm" else both


class Listing:
    """All symbols of the markets in use.

    Args:
        usdm: Exchange information of the futures market; None where it is not used.
        spot_info: The same of spot.
    """

    def __init__(self, usdm: futures.ExchangeInfo | None, spot_info: spot.ExchangeInfo | None) -> None:
        self.usdm: Mapping[str, Listed] = _perpetuals(usdm) if usdm is not None else {}
        self.spot: Mapping[str, Listed] = _spot(spot_info) if spot_info is not None else {}

    def missing_markets(self, before: Listing) -> list[MarketName]:
        """Markets of which there was something before, and nothing is now."""
        both: tuple[tuple[MarketName, Mapping[str, Listed], Mapping[str, Listed]], ...] = (
            ("usdm", before.usdm, self.usdm),
            ("spot", before.spot, self.spot),
        )
        return [name for name, old, new in both if old and not new]

    def find(self, spelling: Spelling) -> Listed | None:
        """The perpetual where there is one, else spot; one that trades before one that does not."""
        perpetual = self.usdm.get(spelling.plain)
        if spelling.perpetual:
            return perpetual
        on_spot = self.spot.get(spelling.plain)
        if perpetual is not None and (perpetual.active or on_spot is None or not on_spot.active):
            return perpetual
        return on_spot

    def resolve(self, symbol: object) -> Listed:
        """The instrument a caller means.

        Raises:
            InvalidSymbolError: it cannot be read, or is not listed.
        """
        spelling = read_symbol(symbol)
        found = self.find(spelling)
        if found is None:
            markets = [name for name, rows in (("USDⓈ-M perpetuals", self.usdm), ("spot", self.spot)) if rows]
            where = " and ".join(markets[:1] if spelling.perpetual and self.usdm else markets) or "any market"
            raise InvalidSymbolError(symbol, f"not listed on Binance ({where}) as {shown(spelling.plain)}; {_WRITE}")
        return found

    def preferred(self) -> dict[str, Listed]:
        """One instrument for each symbol, chosen as ``find`` does."""
        found: dict[str, Listed] = {}
        for plain in (*self.usdm, *self.spot):
            if plain not in found:
                listed = self.find(Spelling(plain))
                if listed is not None:
                    found[plain] = listed
        return found

    def __len__(self) -> int:
        return len(self.usdm) + len(self.spot)


def spellings_of(instruments: Iterable[Listed]) -> set[str]:
    """Every form of every instrument."""
    return {name for listed in instruments for name in listed.spellings()}


def _perpetuals(info: futures.ExchangeInfo) -> dict[str, Listed]:
    rules = read_symbols(info, "futures")
    # TRADIFI_PERPETUAL too; dated contracts are another thing under nearly the same name.
    return {
        contract.symbol: Listed("usdm", contract.symbol, contract.contract_type, rules[contract.symbol])
        for contract in info.symbols
        if "PERPETUAL" in contract.contract_type
    }


def _spot(info: spot.ExchangeInfo) -> dict[str, Listed]:
    return {symbol: Listed("spot", symbol, "", rules) for symbol, rules in read_symbols(info, "spot").items()}
