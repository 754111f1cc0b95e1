"""A cancellation that comes at the moment of a timeout is not taken for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from binance_sdk._runtime.transport.over_aiohttp import AiohttpTransport
from binance_sdk._runtime.transport.over_httpx import AsyncHttpxTransport
from binance_sdk._runtime.transport.protocol import PreparedRequest, TransportFailure

from .call_worlds import Server


@pytest.mark.parametrize("earlier", [False, True], ids=["just after", "just before"])
@pytest.mark.parametrize("make", [AiohttpTransport, AsyncHttpxTransport])
async def test_a_request_that_is_cancelled_as_its_time_is_over_is_cancelled(
    make: Callable[[], AiohttpTransport | AsyncHttpxTransport], earlier: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    call_at, rung = loop.call_at, 0

    def with_cancellation(when: float, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        def both(*args: Any) -> None:
            nonlocal rung
            rung += 1
            if earlier:
                task.cancel()
            callback(*args)
            task.cancel()

        # Those of the server and of this test are left alone.
        return call_at(when, both if asyncio.current_task() is task else callback, *args, **kwargs)

    async def ask() -> str:
        try:
            await transport.send(PreparedRequest(f"{server.url}/api/v3/time", {}, 0.05))
        except TransportFailure as failure:
            await asyncio.sleep(0)
            return f"goes on after {failure}"
        return "answered"

    transport = make()
    async with Server() as server:
        server.silent = True
        task = loop.create_task(ask())
        monkeypatch.setattr(loop, "call_at", with_cancellation)
        await asyncio.wait((task,))
        monkeypatch.undo()
        assert (task.cancelled() or task.result(), rung > 0) == (True, True)
        await transport.aclose()
