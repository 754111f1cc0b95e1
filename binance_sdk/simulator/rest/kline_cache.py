"""Whole days of minute candles as finished JSON, so that paging through a year is little more than slicing bytes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from binance_sdk.simulator.market import candles as bar
from binance_sdk.simulator.market.candles import DAY, BarRange, Calendar, Candles
from binance_sdk.simulator.market.decimals import DecimalFormat, Formats
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.randomness import Ints
from binance_sdk.simulator.rest.bulk_rows import RowText, draw

_DAYS = 128
"""Days kept for one market, of all its symbols together: 180 kB each, 23 MB in all."""
_CALENDAR = Calendar("1m")

KLINE = '[{},{},{},{},{},{},{},{},{},{},{},"0"]'
# The same in pieces, with the quotes of the decimals.
_PIECES = [b"[", *[b',"', *[b'","'] * 4, b'",'], b',"', b'",', b',"', b'","', b'","0"]']


def kline_columns(bars: Ints, closes: Ints, formats: Formats) -> Sequence[tuple[DecimalFormat | None, Ints]]:
    """The eleven changing columns of a candle, as the wire orders them."""
    price, quantity, value = formats
    return (
        (None, bars[bar.TIME]),
        (price, bars[bar.OPEN]),
        (price, bars[bar.HIGH]),
        (price, bars[bar.LOW]),
        (price, bars[bar.CLOSE]),
        (quantity, bars[bar.VOLUME]),
        (None, closes - 1),
        (value, bars[bar.VALUE]),
        (None, bars[bar.COUNT]),
        (quantity, bars[bar.BUY_VOLUME]),
        (value, bars[bar.BUY_VALUE]),
    )


class KlineCache:
    """The rendered days of one market; past days never change, so they are made once and kept while there is room."""

    def __init__(self) -> None:
        self._day = lru_cache(maxsize=_DAYS)(_rendered)

    def rows(self, candles: Candles, formats: Formats, first: int, last: int) -> list[bytes] | None:
        """The JSON rows of the minutes ``first`` to ``last``, in pieces that a comma joins.

        Args:
            candles: Whose.
            formats: How their numbers are written.
            first: Minute since the epoch.
            last: Minute since the epoch, on a day that is over.

        Returns:
            ``None`` where they are not there: before the first trade.
        """
        pieces: list[bytes] = []
        for day in range(first // 1440, last // 1440 + 1):
            start, drawn = self._day(candles, formats, day)
            low, high = max(first, day * 1440) - start, min(last, day * 1440 + 1439) - start + 1
            if low < 0 or high > len(drawn):
                return None
            pieces.append(drawn.rows(low, high))
        return pieces


def _rendered(candles: Candles, formats: Formats, day: int) -> tuple[int, RowText]:
    """Number of the first minute of a day, and its rows."""
    end = (day + 1) * DAY - 1
    bars, closes = candles.read(_CALENDAR, BarRange(day * DAY, end, 1440), end)
    start = int(bars[0, 0]) // MINUTE if len(closes) else (day + 1) * 1440
    return start, draw(_PIECES, kline_columns(bars, closes, formats))
