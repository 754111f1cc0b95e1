"""The page on several sources: its code runs, its block is read, and its tables have every key, kind and weight."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import yaml

from binance_sdk.simulator import Simulator
from tests.pages import ROOT, blocks, run_python
from tests.virtuoso.conftest import section_for
from tests.virtuoso.sources.bybit_server import bybit_server
from tests.virtuoso.sources.ccxt_on_loopback import OFFLINE, LimiterClock
from tests.virtuoso.sources.fake_sources import Clock, FakeExchange
from virtuoso_binance.kinds import KINDS
from virtuoso_binance.sources import data_sources, read_data_sources
from virtuoso_binance.sources.comparison import SAME_VENUE, TOLERANCES
from virtuoso_binance.sources.quality import WEIGHTS

FILE = "docs/data-sources.md"
PAGE = (ROOT / FILE).read_text("utf-8")
CODE = [block.code for block in blocks(FILE, "python", mark="run")]
MAKING = [block.code for block in blocks(FILE, "python", mark="make")]
YAML = [block.code for block in blocks(FILE, "yaml")]


def test_there_is_something_to_run() -> None:
    assert len(CODE) + len(MAKING) == len(blocks(FILE, "python"))
    assert MAKING
    assert CODE
    assert YAML


@pytest.mark.parametrize("code", CODE, ids=range(len(CODE)))
async def test_the_code_runs(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("virtuoso_binance.sources.market_data_source.time", Clock())
    clock = Clock()
    exchanges = {"bybit": FakeExchange(clock, "bybit"), "binance": FakeExchange(clock)}
    await run_python(code, {**exchanges, "config": yaml.safe_load(YAML[0])})


@pytest.mark.parametrize("code", MAKING, ids=range(len(MAKING)))
async def test_the_code_that_makes_exchanges_runs(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands on the page, but for the addresses, which are of this machine."""
    pytest.importorskip("ccxt", reason="ccxt is missing: install the extra ccxt")
    LimiterClock().install(monkeypatch)
    config = yaml.safe_load(YAML[1])
    names: dict[str, Any] = {"config": config}
    with Simulator(symbols=["BTCUSDT"], history_days=35) as simulator:
        async with bybit_server(round(time.time() * 1000)) as bybit:
            config["exchanges"]["bybit"] |= {"rest_endpoint": bybit.url}
            config["exchanges"]["bybit"]["ccxt"] |= OFFLINE
            config["exchanges"]["binance"] |= section_for(simulator)
            await run_python(code, names)
    assert names["data"]["metadata"]["source"] == "bybit"


@pytest.mark.parametrize("text", YAML, ids=range(len(YAML)))
def test_the_blocks_are_read(text: str) -> None:
    assert read_data_sources(yaml.safe_load(text)["data_sources"], ("bybit", "binance"), names={}).names


def test_every_key_has_its_line() -> None:
    rows = re.findall(r"^\| (`[^|]+) \|", PAGE, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} >= set(data_sources._KEYS)


def test_every_kind_has_its_weight_and_its_line() -> None:
    (sentence,) = re.findall(r"over the kinds that the market can have: (.*?)\. A kind", PAGE, re.DOTALL)
    words = {kind: kind.replace("_", " ").replace("long short", "long and short") for kind in WEIGHTS}
    assert {kind: int(re.findall(rf"{word}\s+(\d+)", sentence)[0]) for kind, word in words.items()} == dict(WEIGHTS)
    assert sum(WEIGHTS.values()) == 100
    assert set(WEIGHTS) == set(KINDS["usdm"])
    table = PAGE.partition("## What aggregate means")[2]
    firsts = ", ".join(re.findall(r"^\| ([a-z ,]+) \|", table, re.MULTILINE))
    assert all(word in firsts for word in words.values())


def test_every_tolerance_is_in_the_table() -> None:
    table = PAGE.partition("## Cross-validation")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([a-z]+) \| [^|]+ \| (\d+) \| (\d+) \| (\d+) \| ([\d.]*) ?\|$", table, re.MULTILINE)
    assert {row[0]: [float(value) for value in row[1:4]] for row in rows} == {
        kind: list(by_liquidity.values()) for kind, by_liquidity in TOLERANCES.items()
    }
    assert {row[0]: float(row[4]) for row in rows if row[4]} == dict(SAME_VENUE)
