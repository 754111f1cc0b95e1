"""What type checkers see at the call sites of streams. Checked by mypy and pyright, never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from decimal import Decimal
from typing import Literal, assert_never, assert_type

from binance_sdk import BinanceClient, SyncBinanceClient
from binance_sdk.futures import DiffDepthEvent as FuturesDiffDepthEvent
from binance_sdk.futures import ForceOrderEvent, MarkPriceEvent
from binance_sdk.spot import (
    AggTradeEvent,
    BookTickerEvent,
    DiffDepthEvent,
    KlineEvent,
    KlineInterval,
    MiniTickerEvent,
    PriceLevel,
    TickerEvent,
    TradeEvent,
)
from binance_sdk.streams import Events, Gap, Notice, Reconnected, SilentStream, Stream, SyncStream


async def asynchronous(client: BinanceClient) -> None:
    s = client.spot.streams
    assert_type(s.agg_trade("BTCUSDT", "ETHUSDT"), Stream[AggTradeEvent])
    assert_type(s.kline("BTCUSDT", interval="1m", fill_gaps=True), Stream[KlineEvent])
    assert_type(s.all_mini_tickers(quiet_time=None), Stream[list[MiniTickerEvent]])
    assert_type(s.diff_depth("BTCUSDT", speed="100ms"), Stream[DiffDepthEvent])
    assert_type(client.futures.streams.diff_depth("BTCUSDT", speed="500ms"), Stream[FuturesDiffDepthEvent])
    assert_type(client.futures.streams.all_mark_prices(speed="1s"), Stream[list[MarkPriceEvent]])
    assert_type(client.futures.streams.all_force_orders(), Stream[ForceOrderEvent])
    async with s.agg_trade("BTCUSDT", overflow="latest", buffer=5) as events:
        assert_type(events, Events[AggTradeEvent])
        async for event in events:
            assert_type(event, AggTradeEvent)
            assert_type(event.price, Decimal)
        async for item in events.with_notices():
            assert_type(item, AggTradeEvent | Notice)


async def together(client: BinanceClient) -> None:
    s = client.spot.streams
    both = s.agg_trade("BTCUSDT") | s.book_ticker("BTCUSDT")
    assert_type(both, Stream[AggTradeEvent | BookTickerEvent])
    async with both as events:
        async for event in events:
            assert_type(event, AggTradeEvent | BookTickerEvent)
            assert_type(event.stream, str)
        async for item in events.with_notices():
            match item:
                case AggTradeEvent(price=price):
                    assert_type(price, Decimal)
                case BookTickerEvent():
                    assert_type(item.bid_qty, Decimal)
                case Gap():
                    assert_type(item.last_id, int)
                case Reconnected() | SilentStream():
                    break
                case _:
                    assert_never(item)


async def combined(client: BinanceClient, names: list[str]) -> None:
    s, prices = client.spot.streams, client.futures.streams.mark_price("BTCUSDT")
    two = s.combine(s.agg_trade("BTCUSDT"), s.book_ticker("BTCUSDT"), buffer=5)
    assert_type(two, Stream[AggTradeEvent | BookTickerEvent])
    assert_type(
        s.combine(two, prices, s.trade("A")), Stream[AggTradeEvent | BookTickerEvent | MarkPriceEvent | TradeEvent]
    )
    assert_type(s.combine(s.agg_trade("A") | s.trade("A"), buffer=5), Stream[AggTradeEvent | TradeEvent])
    assert_type(s.combine(*[s.trade(name) for name in names]), Stream[TradeEvent])
    async with two as events:
        # One kind of those that are listened to.
        await events.subscribe(s.agg_trade("ETHUSDT"))
        await events.subscribe(s.agg_trade("ETHUSDT") | s.book_ticker("ETHUSDT"))
        await events.subscribe(s.trade("ETHUSDT"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def blocking(client: SyncBinanceClient, interval: KlineInterval) -> None:
    s = client.spot.streams
    assert_type(s.kline("BTCUSDT", interval=interval), SyncStream[KlineEvent])
    assert_type(s.trade("BTCUSDT") | s.ticker("BTCUSDT"), SyncStream[TradeEvent | TickerEvent])
    with s.kline("BTCUSDT", interval="1h") as events:
        for event in events:
            assert_type(event.kline.open, Decimal)
            assert_type(event.kline.first_trade_id, int | None)
            assert_type(event.event_time, int | None)
            assert_type(event.kline.interval, KlineInterval | str)
        for item in events.with_notices():
            assert_type(item, KlineEvent | Notice)
            match item:
                case KlineEvent():
                    assert_type(item.kline.open, Decimal)
                case Gap() | Reconnected() | SilentStream():
                    assert_type(item, Gap | Reconnected | SilentStream)
                case _:
                    assert_never(item)


def listeners(client: BinanceClient) -> None:
    def heard(notice: Notice) -> None: ...
    def gaps_alone(notice: Gap) -> None: ...
    async def later(notice: Notice) -> None: ...

    s = client.spot.streams
    assert_type(s.agg_trade("BTCUSDT", on_notice=heard), Stream[AggTradeEvent])
    s.agg_trade("BTCUSDT", on_notice=print)
    s.agg_trade("BTCUSDT", on_notice=gaps_alone)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    s.agg_trade("BTCUSDT", on_notice=later)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def fields(depth: DiffDepthEvent, mark: MarkPriceEvent) -> None:
    assert_type(depth.bids, list[PriceLevel])
    assert_type(depth.event_time, int)
    assert_type(depth.stream, str)
    assert_type(depth.filled, bool)
    assert_type(mark.symbol_type, int | None)
    assert_type(mark.funding_rate, Decimal | None)


def mistakes(client: BinanceClient, speed: Literal["250ms"]) -> None:
    s = client.spot.streams
    s.kline("BTCUSDT")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    s.kline("BTCUSDT", "1m")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    s.kline("BTCUSDT", interval="1x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    s.partial_depth("BTCUSDT", levels=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    s.diff_depth("BTCUSDT", speed=speed)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    s.agg_trade("BTCUSDT", bufer=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    s.agg_trade("BTCUSDT", overflow="drop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    s.all_mini_tickers("BTCUSDT")  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
    s.force_order("BTCUSDT")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    client.futures.streams.kline("BTCUSDT", interval="1s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
