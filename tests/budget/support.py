"""An exchange in memory that counts by its own clock, and clients that reach it on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from binance_sdk import BinanceClient
from binance_sdk._runtime.budget.pool import Pool
from binance_sdk._runtime.operation import Operation
from binance_sdk.catalogue import CATALOGUE
from tests.runtime.support import example_answer

from .virtual import VirtualClock, now

Answer = Callable[[httpx.Request], httpx.Response | None]
PATHS = {operation.path: operation for operation in CATALOGUE.operations}


@dataclass
class Exchange:
    """Charges what the spec says, tells its count, and answers ``special`` where that has something to say.

    A request over the limit gets 429, and every one after ``patience`` of them 418.
    """

    limit: int = 10**9
    ahead: float = 0.0
    """Seconds its clock is ahead of the virtual one."""
    latency: float = 0.0
    patience: int = 3
    dated: bool = True
    headers: bool = True
    special: Answer | None = None
    weights: dict[str, int] = field(default_factory=dict)
    """Weights by operation id, where the server takes another than the spec says."""
    counts: dict[int, int] = field(default_factory=dict)
    sent: list[tuple[float, str]] = field(default_factory=list)
    """When each request was sent, and its path with query."""
    refused: int = 0
    running: int = 0
    most_running: int = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append((now(), request.url.raw_path.decode()))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(self.latency / 2)
            answer = self._answer(request)
            await asyncio.sleep(self.latency / 2)
            return answer
        finally:
            self.running -= 1

    def _answer(self, request: httpx.Request) -> httpx.Response:
        time = now() + self.ahead
        index = int(time // 60)
        count = self.counts[index] = self.counts.get(index, 0) + self.price(request)
        headers = {"x-mbx-used-weight-1m": str(count)} if self.headers else {}
        if self.dated:
            headers["date"] = formatdate(time, usegmt=True)
        found = self.special(request) if self.special else None
        if found is not None:
            found.headers.update({name: value for name, value in headers.items() if name not in found.headers})
            return found
        if count > self.limit:
            self.refused += 1
            headers["retry-after"] = str(int(60 - time % 60) + 1)
            return httpx.Response(418 if self.refused > self.patience else 429, headers=headers, content=b"")
        body = example_answer(request)
        if request.url.path.endswith("/time"):
            body = b'{"serverTime":%d}' % round(time * 1000)
        return httpx.Response(200, headers=headers, content=body)

    def price(self, request: httpx.Request) -> int:
        operation: Operation[Any] = PATHS[request.url.path]
        given: dict[str, Any] = {}
        for name, value in parse_qsl(request.url.query.decode()):
            parameter = operation.by_wire[name]
            given[name] = int(value) if parameter.type in ("int", "id", "time") else value
        return self.weights.get(operation.id, operation.price(given))

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.sent]

    def client(self, monkeypatch: pytest.MonkeyPatch, clock: VirtualClock | None = None, **settings: Any) -> Any:
        """A client of this exchange on virtual time; made inside a virtual loop."""
        found = clock or VirtualClock()
        monkeypatch.setattr("binance_sdk._core.AsyncClock", lambda: found)
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return BinanceClient(http_client=http, **{"safety_margin": 0.0, **settings})


def pool_of(client: BinanceClient, market: Any = "spot") -> Pool:
    return client._core.engine.attempts.markets[market].pool


def settled(client: BinanceClient) -> bool:
    """Nothing is in flight or waits."""
    for market in client._core.settings.urls:
        pool = pool_of(client, market)
        if pool.ledger.waiting or pool.ledger._queues or any(window.in_flight for window in pool.windows):
            return False
    budget = client._core.engine.attempts.budget
    return budget is None or getattr(budget._concurrency.resource, "in_flight") == 0  # noqa: B009 - a protocol hides it
