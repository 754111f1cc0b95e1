"""Live books for blocking code: kept by the thread of the client's streams, read by any other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import pytest

from binance_sdk.errors import BadRequestError, BookNotSyncedError, ConfigError, StreamError
from binance_sdk.events import BookResynced
from binance_sdk.simulator.streams import StreamFault

from .conftest import Exchange


def run(exchange: Exchange, until: Callable[[], bool]) -> None:
    for _ in range(2000):
        if until():
            return
        exchange.clock.advance(0.1)
        time.sleep(0.004)
    pytest.fail("it never came about")


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
@pytest.mark.parametrize("market", ["spot", "futures"])
def test_a_blocking_book_is_the_exchanges(exchange: Exchange, transport: Any, market: Any, short_pauses: None) -> None:
    truth, ids = exchange.truth(market, "BTCUSDT"), set[int]()
    with exchange.simulator.sync_client(transport=transport) as client:
        with getattr(client, market).order_book("BTCUSDT", limit=100) as book:
            assert book.synced
            assert truth.differences(book) == []
            run(exchange, lambda: ids.add(book.update_id) is None and len(ids) > 5)  # type: ignore[func-returns-value]
            assert truth.differences(book) == []
            exchange.faults.add(StreamFault.drop(), where=f"{market}.diff_depth", count=1)
            run(exchange, lambda: book.resyncs == 1 and book.synced)
            assert truth.differences(book) == []
        with pytest.raises(StreamError, match="closed"):
            _ = book.best_bid


def test_following_and_comparing(exchange: Exchange, short_pauses: None) -> None:
    stop = threading.Event()

    def move() -> None:
        while not stop.wait(0.004):
            exchange.clock.advance(0.1)

    mover = threading.Thread(target=move)
    mover.start()
    try:
        with exchange.simulator.sync_client() as client, client.futures.order_book("BTCUSDT", limit=100) as book:
            changes = book.updates()
            first, second = next(changes), next(changes)
            assert not isinstance(first, BookResynced)
            assert not isinstance(second, BookResynced)
            assert first.symbol == "BTCUSDT"
            assert first.update_id < second.update_id
            assert first.bids or first.asks
            assert book.verify().ok
            exchange.simulator.streams.abort("futures")
            assert any(isinstance(item, BookResynced) for item in changes)
            book.wait_synced(10)
            changes.close()
            assert list(changes) == []
    finally:
        stop.set()
        mover.join()


def test_many_blocking_books(exchange: Exchange) -> None:
    with exchange.simulator.sync_client() as client:
        with client.spot.order_books(["BTCUSDT", "ETHUSDT", "NOSUCH"], limit=100) as books:
            books.wait_synced(20)
            assert list(books) == ["BTCUSDT", "ETHUSDT", "NOSUCH"]
            assert len(books) == 3
            assert (books.progress.synced, books.progress.failed) == (2, 1)
            assert isinstance(books.errors["NOSUCH"], BadRequestError)
            assert exchange.truth("spot", "ETHUSDT").differences(books["ETHUSDT"]) == []
            books.add("BNBUSDT")
            books.wait_synced(20)
            assert exchange.truth("spot", "BNBUSDT").differences(books["BNBUSDT"]) == []
        with pytest.raises(BadRequestError), client.spot.order_book("NOSUCH"):
            pytest.fail("it was opened")


def test_a_client_that_is_closed_closes_its_books(exchange: Exchange) -> None:
    client = exchange.simulator.sync_client()
    book = client.spot.order_book("BTCUSDT", limit=100).open()
    changes = book.updates()
    client.close()
    with pytest.raises(StreamError, match="closed"):
        _ = book.best_bid
    assert list(changes) == []
    with pytest.raises(ConfigError, match="closed"):
        book.wait_synced()
    book.close()


def test_readers_in_other_threads_see_whole_books(exchange: Exchange) -> None:
    """A level that goes while another thread reads must neither fail the reader nor be half there."""
    with exchange.simulator.sync_client() as client, client.spot.order_book("BTCUSDT", limit=100) as book:
        seen, failures, stop = 0, list[BaseException](), threading.Event()
        price = attrgetter("price")

        def read() -> None:
            nonlocal seen
            while not stop.is_set():
                try:
                    bids, asks = book.bids(20), book.asks(20)
                    assert bids == sorted(bids, key=price, reverse=True)
                    assert asks == sorted(asks, key=price)
                    assert book.spread is not None
                    assert book.spread.absolute > 0
                    seen += 1
                except BookNotSyncedError:
                    continue
                except BaseException as error:  # noqa: BLE001 - it is what the test is about
                    failures.append(error)
                    return

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        before = book.update_id or 0
        run(exchange, lambda: (book.update_id or 0) > before + 3000)
        stop.set()
        for reader in readers:
            reader.join()
        assert failures == []
        assert seen > 10
