"""Iterators of both clients from call to row: they agree, close early, and pass errors on."""

from __future__ import annotations

from typing import Any

import pytest

from binance_sdk.catalogue import CATALOGUE
from binance_sdk.errors import DecodeError

from .fake_exchange import Candle, Exchange
from .support import KEY, NOW_MS, Recorder

MINUTE, DAY = 60_000, 86_400_000
BASE = NOW_MS // DAY * DAY - 10 * DAY

KLINE = '[{},"1","2","0.5","1.5","10",{},"12",30,"5","6","0"]'


def candles(recorder: Recorder, count: int) -> None:
    exchange = Exchange(
        CATALOGUE["spot"].operations["klines"], [Candle(BASE + n * MINUTE) for n in range(count)], time="open_time"
    )

    def answer(request: Any) -> bytes:
        asked = {name: int(value) if value.isdigit() else value for name, value in request.url.params.items()}
        rows = _run(exchange(asked))
        return ("[" + ",".join(KLINE.format(row.open_time, row.open_time + MINUTE - 1) for row in rows) + "]").encode()

    recorder.answer = answer


def _run(coroutine: Any) -> Any:
    """The result of a coroutine that never waits, also where an event loop runs already."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waited")


async def test_async_and_sync_iterators_agree(recorder: Recorder) -> None:
    candles(recorder, 25)
    arguments: dict[str, Any] = {"start_time": BASE, "end_time": BASE + 20 * MINUTE, "page_size": 7}
    async with recorder.asynchronous() as client:
        first = [row async for row in client.spot.iter_klines("BTCUSDT", "1m", **arguments)]
        asked = recorder.asked
        plan = client.spot.plan.iter_klines("BTCUSDT", "1m", **arguments)
    recorder.requests.clear()
    with recorder.sync() as blocking:
        second = list(blocking.spot.iter_klines("BTCUSDT", "1m", **arguments))
    assert first == second
    assert [row.open_time for row in first] == [BASE + n * MINUTE for n in range(21)]
    assert asked == recorder.asked
    assert len(asked) <= plan.requests + 1


async def test_leaving_early_asks_no_further(recorder: Recorder) -> None:
    candles(recorder, 25)
    async with recorder.asynchronous() as client:
        iterator = client.spot.iter_klines("BTCUSDT", "1m", start_time=BASE, page_size=7)
        assert recorder.requests == []
        async for row in iterator:
            if row.open_time == BASE + 3 * MINUTE:
                break
        await iterator.aclose()  # type: ignore[attr-defined]
        assert [row async for row in iterator] == []
    with recorder.sync() as blocking:
        blocked = blocking.spot.iter_klines("BTCUSDT", "1m", start_time=BASE, page_size=7)
        assert next(blocked).open_time == BASE
        blocked.close()  # type: ignore[attr-defined]
        assert list(blocked) == []
    assert len(recorder.requests) == 2


def test_an_iterator_never_begun_leaves_no_warning(recorder: Recorder) -> None:
    with recorder.sync(api_key=KEY) as client:
        client.spot.iter_klines("BTCUSDT", "1m", start_time=BASE)
    assert recorder.requests == []


def test_an_error_on_the_way_comes_out_after_the_rows_before_it(recorder: Recorder) -> None:
    candles(recorder, 10)
    good = recorder.answer
    recorder.answer = lambda request: good(request) if len(recorder.requests) < 2 else b"{}"
    with recorder.sync() as client:
        iterator = client.spot.iter_klines("BTCUSDT", "1m", start_time=BASE, page_size=4)
        assert [next(iterator).open_time for _ in range(4)] == [BASE + n * MINUTE for n in range(4)]
        with pytest.raises(DecodeError, match=r"spot\.klines"):
            next(iterator)
        assert list(iterator) == []
