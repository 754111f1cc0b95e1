"""What the runtime tests share: a clock that stands still, a recorder in place of the network, both clients as one."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import httpx

from binance_sdk import BinanceClient, SyncBinanceClient
from binance_sdk._runtime.clock import BlockingClock
from binance_sdk._runtime.operation import Operation
from binance_sdk.catalogue import CATALOGUE, fixture

NOW = 1_790_000_070.5
"""In the middle of a minute, so that no test sees a window turn."""
NOW_MS = round(NOW * 1000)
KEY = "k3yThatNobodyMaySee"
Mode = Literal["sync", "async"]


class StillClock(BlockingClock):
    """Shows ``NOW`` until somebody sleeps, and then passes the time at once."""

    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def by_path(path: str) -> Operation[object]:
    return next(operation for operation in CATALOGUE.operations if operation.path == path)


def example_answer(request: httpx.Request) -> bytes:
    """The fixture that fits a request, found as the exchange would: by path and parameters."""
    operation = by_path(request.url.path)
    given = {
        name: json.loads(value) if operation.by_wire[name].list else value
        for name, value in parse_qsl(request.url.query.decode(), keep_blank_values=True)
    }
    variant = operation.variant_for(given)
    return fixture(operation.market, operation.name, variant.fixtures[0])


class Recorder:
    """Stands in for the network: remembers every request and answers it."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response | bytes] = example_answer) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []
        self.headers: dict[str, str] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answer(request)
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, content=answer, headers=self.headers)

    def sync(self, **settings: Any) -> SyncBinanceClient:
        return SyncBinanceClient(http_client=httpx.Client(transport=httpx.MockTransport(self)), **settings)

    def asynchronous(self, **settings: Any) -> BinanceClient:
        return BinanceClient(http_client=httpx.AsyncClient(transport=httpx.MockTransport(self)), **settings)

    @property
    def queries(self) -> list[str]:
        """Query strings as they went out, still encoded."""
        return [urlsplit(str(request.url)).query for request in self.requests]

    @property
    def asked(self) -> list[dict[str, str]]:
        return [dict(parse_qsl(query, keep_blank_values=True)) for query in self.queries]


def charged(client: BinanceClient | SyncBinanceClient) -> int:
    """Everything the ledger shows: weight and requests of every group."""
    markets = [getattr(client.limits, market) for market in client._core.settings.urls]
    return sum(market.used + sum(group.used for group in market.groups.values()) for market in markets)


def in_flight(client: BinanceClient | SyncBinanceClient) -> int:
    """What the ledger still takes for under way; nothing may be after the last answer."""
    pools = [market.pool for market in client._core.engine.attempts.markets.values()]
    return sum(abs(window.in_flight) for pool in pools for window in pool.windows) + sum(
        p.ledger.waiting for p in pools
    )


def outcome(
    mode: Mode, action: Callable[[Any], Any], look: Callable[[Any], None] | None = None, **settings: Any
) -> Any:
    """What one call gives, result or exception, with a client of either kind; ``look`` sees the client afterwards."""
    if mode == "sync":
        with SyncBinanceClient(**settings) as client:
            result = _caught(lambda: action(client))
            if look:
                look(client)
            return result

    async def run() -> Any:
        async with BinanceClient(**settings) as client:
            try:
                made = action(client)
                result = await made if inspect.isawaitable(made) else made
            except Exception as error:  # noqa: BLE001 - whatever comes out is what the tests look at
                result = error
            if look:
                look(client)
            return result

    return asyncio.run(run())


def _caught(action: Callable[[], Any]) -> Any:
    try:
        return action()
    except Exception as error:  # noqa: BLE001 - whatever comes out is what the tests look at
        return error
