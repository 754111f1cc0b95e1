"""msgspec with the same exact decimals: what the decode is compared with. Not used by the library."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Kline(msgspec.Struct, array_like=True):
    open_time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    close_time: int
    quote_volume: Decimal
    trade_count: int
    taker_buy_volume: Decimal
    taker_buy_quote_volume: Decimal
    unused: str


class Level(msgspec.Struct, array_like=True):
    price: Decimal
    qty: Decimal


class OrderBook(msgspec.Struct, rename="camel"):
    last_update_id: int
    bids: list[Level]
    asks: list[Level]


class Trade(msgspec.Struct, rename="camel"):
    id: int
    price: Decimal
    qty: Decimal
    quote_qty: Decimal
    time: int
    is_buyer_maker: bool
    is_best_match: bool


class Ticker(msgspec.Struct, rename="camel"):
    symbol: str
    price_change: Decimal
    price_change_percent: Decimal
    weighted_avg_price: Decimal
    prev_close_price: Decimal
    last_price: Decimal
    last_qty: Decimal
    bid_price: Decimal
    bid_qty: Decimal
    ask_price: Decimal
    ask_qty: Decimal
    open_price: Decimal
    high_price: Decimal
    low_price: Decimal
    volume: Decimal
    quote_volume: Decimal
    open_time: int
    close_time: int
    first_id: int
    last_id: int
    count: int


klines = msgspec.json.Decoder(list[Kline])
depth = msgspec.json.Decoder(OrderBook)
trades = msgspec.json.Decoder(list[Trade])
tickers = msgspec.json.Decoder(list[Ticker])
