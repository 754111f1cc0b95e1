"""Functions of the user: what they raise, and what they call."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient, RequestOptions, SyncBinanceClient
from binance_sdk.errors import RateLimitError
from binance_sdk.events import CacheHit, CacheMiss, GateClosed, RequestSent, ResponseReceived, Retrying, WeightDrift

from .support import Recorder, StillClock, example_answer

BROKEN = [RuntimeError("broken"), asyncio.CancelledError()]


def drifting(recorder: Recorder) -> None:
    """A server that takes 7 for every ping."""
    taken = [100]

    def answer(request: httpx.Request) -> httpx.Response:
        taken[0] += 7
        return httpx.Response(200, content=example_answer(request), headers={"x-mbx-used-weight-1m": str(taken[0])})

    recorder.answer = answer


@pytest.mark.parametrize("error", BROKEN, ids=["error", "cancelled"])
def test_an_on_drift_that_raises_costs_no_answer(
    error: BaseException, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[WeightDrift] = []

    def on_drift(drift: WeightDrift) -> None:
        seen.append(drift)
        raise error

    drifting(recorder)
    with recorder.sync(on_drift=on_drift) as client:
        for _ in range(6):
            assert client.spot.ping() is not None
        assert len(client.limits.drift()) == 1
    assert len(seen) == 1
    assert "on_drift failed on WeightDrift" in caplog.text


@pytest.mark.parametrize("error", BROKEN, ids=["error", "cancelled"])
async def test_a_hook_that_raises_costs_no_answer(
    error: BaseException, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[object] = []

    def hook(event: object) -> None:
        seen.append(event)
        raise error

    async with recorder.asynchronous(hooks=[hook, seen.append], cache=True) as client:
        for _ in range(2):
            assert await client.spot.time() is not None
    kinds = [type(event) for event in seen]
    assert kinds == [kind for kind in (CacheMiss, RequestSent, ResponseReceived, CacheHit) for _ in range(2)]
    assert caplog.text.count("a hook failed on") == 4


def failing_first(request: httpx.Request, left: list[int]) -> httpx.Response | bytes:
    left[0] -= 1
    if left[0] < 0:
        return example_answer(request)
    return httpx.Response(429, headers={"retry-after": "2"}) if left[0] else httpx.Response(500)


def test_a_hook_may_call_its_own_client(recorder: Recorder) -> None:
    """At every event, with one place in all, and the same cached call as the one that runs."""
    left = [2]
    recorder.answer = lambda request: failing_first(request, left)
    seen: list[type] = []
    client: SyncBinanceClient

    def hook(event: object) -> None:
        seen.append(type(event))
        if type(event) is not GateClosed:
            assert client.spot.exchange_info().symbols
        client.spot.ping(options=RequestOptions(max_retries=0))

    with recorder.sync(hooks=[hook], cache=True, max_concurrency=1) as client:
        left[0] = 0
        assert client.spot.exchange_info().symbols
        first = len(recorder.requests)
        assert client.spot.exchange_info().symbols
    # Of its own calls it hears nothing, or it would call for ever.
    assert seen == [CacheMiss, RequestSent, ResponseReceived, CacheHit]
    assert first <= 6


def test_a_hook_that_calls_while_the_gate_is_closed_waits_as_every_call_does(
    recorder: Recorder, clock: StillClock
) -> None:
    left = [1]

    def answer(request: httpx.Request) -> httpx.Response | bytes:
        left[0] -= 1
        return httpx.Response(429, headers={"retry-after": "2"}) if left[0] == 0 else example_answer(request)

    recorder.answer = answer
    seen: list[type] = []
    client: SyncBinanceClient

    def hook(event: object) -> None:
        seen.append(type(event))
        if isinstance(event, GateClosed):
            with pytest.raises(Exception, match="wait=False"):
                client.spot.ping(options=RequestOptions(wait=False))

    with recorder.sync(hooks=[hook], max_concurrency=1) as client, pytest.raises(RateLimitError):
        client.spot.ping(options=RequestOptions(max_retries=0))
    assert seen == [RequestSent, GateClosed, ResponseReceived]


async def test_a_hook_may_begin_calls_of_its_own_async_client(recorder: Recorder) -> None:
    tasks: list[asyncio.Task[Any]] = []
    seen: list[type] = []
    client: BinanceClient

    async def call() -> object:
        return await client.spot.exchange_info()

    def hook(event: object) -> None:
        seen.append(type(event))
        tasks.append(asyncio.ensure_future(call()))

    async with asyncio.timeout(10), recorder.asynchronous(hooks=[hook], cache=True, max_concurrency=1) as client:
        await client.spot.exchange_info()
        await asyncio.gather(*tasks)
    assert seen == [CacheMiss, RequestSent, ResponseReceived]
    assert len(recorder.requests) <= 4


def test_retrying_hooks_hear_of_what_is_tried_again(recorder: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    left = [1]
    recorder.answer = lambda request: failing_first(request, left)
    seen: list[type] = []

    def hook(event: object) -> None:
        seen.append(type(event))
        if isinstance(event, Retrying):
            client.spot.time()

    with caplog.at_level(logging.ERROR), recorder.sync(hooks=[hook]) as client:
        assert client.spot.ping() is not None
    assert seen == [RequestSent, ResponseReceived, Retrying, RequestSent, ResponseReceived]
    assert caplog.text == ""
