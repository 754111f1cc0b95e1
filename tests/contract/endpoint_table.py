"""What every call costs and what is special about it, written by hand from Binance's pages and never from the spec.

``WEIGHTS`` has (arguments, weight) by endpoint. Arguments are wire names; those that have no say in the price are left
out and filled in by the test. A list of n symbols is written ``{"symbols": n}``.
"""

from __future__ import annotations

Rows = list[tuple[dict[str, int | str], int]]

# limit 1-99, 100-499, 500-1000, above; 500 when left out
_KLINES: Rows = [
    ({}, 5),
    ({"limit": 1}, 1),
    ({"limit": 99}, 1),
    ({"limit": 100}, 2),
    ({"limit": 499}, 2),
    ({"limit": 500}, 5),
    ({"limit": 1000}, 5),
    ({"limit": 1001}, 10),
    ({"limit": 1500}, 10),
]
# 4 for each symbol, 200 at most
_WINDOW_TICKERS: Rows = [
    ({"symbol": "BTCUSDT"}, 4),
    ({"symbol": "BTCUSDT", "type": "MINI"}, 4),
    ({"symbols": 1}, 4),
    ({"symbols": 2}, 8),
    ({"symbols": 49}, 196),
    ({"symbols": 50}, 200),
    ({"symbols": 51}, 200),
    ({"symbols": 100}, 200),
    ({"symbols": 51, "type": "MINI"}, 200),
]
# one symbol, any list, everything
_LATEST_TICKERS: Rows = [
    ({"symbol": "BTCUSDT"}, 2),
    ({"symbols": 1}, 4),
    ({"symbols": 400}, 4),
    ({}, 4),
    ({"symbolStatus": "HALT"}, 4),
]

WEIGHTS: dict[str, Rows] = {
    # ------------------------------------------------------------------------------------ spot
    "spot.ping": [({}, 1)],
    "spot.time": [({}, 1)],
    "spot.exchange_info": [
        ({}, 20),
        ({"symbol": "BTCUSDT"}, 20),
        ({"symbols": 2}, 20),
        ({"symbols": 300}, 20),
        ({"symbolStatus": "BREAK"}, 20),
    ],
    "spot.depth": [
        ({}, 5),
        ({"limit": 1}, 5),
        ({"limit": 99}, 5),
        ({"limit": 100}, 5),
        ({"limit": 101}, 25),
        ({"limit": 499}, 25),
        ({"limit": 500}, 25),
        ({"limit": 501}, 50),
        ({"limit": 1000}, 50),
        ({"limit": 1001}, 250),
        ({"limit": 5000}, 250),
        ({"limit": 5001}, 250),
        ({"limit": 1_000_000}, 250),
    ],
    "spot.trades": [({}, 25), ({"limit": 1}, 25), ({"limit": 1000}, 25)],
    "spot.historical_trades": [({}, 25), ({"limit": 1}, 25), ({"limit": 1000}, 25), ({"fromId": 7}, 25)],
    "spot.historical_block_trades": [({}, 25), ({"limit": 1000}, 25)],
    "spot.agg_trades": [({}, 4), ({"limit": 1}, 4), ({"limit": 1000}, 4), ({"fromId": 7}, 4)],
    "spot.klines": [({}, 2), ({"limit": 1}, 2), ({"limit": 1000}, 2)],
    "spot.ui_klines": [({}, 2), ({"limit": 1}, 2), ({"limit": 1000}, 2)],
    "spot.avg_price": [({}, 2)],
    "spot.ticker_24hr": [
        ({"symbol": "BTCUSDT"}, 2),
        ({"symbol": "BTCUSDT", "type": "MINI"}, 2),
        ({"symbols": 1}, 2),
        ({"symbols": 20}, 2),
        ({"symbols": 21}, 40),
        ({"symbols": 100}, 40),
        ({"symbols": 101}, 80),
        ({"symbols": 500}, 80),
        ({"symbols": 21, "type": "MINI"}, 40),
        ({}, 80),
        ({"type": "MINI"}, 80),
        ({"symbolStatus": "TRADING"}, 80),
    ],
    "spot.ticker_trading_day": _WINDOW_TICKERS,
    "spot.ticker": _WINDOW_TICKERS,
    "spot.ticker_price": _LATEST_TICKERS,
    "spot.ticker_book_ticker": _LATEST_TICKERS,
    "spot.execution_rules": [
        ({"symbol": "BTCUSDT"}, 2),
        ({"symbols": 1}, 2),
        ({"symbols": 2}, 4),
        ({"symbols": 19}, 38),
        ({"symbols": 20}, 40),
        ({"symbols": 21}, 40),
        ({"symbols": 300}, 40),
        ({"symbolStatus": "TRADING"}, 40),
        ({}, 40),
    ],
    "spot.reference_price": [({}, 2)],
    "spot.reference_price_calculation": [({}, 2), ({"symbolStatus": "HALT"}, 2)],
    # --------------------------------------------------------------------------------- futures
    "futures.ping": [({}, 1)],
    "futures.time": [({}, 1)],
    "futures.exchange_info": [({}, 1)],
    "futures.depth": [
        ({}, 10),
        ({"limit": 5}, 2),
        ({"limit": 10}, 2),
        ({"limit": 20}, 2),
        ({"limit": 50}, 2),
        ({"limit": 100}, 5),
        ({"limit": 500}, 10),
        ({"limit": 1000}, 20),
    ],
    "futures.rpi_depth": [({}, 20), ({"limit": 1000}, 20)],
    "futures.trades": [({}, 5), ({"limit": 1}, 5), ({"limit": 1000}, 5)],
    "futures.historical_trades": [({}, 200), ({"limit": 1}, 200), ({"limit": 500}, 200), ({"fromId": 7}, 200)],
    "futures.agg_trades": [({}, 20), ({"limit": 1}, 20), ({"limit": 1000}, 20), ({"fromId": 7}, 20)],
    "futures.klines": _KLINES,
    "futures.continuous_klines": _KLINES,
    "futures.index_price_klines": _KLINES,
    "futures.mark_price_klines": _KLINES,
    "futures.premium_index_klines": _KLINES,
    "futures.premium_index": [({"symbol": "BTCUSDT"}, 1), ({}, 10)],
    "futures.funding_rate": [({}, 0), ({"symbol": "BTCUSDT"}, 0), ({"limit": 1000}, 0)],
    "futures.funding_info": [({}, 0)],
    "futures.ticker_24hr": [({"symbol": "BTCUSDT"}, 1), ({}, 40)],
    "futures.ticker_price": [({"symbol": "BTCUSDT"}, 1), ({}, 2)],
    "futures.ticker_price_v2": [({"symbol": "BTCUSDT"}, 1), ({}, 2)],
    "futures.ticker_book_ticker": [({"symbol": "BTCUSDT"}, 2), ({}, 5)],
    "futures.open_interest": [({}, 1)],
    "futures.asset_index": [({"symbol": "ADAUSD"}, 1), ({}, 10)],
    "futures.constituents": [({}, 2)],
    "futures.index_info": [({}, 1), ({"symbol": "DEFIUSDT"}, 1)],
    "futures.insurance_balance": [({}, 1), ({"symbol": "BTCUSDT"}, 1)],
    "futures.symbol_adl_risk": [({}, 1), ({"symbol": "BTCUSDT"}, 1)],
    "futures.trading_schedule": [({}, 5)],
    # /futures/data: counted as requests instead
    "futures.open_interest_hist": [({}, 0), ({"limit": 500}, 0)],
    "futures.top_long_short_position_ratio": [({}, 0), ({"limit": 500}, 0)],
    "futures.top_long_short_account_ratio": [({}, 0), ({"limit": 500}, 0)],
    "futures.global_long_short_account_ratio": [({}, 0), ({"limit": 500}, 0)],
    "futures.taker_long_short_ratio": [({}, 0), ({"limit": 500}, 0)],
    "futures.basis": [({}, 0), ({"limit": 500}, 0)],
    "futures.delivery_price": [({}, 0)],
    # ---------------------------------------------------------------------------- coin_futures
    "coin_futures.ping": [({}, 1)],
    "coin_futures.time": [({}, 1)],
    "coin_futures.exchange_info": [({}, 1)],
    "coin_futures.depth": [
        ({}, 10),
        ({"limit": 5}, 2),
        ({"limit": 10}, 2),
        ({"limit": 20}, 2),
        ({"limit": 50}, 2),
        ({"limit": 100}, 5),
        ({"limit": 500}, 10),
        ({"limit": 1000}, 20),
    ],
    "coin_futures.trades": [({}, 5), ({"limit": 1}, 5), ({"limit": 1000}, 5)],
    "coin_futures.historical_trades": [({}, 200), ({"limit": 1}, 200), ({"limit": 500}, 200), ({"fromId": 7}, 200)],
    "coin_futures.agg_trades": [({}, 20), ({"limit": 1}, 20), ({"limit": 1000}, 20), ({"fromId": 7}, 20)],
    "coin_futures.klines": _KLINES,
    "coin_futures.continuous_klines": _KLINES,
    "coin_futures.index_price_klines": _KLINES,
    "coin_futures.mark_price_klines": _KLINES,
    "coin_futures.premium_index_klines": _KLINES,
    "coin_futures.premium_index": [({"symbol": "BTCUSD_PERP"}, 10), ({"pair": "BTCUSD"}, 10), ({}, 10)],
    "coin_futures.funding_rate": [({}, 1), ({"limit": 1000}, 1)],
    "coin_futures.funding_info": [({}, 0)],
    # Only the symbol makes it cheap: a pair costs what all contracts cost.
    "coin_futures.ticker_24hr": [({"symbol": "BTCUSD_PERP"}, 1), ({"pair": "BTCUSD"}, 40), ({}, 40)],
    "coin_futures.ticker_price": [({"symbol": "BTCUSD_PERP"}, 1), ({"pair": "BTCUSD"}, 2), ({}, 2)],
    "coin_futures.ticker_book_ticker": [({"symbol": "BTCUSD_PERP"}, 2), ({"pair": "BTCUSD"}, 5), ({}, 5)],
    "coin_futures.open_interest": [({}, 1)],
    "coin_futures.constituents": [({}, 1)],
    # /futures/data: counted as requests too, and not for nothing as on the host of USDⓈ-M
    "coin_futures.open_interest_hist": [({}, 1), ({"limit": 500}, 1)],
    "coin_futures.top_long_short_account_ratio": [({}, 1), ({"limit": 500}, 1)],
    "coin_futures.top_long_short_position_ratio": [({}, 1), ({"limit": 500}, 1)],
    "coin_futures.global_long_short_account_ratio": [({}, 1), ({"limit": 500}, 1)],
    "coin_futures.taker_buy_sell_vol": [({}, 1), ({"limit": 500}, 1)],
    "coin_futures.basis": [({}, 1), ({"limit": 500}, 1)],
}

GROUPS: dict[str, set[str]] = {
    "funding_rate": {"futures.funding_rate", "futures.funding_info"},
    "futures_data": {
        "futures.open_interest_hist",
        "futures.top_long_short_position_ratio",
        "futures.top_long_short_account_ratio",
        "futures.global_long_short_account_ratio",
        "futures.taker_long_short_ratio",
        "futures.basis",
        "futures.delivery_price",
        "coin_futures.open_interest_hist",
        "coin_futures.top_long_short_account_ratio",
        "coin_futures.top_long_short_position_ratio",
        "coin_futures.global_long_short_account_ratio",
        "coin_futures.taker_buy_sell_vol",
        "coin_futures.basis",
    },
}

LIMITS: dict[str, dict[str, tuple[int, int]]] = {
    # (limit, seconds) by market; the empty name is request weight
    "spot": {"": (6000, 60), "raw_requests": (300_000, 300)},
    "futures": {"": (2400, 60), "funding_rate": (500, 300), "futures_data": (1000, 300)},
}

SECURED: dict[str, str] = {
    "futures.historical_trades": "api_key",
    "futures.top_long_short_account_ratio": "api_key_uncertain",
    "futures.top_long_short_position_ratio": "api_key_uncertain",
    "coin_futures.historical_trades": "api_key",
}
"""Endpoints that want an API key."""

COUNT_NOT_TRUSTED: dict[str, str] = {
    "futures.funding_rate": "absent",
    "futures.funding_info": "absent",
    "futures.ticker_book_ticker": "untrusted",
    "futures.ticker_price_v2": "untrusted",
    "futures.open_interest_hist": "untrusted",
    "futures.top_long_short_position_ratio": "untrusted",
    "futures.top_long_short_account_ratio": "untrusted",
    "futures.global_long_short_account_ratio": "untrusted",
    "futures.taker_long_short_ratio": "untrusted",
    "futures.basis": "untrusted",
    "futures.delivery_price": "untrusted",
    "coin_futures.funding_info": "untrusted",
    "coin_futures.open_interest_hist": "untrusted",
    "coin_futures.top_long_short_account_ratio": "untrusted",
    "coin_futures.top_long_short_position_ratio": "untrusted",
    "coin_futures.global_long_short_account_ratio": "untrusted",
    "coin_futures.taker_buy_sell_vol": "untrusted",
    "coin_futures.basis": "untrusted",
}
"""Endpoints whose answers do not tell the used weight, or not the true one."""

NOT_SERVED_BY: dict[str, set[str]] = {
    "spot.execution_rules": {"data_only"},
    "spot.historical_block_trades": {"data_only"},
    "spot.historical_trades": {"data_only"},
    "spot.reference_price": {"data_only"},
    "spot.reference_price_calculation": {"data_only"},
    "spot.ticker_trading_day": {"data_only"},
}
"""Environments that serve the market, but not this endpoint."""
