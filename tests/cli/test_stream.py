"""``binance-sdk stream`` against a simulator that runs by the real clock, as users have it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from binance_sdk import BinanceClient
from binance_sdk.catalogue import STREAMS, stream_fixture
from binance_sdk.cli.check_symbols import check_symbols
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
    return {"BINANCE_SDK_SIMULATOR": running.url}


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
        (("spot", "mark_price", "BTCUSDT"), "spot has no stream 'mark_price', but futures and coin-futures have"),
        (("spot", "nonsense"), "stream --help` lists all"),
        (("spot", "trade"), "needs a symbol"),
        (("spot", "all_mini_tickers", "BTCUSDT"), "leave BTCUSDT out"),
        (("spot", "kline", "BTCUSDT"), "add interval=1s|1m"),
        (("spot", "kline", "BTCUSDT", "interval=7m"), "interval=7m must be one of 1s, 1m"),
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


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("spot", "agg_trade", "BTCUSDT", "NOPEUSDT"), "spot lists no symbol 'NOPEUSDT'"),
        (("spot", "kline", "btcust", "interval=1d"), "spot lists no symbol 'BTCUST'; did you mean BTCUSDT"),
        (("futures", "force_order", "NOPE"), "futures lists no symbol 'NOPE'"),
        (("futures", "asset_index", "NOPEUSD"), "futures lists no symbol 'NOPEUSD'"),
    ],
)
def test_an_unknown_symbol_is_told_at_once(cli: Cli, words: tuple[str, ...], told: str) -> None:
    ran = cli("stream", *words)
    assert (ran.code, ran.errors.count("\n")) == (2, 1)
    assert told in ran.errors


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize(
    "words",
    [
        ("futures", "continuous_kline", "BTCUSDT", "contract_type=PERPETUAL", "interval=1m"),
        ("futures", "composite_index", "DEFIUSDT"),
        ("futures", "asset_index", "adausd"),
        ("spot", "trade", "币安人生USDT"),
    ],
)
async def test_what_is_listed_is_known(running: Simulator, words: tuple[str, ...]) -> None:
    market, kind, symbol = words[:3]
    async with running.client() as client:
        await check_symbols(client, "spot" if market == "spot" else "futures", kind, [symbol])


async def test_prices_out_of_reach_end_no_stream() -> None:
    client = BinanceClient(spot_base_url="http://127.0.0.1:9", spot_stream_url="ws://127.0.0.1:9")
    async with client:
        await check_symbols(client, "spot", "trade", ["NOPE"])
        # A market that has no address at all is the stream's to tell.
        async with BinanceClient("data_only") as other:
            await check_symbols(other, "futures", "agg_trade", ["NOPE"])


def test_a_notice_is_an_object_in_its_place_among_the_lines(running: Simulator, addresses: dict[str, str]) -> None:
    process = start("stream", "spot", "book_ticker", "BTCUSDT", **addresses)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["s"] == "BTCUSDT"
    running.streams.abort("spot")
    while "notice" not in (line := json.loads(process.stdout.readline())):
        assert line["s"] == "BTCUSDT"
    assert line["notice"] == "Reconnected"
    assert line["streams"] == ["btcusdt@bookTicker"]
    assert line["until"] >= line["since"] > 0
    assert line["text"].startswith("btcusdt@bookTicker: off the air for")
    assert json.loads(process.stdout.readline())["s"] == "BTCUSDT"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=WAIT)
    assert (process.returncode, errors) == (130, "")


def test_no_message_has_the_key_of_a_notice() -> None:
    for stream in STREAMS:
        message = json.loads(stream_fixture(stream.market, stream.name))
        assert all("notice" not in item for item in (message if isinstance(message, list) else [message]))


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
        while b"open_time" not in shown:
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
    # The end of what a terminal holds may be lost with the process, in the middle of a character.
    text = shown.decode(errors="replace")
    assert "btcusdt@kline_1s" in text
    assert "open_time" in text
    assert "Traceback" not in text
