"""``call`` and ``operations``, in this process, against the simulator and against servers that misbehave."""

from __future__ import annotations

import json

import httpx
import pytest

from binance_sdk.catalogue import CATALOGUE
from binance_sdk.cli.operations import documented
from binance_sdk.simulator import Simulator

from .support import Cli, answering

KLINES = ("call", "spot", "klines", "symbol=BTCUSDT", "interval=1h", "limit=2")


def test_a_table_and_what_it_cost(cli: Cli, simulator: Simulator) -> None:
    ran = cli(*KLINES)
    assert ran.code == 0
    assert "2027-01-15 08:00Z" in ran.output
    assert "weight 2 · server counts 2 of 6000" in ran.output
    assert ran.errors == ""


def test_json_is_what_the_wire_carried(cli: Cli, simulator: Simulator) -> None:
    ran = cli(*KLINES, "--json")
    with httpx.Client(trust_env=False) as client:
        wire = client.get(f"{simulator.url}/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=2").content
    assert ran.content == wire + b"\n"
    assert len(json.loads(ran.output)) == 2


def test_json_keeps_what_a_float_would_lose(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"symbol":"BTCUSDT", "price":"1.10000000","added":0.10000000000000000001}'
    with answering(200, body) as url:
        monkeypatch.setenv("BINANCE_SDK_SPOT_BASE_URL", url)
        ran = cli("call", "spot", "ticker_price", "symbol=BTCUSDT", "--json")
    assert ran.content == body + b"\n"


def test_raw_shows_status_headers_and_body(cli: Cli, simulator: Simulator) -> None:
    head, _, body = cli("call", "spot", "ping", "--raw").output.partition("\n\n")
    assert head.startswith("HTTP 200\n")
    assert "x-mbx-used-weight-1m: 1" in head
    assert body == "{}\n"


def test_raw_shows_a_refusal_too(cli: Cli, simulator: Simulator) -> None:
    ran = cli("call", "spot", "klines", "symbol=NOPE", "interval=1h", "--raw")
    assert ran.code == 1
    assert '"code":-1121' in ran.output
    assert "-1121" in ran.errors


def test_plan_sends_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_SDK_SPOT_BASE_URL", "http://127.0.0.1:9")
    ran = cli("call", "spot", "depth", "symbol=BTCUSDT", "limit=5000", "--plan")
    assert (ran.code, ran.output) == (0, "spot.depth costs weight 250 of 6000 in 60 s. Nothing was sent.\n")


def test_plan_of_a_group_as_json(cli: Cli) -> None:
    ran = cli("call", "futures", "funding_rate", "--plan", "--json")
    planned = json.loads(ran.output)
    assert planned["operation"] == "futures.funding_rate"
    assert planned["groups"] == {"funding_rate": 1}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("call", "spot", "kline"), "did you mean klines"),
        (("call", "spot", "klines", "symbl=A"), "did you mean symbol"),
        (("call", "spot", "klines", "symbol=A", "interval=1H"), "did you mean '1h'"),
        (("call", "spot", "trades", "symbol=A", "limit=0"), "is below 1"),
        (("call", "spot", "time", "--environment", "mars"), "mainnet, data_only, testnet, demo"),
        (("call", "spot", "time", "--timeout", "0"), "timeout"),
        (("call", "futures", "time", "--environment", "data_only"), "data_only"),
        (("operations", "spot", "klinez"), "did you mean klines"),
        (("nonsense",), "'nonsense'; `binance-sdk --help` shows"),
        (("call", "moon", "time"), "'moon' must be one of spot, futures, coin-futures; `binance-sdk call --help`"),
        (("call", "spot"), "Missing argument"),
        (("call", "spot", "time", "--jsn"), "--jsn"),
        (("simulate", "--port", "99999"), "'--port'"),
        (("book", "BTCUSDT", "--levels", "x"), "'--levels'"),
    ],
)
def test_wrong_usage_ends_with_2_in_one_line(cli: Cli, arguments: tuple[str, ...], says: str) -> None:
    ran = cli(*arguments)
    assert (ran.code, ran.output) == (2, "")
    assert says in ran.errors
    assert ran.errors.count("\n") == 1
    assert ran.errors.startswith("binance-sdk: ")


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried at once. A short deadline would do as well, but on a busy machine it can come
    before the answer, and is then the error.
    """
    monkeypatch.setattr("binance_sdk._runtime.calls.retry._FIRST", 0.001)


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize(
    ("status", "body", "headers", "code", "says"),
    [
        (400, b'{"code":-1121,"msg":"Invalid symbol."}', {}, 1, "Invalid symbol."),
        (403, b"<html>blocked</html>", {}, 1, "403"),
        (451, b'{"code":0,"msg":"restricted location"}', {}, 1, "data_only"),
        (200, b'{"serverTime":"soon"}', {}, 4, "server"),
        (200, b'{"serverTime":', {}, 4, "spot.time"),
        (429, b'{"code":-1003,"msg":"Too many requests."}', {"Retry-After": "3600"}, 5, "spot.time"),
        (418, b'{"code":-1003,"msg":"banned until 4102444800000"}', {"Retry-After": "60"}, 5, "banned"),
    ],
)
def test_every_failure_has_its_code(
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    body: bytes,
    headers: dict[str, str],
    code: int,
    says: str,
) -> None:
    with answering(status, body, headers) as url:
        monkeypatch.setenv("BINANCE_SDK_SPOT_BASE_URL", url)
        ran = cli("call", "spot", "time")
    assert ran.code == code
    assert says in ran.errors
    assert ran.errors.count("\n") == 1
    assert ran.output == ""


@pytest.mark.usefixtures("short_pauses")
def test_no_connection_is_3(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_SDK_SPOT_BASE_URL", "http://127.0.0.1:9")
    ran = cli("call", "spot", "time")
    assert ran.code == 3
    assert "binance-sdk simulate" in ran.errors


def test_what_a_server_says_cannot_steer_the_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(200, rb'{"symbol":"\u001b[31mA","price":"1"}') as url:
        monkeypatch.setenv("BINANCE_SDK_SPOT_BASE_URL", url)
        ran = cli("call", "spot", "ticker_price", "symbol=A")
    assert ran.code == 0
    assert "\x1b" not in ran.output
    assert r"\x1b[31mA" in ran.output


def test_operations_lists_everything(cli: Cli) -> None:
    ran = cli("operations")
    assert ran.code == 0
    assert all(f"│ {operation.name} " in ran.output for operation in CATALOGUE.operations)
    assert "futures" not in cli("operations", "spot").output.splitlines()[0]


def test_operations_shows_one_with_its_parameters(cli: Cli) -> None:
    ran = cli("operations", "futures", "funding_rate")
    assert "GET /fapi/v1/fundingRate" in ran.output
    assert "counted as funding_rate" in ran.output
    assert "│ start_time │ startTime   │ 2026-01-31T12:00Z" in ran.output


@pytest.mark.parametrize("operation", list(CATALOGUE.operations), ids=lambda operation: operation.id)
def test_every_operation_has_a_summary_and_a_weight(operation: object) -> None:
    summary, weight = documented(operation)  # type: ignore[arg-type]
    assert len(summary) > 10
    assert any(character.isdigit() for character in weight)


def test_help_tells_the_exit_codes(cli: Cli) -> None:
    for arguments in (("--help",), ("call", "--help"), ("demo", "--help"), ("simulate", "--help")):
        ran = cli(*arguments)
        assert ran.code == 0
        assert "Exit codes: 0 done" in " ".join(ran.output.split())


def test_version(cli: Cli) -> None:
    from binance_sdk import __version__

    assert cli("--version").output == f"binance-sdk {__version__}\n"
