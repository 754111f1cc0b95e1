"""A thousand streams for an hour that takes a minute: the engine's clock runs sixty times as fast as ours.

Every simulated second brings a message of each stream. Every ten minutes the exchange aborts the connection, and in
between the client replaces it of its own accord after seven.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field, replace
from itertools import count
from statistics import quantiles
from time import monotonic, perf_counter
from time import time as wall
from typing import Any

from benchmarks._figures import Figure, Target
from benchmarks._memory import resident
from benchmarks._processes import served
from benchmarks._stream_server import frame

_STREAMS = 1000
_SECONDS = 3600
_SPEED = 60
_BREAK_EVERY = 600
_ROLLOVER = 420.0
_SETTLED = 1200
"""Seconds after which memory has taken its shape: two breaks and a rollover have been seen."""
_LOOK_EVERY = 300
_KINDS = {
    "aggTrade": (
        '{{"e":"aggTrade","E":{time},"s":"{symbol}","a":{number},"p":"27103.10000000","q":"0.00100000","f":{number},'
        '"l":{number},"T":{time},"m":true,"M":true}}'
    ),
    "trade": (
        '{{"e":"trade","E":{time},"s":"{symbol}","t":{number},"p":"27103.10000000","q":"0.00100000","T":{time},'
        '"m":true,"M":true}}'
    ),
    "bookTicker": (
        '{{"u":{number},"s":"{symbol}","b":"27103.10000000","B":"1.00000000","a":"27103.11000000","A":"2.00000000"}}'
    ),
    "miniTicker": (
        '{{"e":"24hrMiniTicker","E":{time},"s":"{symbol}","c":"27103.10000000","o":"27000.00000000",'
        '"h":"27200.00000000","l":"26900.00000000","v":"1000.00000000","q":"27000000.00000000"}}'
    ),
}


def _symbols(kind: str) -> list[str]:
    return [f"S{number}USDT" for number in range(_STREAMS // len(_KINDS))]


# -------------------------------------------------------------------------------- the exchange


def _serve(ports: Any) -> None:
    from websockets.asyncio.server import ServerConnection, serve
    from websockets.exceptions import ConnectionClosed

    names = [f"{symbol.lower()}@{kind}" for kind in _KINDS for symbol in _symbols(kind)]
    wrapped = [
        f'{{{{"stream":"{symbol.lower()}@{kind}","data":{text.replace("{symbol}", symbol)}}}}}'
        for kind, text in _KINDS.items()
        for symbol in _symbols(kind)
    ]
    listeners: dict[ServerConnection, set[str]] = {}
    ready = asyncio.Event()

    async def handler(socket: ServerConnection) -> None:
        listeners[socket] = set()
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                request = json.loads(text)
                change = set[str].union if request["method"] == "SUBSCRIBE" else set[str].difference
                listeners[socket] = change(listeners[socket], set(request["params"]))
                await socket.send(json.dumps({"result": None, "id": request["id"]}))
                if len(listeners[socket]) == len(names):
                    ready.set()
        listeners.pop(socket, None)

    async def speak() -> None:
        await ready.wait()
        begun = monotonic()
        # It goes on until it is ended: on a busy machine a connection may be away when the hour is over.
        for second in count(1):
            frames = [frame(text.format(number=second, time=second * 1000)) for text in wrapped]
            everything = b"".join(frames)
            for socket, wanted in list(listeners.items()):
                some = (encoded for name, encoded in zip(names, frames, strict=True) if name in wanted)
                with contextlib.suppress(RuntimeError):
                    # The client may just have said goodbye.
                    socket.transport.write(everything if len(wanted) == len(names) else b"".join(some))
            if second % _BREAK_EVERY == 0 and second < _SECONDS:
                for socket in list(listeners):
                    socket.transport.abort()
            await asyncio.sleep(max(0.0, begun + second / _SPEED - monotonic()))

    async def main() -> None:
        async with serve(handler, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
            ports.put(next(iter(server.sockets)).getsockname()[1])
            await speak()
            await asyncio.Event().wait()

    asyncio.run(main())


# ---------------------------------------------------------------------------------- the client


class _FastClock:
    """Sixty seconds of it are one of ours."""

    def __init__(self) -> None:
        from binance_sdk._runtime.clock import AsyncClock

        self._real = AsyncClock()
        self._begun, self._epoch = monotonic(), wall()

    def monotonic(self) -> float:
        return (monotonic() - self._begun) * _SPEED

    def time(self) -> float:
        return self._epoch + self.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / _SPEED)

    def waker(self) -> _FastWaker:
        return _FastWaker(self._real.waker())

    def may_block(self) -> bool:
        return False


class _FastWaker:
    def __init__(self, real: Any) -> None:
        self._real = real

    def wake(self) -> None:
        self._real.wake()

    async def wait(self, seconds: float) -> None:
        await self._real.wait(seconds / _SPEED)


@dataclass
class _Hour:
    """What was seen of it."""

    events: int = 0
    wrong: int = 0
    """Trades that came twice, out of order, or were missing without a Gap that names them."""
    resident: dict[int, float] = field(default_factory=dict[int, float])
    """MiB by simulated second."""
    lags: list[float] = field(default_factory=list[float])
    reconnects: int = 0
    rollovers: int = 0

    def look(self, second: int) -> None:
        """Note the memory, once in every so many seconds: in the first that brings a message, as some are lost."""
        if not self.resident or second // _LOOK_EVERY > max(self.resident) // _LOOK_EVERY:
            self.resident[second] = resident()

    def memory(self, second: int) -> float:
        """MiB in the second that is the nearest of those in which it was noted."""
        return self.resident[min(self.resident, key=lambda noted: abs(noted - second))]


def figures() -> list[Figure]:
    with served(_serve) as port:
        return _figures(asyncio.run(_listen(f"ws://127.0.0.1:{port}")))


def _figures(hour: _Hour) -> list[Figure]:
    early = hour.memory(_SETTLED)
    growth = hour.memory(_SECONDS) / early - 1
    late = quantiles(hour.lags, n=100)[98] * 1000
    note = (
        f"{_SECONDS} s at {_SPEED} times the speed, {hour.events} events, {hour.reconnects} breaks, "
        f"{hour.rollovers} rollovers, {early:.1f} MiB in minute {_SETTLED // 60}; the exchange is a process of its own"
    )
    name = f"{_STREAMS} streams, a simulated hour"
    memory = f"resident memory grown since minute {_SETTLED // 60}"
    return [
        Figure("streams", f"{name}: loop lag, p99", late, "ms", target=Target("<", 20), note=note),
        Figure("streams", f"{name}: {memory}", growth, "%", target=Target("<", 0.02), note=note),
        Figure("streams", f"{name}: trades wrong or missing unnamed", hour.wrong, "", target=Target("=", 0), note=note),
    ]


async def _listen(url: str) -> _Hour:
    from benchmarks._stream_server import Rows, context
    from binance_sdk._generated.spot.streams import AsyncSpotStreams
    from binance_sdk._runtime.stream.manager import StreamManager
    from binance_sdk.spot import AggTradeEvent, MiniTickerEvent, TradeEvent
    from binance_sdk.streams import Gap

    hour = _Hour()
    made = replace(context(url, Rows()), clock=_FastClock())
    manager = StreamManager(lambda: made)
    spot = AsyncSpotStreams(manager)
    latest: dict[str, int] = {}
    last_to_speak = _symbols("miniTicker")[-1]
    async with spot.combine(
        spot.agg_trade(*_symbols("aggTrade")),
        spot.trade(*_symbols("trade")),
        spot.book_ticker(*_symbols("bookTicker")),
        spot.mini_ticker(*_symbols("miniTicker")),
        rollover_after=_ROLLOVER,
    ) as events:
        watch = asyncio.create_task(_lag(hour.lags))
        async for event in events.with_notices():
            hour.events += 1
            if isinstance(event, AggTradeEvent):
                hour.wrong += not _follows(latest, event.symbol, "aggTrade", event.agg_id)
            elif isinstance(event, TradeEvent):
                hour.wrong += not _follows(latest, event.symbol, "trade", event.trade_id)
            elif isinstance(event, Gap):
                hour.wrong += latest[event.stream] != event.last_id
                latest[event.stream] = event.first_id - 1
            elif isinstance(event, MiniTickerEvent) and event.symbol == last_to_speak:
                second = event.event_time // 1000
                hour.look(second)
                if second >= _SECONDS:
                    break
        watch.cancel()
        hour.reconnects, hour.rollovers = events.stats.reconnects, events.stats.rollovers
    await manager.aclose()
    return hour


def _follows(latest: dict[str, int], symbol: str, kind: str, number: int) -> bool:
    name = f"{symbol.lower()}@{kind}"
    before = latest.get(name, number - 1)
    latest[name] = number
    return number == before + 1


async def _lag(lags: list[float]) -> None:
    while True:
        begun = perf_counter()
        await asyncio.sleep(0.005)
        lags.append(max(0.0, perf_counter() - begun - 0.005))
