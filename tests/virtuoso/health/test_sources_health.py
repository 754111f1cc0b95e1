"""``fetch_status`` and ``health`` of a ``MarketDataSource``: each state is reached by what its sources do."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.virtuoso.sources.fake_sources import Clock, FakeExchange, source_of
from virtuoso_binance import MarketDataSource, NoSourceError
from virtuoso_binance.kinds import KINDS
from virtuoso_binance.scalars import Row


@pytest.fixture
def clock() -> Clock:
    return Clock()


class WithStatus(FakeExchange):
    """One that has a ``fetch_status`` of its own."""

    told: object = None

    async def fetch_status(self) -> object:
        if isinstance(self.told, Exception):
            raise self.told
        return await _hangs() if self.told == "hangs" else self.told


async def status_of(source: MarketDataSource) -> Row:
    found = await source.fetch_status()
    json.dumps(found, allow_nan=False)
    return found


async def poll(source: MarketDataSource, clock: Clock, count: int = 1, *symbols: str) -> None:
    for _ in range(count):
        clock.move(2)
        for symbol in symbols or ("BTCUSDT",):
            try:
                await source.fetch_market_data(symbol)
            except NoSourceError:
                continue


async def test_unknown_then_healthy(clock: Clock) -> None:
    source = source_of(clock, {"bybit": FakeExchange(clock), "binance": FakeExchange(clock)})
    status = await status_of(source)
    assert (status["online"], status["status"], status["has_trading"]) == (True, "unknown", False)
    await poll(source, clock, 3)
    status = await status_of(source)
    bybit, binance = status["health"]["sources"].values()
    assert (status["online"], status["status"], status["health"]["reasons"]) == (True, "ok", [])
    assert (bybit["state"], bybit["asked"], bybit["serves"]) == ("healthy", 3, 1)
    assert set(bybit["kinds"]) == set(KINDS["usdm"])
    assert {kind["state"] for kind in bybit["kinds"].values()} == {"healthy"}
    # Nobody asks the second one where the first one is well.
    assert (binance["state"], binance["asked"], binance["status"]) == ("unknown", 0, None)


async def test_one_down_degrades_and_two_down_are_down(clock: Clock) -> None:
    bybit, binance = FakeExchange(clock), FakeExchange(clock)
    source = source_of(clock, {"bybit": bybit, "binance": binance})
    bybit.fails(OSError("no route"))
    await poll(source, clock, 1, "BTCUSDT", "ETHUSDT", "SUIUSDT")
    status = await status_of(source)
    assert (status["online"], status["status"]) == (True, "degraded")
    (reason,) = status["health"]["reasons"]
    assert reason == "bybit: it rests for 5 s: OSError: no route"
    binance.fails(OSError("no route either"))
    await poll(source, clock, 1, "BTCUSDT", "ETHUSDT", "SUIUSDT")
    status = await status_of(source)
    assert (status["online"], status["status"], status["health"]["state"]) == (False, "offline", "down")
    assert "binance: it rests" in status["error"]
    bybit.recovers()
    binance.recovers()
    clock.move(400)
    await poll(source, clock)
    assert (await status_of(source))["online"] is True


async def test_primary_only_is_as_the_primary(clock: Clock) -> None:
    bybit = FakeExchange(clock)
    source = source_of(clock, {"bybit": bybit}, aggregation_mode="primary_only")
    bybit.gives(symbol="ETHUSDT")
    await poll(source, clock, 3)
    assert (await status_of(source))["online"] is False


@pytest.mark.parametrize(
    ("changes", "kind", "state", "reason"),
    [
        ({"trades": [], "metadata__trades_success": False}, "trades", "down", "3 of 3 failed: not there"),
        ({"orderbook__timestamp": 1_768_651_000_000}, "book", "degraded", "3 of 3 stale or wrong: "),
        ({"ticker__baseVolume": 1.0}, "volume", "degraded", "3 of 3 stale or wrong: base and quote give an average"),
    ],
)
async def test_a_kind_that_is_missing_stale_or_wrong(
    clock: Clock, changes: dict[str, Any], kind: str, state: str, reason: str
) -> None:
    bybit = FakeExchange(clock)
    source = source_of(clock, {"bybit": bybit, "binance": FakeExchange(clock)}, min_quality=0)
    bybit.gives(**changes)
    await poll(source, clock, 3)
    status = await status_of(source)
    found = status["health"]["sources"]["bybit"]["kinds"][kind]
    assert (status["online"], status["status"], found["state"]) == (True, "degraded", state)
    assert found["reason"].startswith(reason)


async def test_disagreement_is_told_of_both_and_quarantine_of_the_one(clock: Clock) -> None:
    exchanges = {name: FakeExchange(clock, name) for name in ("bybit", "binance", "okx")}
    source = source_of(clock, exchanges, cross_validation=True)
    exchanges["bybit"].price = 103.0
    await poll(source, clock, 2)
    status = await status_of(source)
    bybit, binance, okx = status["health"]["sources"].values()
    assert (bybit["state"], bybit["quarantined"], bybit["serves"]) == ("degraded", ["BTCUSDT"], 0)
    assert bybit["kinds"]["price"]["reason"] == "4 of 4 comparisons with other sources disagree"
    assert bybit["kinds"]["candles"]["state"] == "degraded"
    assert (binance["state"], binance["serves"], okx["state"]) == ("healthy", 1, "healthy")


async def test_a_symbol_that_a_source_does_not_list_says_nothing_about_it(clock: Clock) -> None:
    bybit = FakeExchange(clock)
    source = source_of(clock, {"bybit": bybit, "binance": FakeExchange(clock)})
    bybit.fails(ValueError("invalid symbol"))
    await poll(source, clock, 3)
    health = source.health()
    assert (health.sources["bybit"].state, health.sources["binance"].state) == ("unknown", "healthy")


# -------------------------------------------------------------------------- what they say of themselves


async def test_what_a_source_says_of_itself_counts_for_five_minutes(clock: Clock) -> None:
    bybit, binance = WithStatus(clock), FakeExchange(clock)
    source = source_of(clock, {"bybit": bybit, "binance": binance})
    bybit.told = {"online": True, "server_time": 5, "time_diff_ms": 1, "rate_limit": {"used": 3}, "health": {}}
    status = await status_of(source)
    assert (status["status"], status["server_time"], status["rate_limit"]) == ("ok", 5, {"used": 3})
    bybit.told = {"online": True, "health": {"reasons": ["spot: no route"]}}
    assert (await status_of(source))["health"]["reasons"] == ["bybit: spot: no route"]
    bybit.told = {"online": False, "error": "maintenance"}
    await poll(source, clock)
    status = await status_of(source)
    # The second one may be up: nobody has asked it.
    assert (status["online"], status["status"], status["health"]["sources"]["bybit"]["state"]) == (
        True, "unknown", "down",
    )  # fmt: skip
    assert "server_time" not in status
    clock.move(301)
    assert source.health().sources["bybit"].state == "unknown"


async def _hangs() -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("told", "online"),
    [(OSError("no route"), False), ("hangs", False), ("fine", True), (None, True), ({"online": 0}, False), ({}, False)],
    ids=["raises", "hangs", "text", "nothing", "zero", "empty"],
)
async def test_whatever_a_source_says_it_never_raises(clock: Clock, told: Any, online: bool) -> None:
    bybit = WithStatus(clock)
    bybit.told = told
    source = source_of(clock, {"bybit": bybit}, aggregation_mode="primary_only", timeout=0.02)
    status = await status_of(source)
    assert (status["online"], "error" in status) == (online, not online)


async def test_a_mistake_of_ours_is_told_and_not_raised(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_of(clock, {"bybit": FakeExchange(clock)}, aggregation_mode="primary_only")
    monkeypatch.setattr(source, "health", lambda: 1 / 0)
    status = await status_of(source)
    assert (status["online"], status["error"]) == (False, "ZeroDivisionError: division by zero")
