"""An exchange with hundreds of order books on three markets, whose book after every update id can be computed.

A book has ``TICKS`` prices on each side. Every update sets twelve of them on each side, in an order that comes round
after 125 updates, so the last update of a price, and its quantity, follow from the number of the newest update:
nobody has to keep or replay anything to know the truth. Weight is counted by the table below, which is written by hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from time import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks._stream_server import frame

SIDES = {"bids": -1, "asks": 1}
TICKS = 1500
_SET = 12
_ROUND = TICKS // _SET
_STEP = 7
"""Has no divisor in common with ``TICKS``: prices that are set one after the other are not neighbours."""
_BACK = pow(_STEP, -1, TICKS)
_MIDDLE = 1_000_000
IDS = 24
"""Ids of an update."""

LETTERS = {"spot": "S", "futures": "F", "coin_futures": "C"}
"""Of the symbols of a market."""
_POOLS = {"/api/": ("spot", 6000), "/fapi/": ("futures", 2400), "/dapi/": ("futures", 2400)}
"""Pool and limit of a minute by path: both futures markets spend from one."""
_WEIGHTS = {"spot": {5: 5, 1000: 50}, "futures": {5: 2, 1000: 20}}
"""Of a snapshot, by pool and levels."""


def symbols(market: str, count: int) -> list[str]:
    """Names that the market may have."""
    end = "USD_PERP" if market == "coin_futures" else "USDT"
    return [f"{LETTERS[market]}{number}{end}" for number in range(count)]


def number_of(symbol: str) -> int:
    return int("".join(filter(str.isdigit, symbol.partition("USD")[0])))


def _price(sign: int, tick: int) -> str:
    return f"{(_MIDDLE + sign * (tick + 1)) / 100:.2f}"


def _quantity(sign: int, tick: int, update: int, symbol: int | str) -> str:
    """After it was set by an update; a fifth of them are 0. Update 0 is how a book began."""
    digit = (tick * 31 + update * 17 + (sign > 0)) % 100
    return "0.00" if digit < 20 and update else f"{symbol}.{digit:02}1"


def levels(sign: int, update: int, symbol: int) -> Iterator[tuple[str, str]]:
    """The true levels of a side after so many updates, the best first."""
    for tick in range(TICKS):
        slot = tick * _BACK % TICKS // _SET
        last = update - (update - slot) % _ROUND
        qty = _quantity(sign, tick, max(last, 0), symbol)
        if float(qty):
            yield _price(sign, tick), qty


def _changes(update: int) -> dict[str, list[list[str]]]:
    """Levels that an update sets; ``#`` stands for the number of the symbol."""
    ticks = [(update * _SET + at) * _STEP % TICKS for at in range(_SET)]
    return {
        name: [[_price(sign, tick), _quantity(sign, tick, update, "#")] for tick in ticks]
        for name, sign in SIDES.items()
    }


def _event(market: str, update: int) -> str:
    """The payload of an update; ``#`` stands for the number of the symbol, ``@`` for its name."""
    first, changed = (update - 1) * IDS + 1, _changes(update)
    event: dict[str, object] = {"e": "depthUpdate", "E": 1, "s": "@", "U": first, "u": update * IDS}
    if market != "spot":
        event |= {"T": 1, "pu": first - 1}
    return json.dumps({**event, "b": changed["bids"], "a": changed["asks"]}, separators=(",", ":"))


class BooksExchange:
    """REST and streams on one port.

    Args:
        fast: Updates follow each other as soon as everybody has taken the one before, up to the one that was asked for,
            so that an hour takes minutes. The limit of the weight, which is of real minutes, does not hold then.
        pause: Seconds from one update of a book to the next, where they are not fast.
        beside: Text of another message by the name of its stream, sent as often as the updates.
    """

    def __init__(self, *, fast: bool = False, pause: float = 0.1, beside: Mapping[str, str] | None = None) -> None:
        self._fast, self._pause = fast, pause
        self._beside = {name: frame(f'{{"stream":"{name}","data":{text}}}') for name, text in (beside or {}).items()}
        self._listeners: dict[Any, dict[str, tuple[str, str, str]]] = {}
        self._update = 1
        self._used: Counter[tuple[str, int]] = Counter()
        self._refused = 0
        self._expected = 1
        """Books that must have a listener and a snapshot before updates go on, where they are fast."""
        self._answered = 0
        """Snapshots since the last break."""
        self._last = 0
        """The update after which it waits, where they are fast."""

    # ------------------------------------------------------------------------------------------ REST

    def answer(self, target: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        path = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(path.query).items()}
        if path.path == "/exchange/counts":
            used = [[pool, minute, weight] for (pool, minute), weight in sorted(self._used.items())]
            return 200, {}, json.dumps({"used": used, "refused": self._refused}).encode()
        if path.path == "/exchange/break":
            self._answered = 0
            for socket in list(self._listeners):
                socket.transport.abort()
            return 200, {}, b"{}"
        if path.path == "/exchange/go":
            self._expected, self._last = int(asked["books"]), int(asked["until"])
            return 200, {}, b"{}"
        if not path.path.endswith("/depth"):
            return 404, {}, b'{"code":-1,"msg":"nothing but books"}'
        pool, limit = next(found for prefix, found in _POOLS.items() if path.path.startswith(prefix))
        levels_asked, minute = int(asked["limit"]), int(time() // 60)
        self._used[pool, minute] += _WEIGHTS[pool][levels_asked]
        headers = {"X-MBX-USED-WEIGHT-1M": str(self._used[pool, minute])}
        if self._used[pool, minute] > limit and not self._fast:
            self._refused += 1
            return 429, {**headers, "Retry-After": "1"}, b'{"code":-1003,"msg":"too much"}'
        self._answered += 1
        number = number_of(asked["symbol"])
        sides = {name: list(islice(levels(sign, self._update, number), levels_asked)) for name, sign in SIDES.items()}
        extra = {} if path.path.startswith("/api/") else {"E": 1, "T": 1, "symbol": asked["symbol"], "pair": "X"}
        return 200, headers, json.dumps({"lastUpdateId": self._update * IDS, **extra, **sides}).encode()

    # --------------------------------------------------------------------------------------- streams

    async def talk(self, socket: Any) -> None:
        """Serve one connection."""
        asked = parse_qs(urlsplit(socket.request.path).query).get("streams", [""])[0]
        wanted = self._listeners[socket] = {name: _who(name) for name in asked.split("/") if name}
        with contextlib.suppress(Exception):
            async for text in socket:
                request = json.loads(text)
                for name in request["params"]:
                    if request["method"] == "SUBSCRIBE":
                        wanted[name] = _who(name)
                    else:
                        wanted.pop(name, None)
                await socket.send(json.dumps({"result": None, "id": request["id"]}))
        self._listeners.pop(socket, None)

    async def speak(self) -> None:
        """Send the updates, for ever."""
        while True:
            while self._fast and self._has_to_wait():  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
            self._update += 1
            texts = {letter: _event(market, self._update) for market, letter in LETTERS.items()}
            for socket, wanted in list(self._listeners.items()):
                frames = [
                    self._beside.get(name) or _framed(name, texts[letter], number, symbol)
                    for name, (letter, number, symbol) in list(wanted.items())
                ]
                with contextlib.suppress(RuntimeError):
                    # The client may just have said goodbye.
                    socket.transport.write(b"".join(frames))
            if self._fast:
                await self._until_taken()
            else:
                await asyncio.sleep(self._pause - time() % self._pause)

    def _has_to_wait(self) -> bool:
        return self._update >= self._last or min(self._books(), self._answered) < self._expected

    def _books(self) -> int:
        return sum(letter in "SFC" for wanted in self._listeners.values() for letter, _, _ in wanted.values())

    async def _until_taken(self) -> None:
        await asyncio.sleep(0)
        while any(socket.transport.get_write_buffer_size() for socket in list(self._listeners)):  # noqa: ASYNC110
            await asyncio.sleep(0.0005)


def _who(name: str) -> tuple[str, str, str]:
    symbol, _, kind = name.partition("@")
    if not kind.startswith("depth"):
        return "-", "", ""
    return symbol[0].upper(), str(number_of(symbol.upper())), symbol.upper()


def _framed(name: str, text: str, number: str, symbol: str) -> bytes:
    return frame(f'{{"stream":"{name}","data":{text.replace("#", number).replace("@", symbol)}}}')


def serve_books(ports: Any, fast: bool = False, pause: float = 0.1, beside: Mapping[str, str] | None = None) -> None:
    """Run in a process of its own."""
    from websockets.asyncio.server import ServerConnection, serve
    from websockets.datastructures import Headers
    from websockets.http11 import Request, Response

    exchange = BooksExchange(fast=fast, pause=pause, beside=beside)

    def request(socket: ServerConnection, request: Request) -> Response | None:
        if "Upgrade" in request.headers:
            return None
        status, headers, body = exchange.answer(request.path)
        fixed = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
        return Response(status, "", Headers({**fixed, **headers}), body)

    async def main() -> None:
        async with serve(
            exchange.talk, "127.0.0.1", 0, compression=None, ping_interval=None, process_request=request
        ) as server:
            ports.put(next(iter(server.sockets)).getsockname()[1])
            await exchange.speak()

    asyncio.run(main())
