"""Live books against the simulator, whose book is known after every update id: both markets, both transports."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

import pytest

from binance_sdk.arithmetic import quotient
from binance_sdk.errors import BadRequestError, BookNotSyncedError, ParameterError, ServerError, StreamError
from binance_sdk.events import BookFailed, BookLost, BookResynced, BookSnapshotLoaded
from binance_sdk.simulator import Fault
from binance_sdk.simulator.streams import StreamFault

from .conftest import Exchange

TRANSPORTS = pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
MARKETS = pytest.mark.parametrize("market", ["spot", "futures"])


@TRANSPORTS
@pytest.mark.parametrize("market", ["spot", "futures", "coin_futures"])
async def test_a_book_is_the_exchanges_after_every_update(exchange: Exchange, transport: Any, market: Any) -> None:
    symbol = "BTCUSD_PERP" if market == "coin_futures" else "BTCUSDT"
    truth, ids = exchange.truth(market, symbol), set[int]()
    async with exchange.simulator.client(transport=transport) as client:
        async with getattr(client, market).order_book(symbol, limit=100) as book:
            assert book.synced
            assert book.resyncs == 0
            assert book.reason is None
            assert len(book.bids()) == len(book.asks()) == 100
            assert truth.differences(book) == []
            while len(ids) < 15:
                exchange.clock.advance(0.1)
                await asyncio.sleep(0.004)
                ids.add(book.update_id)
                assert truth.differences(book) == []
            size = (await getattr(client, market).symbols())[symbol].contract_size
            assert book.counts_contracts is (size is not None) is (market == "coin_futures")
            bought = book.fill("buy", quote=100, contract_size=size)
            assert bought.slippage == 0
            assert bought.base == quotient(100, book.asks(1)[0].price)
            assert book.best_bid == book.bids(1)[0]
            assert book.best_ask == book.asks(1)[0]
            assert book.age < 5
            assert book.lag_ms >= 0
        with pytest.raises(StreamError, match="closed"):
            _ = book.best_bid


@TRANSPORTS
@MARKETS
async def test_a_book_that_says_that_it_is_synced_is_true_whatever_goes_wrong(
    exchange: Exchange, transport: Any, market: Any, short_pauses: None
) -> None:
    """Nine kinds of faults, two of which break the connection."""
    heard: list[Any] = []
    truth = exchange.truth(market, "BTCUSDT")
    faults = [
        *(StreamFault.drop(), StreamFault.duplicate(), StreamFault.reorder(), StreamFault.garbage()),
        *(StreamFault.noise(), StreamFault.delay(0.25), StreamFault.bad_event()),
    ]
    exchange.faults.add(*faults, where=f"{market}.diff_depth", probability=0.15)
    exchange.faults.add(StreamFault.abort(), StreamFault.close(), where=f"{market}.diff_depth", probability=0.03)
    compared = 0

    async with (
        exchange.simulator.client(transport=transport, hooks=[heard.append]) as client,
        getattr(client, market).order_books(["BTCUSDT"], limit=100, share=1.0) as books,
    ):
        book = books["BTCUSDT"]
        seen = None
        # However many steps that takes on a busy machine.
        until = time.monotonic() + 120
        for step in itertools.count():
            if step >= 150 and compared > 40 and {"gap", "connection_lost"} <= _reasons(heard) and book.resyncs > 5:
                break
            assert time.monotonic() < until, (compared, book.resyncs, _reasons(heard))
            exchange.clock.advance(0.1)
            # A lost book gets a while for its snapshot: as most messages meet with a fault, a busy machine would hardly
            # ever see one that is synced.
            for _ in range(6):
                await asyncio.sleep(0.004)
                if book.synced:
                    break
            if book.synced and book.update_id != seen:
                compared, seen = compared + 1, book.update_id
                assert truth.differences(book) == []
            elif book.synced:
                assert book.bids(1)
            else:
                with pytest.raises(BookNotSyncedError):
                    book.bids(1)
        exchange.simulator.streams.faults.clear()
        await exchange.run(lambda: book.synced)
        assert truth.differences(book) == []
        # Now: what a fault has delayed may still come, and lose the book while it is closed.
        resyncs = book.resyncs
        lost = [event for event in heard if isinstance(event, BookLost)]
        again = [event for event in heard if isinstance(event, BookResynced)]
    assert compared > 40
    assert len(lost) == len(again) == resyncs > 5
    assert _reasons(heard) >= {"gap", "connection_lost"}
    assert [(event.reason, event.last_id, event.next_id) for event in lost] == [
        (event.reason, event.last_id, event.next_id) for event in again
    ]
    assert all(event.seconds >= 0 and event.update_id > (event.last_id or 0) for event in again)


def _reasons(heard: list[Any]) -> set[str]:
    """Why books were lost."""
    return {event.reason for event in heard if isinstance(event, BookLost)}


async def test_a_gap_is_told_by_hook_and_among_the_updates(exchange: Exchange, short_pauses: None) -> None:
    heard: list[Any] = []
    async with (
        exchange.simulator.client(hooks=[heard.append]) as client,
        client.spot.order_book("BTCUSDT", limit=100) as book,
    ):
        changes = book.updates()
        before = await exchange.during(anext(changes))
        exchange.faults.add(StreamFault.drop(), where="spot.diff_depth", count=1)
        items: list[Any] = []
        while not any(isinstance(item, BookResynced) for item in items):
            items.append(await exchange.during(anext(changes)))
        (lost,) = [event for event in heard if isinstance(event, BookLost)]
        assert lost.reason == "gap"
        assert lost.market == "spot"
        assert lost.symbol == "BTCUSDT"
        assert lost.last_id is not None
        assert lost.last_id >= before.update_id
        assert lost.next_id is not None
        assert lost.next_id > lost.last_id + 1
        assert items[-1] in heard
        assert book.synced
        assert book.resyncs == 1
        after = await exchange.during(anext(changes))
        assert after.update_id > items[-1].update_id


async def test_ids_that_began_anew_are_noticed(exchange: Exchange, short_pauses: None) -> None:
    """An id far ahead is taken for the book's, as nothing contradicts it; the updates after it do."""
    heard: list[Any] = []
    async with (
        exchange.simulator.client(hooks=[heard.append]) as client,
        client.spot.order_book("BTCUSDT", limit=100) as book,
    ):
        exchange.faults.add(StreamFault.future_id(), where="spot.diff_depth", count=1)
        await exchange.run(lambda: book.resyncs == 1)
        assert [event.reason for event in heard if isinstance(event, BookLost)] == ["restarted"]
        assert exchange.truth("spot", "BTCUSDT").differences(book) == []


async def test_while_the_connection_is_lost_no_book_is_synced(exchange: Exchange, short_pauses: None) -> None:
    async with (
        exchange.simulator.client() as client,
        client.spot.order_books(["BTCUSDT", "ETHUSDT"], limit=100) as books,
    ):
        await books.wait_synced(20)
        exchange.faults.add(StreamFault.refuse(503), where="spot")
        exchange.simulator.streams.abort("spot")
        await exchange.run(lambda: not books["BTCUSDT"].synced and not books["ETHUSDT"].synced)
        for book in books.values():
            assert book.reason == "connection_lost"
            with pytest.raises(BookNotSyncedError, match="connection_lost") as caught:
                _ = book.mid
            assert (caught.value.symbol, caught.value.reason) == (book.symbol, "connection_lost")
            # What was known last can be taken, with its flag.
            assert not book.last_known.synced
            assert len(book.last_known.bids()) > 50
            with pytest.raises(BookNotSyncedError, match=r"within 0.05 s"):
                await book.wait_synced(0.05)
        exchange.simulator.streams.faults.clear()
        await books.wait_synced(20)
        for symbol, book in books.items():
            assert book.resyncs == 1
            assert exchange.truth("spot", symbol).differences(book) == []


async def test_an_unknown_symbol_is_an_error_of_its_own_book(exchange: Exchange) -> None:
    heard: list[Any] = []
    async with exchange.simulator.client(hooks=[heard.append]) as client:
        with pytest.raises(BadRequestError, match="-1121"):
            async with client.spot.order_book("NOSUCH"):
                pytest.fail("it was opened")
        async with client.spot.order_books(["NOSUCH", "BTCUSDT"], limit=100) as books:
            await books.wait_synced(20)
            assert list(books.errors) == ["NOSUCH"]
            assert books.progress.synced == books.progress.failed == 1
            with pytest.raises(BadRequestError, match="-1121"):
                _ = books["NOSUCH"].best_bid
            with pytest.raises(BadRequestError, match="-1121"):
                await books["NOSUCH"].wait_synced()
            with pytest.raises(BadRequestError, match="-1121"):
                await anext(books["NOSUCH"].updates())
            # Its stream is given back.
            await exchange.run(lambda: exchange.simulator.streams.counts("spot").received >= 1)
            changes = books.updates()
            assert (await exchange.during(anext(changes))).symbol == "BTCUSDT"
    assert [event.symbol for event in heard if isinstance(event, BookFailed)] == ["NOSUCH", "NOSUCH"]


async def test_a_symbol_that_is_delisted_ends_its_book_and_no_other(exchange: Exchange, short_pauses: None) -> None:
    async with (
        exchange.simulator.client() as client,
        client.spot.order_books(["BTCUSDT", "ETHUSDT"], limit=100) as books,
    ):
        await books.wait_synced(20)
        exchange.simulator.delist_symbol("spot", "ETHUSDT")
        # The exchange just says nothing any more; the end of the connection makes the book ask.
        exchange.simulator.streams.abort("spot")
        await exchange.run(lambda: bool(books.errors))
        assert isinstance(books.errors["ETHUSDT"], BadRequestError)
        await exchange.run(lambda: books["BTCUSDT"].synced)
        assert exchange.truth("spot", "BTCUSDT").differences(books["BTCUSDT"]) == []


async def test_maintenance_is_waited_out(exchange: Exchange, short_pauses: None) -> None:
    async with exchange.simulator.client(max_retries=0) as client:
        async with client.spot.order_book("BTCUSDT", limit=100) as book:
            exchange.simulator.maintenance("spot")
            exchange.simulator.streams.abort("spot")
            await exchange.run(lambda: not book.synced)
            for _ in range(30):
                exchange.clock.advance(0.1)
                await asyncio.sleep(0.004)
                assert not book.synced
            exchange.simulator.end_maintenance("spot")
            await exchange.run(lambda: book.synced)
            assert exchange.truth("spot", "BTCUSDT").differences(book) == []
        exchange.simulator.faults.add(Fault.server_error(503), where="spot.depth")
        with pytest.raises(ServerError, match="503"):
            await client.spot.order_book("BTCUSDT", limit=100).open()


async def test_without_a_network_opening_fails(exchange: Exchange) -> None:
    async with exchange.simulator.client(max_retries=0) as client:
        exchange.faults.add(StreamFault.refuse(503), where="spot")
        for open_ in (client.spot.order_book("BTCUSDT"), client.spot.order_books(["BTCUSDT"])):
            with pytest.raises(StreamError, match="no connection"):
                await open_.open()


async def test_far_turns_are_seen_and_keep_nothing(exchange: Exchange) -> None:
    """One snapshot of a window's share: the second book has to wait for the next window."""
    heard: list[Any] = []
    async with (
        exchange.simulator.client(hooks=[heard.append]) as client,
        client.spot.order_books(["BTCUSDT", "ETHUSDT", "BNBUSDT"], limit=1000, share=0.01) as books,
    ):
        await exchange.run(lambda: books["BTCUSDT"].synced)
        progress = books.progress
        assert (progress.synced, progress.failed, progress.total) == (1, 0, 3)
        assert progress.waiting == ("ETHUSDT", "BNBUSDT")
        assert 0 < progress.seconds_left <= 120
        (loaded,) = [event for event in heard if isinstance(event, BookSnapshotLoaded)]
        assert (loaded.symbol, loaded.waiting) == ("BTCUSDT", 2)
        assert loaded.seconds_left == pytest.approx(progress.seconds_left, abs=5)
        # Other requests are not held up.
        await client.spot.depth("ETHUSDT", limit=1000)
        for _ in range(10):
            exchange.clock.advance(0.1)
            await asyncio.sleep(0.004)
        waiting = books._group.keepers["BNBUSDT"].core
        assert waiting.kept == 0
        assert not waiting.synced


async def test_a_book_is_compared_with_a_fresh_snapshot(exchange: Exchange, short_pauses: None) -> None:
    async with exchange.simulator.client() as client, client.futures.order_book("BTCUSDT", limit=100) as book:
        found = await exchange.during(book.verify())
        assert found.ok
        assert found.differences == ()
        assert found.update_id <= (book.update_id or 0)
        # Somebody has lost a level.
        price = book.bids(3)[2].price
        book._group.keepers["BTCUSDT"].core.bids.change([(str(price), "0")])
        found = await exchange.during(book.verify())
        assert not found.ok
        assert [(difference.side, difference.price, difference.book) for difference in found.differences] == [
            ("bid", price, 0)
        ]
        await exchange.run(lambda: book.resyncs == 1)
        assert exchange.truth("futures", "BTCUSDT").differences(book) == []


async def test_books_compare_themselves(exchange: Exchange, short_pauses: None) -> None:
    heard: list[Any] = []
    async with (
        exchange.simulator.client(hooks=[heard.append]) as client,
        client.spot.order_books(["BTCUSDT", "ETHUSDT"], limit=1000, verify_every=0.2) as books,
    ):
        await books.wait_synced(20)
        damaged = books["ETHUSDT"]

        def noticed() -> bool:
            """A level is lost at each step: an update may bring one back before anybody has compared."""
            if damaged.synced and damaged.resyncs == 0:
                books._group.keepers["ETHUSDT"].core.bids.change([(str(damaged.bids(31)[30].price), "0")])
            return damaged.resyncs > 0

        await exchange.run(noticed)
        told = [event for event in heard if type(event).__name__ == "BookVerified"]
        assert {event.symbol for event in told if event.differences} == {"ETHUSDT"}
        await exchange.run(
            lambda: any(type(e).__name__ == "BookVerified" and e.symbol == "BTCUSDT" for e in heard), step=0.1
        )


async def test_many_books_are_on_one_connection(exchange: Exchange) -> None:
    symbols = [i.symbol for i in exchange.simulator._exchange.markets["spot"].table.instruments if i.traded][:12]
    async with exchange.simulator.client() as client, client.spot.order_books(symbols, limit=100) as books:
        await books.wait_synced(30)
        assert exchange.simulator.streams.counts("spot").accepted == 1
        for symbol, book in books.items():
            assert exchange.truth("spot", symbol).differences(book) == []


async def test_books_are_added_to_the_same_connection(exchange: Exchange, short_pauses: None) -> None:
    async with (
        exchange.simulator.client() as client,
        client.spot.order_books(["BTCUSDT", "NOSUCH"], limit=100) as books,
    ):
        await books.wait_synced(20)
        await books.add("ethusdt", "BTCUSDT")
        await books.wait_synced(20)
        assert list(books) == ["BTCUSDT", "NOSUCH", "ETHUSDT"]
        assert exchange.simulator.streams.counts("spot").accepted == 1
        assert exchange.truth("spot", "ETHUSDT").differences(books["ETHUSDT"]) == []
        # One that has ended may begin anew, and end again.
        with pytest.raises(ParameterError, match="symbol"):
            await books.add("BTC/USDT")
        await books.add("NOSUCH")
        await books.wait_synced(20)
        assert list(books.errors) == ["NOSUCH"]
        # What was added goes on as all others do.
        before = books["ETHUSDT"].update_id or 0
        await exchange.run(lambda: (books["ETHUSDT"].update_id or 0) > before)
        assert exchange.truth("spot", "ETHUSDT").differences(books["ETHUSDT"]) == []
    with pytest.raises(StreamError, match="not open: add symbols inside"):
        await books.add("BNBUSDT")


@MARKETS
async def test_a_connection_is_replaced_without_a_loss(exchange: Exchange, market: Any) -> None:
    """The server announces its shutdown; for a while two connections bring the same updates."""
    heard: list[Any] = []
    truth = exchange.truth(market, "BTCUSDT")
    async with (
        exchange.simulator.client(hooks=[heard.append]) as client,
        getattr(client, market).order_book("BTCUSDT", limit=500) as book,
    ):
        exchange.simulator.streams.shut_down(market, seconds=60.0)
        connections = exchange.simulator.streams.counts
        seen = None
        for _ in range(1500):
            exchange.clock.advance(0.1 if connections(market).accepted < 3 else 0.0)
            await asyncio.sleep(0.005)
            assert book.synced
            if book.update_id != seen:
                seen = book.update_id
                assert truth.differences(book) == []
            if connections(market).accepted == 2 and connections(market).open == 1:
                break
        before = book.update_id or 0
        await exchange.run(lambda: (book.update_id or 0) > before)
        assert truth.differences(book) == []
        assert (connections(market).accepted, connections(market).open) == (2, 1)
        assert book.resyncs == 0
    assert not [event for event in heard if isinstance(event, BookLost)]
