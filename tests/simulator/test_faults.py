"""Faults on demand: what is drawn, what arrives at the socket, and which error the client makes of it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from binance_sdk import BinanceClient, errors
from binance_sdk.simulator import Fault, ManualClock, Simulator, SimulatorError
from binance_sdk.simulator.faults.requests import NO_FAULT, Faults
from tests.simulated_http import AsyncSimulatedHttp, SimulatedHttp

from .conftest import NOW, simulator

NAMES = ("spot.klines", "spot", "/api/v3/klines")
KLINES = "/api/v3/klines?symbol=BTCUSDT&interval=1m"

HTTP_ERRORS = [
    (Fault.server_error(), 503, -1001),
    (Fault.server_error(500, body=False), 500, None),
    (Fault.page(), 502, None),
    (Fault.page(200), 200, None),
    (Fault.rate_limited(), 429, -1003),
    (Fault.banned(90), 418, -1003),
    (Fault.forbidden(), 403, None),
    (Fault.backend_timeout(), 408, -1007),
    (Fault.restricted(), 451, 0),
    (Fault.maintenance(), 503, -1000),
]
TYPED: list[tuple[Fault, type[errors.BinanceError]]] = [
    (Fault.server_error(), errors.ServerError),
    (Fault.server_error(504, body=False), errors.ServerError),
    (Fault.page(), errors.ServerError),
    (Fault.page(200), errors.DecodeError),
    (Fault.truncated(), errors.APIConnectionError),
    (Fault.truncated(0), errors.APIConnectionError),
    (Fault.truncated(1), errors.APIConnectionError),
    (Fault.reset(), errors.APIConnectionError),
    (Fault.reset(in_body=True), errors.APIConnectionError),
    (Fault.silence(), errors.APITimeoutError),
    (Fault.garbled(), errors.DecodeError),
    (Fault.bad_gzip(), errors.DecodeError),
    (Fault.rate_limited(), errors.RateLimitError),
    (Fault.banned(), errors.IPBannedError),
    (Fault.forbidden(), errors.ForbiddenError),
    (Fault.backend_timeout(), errors.ServerError),
    (Fault.restricted(), errors.RestrictedLocationError),
    (Fault.maintenance(), errors.ServerError),
]


def named(value: object) -> str | None:
    return f"{value.kind}-{value.status}-{value.share}" if isinstance(value, Fault) else None


async def until(condition: Callable[[], bool]) -> None:
    """Turn the loop until something that happens in the simulator's thread has happened."""
    for _ in range(1_000_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not happen")


# --------------------------------------------------------------------------------------- drawing


def test_without_rules_nothing_is_drawn() -> None:
    faults = Faults(NAMES, seed=1)
    assert faults.draw(NAMES) is NO_FAULT
    assert not faults.armed


def test_a_share_of_the_requests_is_hit_and_the_same_ones_again() -> None:
    def hits() -> list[bool]:
        faults = Faults(NAMES, seed=7)
        rule = faults.add(Fault.reset(), probability=0.3)
        found = [faults.draw(NAMES).fault is not None for _ in range(2_000)]
        assert rule.injected == sum(found) == faults.injected["reset"]
        return found

    first = hits()
    assert 500 < sum(first) < 700
    assert first == hits()


def test_another_seed_hits_others() -> None:
    faults = Faults(NAMES, seed=7)
    rule, other = (faults.add(Fault.latency(1), probability=0.5, seed=seed) for seed in (1, 2))
    for _ in range(100):
        faults.draw(NAMES)
    assert rule.injected != other.injected or rule.injected < 100


def test_a_rule_ends_after_its_count() -> None:
    faults = Faults(NAMES, seed=1)
    rule = faults.next(2, Fault.garbled())
    drawn = [faults.draw(NAMES).fault for _ in range(4)]
    assert drawn == [Fault.garbled(), Fault.garbled(), None, None]
    assert (rule.left, rule.injected, faults.rules) == (0, 2, ())


def test_each_fault_of_a_rule_comes() -> None:
    faults = Faults(NAMES, seed=1)
    faults.add(*Fault.transient())
    drawn = [faults.draw(NAMES).fault for _ in range(500)]
    assert set(drawn) == set(Fault.transient())


def test_delays_add_up_and_the_first_other_fault_decides() -> None:
    faults = Faults(NAMES, seed=1)
    faults.add(Fault.latency(1.0, upstream=0.25))
    faults.add(Fault.reset())
    faults.add(Fault.garbled())
    faults.add(Fault.latency(2.0, upstream=1.0))
    drawn = faults.draw(NAMES)
    assert (drawn.before, drawn.after, drawn.fault) == (2.25, 0.75, Fault.reset())
    assert dict(faults.injected) == {"latency": 2, "reset": 1}


def test_a_random_delay_stays_in_its_bounds() -> None:
    faults = Faults(NAMES, seed=1)
    faults.add(Fault.latency(0.1, 0.3))
    delays = [drawn.before + drawn.after for drawn in (faults.draw(NAMES) for _ in range(200))]
    assert 0.1 <= min(delays) < 0.15
    assert 0.25 < max(delays) <= 0.3


@pytest.mark.parametrize(
    ("where", "hit"),
    [
        ("*", True),
        ("spot", True),
        ("spot.*", True),
        ("*.klines", True),
        ("/api/*", True),
        (["futures", "spot"], True),
        ("futures", False),
        ("/fapi/*", False),
        ("*.depth", False),
    ],
)
def test_patterns(where: str | list[str], hit: bool) -> None:
    faults = Faults([*NAMES, "futures.depth", "futures", "/fapi/v1/depth"], seed=1)
    faults.add(Fault.reset(), where=where)
    assert (faults.draw(NAMES).fault is not None) == hit


def test_rules_can_be_removed() -> None:
    faults = Faults(NAMES, seed=1)
    rules = [faults.add(Fault.reset()), faults.add(Fault.garbled())]
    for _ in range(2):
        rules[0].remove()
    assert faults.rules == (rules[1],)
    assert faults.draw(NAMES).fault == Fault.garbled()
    faults.clear()
    assert faults.draw(NAMES) is NO_FAULT
    assert faults.injected == {"garbled": 1}


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda faults: faults.add(Fault.reset(), where="spot.kline"), "matches nothing"),
        (lambda faults: faults.add(), "which fault"),
        (lambda faults: faults.add(Fault.reset(), probability=1.5), "from 0 to 1"),
    ],
)
def test_mistakes_in_rules_are_told(mistake: Callable[[Faults], object], words: str) -> None:
    with pytest.raises(SimulatorError, match=words):
        mistake(Faults(NAMES, seed=1))


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: Fault.latency(-1),
        lambda: Fault.latency(2, 1),
        lambda: Fault.latency(1, upstream=2),
        lambda: Fault.server_error(404),
        lambda: Fault.truncated(-0.1),
    ],
)
def test_mistakes_in_faults_are_told(mistake: Callable[[], Fault]) -> None:
    with pytest.raises(ValueError):
        mistake()


# ------------------------------------------------------------------------------------ on the socket


@pytest.mark.parametrize(("fault", "status", "code"), HTTP_ERRORS, ids=named)
def test_answers_that_are_errors(fault: Fault, status: int, code: int | None) -> None:
    with simulator() as running, SimulatedHttp(running) as client:
        running.faults.next(1, fault)
        response = client.get(KLINES)
        assert response.status_code == status
        if code is not None:
            assert response.json()["code"] == code
        else:
            assert response.content == b"" or response.headers["content-type"].startswith("text/html")
        assert ("retry-after" in response.headers) == (status in (418, 429))
        # What something in front of the exchange answers, it never saw.
        assert running.used_weight("spot") == (2 if fault.counted and fault.kind != "banned" else 0)
        assert running.requests.injected == {fault.kind: 1}
        assert running.requests.by_status == {status: 1}


def test_a_true_limit_comes_before_a_fault_of_the_exchange() -> None:
    with simulator(weight_limits={"spot": 1}) as running, SimulatedHttp(running) as client:
        running.faults.add(Fault.server_error())
        assert client.get(KLINES).status_code == 429
        running.faults.clear()
        running.faults.add(Fault.page())
        assert client.get(KLINES).status_code == 502


def test_a_ban_on_demand_holds_for_the_whole_market() -> None:
    clock = ManualClock(NOW)
    with simulator(clock=clock) as running, SimulatedHttp(running) as client:
        running.faults.next(1, Fault.banned(90), where="spot.klines")
        banned = client.get(KLINES)
        assert f"banned until {NOW + 90_000}" in banned.json()["msg"]
        assert banned.headers["retry-after"] == "90"
        assert client.get("/api/v3/time").status_code == 418
        assert client.get("/fapi/v1/time").status_code == 200
        clock.advance(90)
        assert client.get("/api/v3/time").status_code == 200


def test_broken_bodies() -> None:
    with simulator() as running, SimulatedHttp(running) as client:
        whole = client.get(KLINES).content
        running.faults.next(1, Fault.garbled())
        assert client.get(KLINES).content == whole[: len(whole) // 2]
        running.faults.next(1, Fault.bad_gzip())
        with pytest.raises(httpx.DecodingError):
            client.get(KLINES)
        for fault, error in (
            (Fault.truncated(0.9), httpx.RemoteProtocolError),
            (Fault.reset(in_body=True), httpx.ReadError),
        ):
            running.faults.next(1, fault)
            # The answer begins like a good one.
            with client.stream("GET", KLINES) as response:
                assert response.status_code == 200
                with pytest.raises(error):
                    response.read()
        running.faults.next(1, Fault.reset())
        with pytest.raises(httpx.ReadError, match="reset by peer"):
            client.get(KLINES)
        assert client.get(KLINES).content == whole
        assert running.requests.by_status == {200: 6, 0: 1}
        assert running.used_weight("spot") == 14


def test_faults_meet_only_what_they_are_for() -> None:
    with simulator() as running, SimulatedHttp(running) as client:
        running.faults.add(Fault.server_error(), where="futures")
        assert client.get("/api/v3/time").status_code == 200
        assert client.get("/fapi/v1/time").status_code == 503
        assert client.get("/no/such/path").status_code == 404
        assert client.post("/fapi/v1/time").status_code == 405


def test_silence_ends_with_a_closed_connection() -> None:
    with simulator() as running, SimulatedHttp(running) as client:
        running.faults.next(1, Fault.silence(0.01))
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(KLINES)


async def test_nobody_waits_for_a_server_that_stops() -> None:
    running = simulator().start()
    running.faults.add(Fault.latency(60, upstream=1.0), where="spot")
    running.faults.add(Fault.silence(60), where="futures")
    async with AsyncSimulatedHttp(running, timeout=10) as client:
        late = asyncio.create_task(client.get("/api/v3/time"))
        silent = asyncio.create_task(client.get("/fapi/v1/time"))
        await until(lambda: sum(running.faults.injected.values()) == 2)
        began = time.monotonic()
        await asyncio.to_thread(running.stop)
        assert time.monotonic() - began < 2
        assert (await late).status_code == 200
        with pytest.raises(httpx.TransportError):
            await silent


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted by /proc")
async def test_no_fault_leaves_a_connection_behind() -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    with simulator() as running:
        before = open_files()
        running.faults.add(*(fault for fault in Fault.transient() if fault.kind != "silence"), Fault.silence(0.005))
        async with AsyncSimulatedHttp(running) as client:
            results = await asyncio.gather(*(client.get(KLINES) for _ in range(150)), return_exceptions=True)
        kinds = running.requests.injected
        assert set(kinds) == {fault.kind for fault in Fault.transient()}
        # Half of the kinds are answers; nothing else than broken connections and bodies is raised.
        assert {type(result) for result in results} == {
            httpx.Response,
            httpx.ReadError,
            httpx.RemoteProtocolError,
            httpx.DecodingError,
        }
        await until(lambda: open_files() <= before)


async def test_a_request_on_a_slow_line_counts_when_it_arrives() -> None:
    with simulator() as running:
        async with AsyncSimulatedHttp(running) as client:
            running.faults.next(1, Fault.latency(60, upstream=1.0), where="spot.time")
            running.faults.next(1, Fault.latency(60, upstream=0.0), where="spot.klines")
            under_way = asyncio.create_task(client.get("/api/v3/time"))
            answered = asyncio.create_task(client.get(KLINES))
            await until(lambda: running.faults.injected.get("latency") == 2 and running.requests.total > 0)
            assert running.requests.by_operation == {"spot.klines": 1}
            assert running.used_weight("spot") == 2
            for task in (under_way, answered):
                assert not task.done()
                task.cancel()
            await asyncio.gather(under_way, answered, return_exceptions=True)
            running.faults.next(1, Fault.latency(0.001))
            assert (await client.get(KLINES)).status_code == 200


# ------------------------------------------------------------------------------------- maintenance


def test_maintenance_refuses_and_shows_it() -> None:
    with simulator() as running, SimulatedHttp(running) as client:
        running.maintenance("futures")
        refused = client.get("/fapi/v1/time")
        assert (refused.status_code, refused.json()["code"]) == (503, -1000)
        assert client.get("/api/v3/time").status_code == 200
        running.faults.clear()
        assert client.get("/fapi/v1/time").status_code == 503

        running.maintenance(refuse=False)
        for path, status in (("/api/v3/exchangeInfo", "HALT"), ("/fapi/v1/exchangeInfo", "PENDING_TRADING")):
            assert {listing["status"] for listing in client.get(path).json()["symbols"]} == {status}
        for _ in range(2):
            running.end_maintenance()
        statuses = {listing["status"] for listing in client.get("/api/v3/exchangeInfo").json()["symbols"]}
        assert statuses == {"TRADING", "BREAK"}
        assert running.used_weight("futures") == 1


# -------------------------------------------------------------------------------- the client's errors


@pytest.mark.parametrize("budget", [True, False])
@pytest.mark.parametrize(("fault", "error"), TYPED, ids=named)
async def test_every_fault_is_the_documented_error(
    fault: Fault, error: type[errors.BinanceError], budget: bool
) -> None:
    timeout = 0.2 if fault.kind == "silence" else 5.0
    with Simulator() as running:
        async with BinanceClient(
            spot_base_url=running.base_url("spot"), max_retries=0, budget=budget, timeout=timeout
        ) as client:
            running.faults.next(1, fault)
            with pytest.raises(error) as caught:
                await client.spot.klines("BTCUSDT", "1m", limit=100)
    assert caught.value.operation == "spot.klines"
    assert running.requests.total == 1
    if isinstance(caught.value, errors.APIError) and fault.status:
        assert caught.value.status_code == fault.status
        assert caught.value.code == (-1003 if fault.kind == "banned" else fault.code)


@pytest.mark.parametrize("fault", [Fault.reset(), Fault.garbled()], ids=named)
async def test_what_passes_is_tried_again(fault: Fault) -> None:
    with Simulator() as running:
        async with BinanceClient(spot_base_url=running.base_url("spot"), max_retries=1) as client:
            running.faults.next(1, fault)
            assert len(await client.spot.klines("BTCUSDT", "1m", limit=100)) == 100
    assert running.requests.total == 2
