"""Spans of time, half open and in milliseconds: cut at months and days (UTC), joined, and taken from each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from binance_sdk._runtime.candles import candle_end, candle_start

Span: TypeAlias = tuple[int, int]
"""First moment, and first moment after."""

HOUR, DAY = 3_600_000, 86_400_000
MONTH_UNIT, DAY_UNIT, HOUR_UNIT = "1M", "1d", "1h"
"""Lengths by which a span is cut, written as candles are."""


def cut(span: Span, unit: str) -> Iterator[Span]:
    """The parts of a span in each month, day or hour."""
    start, end = span
    while start < end:
        following = min(candle_end(unit, start), end)
        yield start, following
        start = following


def whole(span: Span, unit: str) -> Span:
    """The months, days or hours that a span touches."""
    start, end = span
    last = candle_start(unit, end)
    return candle_start(unit, start), end if last == end else candle_end(unit, end)


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same moments in as few spans as possible, in order."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        elif start < end:
            found.append((start, end))
    return found


def without(span: Span, taken: Iterable[Span]) -> list[Span]:
    """What is left of a span."""
    left: list[Span] = []
    start, end = span
    for first, last in joined(taken):
        if last <= start or first >= end:
            continue
        if first > start:
            left.append((start, first))
        start = max(start, last)
    if start < end:
        left.append((start, end))
    return left
