"""``binance-sdk snapshot``: the adapter's market data on a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from binance_sdk.cli.app import app
from binance_sdk.simulator import Simulator

from .support import Cli, answering

SCHEMA = Path(__file__).resolve().parents[2].parent / "shared" / "virtuoso" / "market_data.schema.json"


def test_tables_show_every_part(cli: Cli, simulator: Simulator) -> None:
    ran = cli("snapshot", "BTCUSDT")
    assert (ran.code, ran.errors) == (0, "")
    for word in (
        "USDⓈ-M perpetual",
        "24 hours",
        "mtf  200 candles",
        "base",
        "htf",
        "funding rate",
        "change in 24 h",
        "spread",
        "bps",
        "lsr",
    ):
        assert word in ran.output
    assert "leverage brackets need a signed request" in " ".join(ran.output.split())


@pytest.mark.parametrize("width", [60, 80, 140, 200])
def test_it_fits_the_terminal(cli: Cli, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    ran = cli("snapshot", "BTCUSDT")
    lines = ran.output.splitlines()
    assert max(map(len, lines)) == width
    # Side by side where there is room.
    assert any("sentiment" in line and "liquidity" in line for line in lines) is (width >= 90)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "btc/usdt", "BTC/USDT:USDT"])
def test_every_spelling_means_the_perpetual(cli: Cli, simulator: Simulator, symbol: str) -> None:
    ran = cli("snapshot", symbol, "--json")
    assert ran.code == 0
    found = json.loads(ran.output)
    assert (found["symbol"], found["metadata"]["market"]) == ("BTCUSDT", "usdm")
    assert len(found["ohlcv"]["base"]) == 1000
    assert found["ohlcv"]["base"][-1]["timestamp"] % 60_000 == 0


@pytest.mark.skipif(not SCHEMA.is_file(), reason="no schema of market_data: it is looked for in ../shared/virtuoso")
@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHBTC"])
def test_json_is_valid_against_the_schema(cli: Cli, simulator: Simulator, symbol: str) -> None:
    ran = cli("snapshot", symbol, "--json")
    assert ran.code == 0
    found = json.loads(ran.output, parse_constant=pytest.fail)
    jsonschema.validate(found, json.loads(SCHEMA.read_text(encoding="utf-8")), jsonschema.Draft202012Validator)


def test_a_symbol_without_a_perpetual_is_read_on_spot(cli: Cli, simulator: Simulator) -> None:
    ran = cli("snapshot", "ETHBTC")
    assert ran.code == 0
    assert "spot" in ran.output
    assert "there is no perpetual contract of this symbol" in " ".join(ran.output.split())


def test_an_unknown_symbol_is_wrong_usage(cli: Cli, simulator: Simulator) -> None:
    for symbol in ("NOSUCHUSDT", "ETH/BTC:BTC"):
        ran = cli("snapshot", symbol)
        assert (ran.code, ran.output) == (2, "")
        assert "invalid symbol" in ran.errors


def test_a_refusal_is_told_and_has_its_exit_code(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(403, b'{"code": -1, "msg": "no"}') as url:
        monkeypatch.setenv("BINANCE_SDK_SPOT_BASE_URL", url)
        monkeypatch.setenv("BINANCE_SDK_FUTURES_BASE_URL", url)
        ran = cli("snapshot", "BTCUSDT", "--json")
    assert (ran.code, ran.output) == (1, "")
    assert ran.errors.startswith("binance-sdk: ")


def test_without_pandas_the_remedy_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "virtuoso_binance"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pandas", None)
    ran = cli("snapshot", "BTCUSDT")
    assert ran.code == 2
    assert 'snapshot needs pandas: pip install "binance-market-sdk[adapter,cli]"' in ran.errors


def test_the_command_line_starts_without_the_adapter() -> None:
    code = "import sys, binance_sdk.cli.app; sys.exit('virtuoso_binance' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert "snapshot" in {command.callback.__name__ for command in app.registered_commands if command.callback}
