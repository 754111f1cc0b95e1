"""``binance-sdk book``: lines of JSON in a pipe, a ladder in a terminal, and what is said of a missing book."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from binance_sdk._runtime.book.messages import Snapshot
from binance_sdk._runtime.book.state import Reason
from binance_sdk._runtime.live_book.reading import LastKnownBook
from binance_sdk.cli.book_board import BookBoard
from binance_sdk.events import BookLost
from binance_sdk.simulator import Simulator

from .support import Cli


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def live(running: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    running.streams.reset_limits()
    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", running.url)


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("market", ["spot", "futures"])
def test_a_line_of_json_for_each_update(cli: Cli, market: str) -> None:
    ran = cli("book", "btcusdt", "-m", market, "--levels", "3", "--limit", "100", "--count", "4")
    assert (ran.code, ran.errors) == (0, "")
    lines = [json.loads(line) for line in ran.output.splitlines()]
    assert 1 <= len(lines) <= 4
    assert [line["update_id"] for line in lines] == sorted({line["update_id"] for line in lines})
    for line in lines:
        assert (line["market"], line["symbol"], line["resyncs"]) == (market, "BTCUSDT", 0)
        bids, asks = ([Decimal(price) for price, _ in line[side]] for side in ("bids", "asks"))
        assert len(bids) == len(asks) == 3
        assert sorted(bids, reverse=True) == bids
        assert bids[0] < asks[0]
        assert sorted(asks) == asks
        assert Decimal(line["spread_bps"]) > 0
        assert -1 <= Decimal(line["imbalance"]) <= 1
        assert line["lag_ms"] >= 0


@pytest.mark.usefixtures("live")
def test_what_cannot_be_followed_is_told(cli: Cli) -> None:
    ran = cli("book", "NOSUCH")
    assert (ran.code, ran.output) == (1, "")
    assert "-1121" in ran.errors
    ran = cli("book", "BTCUSDT", "-m", "futures", "--limit", "7")
    assert (ran.code, ran.output) == (2, "")
    assert "limit=7 must be one of 5, 10, 20, 50, 100, 500, 1000" in ran.errors
    assert cli("book", "BTCUSDT", "-m", "options").code == 2
    assert cli("book", "BTCUSDT", "--levels", "0").code == 2


# ------------------------------------------------------------------------------------------- the ladder


class Book:
    """A book that the test holds."""

    def __init__(self) -> None:
        from binance_sdk._runtime.book.state import BookCore
        from tests.book.rule_sets import SPOT

        self.core = BookCore(SPOT)
        self.keeper = SimpleNamespace(
            symbol="BTCUSDT", market="spot", core=self.core, lock=Console()._lock, lag_ms=0.3, changed_at=10.0,
            resyncs=2, reason=None, counts_contracts=False,
        )  # fmt: skip
        self.market, self.symbol = "spot", "BTCUSDT"

    @property
    def last_known(self) -> LastKnownBook:
        self.keeper.synced = self.core.synced
        self.keeper.reason = None if self.core.synced else "gap"
        keeper: Any = self.keeper
        return LastKnownBook(lambda: keeper, lambda: 10.5)

    def fill(self, levels: int = 30) -> None:
        self.core.begin()
        bids = [(f"{80_000 - n}.10", f"0.{n + 1:03d}") for n in range(levels)]
        asks = [(f"{80_001 + n}.20", f"1.{n + 1:03d}") for n in range(levels)]
        self.core.take_snapshot(Snapshot(7, 1000, bids, asks))


def drawn(book: Any, width: int, height: int = 24, contract_size: Decimal | None = None, **state: Any) -> list[str]:
    console = Console(width=width, height=height, force_terminal=False, color_system=None)
    board = BookBoard(book, 10, contract_size, console)
    for name, value in state.items():
        setattr(board, name, value)
    for event in state.get("events", ()):
        board.tell(event)
    with console.capture() as capture:
        console.print(board.picture())
    lines = capture.get().splitlines()
    assert all(len(line) <= width for line in lines)
    assert len(lines) <= height
    return lines


def test_the_depth_of_contracts_is_an_amount_of_money() -> None:
    book = Book()
    book.keeper.counts_contracts = True
    book.core.begin()
    book.core.take_snapshot(Snapshot(7, 1000, [("80000.1", "20")], [("80000.3", "30")]))
    text = " ".join(drawn(book, 140, contract_size=Decimal(100)))
    assert "2.00k / 3.00k" in text
    assert "-20.0%" in text
    # Whose worth nobody knows, that is not shown as if it were money.
    text = " ".join(drawn(book, 140))
    assert "-20.0%" in text
    assert " / " not in text


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_ladder_fits_the_terminal(width: int) -> None:
    book = Book()
    book.fill()
    lines = drawn(book, width)
    text = "\n".join(lines)
    assert lines[0] == "spot BTCUSDT"
    assert "80,000.1 " in text
    assert "80,001.2 " in text
    prices = [line.split()[0] for line in lines if line.startswith(("80,", "79,"))]
    assert prices == sorted(prices, reverse=True)
    for told in ("mid", "80,000.65", "spread", "imbalance ±0.1%", "lag", "0.3 ms", "resyncs", "2", "age", "0.5 s"):
        assert told in text
    assert "synced · 0 updates" in text


def test_as_many_levels_as_the_terminal_has_room_for() -> None:
    book = Book()
    book.fill()
    few, many = (sum(line.startswith(("80,", "79,")) for line in drawn(book, 100, height)) for height in (16, 60))
    assert (few, many) == (8, 20)


def test_before_the_snapshot_a_bar_says_how_far_its_turn_is_off() -> None:
    book = Book()
    assert drawn(book, 80) == ["spot BTCUSDT", "the snapshot is under way"]
    lines = drawn(book, 80, _longest_wait=40.0, seconds_left=30.0)
    assert "snapshot in 30" in lines[1]
    assert lines[1].startswith("━" * 10)


def test_a_book_that_was_lost_says_so_and_why() -> None:
    book = Book()
    book.fill()
    book.core.lose(Reason.STALE)
    lost = BookLost("spot", "BTCUSDT", "gap", 7, 12)
    lines = drawn(book, 80, events=[lost])
    assert any("not synced: gap" in line for line in lines)
    assert lines[-1] == "spot BTCUSDT: lost after 7, went on with 12 (gap)"


def test_an_empty_side_is_shown_as_that() -> None:
    book = Book()
    book.core.begin()
    book.core.take_snapshot(Snapshot(7, 1000, [], [("80001.2", "1")]))
    text = "\n".join(drawn(book, 80))
    assert "one side is empty" in text
    assert "mid" in text
