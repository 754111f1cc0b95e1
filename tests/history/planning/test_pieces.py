"""Which pieces are chosen: pure, on what the archive really has."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from binance_sdk._runtime.archive import ArchiveKind
from binance_sdk.catalogue import ARCHIVE
from binance_sdk.history.dataset.layout import span_in
from binance_sdk.history.piece import Piece, Series, Source
from binance_sdk.history.planning.density import MOST_ROWS, rows_in
from binance_sdk.history.planning.pieces import LARGEST_MONTH, Choice, Files, Scene, alternatives, choose_pieces
from binance_sdk.history.planning.spans import DAY, HOUR, Span, joined, without


def ms(text: str) -> int:
    return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


NOW = ms("2026-11-30T14:20:30")
MINUTES = Series("futures", "klines", "BTCUSDT", "1m")


def kind_of(series: Series) -> ArchiveKind:
    return ARCHIVE.kinds[series.market, series.kind]


def choose(since: str, until: str | None = None, series: Series = MINUTES, now: int = NOW, **scene: Any) -> Choice:
    end = now if until is None else ms(until)
    return choose_pieces(Scene(kind_of(series), now, **scene), series, (ms(since), end))


def by_source(choice: Choice) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for piece in choice.pieces:
        found.setdefault(piece.source, []).append(piece.name)
    return found


def days(first: str, last: str) -> list[int]:
    return list(range(ms(first), ms(last) + DAY, DAY))


def listed(daily: Iterable[int] = (), monthly: Iterable[int] = (), size: int = 1000) -> Files:
    return Files({"daily": dict.fromkeys(daily, size), "monthly": dict.fromkeys(monthly, size)})


def covered(choice: Choice) -> list[Span]:
    spans = [(piece.start, piece.end) for piece in choice.pieces]
    return joined([*spans, *((lost.start, lost.end) for lost in choice.unreachable)])


def test_whole_months_come_monthly_then_days_then_rest() -> None:
    found = by_source(choose("2026-08-01"))
    assert found["archive_monthly"] == ["2026-08.monthly", "2026-09.monthly", "2026-10.monthly"]
    assert found["archive_daily"] == [f"2026-11-{day:02}.daily" for day in range(1, 30)]
    assert found["rest"] == ["2026-11-30T000000-2026-11-30T142000.rest"]


def test_a_part_of_a_month_comes_by_whole_days() -> None:
    found = by_source(choose("2026-08-30T13:00", "2026-09-02T01:00"))
    assert found == {
        "archive_daily": [f"{day}.daily" for day in ("2026-08-30", "2026-08-31", "2026-09-01", "2026-09-02")]
    }


def test_what_is_not_published_yet_comes_over_rest() -> None:
    # The month ended three days ago, its file may take until the second week; the last day ended an hour ago.
    choice = choose("2026-10-01", now=ms("2026-11-04T01:00"))
    found = by_source(choice)
    assert "archive_monthly" not in found
    assert found["archive_daily"][-1] == "2026-11-02.daily"
    assert found["rest"] == ["2026-11-03T000000-2026-11-04T000000.rest", "2026-11-04T000000-2026-11-04T010000.rest"]


def test_what_is_published_early_is_taken_where_the_listing_shows_it() -> None:
    now = ms("2026-11-02T01:00")
    files = listed(days("2026-11-01", "2026-11-01"), [ms("2026-09-01"), ms("2026-10-01")])
    found = by_source(choose("2026-09-01", now=now, files=files))
    assert found["archive_monthly"] == ["2026-09.monthly", "2026-10.monthly"]
    assert found["archive_daily"] == ["2026-11-01.daily"]


def test_a_hole_in_the_listing_comes_by_days_and_a_missing_day_over_rest() -> None:
    files = listed(set(days("2026-07-01", "2026-10-31")) - {ms("2026-08-05")}, [ms("2026-07-01"), ms("2026-09-01")])
    found = by_source(choose("2026-07-01", "2026-10-01", files=files))
    assert found["archive_monthly"] == ["2026-07.monthly", "2026-09.monthly"]
    assert len(found["archive_daily"]) == 30
    assert found["rest"] == ["2026-08-05T000000-2026-08-06T000000.rest"]


def test_a_listing_that_ends_long_ago_hides_no_file() -> None:
    # A stale listing was seen: it ended years before files that were there.
    files = listed(days("2023-01-01", "2024-03-03"), [ms("2023-01-01"), ms("2024-02-01")])
    found = by_source(choose("2026-08-01", files=files))
    assert found["archive_monthly"] == ["2026-08.monthly", "2026-09.monthly", "2026-10.monthly"]


def test_the_first_months_of_futures_come_over_rest() -> None:
    choice = choose("2019-09-01", "2020-02-01")
    found = by_source(choice)
    assert found["archive_monthly"] == ["2020-01.monthly"]
    assert found["archive_daily"] == ["2019-12-31.daily"]
    assert found["rest"][0] == "2019-09-01T000000-2019-10-01T000000.rest"
    assert found["rest"][-1] == "2019-12-01T000000-2019-12-31T000000.rest"


def test_a_symbol_that_came_later_is_not_asked_for_before() -> None:
    files = listed(days("2024-05-10", "2026-11-29"), [ms("2024-05-01")])
    choice = choose("2024-03-01", "2024-05-12", files=files)
    assert by_source(choice)["archive_daily"] == ["2024-05-10.daily", "2024-05-11.daily"]
    assert [(lost.reason, lost.over_rest) for lost in choice.unreachable] == [("before_archive", "not_traded")]
    assert (choice.unreachable[0].start, choice.unreachable[0].end) == (ms("2024-03-01"), ms("2024-05-10"))


def test_the_first_day_that_there_are_files_of_is_no_loss_where_its_file_cannot_be_had() -> None:
    files = listed(days("2024-05-10", "2026-11-29"), [ms("2024-05-01")])
    (day,) = choose("2024-05-10", "2024-05-11", files=files).pieces
    choice = alternatives(Scene(kind_of(MINUTES), NOW, files=files), day)
    assert [(piece.source, piece.start) for piece in choice.pieces] == [("rest", ms("2024-05-10"))]
    assert choice.unreachable == []


def test_pieces_that_differ_by_a_millisecond_have_different_names() -> None:
    pieces = [Piece(MINUTES, start, end, "rest") for start in (0, 1, 1000, 1001) for end in (2000, 2001, 3000)]
    assert len({piece.name for piece in pieces}) == len(pieces)
    assert pieces[0].name == "1970-01-01T000000-1970-01-01T000002.rest"
    assert pieces[4].name == "1970-01-01T000000.001-1970-01-01T000002.001.rest"
    # Records that cannot lie in a span are told by their names alone.
    assert [span_in(piece.name) for piece in pieces] == [(piece.start, piece.end) for piece in pieces]


def test_a_source_alone_leaves_the_other_out() -> None:
    assert set(by_source(choose("2026-10-01", source="rest"))) == {"rest"}
    choice = choose("2026-10-01", source="archive")
    assert set(by_source(choice)) == {"archive_monthly", "archive_daily"}
    assert [(lost.start, lost.end) for lost in choice.unreachable] == [(ms("2026-11-30"), NOW)]
    assert "source='archive'" in choice.unreachable[0].text


def test_trades_older_than_rest_reaches_are_told() -> None:
    trades = Series("futures", "agg_trades", "BTCUSDT")
    files = listed(days("2026-11-01", "2026-11-25"))
    # The listing ends four days ago, yet three of these days are due by now.
    choice = choose("2026-11-20", series=trades, files=files)
    assert not choice.unreachable
    choice = choose("2026-11-20", series=trades, source="rest")
    lost = choice.unreachable
    assert [found.reason for found in lost] == ["source"]
    assert "48 hours" in lost[0].text
    assert lost[0].end == choice.pieces[0].start
    # Hours, in which there are not too many rows.
    assert {piece.end - piece.start for piece in choice.pieces[1:-1]} == {HOUR}


def test_what_rest_forgets_soon_comes_first() -> None:
    metrics = Series("futures", "metrics", "BTCUSDT")
    choice = choose("2026-11-01", series=metrics)
    assert choice.pieces[0].source == "rest"
    assert choice.pieces[1].source == "archive_daily"


def test_what_only_the_archive_has_is_told_where_it_is_not() -> None:
    depth = Series("futures", "book_depth", "BTCUSDT")
    choice = choose("2026-11-28", series=depth)
    assert by_source(choice) == {"archive_daily": ["2026-11-28.daily", "2026-11-29.daily"]}
    assert [lost.reason for lost in choice.unreachable] == ["not_published"]
    ended = choose("2024-03-01", "2024-04-05", series=Series("futures", "book_ticker", "BTCUSDT"))
    assert [lost.reason for lost in ended.unreachable] == ["ended"]
    assert ended.unreachable[0].start == ms("2024-03-31")


def test_kinds_without_days_take_whole_months_or_rest() -> None:
    funding = Series("futures", "funding_rate", "BTCUSDT")
    found = by_source(choose("2026-08-15", series=funding))
    assert found["archive_monthly"] == ["2026-09.monthly", "2026-10.monthly"]
    assert found["rest"] == [
        "2026-08-15T000000-2026-09-01T000000.rest",
        "2026-11-01T000000-2026-11-30T000000.rest",
        "2026-11-30T000000-2026-11-30T142000.rest",
    ]
    alone = by_source(choose("2026-08-15", "2026-09-10", series=funding, source="archive"))
    assert alone == {"archive_monthly": ["2026-08.monthly", "2026-09.monthly"]}


def test_months_of_many_trades_come_by_days() -> None:
    trades = Series("spot", "agg_trades", "BTCUSDT")
    assert set(by_source(choose("2026-10-01", "2026-11-01", series=trades))) == {"archive_daily"}
    for size, source in ((LARGEST_MONTH, "archive_monthly"), (LARGEST_MONTH + 1, "archive_daily")):
        files = listed(days("2026-10-01", "2026-10-31"), [ms("2026-10-01")], size)
        assert set(by_source(choose("2026-10-01", "2026-11-01", series=trades, files=files))) == {source}


@pytest.mark.parametrize("interval", ["1s", "1m", "1h", "1d", "1w", "1M"])
def test_pieces_over_rest_hold_few_rows_and_end_with_the_last_closed_bar(interval: str) -> None:
    series = Series("spot", "klines", "BTCUSDT", interval)
    choice = choose("2026-09-15", series=series, source="rest")
    rows = [rows_in(kind_of(series), series, (piece.start, piece.end))[0] for piece in choice.pieces]
    assert max(rows) <= max(MOST_ROWS, 86_400)
    last = {"1s": "2026-11-30T14:20:30", "1m": "2026-11-30T14:20", "1h": "2026-11-30T14:00", "1d": "2026-11-30"}
    assert choice.pieces[-1].end == ms({**last, "1w": "2026-11-30", "1M": "2026-11-01"}[interval])


# ------------------------------------------------------------------------------------------- what is kept


def kept(choice: Choice) -> list[Piece]:
    return list(choice.pieces)


def test_nothing_that_is_kept_is_planned_again() -> None:
    first = choose("2026-09-10")
    assert choose("2026-09-10", kept=kept(first)).pieces == []
    rest = choose("2026-09-10", kept=kept(first)[3:])
    assert rest.pieces == kept(first)[:3]


def test_the_running_day_is_fetched_again_when_there_is_more_of_it() -> None:
    first = choose("2026-11-29")
    later = choose("2026-11-29", now=NOW + HOUR, kept=kept(first))
    assert [piece.name for piece in later.pieces] == ["2026-11-30T000000-2026-11-30T152000.rest"]


def test_past_days_over_rest_are_not_fetched_twice() -> None:
    first = choose("2026-11-10", source="rest")
    tomorrow = choose("2026-11-10", source="rest", now=NOW + DAY, kept=kept(first))
    assert [piece.name for piece in tomorrow.pieces] == [
        "2026-11-30T142000-2026-12-01T000000.rest",
        "2026-12-01T000000-2026-12-01T142000.rest",
    ]


def test_a_month_of_which_days_are_kept_goes_on_by_days() -> None:
    october = choose("2026-10-01", "2026-10-11", now=ms("2026-10-12"))
    assert {piece.source for piece in october.pieces} == {"archive_daily"}
    found = by_source(choose("2026-10-01", "2026-11-01", kept=kept(october)))
    assert found == {"archive_daily": [f"2026-10-{day:02}.daily" for day in range(11, 32)]}


def test_files_take_the_place_of_rest_where_that_is_wanted() -> None:
    first = choose("2026-11-30")
    assert {piece.source for piece in first.pieces} == {"rest"}
    later = NOW + 2 * DAY
    kept_day = [Piece(MINUTES, ms("2026-11-30"), ms("2026-12-01"), "rest")]
    assert by_source(choose("2026-11-30", "2026-12-01", now=later, kept=kept_day)) == {}
    found = by_source(choose("2026-11-30", "2026-12-01", now=later, kept=kept_day, renew=True))
    assert found == {"archive_daily": ["2026-11-30.daily"]}


# ----------------------------------------------------------------------------------- what turned out absent


def test_an_absent_month_becomes_days_and_an_absent_day_rest() -> None:
    scene = Scene(kind_of(MINUTES), NOW)
    month = Piece(MINUTES, ms("2026-10-01"), ms("2026-11-01"), "archive_monthly")
    instead = alternatives(scene, month)
    assert [piece.source for piece in instead.pieces] == ["archive_daily"] * 31
    day = alternatives(scene, instead.pieces[3])
    assert [piece.name for piece in day.pieces] == ["2026-10-04T000000-2026-10-05T000000.rest"]


def test_an_absent_day_that_rest_does_not_reach_is_told() -> None:
    trades = Series("futures", "agg_trades", "BTCUSDT")
    day = Piece(trades, ms("2026-10-04"), ms("2026-10-05"), "archive_daily")
    found = alternatives(Scene(kind_of(trades), NOW), day)
    assert not found.pieces
    assert [(lost.reason, lost.over_rest, lost.start, lost.end) for lost in found.unreachable] == [
        ("no_file", "out_of_reach", day.start, day.end)
    ]
    assert "48 hours" in found.unreachable[0].text


# -------------------------------------------------------------------------------------------------- all kinds


ALL = [
    Series(cast("Any", market), name, "BTCUSDT", interval)
    for (market, name), kind in ARCHIVE.kinds.items()
    for interval in (dict.fromkeys(i for p in kind.intervals.values() for i in p) or [""])
]


@pytest.mark.parametrize("source", ["auto", "archive", "rest"])
def test_every_moment_is_planned_once_or_told(source: Source) -> None:
    """Whatever the kind: no hole, nothing twice, every piece within a month, nothing after what is closed."""
    for series in ALL:
        for since, until in (("2019-11-20", "2020-03-05T12:00"), ("2026-08-17T09:00", None)):
            choice = choose(since, until, series, source=source)
            spans = sorted((p.start, p.end) for p in choice.pieces)
            spans += [(lost.start, lost.end) for lost in choice.unreachable]
            spans.sort()
            assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans)), series
            assert len(covered(choice)) == 1, (series, covered(choice))
            assert covered(choice)[0][0] <= ms(since)
            end = NOW if until is None else ms(until)
            open_for = NOW - covered(choice)[-1][1] if until is None else 0
            assert covered(choice)[-1][1] >= end or 0 <= open_for < 31 * DAY, series
            for piece in choice.pieces:
                first, last = (datetime.fromtimestamp(at / 1000, UTC) for at in (piece.start, piece.end - 1))
                assert (first.year, first.month) == (last.year, last.month)
            names = Counter(piece.name for piece in choice.pieces)
            assert max(names.values(), default=1) == 1
            again = choose(since, until, series, source=source, kept=choice.pieces)
            assert again.pieces == [], series


def test_spans() -> None:
    assert without((0, 10), [(2, 3), (5, 7), (6, 8)]) == [(0, 2), (3, 5), (8, 10)]
    assert without((0, 10), [(-5, 20)]) == []
    assert timedelta(milliseconds=DAY) == timedelta(days=1)
