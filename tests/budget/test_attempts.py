"""What one attempt of a call makes of the call's options, and of a host that has just failed."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable
from typing import Any, Literal

import httpx
import pytest

from binance_sdk import RequestOptions
from binance_sdk.errors import APIConnectionError, CircuitOpenError, ConfigError
from binance_sdk.events import BreakerChanged, Event, ResponseReceived

from .support import Exchange, pool_of
from .virtual import now, run


def test_a_call_goes_ahead_of_those_of_a_lower_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange()
        async with exchange.client(monkeypatch) as client:
            order: list[str] = []

            async def call(priority: Literal["low", "normal", "high"] | None, limit: int) -> None:
                options = RequestOptions(priority=priority)
                await client.spot.depth("BTCUSDT", limit=limit, options=options)
                order.append(priority or "nothing said")

            # Each takes 250 of the 6000 of a minute: the last ones wait for the next, however they stand in line.
            full = [client.spot.depth("BTCUSDT", limit=5000) for _ in range(24)]
            waiting: list[Awaitable[Any]] = [
                call("low", 5000),
                call(None, 5000),
                call("normal", 5000),
                call("high", 5000),
            ]
            tasks = [asyncio.ensure_future(each) for each in (*full, *waiting)]
            await asyncio.gather(*tasks)
        assert order == ["high", "nothing said", "normal", "low"]

    run(story())


@pytest.mark.parametrize("failure", ["connection", "server"])
def test_the_next_attempt_asks_a_host_that_has_not_failed(failure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response | None:
        hosts.append(request.url.host)
        if len(hosts) > 3:
            return None
        if failure == "connection":
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(503, content=b"")

    async def story() -> None:
        async with Exchange(special=answer).client(monkeypatch) as client:
            known = [httpx.URL(host.base_url).host for host in client._core.engine.attempts.markets["spot"].hosts]
            await client.spot.ping()
            assert len(known) > 3
            assert hosts == known[:4]

    run(story())


def test_a_call_of_a_closed_client_waits_for_no_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        client = Exchange().client(monkeypatch)
        await asyncio.gather(*(client.spot.depth("BTCUSDT", limit=5000) for _ in range(24)))
        await client.aclose()
        before = now()
        with pytest.raises(ConfigError, match="closed"):
            await client.spot.depth("BTCUSDT", limit=5000)
        assert now() == before

    run(story())


def test_every_answer_tells_the_time_of_the_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with Exchange(ahead=30).client(monkeypatch) as client:
            await client.spot.ping()
            told = pool_of(client).time.now(client._core.engine.attempts.clock.monotonic())
            # To the second: that is what the header says.
            assert abs(told - now() - 30) <= 1

    run(story())


def test_an_attempt_that_got_no_answer_is_told_and_counts_against_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async def story() -> None:
        told: list[Event] = []
        settings = {"spot_base_url": "http://exchange.invalid", "max_retries": 0, "hooks": [told.append]}
        async with Exchange(special=refuse).client(monkeypatch, **settings) as client:
            for _ in range(25):
                with pytest.raises((APIConnectionError, CircuitOpenError)):
                    await client.spot.ping()
            ended = [event for event in told if isinstance(event, ResponseReceived)]
            assert {(event.outcome, event.status_code) for event in ended} == {("APIConnectionError", None)}
            opened = [event.state for event in told if isinstance(event, BreakerChanged)]
            assert opened == ["open"]
            assert len(ended) < 25

    run(story())


def test_a_failure_of_this_machine_says_nothing_about_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no descriptor", request=request) from OSError(errno.EMFILE, "Too many open files")

    async def story() -> None:
        told: list[Event] = []
        settings = {"spot_base_url": "http://exchange.invalid", "max_retries": 0, "hooks": [told.append]}
        async with Exchange(special=refuse).client(monkeypatch, **settings) as client:
            for _ in range(25):
                with pytest.raises(APIConnectionError, match="descriptors"):
                    await client.spot.ping()
        assert not [event for event in told if isinstance(event, BreakerChanged)]

    run(story())
