"""The documents of the plan, followed from top to bottom: what they say is done, and prints what they show."""

from __future__ import annotations

import sys

import pytest

from tests.pages import ROOT, Block, blocks_of
from tests.virtuoso import fake_virtuoso
from tests.virtuoso.documents.running import Desk, printed_as, transcript
from virtuoso_binance import unregister

INTEGRATION = (ROOT / "docs" / "integration" / "binance_integration.md").read_text("utf-8")
README = (ROOT / "adapters" / "virtuoso_binance" / "README.md").read_text("utf-8")
ONBOARDING = (ROOT / "docs" / "onboarding.md").read_text("utf-8")


async def test_quick_start(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(desk.folder)
    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", desk.variables["BINANCE_SDK_SIMULATOR"])
    try:
        assert len(await desk.follow(README)) == 2
    finally:
        unregister(fake_virtuoso.ExchangeFactory)
        for name in [name for name in sys.modules if name.partition(".")[0] == "src"]:
            del sys.modules[name]


async def test_first_day(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", desk.variables["BINANCE_SDK_SIMULATOR"])
    desk.checkout = ROOT
    assert len(await desk.follow(ONBOARDING)) > 10


async def test_integration(desk: Desk) -> None:
    pytest.importorskip("ccxt", reason="ccxt is missing: install the extra ccxt")
    done = await desk.follow(INTEGRATION)
    assert sum("integrate.py" in command for command in done) == 3
    assert len(done) > 8


def test_a_wrong_output_is_noticed() -> None:
    assert printed_as("a ... c\n", "a b c \n\n")
    assert printed_as("a\n...\nd\n", "a\nb\nc\nd\n")
    assert printed_as("...\nd\n", "d\n")
    for expected, printed in (("a ... c", "a b d"), ("a ... c", "a b\nb c"), ("a", "a\nb"), ("a\n...\nd", "a\nbd")):
        assert not printed_as(expected, printed)
    assert transcript("$ one\n> two\nout\n$ three\n") == [("one\ntwo", "out\n"), ("three", "")]
    (block,) = blocks_of("x\n<!-- file: a.py -->\n```python\nb\n```\n")
    assert block == Block("", 4, "python", "b\n", "file", "a.py")
