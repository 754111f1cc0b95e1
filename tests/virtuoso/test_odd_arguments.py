"""What callers pass by mistake is told as a ``ParameterError`` of both sides, before anything is sent."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from binance_sdk.errors import ParameterError
from virtuoso_binance import InvalidSymbolError
from virtuoso_binance.scalars import milliseconds

ODD: dict[str, object] = {
    "None": None,
    "True": True,
    "0": 0,
    "-1": -1,
    "0.5": 0.5,
    "nan": math.nan,
    "inf": math.inf,
    "10**400": 10**400,
    "10**5000": 10**5000,
    "Decimal": Decimal(5),
    "empty": "",
    "text": "many",
    "surrogate": "\ud800",
    "huge": "A" * 100_000,
    "bytes": b"5",
    "list": [],
    "dict": {},
    "object": object(),
}
NONE = {"None"}
TIMES = {"None", "0", "-1", "0.5"}

# Method, the argument, and the values of the table that are taken.
TABLE: list[tuple[str, str, set[str]]] = [
    ("fetch_ticker", "symbol", set()),
    # What is not listed is left out, with a warning.
    ("fetch_tickers", "symbols", NONE | {"list", "empty", "text", "surrogate", "huge", "dict"}),
    ("fetch_tickers", "category", NONE),
    ("fetch_order_book", "symbol", set()),
    ("fetch_order_book", "limit", NONE),
    ("fetch_trades", "since", {"None", "0.5"}),
    ("fetch_trades", "limit", NONE),
    ("fetch_ohlcv", "timeframe", set()),
    ("fetch_ohlcv", "limit", NONE),
    ("fetch_historical_klines", "interval", set()),
    ("fetch_funding_rate", "symbol", set()),
    ("fetch_funding_rate_history", "limit", set()),
    ("fetch_open_interest", "symbol", set()),
    ("fetch_open_interest_history", "interval", set()),
    ("fetch_open_interest_history", "limit", set()),
    ("fetch_long_short_ratio", "symbol", set()),
    ("fetch_premium_index_kline", "interval", set()),
    ("fetch_premium_index_kline", "limit", set()),
    ("fetch_mark_price_kline", "limit", set()),
    ("calculate_taker_buy_sell_ratio", "limit", set()),
    ("calculate_taker_buy_sell_ratio", "lookback_seconds", {"0", "0.5"}),
    ("fetch_risk_limits", "symbol", set()),
    # Whoever streamed them knows what is listed.
    ("get_recent_liquidations", "symbol", {"text", "surrogate"}),
    ("get_recent_liquidations", "hours", {"0", "0.5"}),
    ("fetch_market_data", "symbol", set()),
    ("fetch_market_data", "limit", NONE),
]


@pytest.mark.parametrize(("method", "argument", "expected"), TABLE, ids=[f"{row[0]}-{row[1]}" for row in TABLE])
async def test_odd_arguments(exchange: Any, method: str, argument: str, expected: set[str]) -> None:
    taken: set[str] = set()
    needs_symbol = method != "fetch_tickers"
    for label, value in ODD.items():
        arguments = {**({"symbol": "BTCUSDT"} if needs_symbol else {}), argument: value}
        try:
            made = getattr(exchange, method)(**arguments)
            if hasattr(made, "__await__"):
                await made
        except ParameterError as error:
            text = str(error)
        else:
            taken.add(label)
            continue
        assert len(text) < 500, label
        text.encode()
        if argument == "symbol":
            assert "invalid symbol" in text
    assert taken == expected


@pytest.mark.parametrize("label", sorted(set(ODD) - TIMES))
def test_what_is_no_time(label: str) -> None:
    value: Any = ODD[label]
    with pytest.raises(ParameterError, match=r"^time=.* must be epoch milliseconds or a datetime"):
        milliseconds(value)


@pytest.mark.parametrize(
    "spelling", ["BTC-USDT", "btc_usdt", "BTC/USDT", "Btc-Usdt:usdt", "btcusdt", {"symbol": "BTC-USDT"}]
)
async def test_every_spelling_means_the_same_market(exchange: Any, spelling: Any) -> None:
    assert (await exchange.fetch_ticker(spelling))["symbol"] == "BTCUSDT"
    assert exchange.validate_symbol(spelling)


@pytest.mark.parametrize(
    "spelling", ["BTC-USDT-SWAP", "BTCUSDT_260327", "BTC-260327", "-USDT", "BTC-", "BTC--USDT", "BTC-PERP"]
)
async def test_other_contracts_are_refused_with_the_remedy(exchange: Any, spelling: str) -> None:
    with pytest.raises(InvalidSymbolError, match="write it like BTCUSDT"):
        await exchange.fetch_ticker(spelling)
