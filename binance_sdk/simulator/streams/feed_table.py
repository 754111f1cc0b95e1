"""The feed behind each name, by market."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from binance_sdk.catalogue import stream, stream_fixture
from binance_sdk.simulator.streams import coin_feeds, rest_feeds
from binance_sdk.simulator.streams.feeds import BookTicker, Depth, Feed, Klines, Trades
from binance_sdk.simulator.streams.fixture_feed import FixtureFeed
from binance_sdk.simulator.streams.market_view import MarketView
from binance_sdk.simulator.streams.merged import Merged
from binance_sdk.simulator.streams.names import StreamName

_SECOND = 1_000
_COIN_MINI = {**rest_feeds.MINI, "q": "baseVolume"}
_COIN_TICKER = {**rest_feeds.TICKER, "q": "baseVolume"}
Maker = Callable[[MarketView, StreamName], Feed]

_SHARED: Mapping[str, Maker] = {
    "agg_trade": partial(Trades, aggregate=True),
    "kline": Klines,
    "book_ticker": BookTicker,
    "partial_depth": Depth,
    "diff_depth": Depth,
}
_MAKERS: Mapping[str, Mapping[str, Maker]] = {
    "spot": {
        **_SHARED,
        "trade": partial(Trades, aggregate=False),
        "block_trade": rest_feeds.block_trade,
        "kline_utc8": Klines,
        "mini_ticker": rest_feeds.ticker(rest_feeds.MINI, "24hrMiniTicker", _SECOND),
        "all_mini_tickers": rest_feeds.ticker(rest_feeds.MINI, "24hrMiniTicker", _SECOND),
        "ticker": rest_feeds.ticker(rest_feeds.SPOT_TICKER, "24hrTicker", _SECOND),
        "rolling_ticker": rest_feeds.rolling,
        "all_rolling_tickers": rest_feeds.rolling,
        "avg_price": rest_feeds.avg_price,
        "reference_price": rest_feeds.reference_price,
    },
    "futures": {
        **_SHARED,
        "rpi_diff_depth": Depth,
        "all_book_tickers": rest_feeds.all_book_tickers,
        "mark_price": rest_feeds.mark_price,
        "all_mark_prices": rest_feeds.mark_price,
        "continuous_kline": Klines,
        "mini_ticker": rest_feeds.ticker(rest_feeds.MINI, "24hrMiniTicker", 2 * _SECOND),
        "all_mini_tickers": rest_feeds.ticker(rest_feeds.MINI, "24hrMiniTicker", _SECOND),
        "ticker": rest_feeds.ticker(rest_feeds.TICKER, "24hrTicker", 2 * _SECOND),
        "all_tickers": rest_feeds.ticker(rest_feeds.TICKER, "24hrTicker", _SECOND),
        "force_order": rest_feeds.force_order,
        "all_force_orders": rest_feeds.force_order,
        "composite_index": rest_feeds.composite_index,
        "contract_info": rest_feeds.contract_info,
        "asset_index": rest_feeds.asset_index,
        "all_asset_indexes": rest_feeds.asset_index,
        "trading_session": rest_feeds.trading_session,
    },
    "coin_futures": {
        **_SHARED,
        "all_book_tickers": rest_feeds.all_book_tickers,
        "index_price": coin_feeds.index_price,
        "mark_price": rest_feeds.mark_price,
        "mark_price_of_pair": coin_feeds.mark_price_of_pair,
        "all_mark_prices": rest_feeds.mark_price,
        "continuous_kline": Klines,
        "index_price_kline": coin_feeds.PriceKlines,
        "mark_price_kline": coin_feeds.PriceKlines,
        "mini_ticker": rest_feeds.ticker(_COIN_MINI, "24hrMiniTicker", 500),
        "all_mini_tickers": rest_feeds.ticker(_COIN_MINI, "24hrMiniTicker", _SECOND),
        "ticker": rest_feeds.ticker(_COIN_TICKER, "24hrTicker", 500),
        "all_tickers": rest_feeds.ticker(_COIN_TICKER, "24hrTicker", _SECOND),
        "force_order": partial(rest_feeds.force_order, pair_in_order=True),
        "all_force_orders": partial(rest_feeds.force_order, pair_in_order=True),
        "contract_info": rest_feeds.contract_info,
    },
}
_OF_BOTH_FUTURES = frozenset(
    {"all_mini_tickers", "all_tickers", "all_mark_prices", "all_book_tickers", "all_force_orders", "contract_info"}
)
"""Streams of all contracts, which carry the same rows at the hosts of both markets since 2026-06-30."""


def feed_of(view: MarketView, name: StreamName) -> Feed:
    """The feed of a stream that exists: with the rows of other markets, where they have the stream in common."""
    own = _own_feed(view, name)
    others = view.others if name.kind in _OF_BOTH_FUTURES else ()
    if not others:
        return own
    return Merged(view, own, [_own_feed(other, replace(name, market=other.market.name)) for other in others])


def _own_feed(view: MarketView, name: StreamName) -> Feed:
    """The market's own feed, or else its example message."""
    market = view.market.name
    make = _MAKERS.get(market, {}).get(name.kind)
    if make is not None:
        return make(view, name)
    return FixtureFeed(view, name, stream(f"{market}.{name.kind}"), stream_fixture(market, name.kind))
