"""The command line as a process: signals, pipes, missing extras, odd terminals."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from urllib.parse import urlsplit

import pytest

from binance_sdk.simulator import Simulator
from binance_sdk.simulator_url import ARCHIVE_PORT
from tests.listening import closed_port

from .support import start

WAIT = 60.0
BLOCKED = "import sys; sys.modules[{name!r}] = None; from binance_sdk.cli import main; main()"


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=WAIT)
    return process.returncode, output, errors


def stops(process: subprocess.Popen[str], end: signal.Signals) -> None:
    process.send_signal(end)
    code, output, errors = finish(process)
    assert (code, errors) == (0, "")
    assert "has stopped" in output


def test_simulate_until_sigterm() -> None:
    process = start("simulate", "--port", "0")
    assert process.stdout is not None
    while not process.stdout.readline().startswith("export "):
        assert process.poll() is None
    stops(process, signal.SIGTERM)


def test_simulate_until_sigint() -> None:
    process = start("simulate", "--port", "0", "--seed", "7")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(4)]
    variables = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines if line.startswith("export "))
    assert set(variables) == {"BINANCE_SDK_SIMULATOR"}
    assert "seed 7" in lines[0]
    told = "".join(process.stdout.readline() for _ in range(6))
    address = urlsplit(variables["BINANCE_SDK_SIMULATOR"])
    archive = f"http://127.0.0.1:{(address.port or 0) + ARCHIVE_PORT}"
    assert f"Archive of files: {archive}, listing: {archive}/data.binance.vision\n" in told
    # The variable is all that another process needs.
    code, output, errors = finish(start("call", "spot", "time", "--json", **variables))
    assert (code, errors) == (0, "")
    assert json.loads(output)["serverTime"] > 0
    for market in ("spot", "futures"):
        code, output, errors = finish(start("stream", market, "book_ticker", "BTCUSDT", "--count", "1", **variables))
        assert (code, errors) == (0, "")
        assert json.loads(output)["s"] == "BTCUSDT"
    with urllib.request.urlopen(f"{variables['BINANCE_SDK_SIMULATOR']}/api/v3/ping") as answer:
        assert answer.read() == b"{}"
    stops(process, signal.SIGINT)


def test_a_port_in_use_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, output, errors = finish(start("simulate", "--port", str(port)))
    assert (code, output) == (2, "")
    assert f"127.0.0.1:{port}" in errors
    assert "another port" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "end", "exit_code"),
    [
        (("call", "spot", "time"), signal.SIGINT, 130),
        (("call", "spot", "time"), signal.SIGTERM, 143),
        (("demo", "--live"), signal.SIGINT, 130),
    ],
)
def test_ctrl_c_while_waiting(arguments: tuple[str, ...], end: signal.Signals, exit_code: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = start(*arguments, BINANCE_SDK_SPOT_BASE_URL=url, BINANCE_SDK_FUTURES_BASE_URL=url)
        connection, _ = silent.accept()
        with connection:
            # The request is on its way, so the process waits for the answer and nothing else.
            assert connection.recv(100).startswith(b"GET ")
            process.send_signal(end)
            code, output, errors = finish(process)
    assert (code, output, errors) == (exit_code, "", "")


def test_a_reader_that_goes_away(simulator: Simulator) -> None:
    url = simulator.base_url("spot")
    process = start(
        "call", "spot", "klines", "symbol=BTCUSDT", "interval=1m", "limit=1000", BINANCE_SDK_SPOT_BASE_URL=url
    )
    assert process.stdout is not None
    assert process.stderr is not None
    # More than a pipe holds: the process is still writing when the reader closes.
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(WAIT), errors) == (0, "")


def test_a_reader_that_goes_away_from_json(simulator: Simulator) -> None:
    arguments = ("call", "spot", "klines", "symbol=BTCUSDT", "interval=1m", "limit=1000", "--json")
    process = start(*arguments, BINANCE_SDK_SPOT_BASE_URL=simulator.base_url("spot"))
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1)
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(WAIT), errors) == (0, "")


@pytest.mark.parametrize("name", ["typer", "rich"])
def test_without_the_cli_extra(name: str) -> None:
    code, output, errors = finish(start("--version", code=BLOCKED.format(name=name)))
    assert (code, output) == (2, "")
    assert errors.startswith("binance-sdk: ")
    assert 'pip install "binance-market-sdk[cli,simulator]"' in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("name", ["numpy", "uvicorn"])
@pytest.mark.parametrize("command", ["demo", "simulate"])
def test_without_the_simulator_extra(command: str, name: str) -> None:
    code, output, errors = finish(start(command, code=BLOCKED.format(name=name)))
    assert (code, output) == (2, "")
    assert errors.startswith(f"binance-sdk: {name} is not installed")
    assert 'pip install "binance-market-sdk[cli,simulator]"' in errors
    assert errors.count("\n") == 1


def test_a_mistake_of_our_own_is_not_called_a_missing_extra() -> None:
    code, _, errors = finish(start("--version", code=BLOCKED.format(name="binance_sdk.cli.app")))
    assert code == 1
    assert "ModuleNotFoundError" in errors


def test_importing_the_package_imports_no_typer() -> None:
    source = "import sys, binance_sdk.cli; print([m for m in ('typer', 'rich', 'httpx') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=WAIT, check=True)
    assert ran.stdout == "[]\n"


def test_a_terminal_without_unicode(simulator: Simulator) -> None:
    variables = {
        "BINANCE_SDK_SPOT_BASE_URL": simulator.base_url("spot"),
        "BINANCE_SDK_FUTURES_BASE_URL": simulator.base_url("futures"),
        "PYTHONIOENCODING": "ascii",
    }
    code, output, errors = finish(start("demo", "--live", **variables))
    assert (code, errors) == (0, "")
    assert output.isascii()
    assert "?" not in output
    assert "| spot.klines " in output


@pytest.mark.parametrize(
    ("variable", "proxy"), [("HTTP_PROXY", "http://127.0.0.1:9"), ("ALL_PROXY", "socks5://nowhere")]
)
def test_what_runs_on_this_machine_is_reached_past_every_proxy(simulator: Simulator, variable: str, proxy: str) -> None:
    code, output, errors = finish(start("demo", **{variable: proxy}))
    assert (code, errors) == (0, "")
    assert "simulated market" in output
    given = {variable: proxy, "BINANCE_SDK_SIMULATOR": simulator.url}
    assert finish(start("call", "spot", "ping", "--json", **given)) == (0, "{}\n", "")


def test_the_first_failure_is_told_and_not_that_others_failed(simulator: Simulator) -> None:
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}"
        code, output, errors = finish(start("demo", "--live", BINANCE_SDK_SPOT_BASE_URL=url))
    assert (code, output, errors.count("\n")) == (3, "", 1)
    assert errors.count("Connection refused") == 1
    assert "failed too often" not in errors


def test_columns_are_respected(simulator: Simulator) -> None:
    urls = {
        "BINANCE_SDK_SPOT_BASE_URL": simulator.base_url("spot"),
        "BINANCE_SDK_FUTURES_BASE_URL": simulator.base_url("futures"),
    }
    code, output, _ = finish(start("demo", "--live", COLUMNS="70", **urls))
    assert code == 0
    assert max(len(line) for line in output.splitlines()) == 70
