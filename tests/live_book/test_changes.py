"""What followers get: every change once, several as one if they are slow, and never more than the books hold."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from binance_sdk._runtime.live_book.changes import BookChange, BookChanges
from binance_sdk._runtime.live_book.reading import BookLevel
from binance_sdk.errors import StreamError
from binance_sdk.events import BookResynced

from .world import World


@pytest.fixture
async def world() -> Any:
    world = World()
    await world.synced_at(10)
    yield world
    world.task.cancel()
    await asyncio.gather(world.task, return_exceptions=True)


async def test_whoever_keeps_up_gets_each_update(world: World) -> None:
    changes = BookChanges([world.keeper])
    world.update(11, 12, b=[["98", "3"]])
    first = await anext(changes)
    world.update(13, 13, a=[["101", "0"], ["102", "4"]])
    second = await anext(changes)
    assert isinstance(first, BookChange)
    assert isinstance(second, BookChange)
    assert (first.symbol, first.update_id, first.updates) == ("BTCUSDT", 12, 1)
    assert [(level.price, level.qty) for level in first.bids] == [(98, 3)]
    assert first.asks == []
    assert [(level.price, level.qty) for level in second.asks] == [(101, 0), (102, 4)]
    assert second.update_id == 13


async def test_whoever_is_slow_gets_them_as_one(world: World) -> None:
    changes = BookChanges([world.keeper])
    for n in range(11, 512):
        # The tick size changes on the way, and one price is written in two ways.
        price = "98" if n % 2 else "98.00"
        world.update(n, n, b=[[price, str(n)], [f"{50 + n % 7}", "0" if n == 511 else "1"]])
    (pending,) = changes._pending
    assert len(pending._updates) <= 65
    change = await anext(changes)
    assert isinstance(change, BookChange)
    assert (change.update_id, change.updates) == (511, 501)
    latest = {level.price: level.qty for level in change.bids}
    assert latest[Decimal(98)] == 511
    assert latest[Decimal(50 + 511 % 7)] == 0
    assert len(latest) == 8
    # What applies it in its order has the book.
    assert {level.price: level.qty for level in change.bids if level.qty} == {
        price: qty for price, qty in world.keeper.core.bids.levels() if price != 99
    }


async def test_what_lies_behind_the_horizon_is_no_change() -> None:
    world = World()
    world.keeper.connection_ready()
    from binance_sdk._runtime.book.messages import Snapshot

    world.loader.answers.put_nowait(Snapshot(10, 1, [("99", "1")], [("101", "1")]))
    await world.settle()
    changes = BookChanges([world.keeper])
    world.update(11, 11, b=[["98", "1"], ["99", "2"]], a=[["102", "1"], ["100.5", "2"]])
    change = await anext(changes)
    assert isinstance(change, BookChange)
    assert change.complete_to == (99, 101)
    assert change.bids == [BookLevel(("99", "2"))]
    assert [(level.price, level.qty) for level in change.asks] == [(Decimal("100.5"), 2)]
    world.task.cancel()


async def test_after_a_resync_what_changed_before_is_forgotten(world: World) -> None:
    changes = BookChanges([world.keeper])
    await world.clock.advance(61.0)
    world.update(11, 11, b=[["98", "3"]])
    world.update(20, 20)
    world.snapshot(25)
    await world.settle()
    world.update(26, 26, b=[["97", "1"]])
    told, change = await anext(changes), await anext(changes)
    assert isinstance(told, BookResynced)
    assert (told.reason, told.last_id, told.update_id) == ("gap", 11, 25)
    assert isinstance(change, BookChange)
    assert change.update_id == 26
    assert change.bids == [BookLevel(("97", "1"))]


async def test_followers_end_with_their_book(world: World) -> None:
    changes = BookChanges([world.keeper])
    waiting = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    with pytest.raises(StreamError, match="two tasks"):
        await anext(changes)
    world.keeper.close()
    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_whoever_leaves_the_loop_is_told_nothing_more(world: World) -> None:
    async def leave() -> None:
        async for _ in BookChanges([world.keeper]):
            return

    task = asyncio.create_task(leave())
    await asyncio.sleep(0)
    world.update(11, 12)
    await task
    del task
    assert world.keeper._listeners == ()
    changes = BookChanges([world.keeper])
    assert len(world.keeper._listeners) == 1
    await changes.aclose()
    assert world.keeper._listeners == ()
    with pytest.raises(StopAsyncIteration):
        await anext(changes)
