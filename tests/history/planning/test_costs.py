"""What pieces cost, before any of them is fetched."""

from __future__ import annotations

import pytest

from binance_sdk.catalogue import ARCHIVE, CATALOGUE
from binance_sdk.history.piece import Piece, Series, Source
from binance_sdk.history.planning.costs import Cost, Figure, cost_of, minutes
from binance_sdk.history.planning.pieces import Files

from .test_pieces import NOW, ms

MINUTES = Series("futures", "klines", "BTCUSDT", "1m")


def cost(series: Series, first: str, last: str, source: Source, files: Files | None = None) -> Cost:
    kind = ARCHIVE.kinds[series.market, series.kind]
    listed = {} if files is None else {series.symbol: files}
    return cost_of(kind, [Piece(series, ms(first), ms(last), source)], listed, NOW)


def test_a_file_costs_bytes_and_no_weight() -> None:
    month = ("2026-10-01", "2026-11-01")
    exact = cost(MINUTES, *month, "archive_monthly", Files({"monthly": {ms("2026-10-01"): 2_112_275}}))
    assert (exact.bytes, exact.weight, exact.requests) == (
        Figure(2_112_275, "exact"),
        Figure(0, "exact"),
        Figure(2, "exact"),
    )
    assert exact.rows == Figure(44_640, "at_most")
    guessed = cost(MINUTES, *month, "archive_monthly")
    assert guessed.bytes.certainty == guessed.requests.certainty == "estimate"
    # Half as much or twice as much would be no estimate.
    assert 0.7 < guessed.bytes.value / exact.bytes.value < 1.4


def test_bars_over_rest_cost_what_an_iterator_costs() -> None:
    day = cost(MINUTES, "2026-10-01", "2026-10-02", "rest")
    # 1440 bars in pages of 499, which weigh 2 each, and one that shows that no more come.
    assert day.requests == Figure(4, "at_most")
    assert day.weight == Figure(8, "at_most")
    assert day.rows.value == 1440
    coin = cost(Series("coin_futures", "klines", "BTCUSD_PERP", "1m"), "2026-10-01", "2026-10-02", "rest")
    assert coin.weight.value >= coin.requests.value


def test_groups_of_requests_are_counted() -> None:
    metrics = cost(Series("futures", "metrics", "BTCUSDT"), "2026-11-20", "2026-11-21", "rest")
    assert metrics.weight.value == 0
    assert metrics.groups == {"futures_data": metrics.requests.value}


def test_how_many_trades_there_are_is_told_by_the_files_of_days() -> None:
    trades = Series("futures", "agg_trades", "BTCUSDT")
    hour = ("2026-11-30T10:00", "2026-11-30T11:00")
    blind = cost(trades, *hour, "rest")
    files = Files({"daily": {ms(f"2026-11-{day}"): 240_000 for day in (26, 27, 28)}})
    told = cost(trades, *hour, "rest", files)
    assert blind.rows.value == pytest.approx(1_500_000 / 24)
    # 10 000 bytes of zip an hour.
    assert told.rows == Figure(770, "estimate")
    assert told.requests.value == 2
    assert told.weight.value < blind.weight.value


def test_minutes_are_those_of_the_scarcest_limit() -> None:
    limits = CATALOGUE["futures"].limits
    assert limits.weight.limit == 2400
    light = Cost(weight=Figure(2280, "at_most"))
    assert minutes(light, limits.weight, limits.groups, None).value == 0
    heavy = Cost(weight=Figure(2280 * 3 + 1, "at_most"))
    assert minutes(heavy, limits.weight, limits.groups, None).value == 3
    # What is spent already is not there.
    assert minutes(light, limits.weight, limits.groups, 0.0).value == 1
    group = limits.groups["futures_data"]
    many = Cost(groups={"futures_data": group.limit * 2 + 1})
    assert minutes(many, limits.weight, limits.groups, None).value == 2 * group.seconds / 60
    files = Cost(files=480, bytes=Figure(0, "exact"))
    assert minutes(files, limits.weight, limits.groups, None).value == 1


def test_the_less_certain_of_two_figures_is_said() -> None:
    assert Figure(1, "exact") + Figure(2, "at_most") == Figure(3, "at_most")
    assert Figure(1, "estimate") + Figure(2, "exact") == Figure(3, "estimate")
