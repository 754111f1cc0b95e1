"""Market data from streams: the values of REST at the same moment, and REST wherever a stream may be wrong."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest

from binance_sdk import BinanceClient
from binance_sdk.simulator import ManualClock, Simulator
from binance_sdk.simulator.streams import StreamFault
from tests.virtuoso.conftest import section_for, streams_of
from tests.virtuoso.schema_facts import needs_schema, problems
from virtuoso_binance import BaseExchange, make_exchange_class
from virtuoso_binance.config.field_types import STREAM_KINDS
from virtuoso_binance.frames import json_view
from virtuoso_binance.market_data import assemble, fetch_parts
from virtuoso_binance.parts import parts_of
from virtuoso_binance.streaming import PartStreamed, PartUnstreamed, StreamChange, Streaming
from virtuoso_binance.symbols import Listed, Listing, MarketName

from .conftest import eventually, pass_time

FUTURES = {"ticker", "quotes", "premium", "orderbook", "trades", "base", "ltf", "mtf", "htf"}
SPOT = FUTURES - {"quotes", "premium"}
STREAMED: dict[MarketName, set[str]] = {"usdm": FUTURES, "spot": SPOT}
TOGETHER = 12_000
"""Every stream speaks at the multiples of so many milliseconds."""


class Seconds:
    """Monotonic time that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Streamed:
    """A client with everything streamed, on the simulator's clock."""

    def __init__(self, simulator: Simulator, clock: ManualClock, client: BinanceClient, listing: Listing) -> None:
        self.simulator, self.clock, self.client = simulator, clock, client
        self.listing = listing
        self.seconds = Seconds()
        self.changes: list[StreamChange] = []
        self.streaming = Streaming(
            client,
            lambda market: clock.now_ms(),
            kinds=STREAM_KINDS,
            on_change=self.changes.append,
            clock=self.seconds,
        )

    def listed(self, symbol: str = "BTCUSDT", market: MarketName = "usdm") -> Listed:
        return (self.listing.usdm if market == "usdm" else self.listing.spot)[symbol]

    async def data(self, market: MarketName = "usdm", limit: int | None = None, symbol: str = "BTCUSDT") -> Any:
        listed = self.listed(symbol, market)
        parts = await fetch_parts(self.client, listed, limit, self.streaming.feed)
        return assemble(parts, self.clock.now_ms(), limit=limit)

    async def polled(self, market: MarketName = "usdm", limit: int | None = None) -> Any:
        parts = await fetch_parts(self.client, self.listed(market=market), limit)
        return assemble(parts, self.clock.now_ms(), limit=limit)

    async def whole(self, market: MarketName = "usdm", limit: int | None = None) -> Any:
        """Ask until everything that can be streamed is."""
        for _ in range(400):
            await pass_time(self.simulator, self.clock, 2)
            found = await self.data(market, limit)
            if set(found["metadata"]["streamed"]) == STREAMED[market]:
                return found
            self.simulator.reset_limits()
            await asyncio.sleep(0.01)
        raise AssertionError(found["metadata"])

    async def at_one_moment(self, market: MarketName = "usdm") -> None:
        """Go on to a moment at which every stream has just spoken, and let it be heard."""
        now = self.clock.now_ms()
        await pass_time(self.simulator, self.clock, ((now // TOGETHER + 2) * TOGETHER - now) / 1000)
        await self.quiet()

    async def quiet(self) -> None:
        """Until nothing comes any more."""
        feeds = [self.streaming._streams.market(name) for name in self.streaming._streams.markets]

        def received() -> int:
            return sum(each._events.stats.received for each in feeds if each._events is not None)

        before = -1
        for _ in range(100):
            if before == (before := received()):
                return
            await asyncio.sleep(0.05)


@pytest.fixture
async def streamed(own_simulator: Simulator, clock: ManualClock) -> AsyncIterator[Streamed]:
    async with own_simulator.client() as client:
        listing = Listing(await client.futures.exchange_info(), await client.spot.exchange_info())
        made = Streamed(own_simulator, clock, client, listing)
        try:
            yield made
        finally:
            await made.streaming.aclose()


def without_what_differs(data: Any, market: MarketName) -> Any:
    view = json_view(data)
    del view["metadata"]["streamed"], view["metadata"]["stalled"]
    for where in (view, view["sentiment"]):
        del where["liquidations"]
    if market == "usdm":
        # Aggregates stand in the place of single trades.
        del view["trades"]
        for name in ("trade_count", "buy_trade_count", "sell_trade_count", "avg_buy_size", "avg_sell_size"):
            del view["taker_volume_ratio"][name]
    # A book of spot names no time of its own.
    view["orderbook"] = {**view["orderbook"], "timestamp": None, "datetime": None}
    return view


def differences(ours: Any, truth: Any, path: str = "") -> list[str]:
    """Where two views differ, but for the last digit of a sum."""
    if isinstance(ours, dict) and isinstance(truth, dict) and ours.keys() == truth.keys():
        return [text for key in ours for text in differences(ours[key], truth[key], f"{path}.{key}")]
    if isinstance(ours, list) and isinstance(truth, list) and len(ours) == len(truth):
        pairs = enumerate(zip(ours, truth, strict=True))
        return [text for number, pair in pairs for text in differences(*pair, f"{path}[{number}]")]
    same = math.isclose(ours, truth, rel_tol=1e-12) if isinstance(ours, float) else ours == truth
    return [] if same else [f"{path}: {ours!r:.200} is not {truth!r:.200}"]


async def agree(streamed: Streamed, market: MarketName = "usdm") -> None:
    """What is streamed is what REST answers at this moment."""
    found, truth = await streamed.data(market), await streamed.polled(market)
    assert set(found["metadata"]["streamed"]) == STREAMED[market]
    truth["metadata"] |= {"streamed": [], "stalled": {}}
    assert differences(without_what_differs(found, market), without_what_differs(truth, market)) == []
    # The same trades, however many of them are in a row.
    for side in ("buy", "sell"):
        sums = [sum(row["amount"] for row in data["trades"] if row["side"] == side) for data in (found, truth)]
        assert sums[0] == pytest.approx(sums[1], rel=1e-9)
    assert found["trades"][-1]["timestamp"] == truth["trades"][-1]["timestamp"]


@pytest.mark.parametrize("market", ["usdm", "spot"])
async def test_values_are_those_of_rest_at_the_same_moment(streamed: Streamed, market: MarketName) -> None:
    await streamed.whole(market)
    await streamed.at_one_moment(market)
    name: Any = "futures" if market == "usdm" else "spot"
    streamed.simulator.reset_limits()
    found = await streamed.data(market)
    # Open interest and the premium candles of a perpetual are all that is left to ask for.
    assert streamed.simulator.used_weight(name) == (2 if market == "usdm" else 0)
    assert set(found["metadata"]["streamed"]) == STREAMED[market]
    await agree(streamed, market)


@needs_schema
@pytest.mark.parametrize("market", ["usdm", "spot"])
async def test_it_is_valid_by_the_same_schema(streamed: Streamed, market: MarketName) -> None:
    assert problems(json_view(await streamed.whole(market))) == []


async def test_limits_are_wishes_as_over_rest(streamed: Streamed) -> None:
    # Also where little was wished for until it was streamed.
    await streamed.whole(limit=30)
    small, large = await streamed.data(limit=30), await streamed.data(limit=200)
    assert (len(small["trades"]), len(small["orderbook"]["bids"])) == (100, 30)
    assert (len(large["trades"]), len(large["orderbook"]["bids"])) == (200, 200)
    assert set(large["metadata"]["streamed"]) == FUTURES
    # More levels than the live book knows.
    assert len((await streamed.data(limit=1000))["orderbook"]["bids"]) == 1000


async def test_a_cut_line_falls_back_and_comes_back(streamed: Streamed, caplog: pytest.LogCaptureFixture) -> None:
    await streamed.whole()
    of_market = FUTURES - {"orderbook", "quotes"}
    rule = streamed.simulator.streams.faults.add(StreamFault.refuse(503), where="futures")
    with caplog.at_level(logging.WARNING, "virtuoso_binance"):
        streamed.simulator.streams.abort("futures")
        feed = streamed.streaming.feed
        await eventually(lambda: not feed.parts(streamed.listed()))
        streamed.seconds.now += 5.0
        data = await streamed.data()
        assert data["metadata"]["streamed"] == []
        assert {part: data["metadata"]["stalled"][part] for part in of_market} == dict.fromkeys(
            of_market, "its stream is disconnected"
        )
        assert data["metadata"]["stalled"]["orderbook"] == "its live book is not synced"
        # REST has answered for all of it.
        assert data["metadata"]["ohlcv_success"]
        assert data["metadata"]["trades_success"]
        rule.remove()
        data = await streamed.whole()
    assert data["metadata"]["stalled"] == {}
    told = [change for change in streamed.changes if change.part == "trades"]
    assert [type(change) for change in told] == [PartStreamed, PartUnstreamed, PartStreamed]
    assert told[2] == PartStreamed("usdm", "BTCUSDT", "trades", 5.0)
    assert caplog.text.count("trades of BTCUSDT (usdm) comes over REST until its stream is back") == 1
    assert "trades of usdm is streamed again, 5 s after it ended for BTCUSDT" in caplog.text
    counts = feed.changes.counts["usdm", "trades"]
    assert (counts.streamed, counts.stalled, counts.fallbacks, counts.recoveries) == (1, 0, 1, 1)
    await streamed.at_one_moment()
    await agree(streamed)


async def test_what_was_lost_with_a_connection_is_asked_for(streamed: Streamed) -> None:
    await streamed.whole()
    accepted = streamed.simulator.streams.counts("futures").accepted
    streamed.simulator.streams.abort("futures", "btcusdt@aggTrade")
    await eventually(lambda: streamed.simulator.streams.counts("futures").accepted > accepted)
    listed, feed = streamed.listed(), streamed.streaming.feed
    market = streamed.streaming._streams.market("usdm")
    await eventually(lambda: market.health("btcusdt@aggTrade") == "flowing")
    # It flows, and has said nothing of what happened meanwhile.
    assert not {part.name for part in feed.parts(listed)} & {"trades", "base", "ltf", "mtf", "htf", "premium", "ticker"}
    # An answer that was asked for before the line was lost is none to go on from.
    asking = feed.asking(listed)
    streamed.simulator.streams.abort("futures", "btcusdt@aggTrade")
    await eventually(lambda: market.losses == 2 and market.health("btcusdt@aggTrade") == "flowing")
    (trades,) = [part for part in parts_of("usdm") if part.name == "trades"]
    answer = await trades.request(streamed.client, listed, trades.rows).send()
    feed.answered(listed, trades, answer, asking)
    assert trades not in feed.parts(listed)
    feed.answered(listed, trades, answer, feed.asking(listed))
    assert trades in feed.parts(listed)


async def test_a_lost_event_is_a_gap_that_rest_closes(streamed: Streamed) -> None:
    await streamed.whole()
    streamed.simulator.streams.faults.add(StreamFault.drop(), where="btcusdt@aggTrade", count=1)
    listed, feed = streamed.listed(), streamed.streaming.feed
    for _ in range(60):
        await pass_time(streamed.simulator, streamed.clock, 1)
        await asyncio.sleep(0.02)
        if "trades" not in {part.name for part in feed.parts(listed)}:
            break
    data = await streamed.data()
    # The other parts go on.
    assert data["metadata"]["stalled"] == {"trades": "its stream has lost events"}
    assert set(data["metadata"]["streamed"]) == FUTURES - {"trades"}
    # That answer is a new beginning.
    assert set((await streamed.data())["metadata"]["streamed"]) == FUTURES
    await streamed.at_one_moment()
    await agree(streamed)


async def test_a_silent_stream_falls_back_until_it_speaks(streamed: Streamed) -> None:
    await streamed.whole()
    streamed.simulator.streams.faults.mute("btcusdt@markPrice@1s")
    streamed.seconds.now += 11.0
    # What speaks is not affected.
    await pass_time(streamed.simulator, streamed.clock, 30)
    await streamed.quiet()
    data = await streamed.data()
    assert data["metadata"]["stalled"] == {"premium": "its stream has said nothing for 11 s"}
    assert data["metadata"]["funding_success"]
    # An answer of REST is not its stream.
    assert "premium" not in (await streamed.data())["metadata"]["streamed"]
    streamed.simulator.streams.faults.unmute()
    await pass_time(streamed.simulator, streamed.clock, 3)
    await streamed.quiet()
    await streamed.data()
    assert set((await streamed.data())["metadata"]["streamed"]) == FUTURES


async def test_a_market_that_is_quiet_by_nature_may_be_so_for_longer(streamed: Streamed) -> None:
    await streamed.whole()
    feed, listed = streamed.streaming.feed, streamed.listed()

    def names() -> set[str]:
        return {part.name for part in feed.parts(listed)}

    streamed.seconds.now += 50.0
    assert {"trades", "base"} <= names()
    await pass_time(streamed.simulator, streamed.clock, 20)
    await streamed.quiet()
    streamed.seconds.now += 70.0
    # Candles are asked for: REST has those without trades.
    assert names() >= {"trades"}
    assert not names() & {"base", "ltf", "mtf", "htf"}
    streamed.seconds.now += 200.0
    assert "trades" not in names()


async def test_streams_that_cannot_be_opened_are_tried_again_later(
    streamed: Streamed, caplog: pytest.LogCaptureFixture
) -> None:
    rule = streamed.simulator.streams.faults.add(StreamFault.refuse(451), where="futures")
    with caplog.at_level(logging.WARNING, "virtuoso_binance"):
        for _ in range(3):
            data = await streamed.data()
            assert (data["metadata"]["streamed"], data["metadata"]["stalled"]) == ([], {})
            await eventually(lambda: "no streams of 1 usdm symbols (BTCUSDT ...)" in caplog.text)
    assert caplog.text.count("no streams of") == 1
    rule.remove()
    streamed.seconds.now += 61.0
    await streamed.whole()


async def test_symbols_share_a_connection_and_are_subscribed_at_once(streamed: Streamed) -> None:
    for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
        streamed.streaming.feed.follow(streamed.listed(symbol))
    market = streamed.streaming._streams.market("usdm")
    # Seven streams of market data each, and liquidations.
    await eventually(lambda: market._events is not None and len(market._events.streams) == 24)
    assert streamed.simulator.streams.counts("futures").accepted == 1


async def test_what_is_not_wanted_is_not_streamed(build: Any, own_simulator: Simulator) -> None:
    exchange = await build(own_simulator)
    assert "streamed" not in (await exchange.fetch_market_data("BTCUSDT"))["metadata"]
    assert own_simulator.streams.counts("futures").accepted == 0


async def test_the_exchange_streams_what_its_configuration_names(own_simulator: Simulator, clock: ManualClock) -> None:
    told: list[StreamChange] = []
    section = section_for(own_simulator, websocket=streams_of(own_simulator), streaming=["trades", "liquidations"])
    exchange = make_exchange_class(BaseExchange, section, on_stream_change=told.append)({})
    assert await exchange.initialize()
    for _ in range(400):
        data = await exchange.fetch_market_data("BTCUSDT")
        if data["metadata"]["streamed"] == ["trades"] and data["sentiment"]["liquidations"]:
            break
        own_simulator.reset_limits()
        await pass_time(own_simulator, clock, 10)
        await asyncio.sleep(0.01)
    assert data["metadata"]["streamed"] == ["trades"]
    assert data["sentiment"]["liquidations"]
    counts = await exchange.stream_counts()
    assert counts["usdm", "trades"].streamed == 1
    # Health tells the same, of all event loops.
    streams = exchange.binance_health().streams["futures"]
    assert (streams.state, streams.facts.wanted, streams.facts.failed_dials) == ("healthy", 2, 0)
    assert streams.facts.parts == {"trades": counts["usdm", "trades"]}
    assert [change.part for change in told] == ["trades"]
    assert sorted(name for names in own_simulator.streams.subscriptions("futures") for name in names) == [
        "btcusdt@aggTrade",
        "btcusdt@forceOrder",
    ]
    await exchange.close()
    await eventually(lambda: own_simulator.streams.counts("futures").open == 0)
