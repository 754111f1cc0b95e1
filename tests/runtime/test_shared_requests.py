"""One request for equal calls made at once: which of them a cancellation ends, and which calls are equal."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient, RequestOptions
from binance_sdk._runtime.calls.single_flight import AsyncSingleFlight

from .support import Recorder, example_answer, in_flight


class Slow:
    """Answers when told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.came = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        self.came.set()
        await self.go.wait()
        return httpx.Response(200, content=example_answer(request))

    def client(self, **settings: Any) -> BinanceClient:
        return BinanceClient(http_client=httpx.AsyncClient(transport=httpx.MockTransport(self)), **settings)


@pytest.mark.parametrize("symbols", [False, True], ids=["cache=True", "symbols()"])
async def test_who_asks_again_after_a_timeout_gets_an_answer(symbols: bool) -> None:
    slow = Slow()
    async with slow.client(cache=not symbols) as client:

        async def ask() -> object:
            return await (client.spot.symbols() if symbols else client.spot.time())

        first = asyncio.ensure_future(ask())
        await slow.came.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        # The request of the first one has been told to end, and has had no turn yet.
        slow.go.set()
        assert await ask() is not None
        assert slow.asked == 2
        assert in_flight(client) == 0


async def test_who_asks_in_the_moment_in_which_the_other_is_cancelled_gets_an_answer() -> None:
    slow = Slow()
    async with slow.client(cache=True) as client:
        first = asyncio.ensure_future(client.spot.ping())
        await slow.came.wait()
        first.cancel()
        second = asyncio.ensure_future(client.spot.ping())
        slow.go.set()
        results = await asyncio.gather(first, second, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError)
        assert not isinstance(results[1], BaseException)


async def test_one_of_several_may_leave() -> None:
    slow = Slow()
    async with slow.client(cache=True) as client:
        calls = [asyncio.ensure_future(client.spot.ping()) for _ in range(3)]
        await slow.came.wait()
        calls[0].cancel()
        calls[1].cancel()
        await asyncio.sleep(0)
        slow.go.set()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [isinstance(result, asyncio.CancelledError) for result in results] == [True, True, False]
        assert slow.asked == 1


async def test_a_request_that_somebody_else_ends_is_asked_again() -> None:
    single_flight = AsyncSingleFlight()
    started, made = asyncio.Event(), list[asyncio.Task[Any]]()

    async def work() -> str:
        task = asyncio.current_task()
        assert task is not None
        made.append(task)
        started.set()
        if len(made) == 1:
            await asyncio.Event().wait()
        return "answer"

    first = asyncio.ensure_future(single_flight.run("key", work))
    await started.wait()
    second = asyncio.ensure_future(single_flight.run("key", work))
    await asyncio.sleep(0)
    made[0].cancel()
    results = await asyncio.gather(first, second)
    assert results == [("answer", False), ("answer", True)]
    assert len(made) == 2
    assert not single_flight._tasks


def test_answers_to_other_headers_are_other_answers(recorder: Recorder) -> None:
    with recorder.sync(cache=True) as client:
        for value in ("a", "b", "a"):
            client.spot.time(options=RequestOptions(headers={"X-Way": value}))
        client.spot.time(options=RequestOptions(headers={"x-way": "b"}))
        client.spot.time()
    assert [request.headers.get("x-way") for request in recorder.requests] == ["a", "b", None]
