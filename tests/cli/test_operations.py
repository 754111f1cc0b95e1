"""What there is to call and to follow: as JSON, and as tables."""

from __future__ import annotations

import json

import pytest

from binance_sdk.catalogue import CATALOGUE, MARKETS, STREAMS
from binance_sdk.cli.markets import market_word

from .support import Cli


def test_operations_as_json(cli: Cli) -> None:
    ran = cli("operations", "--json")
    found = {operation["id"]: operation for operation in json.loads(ran.output)}
    assert (ran.code, ran.errors) == (0, "")
    assert set(found) == {operation.id for operation in CATALOGUE.operations}
    klines = found["spot.klines"]
    assert (klines["method"], klines["path"], klines["weight"]) == ("GET", "/api/v3/klines", "2")
    interval = next(parameter for parameter in klines["parameters"] if parameter["name"] == "interval")
    assert interval["required"]
    assert "1h" in interval["choices"]
    assert found["futures.funding_rate"]["groups"] == ["funding_rate"]


def test_one_market_or_one_operation_as_json(cli: Cli) -> None:
    assert {operation["market"] for operation in json.loads(cli("operations", "futures", "--json").output)} == {
        "futures"
    }
    assert json.loads(cli("operations", "spot", "depth", "--json").output)["id"] == "spot.depth"
    assert "did you mean depth" in cli("operations", "spot", "dept", "--json").errors


@pytest.mark.parametrize("market", MARKETS)
def test_streams_are_listed_with_all_they_take(cli: Cli, market: str) -> None:
    ran = cli("stream", market_word(market))
    assert (ran.code, ran.errors) == (0, "")
    text = " ".join("".join(cell for cell in ran.output if cell not in "│\n╭╮╰╯─┬┴├┤┼").split())
    for stream in STREAMS:
        if stream.market != market:
            continue
        assert stream.name in text
        for parameter in stream.parameters:
            assert parameter.kind == "symbol" or f"{parameter.name}=" in text
    assert "speed=" in text
    help_text = " ".join(cli("stream", "--help").output.split())
    assert "kline (SYMBOL, interval)" in help_text


@pytest.mark.parametrize("command", ["", "demo", "simulate", "call", "operations", "weights", "snapshot", "stream"])
def test_flags_have_no_value_in_the_help(cli: Cli, command: str) -> None:
    ran = cli(*filter(None, [command]), "--help")
    assert ran.code == 0
    assert "bool" not in ran.output.lower()
    assert "--no-" not in ran.output
    # A terminal of 80 columns shows every word.
    assert "…" not in ran.output
