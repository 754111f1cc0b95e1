"""COIN-M rows in the futures streams of all contracts, as Binance sends them since 2026-06-30.

The simulator has no COIN-M market: its rows are those of the same coin's USDⓈ-M contract under the other name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from binance_sdk.simulator.json_text import json_text

STREAMS_WITH_COIN_M = frozenset(
    f"futures.{name}"
    for name in ("all_mini_tickers", "all_tickers", "all_mark_prices", "all_book_tickers", "all_force_orders")
)
"""Streams of all contracts, whose rows say in ``st`` to which market they belong."""
_QUOTE = "USDT"
_COINS = frozenset({"BTC", "ETH", "BNB", "SOL", "XRP", "DOGE", "ADA", "LTC", "LINK", "BCH"})
_COIN_M = 2


def with_coin_m(payload: bytes) -> Iterator[bytes]:
    """The message, and what COIN-M adds: rows at the end of a list, or a message of its own."""
    message: object = json.loads(payload)
    if isinstance(message, list):
        rows = cast("list[dict[str, Any]]", message)
        yield json_text([*rows, *(_renamed(row, coin) for row in rows if (coin := _coin(row)) is not None)])
        return
    yield payload
    row = cast("dict[str, Any]", message)
    coin = _coin(row)
    if coin is not None:
        yield json_text(_renamed(row, coin))


def as_coin_m(payload: bytes) -> bytes:
    """The message as one of a COIN-M contract on bitcoin; of a list, the list with such a row at its end."""
    message: object = json.loads(payload)
    if isinstance(message, list):
        rows = cast("list[dict[str, Any]]", message)
        return json_text([*rows, *(_renamed(row, "BTC") for row in rows[:1])])
    return json_text(_renamed(cast("dict[str, Any]", message), "BTC"))


def _coin(row: dict[str, Any]) -> str | None:
    """The coin of a row, if it has a COIN-M perpetual."""
    order = row.get("o")
    # A liquidation names its symbol in the order.
    symbol = str(cast("dict[str, Any]", order)["s"] if isinstance(order, dict) else row["s"])
    coin = symbol.removesuffix(_QUOTE)
    return coin if coin != symbol and coin in _COINS else None


def _renamed(row: dict[str, Any], coin: str) -> dict[str, Any]:
    """The row as one of the coin's COIN-M perpetual."""
    market = {"ps": f"{coin}USD", "st": _COIN_M}
    renamed = {"s": f"{coin}USD_PERP", **market}
    order = row.get("o")
    if isinstance(order, dict):
        return {**row, "o": {**cast("dict[str, Any]", order), **renamed}, **market}
    return {**row, **renamed}
