"""The page on logging: each program is one of its own, as logging is set up once for a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from binance_sdk.simulator import Simulator
from tests.pages import blocks

PAGE = "docs/recipes/logging.md"
SET_UP, QUIET, AS_JSON = (block.code for block in blocks(PAGE, "python"))


@pytest.fixture(scope="module")
def exchange() -> Iterator[Simulator]:
    with Simulator(symbols=["BTCUSDT"], history_days=2) as simulator:
        yield simulator


def ran(exchange: Simulator, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"BINANCE_SDK_SIMULATOR": exchange.url} | variables
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)


def test_a_program_that_sets_up_logging(exchange: Simulator) -> None:
    told = ran(exchange, SET_UP).stderr
    assert "DEBUG binance_sdk spot.klines <- 200 ok" in told
    assert "INFO httpx" in told
    told = ran(exchange, SET_UP.replace("with Sync", QUIET + "\nwith Sync")).stderr
    assert "DEBUG binance_sdk spot.klines <- 200 ok" in told
    assert "INFO httpx" not in told


def test_by_a_variable(exchange: Simulator) -> None:
    code = "from binance_sdk import SyncBinanceClient\nwith SyncBinanceClient() as client: client.spot.ping()"
    assert "spot.ping <- 200 ok" in ran(exchange, code, BINANCE_SDK_LOG="debug").stderr
    assert ran(exchange, code, BINANCE_SDK_LOG="info").stderr == ""


def test_as_data(exchange: Simulator) -> None:
    (line,) = (json.loads(line) for line in ran(exchange, AS_JSON).stdout.splitlines())
    assert (line["event"], line["operation"], line["status_code"]) == ("ResponseReceived", "spot.klines", 200)
