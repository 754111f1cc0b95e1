"""Simulators whose clock stands still, plain WebSocket clients and a plain HTTP client: nothing of the SDK's own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from binance_sdk.catalogue import MARKETS
from binance_sdk.simulator import ManualClock, Simulator
from tests.simulated_http import SimulatedHttp

NOW = 1_800_000_123_456
"""2027-01-15 08:02:03.456 UTC, a Friday."""


class Wire:
    """One connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._asked = 0

    async def receive(self) -> Any:
        return json.loads(await self.socket.recv())

    async def ask(self, method: str, *params: Any) -> Any:
        """Send a request, and give back its answer without its id; events before it are forgotten."""
        self._asked += 1
        body: dict[str, Any] = {"method": method, "id": f"t{self._asked}"}
        if params:
            body["params"] = list(params)
        await self.socket.send(json.dumps(body))
        while True:
            answer = await self.receive()
            if isinstance(answer, dict) and answer.get("id") == body["id"]:
                return {name: value for name, value in answer.items() if name != "id"}

    async def drain(self) -> list[Any]:
        """Everything that was sent up to now."""
        self._asked += 1
        await self.socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": f"t{self._asked}"}))
        messages: list[Any] = []
        while True:
            message = await self.receive()
            if isinstance(message, dict) and message.get("id") == f"t{self._asked}":
                return messages
            messages.append(message)


class World:
    """A simulator, its clock and its two ways in."""

    def __init__(self, simulator: Simulator, clock: ManualClock, http: httpx.Client) -> None:
        self.simulator = simulator
        self.clock = clock
        self.http = http

    @property
    def streams(self) -> Any:
        return self.simulator.streams

    @asynccontextmanager
    async def spot(self, path: str = "/ws", **options: Any) -> AsyncIterator[Wire]:
        url = self.simulator.stream_url("spot") + path
        async with connect(url, max_size=None, max_queue=None, **options) as socket:
            yield Wire(socket)

    @asynccontextmanager
    async def futures(self, path: str = "/market/ws", **options: Any) -> AsyncIterator[Wire]:
        async with connect(
            self.simulator.stream_url("futures") + path, max_size=None, max_queue=None, **options
        ) as socket:
            yield Wire(socket)

    @asynccontextmanager
    async def coin_futures(self, path: str = "/ws", **options: Any) -> AsyncIterator[Wire]:
        url = self.simulator.stream_url("coin_futures") + path
        async with connect(url, max_size=None, max_queue=None, **options) as socket:
            yield Wire(socket)

    def wire(self, market: str, route: str, names: Sequence[str]) -> Any:
        """A combined connection."""
        path = f"/stream?streams={'/'.join(names)}"
        if market == "coin_futures":
            return self.coin_futures(path)
        return self.futures(f"/{route}{path}") if market == "futures" else self.spot(path)

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.simulator.streams.flush()

    def rest(self, path: str, **params: Any) -> Any:
        response = self.http.get(path, params=params)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def world(clock: ManualClock) -> Iterator[World]:
    """A simulator at ``NOW`` with weight limits out of reach, and ban_after for many control messages."""
    simulator = Simulator(clock=clock, weight_limits=dict.fromkeys(MARKETS, 10**9))
    for limits in simulator.streams.limits.values():
        limits.messages_per_second = 10_000
    with (
        simulator,
        SimulatedHttp(simulator, headers={"X-MBX-APIKEY": "a-key"}) as http,
    ):
        yield World(simulator, clock, http)


@pytest.fixture
def strict(clock: ManualClock) -> Iterator[World]:
    """The same with Binance's own limits."""
    with Simulator(clock=clock) as simulator, SimulatedHttp(simulator) as http:
        yield World(simulator, clock, http)
