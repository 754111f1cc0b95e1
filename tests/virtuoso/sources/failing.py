"""Failures of one source after the other, drawn, and what is delivered meanwhile."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.virtuoso.schema_facts import problems
from tests.virtuoso.sources.damage import failure
from tests.virtuoso.sources.fake_sources import Clock, FakeExchange, source_of
from virtuoso_binance.frames import json_view
from virtuoso_binance.sources import SourceEvent, SourceFailed, SourceSwitched
from virtuoso_binance.sources.shape import shape_faults


@dataclass
class FailureReport:
    """What came of it.

    Attributes:
        polls: Polls in each of which one of two sources failed.
        delivered: Polls that gave data.
        noticed: Failures of the source that was asked.
        switches: Switches from one source to the other.
        late: Polls that a failed source served, or that gave nothing.
        invalid: What our own check, and the schema, have against what was delivered.
    """

    polls: int
    delivered: int = 0
    noticed: int = 0
    switches: int = 0
    late: int = 0
    invalid: list[str] = field(default_factory=list[str])


async def fail(polls: int, *, schema_every: int = 1, seed: int = 15) -> FailureReport:
    """Make the source that serves fail in each poll, while the other one is well.

    Args:
        polls: Number of polls.
        schema_every: One delivery in so many is judged by the schema, which takes most of the time; 0 for none.
        seed: What goes wrong.
    """
    draw, clock, report = random.Random(seed), Clock(), FailureReport(polls)
    exchanges = {"bybit": FakeExchange(clock), "binance": FakeExchange(clock)}
    events: list[SourceEvent] = []
    source = source_of(clock, exchanges, events, timeout=0.01)
    async with source:
        for number in range(polls):
            clock.move(61)
            bad = source.active("BTCUSDT")
            for name, exchange in exchanges.items():
                exchange.behaviour = failure(exchange, draw) if name == bad else None
            data = await source.fetch_market_data("BTCUSDT")
            report.delivered += 1
            report.invalid += shape_faults(data)
            if schema_every and number % schema_every == 0:
                report.invalid += problems(json_view({key: value for key, value in data.items() if key != "kline"}))
            # Some damage is none: a key that may be left out, a value that may be another.
            failed = any(isinstance(event, SourceFailed) and event.source == bad for event in events)
            report.noticed += failed
            report.late += failed and data["metadata"]["source"] == bad
            report.switches += sum(isinstance(event, SourceSwitched) for event in events)
            events.clear()
    return report
