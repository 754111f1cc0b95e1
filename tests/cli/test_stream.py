"""``binance-sdk stream`` against a simulator that runs by the real clock, as users have it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from binance_sdk.simulator import Simulator

from .support import Cli, start

WAIT = 60.0


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def addresses(running: Simulator) -> dict[str, str]:
    running.streams.reset_limits()
    return {
        "BINANCE_SDK_SPOT_BASE_URL": running.spot_url,
        "BINANCE_SDK_FUTURES_BASE_URL": running.futures_url,
        "BINANCE_SDK_SPOT_STREAM_URL": running.spot_stream_url,
        "BINANCE_SDK_FUTURES_STREAM_URL": running.futures_stream_url,
    }


@pytest.fixture
def live(addresses: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in addresses.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("live")
def test_a_line_of_json_for_each_message(cli: Cli) -> None:
    ran = cli("stream", "spot", "book_ticker", "BTCUSDT", "ethusdt", "--count", "6")
    events = [json.loads(line) for line in ran.output.splitlines()]
    assert (ran.code, ran.errors, len(events)) == (0, "", 6)
    assert {event["s"] for event in events} == {"BTCUSDT", "ETHUSDT"}
    assert all(set(event) == {"u", "s", "b", "B", "a", "A"} for event in events)


@pytest.mark.usefixtures("live")
def test_choices_and_lists(cli: Cli) -> None:
    ran = cli("stream", "futures", "all_mark_prices", "speed=1s", "--count", "1", "--json")
    assert ran.code == 0
    rows = json.loads(ran.output)
    assert {"BTCUSDT", "ETHUSDT"} < {row["s"] for row in rows}
    ran = cli("stream", "spot", "partial_depth", "BTCUSDT", "levels=5", "speed=100ms", "--count", "1")
    assert len(json.loads(ran.output)["bids"]) == 5


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("spot", "aggtrade", "BTCUSDT"), "did you mean agg_trade"),
        (("spot", "mark_price", "BTCUSDT"), "spot has no stream 'mark_price', but futures has"),
        (("spot", "nonsense"), "stream --help` lists all"),
        (("spot", "trade"), "wants a symbol"),
        (("spot", "all_mini_tickers", "BTCUSDT"), "leave BTCUSDT out"),
        (("spot", "kline", "BTCUSDT"), "add interval=1s|1m"),
        (("spot", "kline", "BTCUSDT", "interval=7m"), "interval=7m is none of 1s, 1m"),
        (("spot", "trade", "BTCUSDT", "speed=1s"), "no parameter 'speed'; it takes none"),
        (("spot", "trade", "BTC/USDT"), "symbol"),
        (("spot", "trade", "BTCUSDT", "--environment", "moon"), "moon"),
    ],
)
def test_mistakes_are_explained_in_a_line(cli: Cli, words: tuple[str, ...], told: str) -> None:
    ran = cli("stream", *words)
    assert (ran.code, ran.output, ran.errors.count("\n")) == (2, "", 1)
    assert told in ran.errors


def test_the_help_lists_the_kinds(cli: Cli) -> None:
    ran = cli("stream", "--help")
    assert ran.code == 0
    text = " ".join(ran.output.split())
    for kind in ("agg_trade", "kline_utc8", "all_force_orders", "trading_session"):
        assert kind in text


def test_ctrl_c_ends_it(addresses: dict[str, str]) -> None:
    process = start("stream", "spot", "book_ticker", "BTCUSDT", **addresses)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["s"] == "BTCUSDT"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=WAIT)
    assert (process.returncode, errors) == (130, "")


def test_a_reader_that_goes_away_ends_it(addresses: dict[str, str]) -> None:
    process = start("stream", "spot", "book_ticker", "BTCUSDT", **addresses)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait(WAIT) == 0


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo terminals here")
def test_a_terminal_gets_a_table(addresses: dict[str, str]) -> None:
    master, slave = os.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "binance_sdk", "stream", "spot", "kline", "BTCUSDT", "interval=1s"],
        stdout=slave,
        stderr=subprocess.PIPE,
        env={**kept, "TERM": "xterm", "COLUMNS": "160", "LINES": "30", "PYTHONIOENCODING": "utf-8", **addresses},
    )
    os.close(slave)
    shown = b""
    try:
        while b"BTCUSDT" not in shown:
            shown += os.read(master, 65_536)
        process.send_signal(signal.SIGINT)
        # The last table must fit into the terminal's buffer, or the process never ends.
        while True:
            try:
                more = os.read(master, 65_536)
            except OSError:
                break
            if not more:
                break
            shown += more
    finally:
        os.close(master)
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(WAIT) == 130
    text = shown.decode()
    assert "btcusdt@kline_1s" in text
    assert "open_time" in text
    assert "Traceback" not in text
