"""How a perpetual is positioned, beyond what ``market_data`` holds: changes of open interest over windows, three
long/short ratios, taker volume by period, premium and basis. Pure functions from the SDK's models, and one that asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from binance_sdk import BinanceClient, futures
from binance_sdk.arithmetic import EXACT, quotient
from binance_sdk.errors import BinanceError, ConfigError
from virtuoso_binance.errors import InvalidSymbolError
from virtuoso_binance.scalars import Row
from virtuoso_binance.sentiment import long_short
from virtuoso_binance.symbols import Listed

__all__ = ["WINDOWS", "fetch_positioning", "mark_premium", "open_interest_changes", "taker_volumes"]

WINDOWS: Mapping[str, int] = {
    "5m": 300_000,
    "15m": 900_000,
    "1h": 3_600_000,
    "4h": 14_400_000,
    "24h": 86_400_000,
}
"""Usual windows, in milliseconds."""
_DAY_ROWS = 289
_BPS = 10_000


def open_interest_changes(
    rows: Sequence[futures.OpenInterestHist], windows: Mapping[str, int] = WINDOWS
) -> dict[str, Row]:
    """Change of open interest up to the newest row, by window.

    Args:
        rows: Real history, oldest first.
        windows: Names and lengths in milliseconds.

    Returns:
        ``change`` in base units, ``percent``, and the ``since`` of the row compared with. A window whose first row is
        not in the history, to the millisecond, is absent: no other row stands in for it.
    """
    known = {int(row.time): row.open_interest for row in rows if row.open_interest > 0}
    if not known:
        return {}
    newest = max(known)
    out: dict[str, Row] = {}
    for name, length in windows.items():
        before = known.get(newest - length)
        if before is not None:
            change = EXACT.subtract(known[newest], before)
            percent = quotient(EXACT.multiply(change, 100), before)
            out[name] = {"change": float(change), "percent": float(percent), "since": newest - length}
    return out


def taker_volumes(rows: Sequence[futures.TakerLongShortRatio]) -> list[Row]:
    """Volume bought and sold by takers in base units, by period, newest first.

    ``ratio`` is bought by sold, and absent where nothing was sold.
    """
    out: list[Row] = []
    for row in reversed(rows):
        one: Row = {
            "buy_volume": float(row.taker_buy_volume),
            "sell_volume": float(row.taker_sell_volume),
            "timestamp": row.time,
        }
        if row.taker_sell_volume > 0:
            one["ratio"] = float(quotient(row.taker_buy_volume, row.taker_sell_volume))
        out.append(one)
    return out


def mark_premium(premium: futures.PremiumIndex) -> Row | None:
    """Mark price against the index: ``absolute`` in the quote asset, ``bps`` of the index; None without an index."""
    if not premium.index_price > 0 or not premium.mark_price > 0:
        return None
    absolute = EXACT.subtract(premium.mark_price, premium.index_price)
    return {
        "absolute": float(absolute),
        "bps": float(quotient(EXACT.multiply(absolute, _BPS), premium.index_price)),
        "timestamp": premium.time,
    }


def _basis(rows: Sequence[futures.Basis]) -> Row | None:
    """The newest basis: ``absolute`` in the quote asset, ``bps`` of the index; None without rows."""
    if not rows:
        return None
    newest = rows[-1]
    return {
        "absolute": float(newest.basis),
        "bps": float(EXACT.multiply(newest.basis_rate, _BPS)),
        "timestamp": newest.time,
    }


async def fetch_positioning(client: BinanceClient, listed: Listed) -> Row:
    """All of it at once: 7 requests of weight 1, six of them in the ``/futures/data`` group.

    Returns:
        What came, with ``errors`` naming what did not.

    Raises:
        InvalidSymbolError: it is no perpetual.
    """
    if listed.market != "usdm":
        raise InvalidSymbolError(listed.symbol, "only perpetuals have open interest, ratios and basis")
    symbol, ask = listed.symbol, client.futures
    # The basis is kept by pair, and the pair of a linear perpetual is its assets.
    pair = f"{listed.rules.base_asset}{listed.rules.quote_asset}"
    wanted: dict[str, Coroutine[Any, Any, Any]] = {
        "open_interest_change": ask.open_interest_hist(symbol, "5m", limit=_DAY_ROWS),
        "accounts": ask.global_long_short_account_ratio(symbol, "5m", limit=1),
        "top_accounts": ask.top_long_short_account_ratio(symbol, "5m", limit=1),
        "top_positions": ask.top_long_short_position_ratio(symbol, "5m", limit=1),
        "taker_volume": ask.taker_long_short_ratio(symbol, "5m", limit=30),
        "basis": ask.basis(pair, "PERPETUAL", "5m", limit=1),
        "premium": ask.premium_index(symbol),
    }
    results = await asyncio.gather(*wanted.values(), return_exceptions=True)
    out: Row = {"symbol": symbol}
    errors: dict[str, str] = {}
    for name, result in zip(wanted, results, strict=True):
        if isinstance(result, BaseException):
            if not isinstance(result, BinanceError) or isinstance(result, ConfigError):
                raise result
            errors[name] = str(result)
            continue
        value = _value(name, result)
        if value:
            out[name] = value
        else:
            errors[name] = "Binance has none of this contract"
    return {**out, "errors": errors}


def _value(name: str, answer: Any) -> object:
    match name:
        case "open_interest_change":
            return open_interest_changes(answer)
        case "taker_volume":
            return taker_volumes(answer)
        case "basis":
            return _basis(answer)
        case "premium":
            return mark_premium(answer)
        case _:
            return long_short(answer[-1]) if answer else None
