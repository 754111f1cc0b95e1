"""Who sends a message to the store: a blocking caller itself where nobody else does, otherwise the thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from binance_sdk import BinanceClient, RequestOptions, SyncBinanceClient
from binance_sdk._runtime.budget.shared.pool_connection import PoolConnection
from binance_sdk.simulator import Simulator

from .servers import Server, running, valkey

_THREAD = "binance-sdk limits"
_RUN = PoolConnection.run


@pytest.fixture(scope="module")
def store() -> Iterator[Server]:
    with running(valkey()) as server:
        yield server


@pytest.fixture
def settings(store: Server) -> Iterator[dict[str, Any]]:
    with redis.Redis(port=store.port) as client:
        client.flushall()
    with Simulator() as exchange:
        yield {"spot_base_url": exchange.base_url("spot"), "limits_url": store.url}


@pytest.fixture
def senders(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the threads that have sent a message."""
    found: list[str] = []

    def run(self: PoolConnection, *arguments: Any) -> Any:
        found.append(threading.current_thread().name)
        return _RUN(self, *arguments)

    monkeypatch.setattr(PoolConnection, "run", run)
    return found


def test_blocking_calls_send_their_messages_themselves(settings: dict[str, Any], senders: list[str]) -> None:
    with SyncBinanceClient(**settings) as client:
        client.spot.ping()
        assert set(senders) == {_THREAD}
        senders.clear()
        for _ in range(5):
            client.spot.ping()
        assert senders.count("MainThread") == 5
    # What has ended last is told by the thread, when the client is closed at the latest.
    assert senders[-1] == _THREAD


def test_a_caller_with_little_time_leaves_it_to_the_thread(settings: dict[str, Any], senders: list[str]) -> None:
    with SyncBinanceClient(**settings) as client:
        client.spot.ping()
        for _ in range(3):
            client.spot.ping(options=RequestOptions(deadline=4))
    assert set(senders) == {_THREAD}


async def test_an_event_loop_is_never_blocked(settings: dict[str, Any], senders: list[str]) -> None:
    async with BinanceClient(**settings) as client:
        for _ in range(3):
            await client.spot.ping()
    assert set(senders) == {_THREAD}


def test_who_comes_while_a_message_is_under_way_is_served_by_the_thread(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sending, go_on, senders = threading.Event(), threading.Event(), list[str]()

    def run(self: PoolConnection, *arguments: Any) -> Any:
        name = threading.current_thread().name
        senders.append(name)
        if name == "first":
            sending.set()
            assert go_on.wait(10)
        return _RUN(self, *arguments)

    with SyncBinanceClient(**settings) as client:
        client.spot.ping()
        monkeypatch.setattr(PoolConnection, "run", run)
        first = threading.Thread(target=client.spot.ping, name="first")
        first.start()
        assert sending.wait(10)
        others = [threading.Thread(target=client.spot.ping, name=f"other {number}") for number in range(3)]
        for thread in others:
            thread.start()
        while client.limits.spot.waiting < 4:
            assert first.is_alive()
        go_on.set()
        for thread in (first, *others):
            thread.join(10)
            assert not thread.is_alive()
    assert set(senders) == {"first", _THREAD}


@pytest.mark.parametrize("answered", [False, True], ids=["before it is sent", "after its answer"])
def test_a_caller_that_is_stopped_while_it_sends_leaves_everything_in_order(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *, answered: bool
) -> None:
    stopped: list[str] = []

    def run(self: PoolConnection, *arguments: Any) -> Any:
        if threading.current_thread() is not threading.main_thread() or stopped:
            return _RUN(self, *arguments)
        if answered:
            _RUN(self, *arguments)
        stopped.append("once")
        raise KeyboardInterrupt

    with SyncBinanceClient(**settings) as client:
        client.spot.ping()
        monkeypatch.setattr(PoolConnection, "run", run)
        with pytest.raises(KeyboardInterrupt):
            client.spot.depth("BTCUSDT", limit=100)
        client.spot.ping()
        assert client.limits.spot.used == 2
        assert client.limits.store is not None
        assert client.limits.store.state == "connected"


def test_who_waits_for_the_answer_to_a_stopped_caller_gets_one(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sending, go_on = threading.Event(), threading.Event()

    class StoppedError(BaseException):
        """As ``KeyboardInterrupt``, which only a main thread gets."""

    def run(self: PoolConnection, *arguments: Any) -> Any:
        if threading.current_thread().name == "stopped":
            sending.set()
            assert go_on.wait(10)
            raise StoppedError
        return _RUN(self, *arguments)

    def quietly(call: Callable[[], object]) -> None:
        with pytest.raises(StoppedError):
            call()

    with SyncBinanceClient(**settings) as client:
        client.spot.ping()
        monkeypatch.setattr(PoolConnection, "run", run)
        thread = threading.Thread(target=quietly, args=(client.spot.ping,), name="stopped")
        thread.start()
        assert sending.wait(10)
        other = threading.Thread(target=client.spot.ping, name="other")
        other.start()
        while client.limits.spot.waiting < 2:
            assert other.is_alive()
        go_on.set()
        thread.join(10)
        other.join(10)
        assert not other.is_alive()
