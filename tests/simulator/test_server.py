"""Starting, stopping, and what a client sees of the server itself."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from binance_sdk import simulator as package
from binance_sdk.simulator import (
    ManualClock,
    PortInUseError,
    SimulatorClock,
    SimulatorError,
    serve,
)
from binance_sdk.simulator.sockets import url_of
from tests.simulated_http import SimulatedHttp

from .conftest import NOW, simulator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def simulator_threads() -> Callable[[], list[threading.Thread]]:
    """Those of this test; other suites keep simulators for the whole session."""
    others = set(threading.enumerate())

    def threads() -> list[threading.Thread]:
        return [
            thread for thread in threading.enumerate() if thread.name == "binance-simulator" and thread not in others
        ]

    return threads


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted by /proc")
def test_it_leaves_nothing_behind(simulator_threads: Callable[[], list[threading.Thread]]) -> None:
    with simulator():
        pass
    gc.collect()
    before = open_files()
    clients = []
    for _ in range(3):
        running = simulator().start()
        client = SimulatedHttp(running)
        assert client.get("/api/v3/ping").json() == {}
        clients.append(client)
        # The connection is still open: stopping must not wait for the client to close it.
        began = time.monotonic()
        running.stop()
        assert time.monotonic() - began < 1
        with pytest.raises(httpx.TransportError):
            client.get("/api/v3/ping")
    for client in clients:
        client.close()
    gc.collect()
    assert not simulator_threads()
    assert open_files() == before


def test_its_address_is_one_that_can_be_connected_to() -> None:
    """``0.0.0.0`` and ``::`` are addresses to listen at."""
    assert url_of("0.0.0.0", 8080) == "http://127.0.0.1:8080"
    assert url_of("::", 8080) == url_of("::1", 8080) == "http://[::1]:8080"
    assert url_of("192.0.2.7", 8080) == "http://192.0.2.7:8080"


def test_it_can_be_stopped_twice_and_started_again() -> None:
    running = simulator()
    for _ in range(2):
        with running:
            assert httpx.get(running.base_url("spot") + "/api/v3/ping").status_code == 200
            with pytest.raises(SimulatorError, match="runs already"):
                running.start()
        running.stop()
    with pytest.raises(SimulatorError, match="before it is started"):
        _ = running.base_url("spot")


async def test_it_works_in_a_coroutine(simulator_threads: Callable[[], list[threading.Thread]]) -> None:
    async with simulator() as running, httpx.AsyncClient(base_url=running.base_url("futures")) as client:
        answers = await asyncio.gather(*(client.get("/fapi/v1/time") for _ in range(20)))
    assert {answer.json()["serverTime"] for answer in answers} == {NOW}
    assert running.requests.by_operation == {"futures.time": 20}
    assert not simulator_threads()


def test_it_can_be_stopped_by_another_thread(simulator_threads: Callable[[], list[threading.Thread]]) -> None:
    running = simulator().start()
    stopper = threading.Thread(target=running.stop)
    stopper.start()
    stopper.join(5)
    assert not simulator_threads()


def test_a_taken_port_is_reported_in_words_to_act_on() -> None:
    with simulator() as running:
        port = int(running.base_url("spot").rpartition(":")[2])
        with pytest.raises(PortInUseError, match="choose another port") as caught:
            simulator(port=port).start()
    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value, SimulatorError)
    assert str(port) in str(caught.value)


def test_requests_are_counted() -> None:
    with simulator() as running, SimulatedHttp(running) as client:
        client.get("/api/v3/ping")
        client.get("/api/v3/depth", params={"symbol": "NOPE"})
        client.get("/nothing")
        client.post("/api/v3/ping")
        counts = running.requests
    assert counts.total == 4
    assert counts.by_operation == {"spot.ping": 2, "spot.depth": 1}
    assert counts.by_status == {200: 1, 400: 1, 404: 1, 405: 1}


def test_long_answers_are_compressed_for_who_accepts_it() -> None:
    with simulator() as running:
        url = running.base_url("spot") + "/api/v3/exchangeInfo"
        packed = httpx.get(url, headers={"Accept-Encoding": "gzip"})
        plain = httpx.get(url, headers={"Accept-Encoding": "identity"})
        short = httpx.get(running.base_url("spot") + "/api/v3/time", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) * 3 < int(plain.headers["content-length"])
    assert packed.content == plain.content
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in short.headers


def test_the_date_is_the_clock_of_the_exchange() -> None:
    clock = ManualClock(NOW)
    with simulator(clock=clock) as running:
        clock.advance(86_400)
        response = httpx.get(running.base_url("spot") + "/api/v3/time")
    assert response.json()["serverTime"] == clock.now_ms() == NOW + 86_400_000
    assert parsedate_to_datetime(response.headers["date"]).timestamp() == clock.now_ms() // 1000


def test_clocks() -> None:
    assert abs(SimulatorClock().now_ms() - time.time() * 1000) < 5_000
    clock = ManualClock(NOW)
    clock.advance(0.0015)
    clock.set(NOW - 5)
    assert clock.now_ms() == NOW - 5
    with pytest.raises(ValueError, match="only moves forward"):
        clock.advance(-1)


def test_symbols_can_be_chosen() -> None:
    with simulator(symbols=["BTCUSDT"]) as running, SimulatedHttp(running) as client:
        for path in ("/api/v3/exchangeInfo", "/fapi/v1/exchangeInfo"):
            assert [listing["symbol"] for listing in client.get(path).json()["symbols"]] == ["BTCUSDT"]
        assert client.get("/api/v3/depth", params={"symbol": "ETHUSDT"}).json()["code"] == -1121
    with pytest.raises(SimulatorError, match="knows no symbol NOPE"):
        simulator(symbols=["NOPE"])


def test_the_pytest_fixture(tmp_path: Path) -> None:
    test = tmp_path / "test_of_a_user.py"
    test.write_text(
        "import httpx\n"
        "def test_ping(binance_simulator):\n"
        "    assert httpx.get(binance_simulator.url + '/api/v3/ping').json() == {}\n"
        "    assert binance_simulator.requests.total == 1\n"
    )
    # Without autoload it is known where the fixture comes from, installed or not, and no other plugin takes part.
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-p", "binance_sdk.simulator.pytest_plugin", str(test)]
    settings = {**environment(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=settings, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_plugin_costs_nothing_before_it_is_used() -> None:
    program = (
        "import sys, binance_sdk.simulator.pytest_plugin\n"
        "assert not {'numpy', 'uvicorn'} & set(sys.modules)\n"
        "sys.modules['numpy'] = None\n"
        "from binance_sdk.simulator import ManualClock\n"
        "try:\n"
        "    from binance_sdk.simulator import Simulator\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout == "the simulator needs numpy: pip install 'binance-market-sdk[simulator]'\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_runs_until_it_is_interrupted(number: signal.Signals) -> None:
    program = (
        "from binance_sdk.simulator import serve\n"
        "serve(port=0, seed=3, on_start=lambda sim: print(sim.url, flush=True))\n"
        "print('over', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().strip()
        assert httpx.get(url + "/api/v3/ping").json() == {}
        process.send_signal(number)
        assert process.stdout.read().strip() == "over"
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_serve_reports_a_taken_port() -> None:
    with simulator() as running, pytest.raises(PortInUseError):
        serve(port=int(running.base_url("spot").rpartition(":")[2]))


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def test_public_names() -> None:
    assert dir(package) == package.__all__ == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name).__module__.startswith("binance_sdk.simulator.")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing  # type: ignore[attr-defined]
    assert issubclass(ManualClock, SimulatorClock)
