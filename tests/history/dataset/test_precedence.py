"""A row is in one file, whatever was written when, and wherever writing was stopped."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from itertools import count, permutations
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_sdk.errors import DatasetError
from binance_sdk.history import Dataset, Fetched, Piece, Series, Source
from binance_sdk.history.columns import polars_schema
from binance_sdk.history.dataset.layout import parquet_path
from binance_sdk.history.dataset.manifest import Manifest
from binance_sdk.history.dataset.record import DatasetFacts
from tests.history.dataset.in_memory import Failing, InMemory, Killed
from tests.history.dataset.made import ARCHIVE, DAY, HOUR, IDS, METRICS, at, bars, fetched, piece, trades, whole

MONTH = piece("2025-01-01", "2025-02-01", "archive_monthly")
SECOND_DAY = piece("2025-01-02", "2025-01-03", "archive_daily")
OVER_REST = piece("2025-01-02T12:00", "2025-01-04")


HOURS = Series("spot", "klines", "BTCUSDT", "1h")
FACTS = DatasetFacts(format=1, prices="decimal", terms="1.0", sdk_version="0")


def in_memory(storage: InMemory | None = None) -> Dataset:
    return Dataset(storage or InMemory(), FACTS, ARCHIVE)


def state(dataset: Dataset) -> dict[str, bytes | tuple[object, ...]]:
    """All that is the same whenever the same pieces were written."""
    files = {file.path for file in dataset.storage.files() if not file.path.startswith("_manifest")}
    return {
        **{path: dataset.storage.read(path) or b"" for path in files},
        **{str(found.piece): (found.rows, found.superseded, found.sha256, found.size) for found in dataset.records()},
    }


def rows_of(dataset: Dataset) -> pl.DataFrame:
    return pl.concat([dataset.read(record) for record in dataset.records()]).sort("open_time")


# ------------------------------------------------------------------------------------ rules


def test_days_go_before_months_and_the_archive_before_rest(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path, archive=ARCHIVE)
    for a_piece, price in ((MONTH, "1"), (SECOND_DAY, "2"), (OVER_REST, "3")):
        dataset.write(a_piece, whole(a_piece, price=price))
    month, day = dataset.record(MONTH), dataset.record(SECOND_DAY)
    assert month is not None
    assert day is not None
    # REST had nothing that the archive has not.
    assert [record.piece for record in dataset.records()] == sorted([MONTH, SECOND_DAY])
    assert (month.rows, month.superseded) == (30 * 1440, 1440)
    assert (day.rows, day.superseded) == (1440, 0)
    assert rows_of(dataset)["open_time"].is_unique().all()
    assert dataset.read(day)["open"].unique().to_list() == [2]


def test_that_two_disagree_is_said_by_the_one_that_goes_first(tmp_path: Path) -> None:
    for number, order in enumerate(permutations([MONTH, SECOND_DAY])):
        dataset = Dataset.create(tmp_path / str(number), archive=ARCHIVE)
        for a_piece in order:
            dataset.write(a_piece, whole(a_piece, price="1" if a_piece is MONTH else "2"))
        record = dataset.record(SECOND_DAY)
        assert record is not None
        (remark,) = record.remarks
        assert (remark.kind, remark.rows) == ("disagreeing_rows", 1440)
        assert remark.text == (
            "1440 rows are not as 2025-01.monthly has them, e.g. at open_time 2025-01-02 00:00:00+00:00: "
            "open 2.00000000, there 1.00000000; these are kept"
        )
        # Said once, though it is written again.
        dataset.write(MONTH, whole(MONTH, price="1"))
        again = dataset.record(SECOND_DAY)
        assert again is not None
        assert again.remarks == record.remarks


def test_a_cell_that_one_of_them_leaves_blank_contradicts_nothing() -> None:
    """REST has no interval of funding, and cells of files may be blank."""
    series = Series("spot", "metrics", "BTCUSDT")
    rest, day = replace(OVER_REST, series=series), replace(SECOND_DAY, series=series)
    schema = polars_schema(METRICS, "decimal")

    def rows(*cells: tuple[str | None, str | None]) -> Fetched:
        times = [rest.start * 1000 + number for number in range(len(cells))]
        frame = pl.DataFrame(
            {"create_time": times, "sum_open_interest": [a for a, _ in cells], "ratio": [b for _, b in cells]}
        )
        return fetched(
            frame.with_columns(pl.col("create_time").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")).cast(
                dict(schema)
            )
        )

    dataset = in_memory()
    dataset.write(rest, rows(("1", None), ("1", "2"), ("3", "2")))
    record = dataset.write(day, rows(("1", "2"), ("1", None), ("4", None)))
    assert [(remark.rows, "sum_open_interest 4.00000000, there 3" in remark.text) for remark in record.remarks] == [
        (1, True)
    ]


def test_rows_that_the_archive_lacks_are_kept_from_rest(tmp_path: Path) -> None:
    hole = range(at("2025-01-02T13:00"), at("2025-01-02T14:00"), 60_000)
    dataset = Dataset.create(tmp_path, archive=ARCHIVE)
    dataset.write(SECOND_DAY, whole(SECOND_DAY, without=hole))
    record = dataset.write(OVER_REST, whole(OVER_REST))
    assert (record.rows, record.superseded) == (60 + 1440, 11 * 60)
    assert rows_of(dataset).equals(bars(range(SECOND_DAY.start, OVER_REST.end, 60_000)))
    # Nothing is left of it when the archive has them after all.
    dataset.write(SECOND_DAY, whole(SECOND_DAY))
    record = dataset.records()[-1]
    assert (record.piece, record.rows) == (OVER_REST, 1440)


def test_pieces_of_the_last_days_of_a_month_are_of_that_month(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path, archive=ARCHIVE)
    dataset.write(MONTH, whole(MONTH))
    late = piece("2025-01-31", "2025-02-01")
    assert dataset.write(late, whole(late)).rows == 0
    assert [record.piece for record in dataset.records()] == [MONTH]


def test_that_rest_had_nothing_stays_known(tmp_path: Path) -> None:
    hole = piece("2025-01-02T13:00", "2025-01-02T14:00")
    dataset = Dataset.create(tmp_path, archive=ARCHIVE)
    dataset.write(hole, fetched(bars([])))
    dataset.write(SECOND_DAY, whole(SECOND_DAY, without=range(hole.start, hole.end, 60_000)))
    assert [record.piece for record in dataset.records()] == [SECOND_DAY, hole]


def test_rows_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    """One id on two days, which files of the archive have had: the later day has it."""
    first = piece("2025-01-01", "2025-01-02", "archive_daily", IDS)
    last = piece("2025-01-01T12:00", "2025-01-02", series=IDS)
    dataset = Dataset.create(tmp_path, archive=ARCHIVE)
    dataset.write(first, fetched(trades(1, 10, first.start, step=HOUR, without=[5])))
    record = dataset.write(last, fetched(trades(5, 3, last.start)))
    assert dataset.read(record)["id"].to_list() == [5]
    assert (record.first_id, record.last_id, record.superseded) == (5, 5, 2)


# ------------------------------------------------------------------------------------ any order


@st.composite
def pieces(draw: st.DrawFn) -> list[tuple[Piece, Fetched]]:
    """Pieces of two days and what each has: hours of a series, some missing."""
    start, hours = at("2025-01-01"), 12
    spans = [Piece(HOURS, start, start + 31 * DAY, "archive_monthly")]
    spans += [Piece(HOURS, start + day * DAY, start + (day + 1) * DAY, "archive_daily") for day in range(2)]
    edges = st.integers(0, 47)
    for first, last in draw(st.lists(st.tuples(edges, edges), max_size=3, unique=True)):
        low, high = min(first, last), max(first, last) + 1
        spans.append(Piece(HOURS, start + low * HOUR, start + high * HOUR, "rest"))
    chosen = draw(st.lists(st.sampled_from(spans), min_size=1, max_size=5, unique=True))
    found = []
    for a_piece in chosen:
        ends = min(a_piece.end, start + 2 * DAY)
        times = draw(st.sets(st.integers(0, hours - 1)))
        every = (ends - a_piece.start) // HOUR // hours or 1
        frame = bars(sorted({min(a_piece.start + hour * every * HOUR, ends - HOUR) for hour in times}))
        found.append((a_piece, fetched(frame)))
    return found


def made(name: str, source: Source, *times: int) -> tuple[Piece, Fetched]:
    start, _, end = name.partition(" ")
    return Piece(HOURS, at(start), at(end), source), fetched(bars(times))


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("end", ["2025-01-01T09:00", "2025-01-02T01:00"])
def test_rows_and_span_may_be_in_two_others(order: tuple[int, ...], end: str) -> None:
    """The day has the only row of REST's piece, the month its span: nothing is left of it, whichever came first."""
    three = [
        made(f"2025-01-01 {end}", "rest", at("2025-01-01")),
        made("2025-01-01 2025-02-01", "archive_monthly"),
        made("2025-01-01 2025-01-02", "archive_daily", at("2025-01-01")),
    ]
    dataset = in_memory()
    for number in order:
        dataset.write(*three[number])
    assert [record.piece for record in dataset.records()] == sorted([three[1][0], three[2][0]])


@settings(max_examples=60)
@given(pieces(), st.randoms(use_true_random=False))
def test_any_pieces_in_any_order_make_the_same_dataset(
    found: list[tuple[Piece, Fetched]], chance: random.Random
) -> None:
    states = []
    for _ in range(2):
        dataset = in_memory()
        for a_piece, what in chance.sample(found, len(found)):
            dataset.write(a_piece, what)
        states.append(state(dataset))
        every = {time for _, what in found for time in what.frame["open_time"]}
        assert rows_of(dataset)["open_time"].to_list() == sorted(every)
        assert dataset.sweep() == []
        assert state(dataset) == states[-1]
    assert states[0] == states[1]


# ------------------------------------------------------------------------------------ stopped at any step


@pytest.mark.parametrize("error", [Killed(), DatasetError("the disk is full")])
@pytest.mark.parametrize("last", ["day", "rest", "again", "last"])
def test_writing_may_end_at_any_step(last: str, error: BaseException) -> None:
    """The day takes rows from the month and from REST's piece; writing goes on where it was stopped."""
    month, day, rest = (replace(a_piece, series=HOURS) for a_piece in (MONTH, SECOND_DAY, OVER_REST))
    late = Piece(HOURS, at("2025-01-31T20:00"), month.end, "rest")
    before = [(month, whole(month, price="1", without=[rest.start])), (rest, whole(rest, price="3"))]
    writing = {
        "day": (day, whole(day, price="2")),
        "rest": (late, fetched(bars([late.start + 1]))),
        "again": (month, whole(month, price="9", without=[rest.start])),
        # Takes the only row that is left of REST's piece, which goes.
        "last": (month, whole(month, price="1")),
    }[last]
    expected = in_memory()
    for a_piece, what in (*before, writing):
        expected.write(a_piece, what)
    had = {time for _, what in before for time in what.frame["open_time"]}
    for step in count():
        there: dict[str, bytes] = {}
        healthy = in_memory(Failing(there, 10_000, error))
        for a_piece, what in before:
            healthy.write(a_piece, what)
        try:
            in_memory(Failing(there, step, error)).write(*writing)
        except (Killed, DatasetError):
            pass
        else:
            break
        # Each row is there that was there, and all can be read.
        assert set(rows_of(healthy)["open_time"]) >= had
        healthy.sweep()
        assert healthy.sweep() == []
        assert set(rows_of(healthy)["open_time"]) >= had
        assert rows_of(healthy)["open_time"].is_unique().all()
        assert [path for path in there if "/." in path] == []
        for record in healthy.records():
            assert hashlib.sha256(there[parquet_path(record.piece)]).hexdigest() == record.sha256
        healthy.write(*writing)
        assert state(healthy) == state(expected)
    assert step >= 4
    assert state(healthy) == state(expected)


@pytest.mark.parametrize("pieces", list(permutations([MONTH, SECOND_DAY, OVER_REST])), ids=str)
def test_pieces_that_were_written_at_one_moment_are_settled(
    pieces: tuple[Piece, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, found = in_memory(), in_memory()
    for a_piece in pieces:
        expected.write(a_piece, whole(a_piece))
    with monkeypatch.context() as patched:
        # None of them sees another.
        patched.setattr(Manifest, "overlapping", lambda manifest, a_piece: [])
        for a_piece in pieces:
            found.write(a_piece, whole(a_piece))
    assert rows_of(found).height > rows_of(expected).height
    found.settle(pieces)
    assert state(found) == state(expected)
    assert found.sweep() == []


def test_nothing_is_read_to_settle_pieces_that_do_not_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Manifest, "records", lambda *arguments: pytest.fail("it was read"))
    days = [replace(SECOND_DAY, start=SECOND_DAY.start + day * DAY, end=SECOND_DAY.end + day * DAY) for day in (0, 1)]
    # The next one begins where one ends, and what overlaps is of another series.
    in_memory().settle([*days, replace(MONTH, series=IDS), days[0]])
