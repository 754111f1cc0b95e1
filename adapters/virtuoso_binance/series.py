"""Rows that follow each other in time, and their newest end: how much to ask for, how to join it. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

from binance_sdk import futures
from binance_sdk.futures import Kline

__all__ = ["TimeSpan", "joined", "missing_candles", "open_time", "period_end", "rows_to_fetch"]

TimeSpan = tuple[int, int]
"""Open times of the first and of the last candle in it, in milliseconds."""

R = TypeVar("R")


def open_time(kline: Kline) -> int:
    """Open time of a candle, in milliseconds."""
    return kline[0]


def period_end(row: futures.OpenInterestHist) -> int:
    """End of the period that a row is about, in milliseconds."""
    return int(row.time)


def rows_to_fetch(newest: int | None, step: int, now: int, count: int) -> int:
    """How many of the newest rows to ask for, so that they overlap with those that are known.

    Args:
        newest: Time of the newest known row; None where none is known.
        step: Time from row to row, in milliseconds.
        now: The time at the exchange, in milliseconds.
        count: Rows of the whole series.
    """
    if newest is None:
        return count
    # The newest known row itself (it was still running), all that began since, and one where the clock is behind.
    return max(2, min(count, (now - newest) // step + 2))


def joined(known: Sequence[R], answer: Sequence[R], count: int, time: Callable[[R], int]) -> list[R] | None:
    """The newest ``count`` rows of both; a row of the answer replaces the known one of its time.

    Args:
        known: Rows, oldest first.
        answer: Newer rows, oldest first.
        count: Length of the whole series.
        time: Time of a row.

    Returns:
        None where the two do not overlap: rows may be missing between them, so the whole has to be asked for.
    """
    if not known or not answer:
        return list(answer or known)[-count:]
    first = time(answer[0])
    if first > time(known[-1]) and len(answer) < count:
        return None
    if time(answer[-1]) < time(known[-1]):
        # An answer older than what is known, from a server that is behind.
        return list(known)
    return [*(row for row in known if time(row) < first), *answer][-count:]


def missing_candles(klines: Sequence[Kline], step: int) -> list[TimeSpan]:
    """Spans without candles between others, as after a halt of the exchange.

    Args:
        klines: Candles, oldest first.
        step: Their length in milliseconds; not for months, which differ in length.
    """
    return [(before[0] + step, after[0] - step) for before, after in pairwise(klines) if after[0] - before[0] > step]
