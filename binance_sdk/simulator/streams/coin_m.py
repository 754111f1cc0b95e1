"""COIN-M rows in the futures streams of all contracts, as Binance sends them since 2026-06-30.

The simulator has no COIN-M market: its rows are those of the same coin's USDⓈ-M contract under the other name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from binance_sdk.simulator.streams.market_view import text

CARRIERS = frozenset(
    f"futures.{name}"
    for name in ("all_mini_tickers", "all_tickers", "all_mark_prices", "all_book_tickers", "all_force_orders")
)
"""Streams of all contracts whose rows say in ``st`` whose they are."""
_QUOTE = "USDT"
_COINS = frozenset({"BTC", "ETH", "BNB", "SOL", "XRP", "DOGE", "ADA", "LTC", "LINK", "BCH"})
_COIN_M = 2


def with_coin_m(payload: bytes) -> Iterator[bytes]:
    """The message, and what COIN-M adds: rows of a list, or a message of its own."""
    message: object = json.loads(payload)
    if isinstance(message, list):
        rows = cast("list[dict[str, Any]]", message)
        yield text([*rows, *(found for row in rows if (found := _coin_m(row)) is not None)])
        return
    yield payload
    found = _coin_m(cast("dict[str, Any]", message))
    if found is not None:
        yield text(found)


def _coin_m(row: dict[str, Any]) -> dict[str, Any] | None:
    """The row of the same coin's COIN-M perpetual; None where there is none."""
    order = row.get("o")
    if isinstance(order, dict):
        inner = _coin_m(cast("dict[str, Any]", order))
        return None if inner is None else {**row, "o": inner, "ps": inner["ps"], "st": _COIN_M}
    symbol = str(row["s"])
    coin = symbol.removesuffix(_QUOTE)
    if coin == symbol or coin not in _COINS:
        return None
    return {**row, "s": f"{coin}USD_PERP", "ps": f"{coin}USD", "st": _COIN_M}
