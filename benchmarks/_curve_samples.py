"""One point of a curve: what so many rows, symbols, streams, books or processes cost, each in a fresh process.

Every function checks what it got, and raises where that is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from time import process_time
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from benchmarks import _bodies
from benchmarks._books_exchange import IDS, serve_books, symbols
from benchmarks._memory import resident
from benchmarks._processes import served
from benchmarks._stream_server import frame


class Sample(NamedTuple):
    """What one point took.

    Attributes:
        seconds: CPU of one unit.
        memory: Bytes, of one unit or of the whole process.
        floor: CPU of one unit with the least that anybody could do, where there is such a thing.
    """

    seconds: float
    memory: float
    floor: float | None = None


class WrongResultError(Exception):
    """What was measured is not what should have come."""


def _check(right: bool, what: str) -> None:
    if not right:
        raise WrongResultError(what)


# ------------------------------------------------------------------------------------------- rows

_ROWS_DECODED = 200_000


def rows(count: int) -> Sample:
    """Klines of one answer, decoded as a call does it, beside ``json.loads``; memory of one row."""
    from binance_sdk._runtime.answers.decode import validated
    from binance_sdk.catalogue import CATALOGUE

    (variant,) = CATALOGUE["spot"].operations["klines"].variants
    body = _bodies.klines(count)
    last = json.loads(body)[-1]

    def decode() -> Any:
        return validated(variant, body)

    def one_row(call: Callable[[], object]) -> float:
        call()
        repeats = max(2, _ROWS_DECODED // count)
        begun = process_time()
        for _ in range(repeats):
            call()
        return (process_time() - begun) / (repeats * count)

    seconds, floor = one_row(decode), one_row(lambda: json.loads(body))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = decode()
    size = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    _check(len(kept) == count, "rows are missing")
    _check((kept[-1].open_time, kept[-1].close) == (last[0], Decimal(last[4])), "the last row is another one")
    return Sample(seconds, size / count, floor)


# ---------------------------------------------------------------------------------------- symbols

_CALLS = 1000
"""Of weight 2, so that all of them fit into a minute: waiting for the budget is no cost."""
_BARS = 100


def _serve_bars(ports: Any) -> None:
    """The time of the first bar is the number of the symbol, so that nobody's answer is taken for another's."""
    rest = _bodies.klines(_BARS).removeprefix(b"[[").partition(b",")[2]

    class Bars(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self._transport = transport

        def data_received(self, data: bytes) -> None:
            target = data.split(b" ", 2)[1].decode()
            symbol = parse_qs(urlsplit(target).query)["symbol"][0]
            body = b"[[%d,%s" % (int(symbol[1:-4]), rest)
            head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-MBX-USED-WEIGHT-1M: 2\r\n"
            self._transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Bars, "127.0.0.1", 0, backlog=512)
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def each_symbol(count: int) -> Sample:
    """``client.spot.each`` over so many symbols, a hundred bars each; memory of the process."""

    async def ask(port: int) -> Sample:
        from binance_sdk import BinanceClient

        names = [f"S{number}USDT" for number in range(count)]
        async with BinanceClient(spot_base_url=f"http://127.0.0.1:{port}") as client:
            spot = client.spot
            async for _ in spot.each(spot.klines, [f"S{number}USDT" for number in range(16)], "1m", limit=_BARS):
                pass
            begun = process_time()
            for _ in range(_CALLS // count):
                seen = set()
                async for symbol, bars in spot.each(spot.klines, names, "1m", limit=_BARS):
                    _check(len(bars) == _BARS, f"bars of {symbol} are missing")
                    _check(bars[0].open_time == int(symbol[1:-4]), f"{symbol} got another's bars")
                    seen.add(symbol)
                _check(seen == set(names), "symbols are missing")
            return Sample((process_time() - begun) / (_CALLS // count * count), resident() * 2**20)

    with served(_serve_bars) as port:
        return asyncio.run(ask(port))


# ---------------------------------------------------------------------------------------- streams

_MESSAGES = 40_000
_WARM = 4_000
"""Messages before those that count: the first of each stream makes what is kept of it."""
_PACKET = 200


def _serve_trades(ports: Any, count: int) -> None:
    """Once all streams are asked for, trades of all of them in turn."""
    from websockets.asyncio.server import ServerConnection, serve

    trade = (
        '{"stream":"s%d@aggTrade","data":{"e":"aggTrade","E":1700000000000,"s":"S%d","a":%d,"p":"27103.10000000",'
        '"q":"0.00100000","f":100,"l":105,"T":1700000000000,"m":true,"M":true}}'
    )
    frames = [frame(trade % (at % count, at % count, at // count + 1)) for at in range(_MESSAGES)]
    packets = [b"".join(frames[at : at + _PACKET]) for at in range(0, len(frames), _PACKET)]

    async def send(socket: ServerConnection) -> None:
        await asyncio.sleep(0.1)
        for packet in packets:
            socket.transport.write(packet)
            while socket.transport.get_write_buffer_size() > 1 << 20:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.001)

    async def talk(socket: ServerConnection) -> None:
        assert socket.request is not None
        asked = parse_qs(urlsplit(socket.request.path).query).get("streams", [""])[0]
        wanted = {name for name in asked.split("/") if name}
        sending = asyncio.create_task(send(socket)) if len(wanted) == count else None
        with contextlib.suppress(Exception):
            async for text in socket:
                request = json.loads(text)
                wanted |= set(request["params"])
                await socket.send(json.dumps({"result": None, "id": request["id"]}))
                if sending is None and len(wanted) == count:
                    sending = asyncio.create_task(send(socket))

    async def main() -> None:
        async with serve(talk, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
            ports.put(next(iter(server.sockets)).getsockname()[1])
            await asyncio.Event().wait()

    asyncio.run(main())


def streams(count: int) -> Sample:
    """Messages of so many streams, always as many in all; memory of the process."""

    async def listen(port: int) -> Sample:
        from binance_sdk import BinanceClient

        newest: dict[str, int] = {}
        begun, left = 0.0, _MESSAGES
        async with (
            BinanceClient(spot_stream_url=f"ws://127.0.0.1:{port}") as client,
            client.spot.streams.agg_trade(*(f"S{number}" for number in range(count))) as events,
        ):
            async for event in events:
                if event.agg_id != newest.get(event.symbol, 0) + 1:
                    raise WrongResultError(f"{event.symbol} lost or repeated a trade")
                newest[event.symbol] = event.agg_id
                left -= 1
                if left == _MESSAGES - _WARM:
                    begun = process_time()
                if not left:
                    break
            seconds = (process_time() - begun) / (_MESSAGES - _WARM)
            _check(len(newest) == count, "streams are missing")
            return Sample(seconds, resident() * 2**20)

    with served(_serve_trades, count) as port:
        return asyncio.run(listen(port))


# ------------------------------------------------------------------------------------------ books

_UPDATES = 30_000
_SETTLED = 150
"""Updates of each book before those that count."""
_MOST_EACH = 2_000
"""With few books the exchange waits for each update to be taken."""


def books(count: int) -> Sample:
    """Updates of so many live books of a thousand levels a side; memory of one."""
    from benchmarks.many_books import ask_exchange, differs, open_client

    async def keep(port: int) -> Sample:
        async with open_client(port, budget=False) as client:
            # What the first book loads is no memory of a book.
            async with client.futures.order_books(symbols("futures", 1)) as first:
                await first.wait_synced(60)
            before = resident()
            async with client.spot.order_books(symbols("spot", count)) as live:
                await live.wait_synced(120)
                size = (resident() - before) * 2**20 / count
                everyone = list(live.values())
                each = min(_MOST_EACH, _UPDATES // count)
                newest = max(book.update_id or 0 for book in everyone) // IDS
                # The first updates of a book bring more levels that are new to it than later ones do.
                for updates in (_SETTLED, each):
                    newest += updates
                    begun = process_time()
                    ask_exchange(port, f"go?books={count}&until={newest}")
                    while any((book.update_id or 0) < newest * IDS for book in everyone):  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
                seconds = (process_time() - begun) / (each * count)
                _check(all(book.synced and book.resyncs == 0 for book in everyone), "books were lost")
                _check(not any(differs(book) for book in everyone[::10]), "books differ from the exchange's")
                return Sample(seconds, size)

    with served(serve_books, True) as port:
        return asyncio.run(keep(port))


# -------------------------------------------------------------------------------------- processes

_TASKS, _SECONDS, _WINDOW, _LEAD = 50, 3.0, 2, 0.5


def processes(count: int) -> Sample:
    """Calls of so many processes that spend from one budget in a Valkey; memory of one process."""
    from benchmarks._judge import Judge
    from benchmarks.budgeting import SYMBOLS
    from benchmarks.sharing import started
    from tests.shared.servers import running, valkey

    # More than all of them can spend, in short windows: what is measured is the asking, not the waiting.
    limits = {"spot": 10**6}
    with (
        running(valkey()) as server,
        Judge(weight_limits=limits, weight_window_seconds=_WINDOW, history_days=3, symbols=list(SYMBOLS)) as judge,
    ):
        found = [
            started(
                {
                    "url": judge.base_url("spot"),
                    "limits_url": server.url,
                    "number": number,
                    "tasks": _TASKS,
                    "seconds": _LEAD + _SECONDS,
                    "skew": 0.0,
                }
            )
            for number in range(count)
        ]
        for process in found:
            assert process.stdout is not None
            process.stdout.readline()
        # An empty store gives out little until the window turns.
        time.sleep((_WINDOW - _LEAD - judge.now_ms() / 1000 % _WINDOW) % _WINDOW)
        for process in found:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        reports = [json.loads(process.communicate()[0]) for process in found]
        refused = sum(window.over_limit + window.banned for window in judge.windows("spot"))
    _check(refused == 0, "the exchange refused calls")
    _check(not any(report["errors"] for report in reports), "calls failed")
    calls = sum(report["calls"] for report in reports)
    resident_of_one = sum(report["resident"] for report in reports) / count
    return Sample(sum(report["cpu"] for report in reports) / calls, resident_of_one * 2**20)
