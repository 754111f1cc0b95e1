"""One book with a loader that the test holds: what it asks for, what it says, and what it does not forget."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from binance_sdk._runtime.live_book.group import most_kept
from binance_sdk._runtime.live_book.keeper import BookKeeper, is_final
from binance_sdk._runtime.live_book.verification import verify
from binance_sdk.errors import (
    APIConnectionError,
    BadRequestError,
    BinanceError,
    BookNotSyncedError,
    BudgetError,
    ConfigError,
    DecodeError,
    IPBannedError,
    ParameterError,
    RateLimitError,
    RestrictedLocationError,
    ServerError,
)
from binance_sdk.events import BookFailed, BookLost, BookResynced, BookSnapshotFailed, BookSnapshotLoaded, BookVerified
from tests.book.rule_sets import FUTURES

from .world import World


async def test_no_snapshot_is_asked_for_before_the_stream_is_subscribed(world: World) -> None:
    await world.settle()
    assert world.loader.asked == 0
    world.keeper.connection_ready()
    await world.settle()
    assert world.loader.asked == 1
    assert world.update(10, 11) == ""
    world.snapshot(10)
    await world.settle()
    assert world.keeper.synced
    assert world.keeper.core.update_id == 11
    assert [event.update_id for event in world.of(BookSnapshotLoaded)] == [10]
    # The first time it was not lost, it just was not there yet.
    assert world.of(BookLost) == world.of(BookResynced) == []
    assert world.keeper.resyncs == 0


async def test_what_comes_right_behind_the_acknowledgement_is_kept(world: World) -> None:
    """Before anything else of the event loop has come to its turn."""
    world.keeper.connection_ready()
    world.update(10, 11)
    world.snapshot(9)
    await world.settle()
    assert (world.keeper.synced, world.keeper.core.update_id) == (True, 11)


def test_a_book_of_its_own_keeps_more_updates_than_one_of_many() -> None:
    assert [most_kept(books) for books in (1, 4, 20, 200)] == [20_000, 5_000, 1_000, 1_000]


async def test_a_lost_book_says_since_when_and_is_out_for_as_long_as_it_is(world: World) -> None:
    await world.synced_at(10)
    await world.clock.advance(100.0)
    world.update(11, 12)
    world.update(15, 16)
    assert not world.keeper.synced
    assert world.keeper.reason == "gap"
    assert world.of(BookLost) == [BookLost("spot", "BTCUSDT", "gap", 12, 15)]
    await world.clock.advance(2.5)
    assert world.loader.asked == 2
    world.snapshot(14)
    await world.settle()
    (again,) = world.of(BookResynced)
    assert again == BookResynced("spot", "BTCUSDT", "gap", 12, 15, 16, again.seconds)
    assert again.seconds == pytest.approx(2.5)
    assert (world.keeper.resyncs, world.keeper.reason) == (1, None)


async def test_the_first_reason_is_told_however_many_follow(world: World) -> None:
    await world.synced_at(10)
    await world.clock.advance(100.0)
    world.update(15, 16)
    world.keeper.connection_lost()
    world.keeper.connection_ready()
    world.snapshot(20)
    world.snapshot(20)
    await world.settle()
    await world.clock.advance(1.0)
    assert [event.reason for event in world.of(BookLost)] == ["gap"]
    assert [event.reason for event in world.of(BookResynced)] == ["gap"]


async def test_a_snapshot_that_came_while_the_connection_was_lost_is_not_taken(world: World) -> None:
    world.keeper.connection_ready()
    await world.settle()
    world.keeper.connection_lost()
    world.snapshot(10)
    await world.settle()
    assert not world.keeper.synced
    world.keeper.connection_ready()
    world.snapshot(20)
    await world.settle()
    assert world.keeper.core.update_id == 20


async def test_a_message_that_cannot_be_read_is_a_reason(world: World) -> None:
    await world.synced_at(10)
    assert "U" in world.keeper.take(b'{"u":11,"b":[],"a":[]}', 0.0)
    assert [event.reason for event in world.of(BookLost)] == ["malformed"]
    # As long as nothing is kept, nothing is read.
    idle = BookKeeper("ETHUSDT", world.keeper.around, world.failed.append)
    assert idle.take(b"torn", 0.0) == ""


@pytest.mark.parametrize(
    ("levels", "reason"), [({"b": [["101", "1"]]}, "crossed"), ({"b": [["99", "nan"]]}, "malformed")]
)
async def test_a_book_that_cannot_be_true_is_lost(world: World, levels: Any, reason: str) -> None:
    await world.synced_at(10)
    world.update(11, 11, **levels)
    assert [event.reason for event in world.of(BookLost)] == [reason]
    assert not world.keeper.synced


async def test_silence_is_doubted_only_while_it_says_that_it_is_true(world: World) -> None:
    world.keeper.silent()
    assert world.of(BookLost) == []
    await world.synced_at(10)
    world.keeper.silent()
    assert [event.reason for event in world.of(BookLost)] == ["stale"]


async def test_a_book_that_was_true_for_long_is_fetched_at_once_and_another_after_a_pause(world: World) -> None:
    await world.synced_at(10)
    await world.clock.advance(61.0)
    world.update(20, 20)
    await world.settle()
    assert world.loader.asked == 2
    world.snapshot(25)
    await world.settle()
    world.update(40, 40)
    await world.settle()
    assert world.loader.asked == 2
    await world.clock.advance(0.3)
    assert world.loader.asked == 3


async def test_a_snapshot_older_than_what_came_is_fetched_again_after_a_pause(world: World) -> None:
    world.keeper.connection_ready()
    await world.settle()
    world.update(20, 21)
    world.snapshot(10)
    await world.settle()
    assert world.loader.asked == 1
    assert not world.keeper.synced
    await world.clock.advance(0.3)
    assert world.loader.asked == 2
    world.snapshot(20)
    await world.settle()
    assert world.keeper.synced
    assert world.keeper.core.update_id == 21


async def test_errors_that_pass_are_waited_out_and_told(world: World) -> None:
    world.keeper.connection_ready()
    world.loader.answers.put_nowait(RateLimitError("slow down", status_code=429, retry_after=7.0))
    await world.settle()
    (failed,) = world.of(BookSnapshotFailed)
    assert failed.pause == 7.0
    await world.clock.advance(6.5)
    assert world.loader.asked == 1
    await world.clock.advance(1.0)
    assert world.loader.asked == 2
    world.snapshot(5)
    await world.settle()
    assert world.keeper.synced
    assert world.keeper.last_failure is None


async def test_whoever_is_not_patient_hears_of_the_first_failure(world: World) -> None:
    waiting = asyncio.create_task(world.keeper.wait_synced(patient=False))
    world.keeper.connection_ready()
    error = APIConnectionError("nobody there")
    world.loader.answers.put_nowait(error)
    await world.settle()
    with pytest.raises(APIConnectionError) as caught:
        await waiting
    assert caught.value is error


async def test_an_error_that_does_not_pass_ends_the_book(world: World) -> None:
    patient = asyncio.create_task(world.keeper.wait_synced())
    error = BadRequestError("no such symbol", status_code=400, code=-1121)
    world.keeper.connection_ready()
    world.loader.answers.put_nowait(error)
    await world.settle()
    with pytest.raises(BadRequestError):
        await patient
    assert world.failed == [world.keeper]
    assert world.of(BookFailed)[0].error is error
    with pytest.raises(BadRequestError):
        world.keeper.check_synced()
    assert world.task.done()


async def test_a_time_out_says_why_it_is_not_synced(world: World) -> None:
    await world.synced_at(10)
    world.keeper.connection_lost()
    waiting = asyncio.create_task(world.keeper.wait_synced(3.0))
    await world.clock.advance(3.5)
    with pytest.raises(BookNotSyncedError, match=r"connection_lost.*3 s"):
        await waiting


FINAL = [
    BadRequestError("", status_code=400),
    RestrictedLocationError("", status_code=451),
    ParameterError(""),
    ConfigError(""),
    BudgetError("it never fits"),
]
PASSING = [
    RateLimitError("", status_code=429),
    ServerError("", status_code=503),
    ServerError("", status_code=503, retry_after=3600.0),
    IPBannedError("", retry_after=60.0),
    APIConnectionError(""),
    DecodeError("", garbled=True),
    DecodeError(""),
    BudgetError("later", retry_after=60.0),
]


@pytest.mark.parametrize(("errors", "final"), [(FINAL, True), (PASSING, False)])
def test_which_errors_are_final(errors: list[BinanceError], final: bool) -> None:
    assert [is_final(error) for error in errors] == [final] * len(errors)


async def test_an_update_takes_over_from_another_connection_where_it_overlaps() -> None:
    world = World(FUTURES)
    await world.synced_at(10)
    world.update(8, 12, 7)
    world.keeper.connection_replaced()
    # Cut differently: it names another event as the one before it.
    world.update(11, 14, 10)
    assert world.keeper.synced
    assert world.keeper.core.update_id == 14
    world.task.cancel()


async def test_a_comparison_meets_at_the_end_of_the_event_that_the_snapshot_falls_into(world: World) -> None:
    await world.synced_at(10)
    checking = asyncio.create_task(verify(world.keeper))
    await world.settle()
    world.snapshot(13)
    await world.settle()
    assert not checking.done()
    world.update(11, 15, b=[["98", "2"]])
    await world.clock.advance(0.5)
    found = await checking
    assert (found.ok, found.update_id) == (True, 15)
    assert world.of(BookVerified) == [BookVerified("spot", "BTCUSDT", 15, 0)]


async def test_two_snapshots_have_to_differ_before_a_book_is_said_to(world: World) -> None:
    await world.synced_at(10)
    checking = asyncio.create_task(verify(world.keeper))
    world.snapshot(10, bid="98")
    world.snapshot(10)
    await world.settle()
    assert (await checking).ok
    checking = asyncio.create_task(verify(world.keeper))
    world.snapshot(10, bid="98")
    world.snapshot(10, bid="98")
    await world.settle()
    found = await checking
    assert [
        (difference.side, str(difference.price), difference.book, difference.snapshot)
        for difference in found.differences
    ] == [
        ("bid", "99", 1, 0),
        ("bid", "98", 0, 1),
    ]
    assert [event.reason for event in world.of(BookLost)] == ["different"]


async def test_a_book_that_is_lost_meanwhile_cannot_be_compared(world: World) -> None:
    await world.synced_at(10)
    checking = asyncio.create_task(verify(world.keeper))
    await world.settle()
    world.keeper.connection_lost()
    world.snapshot(13)
    await world.settle()
    with pytest.raises(BookNotSyncedError):
        await checking


async def test_a_book_whose_turn_is_far_off_keeps_nothing(world: World) -> None:
    world.loader.far = True
    world.keeper.connection_ready()
    await world.settle()
    world.update(10, 11)
    assert world.keeper.core.kept == 0
