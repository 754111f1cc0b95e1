"""The recipes that are whole programs: each is written to its file and started as its page says."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from binance_sdk import BinanceClient
from binance_sdk.simulator import Fault, Simulator
from tests.listening import Listener
from tests.pages import blocks

CRON, DASK, WEB = "docs/recipes/cron.md", "docs/recipes/dask.md", "docs/recipes/web-application.md"


@pytest.fixture(scope="module")
def exchange() -> Iterator[Simulator]:
    with Simulator(symbols=["BTCUSDT", "ETHUSDT"], history_days=12) as simulator:
        yield simulator


def python_of(page: str) -> list[str]:
    return [block.code for block in blocks(page, "python")]


# --------------------------------------------------------------------------------------------- cron


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (code,) = python_of(CRON)
    path = tmp_path / "tickers.py"
    path.write_text(code, "utf-8")
    return path


def start(script: Path, exchange: Simulator, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", script.name, *arguments]
    environment = os.environ | {"BINANCE_SDK_SIMULATOR": exchange.url}
    return subprocess.run(
        command, cwd=script.parent, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def written_by(script: Path) -> list[list[str]]:
    return list(csv.reader((script.parent / "tickers.csv").read_text("utf-8").splitlines()))


def test_the_script_for_cron(script: Path, exchange: Simulator) -> None:
    ran = start(script, exchange, ".", "ETHUSDT", "BTCUSDT")
    assert (ran.returncode, ran.stderr) == (0, "")
    rows = written_by(script)
    assert [row[1] for row in rows] == ["BTCUSDT", "ETHUSDT"]
    assert all(Decimal(row[2]) > 0 for row in rows)

    ran = start(script, exchange, ".", "GONEUSDT", "BTCUSDT")
    assert ran.returncode == 1
    assert "GONEUSDT: " in ran.stderr
    assert len(written_by(script)) == 3


def test_a_second_run_ends_at_once(script: Path, exchange: Simulator) -> None:
    with (script.parent / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = start(script, exchange, ".", "BTCUSDT")
    assert (ran.returncode, ran.stderr) == (75, "the last run goes on\n")
    assert start(script, exchange).returncode == 2
    assert start(script, exchange, "./missing", "BTCUSDT").returncode == 2


# --------------------------------------------------------------------------------------------- Dask


def test_the_program_for_dask(tmp_path: Path, exchange: Simulator) -> None:
    (code,) = python_of(DASK)
    script = tmp_path / "program.py"
    script.write_text(code, "utf-8")
    command = [sys.executable, script.name]
    environment = os.environ | {"BINANCE_SDK_SIMULATOR": exchange.url}
    ran = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=150, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "rows with" in ran.stdout
    assert "'ETHUSDT': Decimal(" in ran.stdout


# ------------------------------------------------------------------------------- a web application


@pytest.fixture
def application(tmp_path: Path, exchange: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", exchange.url)
    monkeypatch.syspath_prepend(tmp_path)
    for name, code in zip(("market", "bare"), python_of(WEB)[:2], strict=True):
        (tmp_path / f"{name}.py").write_text(code, "utf-8")
    listener = Listener()
    # Whoever asks before uvicorn is ready waits.
    listener.listen()
    # Older ones would leave the event loop of their choice to all other tests.
    server = uvicorn.Server(uvicorn.Config("bare:app", loop="asyncio", log_level="error", lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield f"http://{listener.address}"
    server.should_exit = True
    thread.join(30)
    for name in ("market", "bare"):
        del sys.modules[name]


def asked(url: str) -> tuple[int, str | None, dict[str, str]]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.headers["retry-after"], json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["retry-after"], json.load(error)


async def test_the_client_of_each_worker() -> None:
    _, _, code = python_of(WEB)
    names: dict[str, Any] = {"BinanceClient": BinanceClient}
    exec(compile(code, WEB, "exec"), names)
    await names["client"].aclose()


def test_the_web_application(application: str, exchange: Simulator) -> None:
    status, _, body = asked(f"{application}/price/BTCUSDT")
    assert status == 200
    assert Decimal(body["price"]) > 0
    status, _, body = asked(f"{application}/price/GONEUSDT")
    assert status == 422
    assert "Invalid symbol" in body["detail"]
    rule = exchange.faults.add(Fault.banned(90), where="spot.ticker_price", count=1)
    status, after, body = asked(f"{application}/price/ETHUSDT")
    rule.remove()
    exchange.reset_limits()
    assert status == 503
    assert 80 < int(after or 0) <= 90
    assert "banned" in body["detail"]
