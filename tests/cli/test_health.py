"""``binance-sdk health``: every exit code is reached by what a simulator does, and the cost is what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from binance_sdk.cli.health import CODES
from binance_sdk.cli.health_command import HEALTH_EPILOG
from binance_sdk.simulator import Fault, OffsetClock, Simulator
from tests.listening import closed_port

from .support import Cli, start

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "command-line.md").read_text("utf-8")


@pytest.fixture(scope="module")
def _running() -> Iterator[Simulator]:
    with Simulator(clock=OffsetClock(0), symbols=["BTCUSDT", "ETHBTC"], history_days=2) as running:
        yield running


@pytest.fixture
def exchange(_running: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """Of this moment, and well."""
    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", _running.url)
    _running.reset_limits()
    yield _running
    _running.faults.clear()
    _running.end_maintenance()


def test_healthy(cli: Cli, exchange: Simulator) -> None:
    ran = cli("health")
    assert (ran.code, ran.errors, ran.output.splitlines()[0]) == (0, "", "healthy")
    assert "cost: 3 requests of weight 1 on coin-futures, 1 on futures, 1 on spot" in ran.output
    assert [exchange.used_weight(market) for market in ("spot", "futures")] == [1, 2], (
        "futures and COIN-M count together"
    )


def test_the_data_of_a_symbol(cli: Cli, exchange: Simulator) -> None:
    ran = cli("health", "BTC/USDT", "-m", "futures", "--json")
    found = json.loads(ran.output)
    assert (ran.code, found["state"], found["reasons"]) == (0, "healthy", [])
    assert set(found["kinds"]) == {
        "price", "volume", "book", "trades", "candles", "funding", "open_interest", "long_short",
    }  # fmt: skip
    assert found["cost"] == {"requests": 11, "weight": {"futures": 15}}
    assert exchange.used_weight("futures") == 15
    ran = cli("health", "ETHBTC", "-m", "spot", "--json")
    assert (ran.code, json.loads(ran.output)["cost"]["weight"]) == (0, {"spot": 55})


@pytest.mark.parametrize(
    ("fault", "where", "arguments", "state", "reason"),
    [
        (Fault.maintenance(), "spot", (), "degraded", "spot: ServerError: "),
        (Fault.maintenance(), "spot|futures|coin_futures", (), "down", "under maintenance"),
        (Fault.server_error(), "futures.depth", ("BTCUSDT", "-m", "futures"), "degraded", "book: 1 of 1 failed"),
        (Fault.garbled(), "futures.ticker_24hr", ("BTCUSDT", "-m", "futures"), "down", "price: 1 of 1 failed"),
        (Fault.server_error(), "futures.exchange_info", ("BTCUSDT", "-m", "futures"), "down", "could not be had"),
        (Fault.restricted(), "futures.time", ("-m", "futures"), "down", "RestrictedLocationError"),
    ],
)
def test_degraded_and_down(
    cli: Cli, exchange: Simulator, fault: Fault, where: str, arguments: tuple[str, ...], state: str, reason: str
) -> None:
    exchange.faults.add(fault, where=where.split("|"))
    ran = cli("health", *arguments)
    assert ran.code == CODES[state]
    assert ran.output.startswith(f"{state}: ")
    assert reason in ran.output.replace("\n", " ")
    exchange.reset_limits()
    ran = cli("health", *arguments, "--degraded-ok", "--json")
    assert (ran.code, json.loads(ran.output)["state"]) == (0 if state == "degraded" else CODES[state], state)


def test_a_symbol_that_is_not_traded_is_down(cli: Cli, exchange: Simulator) -> None:
    exchange.set_status("futures", "BTCUSDT", "SETTLING")
    try:
        ran = cli("health", "BTCUSDT", "-m", "futures")
    finally:
        exchange.set_status("futures", "BTCUSDT", "TRADING")
    assert ran.code == 2
    assert "BTCUSDT is not traded: its status is SETTLING" in ran.output.replace("\n", " ")


def test_a_clock_that_is_off_is_degraded(cli: Cli, exchange: Simulator) -> None:
    exchange.advance(120)
    try:
        ran = cli("health", "-m", "spot")
    finally:
        exchange.advance(-120)
    assert ran.code == 1
    assert re.match(r"degraded: spot: the clock of this machine is 1[12]\d\.\d s behind\n", ran.output)


def test_nobody_there_is_down(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with closed_port() as port:
        monkeypatch.setenv("BINANCE_SDK_SPOT_BASE_URL", f"http://127.0.0.1:{port}")
        ran = cli("health", "BTCUSDT", "-m", "spot", "--timeout", "0.5")
    assert ran.code == 2
    assert ran.output.startswith("down: spot: APIConnectionError: ")


@pytest.mark.parametrize(
    "arguments",
    [("NOSUCH",), ("BTC USDT",), ("--bogus",), ("-m", "nix"), ("--timeout", "0"), ("--environment", "nix"),
     ("--environment", "data_only", "-m", "futures")],
)  # fmt: skip
def test_what_is_wrong_here_is_no_verdict(
    cli: Cli, exchange: Simulator, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    if "data_only" in arguments:
        monkeypatch.delenv("BINANCE_SDK_SIMULATOR")
    ran = cli("health", *arguments)
    assert (ran.code, ran.output) == (3, "")
    assert ran.errors
    if "data_only" in arguments:
        assert "no market futures, only spot: leave it out" in ran.errors
    if arguments == ("NOSUCH",):
        ran = cli("health", *arguments, "--json")
        assert (ran.code, json.loads(ran.output)["state"]) == (3, "unknown")


def test_help_is_help(cli: Cli) -> None:
    ran = cli("health", "--help")
    assert (ran.code, ran.errors) == (0, "")


def test_the_codes_are_documented() -> None:
    for state, code in CODES.items():
        word = "cannot tell" if state == "unknown" else state
        assert f"{code} {word}" in HEALTH_EPILOG
        assert f"{code} {word}" in PAGE


def test_it_needs_no_pandas(exchange: Simulator) -> None:
    code = "import sys; sys.modules['pandas'] = None; from binance_sdk.cli import main; main()"
    process = start("health", "BTCUSDT", "-m", "futures", code=code, BINANCE_SDK_SIMULATOR=exchange.url)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors, output.splitlines()[0]) == (0, "", "healthy")
