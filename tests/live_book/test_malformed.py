"""Messages and snapshots that cannot be read: what a book makes of them, and what it says."""

from __future__ import annotations

from typing import Any

import pytest

from binance_sdk._runtime.book.state import Reason
from binance_sdk.errors import DecodeError
from binance_sdk.events import BookLost, BookSnapshotFailed

from .world import World

NO_NUMBERS: list[Any] = [
    *(
        "1.2.3",
        "",
        ".",
        "1.",
        ".5",
        "1e5",
        "1E-3",
        "-1",
        "-0",
        "+1",
        " 1",
        "1 ",
        "1 2",
        "1\n",
        "1_0",
        "01",
        "00",
        "NaN",
        "inf",
        "x",
    ),
    *("\u0661", "1" * 1001, 1, 1.5, True, None, ["1"], {}),
]
"""Texts and values that are no plain number; a price of 0 is none either."""


@pytest.mark.parametrize("synced", [True, False])
@pytest.mark.parametrize("side", ["b", "a"])
@pytest.mark.parametrize("level", [*(["97", qty] for qty in NO_NUMBERS), *([no, "1"] for no in [*NO_NUMBERS, "0.00"])])
async def test_what_is_no_plain_number_is_malformed_and_says_so(
    world: World, synced: bool, side: str, level: list[Any]
) -> None:
    if synced:
        await world.synced_at(10)
    else:
        world.keeper.connection_ready()
    levels: Any = {side: [["98" if side == "b" else "102", "1"], level]}
    assert world.update(11, 12, **levels)
    assert (world.keeper.synced, world.keeper.core.reason) == (False, Reason.MALFORMED)
    # No snapshot from before it can be gone on from: it would lack what could not be read.
    world.update(13, 14)
    world.snapshot(11)
    await world.settle()
    assert not world.keeper.synced


async def test_a_gap_before_what_cannot_be_read_does_not_hide_it(world: World) -> None:
    await world.synced_at(10)
    assert "price 'x'" in world.update(20, 21, b=[["x", "1"]])
    assert [event.reason for event in world.of(BookLost)] == ["malformed"]


async def test_a_snapshot_that_cannot_be_used_is_told_and_fetched_again(world: World) -> None:
    world.keeper.connection_ready()
    world.snapshot(10, bid="-99")
    await world.settle()
    (failed,) = world.of(BookSnapshotFailed)
    assert isinstance(failed.error, DecodeError)
    assert failed.error.problems == ("price '-99' is not positive, or no plain number",)
    with pytest.raises(DecodeError, match="spot BTCUSDT cannot be used"):
        await world.keeper.wait_synced(patient=False)
    world.snapshot(11)
    await world.clock.advance(60.0)
    assert world.keeper.synced
