"""The page's section on streams: its code runs, and its tables name every channel."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from binance_sdk.simulator import ManualClock, Simulator
from tests.pages import ROOT, blocks, run_python
from virtuoso_binance import load_settings
from virtuoso_binance.config.field_types import STREAM_KINDS
from virtuoso_binance.streaming.channels import CHANNELS

from .conftest import eventually, pass_time

PAGE = "docs/virtuoso.md"
TEXT = (ROOT / PAGE).read_text("utf-8")


async def test_the_code_runs(
    exchange: Any, own_simulator: Simulator, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = blocks(PAGE, "python", mark="streams")
    begin, end = block.code.split("await exchange.unsubscribe_ws")
    names = {"exchange": exchange}
    await run_python(begin, names)
    assert names["subscribed"] is True
    await pass_time(own_simulator, clock, 60)
    await eventually(lambda: exchange.get_recent_liquidations("BTCUSDT"))
    await run_python(f"ended = await exchange.unsubscribe_ws{end}", names)
    assert names["ended"] is True
    out = capsys.readouterr().out
    assert "trade BTCUSDT" in out
    assert "ohlcv ETHUSDT" in out


def test_the_section_is_read() -> None:
    (block,) = blocks(PAGE, "yaml", mark="section")
    assert load_settings(yaml.safe_load(block.code)).section.streaming == list(STREAM_KINDS)


def test_every_kind_has_its_line() -> None:
    table = TEXT.partition("### Market data from streams")[2].partition("\n\nA symbol")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(STREAM_KINDS)


def test_every_channel_has_its_line() -> None:
    rows = re.findall(r"^\| `(\w+)`[^|]*\| .* \| .*`.*\|$", TEXT.partition("## Streams")[2], re.MULTILINE)
    assert set(rows) >= set(CHANNELS)
