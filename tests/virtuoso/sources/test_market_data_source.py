"""Who serves when: failover within one poll, going back after a while, resting, thin markets, clocks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from typing import Any
from unittest.mock import AsyncMock

import pytest

from binance_sdk.errors import APIConnectionError, ConfigError, ParameterError
from tests.virtuoso.schema_facts import FACTS
from tests.virtuoso.sources.failing import fail
from tests.virtuoso.sources.fake_sources import Clock, FakeExchange, market_data, source_of
from virtuoso_binance import InvalidSymbolError, MarketDataSource, NoSourceError
from virtuoso_binance.sources import SourceFailed, SourceRests, SourceSwitched

DOWN = APIConnectionError("the line is down")


class Scene:
    """Two sources, ``bybit`` first, and everything that their hooks heard."""

    def __init__(self, **block: Any) -> None:
        self.clock = Clock()
        self.bybit = FakeExchange(self.clock, price=100.0)
        self.binance = FakeExchange(self.clock, price=100.01)
        self.events: list[Any] = []
        self.source = source_of(
            self.clock, {"bybit": self.bybit, "binance": self.binance}, self.events, **{"timeout": 0.05, **block}
        )

    async def served_by(self, symbol: str = "BTCUSDT") -> str:
        data = await self.source.fetch_market_data(symbol)
        return str(data["metadata"]["source"])

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    one = Scene()
    async with one.source:
        yield one


async def settle() -> None:
    """Let what is under way beside a poll come to its end."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_primary_serves_and_nobody_else_is_asked(scene: Scene) -> None:
    data = await scene.source.fetch_market_data("btc/usdt", 50)
    assert data["metadata"]["source"] == "bybit"
    assert data["metadata"]["quality"]["score"] == 100.0
    assert scene.bybit.asked == [("BTCUSDT", 50)]
    assert (scene.binance.asked, scene.events) == ([], [])
    assert scene.source.stats["bybit"].delivered == 1
    assert "aggregate" not in data


@pytest.mark.parametrize("spelling", ["BTCUSDT", "btc-usdt", "BTC/USDT", {"symbol": "BTC_USDT"}])
async def test_a_symbol_has_one_route_however_it_is_spelt(scene: Scene, spelling: Any) -> None:
    scene.bybit.fails(DOWN)
    await scene.served_by("BTCUSDT")
    assert scene.source.active(spelling) == "binance"
    await scene.source.fetch_market_data(spelling)
    assert len(scene.source._routes) == 1


async def test_a_perpetual_is_asked_for_as_such(scene: Scene) -> None:
    await scene.source.fetch_market_data("BTC/USDT:USDT")
    assert scene.bybit.asked == [("BTC/USDT:USDT", None)]


async def test_failover_happens_within_the_poll_and_is_told(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.bybit.fails(DOWN)
    assert await scene.served_by() == "binance"
    assert scene.source.active("BTCUSDT") == "binance"
    assert scene.source.switches == 1
    (failed,), (switched,) = scene.told(SourceFailed), scene.told(SourceSwitched)
    assert (failed.source, failed.cause) == ("bybit", "error")
    assert (switched.before, switched.after, switched.failback) == ("bybit", "binance", False)
    assert "the line is down" in switched.reason
    assert "BTCUSDT comes from binance, no longer from bybit" in caplog.text
    assert scene.source.stats["bybit"].failed == {"error": 1}
    # From then on the primary is not waited for.
    assert await scene.served_by() == "binance"
    assert scene.source.switches == 1


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"ticker__timestamp": 1_768_651_327_450 - 130_000}, "stale"),
        ({"ticker__last": None}, "malformed"),
        ({"symbol": "BTCUSDC"}, "another symbol"),
        ({"orderbook__bids": [], "orderbook__asks": [], "metadata__orderbook_success": False}, "incomplete"),
    ],
)
async def test_failed_quality_is_a_failure_too(scene: Scene, changes: dict[str, Any], cause: str) -> None:
    scene.bybit.gives(**changes)
    assert await scene.served_by() == "binance"
    assert scene.told(SourceFailed)[0].cause == "quality"


async def test_a_slow_source_is_left_after_its_time(scene: Scene) -> None:
    scene.bybit.behaviour = lambda symbol: asyncio.Event().wait()
    assert await scene.served_by() == "binance"
    assert scene.told(SourceFailed)[0].cause == "timeout"


async def test_other_symbols_stay_where_they_are(scene: Scene) -> None:
    scene.bybit.fails(ValueError("invalid symbol"))
    assert await scene.served_by("NEWUSDT") == "binance"
    scene.bybit.recovers()
    assert await scene.served_by("BTCUSDT") == "bybit"
    assert scene.source.active("NEWUSDT") == "binance"
    assert scene.told(SourceFailed)[0].cause == "unknown_symbol"


async def test_going_back_takes_good_answers_over_some_time(scene: Scene) -> None:
    scene.bybit.fails(DOWN)
    await scene.served_by()
    scene.bybit.recovers()
    # Asked beside the one that serves, every 30 s at most.
    served = []
    for _ in range(13):
        scene.clock.move(10)
        served.append(await scene.served_by())
        await settle()
    assert served.index("bybit") == 9
    assert set(served[9:]) == {"bybit"}
    assert len(scene.bybit.asked) == 1 + 3 + 4
    (_, back) = scene.told(SourceSwitched)
    assert (back.before, back.after, back.failback) == ("binance", "bybit", True)


async def test_one_bad_answer_begins_the_wait_anew(scene: Scene) -> None:
    scene.bybit.fails(DOWN)
    await scene.served_by()
    served = []
    for number in range(12):
        scene.bybit.fails(DOWN) if number == 2 else scene.bybit.recovers()
        scene.clock.move(30)
        served.append(await scene.served_by())
        await settle()
    assert served.index("bybit") == 6


async def test_a_source_that_hangs_delays_nobody_who_is_served_by_another() -> None:
    scene = Scene(timeout=3600)
    scene.bybit.fails(DOWN)
    async with scene.source, asyncio.timeout(60):
        await scene.served_by()
        scene.bybit.behaviour = lambda symbol: asyncio.Event().wait()
        for _ in range(5):
            scene.clock.move(60)
            assert await scene.served_by() == "binance"
            await settle()
        # Once, and not again while that goes on.
        assert len(scene.bybit.asked) == 2


async def test_a_mistake_of_ours_beside_a_poll_is_not_lost(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scene.bybit.fails(DOWN)
    await scene.served_by()
    scene.bybit.recovers()
    scene.clock.move(60)
    judged = scene.source._sources["bybit"].judged

    def broken(*args: Any) -> Any:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(scene.source._sources["bybit"], "judged", broken)
    assert await scene.served_by() == "binance"
    await settle()
    assert "BTCUSDT of the source bybit could not be judged" in caplog.text
    monkeypatch.setattr(scene.source._sources["bybit"], "judged", judged)


async def test_a_source_that_is_down_rests_and_is_tried_again(scene: Scene) -> None:
    scene.bybit.fails(DOWN)
    for symbol in ("AUSDT", "BUSDT", "CUSDT", "DUSDT", "EUSDT"):
        assert await scene.served_by(symbol) == "binance"
    # Three symbols found out; the others need not.
    assert len(scene.bybit.asked) == 3
    (rests,) = scene.told(SourceRests)
    assert (rests.source, rests.seconds) == ("bybit", 5.0)
    scene.clock.move(5)
    await scene.served_by("FUSDT")
    assert len(scene.bybit.asked) == 4
    assert [event.seconds for event in scene.told(SourceRests)] == [5.0, 10.0]


async def test_where_all_rest_all_are_asked(scene: Scene) -> None:
    for exchange in (scene.bybit, scene.binance):
        exchange.fails(DOWN)
    for _ in range(4):
        with pytest.raises(NoSourceError, match=r"bybit: .*line is down.*binance: .*line is down") as caught:
            await scene.served_by()
    assert set(caught.value.reasons) == {"bybit", "binance"}
    scene.binance.recovers()
    assert await scene.served_by() == "binance"


async def test_a_symbol_that_nobody_lists(scene: Scene) -> None:
    for exchange in (scene.bybit, scene.binance):
        exchange.fails(ValueError("symbol is not supported"))
    with pytest.raises(InvalidSymbolError, match="invalid symbol 'XUSDT'"):
        await scene.served_by("XUSDT")
    assert (scene.source._routes, scene.source._told) == ({}, {})
    # One that cannot be reached may list it: then it must not be read as unknown.
    scene.bybit.fails(DOWN)
    with pytest.raises(NoSourceError) as caught:
        await scene.served_by("XUSDT")
    assert "invalid symbol" not in str(caught.value)


async def test_where_none_is_good_the_best_is_delivered(scene: Scene) -> None:
    """An incomplete answer is flagged, and better than none."""
    no_book = {"orderbook__bids": [], "orderbook__asks": [], "metadata__orderbook_success": False}
    scene.bybit.gives(**no_book)
    scene.binance.gives(trades=[], metadata__trades_success=False)
    # Five points do not make it worth a switch.
    assert await scene.served_by() == "bybit"
    scene.bybit.gives(**no_book, trades=[], metadata__trades_success=False)
    data = await scene.source.fetch_market_data("BTCUSDT")
    assert data["metadata"]["source"] == "binance"
    (switched,) = scene.told(SourceSwitched)
    assert switched.reason == "book: not there; trades: not there"
    assert data["metadata"]["orderbook_success"] is True
    assert "trades" in data["metadata"]["quality"]["faults"]


async def test_spot_in_the_place_of_a_perpetual_is_no_failover(scene: Scene) -> None:
    """As where one exchange has halted the perpetual, and falls back to spot itself."""
    assert await scene.served_by() == "bybit"
    scene.bybit.changes = {"spot": True}
    assert await scene.served_by() == "binance"
    (failed,) = scene.told(SourceFailed)
    assert failed.reason == "these are prices of spot, and those of the perpetual are wanted"
    # Where nobody has the perpetual any more, spot is what there is.
    scene.binance.fails(ValueError("invalid symbol"))
    for _ in range(2):
        data = await scene.source.fetch_market_data("BTCUSDT")
        assert (data["metadata"]["source"], data["metadata"]["market"]) == ("bybit", "spot")


async def test_primary_only_asks_nobody_else() -> None:
    scene = Scene(aggregation_mode="primary_only")
    scene.bybit.fails(DOWN)
    async with scene.source:
        for _ in range(5):
            with pytest.raises(NoSourceError):
                await scene.served_by()
        assert scene.binance.asked == []
        scene.bybit.recovers()
        assert await scene.served_by() == "bybit"


async def test_a_source_that_does_not_come_up_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    scene.bybit.up = False
    assert await scene.source.initialize()
    assert "bybit is not ready yet" in caplog.text
    assert await scene.served_by() == "binance"
    assert scene.bybit.asked == []
    scene.bybit.up = True
    for _ in range(4):
        scene.clock.move(30)
        await scene.served_by()
        await settle()
    assert scene.source.active("BTCUSDT") == "bybit"
    await scene.source.close()
    await scene.source.close()
    assert (scene.bybit.closed, scene.binance.closed) == (2, 2)
    scene.bybit.up = scene.binance.up = False
    assert not await scene.source.initialize()


async def test_our_own_clock_is_the_one_that_is_off(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    true = Clock()
    scene.bybit.clock = scene.binance.clock = true
    scene.clock.move(-900)
    assert await scene.served_by() == "bybit"
    assert "the clock of this machine is 900 s behind" in caplog.text
    assert await scene.served_by() == "bybit"
    # One source alone that is off is not believed.
    scene.bybit.clock = scene.clock
    assert await scene.served_by() == "binance"
    scene.bybit.clock = true
    # It was set right.
    scene.clock.move(900)
    assert await scene.served_by() in ("bybit", "binance")


async def test_one_source_whose_clock_is_off(scene: Scene) -> None:
    wrong = Clock()
    wrong.move(-900)
    scene.bybit.clock = wrong
    assert await scene.served_by() == "binance"
    assert "s behind" in scene.told(SourceFailed)[0].reason


async def test_a_hook_that_fails_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def hook(event: object) -> None:
        raise RuntimeError("the hook is broken")

    clock = Clock()
    one, other = FakeExchange(clock), FakeExchange(clock)
    one.fails(DOWN)
    block = {"primary": "a", "secondary": ["b"]}
    source = MarketDataSource({"a": one, "b": other}, block, hooks=[hook], now=clock)
    assert (await source.fetch_market_data("BTCUSDT"))["metadata"]["source"] == "b"
    assert "a hook failed" in caplog.text


async def test_a_failure_that_goes_on_is_logged_once(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.bybit.gives(trades=[], metadata__trades_success=False)
    scene.binance.gives(trades=[], metadata__trades_success=False)
    with caplog.at_level(logging.WARNING, "virtuoso_binance"):
        for _ in range(5):
            await scene.served_by()
    assert len(caplog.records) == 2
    assert len(scene.told(SourceFailed)) == 10


async def test_cancelling_a_poll_leaves_nothing_behind() -> None:
    for block in ({}, {"cross_validation": True}):
        scene = Scene(timeout=60, **block)
        scene.bybit.behaviour = scene.binance.behaviour = lambda symbol: asyncio.Event().wait()
        async with scene.source:
            before = asyncio.all_tasks()
            poll = asyncio.create_task(scene.served_by())
            await settle()
            poll.cancel()
            with pytest.raises(asyncio.CancelledError):
                await poll
            await settle()
            assert asyncio.all_tasks() - before <= {poll}


@pytest.mark.parametrize("limit", [0, -1, True, "ten", 1.5])
async def test_an_impossible_limit_is_refused_before_anybody_is_asked(scene: Scene, limit: Any) -> None:
    with pytest.raises(ParameterError, match="limit="):
        await scene.source.fetch_market_data("BTCUSDT", limit)
    with pytest.raises(InvalidSymbolError):
        await scene.source.fetch_market_data("BTC//USDT")
    assert scene.bybit.asked == []


def test_exchanges_that_are_no_mapping_or_one_and_the_same() -> None:
    with pytest.raises(ConfigError, match=r"exchanges=\[5\] must be a mapping of names to exchanges, e.g. "):
        MarketDataSource([5], {"primary": "a"})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="primary='a' is no source that there is; there is no exchange at all yet"):
        MarketDataSource({}, {"primary": "a"})
    scene = Scene()
    with pytest.raises(ConfigError, match=r"exchanges\['b'\] and exchanges\['a'\] are one and the same object"):
        MarketDataSource({"a": scene.bybit, "b": scene.bybit}, {"primary": "a", "secondary": ["b"]})


@pytest.mark.parametrize("hooks", [5, print, [5], [print, None], "print"])
def test_hooks_that_cannot_be_called_are_refused(hooks: Any) -> None:
    with pytest.raises(ConfigError, match=r"hooks=.* must be a list of functions that take one event, e.g. \[print\]"):
        MarketDataSource({"a": Scene().bybit}, {"primary": "a", "aggregation_mode": "primary_only"}, hooks=hooks)


def test_names_of_exchanges_are_read_as_those_of_the_block() -> None:
    exchange, alone = Scene().bybit, {"primary": "ByBit", "aggregation_mode": "primary_only"}
    assert MarketDataSource({" BYBIT": exchange}, alone).settings.names == ("bybit",)
    with pytest.raises(ConfigError, match=r"exchanges\['Bybit'\] is exchanges\['bybit'\] once more"):
        MarketDataSource({"bybit": exchange, "Bybit": exchange}, alone)
    with pytest.raises(ConfigError, match="exchanges has the name 5, which must be text"):
        MarketDataSource({5: exchange}, alone)  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match=r"exchanges\['bybit'\]=<class .* is a class; make an instance of it"):
        MarketDataSource({"bybit": type(exchange)}, alone)  # type: ignore[dict-item]


def test_something_that_is_no_exchange() -> None:
    with pytest.raises(ConfigError, match=r"exchanges\['a'\]=5 has no method fetch_market_data"):
        MarketDataSource({"a": 5}, {"primary": "a", "aggregation_mode": "primary_only"})  # type: ignore[dict-item]


@pytest.mark.parametrize("method", ["fetch_market_data", "initialize", "close", "fetch_status"])
def test_an_exchange_that_blocks_is_told_when_it_is_given(method: str) -> None:
    class Blocking:
        async def fetch_market_data(self, symbol: object, limit: int | None = None) -> dict[str, object]:
            return {}

    def blocks(self: object, *asked: object) -> dict[str, object]:
        return {}

    def passes_on(self: object, *asked: object) -> Awaitable[dict[str, object]]:
        return Blocking().fetch_market_data("BTCUSDT")

    def give() -> None:
        MarketDataSource({"a": Blocking()}, {"primary": "a", "aggregation_mode": "primary_only"})

    setattr(Blocking, method, blocks)
    told = rf"exchanges\['a'\]=.* has a method {method} that is not async; write async def {method}"
    with pytest.raises(ConfigError, match=told):
        give()
    setattr(Blocking, method, passes_on)
    give()
    setattr(Blocking, method, AsyncMock())
    give()


async def test_a_thousand_failures_and_nothing_invalid_is_delivered(caplog: pytest.LogCaptureFixture) -> None:
    """``python -m benchmarks sources`` has the schema judge each delivery, this one in fifty."""
    caplog.set_level(logging.CRITICAL)
    report = await fail(1000, schema_every=50 if FACTS.is_dir() else 0)
    assert (report.delivered, report.invalid, report.late) == (1000, [], 0)
    assert report.noticed > 700
    # Each that was noticed switched within its poll.
    assert report.switches == report.noticed


def test_the_fakes_are_what_they_say() -> None:
    assert market_data()["timestamp"] == Clock().now_ms
