"""Real processes with one store: ``python -m tests.shared_cache.processes STORY EXCHANGE STORE``, which prints JSON.

They are forked from one that has imported everything, has built what reads an answer, and has opened nothing.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import httpx  # noqa: F401 - imported once for all
import redis

from binance_sdk import RequestOptions, SyncBinanceClient
from binance_sdk._runtime.calls.shared_cache import cache_store
from binance_sdk._runtime.calls.shared_cache.messages import Question
from binance_sdk._runtime.calls.shared_cache.stored_answer import StoredAnswer
from binance_sdk.catalogue import CATALOGUE, fixture
from binance_sdk.events import Event, RequestSent

_FORKS = multiprocessing.get_context("fork")
_EXCHANGE, _STORE = sys.argv[2:4]
_LONGEST = 100


def _client(**more: Any) -> SyncBinanceClient:
    return SyncBinanceClient(spot_base_url=_EXCHANGE, cache_url=_STORE, cache=True, **more)


def _report(client: SyncBinanceClient, begun: float) -> dict[str, Any]:
    cache = client.cache
    symbols = len(client.spot.exchange_info().symbols)
    told = {"symbols": symbols, "misses": cache.misses, "hits": cache.store_hits, "waited": cache.waited}
    weight = client.limits.spot.weight
    return {**told, "seconds": time.monotonic() - begun, "window": weight.seconds, "used": weight.used}


def _started(work: Callable[[Connection], None]) -> tuple[multiprocessing.process.BaseProcess, Connection]:
    def begin(pipe: Connection) -> None:
        # One that hangs outlives nobody for long.
        signal.alarm(_LONGEST)
        work(pipe)

    ours, theirs = _FORKS.Pipe()
    process = _FORKS.Process(target=begin, args=(theirs,), daemon=True)
    process.start()
    return process, ours


def many(count: int = 10) -> list[dict[str, Any]]:
    """So many processes ask at once."""
    barrier = _FORKS.Barrier(count)

    def work(pipe: Connection) -> None:
        with _client() as client:
            barrier.wait(30)
            pipe.send(_report(client, time.monotonic()))

    started = [_started(work) for _ in range(count)]
    reports = [pipe.recv() for _, pipe in started]
    for process, _ in started:
        process.join()
    return reports


def killed() -> dict[str, Any]:
    """The one that asks is killed, and another one waits for it."""
    cache_store.LAPSE, cache_store._RENEW = 0.5, 0.1

    def ask(pipe: Connection) -> None:
        def hook(event: Event) -> None:
            if isinstance(event, RequestSent):
                pipe.send("sent")

        _client(hooks=[hook]).spot.exchange_info()

    def wait(pipe: Connection) -> None:
        with _client() as client:
            waiting = threading.Thread(target=client.spot.exchange_info)
            waiting.start()
            while not client.cache.waited:
                time.sleep(0.005)
            pipe.send("waits")
            begun = time.monotonic()
            waiting.join()
            pipe.send(_report(client, begun))

    asking, told = _started(ask)
    assert told.recv() == "sent"
    _, heard = _started(wait)
    assert heard.recv() == "waits"
    # It says that it is alive, or its right would have lapsed by now.
    time.sleep(2 * cache_store.LAPSE)
    assert not heard.poll()
    assert asking.pid is not None
    os.kill(asking.pid, signal.SIGKILL)
    report: dict[str, Any] = heard.recv()
    return report


def forked() -> dict[str, Any]:
    """A client is used before a fork, in the child, and in the middle of a request that the fork interrupts."""
    parent = os.getpid()
    seen: dict[str, Any] = {}

    def fork_in_request(event: Event) -> None:
        if not isinstance(event, RequestSent) or event.operation != "spot.depth":
            return
        process, pipe = _started(lambda pipe: pipe.send(_in_child()))
        seen["child"] = pipe.recv()
        process.join()
        with redis.Redis.from_url(_STORE) as looking:
            seen["locks"] = len(list(looking.scan_iter("binance-sdk:cache:{v1}:spot.depth:*:*")))

    def _in_child() -> list[int]:
        # What the parent's call goes on to do there, without a right of its own.
        store = client._core.cache_store
        assert store is not None
        (question,) = asked
        answer = StoredAnswer(200, {}, b"{}", 5, None, "", 0.0, 0)
        store.keep(question.keys, question.token, answer, 60.0, 60.0)
        store.let_go(question.keys, question.token, failed=False)
        client.spot.exchange_info()
        return [client.cache.store_hits, client.cache.misses]

    asked: list[Question] = []
    find = cache_store.CacheStore.find

    def remember(store: cache_store.CacheStore, keys: Any, *more: Any, **named: Any) -> Question:
        question = find(store, keys, *more, **named)
        if "spot.depth" in keys.answer and os.getpid() == parent:
            asked[:] = [question]
        return question

    cache_store.CacheStore.find = remember  # type: ignore[method-assign]
    with _client(hooks=[fork_in_request]) as client:
        client.spot.exchange_info()
        client.spot.depth("BTCUSDT", options=RequestOptions(cache=60))
        seen["parent"] = [client.cache.store_hits, client.cache.misses]
    with _client() as other:
        seen["symbol"] = len(other.spot.depth("BTCUSDT", options=RequestOptions(cache=60)).bids) > 0
        seen["hits"] = other.cache.store_hits
    return seen


def _prepare() -> None:
    for variant in CATALOGUE["spot"].operations["exchange_info"].variants:
        variant.reader.read(fixture("spot", "exchange_info"))


if __name__ == "__main__":
    _prepare()
    sys.stdout.write(json.dumps({"many": many, "killed": killed, "forked": forked}[sys.argv[1]]()))
