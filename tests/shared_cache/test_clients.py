"""Clients that share answers through one store: what is shared, for how long, and who waits for whom."""

from __future__ import annotations

import asyncio
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import redis

from binance_sdk import BinanceClient, RequestOptions, SyncBinanceClient
from binance_sdk._generated.spec import SPEC_HASH
from binance_sdk._runtime.calls.shared_cache import cache_store, shared_cache
from binance_sdk._runtime.calls.shared_cache.shared_cache import SharedCache
from binance_sdk._runtime.calls.shared_cache.stored_answer import PREFIX, AnswerKeys
from binance_sdk.errors import APITimeoutError, BadRequestError
from binance_sdk.events import CacheHit, CacheMiss, Event, StoreChanged, WorthlessAnswer
from binance_sdk.simulator import Simulator
from tests.shared.servers import Server

from .conftest import requests

_SECOND = RequestOptions(cache=600)


def _settings(exchange: Simulator, store: Server, **more: Any) -> dict[str, Any]:
    return {"spot_base_url": exchange.base_url("spot"), "cache_url": store.url, "cache": True, **more}


def _client(exchange: Simulator, store: Server, **more: Any) -> SyncBinanceClient:
    return SyncBinanceClient(**_settings(exchange, store, **more))


@pytest.fixture
def two(exchange: Simulator, store: Server) -> Iterator[tuple[SyncBinanceClient, SyncBinanceClient]]:
    with _client(exchange, store) as first, _client(exchange, store) as second:
        yield first, second


def _answers(store: Server) -> list[str]:
    with redis.Redis(port=store.port, decode_responses=True) as looking:
        names: Any = looking.keys(f"{PREFIX}*")
    # Locks have one part more.
    return sorted(name for name in names if name.removeprefix(PREFIX).count(":") == 1)


def _stored(store: Server, count: int = 1) -> list[str]:
    """Names of the answers, once there are so many: an answer is stored after it was given to its caller."""
    until = time.monotonic() + 10
    while len(found := _answers(store)) != count:
        assert time.monotonic() < until, found
        time.sleep(0.005)
    return found


# ------------------------------------------------------------------------------------ what is shared


def test_what_one_client_got_another_need_not_ask_for(exchange: Simulator, store: Server) -> None:
    events: list[Event] = []
    with _client(exchange, store) as first, _client(exchange, store, hooks=[events.append]) as second:
        asked = first.spot.with_raw_response.exchange_info()
        used = first.limits.spot.used
        found = second.spot.with_raw_response.exchange_info()
        assert second.limits.spot.used == used == 20
        # As from memory: the answer as it came, and what it cost whoever asked.
        for name in ("data", "status_code", "content", "weight", "used_weight", "url", "elapsed", "retries"):
            assert getattr(found, name) == getattr(asked, name), name
        assert dict(found.headers) == dict(asked.headers)
        assert second.limits.spot.limit == first.limits.spot.limit
        second.spot.exchange_info()
        assert (first.cache.misses, first.cache.hits) == (1, 0)
        assert (second.cache.misses, second.cache.store_hits, second.cache.memory_hits) == (0, 1, 1)
        assert second.cache.store is not None
        assert second.cache.store.state == "connected"
        assert requests(exchange) == 1
    name = "spot.exchange_info"
    assert events == [StoreChanged("connected", "", "cache_url"), CacheHit(name, "store"), CacheHit(name, "memory")]


def test_other_arguments_hosts_and_specs_are_other_answers(
    exchange: Simulator, store: Server, two: tuple[SyncBinanceClient, SyncBinanceClient]
) -> None:
    first, second = two
    first.spot.klines("BTCUSDT", "1h", limit=2, options=_SECOND)
    assert second.spot.klines("BTCUSDT", "1h", limit=2, options=_SECOND)
    assert requests(exchange) == 1
    second.spot.klines("ETHUSDT", "1h", limit=2, options=_SECOND)
    second.spot.klines("BTCUSDT", "1h", limit=3, options=_SECOND)
    assert requests(exchange) == 3
    elsewhere = exchange.base_url("spot").replace("127.0.0.1", "localhost")
    with _client(exchange, store, spot_base_url=elsewhere) as other:
        other.spot.klines("BTCUSDT", "1h", limit=2, options=_SECOND)
    assert requests(exchange) == 4
    with _client(exchange, store) as newer:
        engine = newer._core.engine
        attempts = replace(engine.attempts, catalogue=replace(engine.attempts.catalogue, spec_hash="next"))
        assert newer._core.cache_store is not None
        cache = SharedCache(newer._core.cache_store, attempts)
        newer._core.engine = replace(engine, attempts=attempts, shared_cache=cache)
        newer.spot._caller.inner.engine = newer._core.engine
        newer.spot.klines("BTCUSDT", "1h", limit=2, options=_SECOND)
    assert requests(exchange) == 5
    assert len(_stored(store, 5)) == 5


def test_calls_may_go_around_it(
    exchange: Simulator, store: Server, two: tuple[SyncBinanceClient, SyncBinanceClient]
) -> None:
    first, second = two
    first.spot.exchange_info()
    _stored(store)
    second.spot.exchange_info(options=RequestOptions(cache=False))
    second.spot.exchange_info(options=RequestOptions(cache=0))
    # Headers may hold secrets, and make other answers.
    second.spot.exchange_info(options=RequestOptions(headers={"X-Way": "a"}))
    assert requests(exchange) == 4
    assert len(_answers(store)) == 1
    assert second.cache.store_hits == 0


def test_everybody_decides_how_old_an_answer_may_be(
    exchange: Simulator, store: Server, two: tuple[SyncBinanceClient, SyncBinanceClient]
) -> None:
    first, second = two
    first.spot.ticker_price("BTCUSDT", options=RequestOptions(cache=600))
    (name,) = _stored(store)
    with redis.Redis(port=store.port) as looking:
        at = int(looking.hget(name, "at"))  # type: ignore[arg-type]
        looking.hset(name, "at", str(at - 30_000))
    second.spot.ticker_price("BTCUSDT", options=RequestOptions(cache=60))
    assert requests(exchange) == 1
    # The spec says a second, whatever whoever stored it says; his own answer takes the place of the old one.
    with _client(exchange, store) as third:
        third.spot.ticker_price("BTCUSDT")
    assert requests(exchange) == 2
    assert _stored(store) == [name]


def test_what_is_from_the_store_is_not_kept_for_longer_in_memory(
    exchange: Simulator, store: Server, two: tuple[SyncBinanceClient, SyncBinanceClient]
) -> None:
    first, second = two
    first.spot.exchange_info()
    (name,) = _stored(store)
    with redis.Redis(port=store.port) as looking:
        looking.pexpire(name, 100)
    second.spot.exchange_info()
    time.sleep(0.11)
    second.spot.exchange_info()
    assert (second.cache.store_hits, second.cache.memory_hits, second.cache.misses) == (1, 0, 1)


def test_errors_are_not_kept(
    exchange: Simulator, store: Server, two: tuple[SyncBinanceClient, SyncBinanceClient]
) -> None:
    for client in two:
        with pytest.raises(BadRequestError):
            client.spot.klines("NOTTHERE", "1h", options=_SECOND)
        # Whoever waits for it is told, and asks for himself.
        assert _locks(store) == {b"failed"}
    two[0].spot.exchange_info()
    assert len(_stored(store)) == 1
    assert requests(exchange) == 3


def _locks(store: Server) -> set[bytes]:
    """What the locks say, once they say something else than who has the right."""
    until = time.monotonic() + 10
    with redis.Redis(port=store.port) as looking:
        while True:
            names: Any = looking.keys(f"{PREFIX}*:*:*")
            found: set[Any] = set(looking.mget(names)) if names else set()  # type: ignore[arg-type]
            if all(text is None or len(text) < 32 for text in found) or time.monotonic() > until:
                return found
            time.sleep(0.005)


def test_an_answer_with_rows_left_out_is_not_kept(store: Server) -> None:
    rows = [
        {"id": 1, "price": "1.0", "qty": "1.0", "quoteQty": "1.0", "time": 1, "isBuyerMaker": True, "isBestMatch": True}
    ]
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=[*rows, {}])

    skip = RequestOptions(cache=600, bad_rows="skip")
    for _ in range(2):
        with (
            httpx.Client(transport=httpx.MockTransport(answer)) as http_client,
            SyncBinanceClient(http_client=http_client, cache_url=store.url) as client,
        ):
            found = client.spot.with_raw_response.trades("BTCUSDT", options=skip)
            assert (len(found.data), found.skipped) == (1, 1)
        assert _locks(store) == {b"failed"}
    assert len(asked) == 2
    assert _answers(store) == []


# ----------------------------------------------------------------------------------- one for all


async def _until(reached: Callable[[], int]) -> None:
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110 - it is counted in another thread
            await asyncio.sleep(0.005)


def _lock(exchange: Simulator, target: str = "/api/v3/exchangeInfo", deadline: float | None = None) -> str:
    """The lock of whoever asks for exchangeInfo with the options of a client."""
    options = (None, deadline, 10.0, 3, None, True, None)
    return AnswerKeys.of("spot.exchange_info", SPEC_HASH, exchange.base_url("spot") + target, options).lock


async def test_clients_of_one_process_wait_for_one_request(exchange: Simulator, store: Server) -> None:
    exchange.add_fault("latency:seconds=0.2")
    clients = [BinanceClient(**_settings(exchange, store)) for _ in range(4)]
    answers = await asyncio.gather(*(client.spot.exchange_info() for client in clients))
    assert len({answer.server_time for answer in answers}) == 1
    assert requests(exchange) == 1
    assert sum(client.cache.waited for client in clients) == sum(client.cache.store_hits for client in clients) == 3
    for client in clients:
        await client.aclose()


async def test_a_request_that_takes_long_is_not_made_again_by_those_who_wait(
    exchange: Simulator, store: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_store, "LAPSE", 0.4)
    monkeypatch.setattr(cache_store, "_RENEW", 0.05)
    exchange.add_fault("latency:seconds=1")
    async with (
        BinanceClient(**_settings(exchange, store)) as first,
        BinanceClient(**_settings(exchange, store)) as second,
    ):
        await asyncio.gather(first.spot.exchange_info(), second.spot.exchange_info())
        assert first.cache.misses + second.cache.misses == 1
    assert requests(exchange) == 1


async def test_the_loop_goes_on_while_a_call_waits_and_the_call_keeps_its_deadline(
    exchange: Simulator, store: Server
) -> None:
    async with BinanceClient(**_settings(exchange, store)) as client:
        with redis.Redis(port=store.port) as looking:
            looking.set(_lock(exchange, deadline=0.3), "somebody else", px=60_000)
        begun, turns = time.monotonic(), 0
        call = asyncio.ensure_future(client.spot.exchange_info(options=RequestOptions(deadline=0.3)))
        while not call.done():
            await asyncio.sleep(0.005)
            turns += 1
        assert isinstance(call.exception(), APITimeoutError)
        assert time.monotonic() - begun > 0.25
        assert turns > 10
        assert client.cache.waited == 1
    assert requests(exchange) == 0


def test_other_threads_go_on_while_one_waits(exchange: Simulator, store: Server) -> None:
    with _client(exchange, store) as client, redis.Redis(port=store.port) as looking:
        looking.set(_lock(exchange), "somebody else", px=60_000)
        waiting = threading.Thread(target=client.spot.exchange_info)
        waiting.start()
        client.spot.ping()
        while not client.cache.waited:
            client.spot.time(options=RequestOptions(cache=False))
        assert waiting.is_alive()
        looking.delete(_lock(exchange))
        waiting.join(10)
        assert not waiting.is_alive()
        assert client.cache.misses == 2


def test_nobody_waits_longer_than_a_bound(exchange: Simulator, store: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a busy machine the first look alone may take longer than a tenth of it.
    monkeypatch.setattr(shared_cache, "LONGEST_WAIT", 1.0)
    with _client(exchange, store) as client, redis.Redis(port=store.port) as looking:
        # Connects to the store.
        client.spot.ticker_price("BTCUSDT")
        looking.set(_lock(exchange), "somebody else", px=60_000)
        client.spot.exchange_info()
        assert (client.cache.waited, client.cache.misses) == (1, 2)
        # Who may not wait at all asks at once.
        client.spot.exchange_info(options=RequestOptions(wait=False))
        assert client.cache.waited == 1


def test_a_failed_request_of_one_is_made_by_each_of_those_who_waited(exchange: Simulator, store: Server) -> None:
    with _client(exchange, store) as client, redis.Redis(port=store.port) as looking:
        looking.set(_lock(exchange), "somebody else", px=60_000)
        waiting = threading.Thread(target=client.spot.exchange_info)
        waiting.start()
        while not client.cache.waited:
            time.sleep(0.005)
        looking.set(_lock(exchange), "failed", px=60_000)
        waiting.join(10)
        assert not waiting.is_alive()
        assert client.cache.misses == 1
        # What it got is shared all the same.
        assert len(_stored(store)) == 1


async def test_a_cancelled_request_leaves_its_right_to_the_next(exchange: Simulator, store: Server) -> None:
    exchange.add_fault("latency:seconds=30,count=1")
    async with (
        BinanceClient(**_settings(exchange, store)) as first,
        BinanceClient(**_settings(exchange, store)) as second,
    ):
        asking = asyncio.ensure_future(first.spot.exchange_info())
        await _until(lambda: first.cache.misses)
        waiting = asyncio.ensure_future(second.spot.exchange_info())
        await _until(lambda: second.cache.waited)
        asking.cancel()
        assert (await waiting).symbols
        assert second.cache.misses == 1
        assert len(_stored(store)) == 1
    with redis.Redis(port=store.port) as looking:
        assert not looking.exists(_lock(exchange))


def test_a_hook_may_make_the_call_that_it_is_told_of(exchange: Simulator, store: Server) -> None:
    def hook(event: Event) -> None:
        if isinstance(event, CacheMiss):
            assert client.spot.exchange_info().symbols

    with _client(exchange, store, hooks=[hook]) as client:
        assert client.spot.exchange_info().symbols
        assert client.cache.waited == 0


# ------------------------------------------------------------------------------------- rubbish


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda looking, name: (looking.delete(name), looking.set(name, "x")), "is a string"),
        (lambda looking, name: looking.hset(name, "body", b"rubbish"), "is not compressed"),
        (lambda looking, name: looking.hset(name, "body", looking.hget(name, "body")[:-1]), "is cut short"),
        (lambda looking, name: looking.hset(name, "body", zlib.compress(b"{}\n{}")), "answers another request"),
        (lambda looking, name: looking.hset(name, "body", _without_symbols(looking.hget(name, "body"))), "symbols"),
    ],
)
def test_what_is_no_answer_is_told_replaced_and_never_believed(
    exchange: Simulator, store: Server, spoil: Any, problem: str
) -> None:
    events: list[Event] = []
    with _client(exchange, store) as first:
        first.spot.exchange_info()
        (name,) = _stored(store)
        with redis.Redis(port=store.port) as looking:
            spoil(looking, name)
        with _client(exchange, store, hooks=[events.append]) as second:
            assert second.spot.exchange_info().symbols
            assert (second.cache.worthless, second.cache.misses, second.cache.store_hits) == (1, 1, 0)
            _stored(store)
    (told,) = [event for event in events if isinstance(event, WorthlessAnswer)]
    assert (told.operation, told.key) == ("spot.exchange_info", name)
    assert problem in told.problem
    with _client(exchange, store) as third:
        third.spot.exchange_info()
        assert third.cache.store_hits == 1


def _without_symbols(body: bytes) -> bytes:
    return zlib.compress(zlib.decompress(body).replace(b'"symbols"', b'"others"'))
