"""The simulator as a judge in another process: its control surface, and the client for it."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient, errors
from binance_sdk.simulator import (
    Fault,
    Instrument,
    ManualClock,
    OffsetClock,
    Simulator,
    SimulatorControl,
    SimulatorError,
    simulator_process,
)
from binance_sdk.simulator.control.http import ControlApp
from tests.simulated_http import SimulatedHttp

from .conftest import NOW, simulator

ROOT = Path(__file__).parents[2]
MINUTE = 60_000
OWN = Instrument("spot", "ABCXYZ", "ABC", "XYZ", 2, 3, price_zeros=6, lot_zeros=5)


class Court:
    """A simulator in this process, and its control over the socket."""

    def __init__(self, running: Simulator, clock: ManualClock, client: httpx.Client) -> None:
        self.running, self.clock, self.client = running, clock, client
        self.control = SimulatorControl(running.base_url("spot"))


@pytest.fixture
def court() -> Iterator[Court]:
    clock = ManualClock(NOW)
    with simulator(clock=clock, control=True) as running, SimulatedHttp(running) as client:
        yield Court(running, clock, client)


def test_reading(court: Court) -> None:
    court.client.get("/api/v3/time")
    court.client.get("/no/such/path")
    assert court.control.requests == court.running.requests
    assert court.control.requests.by_status == {200: 1, 404: 1}
    assert court.control.used_weight("spot") == 1
    assert court.control.now_ms() == NOW
    assert court.control.windows("spot") == court.running.windows("spot")
    assert court.control.windows("spot")[0].requests == 1
    court.control.reset_windows("spot")
    assert court.control.windows("spot") == []
    court.control.reset_limits()
    assert court.control.used_weight("spot") == 0


def test_faults(court: Court) -> None:
    rule = court.control.faults.add(Fault.server_error(body=False), Fault.page(), where=["spot.time", "*.depth"])
    assert court.running.faults.rules[0].faults == (Fault.server_error(body=False), Fault.page())
    assert court.client.get("/api/v3/time").status_code in (502, 503)
    assert court.client.get("/api/v3/ping").status_code == 200
    for _ in range(2):
        rule.remove()
    assert court.running.faults.rules == ()
    court.control.faults.next(1, Fault.rate_limited(7))
    assert court.client.get("/api/v3/time").headers["retry-after"] == "7"
    assert sum(court.control.faults.injected.values()) == 2
    court.control.faults.add(Fault.latency(1, 2), probability=0.5, seed=3)
    court.control.faults.clear()
    assert court.client.get("/api/v3/time").status_code == 200
    with pytest.raises(SimulatorError, match="matches nothing"):
        court.control.faults.add(Fault.reset(), where="spot.nothing")


@pytest.mark.parametrize(
    "fault",
    [
        *Fault.transient(),
        Fault.latency(0.25, 0.5, upstream=1),
        Fault.silence(7),
        Fault.rate_limited(3.5),
        Fault.banned(11),
        Fault.forbidden(),
        Fault.restricted(),
        Fault.maintenance(),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_every_fault_arrives_as_it_was_made(court: Court, fault: Fault) -> None:
    court.control.faults.add(fault)
    assert court.running.faults.rules[0].faults == (fault,)
    # Written by hand, what is left out is as usual.
    court.control.faults.clear()
    court.control.ask("add_faults", faults=[{"kind": fault.kind}])
    ((usual,),) = (rule.faults for rule in court.running.faults.rules)
    assert (usual.kind, usual.counted) == (fault.kind, fault.counted)
    assert usual.replaces_answer == fault.replaces_answer


def test_changes(court: Court) -> None:
    control, client = court.control, court.client
    control.drift("spot.time", 9)
    assert client.get("/api/v3/time").headers["x-mbx-used-weight"] == "9"
    control.drift("spot.time", None)
    control.change_limits("spot", weight=50, window_seconds=30, groups={"raw_requests": 1_000})
    control.foreign_traffic("spot", 2.5, weight=5)
    court.clock.advance(2)
    # The window of 30 s is another one than the minute that had the 9.
    assert control.used_weight("spot") == court.running.used_weight("spot") == 9 + 10
    control.stop_foreign_traffic()
    assert control.windows("spot")[-1].limit == 50

    control.maintenance("futures")
    assert client.get("/fapi/v1/time").status_code == 503
    control.end_maintenance()
    assert client.get("/fapi/v1/time").status_code == 200

    control.list_symbol("spot", OWN)
    control.set_status("spot", "BTCUSDT", "BREAK", at=NOW + 1)
    control.delist_symbol("spot", "ETHUSDT", at=NOW + 1)
    control.settle_symbol("SOLUSDT", removed_after=300)
    assert control.advance(120) == NOW + 122_000
    spot = {listing["symbol"]: listing["status"] for listing in client.get("/api/v3/exchangeInfo").json()["symbols"]}
    assert (spot["ABCXYZ"], spot["BTCUSDT"], spot.get("ETHUSDT")) == ("TRADING", "BREAK", None)
    futures = {
        listing["symbol"]: listing["status"] for listing in client.get("/fapi/v1/exchangeInfo").json()["symbols"]
    }
    assert futures["SOLUSDT"] == "SETTLING"
    assert control.set_clock(NOW + 10 * MINUTE) == NOW + 10 * MINUTE == court.clock.now_ms()
    assert "SOLUSDT" not in client.get("/fapi/v1/exchangeInfo").text


def test_the_methods_are_those_of_the_simulator() -> None:
    for name, method in inspect.getmembers(Simulator, inspect.isfunction):
        if not name.startswith("_") and name not in ("start", "stop"):
            there, here = inspect.signature(getattr(SimulatorControl, name)), inspect.signature(method)
            # What it gives is the rule there, which can be removed like the one here.
            assert there.parameters == here.parameters if name == "add_fault" else there == here, name


def test_clocks_that_cannot_be_moved_say_so() -> None:
    with Simulator(control=True) as running:
        control = SimulatorControl(running.base_url("spot"))
        with pytest.raises(SimulatorError, match="cannot be moved"):
            control.advance(1)
        with pytest.raises(SimulatorError, match="cannot be set"):
            control.set_clock(1)
    with Simulator(control=True, clock=OffsetClock(5, ManualClock(NOW))) as running:
        control = SimulatorControl(running.base_url("spot"))
        assert control.advance(0.5) == NOW + 5_500
        assert control.set_clock(NOW - 1) == NOW - 1 == control.now_ms()


# ------------------------------------------------------------------------------------- over plain HTTP


def test_reading_by_hand(court: Court) -> None:
    court.client.get("/api/v3/time")
    assert court.client.get("/_simulator/used_weight?market=spot").json() == 1
    windows = court.client.get("/_simulator/windows", params={"market": "spot"}).json()
    assert windows == [asdict(window) for window in court.running.windows("spot")]
    assert court.client.post("/_simulator/reset_limits", json={}).json() is None
    assert court.running.requests.total == 1


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "words"),
    [
        ("GET", "nothing", {}, 404, "there is no 'nothing'"),
        ("POST", "windows/", {"json": {}}, 404, "there is no"),
        ("GET", "reset_limits", {}, 405, "takes POST"),
        ("DELETE", "windows", {}, 405, "POST or GET"),
        ("GET", "windows?market=margin", {}, 400, "'spot', 'futures'"),
        ("POST", "windows", {"json": {}}, 400, "market"),
        ("POST", "drift", {"json": {"operation": "spot.klines", "weight": "much"}}, 400, "weight"),
        ("POST", "drift", {"json": {"operation": "spot.klines", "weight": 1, "more": 2}}, 400, "more"),
        ("POST", "drift", {"json": [1]}, 400, "should be an object"),
        ("POST", "drift", {"content": b"{", "headers": {"content-type": "application/json"}}, 400, "JSON"),
        ("POST", "add_faults", {"json": {"faults": [{"kind": "fire"}]}}, 400, "kind='fire' must be one of latency"),
        ("POST", "add_faults", {"json": {"faults": [{"kind": "reset", "when": 1}]}}, 400, "no when"),
        ("POST", "add_faults", {"json": {"faults": [{"kind": "reset", "seconds": []}]}}, 400, "seconds"),
        ("POST", "add_faults", {"json": {"faults": []}}, 400, "which fault"),
        ("POST", "reset_limits", {"content": b"{}", "headers": {"content-type": "text/plain"}}, 415, "json"),
        ("POST", "reset_limits", {"json": {}, "headers": {"host": "evil.example"}}, 403, "this machine"),
        ("GET", "now_ms", {"headers": {"host": "evil.example:80"}}, 403, "this machine"),
        ("POST", "reset_limits", {"json": {"text": "x" * 1_100_000}}, 413, "too much"),
    ],
)
def test_mistakes_by_hand(
    court: Court, method: str, path: str, options: dict[str, Any], status: int, words: str
) -> None:
    response = court.client.request(method, f"/_simulator/{path}", **options)
    assert response.status_code == status, response.text
    assert words in response.json()["error"]
    # The connection is still good for the next request.
    assert court.client.get("/api/v3/time").status_code == 200


async def test_other_machines_are_not_heard() -> None:
    """Also where a simulator listens at every address; no test can connect from elsewhere."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/_simulator/now_ms", "query_string": b"", "headers": headers}
    for client, status in (("192.0.2.1", 403), ("not an address", 403), ("::1", 200)):
        await ControlApp(simulator())({**scope, "client": (client, 50_000)}, receive, send)
        assert sent[-2]["status"] == status


def test_by_default_there_is_none() -> None:
    with simulator() as running:
        assert httpx.get(running.base_url("spot") + "/_simulator/now_ms").status_code == 404
        with pytest.raises(SimulatorError, match="without control=True"):
            SimulatorControl(running.base_url("spot")).now_ms()
        url = running.base_url("spot")
    with pytest.raises(SimulatorError, match="no simulator answers at"):
        SimulatorControl(url).now_ms()


# ------------------------------------------------------------------------------------ another process


async def test_a_judge_in_a_process_of_its_own() -> None:
    with simulator_process(
        weight_limits={"futures": 50}, weight_window_seconds=10**9, symbols=["BTCUSDT"], clock_offset_seconds=86_400
    ) as control:
        before = OffsetClock(86_400).now_ms()
        assert abs(control.now_ms() - before) < 60_000
        control.faults.next(1, Fault.garbled())
        async with BinanceClient(futures_base_url=control.base_url("futures"), max_retries=0, budget=False) as client:
            with pytest.raises(errors.DecodeError):
                await client.futures.time()
            for _ in range(4):
                await client.futures.klines("BTCUSDT", "1m", limit=1500)
            with pytest.raises(errors.RateLimitError):
                await client.futures.klines("BTCUSDT", "1m", limit=1500)
        (window,) = control.windows("futures")
        assert (window.requests, window.used, window.over_limit, window.peak) == (5, 41, 1, 51)
        assert control.requests.by_operation == {"futures.time": 1, "futures.klines": 5}
    with pytest.raises(SimulatorError, match="no simulator answers"):
        control.now_ms()


def test_the_process_of_a_judge_ends_with_its_parent() -> None:
    program = (
        "import os, sys\n"
        "from binance_sdk.simulator import simulator_process\n"
        "assert 'numpy' not in sys.modules and 'uvicorn' not in sys.modules\n"
        "with simulator_process(symbols=['BTCUSDT']) as control:\n"
        "    assert control.requests.total == 0\n"
        "    assert 'numpy' not in sys.modules and 'uvicorn' not in sys.modules\n"
        "    os.write(1, control.url.encode())\n"
        "    os._exit(0)\n"
    )
    # The judge has this pipe for its errors: it is at its end only when the judge is, too.
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    with pytest.raises(SimulatorError):
        SimulatorControl(done.stdout).now_ms()


def test_a_judge_that_does_not_start(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SimulatorError, match="did not start"), simulator_process(symbols=["NOPE"]):
        pass
    assert "knows no symbol NOPE" in capfd.readouterr().err
