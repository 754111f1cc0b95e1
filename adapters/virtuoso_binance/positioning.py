"""How a perpetual is positioned, beyond what ``market_data`` holds: changes of open interest over windows, three
long/short ratios, taker volume by period, premium and basis. Pure functions from the SDK's models, and one that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from binance_sdk import BinanceClient, futures
from binance_sdk.arithmetic import EXACT, quotient
from virtuoso_binance import calls
from virtuoso_binance.errors import InvalidSymbolError
from virtuoso_binance.scalars import Row
from virtuoso_binance.sentiment import long_short
from virtuoso_binance.symbols import Listed

__all__ = ["WINDOWS", "fetch_positioning", "mark_premium", "open_interest_changes", "taker_volumes"]

T = TypeVar("T")

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
        volumes: Row = {
            "buy_volume": float(row.taker_buy_volume),
            "sell_volume": float(row.taker_sell_volume),
            "timestamp": row.time,
        }
        if row.taker_sell_volume > 0:
            volumes["ratio"] = float(quotient(row.taker_buy_volume, row.taker_sell_volume))
        out.append(volumes)
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


def _newest_basis(rows: Sequence[futures.Basis]) -> Row | None:
    """``absolute`` in the quote asset, ``bps`` of the index; None without rows."""
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
    # Binance counts the basis by pair, and the pair of a linear perpetual is its assets.
    pair = f"{listed.rules.base_asset}{listed.rules.quote_asset}"
    wanted: dict[str, Coroutine[Any, Any, object]] = {
        "open_interest_change": _read(ask.open_interest_hist(symbol, "5m", limit=_DAY_ROWS), open_interest_changes),
        "accounts": _read(ask.global_long_short_account_ratio(symbol, "5m", limit=1), _newest_ratio),
        "top_accounts": _read(ask.top_long_short_account_ratio(symbol, "5m", limit=1), _newest_ratio),
        "top_positions": _read(ask.top_long_short_position_ratio(symbol, "5m", limit=1), _newest_ratio),
        "taker_volume": _read(ask.taker_long_short_ratio(symbol, "5m", limit=30), taker_volumes),
        "basis": _read(ask.basis(pair, "PERPETUAL", "5m", limit=1), _newest_basis),
        "premium": _read(ask.premium_index(symbol), mark_premium),
    }
    answers, failures = await calls.gather(wanted)
    errors = {name: str(failure) for name, failure in failures.items()}
    errors |= {name: "Binance has none of this contract" for name, value in answers.items() if not value}
    return {"symbol": symbol, **{name: value for name, value in answers.items() if value}, "errors": errors}


async def _read(call: Coroutine[Any, Any, T], figure: Callable[[T], object]) -> object:
    return figure(await call)


def _newest_ratio(rows: Sequence[futures.LongShortRatio]) -> Row | None:
    return long_short(rows[-1]) if rows else None
