"""What REST is asked for where bars are missing in a file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from binance_sdk.catalogue import ARCHIVE
from binance_sdk.history.piece import Piece, Series
from binance_sdk.history.planning.holes import fills

from .test_pieces import NOW, ms

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = ms("2026-10-05")
MINUTES = Piece(Series("spot", "klines", "BTCUSDT", "1m"), START, START + DAY, "archive_daily")


def asked(piece: Piece, missing: list[tuple[int, int]], step: int = MINUTE) -> list[tuple[int, int]]:
    """What is asked for where these spans are missing, in steps since the begin of the piece."""
    kind = ARCHIVE.kinds[piece.series.market, piece.series.kind]
    gone = {at for first, last in missing for at in range(first, last)}
    count = (piece.end - piece.start) // step
    times = [piece.start + at * step for at in range(count) if at not in gone]
    found = fills(kind, piece, times, NOW)
    assert all(fill.source == "rest" for fill in found)
    return [((fill.start - piece.start) // step, (fill.end - piece.start) // step) for fill in found]


@pytest.mark.parametrize(
    ("missing", "spans"),
    [
        ([], []),
        ([(0, 1)], [(0, 1)]),
        ([(1439, 1440)], [(1439, 1440)]),
        ([(0, 456)], [(0, 456)]),
        ([(0, 1440)], [(0, 1440)]),
        # Near ones are one page, far ones are not.
        ([(3, 4), (9, 12)], [(3, 12)]),
        ([(3, 4), (503, 504)], [(3, 504)]),
        ([(3, 4), (504, 505)], [(3, 4), (504, 505)]),
    ],
)
def test_minutes(missing: list[tuple[int, int]], spans: list[tuple[int, int]]) -> None:
    assert asked(MINUTES, missing) == spans


def test_months_are_cut_at_days() -> None:
    month = Piece(MINUTES.series, ms("2026-10-01"), ms("2026-11-01"), "archive_monthly")
    assert asked(month, [(1430, 1450)]) == [(1430, 1440), (1440, 1450)]


def test_days_are_the_longest_bars_that_are_asked_for() -> None:
    month = Piece(Series("spot", "klines", "BTCUSDT", "1d"), ms("2026-10-01"), ms("2026-11-01"), "archive_monthly")
    assert asked(month, [(4, 5)], DAY) == [(4, 5)]
    weeks = Piece(Series("spot", "klines", "BTCUSDT", "1w"), month.start, month.end, "archive_monthly")
    assert asked(weeks, [(1, 2)], 7 * DAY) == []


def test_kinds_whose_rows_have_no_fixed_time_are_not_asked_for() -> None:
    # Yesterday, which REST still has of all of them.
    yesterday = NOW // DAY * DAY - DAY
    for series in (
        Series("futures", "metrics", "BTCUSDT"),
        Series("spot", "agg_trades", "BTCUSDT"),
        Series("spot", "klines", "BTCUSDT", "1M"),
    ):
        piece = Piece(series, yesterday, yesterday + DAY, "archive_daily")
        assert fills(ARCHIVE.kinds[series.market, series.kind], piece, [], NOW) == []


def test_what_rest_does_not_serve_is_not_asked_for() -> None:
    assert fills(ARCHIVE.kinds["spot", "klines"], MINUTES, [], NOW) != []
    assert fills(replace(ARCHIVE.kinds["spot", "klines"], rest=()), MINUTES, [], NOW) == []
