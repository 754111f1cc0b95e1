"""``subscribe_ws``: what a callback gets, for how long, and what happens to mistakes and to lost connections."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from binance_sdk.errors import ParameterError
from binance_sdk.simulator import ManualClock, Simulator
from binance_sdk.simulator.streams import StreamFault
from tests.virtuoso import fake_virtuoso
from tests.virtuoso.test_odd_arguments import ODD
from virtuoso_binance import InvalidSymbolError

from .conftest import eventually, pass_time

ALL = ["trade", "orderbook", "ticker", "ohlcv", "liquidation"]
Messages = list[dict[str, Any]]


def of(messages: Messages, kind: str, symbol: str = "BTCUSDT") -> Messages:
    return [message for message in messages if (message["type"], message["symbol"]) == (kind, symbol)]


def subscribed_again(simulator: Simulator, connections: int) -> bool:
    """Whether the newest of so many connections carries the tickers."""
    accepted = simulator.streams.counts("futures").accepted == connections
    return accepted and any("btcusdt@ticker" in names for names in simulator.streams.subscriptions("futures"))


async def test_every_channel_speaks_in_the_words_of_market_data(
    exchange: Any, own_simulator: Simulator, clock: ManualClock
) -> None:
    got: Messages = []
    assert await exchange.subscribe_ws(ALL, ["BTC/USDT", "ETHUSDT"], got.append) is True
    await pass_time(own_simulator, clock, 20)
    await eventually(lambda: all(of(got, kind, symbol) for kind in ALL for symbol in ("BTCUSDT", "ETHUSDT")))
    assert {frozenset(message) for message in got} == {frozenset({"type", "symbol", "timestamp", "data"})}
    data = await exchange.fetch_market_data("BTCUSDT")
    for kind, like in (("trade", data["trades"][-1]), ("orderbook", data["orderbook"])):
        assert set(of(got, kind)[-1]["data"]) == set(like)
    assert set(of(got, "ticker")[-1]["data"]) <= set(data["ticker"])
    # What the models of Virtuoso take.
    book, ticker, trade = (of(got, kind)[-1]["data"] for kind in ("orderbook", "ticker", "trade"))
    assert len(book["bids"]) == len(book["asks"]) == 20
    assert trade["side"] in ("buy", "sell")
    assert ticker["high"] >= ticker["last"] >= ticker["low"] > 0
    candle = of(got, "ohlcv")[-1]["data"]
    assert candle["timeframe"] == "1m"
    assert candle["high"] >= candle["close"] >= candle["low"] > 0
    liquidation = of(got, "liquidation")[-1]["data"]
    assert set(liquidation) == {"symbol", "side", "price", "size", "amount", "timestamp"}
    assert liquidation["side"] in ("buy", "sell")
    assert all(abs(message["timestamp"] - clock.now_ms()) < 60_000 for message in got)


async def test_spot_alone(build: Any, own_simulator: Simulator, clock: ManualClock) -> None:
    exchange = await build(own_simulator, market_types=["spot"])
    got: Messages = []
    assert await exchange.connect_ws() is True
    assert await exchange.subscribe_ws(["trade", "orderbook", "ticker", "kline.5"], "BTCUSDT", got.append) is True
    await pass_time(own_simulator, clock, 15)
    await eventually(lambda: {message["type"] for message in got} == {"trade", "orderbook", "ticker", "ohlcv"})
    assert of(got, "ohlcv")[-1]["data"]["timeframe"] == "5m"
    assert {"bid", "ask"} <= set(of(got, "ticker")[-1]["data"])
    with pytest.raises(InvalidSymbolError, match="perpetuals"):
        await exchange.subscribe_ws(["liquidation"], ["BTCUSDT"], got.append)


async def test_coroutines_are_awaited_and_failures_are_logged_now_and_then(
    exchange: Any, own_simulator: Simulator, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    got: Messages = []

    async def awaited(message: dict[str, Any]) -> None:
        got.append(message)

    def failing(message: dict[str, Any]) -> None:
        raise KeyError("mine")

    async def failing_later(message: dict[str, Any]) -> None:
        raise KeyError("mine too")

    def cancelled(message: dict[str, Any]) -> None:
        raise asyncio.CancelledError

    async def cancelled_later(message: dict[str, Any]) -> None:
        """Waits for something of its own that was cancelled; the streams of the others go on."""
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        gone.cancel()
        await gone

    for callback in (failing, failing_later, cancelled, cancelled_later, awaited):
        assert await exchange.subscribe_ws("ticker", "BTCUSDT", callback)
    with caplog.at_level(logging.ERROR, "virtuoso_binance"):
        await pass_time(own_simulator, clock, 16)
        await eventually(lambda: len(got) >= 7)
    # The first time, the second, the fourth, ... of each.
    told = caplog.text.count("the callback failed on a ticker message of BTCUSDT")
    assert told == 4 * len(got).bit_length()


async def test_asked_twice_it_comes_once_and_ends_when_it_is_unsubscribed(
    exchange: Any, own_simulator: Simulator, clock: ManualClock
) -> None:
    mine: Messages = []
    other: Messages = []
    for _ in range(2):
        assert await exchange.subscribe_ws(["ticker"], ["BTCUSDT"], mine.append)
    assert await exchange.subscribe_ws(["ticker"], ["BTCUSDT", "ETHUSDT"], other.append)
    await pass_time(own_simulator, clock, 6)
    await eventually(lambda: len(of(other, "ticker")) >= 3)
    times = [message["timestamp"] for message in mine]
    assert len(set(times)) == len(times)
    assert await exchange.unsubscribe_ws(["ticker"], ["BTCUSDT"], mine.append) is True
    assert await exchange.unsubscribe_ws(["ticker"], ["BTCUSDT"], mine.append) is False
    count, before = len(mine), len(of(other, "ticker"))
    await pass_time(own_simulator, clock, 6)
    await eventually(lambda: len(of(other, "ticker")) >= before + 3)
    assert len(mine) == count
    # Nobody is left, so there is no connection.
    assert await exchange.unsubscribe_ws(["ticker"], ["BTCUSDT", "ETHUSDT"]) is True
    await eventually(lambda: own_simulator.streams.counts("futures").open == 0)


async def test_it_goes_on_after_a_lost_connection(exchange: Any, own_simulator: Simulator, clock: ManualClock) -> None:
    got: Messages = []
    assert await exchange.connect_ws() is True
    assert await exchange.subscribe_ws(["ticker"], ["BTCUSDT"], got.append)
    own_simulator.streams.abort("futures")
    await eventually(lambda: subscribed_again(own_simulator, 2))
    await pass_time(own_simulator, clock, 4)
    await eventually(lambda: got)


async def test_closing_ends_it_and_it_works_again_after_initialize(
    exchange: Any, own_simulator: Simulator, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    got: Messages = []
    assert await exchange.subscribe_ws(["ticker"], ["BTCUSDT"], got.append)
    await exchange.close()
    await exchange.close()
    await eventually(lambda: own_simulator.streams.counts("futures").open == 0)
    with caplog.at_level(logging.WARNING, "virtuoso_binance"):
        assert await exchange.subscribe_ws(["ticker"], ["BTCUSDT"], got.append) is False
        assert await exchange.unsubscribe_ws(["ticker"], ["BTCUSDT"], got.append) is False
        assert await exchange.connect_ws() is False
        assert await exchange.subscribe_liquidations(["BTCUSDT"]) is False
    assert caplog.text.count("await initialize() opens it again") == 4
    assert await exchange.initialize()
    assert await exchange.subscribe_ws(["ticker"], ["BTCUSDT"], got.append) is True
    await pass_time(own_simulator, clock, 4)
    await eventually(lambda: got)


async def test_closed_by_its_own_callback(exchange: Any, own_simulator: Simulator, clock: ManualClock) -> None:
    closed: list[bool] = []

    async def close(message: dict[str, Any]) -> None:
        await exchange.close()
        closed.append(True)

    assert await exchange.subscribe_ws(["ticker"], ["BTCUSDT"], close)
    await pass_time(own_simulator, clock, 4)
    await eventually(lambda: closed)
    await eventually(lambda: own_simulator.streams.counts("futures").open == 0)


async def test_a_refused_connection_is_no_subscription(
    build: Any, own_simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    exchange = await build(own_simulator)
    rule = own_simulator.streams.faults.add(StreamFault.refuse(451), where="futures")
    with caplog.at_level(logging.WARNING, "virtuoso_binance"):
        assert await exchange.connect_ws() is False
        assert await exchange.subscribe_ws(["trade"], ["BTCUSDT"], print) is False
        assert await exchange.subscribe_liquidations(["BTCUSDT"]) is False
    for text in ("no connection to the streams", "nothing was subscribed", "no liquidations were subscribed"):
        assert text in caplog.text
    rule.remove()
    assert await exchange.subscribe_ws(["trade"], ["BTCUSDT"], print) is True


async def test_what_the_sdk_gives_up_is_opened_again(
    exchange: Any, own_simulator: Simulator, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    got: Messages = []
    assert await exchange.subscribe_ws(["ticker"], ["BTCUSDT"], got.append)
    market = (await exchange._streaming()).subscribers._streams.market("usdm")
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    market._sleep = sleep
    rule = own_simulator.streams.faults.add(StreamFault.refuse(451), where="futures", count=2)
    with caplog.at_level(logging.WARNING, "virtuoso_binance"):
        own_simulator.streams.abort("futures")
        await eventually(lambda: subscribed_again(own_simulator, 2))
    assert rule.injected == 2
    assert waits[:2] == [60.0, 60.0]
    assert "have ended and are opened again later" in caplog.text
    assert "could not be opened again" in caplog.text
    await pass_time(own_simulator, clock, 4)
    await eventually(lambda: got)


async def test_whoever_subscribes_while_they_are_given_up_opens_them(
    exchange: Any, own_simulator: Simulator, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    got: Messages = []
    assert await exchange.subscribe_ws(["ticker"], ["BTCUSDT"], got.append)
    market = (await exchange._streaming()).subscribers._streams.market("usdm")

    async def sleep(seconds: float) -> None:
        await asyncio.Event().wait()

    market._sleep = sleep
    own_simulator.streams.faults.add(StreamFault.refuse(451), where="futures", count=1)
    with caplog.at_level(logging.WARNING, "virtuoso_binance"):
        own_simulator.streams.abort("futures")
        await eventually(lambda: "have ended and are opened again later" in caplog.text)
    assert await exchange.subscribe_ws(["ticker"], ["ETHUSDT"], got.append)
    await pass_time(own_simulator, clock, 4)
    await eventually(lambda: of(got, "ticker") and of(got, "ticker", "ETHUSDT"))


MISTAKES: list[tuple[tuple[Any, ...], str, str]] = [
    (("prices", "BTCUSDT", print), "channels", "trade, orderbook, ticker, ohlcv, liquidation"),
    ((["trade", 5], "BTCUSDT", print), "channels", "there are trade"),
    (("trade.5m", "BTCUSDT", print), "channels", "ohlcv.5m"),
    (([], "BTCUSDT", print), "channels", "['trade']"),
    ((None, "BTCUSDT", print), "channels", "['trade']"),
    (("ohlcv.7m", "BTCUSDT", print), "timeframe", "use one of"),
    (("trade", [], print), "symbols", "['BTCUSDT']"),
    (("trade", None, print), "symbols", "['BTCUSDT']"),
    (("trade", 5, print), "symbols", "['BTCUSDT']"),
    (("trade", "BTCUSDT", None), "callback", "function"),
    (("trade", "BTCUSDT", "print"), "callback", "function"),
    (("trade", ["BTCUSDT", "NOPEUSDT"], print), "symbol", "invalid symbol"),
]


@pytest.mark.parametrize(("arguments", "parameter", "remedy"), MISTAKES)
async def test_mistakes_name_the_parameter_and_the_remedy(
    exchange: Any, own_simulator: Simulator, arguments: tuple[Any, ...], parameter: str, remedy: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        await exchange.subscribe_ws(*arguments)
    assert caught.value.parameter == parameter
    assert remedy in str(caught.value)
    assert isinstance(caught.value, fake_virtuoso.ExchangeError)
    # Nothing of it was subscribed.
    assert own_simulator.streams.counts("futures").accepted == 0


@pytest.mark.parametrize("argument", ["channels", "symbols", "callback"])
async def test_odd_arguments(exchange: Any, own_simulator: Simulator, argument: str) -> None:
    for label, value in ODD.items():
        arguments = {"channels": "trade", "symbols": "BTCUSDT", "callback": print, argument: value}
        with pytest.raises(ParameterError) as caught:
            await exchange.subscribe_ws(**arguments)
        assert len(str(caught.value)) < 500, label
        str(caught.value).encode()
        if argument == "symbols":
            with pytest.raises(ParameterError):
                await exchange.subscribe_liquidations(value)
    assert own_simulator.streams.counts("futures").accepted == 0


async def test_where_one_market_refuses_nothing_of_the_other_is_subscribed(
    exchange: Any, own_simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    rule = own_simulator.streams.faults.add(StreamFault.refuse(451), where="spot")
    # The first is a perpetual, the second is on spot alone.
    assert await exchange.subscribe_ws(["ticker"], ["BTCUSDT", "ETHBTC"], print) is False
    assert "nothing was subscribed" in caplog.text
    await eventually(lambda: own_simulator.streams.counts("futures").open == 0)
    rule.remove()
    got: Messages = []
    assert await exchange.subscribe_ws(["ticker"], ["BTCUSDT", "ETHBTC"], got.append) is True
    # What was refused does not come back by itself.
    assert own_simulator.streams.subscriptions("spot") == [["ethbtc@ticker"]]
    assert own_simulator.streams.subscriptions("futures") == [["btcusdt@ticker"]]


async def test_a_refused_stream_is_forgotten(exchange: Any, own_simulator: Simulator) -> None:
    rule = own_simulator.streams.faults.add(StreamFault.refuse(451), where="futures")
    assert await exchange.subscribe_ws(["ticker"], ["BTCUSDT"], print) is False
    rule.remove()
    assert await exchange.subscribe_ws(["trade"], ["ETHUSDT"], print) is True
    assert own_simulator.streams.subscriptions("futures") == [["ethusdt@aggTrade"]]
