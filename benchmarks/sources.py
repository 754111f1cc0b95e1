"""Several sources of market data: what choosing costs in CPU, a thousand failures, and eight hours with a timetable."""

from __future__ import annotations

import asyncio
import gc
import logging
from functools import partial
from time import process_time
from typing import Any

import pytest

from benchmarks import adapter
from benchmarks._figures import Figure, Target
from benchmarks._timing import Rounds, interleaved
from binance_sdk import BinanceClient
from tests.virtuoso.integration.eight_hours import eight_hours
from tests.virtuoso.integration.venues import Venues
from tests.virtuoso.schema_facts import FACTS
from tests.virtuoso.sources.ccxt_on_loopback import LimiterClock
from tests.virtuoso.sources.failing import fail
from virtuoso_binance import MarketDataSource
from virtuoso_binance.market_data import assemble, fetch_parts
from virtuoso_binance.symbols import Listed

_ROUNDS, _SNAPSHOTS = 9, 10
_FAILURES = 1000
_SYMBOL = "BTCUSDT"


def run(options: object) -> list[Figure]:
    logging.getLogger("virtuoso_binance").setLevel(logging.CRITICAL)
    logging.getLogger("binance_sdk").setLevel(logging.CRITICAL)
    timed = _cpu()
    note = "13 requests of one perpetual, answered from memory: one exchange alone, and as the first of two sources"
    figures = [
        Figure(
            "sources",
            "CPU of MarketDataSource over its exchange",
            timed.seconds("source") * 1000,
            "ms CPU",
            timed.seconds("exchange") * 1000,
            timed.ratio("source", "exchange"),
            Target("<", 1.2, "ratio"),
            note,
        )
    ]
    return figures + _failures() + _eight_hours()


class _Exchange:
    """The bare adapter on a clock that stands still."""

    def __init__(self, client: BinanceClient, listed: Listed, now_ms: int) -> None:
        self._client, self._listed, self._now = client, listed, now_ms

    async def fetch_market_data(self, symbol: Any, limit: int | None = None) -> Any:
        return assemble(await fetch_parts(self._client, self._listed, limit), self._now)


def _cpu() -> Rounds:
    with asyncio.Runner() as runner:
        client, listed = runner.run(adapter._loaded(adapter._Memory()))
        exchange = _Exchange(client, listed, adapter._NOW)
        block = {"primary": "binance", "secondary": ["other"]}
        other = _Exchange(client, listed, adapter._NOW)
        source = MarketDataSource({"binance": exchange, "other": other}, block, now=lambda: adapter._NOW / 1000)

        async def ask(whom: _Exchange | MarketDataSource) -> None:
            for _ in range(_SNAPSHOTS):
                found = await whom.fetch_market_data(_SYMBOL)
                assert found["metadata"]["ohlcv_success"]

        def timed(whom: _Exchange | MarketDataSource) -> float:
            # A full collection walks all that was ever loaded; it belongs to neither.
            gc.collect()
            begun = process_time()
            runner.run(ask(whom))
            return (process_time() - begun) / _SNAPSHOTS

        timed(exchange), timed(source)
        rounds = interleaved({"exchange": lambda: timed(exchange), "source": lambda: timed(source)}, _ROUNDS)
        assert source.stats["other"].asked == 0
        runner.run(client.aclose())
        return rounds


def _failures() -> list[Figure]:
    if not FACTS.is_dir():
        print("  no schema of market_data beside the checkout: the failures are left out")
        return []
    report = asyncio.run(fail(_FAILURES))
    note = (
        f"{report.polls} polls, in each of which the source that serves fails: {report.noticed} answers were not good "
        f"enough, the others were damaged where nobody reads; {report.switches} switches"
    )
    rows = (
        ("1000 failures: polls without data", report.polls - report.delivered),
        ("1000 failures: failed sources that were delivered", report.late),
        ("1000 failures: invalid by the schema", len(report.invalid)),
    )
    return [Figure("sources", name, count, target=Target("=", 0), note=note) for name, count in rows]


def _eight_hours() -> list[Figure]:
    with pytest.MonkeyPatch.context() as patch:
        # It would wait for the real time.
        LimiterClock().install(patch)
        report = Venues().run(partial(eight_hours, every=1))
    note = (
        f"{report.polls} polls of three venues on the injected clock, {len(report.failures)} faults, "
        f"{report.switches} switches; in {report.nothing} polls all venues were down"
    )
    rows = (
        ("eight hours: differences from timetable and truth", len(report.wrong)),
        ("eight hours: invalid market_data", len(report.invalid)),
    )
    return [Figure("sources", name, count, target=Target("=", 0), note=note) for name, count in rows]
