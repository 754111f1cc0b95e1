"""Clients that spend from one store, against a simulated exchange: two shares in one process are two consumers."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from binance_sdk import BinanceClient, RequestOptions, SyncBinanceClient
from binance_sdk._runtime.budget.shared.script import pool_key
from binance_sdk._runtime.store import connection
from binance_sdk.errors import BudgetError, ConfigError, IPBannedError
from binance_sdk.events import Event, StoreChanged, Waited
from binance_sdk.simulator import Simulator

from .servers import Server, running, valkey

_DAY = 86_400
# No window ends in a test: of each limit a new store gives out 3 % until then.
_WEIGHT, _GIVEN = 10_000, 300


@pytest.fixture
def exchange() -> Iterator[Simulator]:
    with Simulator(weight_limits={"spot": _WEIGHT}, weight_window_seconds=_DAY) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def valkey_server() -> Iterator[Server]:
    with running(valkey()) as server:
        yield server


@pytest.fixture
def store(valkey_server: Server) -> Server:
    if valkey_server.process is None:
        valkey_server.start()
    with redis.Redis(port=valkey_server.port) as client:
        client.flushall()
    return valkey_server


def _settings(exchange: Simulator, store: Server, share: float = 1.0, **more: Any) -> dict[str, Any]:
    plain = {"limits_url": store.url, "limits_share": share, "safety_margin": 0}
    return {"spot_base_url": exchange.base_url("spot"), **plain, **more}


def _learned(client: SyncBinanceClient) -> SyncBinanceClient:
    """The client after exchangeInfo, which tells the limits of the simulator."""
    client.spot.exchange_info(symbol="BTCUSDT")
    return client


def _spend_all(client: SyncBinanceClient) -> None:
    for _ in range(_WEIGHT):
        client.spot.depth("BTCUSDT", limit=1000, options=RequestOptions(wait=False))


def _key(exchange: Simulator) -> str:
    return pool_key("default", f"{exchange.base_url('spot').removeprefix('http://')}/spot")


def test_what_one_client_spends_another_cannot(exchange: Simulator, store: Server) -> None:
    with (
        SyncBinanceClient(**_settings(exchange, store)) as first,
        SyncBinanceClient(**_settings(exchange, store, 2.0)) as second,
    ):
        _learned(first)
        for _ in range(5):
            first.spot.depth("BTCUSDT", limit=1000)
        # The second was told neither the limit nor what is spent: it never asked the exchange.
        second.spot.ping()
        assert second.limits.spot.limit == _WEIGHT
        assert second.limits.spot.used == exchange.used_weight("spot") == 20 + 250 + 1
        with pytest.raises(
            BudgetError, match=r"depth: waits for .* weight, fits in [\d.]+ s at the earliest; wait=False"
        ):
            second.spot.depth("BTCUSDT", limit=1000, options=RequestOptions(wait=False))
        # What fits is not refused.
        second.spot.depth("BTCUSDT", limit=100, options=RequestOptions(wait=False))
        assert second.limits.store is not None
        assert (second.limits.store.state, second.limits.store.processes) == ("connected", 2)
        assert exchange.used_weight("spot") <= _GIVEN


async def test_many_calls_at_once_are_asked_for_together(exchange: Simulator, store: Server) -> None:
    events: list[Event] = []
    async with BinanceClient(**_settings(exchange, store, hooks=[events.append])) as client:
        await client.spot.ping()
        before = _messages(store)
        await asyncio.gather(*(client.spot.ping() for _ in range(100)))
        assert 0 < _messages(store) - before < 100
    assert [event for event in events if isinstance(event, StoreChanged)] == [StoreChanged("connected", "")]
    # The question to the store alone is no wait; some of the hundred waited for a slot of their client.
    assert len([event for event in events if isinstance(event, Waited)]) < 100


def test_one_call_after_the_other_is_one_message_each(exchange: Simulator, store: Server) -> None:
    with SyncBinanceClient(**_settings(exchange, store)) as client:
        client.spot.ping()
        before = _messages(store)
        for _ in range(20):
            client.spot.ping()
        assert _messages(store) - before <= 20


def _messages(store: Server) -> int:
    with redis.Redis(port=store.port) as client:
        found: Any = client.info("commandstats")
    return int(found["cmdstat_evalsha"]["calls"])


def test_a_closed_client_leaves_neither_thread_nor_trace(exchange: Simulator, store: Server) -> None:
    with SyncBinanceClient(**_settings(exchange, store)) as client:
        client.spot.depth("BTCUSDT", limit=100)
        assert "binance-sdk limits" in {thread.name for thread in threading.enumerate()}
    assert "binance-sdk limits" not in {thread.name for thread in threading.enumerate()}
    with redis.Redis(port=store.port) as looking:
        assert looking.hkeys(_key(exchange)) == [b"pool"]
    with SyncBinanceClient(**_settings(exchange, store)) as client:
        client.spot.ping()
        assert client.limits.spot.used == 5 + 1


def test_a_ban_is_one_for_all_and_outlives_the_process_that_met_it(exchange: Simulator, store: Server) -> None:
    with SyncBinanceClient(**_settings(exchange, store, 2.0)) as second:
        second.spot.ping()
        with SyncBinanceClient(**_settings(exchange, store)) as first:
            exchange.add_fault("banned:seconds=300,where=spot.time,count=1")
            with pytest.raises(IPBannedError):
                first.spot.time()
        sent = len(exchange.windows("spot")) and exchange.windows("spot")[-1].requests
        # The next message tells the second, and every one that comes later.
        with pytest.raises(IPBannedError, match="not sent"):
            second.spot.ping()
        with (
            SyncBinanceClient(**_settings(exchange, store, 3.0)) as third,
            pytest.raises(IPBannedError, match="not sent"),
        ):
            third.spot.ping()
        assert exchange.windows("spot")[-1].requests == sent
        assert 200 < second.limits.spot.closed_for <= 310


def test_a_lost_store_is_told_and_calls_go_on_until_it_is_back(
    exchange: Simulator, store: Server, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[StoreChanged] = []

    def watch(event: Event) -> None:
        if isinstance(event, StoreChanged):
            events.append(event)

    with (
        caplog.at_level(logging.WARNING, "binance_sdk"),
        SyncBinanceClient(**_settings(exchange, store, hooks=[watch])) as client,
    ):
        client.spot.ping()
        store.kill()
        for _ in range(3):
            client.spot.ping()
        assert client.limits.store is not None
        assert client.limits.store.state == "lost"
        assert "cannot be reached" in client.limits.store.reason
        # Of what was left, this process has its part, and no more.
        with pytest.raises(BudgetError):
            _spend_all(client)
        assert exchange.used_weight("spot") <= 0.97 * 6000
        store.start()
        until = time.monotonic() + 20
        with redis.Redis(port=store.port) as looking:
            while not looking.exists(_key(exchange)):
                assert time.monotonic() < until
                time.sleep(0.05)
    assert events[:2] == [StoreChanged("connected", ""), StoreChanged("lost", events[1].reason)]
    assert len([text for text in caplog.messages if "spend this process's own part" in text]) == 1


def test_without_a_store_from_the_start_a_small_part_may_be_spent(exchange: Simulator, store: Server) -> None:
    store.kill()
    with SyncBinanceClient(**_settings(exchange, store)) as client:
        client.spot.ping()
        assert client.limits.store is not None
        assert client.limits.store.state == "lost"
        with pytest.raises(BudgetError):
            _spend_all(client)
        assert exchange.used_weight("spot") <= 0.03 * 6000


def test_a_key_with_something_else_in_it_is_a_clear_error(exchange: Simulator, store: Server) -> None:
    with redis.Redis(port=store.port) as looking, SyncBinanceClient(**_settings(exchange, store)) as client:
        for name, value in (("name", "value"), ("pool", b"\x81\xa6format\x63")):
            looking.delete(_key(exchange))
            looking.hset(_key(exchange), name, value)  # type: ignore[arg-type]
            with pytest.raises(
                ConfigError, match=r"spot.ping: .*the key 'binance-sdk:{default}:.* use another limits_key"
            ):
                client.spot.ping()
        looking.delete(_key(exchange))
        looking.rpush(_key(exchange), "x")
        with pytest.raises(ConfigError, match="is not ours"):
            client.spot.ping()
        looking.delete(_key(exchange))
        assert client.spot.ping() is not None
    assert exchange.used_weight("spot") == 1


def test_a_wrong_password_is_an_error_that_does_not_show_it(
    exchange: Simulator, store: Server, caplog: pytest.LogCaptureFixture
) -> None:
    url = store.url.replace("redis://", "redis://user:gehe1m@")
    settings: dict[str, Any] = {**_settings(exchange, store), "limits_url": url}
    with caplog.at_level(logging.DEBUG), SyncBinanceClient(**settings) as client:
        with pytest.raises(ConfigError, match="refuses the user or password of limits_url") as caught:
            client.spot.ping()
        assert "gehe1m" not in repr(client) + str(caught.value) + repr(client.limits.store)
        assert all("gehe1m" not in repr(frame.locals) for frame in caught.traceback if str(frame.path) != __file__)
    assert "gehe1m" not in caplog.text


def old(*_: object) -> dict[str, str]:
    return {"redis_version": "6.2.14"}


def test_a_server_that_is_too_old_is_an_error(
    exchange: Simulator, store: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis.Redis, "info", old)
    with (
        SyncBinanceClient(**_settings(exchange, store)) as client,
        pytest.raises(ConfigError, match=r"is version 6\.2\.14; 7\.0 or newer is needed"),
    ):
        client.spot.ping()


def test_a_store_that_does_not_answer_has_a_bound(
    exchange: Simulator, store: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "TIMEOUT", 0.2)
    with SyncBinanceClient(**_settings(exchange, store)) as client, redis.Redis(port=store.port) as looking:
        client.spot.ping()

        # For as long as it sleeps, the server answers nobody.
        def sleep() -> None:
            looking.execute_command("DEBUG", "SLEEP", "2")  # pyright: ignore[reportUnknownMemberType]

        sleeping = threading.Thread(target=sleep, daemon=True)
        sleeping.start()
        time.sleep(0.05)
        begun = time.monotonic()
        client.spot.ping()
        assert time.monotonic() - begun < 1.5
        assert client.limits.store is not None
        assert "does not answer within" in client.limits.store.reason
        sleeping.join()
