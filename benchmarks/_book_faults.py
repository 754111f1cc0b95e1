"""A thousand faults on the lines of live books, each compared with the simulator's own book whenever it has changed."""

from __future__ import annotations

import asyncio
import logging
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from benchmarks._figures import Figure, Target

_BREAKING = 100
_OTHERS = 900
_BOOKS = {
    "spot": ("BTCUSDT", "ETHUSDT"),
    "futures": ("BTCUSDT", "ETHUSDT"),
    "coin_futures": ("BTCUSD_PERP", "ETHUSD_PERP"),
}
_LEVELS = 100
_DEEPER = 1200
"""Levels of the true book, so that those of a live one cannot reach behind it."""
_STEP = 0.1
"""Simulated seconds from one update of every book to the next."""
_LOOKS = 3


def figures() -> list[Figure]:
    # asyncio warns of each write to a connection that the simulator has aborted.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    found = asyncio.run(_injured())
    name = f"{_OTHERS + _BREAKING} faults, {_BREAKING} of them breaking"
    none = Target("=", 0)
    return [
        Figure("books", f"{name}: injected", found["injected"], "", target=Target("=", _OTHERS + _BREAKING)),
        Figure("books", f"{name}: differences from the truth while synced", found["different"], "", target=none),
        Figure("books", f"{name}: comparisons", found["compared"]),
        Figure("books", f"{name}: resyncs", found["resyncs"]),
        Figure("books", f"{name}: time synced", found["synced"], "%"),
        Figure("books", f"{name}: books not true again after the last one", found["out"], "", target=none),
    ]


async def _injured() -> dict[str, float]:
    from binance_sdk._runtime.stream.connection.pacing import Backoff
    from binance_sdk.simulator import ManualClock, Simulator
    from binance_sdk.simulator.streams import StreamFault

    clock = ManualClock(1_700_000_000_000)
    different = compared = looks = synced = 0
    with Simulator(clock=clock) as simulator, patch.object(Backoff, "pause", _hardly_any):
        faults = simulator.streams.faults
        where = "*.diff_depth"
        faults.add(StreamFault.abort(), StreamFault.close(), where=where, probability=0.022, count=_BREAKING)
        faults.add(
            *(StreamFault.drop(), StreamFault.duplicate(), StreamFault.reorder(), StreamFault.garbage()),
            *(StreamFault.noise(), StreamFault.delay(0.25), StreamFault.bad_event(), StreamFault.extra_field()),
            where=where,
            probability=0.2,
            count=_OTHERS,
        )
        async with (
            simulator.client(budget=False) as client,
            client.spot.order_books(_BOOKS["spot"], limit=_LEVELS) as spot,
            client.futures.order_books(_BOOKS["futures"], limit=_LEVELS) as futures,
            client.coin_futures.order_books(_BOOKS["coin_futures"], limit=_LEVELS) as coin_futures,
        ):
            opened = {"spot": spot, "futures": futures, "coin_futures": coin_futures}
            books = [(market, live[symbol]) for market, live in opened.items() for symbol in live]
            seen: dict[object, int | None] = {}
            while faults.armed:
                clock.advance(_STEP)
                for _ in range(_LOOKS):
                    await asyncio.sleep(0.002)
                    for market, book in books:
                        looks += 1
                        if not book.synced:
                            continue
                        synced += 1
                        if book.update_id != seen.get(book):
                            seen[book], compared = book.update_id, compared + 1
                            different += _differs(simulator, market, book)
            for _ in range(500):
                if all(book.synced for _, book in books):
                    break
                clock.advance(_STEP)
                await asyncio.sleep(0.003)
            out = sum(not book.synced or _differs(simulator, market, book) for market, book in books)
            resyncs = sum(book.resyncs for _, book in books)
        injected = sum(faults.injected.values())
    return {
        "injected": injected,
        "different": different,
        "compared": compared,
        "resyncs": resyncs,
        "synced": synced / looks,
        "out": out,
    }


def _hardly_any(backoff: object) -> float:
    return 0.002


def _differs(simulator: Any, market: str, book: Any) -> bool:
    """Whether a level is not the simulator's own after the same update id, read from its market and not its line."""
    data = simulator._exchange.markets[market].symbol_data(book.symbol)
    true = data.book.snapshot(book.update_id, _DEEPER)
    for levels, side, end, sign in zip(
        (book.bids(), book.asks()), (true.bids, true.asks), book.complete_to, (1, -1), strict=True
    ):
        expected = [
            (Decimal(data.price.text(price)), Decimal(data.quantity.text(qty)))
            for price, qty in zip(side.price.tolist(), side.quantity.tolist(), strict=True)
        ]
        known = [level for level in expected if end is None or sign * level[0] >= sign * end]
        if [(level.price, level.qty) for level in levels] != known:
            return True
    return False
