"""Names of streams, written by hand: the judge of what the spec and the methods make of them.

A line holds the stream, its route (``-`` for none) and its names for BTCUSDT (on COIN-M futures for BTCUSD_PERP and
the pair BTCUSD), the first of them the one of a call without choices where there is such a call. ``{a,b}`` stands for
each of the two.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

SPOT_BARS = "{1s,1m,3m,5m,15m,30m,1h,2h,4h,6h,8h,12h,1d,3d,1w,1M}"
FUTURES_BARS = "{1m,3m,5m,15m,30m,1h,2h,4h,6h,8h,12h,1d,3d,1w,1M}"
CONTRACTS = "{perpetual,current_quarter,next_quarter,tradifi_perpetual}"
COIN_CONTRACTS = "{perpetual,current_quarter,next_quarter}"

_LINES = f"""
spot.agg_trade              -       btcusdt@aggTrade
spot.trade                  -       btcusdt@trade
spot.block_trade            -       btcusdt@blockTrade
spot.kline                  -       btcusdt@kline_{SPOT_BARS}
spot.kline_utc8             -       btcusdt@kline_{SPOT_BARS}@+08:00
spot.mini_ticker            -       btcusdt@miniTicker
spot.all_mini_tickers       -       !miniTicker@arr
spot.ticker                 -       btcusdt@ticker
spot.rolling_ticker         -       btcusdt@ticker_{{1h,4h,1d}}
spot.all_rolling_tickers    -       !ticker_{{1h,4h,1d}}@arr
spot.book_ticker            -       btcusdt@bookTicker
spot.avg_price              -       btcusdt@avgPrice
spot.partial_depth          -       btcusdt@depth{{5,10,20}}{{,@100ms}}
spot.diff_depth             -       btcusdt@depth{{,@100ms}}
spot.reference_price        -       btcusdt@referencePrice
futures.agg_trade           market  btcusdt@aggTrade
futures.mark_price          market  btcusdt@markPrice{{,@1s}}
futures.all_mark_prices     market  !markPrice@arr{{,@1s}}
futures.kline               market  btcusdt@kline_{FUTURES_BARS}
futures.continuous_kline    market  btcusdt_{CONTRACTS}@continuousKline_{SPOT_BARS}
futures.mini_ticker         market  btcusdt@miniTicker
futures.all_mini_tickers    market  !miniTicker@arr
futures.ticker              market  btcusdt@ticker
futures.all_tickers         market  !ticker@arr
futures.book_ticker         public  btcusdt@bookTicker
futures.all_book_tickers    public  !bookTicker
futures.force_order         market  btcusdt@forceOrder
futures.all_force_orders    market  !forceOrder@arr
futures.partial_depth       public  btcusdt@depth{{5,10,20}}{{,@500ms,@100ms}}
futures.diff_depth          public  btcusdt@depth{{,@500ms,@100ms}}
futures.rpi_diff_depth      public  btcusdt@rpiDepth@500ms
futures.composite_index     market  btcusdt@compositeIndex
futures.contract_info       market  !contractInfo
futures.asset_index         market  btcusdt@assetIndex
futures.all_asset_indexes   market  !assetIndex@arr
futures.trading_session     market  tradingSession
coin_futures.agg_trade           -  btcusd_perp@aggTrade
coin_futures.index_price         -  btcusd@indexPrice{{,@1s}}
coin_futures.mark_price          -  btcusd_perp@markPrice{{,@1s}}
coin_futures.mark_price_of_pair  -  btcusd@markPrice{{,@1s}}
coin_futures.all_mark_prices     -  !markPrice@arr{{,@1s}}
coin_futures.kline               -  btcusd_perp@kline_{FUTURES_BARS}
coin_futures.continuous_kline    -  btcusd_{COIN_CONTRACTS}@continuousKline_{FUTURES_BARS}
coin_futures.index_price_kline   -  btcusd@indexPriceKline_{FUTURES_BARS}
coin_futures.mark_price_kline    -  btcusd_perp@markPriceKline_{FUTURES_BARS}
coin_futures.mini_ticker         -  btcusd_perp@miniTicker
coin_futures.all_mini_tickers    -  !miniTicker@arr
coin_futures.ticker              -  btcusd_perp@ticker
coin_futures.all_tickers         -  !ticker@arr
coin_futures.book_ticker         -  btcusd_perp@bookTicker
coin_futures.all_book_tickers    -  !bookTicker
coin_futures.force_order         -  btcusd_perp@forceOrder
coin_futures.all_force_orders    -  !forceOrder@arr
coin_futures.contract_info       -  !contractInfo
coin_futures.partial_depth       -  btcusd_perp@depth{{5,10,20}}{{,@500ms,@100ms}}
coin_futures.diff_depth          -  btcusd_perp@depth{{,@500ms,@100ms}}
"""

SECONDS_OF_SILENCE = {
    "spot.all_mini_tickers": {"": 7},
    "spot.all_rolling_tickers": {"": 7},
    "spot.avg_price": {"": 7},
    "spot.reference_price": {"": 7},
    "futures.mark_price": {"": 17, "3s": 17, "1s": 7},
    "futures.all_mark_prices": {"": 17, "3s": 17, "1s": 7},
    "futures.all_mini_tickers": {"": 7},
    "futures.all_tickers": {"": 7},
    "futures.all_book_tickers": {"": 27},
    "futures.composite_index": {"": 7},
    "futures.asset_index": {"": 7},
    "futures.all_asset_indexes": {"": 7},
    "futures.trading_session": {"": 7},
    "coin_futures.index_price": {"": 17, "3s": 17, "1s": 7},
    "coin_futures.mark_price": {"": 17, "3s": 17, "1s": 7},
    "coin_futures.mark_price_of_pair": {"": 17, "3s": 17, "1s": 7},
    "coin_futures.all_mark_prices": {"": 17, "3s": 17, "1s": 7},
    "coin_futures.all_mini_tickers": {"": 7},
    "coin_futures.all_tickers": {"": 7},
}
"""Five periods and two seconds; ``""`` is what holds without a look at the choice."""
NEVER_TOO_SILENT = {
    "spot.block_trade",
    "futures.force_order",
    "futures.all_force_orders",
    "futures.contract_info",
    "coin_futures.force_order",
    "coin_futures.all_force_orders",
    "coin_futures.contract_info",
}
WITH_IDS = {
    "spot.agg_trade": "each",
    "spot.trade": "each",
    "spot.kline": "time",
    "spot.kline_utc8": "time",
    "spot.diff_depth": "range",
    "futures.agg_trade": "each",
    "futures.kline": "time",
    "futures.continuous_kline": "time",
    "futures.diff_depth": "previous",
    "futures.rpi_diff_depth": "previous",
    "coin_futures.agg_trade": "each",
    "coin_futures.kline": "time",
    "coin_futures.continuous_kline": "time",
    "coin_futures.index_price_kline": "time",
    "coin_futures.mark_price_kline": "time",
    "coin_futures.diff_depth": "previous",
}
FILLED_FROM = {
    "spot.agg_trade": "spot.agg_trades",
    "spot.trade": "spot.historical_trades",
    "spot.kline": "spot.klines",
    "spot.kline_utc8": "spot.klines",
    "futures.agg_trade": "futures.agg_trades",
    "futures.kline": "futures.klines",
    "futures.continuous_kline": "futures.continuous_klines",
    "coin_futures.agg_trade": "coin_futures.agg_trades",
    "coin_futures.kline": "coin_futures.klines",
    "coin_futures.continuous_kline": "coin_futures.continuous_klines",
    "coin_futures.index_price_kline": "coin_futures.index_price_klines",
    "coin_futures.mark_price_kline": "coin_futures.mark_price_klines",
}


SYMBOLS = {("coin_futures", "symbol"): "BTCUSD_PERP", ("coin_futures", "pair"): "BTCUSD"}
"""What the names of a market are of, by market and parameter, where that is not BTCUSDT."""


def symbol_of(market: str, parameter: str) -> str:
    """The symbol that the names of the table are of."""
    return SYMBOLS.get((market, parameter), "BTCUSDT")


@dataclass(frozen=True)
class Line:
    route: str
    names: tuple[str, ...]


def expanded(text: str) -> tuple[str, ...]:
    pieces = re.split(r"\{([^}]*)\}", text)
    choices = [piece.split(",") if number % 2 else [piece] for number, piece in enumerate(pieces)]
    return tuple("".join(parts) for parts in itertools.product(*choices))


TABLE = {
    name: Line("" if route == "-" else route, expanded(names))
    for name, route, names in (line.split() for line in _LINES.strip().splitlines())
}
