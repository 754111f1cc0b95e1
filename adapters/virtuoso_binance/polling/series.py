"""Kept series and their newest ends: how much to ask for, and how to join it without a hole. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

from binance_sdk import futures
from binance_sdk.futures import Kline

__all__ = ["Hole", "holes", "merged", "open_time", "statistics_time", "tail_length"]

Hole = tuple[int, int]
"""Open times of the first and the last candle that are missing."""


R = TypeVar("R")


def open_time(kline: Kline) -> int:
    """Open time of a candle, in milliseconds."""
    return kline[0]


def statistics_time(row: futures.OpenInterestHist) -> int:
    """End of the period of a row, in milliseconds."""
    return int(row.time)


def tail_length(newest: int | None, step: int, now: int, count: int) -> int:
    """How many of the newest rows have to be asked for, so that they overlap with what is kept.

    Args:
        newest: Time of the newest kept row; None where nothing is kept.
        step: Time from row to row, in milliseconds.
        now: The time at the exchange, in milliseconds.
        count: Rows of the whole series.
    """
    if newest is None:
        return count
    # The newest kept row itself (it was still running), all that began since, and one where the clock is behind.
    return max(2, min(count, (now - newest) // step + 2))


def merged(kept: Sequence[R], tail: Sequence[R], count: int, time: Callable[[R], int]) -> list[R] | None:
    """The newest ``count`` rows of both; a row of the tail takes the place of the kept one of its time.

    Args:
        kept: Rows, oldest first.
        tail: Newer rows, oldest first.
        count: Rows to keep.
        time: Time of a row.

    Returns:
        None where the two do not overlap: then nobody knows what lies between, and the whole is to be asked for.
    """
    if not kept or not tail:
        return list(tail or kept)[-count:]
    first = time(tail[0])
    if first > time(kept[-1]) and len(tail) < count:
        return None
    if time(tail[-1]) < time(kept[-1]):
        # An answer older than what is known, from a server that is behind.
        return list(kept)
    return [*(row for row in kept if time(row) < first), *tail][-count:]


def holes(klines: Sequence[Kline], step: int) -> list[Hole]:
    """Candles missing between others, as after a halt of the exchange; months are not to be asked about."""
    return [(one[0] + step, other[0] - step) for one, other in pairwise(klines) if other[0] - one[0] > step]
