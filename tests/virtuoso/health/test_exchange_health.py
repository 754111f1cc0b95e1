"""``fetch_status`` and ``binance_health`` of the exchange, with what a simulator can do to it; no test waits."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from binance_sdk.errors import BinanceError
from binance_sdk.simulator import Fault, ManualClock, Simulator
from tests.virtuoso.conftest import NOW, hasty, section_for
from virtuoso_binance import BaseExchange, make_exchange_class
from virtuoso_binance.config import Settings
from virtuoso_binance.health.observing import _SEEN
from virtuoso_binance.kinds import KINDS
from virtuoso_binance.parts import PARTS, PREMIUM_KLINES
from virtuoso_binance.scalars import Row


@dataclass
class Bench:
    """An exchange, the simulator that it asks, and the local clock, which runs with the exchange's."""

    exchange: Any
    simulator: Simulator
    local_ms: int = NOW

    def advance(self, seconds: float) -> None:
        assert isinstance(self.simulator.clock, ManualClock)
        self.simulator.clock.advance(seconds)
        self.local_ms += round(seconds * 1000)

    async def status(self) -> Row:
        found: Row = await self.exchange.fetch_status()
        json.dumps(found, allow_nan=False)
        return found

    async def tries(self, count: int, symbol: str = "BTCUSDT") -> None:
        for _ in range(count):
            try:
                await self.exchange.fetch_market_data(symbol)
            except BinanceError:
                continue


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    symbols = ["BTCUSDT", "ETHUSDT", "SUIUSDT"]
    with Simulator(clock=ManualClock(NOW), history_days=35, symbols=symbols) as simulator:
        made = Bench(None, simulator)
        cls = make_exchange_class(
            BaseExchange, section_for(simulator), client_factory=hasty, now=lambda: made.local_ms / 1000
        )
        made.exchange = cls({})
        # The SDK reckons how far the exchange is from the clock of this machine, which no test sets.
        made.exchange._binance.now_ms = lambda *market: simulator.clock.now_ms()  # pyright: ignore[reportUnknownLambdaType]
        assert await made.exchange.initialize()
        yield made
        await made.exchange.close()


def test_every_part_tells_of_a_kind() -> None:
    assert set(PARTS) - set(_SEEN) == {PREMIUM_KLINES}
    assert {kind for seen in _SEEN.values() for kind in seen.kinds} == set(KINDS["usdm"])


async def test_healthy_and_what_it_costs(bench: Bench) -> None:
    await bench.tries(1)
    bench.simulator.reset_limits()
    status = await bench.status()
    assert [bench.simulator.used_weight(market) for market in ("spot", "futures")] == [1, 1]
    health = status["health"]
    assert (status["online"], status["status"], health["state"], health["reasons"]) == (True, "ok", "healthy", [])
    assert list(health["markets"]) == ["futures", "spot"]
    futures = health["markets"]["futures"]
    assert (futures["state"], futures["listed"], futures["traded"], futures["clock_offset_ms"]) == ("healthy", 3, 3, 0)
    assert set(futures["breakers"].values()) == {"closed"}
    assert set(health["kinds"]) == set(KINDS["usdm"])
    assert {kind["state"] for kind in health["kinds"].values()} == {"healthy"}
    assert all(0 <= kind["age_ms"] <= 900_000 for kind in health["kinds"].values())


async def test_a_kind_that_nobody_asks_for_is_unknown_and_does_no_harm(bench: Bench) -> None:
    await bench.tries(1)
    bench.advance(400)
    status = await bench.status()
    assert {kind["state"] for kind in status["health"]["kinds"].values()} == {"unknown"}
    assert status["health"]["state"] == "healthy"


# ------------------------------------------------------------------------------------- markets


@pytest.mark.parametrize(
    ("fault", "trouble", "word"),
    [
        (Fault.banned(300), "banned", "offline"),
        (Fault.rate_limited(30), "limited", "offline"),
        (Fault.restricted(), "restricted", "offline"),
        (Fault.reset(), "unreachable", "offline"),
        (Fault.page(502), "server_error", "offline"),
        (Fault.garbled(), "not_understood", "offline"),
        (Fault.forbidden(), "refused", "offline"),
        (Fault.maintenance(), "maintenance", "maintenance"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_main_market_that_does_not_answer_is_down(bench: Bench, fault: Fault, trouble: str, word: str) -> None:
    bench.simulator.faults.add(fault, where="futures.time")
    status = await bench.status()
    assert (status["online"], status["status"]) == (False, word)
    assert "server_time" not in status
    futures, spot = status["health"]["markets"].values()
    assert (futures["state"], futures["trouble"], spot["state"]) == ("down", trouble, "healthy")
    assert status["error"] == f"futures: {futures['error']}"


async def test_another_market_that_is_down_degrades(bench: Bench) -> None:
    bench.simulator.maintenance("spot")
    status = await bench.status()
    assert (status["online"], status["status"], status["health"]["state"]) == (True, "degraded", "degraded")
    bench.simulator.end_maintenance()
    assert (await bench.status())["status"] == "ok"


async def test_a_circuit_that_is_open(bench: Bench) -> None:
    bench.simulator.faults.add(Fault.reset(), where="futures")
    await bench.tries(8)
    bench.simulator.faults.clear()
    assert "open" in bench.exchange.binance_health().markets["futures"].facts.breakers.values()
    status = await bench.status()
    assert (status["online"], status["health"]["markets"]["futures"]["trouble"]) == (False, "circuit_open")


async def test_a_gate_that_is_closed_is_seen_without_asking(bench: Bench) -> None:
    assert (await bench.status())["status"] == "ok"
    bench.simulator.faults.next(1, Fault.rate_limited(30), where="futures.depth")
    await bench.tries(1)
    before = bench.simulator.requests.total
    health = bench.exchange.binance_health()
    assert bench.simulator.requests.total == before
    assert health.state == "degraded"
    assert any("over a request limit (429)" in reason for reason in health.reasons)


async def test_a_clock_that_is_off(bench: Bench) -> None:
    bench.local_ms -= 5000
    status = await bench.status()
    assert (status["online"], status["status"], status["time_diff_ms"]) == (True, "degraded", 5000)
    assert "futures: the clock of this machine is 5.0 s behind" in status["health"]["reasons"]


async def test_closed_is_unknown_and_offline(bench: Bench) -> None:
    await bench.exchange.close()
    status = await bench.status()
    assert (status["online"], status["has_trading"]) == (False, False)
    assert "this exchange is closed" in status["error"]
    assert bench.exchange.binance_health().state == "unknown"


async def test_whatever_goes_wrong_it_never_raises() -> None:
    def broken(settings: Settings) -> Any:
        raise ZeroDivisionError("no client today")

    exchange: Any = make_exchange_class(BaseExchange, {}, client_factory=broken)({})
    status = await exchange.fetch_status()
    assert (status["online"], status["error"]) == (False, "ZeroDivisionError: no client today")


# --------------------------------------------------------------------- maintenance and listings


async def test_maintenance_that_answers_and_trades_nothing(bench: Bench) -> None:
    """Prices stand still, so the list of symbols is asked for again, and says why; so it does when it is over."""
    symbols = ("BTCUSDT", "ETHUSDT", "SUIUSDT")
    for symbol in symbols:
        bench.simulator.set_status("spot", symbol, "HALT")
        bench.simulator.set_status("futures", symbol, "PENDING_TRADING")
    bench.advance(400)
    await bench.tries(2)
    status = await bench.status()
    assert (status["online"], status["status"]) == (False, "maintenance")
    assert "futures: maintenance: none of its 3 symbols is traded" in status["error"]
    assert {change["change"] for change in status["health"]["changes"]} == {"status"}
    for symbol in symbols:
        bench.simulator.set_status("spot", symbol, "TRADING")
        bench.simulator.set_status("futures", symbol, "TRADING")
    bench.advance(61)
    status = await bench.status()
    # Of the last five minutes some were without prices.
    assert (status["online"], status["health"]["markets"]["futures"]["state"]) == (True, "healthy")


async def test_symbols_come_and_go_while_it_runs(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="virtuoso_binance")
    bench.simulator.delist_symbol("futures", "SUIUSDT")
    bench.simulator.set_status("spot", "ETHUSDT", "BREAK")
    bench.simulator.list_symbol("futures", "BNBUSDT")
    bench.advance(3601)
    await bench.exchange.load_markets()
    changes = bench.exchange.binance_health().changes
    assert [(each.market, each.symbol, each.change, each.before, each.after) for each in changes] == [
        ("futures", "BNBUSDT", "listed", "", "TRADING"),
        ("futures", "SUIUSDT", "delisted", "TRADING", ""),
        ("spot", "ETHUSDT", "status", "TRADING", "BREAK"),
    ]
    assert {each.seen_at for each in changes} == {bench.local_ms}
    assert "BNBUSDT on futures: listed TRADING" in caplog.text
    assert "BNBUSDT" in bench.exchange.markets
    spot = (await bench.status())["health"]["markets"]["spot"]
    assert (spot["listed"], spot["traded"]) == (3, 2)


# --------------------------------------------------------------------------------------- kinds


async def test_one_kind_that_fails_degrades(bench: Bench) -> None:
    bench.simulator.faults.add(Fault.server_error(), where="futures.depth")
    await bench.tries(3)
    status = await bench.status()
    book = status["health"]["kinds"]["book"]
    assert (status["online"], status["status"], book["state"]) == (True, "degraded", "down")
    assert (book["asked"], book["failed"]) == (3, 3)
    assert "depth" in book["reason"]


async def test_where_no_price_can_be_had_it_is_offline_for_five_minutes(bench: Bench) -> None:
    bench.simulator.faults.add(Fault.garbled(), where="futures.ticker_24hr")
    await bench.tries(3)
    status = await bench.status()
    assert (status["online"], status["health"]["markets"]["futures"]["state"]) == (False, "healthy")
    assert "price: 3 of 3 failed" in status["error"]
    bench.advance(400)
    assert (await bench.status())["online"] is True


async def test_a_symbol_that_there_is_not_counts_for_nothing(bench: Bench) -> None:
    bench.simulator.delist_symbol("futures", "SUIUSDT")
    bench.simulator.delist_symbol("spot", "SUIUSDT")
    await bench.tries(3, "SUIUSDT")
    await bench.tries(3, "NOSUCHUSDT")
    assert all(kind.failed == 0 for kind in bench.exchange.binance_health().kinds.values())


async def test_single_calls_are_seen_too(bench: Bench) -> None:
    exchange = bench.exchange
    for call in (
        exchange.fetch_ticker("BTCUSDT"),
        exchange.fetch_order_book("BTCUSDT"),
        exchange.fetch_trades("BTCUSDT"),
        exchange.fetch_ohlcv("BTCUSDT", "5m", limit=3),
        exchange.fetch_long_short_ratio("BTCUSDT"),
    ):
        await call
    kinds = exchange.binance_health().kinds
    assert {kind: health.state for kind, health in kinds.items()} == dict.fromkeys(KINDS["usdm"], "healthy")
    await exchange.fetch_tickers()
    assert exchange.binance_health().kinds["volume"].asked == 2
    # Candles of the past are as old as they were asked for.
    await exchange.fetch_ohlcv("BTCUSDT", "1m", since=NOW - 86_400_000, limit=3)
    assert exchange.binance_health().kinds["candles"].asked == 1
