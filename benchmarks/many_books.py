"""Two hundred live books a market: how soon they are true, what an hour of them keeps, and how long others wait.

Books are compared with the exchange's true ones level by level, so none of the figures is that of a wrong book.
"""

from __future__ import annotations

import asyncio
import json
import math
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import quantiles
from time import perf_counter, time
from typing import Any
from unittest.mock import patch
from urllib.request import urlopen

from benchmarks._books_exchange import IDS, SIDES, levels, number_of, serve_books, symbols
from benchmarks._figures import Figure, Target
from benchmarks._memory import resident
from benchmarks._processes import served

_BOOKS = 200
_WINDOW = 60
_MARGIN = 0.05
_WEIGHTS = {"spot": (50, 6000), "futures": (20, 2400), "coin_futures": (20, 2400)}
"""Of a snapshot of 1000 levels, and the limit of a minute; the last two markets spend from one pool."""


# ------------------------------------------------------------------------ until they are synced


@dataclass(frozen=True)
class _Start:
    """Books that are opened together, on an address of their own."""

    markets: tuple[str, ...]
    share: float
    begin: float = 1.0
    """Seconds after the turn of a minute."""

    def windows(self, market: str) -> int:
        """How many minutes the snapshots of a market's pool take."""
        limit = _WEIGHTS[market][1]
        weight = sum(_BOOKS * _WEIGHTS[other][0] for other in self.markets if _WEIGHTS[other][1] == limit)
        return math.ceil(weight / (self.share * (1 - _MARGIN) * limit)) + (self.begin >= _WINDOW / 3)


_STARTS = (
    _Start(("spot", "futures", "coin_futures"), 0.4),
    _Start(("spot", "futures"), 1.0),
    _Start(("futures",), 0.4),
    _Start(("spot", "futures"), 1.0, begin=30.0),
)


def _synced() -> list[Figure]:
    """All of them at once, each with a client and an exchange in processes of their own."""
    context = multiprocessing.get_context("spawn")
    answers: Any = context.Queue()
    processes = [context.Process(target=_start_in_process, args=(answers, at)) for at in range(len(_STARTS))]
    for process in processes:
        process.start()
    found: dict[int, dict[str, Any]] = dict(answers.get(timeout=1500) for _ in processes)
    for process in processes:
        process.join()
    return [figure for at, start in enumerate(_STARTS) for figure in _figures_of(start, found[at])]


def _figures_of(start: _Start, found: Mapping[str, Any]) -> Iterator[Figure]:
    when = "" if start.begin < _WINDOW / 3 else ", begun in mid-window"
    pooled = {"futures", "coin_futures"} <= set(start.markets)
    for market in start.markets:
        name = f"{_BOOKS} books of {market} at share {start.share:g}{when}"
        if pooled and market != "spot":
            name += ", both futures markets in one pool"
        most = start.windows(market)
        note = "minutes from the first snapshot to the last; floor: ⌈weight ÷ (share × usable limit)⌉"
        yield Figure(
            *("many-books", f"{name}: windows", found["windows"][market], "", most, None, Target("≤", most)), note=note
        )
    name, none = f"the same {_BOOKS * len(start.markets)} books", Target("=", 0)
    yield Figure("many-books", f"{name}: most of share × usable limit", found["most"], "%", target=Target("≤", 1))
    yield Figure("many-books", f"{name}: requests refused", found["refused"], "", target=none)
    yield Figure("many-books", f"{name}: books not true when all were synced", found["wrong"], "", target=none)
    note = "the client asks for something else every five seconds"
    # At a share of 1 nothing is left to others until the window turns.
    target = Target("<", 10) if start.share < 1 else None
    yield Figure("many-books", f"{name}: slowest other request", found["slowest"], "s", target=target, note=note)


def _start_in_process(answers: Any, at: int) -> None:
    # An update a second of each, so that all of them together leave the machine idle.
    with served(serve_books, False, 1.0) as port:
        answers.put((at, asyncio.run(_until_synced(port, _STARTS[at]))))


async def _until_synced(port: int, start: _Start) -> dict[str, Any]:
    await asyncio.sleep((start.begin - time()) % _WINDOW)
    begun = int(time() // _WINDOW)
    async with open_client(port) as client:
        opened = [
            await client.market(market).order_books(symbols(market, _BOOKS), share=start.share).open()
            for market in start.markets
        ]
        waits: list[float] = []
        others = asyncio.create_task(_other_calls(client, start.markets, waits))
        ends = await asyncio.gather(*(_end_of(books) for books in opened))
        others.cancel()
        wrong = sum(differs(book) for books in opened for book in books.values())
        counts = ask_exchange(port, "counts")
        for books in opened:
            await books.aclose()
    most = max(
        (weight - _others_weight(start.markets, pool)) / (start.share * (1 - _MARGIN) * limit)
        for pool, _, weight in counts["used"]
        for limit in [_WEIGHTS["spot" if pool == "spot" else "futures"][1]]
    )
    windows = {market: end - begun + 1 for market, end in zip(start.markets, ends, strict=True)}
    return {"windows": windows, "most": most, "refused": counts["refused"], "wrong": wrong, "slowest": max(waits)}


async def _end_of(books: Any) -> int:
    """The window in which the last of them was synced."""
    await books.wait_synced()
    return int(time() // _WINDOW)


_OTHERS_EVERY = 5


async def _other_calls(client: Any, markets: Sequence[str], waits: list[float]) -> None:
    while True:
        for market in markets:
            begun = perf_counter()
            await client.market(market).depth(symbols(market, 1)[0], limit=5)
            waits.append(perf_counter() - begun)
        await asyncio.sleep(_OTHERS_EVERY)


def _others_weight(markets: Sequence[str], pool: str) -> int:
    """At most, of the calls above in a window."""
    each = {"spot": 5, "futures": 2}[pool]
    return (_WINDOW // _OTHERS_EVERY + 1) * sum(each for market in markets if (market == "spot") == (pool == "spot"))


# -------------------------------------------------------------------------------- an hour of them

_HOUR = 3600
_BREAK_EVERY = 600
_SETTLED = 1200
"""Seconds after which memory has taken its shape: two breaks have been seen."""
_LOOK_EVERY = 300
_FOLLOWED = 20
"""Books of each market that somebody reads after every change."""


def _kept_for_an_hour() -> list[Figure]:
    from binance_sdk._runtime.stream.connection.pacing import Backoff

    # The breaks follow each other sixty times as fast as they should, and pauses grow with each.
    with served(serve_books, True) as port, patch.object(Backoff, "pause", _short_pause):
        found = asyncio.run(_hour(port))
    early, late = found.resident[_SETTLED], found.resident[_HOUR]
    name = f"{3 * _BOOKS} books of 1000 levels, an hour of updates"
    note = (
        f"one a second of each, {found.updates} as fast as they are taken, the connections cut every {_BREAK_EVERY} s; "
        f"{early:.1f} MiB in minute {_SETTLED // 60}, {found.before:.1f} before the books were opened"
    )
    each = (early - found.before) * 1024 / (3 * _BOOKS)
    return [
        Figure("many-books", f"{name}: memory of one", each, "KiB", note=note),
        Figure(
            *("many-books", f"{name}: resident memory grown since minute {_SETTLED // 60}", late / early - 1, "%"),
            target=Target("<", 0.02),
            note=note,
        ),
        Figure("many-books", f"{name}: resyncs", found.resyncs, note=note),
        Figure("many-books", f"{name}: comparisons that differed", found.wrong, "", target=Target("=", 0), note=note),
    ]


def _short_pause(backoff: object) -> float:
    return 0.1


@dataclass
class _Hour:
    """What was seen of it."""

    before: float = 0.0
    resident: dict[int, float] = field(default_factory=dict[int, float])
    """MiB by second."""
    updates: int = 0
    resyncs: int = 0
    wrong: int = 0


async def _hour(port: int) -> _Hour:
    found = _Hour()
    async with open_client(port, budget=False) as client:
        found.before = resident()
        opened = [
            await client.market(market).order_books(symbols(market, _BOOKS)).open()
            for market in ("spot", "futures", "coin_futures")
        ]
        readers = [asyncio.create_task(_read(books)) for books in opened]
        everyone = [book for books in opened for book in books.values()]
        for second in range(_LOOK_EVERY, _HOUR + 1, _LOOK_EVERY):
            ask_exchange(port, f"go?books={len(everyone)}&until={second}")
            while any((book.update_id or 0) < second * IDS for book in everyone):  # noqa: ASYNC110 - what wakes costs CPU
                await asyncio.sleep(0.05)
            found.wrong += sum(not book.synced or differs(book) for book in everyone[::10])
            found.resident[second] = resident()
            if second % _BREAK_EVERY == 0 and second < _HOUR:
                ask_exchange(port, "break")
        for reader in readers:
            reader.cancel()
        found.updates = _HOUR * 3 * _BOOKS
        found.resyncs = sum(book.resyncs for book in everyone)
        for books in opened:
            await books.aclose()
    return found


async def _read(books: Any) -> None:
    followed = set(list(books)[:_FOLLOWED])
    async for change in books.updates():
        if change.symbol in followed and books[change.symbol].synced:
            books[change.symbol].bids(10)
            books[change.symbol].asks(10)


# -------------------------------------------------------------------- beside a thousand streams

_STREAMS = 1000
_BESIDE = 100
_LISTENED = 60.0
_TICKER = '{"u":1,"s":"%s","b":"27103.10000000","B":"1.00000000","a":"27103.11000000","A":"2.00000000"}'


def _beside_streams() -> list[Figure]:
    names = symbols("spot", _STREAMS)
    with served(serve_books, False, 0.1, {f"{name.lower()}@bookTicker": _TICKER % name for name in names}) as port:
        start, steady, idle, events, wrong = asyncio.run(_lags(port, names))
    name = f"{_BESIDE} books beside {_STREAMS} streams"
    note = (
        f"ten updates and ten events a second of each, {events} events in {_LISTENED:g} s; floor: a process "
        "that does nothing"
    )
    ratio = _p99(steady) / _p99(idle)
    return [
        Figure(
            *("many-books", f"{name}: loop lag, p99", _p99(steady), "ms", _p99(idle), ratio, Target("<", 20)), note=note
        ),
        Figure("many-books", f"{name}: loop lag, p99, while they start", _p99(start), "ms", note=note),
        Figure("many-books", f"{name}: not true at the end", wrong, "", target=Target("=", 0), note=note),
    ]


def _p99(lags: Sequence[float]) -> float:
    return quantiles(lags, n=100)[98] * 1000


async def _lags(port: int, names: Sequence[str]) -> tuple[list[float], list[float], list[float], int, int]:
    lags: list[float] = []
    events = 0

    async def listen(stream: Any) -> None:
        nonlocal events
        async for _ in stream:
            events += 1

    async with open_client(port, budget=False) as client, client.spot.streams.book_ticker(*names) as stream:
        tasks = [asyncio.create_task(listen(stream)), asyncio.create_task(_watch(lags))]
        await asyncio.sleep(2)
        lags.clear()
        async with client.spot.order_books(names[:_BESIDE]) as books:
            await books.wait_synced(120)
            tasks.append(asyncio.create_task(_read(books)))
            start = lags.copy()
            lags.clear()
            before = events
            idle = await _idle_beside(_LISTENED)
            steady, events = lags.copy(), events - before
            wrong = sum(differs(book) for book in books.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return start, steady, idle, events, wrong


async def _idle_beside(seconds: float) -> list[float]:
    """Lags of another process while this one listens."""
    context = multiprocessing.get_context("spawn")
    answers: Any = context.Queue()
    process = context.Process(target=_idle, args=(answers, seconds), daemon=True)
    process.start()
    await asyncio.sleep(seconds)
    found: list[float] = await asyncio.to_thread(answers.get, timeout=60)
    process.join()
    return found


def _idle(answers: Any, seconds: float) -> None:
    async def watch() -> list[float]:
        lags: list[float] = []
        task = asyncio.create_task(_watch(lags))
        await asyncio.sleep(seconds)
        task.cancel()
        return lags

    answers.put(asyncio.run(watch()))


async def _watch(lags: list[float]) -> None:
    while True:
        begun = perf_counter()
        await asyncio.sleep(0.005)
        lags.append(max(0.0, perf_counter() - begun - 0.005))


# ---------------------------------------------------------------------------------------- shared


def run(options: object) -> list[Figure]:
    return [*_beside_streams(), *_kept_for_an_hour(), *_synced()]


def open_client(port: int, *, budget: bool = True) -> Any:
    """A client that asks the exchange of books for every market."""
    from binance_sdk import BinanceClient

    rest, stream = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    return BinanceClient(
        spot_base_url=rest,
        spot_stream_url=stream,
        futures_base_url=rest,
        futures_stream_url=stream,
        coin_futures_base_url=rest,
        coin_futures_stream_url=stream,
        safety_margin=_MARGIN,
        budget=budget,
    )


def ask_exchange(port: int, what: str) -> Any:
    """What only the exchange knows."""
    with urlopen(f"http://127.0.0.1:{port}/exchange/{what}", timeout=30) as answer:
        return json.loads(answer.read())


def differs(book: Any) -> bool:
    """Whether a level is not the true one after the same update id, as far as the book knows the market."""
    for name, end in zip(SIDES, book.complete_to, strict=True):
        sign = SIDES[name]
        true = [
            (Decimal(price), Decimal(qty))
            for price, qty in levels(sign, book.update_id // IDS, number_of(book.symbol))
            if end is None or sign * Decimal(price) <= sign * end
        ]
        if [(level.price, level.qty) for level in getattr(book, name)()] != true:
            return True
    return False
