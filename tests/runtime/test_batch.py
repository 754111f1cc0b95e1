"""Many symbols at once: each ends as a result or an error, and leaving the loop early does not wait."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing, closing
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient, Caps, RequestOptions, SyncBinanceClient
from binance_sdk._runtime.clock import BlockingClock
from binance_sdk.errors import BadRequestError, BudgetError, ParameterError

from .support import Recorder, in_flight

LONGEST = 20
"""Seconds after which a test gives up waiting for what takes milliseconds."""


def answer(request: httpx.Request) -> httpx.Response:
    if "BAD" in str(request.url):
        return httpx.Response(400, json={"code": -1121, "msg": "Invalid symbol."})
    return httpx.Response(200, content=b"[]")


async def outcomes(kind: str, symbols: Any) -> tuple[list[str], dict[Any, Any], Recorder]:
    recorder = Recorder(answer)
    if kind == "async":
        async with recorder.asynchronous() as client:
            batch = client.spot.each(client.spot.klines, symbols, "1h")
            found = [symbol async for symbol, _ in batch]
            return found, dict(batch.errors), recorder
    with recorder.sync() as blocking:
        several = blocking.spot.each(blocking.spot.klines, symbols, "1h")
        return [symbol for symbol, _ in several], dict(several.errors), recorder


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_every_symbol_ends_as_a_result_or_an_error(kind: str) -> None:
    found, errors, recorder = await outcomes(kind, [None, "AUSDT", "", 5, "BADUSDT", b"BUSDT", [], "AUSDT", "a b"])
    assert found == ["AUSDT"]
    assert set(errors) == {None, 5, b"BUSDT", "[]", "", "a b", "BADUSDT"}
    refused = [error for symbol, error in errors.items() if symbol != "BADUSDT"]
    assert all(isinstance(error, ParameterError) for error in refused)
    assert errors[None].parameter == "symbols"
    assert "None is not a symbol" in str(errors[None])
    assert isinstance(errors["BADUSDT"], BadRequestError)
    assert sorted(asked["symbol"] for asked in recorder.asked) == ["AUSDT", "BADUSDT"]


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_a_bare_string_is_one_symbol(kind: str) -> None:
    found, errors, recorder = await outcomes(kind, "BTCUSDT")
    assert (found, errors) == (["BTCUSDT"], {})
    assert len(recorder.requests) == 1


@pytest.mark.parametrize("bad", [None, 5, b"BTCUSDT", 1.5, object()])
@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_what_holds_no_symbols_is_refused_at_once(kind: str, bad: Any) -> None:
    with pytest.raises(ParameterError, match="symbols=") as caught:
        await outcomes(kind, bad)
    assert caught.value.parameter == "symbols"


@pytest.mark.parametrize("way", ["break", "aclose"])
async def test_leaving_early_cancels_what_is_under_way(way: str) -> None:
    never, all_cancelled = asyncio.Event(), asyncio.Event()
    cancelled: list[str] = []

    async def slow(request: httpx.Request) -> httpx.Response:
        symbol = request.url.params["symbol"]
        if symbol != "S0USDT":
            try:
                await never.wait()
            except asyncio.CancelledError:
                cancelled.append(symbol)
                if len(cancelled) == 3:
                    all_cancelled.set()
                raise
        return httpx.Response(200, content=b"[]")

    http = httpx.AsyncClient(transport=httpx.MockTransport(slow))
    async with http, BinanceClient(http_client=http, max_concurrency=4) as client, asyncio.timeout(LONGEST):
        batch = client.spot.each(client.spot.klines, [f"S{n}USDT" for n in range(10)], "1h")
        if way == "break":
            async for symbol, _ in batch:
                assert symbol == "S0USDT"
                break
            await all_cancelled.wait()
        else:
            async with aclosing(batch.__aiter__()) as results:
                assert (await anext(results))[0] == "S0USDT"
        assert sorted(cancelled) == ["S1USDT", "S2USDT", "S3USDT"]
        assert in_flight(client) == 0
        # Nothing is lost: another loop goes on with what was left.
        never.set()
        assert {symbol async for symbol, _ in batch} == {f"S{n}USDT" for n in range(1, 10)}


def test_leaving_a_blocking_loop_waits_for_no_request() -> None:
    released, begun = threading.Event(), threading.Semaphore(0)

    def slow(request: httpx.Request) -> httpx.Response:
        if request.url.params["symbol"] != "S0USDT":
            begun.release()
            assert released.wait(LONGEST)
        return httpx.Response(200, content=b"[]")

    http = httpx.Client(transport=httpx.MockTransport(slow))
    with http, SyncBinanceClient(http_client=http, max_concurrency=3) as client:
        batch = client.spot.each(client.spot.klines, [f"S{n}USDT" for n in range(6)], "1h")
        with closing(iter(batch)) as results:
            assert next(results)[0] == "S0USDT"
            assert begun.acquire(timeout=LONGEST)
        # They still wait here, or this would never be reached.
        assert not released.is_set()
        released.set()
        assert {symbol for symbol, _ in batch} == {f"S{n}USDT" for n in range(1, 6)}
        join("binance-sdk-batch")
        assert in_flight(client) == 0


@pytest.fixture
def real_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that does wait: here it has to be stopped."""
    monkeypatch.setattr("binance_sdk._core.BlockingClock", BlockingClock)


@pytest.mark.usefixtures("real_clock")
def test_leaving_a_blocking_loop_ends_calls_that_wait_for_the_budget() -> None:
    http = httpx.Client(transport=httpx.MockTransport(answer))
    with http, SyncBinanceClient(http_client=http, caps=Caps(requests_per_second=0.001)) as client:
        batch = client.spot.each(client.spot.klines, [f"S{n}USDT" for n in range(9)], "1h")
        for _ in batch:
            break
        # A thousand seconds each, if they still waited.
        join("binance-sdk-batch")
        assert in_flight(client) == 0
        assert batch.errors == {}
        with pytest.raises(BudgetError):
            client.spot.ping(options=RequestOptions(wait=False))


@pytest.mark.usefixtures("real_clock")
def test_leaving_a_blocking_loop_ends_calls_that_wait_to_be_tried_again() -> None:
    tried = threading.Semaphore(0)

    def failing(request: httpx.Request) -> httpx.Response:
        if request.url.params["symbol"] == "S0USDT":
            assert tried.acquire(timeout=LONGEST)
            return httpx.Response(200, content=b"[]")
        tried.release()
        return httpx.Response(503, headers={"Retry-After": "1000"})

    http = httpx.Client(transport=httpx.MockTransport(failing))
    with http, SyncBinanceClient(http_client=http, max_concurrency=2) as client:
        for symbol, _ in client.spot.each(client.spot.klines, ["S0USDT", "S1USDT"], "1h"):
            assert symbol == "S0USDT"
            break
        join("binance-sdk-batch")
        assert in_flight(client) == 0


def join(prefix: str) -> None:
    """Wait for the threads of a batch, none of which may be left."""
    for thread in threading.enumerate():
        if thread.name.startswith(prefix):
            thread.join(LONGEST)
            assert not thread.is_alive()
