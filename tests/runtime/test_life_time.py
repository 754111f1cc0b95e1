"""Opening, sharing between loops and threads, closing, forgetting: what becomes of a client's connections."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient, SyncBinanceClient
from binance_sdk.errors import ConfigError

from .server import RawServer, http
from .support import Mode, Recorder, charged, in_flight, outcome

both = pytest.mark.parametrize("mode", ["sync", "async"])
kinds = pytest.mark.parametrize("kind", [SyncBinanceClient, BinanceClient], ids=["sync", "async"])
PING = http("200 OK", b"{}", last=False)


@both
def test_closing_twice_and_calling_afterwards(mode: Mode) -> None:
    closed: list[Any] = []
    with RawServer(PING, keep_alive=True) as server:
        outcome(mode, lambda client: client.spot.ping(), closed.append, spot_base_url=server.url)
    client = closed[0]
    before = charged(client)
    assert before == 2
    if mode == "sync":
        client.close()
        with pytest.raises(ConfigError, match="closed") as caught:
            client.spot.ping()
    else:
        asyncio.run(client.aclose())
        with pytest.raises(ConfigError, match="closed") as caught:
            asyncio.run(client.spot.ping())
    assert caught.value.operation == "spot.ping"
    assert charged(client) == before
    assert in_flight(client) == 0
    assert len(server.requests) == 1


def test_a_client_that_never_called_needs_no_closing() -> None:
    SyncBinanceClient()
    BinanceClient()
    gc.collect()


@contextmanager
def leaks() -> Iterator[list[str]]:
    """What the garbage collector complains about when all is done."""
    found: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        yield found
        gc.collect()
    found += [str(warning.message) for warning in caught]


def forget(kind: Any, url: str) -> None:
    client = kind(spot_base_url=url)
    if kind is BinanceClient:
        asyncio.run(client.spot.ping())
    else:
        client.spot.ping()


@kinds
def test_a_forgotten_client_is_a_warning(kind: Any) -> None:
    with RawServer(http("200 OK", b"{}")) as server, leaks() as found:
        forget(kind, server.url)
    assert len(found) == 1
    assert found[0].startswith("a Binance client was not closed; use `with`")


def test_one_client_in_two_event_loops_one_after_the_other() -> None:
    with RawServer(PING, keep_alive=True) as server, leaks() as found:
        client = BinanceClient(spot_base_url=server.url)
        for _ in range(2):
            asyncio.run(client.spot.ping())
        asyncio.run(client.aclose())
    assert len(server.requests) == 2
    # Connections of a loop that has ended must not be left for the garbage collector to complain about.
    assert found == []


def test_one_client_in_two_event_loops_at_once() -> None:
    turns = threading.Barrier(2)

    async def calls(client: BinanceClient) -> None:
        for _ in range(3):
            await asyncio.to_thread(turns.wait, 10)
            await client.spot.ping()

    with RawServer(PING, keep_alive=True) as server, leaks() as found:
        shared = BinanceClient(spot_base_url=server.url)
        with ThreadPoolExecutor(2) as threads:
            for done in [threads.submit(asyncio.run, calls(shared)) for _ in range(2)]:
                done.result()
        asyncio.run(shared.aclose())
        assert shared.limits.spot.groups["raw_requests"].used == 6
        assert in_flight(shared) == 0
    assert len(server.requests) == 6
    assert found == []


def test_many_threads_on_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    create = httpx.Client.__init__

    def counted(self: httpx.Client, *args: Any, **kwargs: Any) -> None:
        made.append(self)
        create(self, *args, **kwargs)

    monkeypatch.setattr(httpx.Client, "__init__", counted)
    start = threading.Barrier(8)

    def calls(client: SyncBinanceClient) -> None:
        start.wait(10)
        for _ in range(5):
            client.spot.ping()

    with RawServer(PING, keep_alive=True) as server, leaks() as found:
        with SyncBinanceClient(spot_base_url=server.url) as shared, ThreadPoolExecutor(8) as threads:
            for done in [threads.submit(calls, shared) for _ in range(8)]:
                done.result()
            assert shared.limits.spot.used == 40
            assert shared.limits.spot.groups["raw_requests"].used == 40
            assert in_flight(shared) == 0
        own = len(made)
        made.clear()
    assert len(server.requests) == 40
    # Each further one would be a connection pool that nobody closes.
    assert own == 1
    assert found == []


async def test_many_tasks_on_one_client(recorder: Recorder) -> None:
    async with recorder.asynchronous() as client:
        await asyncio.gather(*(client.spot.ping() for _ in range(40)))
        assert client.limits.spot.used == 40
        assert in_flight(client) == 0
