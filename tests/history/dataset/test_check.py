"""A check tells what is wrong with a dataset and why something is missing, and nothing of a sound one."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_sdk.errors import DatasetError
from binance_sdk.history import Dataset, Piece, Remark, Series
from binance_sdk.history.columns import polars_schema
from binance_sdk.history.dataset.checking import piece_file
from binance_sdk.history.dataset.checking.check import check_offline
from binance_sdk.history.dataset.checking.grid import Grid, RawHole
from binance_sdk.history.dataset.checking.reasons import Reasons
from binance_sdk.history.dataset.checking.report import CheckReport
from binance_sdk.history.dataset.parquet import to_parquet
from binance_sdk.history.dataset.record import Absence, dump_record
from tests.history.dataset.made import (
    ARCHIVE,
    HOUR,
    IDS,
    METRICS,
    MINUTE,
    at,
    bars,
    fetched,
    piece,
    trades,
    whole,
)

HOURS = Series("spot", "klines", "BTCUSDT", "1h")
DAYS = [piece(f"2025-01-0{day}", f"2025-01-0{day + 1}", "archive_daily", HOURS) for day in range(1, 9)]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path / "data", archive=ARCHIVE)


def checked(dataset: Dataset) -> CheckReport:
    return check_offline(dataset.url, archive=ARCHIVE)


def hours(start: str, count: int) -> range:
    return range(at(start), at(start) + count * HOUR, HOUR)


def holes(report: CheckReport) -> list[tuple[int, int, int | None, str]]:
    return [(hole.start, hole.end, hole.missing, hole.reason) for found in report.series for hole in found.holes]


def defects(report: CheckReport) -> list[tuple[str, int]]:
    return [(defect.kind, defect.rows) for found in (report, *report.series) for defect in found.defects]


def file_of(dataset: Dataset, a_piece: Piece) -> Path:
    return next(Path(dataset.url).rglob(f"{a_piece.name}.parquet"))


def put(dataset: Dataset, a_piece: Piece, frame: pl.DataFrame) -> None:
    """Other rows in the file of a piece, and a record that does not mind."""
    record = dataset.write(a_piece, whole(a_piece))
    data = to_parquet(frame)
    file_of(dataset, a_piece).write_bytes(data)
    changed = replace(record, rows=frame.height, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    next(Path(dataset.url).rglob(f"{a_piece.name}.json")).write_bytes(dump_record(changed))


# ------------------------------------------------------------------------------------ sound ones


def test_of_a_sound_dataset_it_tells_what_there_is(dataset: Dataset) -> None:
    remark = Remark("doubled_rows", 2, "2 rows stood twice")
    for a_piece in DAYS[:3]:
        dataset.write(a_piece, replace(whole(a_piece), remarks=(remark,)))
    ids = piece("2025-01-01", "2025-01-02", series=IDS)
    dataset.write(ids, fetched(trades(7, 100, ids.start)))
    report = checked(dataset)
    assert (report.sound, report.complete, report.rows, report.deep) == (True, True, 172, False)
    first, second = report.series
    assert (first.series, first.pieces, first.rows) == (HOURS, 3, 72)
    assert (first.start, first.end) == (DAYS[0].start, DAYS[2].end)
    assert (first.first_time, first.last_time, first.first_id) == (DAYS[0].start, DAYS[2].end - HOUR, None)
    assert first.remarks == tuple((a_piece.name, remark) for a_piece in DAYS[:3])
    assert first.bytes == sum(record.size for record in dataset.records(HOURS))
    assert (second.first_id, second.last_id, second.missing, second.holes) == (7, 106, {}, ())
    assert json.loads(json.dumps(asdict(report)))["series"][0]["pieces"] == 3


def test_an_empty_dataset_is_sound_and_no_dataset_is_an_error(dataset: Dataset, tmp_path: Path) -> None:
    report = checked(dataset)
    assert (report.sound, report.complete, report.series) == (True, True, ())
    with pytest.raises(DatasetError, match="is no dataset"):
        check_offline(tmp_path, archive=ARCHIVE)


# ------------------------------------------------------------------------------------ holes


def test_each_hole_has_its_reason(dataset: Dataset) -> None:
    """One of each, and two in one: the exchange had none in a part of what the file lacks."""
    lacking = [*hours("2025-01-01T05:00", 3), *hours("2025-01-01T10:00", 4)]
    dataset.write(DAYS[0], whole(DAYS[0], without=lacking))
    asked = piece("2025-01-01T12:00", "2025-01-01T20:00", series=HOURS)
    dataset.write(asked, fetched(bars([])))
    # The second day was never fetched, the fourth has no file, the sixth no source at all.
    for day in (2, 4, 6):
        dataset.write(DAYS[day], whole(DAYS[day]))
    dataset.note_absence(HOURS, DAYS[3].start, DAYS[3].end, "file_absent", "the archive lacks the file")
    dataset.note_absence(HOURS, DAYS[5].start, DAYS[5].end, "out_of_reach", "REST reaches back 1 day")
    report = checked(dataset)
    assert holes(report) == [
        (at("2025-01-01T05:00"), at("2025-01-01T08:00"), 3, "rows_missing"),
        (at("2025-01-01T10:00"), at("2025-01-01T12:00"), 2, "rows_missing"),
        (at("2025-01-01T12:00"), at("2025-01-01T14:00"), 2, "exchange_had_none"),
        (DAYS[1].start, DAYS[1].end, 24, "not_fetched"),
        (DAYS[3].start, DAYS[3].end, 24, "file_absent"),
        (DAYS[5].start, DAYS[5].end, 24, "out_of_reach"),
    ]
    (found,) = report.series
    assert found.missing == {
        "rows_missing": 5,
        "exchange_had_none": 2,
        "not_fetched": 24,
        "file_absent": 24,
        "out_of_reach": 24,
    }
    assert [hole.text for hole in found.holes[-2:]] == ["the archive lacks the file", "REST reaches back 1 day"]
    assert found.holes[0].text.startswith("2025-01-01.daily has no rows there")
    assert (report.sound, report.complete, found.hole_count) == (True, False, 6)


def test_reasons_hold_for_the_moments_at_which_a_row_is_due() -> None:
    def absence(start: str, end: str, text: str) -> Absence:
        return Absence(HOURS, at(f"2025-01-01T{start}"), at(f"2025-01-01T{end}"), "file_absent", text, 0)

    def explained(absences: list[Absence], start: str, end: str) -> list[tuple[int, int, int | None, str]]:
        hole = RawHole(at(f"2025-01-01T{start}"), at(f"2025-01-01T{end}"), None)
        found = Reasons([], absences).explain(hole, Grid("1h"))
        return [(each.start, each.end, each.missing, each.text) for each in found]

    def moment(text: str) -> int:
        return at(f"2025-01-01T{text}")

    # From 12:30 on is another reason, which 13:00 is the first to have.
    halves = [absence("10:00", "12:30", "a"), absence("12:30", "16:00", "b")]
    assert explained(halves, "10:00", "16:00") == [
        (moment("10:00"), moment("13:00"), 3, "a"),
        (moment("13:00"), moment("16:00"), 3, "b"),
    ]
    # What holds between two of them alone changes nothing.
    between = [absence("10:00", "12:30", "a"), absence("12:30", "12:45", "b"), absence("12:45", "16:00", "a")]
    assert explained(between, "10:00", "16:00") == [(moment("10:00"), moment("16:00"), 6, "a")]
    # A row of an odd time ends the hole, and no moment behind it does.
    late = [absence("10:00", "15:10", "a"), absence("15:10", "16:00", "b")]
    assert explained(late, "10:00", "15:30") == [(moment("10:00"), moment("15:30"), 6, "a")]


def test_what_the_exchange_had_not_is_not_missing(dataset: Dataset) -> None:
    dataset.write(piece("2025-01-01", "2025-01-02", series=HOURS), fetched(bars(hours("2025-01-01T05:00", 3))))
    report = checked(dataset)
    assert [reason for *_, reason in holes(report)] == ["exchange_had_none"] * 2
    assert report.complete


def test_holes_at_both_ends_of_a_series_are_seen(dataset: Dataset) -> None:
    dataset.write(DAYS[1], fetched(bars(hours("2025-01-02T01:00", 22))))
    dataset.note_absence(HOURS, DAYS[0].start, DAYS[0].end, "file_absent", "the archive's files begin later")
    assert holes(checked(dataset)) == [
        (DAYS[0].start, DAYS[0].end, 24, "file_absent"),
        (DAYS[1].start, DAYS[1].start + HOUR, 1, "rows_missing"),
        (DAYS[1].end - HOUR, DAYS[1].end, 1, "rows_missing"),
    ]


def test_a_series_that_no_source_has_is_one_hole(dataset: Dataset) -> None:
    dataset.note_absence(HOURS, DAYS[0].start, DAYS[1].end, "file_absent", "no file")
    (found,) = checked(dataset).series
    assert (found.pieces, found.rows, found.first_time, found.missing) == (0, 0, None, {"file_absent": 48})


def test_holes_in_ids_are_counted_within_pieces_and_over_their_borders(dataset: Dataset) -> None:
    days = [replace(day, series=IDS) for day in DAYS]
    dataset.write(days[0], fetched(trades(1, 100, days[0].start, without=[40, 41])))
    dataset.write(days[1], fetched(trades(103, 10, days[1].start)))
    # Nothing was traded on the third day: ids go on. Of the fifth nobody knows.
    dataset.write(days[3], fetched(trades(113, 10, days[3].start)))
    dataset.write(days[5], fetched(trades(200, 10, days[5].start)))
    report = checked(dataset)
    assert [(missing, reason) for *_, missing, reason in holes(report)] == [
        (2, "rows_missing"),
        (2, "rows_missing"),
        (77, "not_fetched"),
    ]
    first = report.series[0].holes[0]
    assert (first.start, first.end) == (days[0].start + 38_000, days[0].start + 41_000)


def test_rows_that_come_when_something_happens_have_holes_where_nobody_looked(dataset: Dataset) -> None:
    series = Series("spot", "liquidation_snapshot", "BTCUSDT")
    empty = pl.DataFrame(schema=polars_schema(ARCHIVE.kinds["spot", "liquidation_snapshot"], "decimal"))
    for day in (0, 2):
        dataset.write(replace(DAYS[day], series=series), fetched(empty))
    assert holes(checked(dataset)) == [(DAYS[1].start, DAYS[1].end, None, "not_fetched")]


def test_what_is_measured_at_a_cadence_has_holes_between(dataset: Dataset) -> None:
    series = Series("spot", METRICS.name, "BTCUSDT")
    times = [DAYS[0].start + number * 5 * MINUTE for number in range(288) if number not in (0, 100, 101)]
    frame = bars(times, kind=METRICS_LIKE_BARS).rename({"open_time": "create_time", "open": "sum_open_interest"})
    frame = frame.with_columns(ratio=pl.lit(None).cast(pl.Decimal(38, 8))).drop("trade_count")
    dataset.write(replace(DAYS[0], series=series), fetched(frame))
    assert [missing for *_, missing, _ in holes(checked(dataset))] == [1, 2]


METRICS_LIKE_BARS = ARCHIVE.kinds["spot", "klines"]


def test_months_are_of_their_own_length(dataset: Dataset) -> None:
    series = Series("spot", "klines", "BTCUSDT", "1M")
    months = [at(f"2024-{month:02}-01") for month in range(1, 8)]
    for start, end in pairwise(months):
        a_piece = Piece(series, start, end, "archive_monthly")
        dataset.write(a_piece, fetched(bars([] if start == at("2024-03-01") else [start])))
    assert holes(checked(dataset)) == [(at("2024-03-01"), at("2024-04-01"), 1, "rows_missing")]


def test_many_holes_are_counted_and_the_first_of_them_listed(dataset: Dataset) -> None:
    month = piece("2025-01-01", "2025-02-01", "archive_monthly")
    dataset.write(month, fetched(bars(range(month.start, month.end, 2 * MINUTE))))
    (found,) = checked(dataset).series
    assert (len(found.holes), found.hole_count, found.missing) == (1000, 22320, {"rows_missing": 22320})


# ------------------------------------------------------------------------------------ defects


def test_bars_of_odd_times_are_remarked(dataset: Dataset) -> None:
    times = [time + (time == at("2025-01-01T05:00")) * MINUTE for time in hours("2025-01-01", 24)]
    dataset.write(DAYS[0], fetched(bars(times)))
    ((name, remark),) = checked(dataset).series[0].remarks
    assert (name, remark.kind, remark.rows) == ("klines", "shifted_rows", 1)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (bars([*hours("2025-01-01", 24), DAYS[0].end - HOUR]), {"doubled": 1}),
        (bars(hours("2025-01-01", 24))[[1, 0, *range(2, 24)]], {"order": 1}),
        (bars(hours("2025-01-01", 25)), {"outside": 1, "rows": 25}),
        (bars(hours("2025-01-01", 23)), {"rows": 23}),
        (bars(hours("2025-01-01", 24)).rename({"open": "opened"}), {"columns": 0}),
        (bars(hours("2025-01-01", 24)).with_columns(pl.col("open").cast(pl.Float64)), {"columns": 0}),
        (
            bars(hours("2025-01-01", 24)).with_columns(pl.when(pl.col("trade_count") > 0).then("open").alias("open")),
            {"blank": 1},
        ),
    ],
)
def test_rows_that_must_not_be_are_told(dataset: Dataset, frame: pl.DataFrame, told: dict[str, int]) -> None:
    put(dataset, DAYS[0], frame.with_columns(pl.int_range(pl.len()).alias("trade_count")))
    assert dict(defects(checked(dataset))) == told


def test_rows_that_two_files_have_are_told_and_swept(dataset: Dataset, tmp_path: Path) -> None:
    """As a process leaves them that is killed when the day is there and the month has not given it up."""
    month = piece("2025-01-01", "2025-02-01", "archive_monthly", HOURS)
    dataset.write(DAYS[0], whole(DAYS[0]))
    alone = Dataset.create(tmp_path / "alone", archive=ARCHIVE)
    alone.write(month, whole(month))
    shutil.copytree(alone.url, dataset.url, dirs_exist_ok=True)
    assert defects(checked(dataset)) == [("doubled", 24)]
    dataset.sweep()
    assert checked(dataset).sound
    assert checked(dataset).rows == 31 * 24


def test_ids_that_two_days_have_are_told(dataset: Dataset) -> None:
    days = [replace(day, series=IDS) for day in DAYS[:2]]
    dataset.write(days[0], fetched(trades(1, 10, days[0].start)))
    dataset.write(days[1], fetched(trades(10, 10, days[1].start)))
    report = checked(dataset)
    assert defects(report) == [("doubled", 1)]
    (defect,) = report.series[0].defects
    assert defect.path.endswith(f"{days[1].name}.parquet")
    # Each row is of the day of its file: nothing that is done to the two makes one of them wrong.
    assert "the same id is in" in defect.text
    assert f"{days[0].name}.parquet, at another time" in defect.text
    assert dataset.sweep() == []


def test_what_helps_against_rows_that_stand_twice_helps(dataset: Dataset) -> None:
    twice = bars([*hours("2025-01-01", 24), DAYS[0].end - HOUR])
    put(dataset, DAYS[0], twice)
    (defect,) = checked(dataset).series[0].defects
    assert defect.text.endswith("remove the file and sweep the dataset, and the next run fetches it again")
    file_of(dataset, DAYS[0]).unlink()
    dataset.sweep()
    assert dataset.record(DAYS[0]) is None


def test_files_that_are_not_what_was_written_are_told(dataset: Dataset) -> None:
    for day in DAYS[:5]:
        dataset.write(day, whole(day))
    file_of(dataset, DAYS[0]).unlink()
    file_of(dataset, DAYS[1]).write_bytes(b"PAR1")
    data = to_parquet(bars(hours("2025-01-03", 24), price="7"))
    file_of(dataset, DAYS[2]).write_bytes(data)
    flipped = bytearray(file_of(dataset, DAYS[3]).read_bytes())
    flipped[40] ^= 1
    file_of(dataset, DAYS[3]).write_bytes(flipped)
    file_of(dataset, DAYS[4]).with_name("copy.parquet").write_bytes(data)
    next(Path(dataset.url).rglob(f"{DAYS[4].name}.json")).write_text("{}")
    report = checked(dataset)
    found = defects(report)
    assert [kind for kind, _ in found][:3] == ["record", "missing_file", "checksum"]
    assert ("unreadable_file", 0) in found
    assert [kind for kind, _ in found].count("checksum") == 3
    told = {defect.path.rpartition("/")[2]: defect.text for one in report.series for defect in one.defects}
    assert "its record is there, but it is not: sync the dataset" in told["2025-01-01.daily.parquet"]
    assert "not the" in told["2025-01-03.daily.parquet"]
    next(Path(dataset.url).rglob(f"{DAYS[4].name}.json")).unlink()
    assert [defect.path.rpartition("/")[2] for defect in checked(dataset).defects] == [
        "2025-01-05.daily.parquet",
        "copy.parquet",
    ]


# ------------------------------------------------------------------------------------ parts


def test_what_follows_over_the_border_of_two_parts_is_seen(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piece_file, "_ROWS", 7)
    missing = [*hours("2025-01-01T07:00", 1), *hours("2025-01-01T20:00", 2)]
    dataset.write(DAYS[0], whole(DAYS[0], without=missing))
    ids = replace(DAYS[0], series=IDS)
    dataset.write(ids, fetched(trades(1, 30, ids.start, without=[8, 15, 16])))
    report = checked(dataset)
    assert [(hole.missing) for found in report.series for hole in found.holes] == [1, 2, 1, 2]
    assert report.sound


def brute_force(times: Iterable[int], start: int, end: int) -> list[tuple[int, int]]:
    there = set(times)
    found: list[tuple[int, int]] = []
    for time in range(start, end, HOUR):
        if time not in there:
            if found and found[-1][1] == time:
                found[-1] = (found[-1][0], time + HOUR)
            else:
                found.append((time, time + HOUR))
    return found


@settings(max_examples=200)
@given(st.sets(st.integers(0, 47)), st.integers(1, 10))
def test_holes_are_those_that_counting_by_hand_finds(there: set[int], part: int) -> None:
    start, end = at("2025-01-01"), at("2025-01-03")
    times = pl.Series([start + hour * HOUR for hour in sorted(there)], dtype=pl.Int64)
    grid = Grid("1h")
    found: list[RawHole] = []
    due = grid.first(start)
    for first in range(0, len(times), part):
        more, due = grid.holes(due, times[first : first + part])
        found += more
    if grid.count(due, end):
        found.append(RawHole(due, end, grid.count(due, end)))
    assert [(hole.start, hole.end) for hole in found] == brute_force(times, start, end)
    assert sum(hole.missing or 0 for hole in found) == 48 - len(there)
