"""The store behind a cache: where it is, what it refuses, and what becomes of calls while it is away."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from binance_sdk import RequestOptions, SyncBinanceClient
from binance_sdk._runtime.calls.shared_cache import cache_store
from binance_sdk._runtime.calls.shared_cache.stored_answer import INDEX, StoredAnswer, pack
from binance_sdk.errors import ConfigError
from binance_sdk.events import Event, StoreChanged
from binance_sdk.simulator import Simulator
from tests.shared.servers import SERVERS, Server, free_port, running, valkey

from .conftest import requests

_MINUTE = RequestOptions(cache=60)


def _client(exchange: Simulator, url: str, **more: Any) -> SyncBinanceClient:
    return SyncBinanceClient(spot_base_url=exchange.base_url("spot"), cache_url=url, cache=True, **more)


def _until(reached: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.01)


def _state(client: SyncBinanceClient) -> str:
    assert client.cache.store is not None
    return client.cache.store.state


# ----------------------------------------------------------------------------------- which store


def _seen(client: SyncBinanceClient) -> str | None:
    with client:
        address = client._core.settings.cache_store
        return None if address is None else address.shown


def test_which_store_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    limits, cache = "redis://limits/0", "redis://:gehe1m@cache/1"
    assert _seen(SyncBinanceClient(cache=True)) is None
    assert _seen(SyncBinanceClient(limits_url=limits)) is None
    assert _seen(SyncBinanceClient(limits_url=limits, cache=True)) == limits
    assert _seen(SyncBinanceClient(limits_url=limits, cache=30)) == limits
    assert _seen(SyncBinanceClient(limits_url=limits, cache=True, cache_url=cache)) == "redis://cache/1"
    assert _seen(SyncBinanceClient(limits_url=limits, cache=True, cache_url="")) is None
    assert _seen(SyncBinanceClient(cache_url=cache)) == "redis://cache/1"
    monkeypatch.setenv("BINANCE_SDK_CACHE_URL", cache)
    assert _seen(SyncBinanceClient(limits_url=limits)) == "redis://cache/1"
    assert _seen(SyncBinanceClient(cache_url="unix:///run/valkey.sock")) == "unix:///run/valkey.sock"
    monkeypatch.setenv("BINANCE_SDK_CACHE_URL", "http://:gehe1m@cache")
    with pytest.raises(ConfigError, match="BINANCE_SDK_CACHE_URL must begin with one of redis://") as caught:
        SyncBinanceClient()
    assert "gehe1m" not in str(caught.value)


def test_nothing_of_it_is_loaded_without_one() -> None:
    code = (
        "import sys; from binance_sdk import SyncBinanceClient; SyncBinanceClient(cache=True).close();"
        "print([name for name in sys.modules if name.split('.')[0] == 'redis' or 'shared_cache' in name"
        " or name.startswith('binance_sdk._runtime.store')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stdout


def test_nothing_is_opened_before_the_first_call_and_nothing_stays_behind(exchange: Simulator, store: Server) -> None:
    def threads() -> set[str]:
        return {thread.name for thread in threading.enumerate()}

    with _client(exchange, store.url) as client:
        assert _state(client) == "unused"
        assert "binance-sdk cache" not in threads()
        with _client(exchange, store.url) as other:
            other.spot.exchange_info()
        assert "binance-sdk cache" in threads()
        client.spot.exchange_info()
        assert client.cache.store_hits == 1
    assert "binance-sdk cache" not in threads()


def test_what_a_closing_client_got_last_is_stored(exchange: Simulator, store: Server) -> None:
    for hits in (0, 1):
        with _client(exchange, store.url) as client:
            client.spot.exchange_info()
            assert client.cache.store_hits == hits


@pytest.mark.parametrize("kind", ["socket", "cluster"])
def test_other_kinds_of_address(exchange: Simulator, kind: str) -> None:
    more = {
        "socket": ["--unixsocket", "valkey.sock"],
        "cluster": ["--cluster-enabled", "yes", "--cluster-port", str(free_port())],
    }[kind]
    with running(valkey(), *more) as server:
        url = f"unix://{server.directory}/valkey.sock"
        if kind == "cluster":
            url = server.url.replace("redis://", "redis+cluster://").removesuffix("/0")
            with redis.Redis(port=server.port) as looking:
                looking.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
                _until(lambda: looking.cluster("INFO")["cluster_state"] == "ok")
        for hits in (0, 1):
            with _client(exchange, url) as client:
                client.spot.exchange_info()
                assert (client.cache.store_hits, _state(client)) == (hits, "connected")


# ------------------------------------------------------------------------------------- refused


def test_a_wrong_password_is_an_error_that_does_not_show_it(exchange: Simulator, store: Server) -> None:
    url = store.url.replace("redis://", "redis://user:gehe1m@")
    with _client(exchange, url) as client:
        with pytest.raises(
            ConfigError, match=r"spot.exchange_info: .*refuses the user or password of cache_url"
        ) as caught:
            client.spot.exchange_info()
        assert "gehe1m" not in repr(client) + str(caught.value) + repr(client._core.settings)
        # What may not come from the store does not ask it.
        assert client.spot.exchange_info(options=RequestOptions(cache=False)).symbols


@pytest.mark.parametrize("kind", sorted(SERVERS))
def test_a_user_needs_what_the_page_names_and_no_more(exchange: Simulator, kind: str) -> None:
    program = SERVERS[kind]()
    if program is None:
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    page = (Path(__file__).parents[2] / "docs" / "shared-cache.md").read_text("utf-8")
    named = re.findall(r"\+[a-z]+", page[page.index("A user needs") :])
    assert len(named) > 20
    with running(program) as server, redis.Redis(port=server.port) as looking:
        url = server.url.replace("redis://", "redis://cache:gehe1m@")

        def grant(commands: list[str]) -> None:
            looking.acl_setuser(
                "cache", enabled=True, reset=True, passwords=["+gehe1m"], keys=["binance-sdk:*"], commands=commands
            )

        grant(named)
        for hits in (0, 1):
            with _client(exchange, url) as client:
                client.spot.exchange_info()
                assert (client.cache.store_hits, _state(client)) == (hits, "connected")
        grant([name for name in named if name != "+type"])
        with (
            _client(exchange, url) as client,
            pytest.raises(ConfigError, match="cache_url, or what it needs") as caught,
        ):
            client.spot.exchange_info()
        assert "gehe1m" not in str(caught.value)
        grant(named)
        with _client(exchange, url) as client:
            client.spot.ticker_price("BTCUSDT", options=_MINUTE)
            grant([name for name in named if name != "+type"])
            # Once it has been in use, it is lost.
            assert client.spot.ticker_price("ETHUSDT", options=_MINUTE).symbol == "ETHUSDT"
            assert _state(client) == "lost"
        # Where only storing is refused, what is there is found until it is noticed.
        grant([name for name in named if name != "+zadd"])
        with _client(exchange, url) as client:
            client.spot.ticker_price("SOLUSDT", options=_MINUTE)
            _until(lambda: _state(client) == "lost")
            assert client.spot.ticker_price("ETHUSDT", options=_MINUTE).symbol == "ETHUSDT"


def test_a_store_that_nobody_named_is_a_miss_if_its_user_may_not_do_enough(exchange: Simulator) -> None:
    with running(valkey()) as server, redis.Redis(port=server.port) as looking:
        looking.acl_setuser(
            "limits", enabled=True, reset=True, passwords=["+x"], keys=["binance-sdk:*"], commands=["+@all", "-type"]
        )
        url = server.url.replace("redis://", "redis://limits:x@")
        with SyncBinanceClient(spot_base_url=exchange.base_url("spot"), limits_url=url, cache=True) as client:
            assert client.spot.exchange_info().symbols
            assert (_state(client), client.cache.misses) == ("lost", 1)
            assert client.cache.store is not None
            assert "refuses the user or password of limits_url, or what it needs" in client.cache.store.reason
            assert client.limits.store is not None
            assert client.limits.store.state == "connected"


def test_a_server_that_is_too_old_is_an_error(
    exchange: Simulator, store: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def old(*_: object) -> dict[str, str]:
        return {"redis_version": "6.2.14"}

    monkeypatch.setattr(redis.Redis, "info", old)
    with (
        _client(exchange, store.url) as client,
        pytest.raises(ConfigError, match=r"is version 6\.2\.14; 7\.0 or newer is needed"),
    ):
        client.spot.exchange_info()


# ------------------------------------------------------------------------------------------ away


def test_a_lost_store_is_a_miss_that_is_told_once_and_it_comes_back_by_itself(
    exchange: Simulator, store: Server, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[StoreChanged] = []

    def watch(event: Event) -> None:
        if isinstance(event, StoreChanged):
            events.append(event)

    with caplog.at_level(logging.WARNING, "binance_sdk"), _client(exchange, store.url, hooks=[watch]) as client:
        client.spot.ticker_price("BTCUSDT", options=_MINUTE)
        store.kill()
        begun = time.monotonic()
        for symbol in ("ETHUSDT", "BNBUSDT", "SOLUSDT"):
            assert client.spot.ticker_price(symbol, options=_MINUTE).symbol == symbol
        assert time.monotonic() - begun < 5
        assert (_state(client), client.cache.misses, client.cache.without_store) == ("lost", 4, 3)
        assert client.cache.store is not None
        assert "cannot be reached" in client.cache.store.reason
        # Memory goes on as without a store.
        client.spot.ticker_price("ETHUSDT", options=_MINUTE)
        assert client.cache.memory_hits == 1
        store.start()
        _until(lambda: _state(client) == "connected")
        client.spot.ticker_price("XRPUSDT", options=_MINUTE)
        with _client(exchange, store.url) as other:
            other.spot.ticker_price("XRPUSDT", options=_MINUTE)
            assert other.cache.store_hits == 1
    assert [event.state for event in events] == ["connected", "lost", "connected"]
    assert {event.setting for event in events} == {"cache_url"}
    lost, back = [text for text in caplog.messages if text.startswith("cache_url: ")]
    assert "until it is back, each process asks the exchange for itself" in lost
    assert back == "cache_url: the store is back; answers are shared again"


def test_a_store_that_was_never_there_is_a_miss(exchange: Simulator, store: Server) -> None:
    with _client(exchange, f"redis://127.0.0.1:{free_port()}") as client:
        assert client.spot.exchange_info().symbols
        assert (_state(client), client.cache.misses) == ("lost", 1)


def test_a_store_that_closed_the_connection_is_asked_again_at_once(exchange: Simulator, store: Server) -> None:
    with _client(exchange, store.url) as client:
        client.spot.ticker_price("BTCUSDT", options=_MINUTE)
        _until(lambda: _keys(store))
        with redis.Redis(port=store.port) as looking:
            looking.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        client.spot.ticker_price("ETHUSDT", options=_MINUTE)
        assert (_state(client), client.cache.without_store) == ("connected", 0)


def _keys(store: Server) -> list[Any]:
    with redis.Redis(port=store.port) as looking:
        found: Any = looking.keys("*index")
    return list(found)


def test_a_store_that_does_not_answer_is_waited_for_once_and_not_for_long(
    exchange: Simulator, store: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_store, "PATIENCE", 0.2)
    with _client(exchange, store.url) as client, redis.Redis(port=store.port) as looking:
        client.spot.ticker_price("BTCUSDT", options=_MINUTE)
        _until(lambda: _keys(store))

        # For as long as it sleeps, the server answers nobody.
        def sleep() -> None:
            looking.execute_command("DEBUG", "SLEEP", "1")  # pyright: ignore[reportUnknownMemberType]

        sleeping = threading.Thread(target=sleep, daemon=True)
        sleeping.start()
        time.sleep(0.05)
        for symbol in ("ETHUSDT", "BNBUSDT"):
            client.spot.ticker_price(symbol, options=_MINUTE)
        assert sleeping.is_alive(), "both were answered while the store slept"
        assert client.cache.without_store == 2
        assert client.cache.store is not None
        assert client.cache.store.reason.endswith("does not answer within 0.2 s")
        sleeping.join()
        _until(lambda: _state(client) == "connected")


def test_a_store_that_may_not_be_written_to_stays_lost_until_it_may(
    exchange: Simulator, store: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_store, "_RETRY", 0.02)
    with _client(exchange, store.url) as client, redis.Redis(port=store.port) as looking:
        client.spot.ticker_price("BTCUSDT", options=_MINUTE)
        _until(lambda: _keys(store))
        shared = client._core.cache_store
        assert shared is not None
        # As a server that has become a replica, and whose answers can still be read.
        looking.execute_command("REPLICAOF", "127.0.0.1", str(free_port()))
        try:
            client.spot.ticker_price("ETHUSDT", options=_MINUTE)
            assert _state(client) == "lost"
            looks = _commands(looking)
            _until(lambda: _commands(looking) > looks + 3)
            assert (_state(client), shared.changes) == ("lost", 2)
        finally:
            looking.execute_command("REPLICAOF", "NO", "ONE")
        _until(lambda: _state(client) == "connected")


def _commands(looking: Any) -> int:
    """Scripts that the store was asked to run."""
    found: Any = looking.info("commandstats")
    return sum(int(found.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in ("eval", "evalsha"))


def test_where_no_thread_can_be_started_the_exchange_is_asked(
    exchange: Simulator, store: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordinary = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name == "binance-sdk cache":
            raise RuntimeError("can't start new thread")
        ordinary(thread)

    with _client(exchange, store.url) as client:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            assert client.spot.exchange_info().symbols
            assert client.cache.without_store == 1
        client.spot.ticker_price("BTCUSDT")
        assert _state(client) == "connected"


def test_an_answer_that_is_too_large_is_not_stored_and_nobody_waits_for_it(
    exchange: Simulator, store: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_store, "MOST_STORED_BYTES", 100)
    for _ in range(2):
        with _client(exchange, store.url) as client:
            client.spot.exchange_info()
            assert (client.cache.misses, client.cache.waited) == (1, 0)
    assert not _keys(store)
    assert requests(exchange) == 2


def test_answers_that_wait_to_be_stored_are_bounded(
    exchange: Simulator, store: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _client(exchange, store.url) as client:
        size = len(client.spot.with_raw_response.ticker_price("BTCUSDT", options=_MINUTE).content)
        _until(lambda: _count(store) == 1)
        monkeypatch.setattr(cache_store, "_MOST_WAITING", size + 2)
        # One at a time is enough room for each.
        for number, symbol in enumerate(("ETHUSDT", "BNBUSDT", "SOLUSDT"), 2):
            client.spot.ticker_price(symbol, options=_MINUTE)
            _until(lambda expected=number: _count(store) == expected)
        monkeypatch.setattr(cache_store, "_MOST_WAITING", size - 10)
        client.spot.ticker_price("XRPUSDT", options=_MINUTE)
    with _client(exchange, store.url) as other:
        other.spot.ticker_price("XRPUSDT", options=_MINUTE)
        assert (other.cache.misses, other.cache.waited) == (1, 0)


def _count(store: Server) -> int:
    with redis.Redis(port=store.port) as looking:
        found: Any = looking.zcard(INDEX)
    return int(found)


def test_a_thread_that_is_busy_for_too_long_is_a_lost_store_that_comes_back(
    exchange: Simulator, store: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_store, "PATIENCE", 0.1)
    monkeypatch.setattr(cache_store, "_RETRY", 0.05)
    go = threading.Event()

    def slow(identity: str, answer: StoredAnswer) -> bytes:
        go.wait(10)
        return pack(identity, answer)

    monkeypatch.setattr(cache_store, "pack", slow)
    with _client(exchange, store.url) as client:
        client.spot.ticker_price("BTCUSDT", options=_MINUTE)
        client.spot.ticker_price("ETHUSDT", options=_MINUTE)
        assert (_state(client), client.cache.without_store) == ("lost", 1)
        time.sleep(0.1)
        assert _state(client) == "lost"
        go.set()
        _until(lambda: _state(client) == "connected")


def test_a_closed_client_says_so_at_once(exchange: Simulator, store: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_store, "PATIENCE", 30.0)
    for used in (True, False):
        client = _client(exchange, store.url)
        if used:
            client.spot.exchange_info()
        client.close()
        begun = time.monotonic()
        with pytest.raises(ConfigError, match="the client is closed"):
            client.spot.ticker_price("BTCUSDT")
        assert time.monotonic() - begun < 4
    assert "binance-sdk cache" not in {thread.name for thread in threading.enumerate()}
