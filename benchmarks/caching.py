"""What an answer of another process costs, against a bare GET of its bytes; and how often ten processes at once ask.

Each answer is taken from the store once, so that the memory of the process is not what is measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import redis

from benchmarks._environments import ROOT
from benchmarks._figures import Figure, Target
from benchmarks._judge import Judge
from binance_sdk import RequestOptions, SyncBinanceClient
from tests.shared.servers import Server, running, valkey

_ROUNDS, _CALLS = 5, 100
_HOUR = RequestOptions(cache=3600)
_PROCESSES = 10


def run(options: Any) -> list[Figure]:
    with (
        running(valkey()) as server,
        Judge(weight_limits={"spot": 10**9}, history_days=3, symbols=["BTCUSDT"]) as judge,
    ):
        url = judge.base_url("spot")
        return [*_cost(server, url, "5 candles", 5), *_cost(server, url, "500 candles", 500), *_at_once(server, judge)]


def _cost(server: Server, url: str, name: str, rows: int) -> list[Figure]:
    hits: list[float] = []
    asked: list[float] = []
    floors: list[float] = []
    ratios: list[float] = []
    settings: dict[str, Any] = {"spot_base_url": url, "safety_margin": 0}
    with (
        SyncBinanceClient(**settings, cache_url=server.url) as writer,
        SyncBinanceClient(**settings, cache_url=server.url) as reader,
        SyncBinanceClient(**settings) as alone,
        redis.Redis(port=server.port) as bare,
    ):
        bare.flushall()
        end = round(time.time() / 60) * 60_000

        def ask(client: SyncBinanceClient, each: int) -> object:
            options = None if client is alone else _HOUR
            return client.spot.klines("BTCUSDT", "1m", limit=rows, end_time=each, options=options)

        for client in (reader, alone):
            ask(client, end + 60_000)
        for round_number in range(_ROUNDS):
            # Each call has an end of its own, and so an answer of its own.
            ends = [end - (round_number * _CALLS + number) * 60_000 for number in range(_CALLS)]
            for each in ends:
                ask(writer, each)
            _settled(server, (round_number + 1) * _CALLS)
            content = alone.spot.with_raw_response.klines("BTCUSDT", "1m", limit=rows, end_time=end).content
            bare.set("bytes", content)
            before = reader.cache.store_hits
            hit = _cpu(lambda each: ask(reader, each), ends)
            assert reader.cache.store_hits - before == _CALLS, reader.cache
            floor = _cpu(lambda _: bare.get("bytes"), ends)
            asked.append(_cpu(lambda each: ask(alone, each), ends))
            hits.append(hit)
            floors.append(floor)
            ratios.append(hit / floor)
    return [
        Figure(
            "cache",
            f"{name}: an answer of another process / a bare GET of its bytes over redis-py",
            median(hits) * 1e6,
            "µs CPU",
            floor=median(floors) * 1e6,
            ratio=median(ratios),
            note="waiting threads, decompression, checks and decoding included",
        ),
        Figure(
            "cache",
            f"{name}: an answer of another process / asking the exchange",
            median(hits) * 1e6,
            "µs CPU",
            floor=median(asked) * 1e6,
            ratio=median(hit / ask for hit, ask in zip(hits, asked, strict=True)),
        ),
    ]


def _settled(server: Server, count: int) -> None:
    """Wait until so many answers are stored."""
    with redis.Redis(port=server.port) as looking:
        until = time.monotonic() + 30
        while looking.zcard("binance-sdk:cache:{v1}:index") < count:
            if time.monotonic() > until:
                raise TimeoutError("the answers are not stored")
            time.sleep(0.05)


def _cpu(call: Callable[[int], object], ends: list[int]) -> float:
    begun = time.process_time()
    for each in ends:
        call(each)
    return (time.process_time() - begun) / len(ends)


def _at_once(server: Server, judge: Judge) -> list[Figure]:
    before = _requests(judge)
    command = [sys.executable, "-m", "tests.shared_cache.processes", "many", judge.base_url("spot"), server.url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)) == _PROCESSES
    name = f"{_PROCESSES} processes want exchangeInfo at once: requests"
    return [Figure("cache", name, _requests(judge) - before, target=Target("=", 1))]


def _requests(judge: Judge) -> int:
    return sum(window.requests for window in judge.windows("spot"))
