"""What people write by mistake: a typed error that names the option, its value and what to write, and nothing sent."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from binance_sdk import BinanceClient, RequestOptions, SyncBinanceClient
from binance_sdk.errors import ParameterError, StreamError

from .conftest import Engine
from .rows import agg_trade
from .server import eventually
from .test_sync import Background, background

__all__ = ["background"]


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


WRONG = (
    *(None, "x", "", -1, 0, math.nan, math.inf, -math.inf, 10**400, -(10**5000), 1.5, "\ud800", b"1"),
    *(Decimal(5), [], {}, object(), Unprintable(), print, True, "LATEST", "newest"),
)
RIGHT: dict[str, Callable[[object], bool]] = {
    "fill_gaps": lambda value: value is True,
    "overflow": lambda value: False,
    "buffer": lambda value: value == 10**400,
    "buffer_bytes": lambda value: value == 10**400,
    "quiet_time": lambda value: value is None or value == 1.5,
    "rollover_after": lambda value: value == 1.5,
    "connection_quiet_time": lambda value: value == 1.5,
    "reconnect": lambda value: value is True,
    "bad_rows": lambda value: False,
    "all_markets": lambda value: value is True,
    "on_notice": lambda value: value is print,
}


@pytest.mark.parametrize("name", sorted(RIGHT))
async def test_every_option_with_every_wrong_value(name: str) -> None:
    async with BinanceClient() as client:
        for value in WRONG:
            options: Any = {name: value}
            # True is an int to Python, but not meant as a number.
            if value is not True and RIGHT[name](value):
                client.spot.streams.trade("BTCUSDT", **options)
                continue
            if value is True and name in ("fill_gaps", "all_markets", "reconnect"):
                continue
            with pytest.raises(ParameterError) as caught:
                client.spot.streams.trade("BTCUSDT", **options)
            assert f"{name}=" in str(caught.value)
            assert " must be " in str(caught.value)
            assert caught.value.parameter == name
            with pytest.raises(ParameterError):
                client.spot.streams.combine(client.spot.streams.trade("BTCUSDT"), **options)


async def test_a_symbol_in_the_spelling_of_others_is_told_in_ours() -> None:
    async with BinanceClient() as client:
        with pytest.raises(ParameterError, match="contains '/', which no symbol has: write 'BTCUSDT'"):
            client.spot.streams.trade("btc/usdt")
        with pytest.raises(ParameterError, match="several symbols go into a list"):
            client.spot.streams.trade("BTCUSDT,ETHUSDT")


async def test_a_stream_that_was_not_opened_says_how(background: Background) -> None:
    async with BinanceClient(spot_stream_url=background.exchange.url) as client:
        unopened: Any = client.spot.streams.trade("BTCUSDT")
        with pytest.raises(StreamError, match="async with stream as events"):
            async for _ in unopened:
                pass
    with SyncBinanceClient(spot_stream_url=background.exchange.url) as blocking:
        unopened = blocking.spot.streams.trade("BTCUSDT")
        with pytest.raises(StreamError, match="opened first: with stream as events"):
            iter(unopened)


async def test_a_stream_shows_its_market_and_names() -> None:
    async with BinanceClient() as client:
        both = client.spot.streams.trade("BTCUSDT") | client.futures.streams.agg_trade("BTCUSDT")
        assert repr(both) == "<Stream of spot|futures: btcusdt@trade, btcusdt@aggTrade>"


@pytest.mark.parametrize("wrong", [None, "btcusdt@trade", 7, [], Decimal(7)], ids=repr)
async def test_what_is_no_stream_cannot_be_subscribed_to(engine: Engine, wrong: Any) -> None:
    async with engine.spot.agg_trade("BTCUSDT") as events:
        for change in (events.subscribe, events.unsubscribe):
            with pytest.raises(ParameterError, match=r"stream=.* must be a .*Stream of this client") as caught:
                await change(wrong)
            assert caught.value.parameter == "stream"
        for combine in (lambda: engine.spot.combine(wrong), lambda: engine.spot.agg_trade("BTCUSDT") | wrong):
            with pytest.raises(ParameterError, match="a Stream, not"):
                combine()


async def test_a_list_is_combined_by_its_items(engine: Engine) -> None:
    streams: Any = [engine.spot.trade("BTCUSDT")]
    with pytest.raises(ParameterError, match=r"combine\(\*streams\)"):
        engine.spot.combine(streams)
    with pytest.raises(ParameterError, match="at least one"):
        await engine.spot.combine().open()


async def test_streams_of_two_clients_are_kept_apart(background: Background) -> None:
    """The other one may speak to another exchange, a testnet say."""
    async with (
        BinanceClient(spot_stream_url=background.exchange.url) as client,
        BinanceClient(environment="testnet") as other,
    ):
        mine, foreign = client.spot.streams.trade("BTCUSDT"), other.spot.streams.trade("BTCUSDT")
        for combine in (lambda: mine | foreign, lambda: client.spot.streams.combine(mine, foreign)):
            with pytest.raises(ParameterError, match="two clients"):
                combine()
        async with mine as events:
            with pytest.raises(ParameterError, match="made by another client"):
                await events.subscribe(foreign)
            # A copy shares the connections, and so the streams.
            copy = client.with_options(RequestOptions(priority="low"))
            await events.subscribe(copy.spot.streams.trade("ETHUSDT"))
            assert (mine | copy.spot.streams.trade("ETHUSDT")).names == ("btcusdt@trade", "ethusdt@trade")
        with pytest.raises(StreamError, match="closed"):
            await events.subscribe(mine)
    with pytest.raises(StreamError, match="closed"):
        await events.subscribe(mine)


async def test_what_holds_for_the_whole_consumer_cannot_be_changed_later(engine: Engine) -> None:
    heard: list[object] = []
    async with engine.spot.agg_trade("BTCUSDT", buffer=7, overflow="drop_oldest") as events:
        for options in ({"overflow": "latest"}, {"buffer": 8}, {"buffer_bytes": 1000}, {"rollover_after": 60.0}):
            ((name, value),) = options.items()
            with pytest.raises(ParameterError, match=f"{name}={value!r}: the stream was opened with {name}="):
                await events.subscribe(engine.spot.agg_trade("ETHUSDT", **options))  # type: ignore[arg-type]
        assert events.streams == ("btcusdt@aggTrade",)
        more = engine.spot.agg_trade(
            "ETHUSDT", buffer=7, overflow="drop_oldest", quiet_time=None, bad_rows="skip", on_notice=heard.append
        )
        await events.subscribe(more)
        for number in (1, 3):
            await engine.exchange.send("ethusdt@aggTrade", agg_trade(number, "ETHUSDT"))
            assert (await anext(events)).agg_id == number
        assert len(heard) == 1


def test_blocking_streams_are_told_the_same(background: Background) -> None:
    with (
        SyncBinanceClient(spot_stream_url=background.exchange.url) as client,
        client.spot.streams.agg_trade("BTCUSDT") as events,
    ):
        wrong: Any
        for wrong in (None, 7, BinanceClient().spot.streams.trade("BTCUSDT")):
            for change in (events.subscribe, events.unsubscribe):
                with pytest.raises(ParameterError, match=r"stream=.* must be a SyncStream of this client"):
                    change(wrong)
        with pytest.raises(ParameterError, match="was opened with"):
            events.subscribe(client.spot.streams.trade("BTCUSDT", overflow="latest"))  # type: ignore[arg-type]


def test_blocking_code_gets_nothing_of_what_it_unsubscribed_from(background: Background) -> None:
    with SyncBinanceClient(spot_stream_url=background.exchange.url) as client:
        streams = client.spot.streams
        with streams.agg_trade("BTCUSDT", "ETHUSDT") as events:
            for number in (1, 2, 3):
                for symbol in ("BTCUSDT", "ETHUSDT"):
                    background.run(background.exchange.send(f"{symbol.lower()}@aggTrade", agg_trade(number, symbol)))
            client._core.streams().run(lambda: eventually(lambda: events.stats.received == 6))
            assert next(events).symbol == "BTCUSDT"
            events.unsubscribe(streams.agg_trade("BTCUSDT"))
            assert [(event.symbol, event.agg_id) for event in (next(events), next(events), next(events))] == [
                ("ETHUSDT", 1),
                ("ETHUSDT", 2),
                ("ETHUSDT", 3),
            ]
