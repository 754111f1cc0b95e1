"""Market data of 100 perpetuals, a refresh each minute: polled alone, and with everything that can be streamed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from statistics import fmean
from time import thread_time

from benchmarks._figures import Figure, Target
from tests.virtuoso.streaming.minutes import Minute, Minutes

_SYMBOLS = 100
_LOADING, _STREAMING, _MINUTES = 60, 10, 5
"""At most so many minutes until all is loaded, and until all is streamed; then so many that count, as statistics are
asked for once in five minutes."""
_PARTS = 9
"""Parts of a perpetual that can be streamed."""


@dataclass(frozen=True)
class _Run:
    """Steady minutes.

    Attributes:
        weight: Weight a minute, by the exchange's count.
        cpu: CPU seconds a minute of the thread that everything but the exchange runs in.
        refreshing: Those of the refreshes.
        events: Messages of streams a minute, without those of order books.
        incomplete: Parts that could not be delivered, and those that were not streamed although they can be.
    """

    weight: float
    cpu: float
    refreshing: float
    events: float
    incomplete: int


def run(options: object) -> list[Figure]:
    logging.getLogger("virtuoso_binance").setLevel(logging.CRITICAL)
    logging.getLogger("binance_sdk").setLevel(logging.CRITICAL)
    polled, streamed = (asyncio.run(_steady(_SYMBOLS, streamed)) for streamed in (False, True))
    note = f"the mean of {_MINUTES} steady minutes of the injected clock, by the simulator's count; half of each budget"
    cpu_note = (
        f"the thread of client and adapter alone: {streamed.events:.0f} messages a minute and those of {_SYMBOLS} "
        f"order books; the refreshes are {streamed.refreshing:.2f} s of it"
    )
    return [
        Figure(
            "virtuoso-streams",
            "100 symbols: weight a minute, streamed against polled",
            streamed.weight,
            "",
            polled.weight,
            streamed.weight / polled.weight,
            Target("<", 0.25, "ratio"),
            note,
        ),
        Figure(
            "virtuoso-streams",
            "100 symbols: parts missing, or not streamed",
            polled.incomplete + streamed.incomplete,
            target=Target("=", 0),
            note=note,
        ),
        Figure(
            "virtuoso-streams",
            "CPU a minute and symbol, streamed against polled",
            streamed.cpu / _SYMBOLS * 1000,
            "ms CPU",
            polled.cpu / _SYMBOLS * 1000,
            streamed.cpu / polled.cpu,
            note=cpu_note,
        ),
    ]


async def _steady(symbols: int, streamed: bool) -> _Run:
    async with Minutes(symbols, streamed=False) as minutes:

        def unstreamed() -> int:
            states = minutes.fetcher._states.values()
            return sum(_PARTS - len(state.streamed) for state in states) if streamed else 0

        # Loading is the same with and without streams, and takes many minutes: the exchange allows few statistics.
        for _ in range(_LOADING):
            if not (await minutes.minute()).refresh.stale:
                break
        if streamed:
            minutes.begin_streams()
        for _ in range(_STREAMING):
            if not unstreamed():
                break
            await minutes.minute()
        begun = thread_time()
        steady: list[Minute] = []
        incomplete = 0
        for _ in range(_MINUTES):
            steady.append(await minutes.minute())
            incomplete += sum(len(parts) for parts in steady[-1].refresh.stale.values()) + unstreamed()
        cpu = (thread_time() - begun) / _MINUTES
        return _Run(
            minutes.weight(_MINUTES) / _MINUTES,
            cpu,
            fmean(minute.refreshing for minute in steady),
            fmean(minute.events for minute in steady),
            incomplete,
        )
