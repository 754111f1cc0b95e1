"""A book kept by Binance's written procedure equals what REST says: the book here is the test's own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from .conftest import World

# Moments between two steps of the clock, in milliseconds: on the grid, off it, and over many steps at once.
STEPS = [3, 44, 100, 97, 3, 250, 777, 23, 13_000, 500, 3_303, 45_000, 1_000, 100]


class Book:
    """A local order book after Binance's pages: absolute quantities, zero removes."""

    def __init__(self, snapshot: Any) -> None:
        self.id = snapshot["lastUpdateId"]
        self.bids = {Decimal(price): Decimal(qty) for price, qty in snapshot["bids"]}
        self.asks = {Decimal(price): Decimal(qty) for price, qty in snapshot["asks"]}

    def apply(self, event: Any) -> None:
        for side, changes in ((self.bids, event["b"]), (self.asks, event["a"])):
            for price, qty in changes:
                if Decimal(qty) == 0:
                    side.pop(Decimal(price), None)
                else:
                    side[Decimal(price)] = Decimal(qty)
        self.id = event["u"]

    def top(self, levels: int) -> tuple[list[Any], list[Any]]:
        return sorted(self.bids.items(), reverse=True)[:levels], sorted(self.asks.items())[:levels]


def levels_of(snapshot: Any) -> tuple[list[Any], list[Any]]:
    bids, asks = ([(Decimal(price), Decimal(qty)) for price, qty in snapshot[side]] for side in ("bids", "asks"))
    return bids, asks


@pytest.mark.parametrize("name", ["btcusdt@depth@100ms", "btcusdt@depth", "币安人生usdt@depth@100ms"])
async def test_a_spot_book_follows_rest(world: World, name: str) -> None:
    symbol = name.partition("@")[0].upper()
    async with world.wire("spot", "", [name]) as wire:
        await wire.drain()
        world.pass_time(2.222)
        snapshot = world.rest("/api/v3/depth", symbol=symbol, limit=5000)
        world.pass_time(1.5)
        buffered = [message["data"] for message in await wire.drain()]
        assert buffered[0]["U"] <= snapshot["lastUpdateId"]
        left = [event for event in buffered if event["u"] > snapshot["lastUpdateId"]]
        assert left[0]["U"] <= snapshot["lastUpdateId"] + 1 <= left[0]["u"]
        book = Book(snapshot)
        for event in left:
            book.apply(event)
        for step in STEPS:
            world.pass_time(step / 1000)
            for message in await wire.drain():
                event = message["data"]
                assert event["U"] == book.id + 1
                assert event["u"] >= event["U"]
                book.apply(event)
        # Bring the clock to the grid for a last look.
        world.pass_time(1 - world.clock.now_ms() % 1000 / 1000)
        for message in await wire.drain():
            book.apply(message["data"])
        answer = world.rest("/api/v3/depth", symbol=symbol, limit=5000)
        assert answer["lastUpdateId"] == book.id
        assert book.top(5000) == levels_of(answer)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("btcusdt@depth@100ms", "/fapi/v1/depth"),
        ("btcusdt@depth", "/fapi/v1/depth"),
        ("ethusdt@depth@500ms", "/fapi/v1/depth"),
        ("solusdt@rpiDepth@500ms", "/fapi/v1/rpiDepth"),
    ],
)
async def test_a_futures_book_follows_rest(world: World, name: str, path: str) -> None:
    symbol = name.partition("@")[0].upper()
    async with world.wire("futures", "public", [name]) as wire:
        await wire.drain()
        world.pass_time(2.222)
        snapshot = world.rest(path, symbol=symbol, limit=1000)
        world.pass_time(1.5)
        left = [m["data"] for m in await wire.drain() if m["data"]["u"] >= snapshot["lastUpdateId"]]
        assert left[0]["U"] <= snapshot["lastUpdateId"] <= left[0]["u"]
        book, previous = Book(snapshot), None
        steps = [*STEPS, 1000 - (world.clock.now_ms() + sum(STEPS)) % 1000]
        events = left
        for step in steps:
            for event in events:
                assert previous is None or event["pu"] == previous
                # Ids are shared with other symbols, so the next one is not the one after.
                assert event["U"] > event["pu"] + 1
                book.apply(event)
                previous = event["u"]
            world.pass_time(step / 1000)
            events = [message["data"] for message in await wire.drain()]
        for event in events:
            assert event["pu"] == previous
            book.apply(event)
            previous = event["u"]
        answer = world.rest(path, symbol=symbol, limit=1000)
        assert answer["lastUpdateId"] == book.id
        assert book.top(1000) == levels_of(answer)


async def test_two_speeds_tell_the_same_book(world: World) -> None:
    async with world.wire("spot", "", ["ethusdt@depth", "ethusdt@depth@100ms"]) as wire:
        await wire.drain()
        world.pass_time(0.544)
        snapshot = world.rest("/api/v3/depth", symbol="ETHUSDT", limit=5000)
        books = {"ethusdt@depth": Book(snapshot), "ethusdt@depth@100ms": Book(snapshot)}
        counts = dict.fromkeys(books, 0)
        world.pass_time(6)
        for message in await wire.drain():
            if message["data"]["u"] > snapshot["lastUpdateId"]:
                books[message["stream"]].apply(message["data"])
                counts[message["stream"]] += 1
        assert counts == {"ethusdt@depth": 6, "ethusdt@depth@100ms": 60}
        slow, fast = books.values()
        assert slow.id == fast.id
        assert slow.top(5000) == fast.top(5000)


@pytest.mark.parametrize("levels", [5, 10, 20])
async def test_partial_books_are_the_top_of_rest(world: World, levels: int) -> None:
    world.pass_time(0.544)
    async with world.wire("spot", "", [f"bnbusdt@depth{levels}@100ms"]) as wire:
        await wire.drain()
        for _ in range(8):
            world.pass_time(0.7)
            message = (await wire.drain())[-1]
            assert message["data"] == world.rest("/api/v3/depth", symbol="BNBUSDT", limit=levels)


async def test_the_book_ticker_is_the_top_of_the_book(world: World) -> None:
    world.pass_time(0.544)
    async with (
        world.wire("spot", "", ["btcusdt@bookTicker"]) as spot,
        world.wire("futures", "public", ["btcusdt@bookTicker"]) as futures,
    ):
        for wire, path in ((spot, "/api/v3/ticker/bookTicker"), (futures, "/fapi/v1/ticker/bookTicker")):
            await wire.drain()
            for seconds in (0.3, 2, 0.711):
                world.pass_time(seconds)
                event = (await wire.drain())[-1]["data"]
                rest = world.rest(path, symbol="BTCUSDT")
                told = {"bidPrice": event["b"], "bidQty": event["B"], "askPrice": event["a"], "askQty": event["A"]}
                assert told == {name: rest[name] for name in told}
