"""What sources answer decides why there is a hole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from binance_sdk._runtime.archive import Archive, RestTwin
from binance_sdk.history import CheckReport, Dataset, Piece, Series
from binance_sdk.history.dataset.checking.asker import deepen
from binance_sdk.history.dataset.checking.check import check_offline
from tests.history.dataset.made import ARCHIVE, HOUR, IDS, MINUTE, at, bars, fetched, piece, trades, whole

HOURS = Series("spot", "klines", "BTCUSDT", "1h")
DAYS = [piece(f"2025-01-0{day}", f"2025-01-0{day + 1}", "archive_daily", HOURS) for day in range(1, 9)]
SERVED = Archive(
    **{name: getattr(ARCHIVE, name) for name in ("url", "listing_url", "folders", "spellings", "terms")},
    kinds={key: replace(kind, rest=(RestTwin("klines", "symbol", {}, {}),)) for key, kind in ARCHIVE.kinds.items()},
)


class Fake:
    """Answers what it is told to, and notes what it was asked."""

    def __init__(self, rows: Callable[[int, int], int | None], files: dict[str, str]) -> None:
        self._rows = rows
        self._files = files
        self.asked: list[object] = []

    async def checksum(self, piece: Piece) -> str | None:
        self.asked.append(piece.name)
        return self._files.get(piece.name)

    async def rows(self, series: Series, start: int, end: int) -> int | None:
        self.asked.append((start, end))
        return self._rows(start, end)


def reasons(report: CheckReport) -> list[tuple[str, str]]:
    return [(hole.reason, hole.text) for found in report.series for hole in found.holes]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path, archive=SERVED)


ASKED = {f"2025-01-0{day}.daily": "ab" * 32 for day in (1, 3)}


async def test_a_day_that_nobody_fetched(dataset: Dataset) -> None:
    for day in (0, 2):
        dataset.write(DAYS[day], whole(DAYS[day]))
    report = check_offline(dataset.url, archive=SERVED)
    for files, rows, expected in (
        ({"2025-01-02.daily": "cd"}, 0, ("not_fetched", "the archive has a file of it: sync the dataset")),
        ({"2025-01.monthly": "cd"}, 0, ("not_fetched", "the archive has a file of it: sync the dataset")),
        ({}, 24, ("not_fetched", "REST has 24 rows there")),
        ({}, 0, ("exchange_had_none", "REST was asked for it and had none")),
        ({}, None, ("out_of_reach", "the archive has no more of it, and REST does not reach it any more")),
    ):
        fake = Fake(lambda start, end, rows=rows: rows, {**ASKED, **files})
        deep = await deepen(report, dataset, fake)
        assert reasons(deep) == [expected]
        assert deep.series[0].missing == {expected[0]: 24}
        assert (deep.sound, deep.deep) == (True, True)
        if not files:
            assert (DAYS[1].start, DAYS[1].end) in fake.asked


async def test_rows_that_a_file_lacks(dataset: Dataset) -> None:
    dataset.write(DAYS[0], whole(DAYS[0], without=[DAYS[0].start + 5 * HOUR]))
    report = check_offline(dataset.url, archive=SERVED)
    for rows, reason in ((1, "rows_missing"), (0, "exchange_had_none"), (None, "rows_missing")):
        deep = await deepen(report, dataset, Fake(lambda start, end, rows=rows: rows, ASKED))
        assert [found for found, _ in reasons(deep)] == [reason]
        assert deep.series[0].missing == {reason: 1}
    assert "REST does not reach it" in reasons(deep)[0][1]


async def test_what_rest_does_not_serve_is_not_asked_for(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path, archive=ARCHIVE)
    for day in (0, 2):
        dataset.write(DAYS[day], whole(DAYS[day], without=[DAYS[0].start]))
    fake = Fake(lambda start, end: 1 // 0, ASKED)
    deep = await deepen(check_offline(tmp_path, archive=ARCHIVE), dataset, fake)
    assert [found for found, _ in reasons(deep)] == ["rows_missing", "file_absent"]


async def test_what_is_known_is_not_asked_for(dataset: Dataset) -> None:
    dataset.write(piece("2025-01-01", "2025-01-02", series=HOURS), fetched(bars([])))
    dataset.note_absence(HOURS, DAYS[1].start, DAYS[1].end, "out_of_reach", "REST reaches back a day")
    fake = Fake(lambda start, end: 1, {})
    report = check_offline(dataset.url, archive=SERVED)
    assert reasons(await deepen(report, dataset, fake)) == reasons(report)
    assert fake.asked == []


async def test_between_two_ids_both_of_which_are_there(dataset: Dataset) -> None:
    day = replace(DAYS[0], series=IDS)
    dataset.write(day, fetched(trades(1, 10, day.start, step=MINUTE, without=[5])))
    fake = Fake(lambda start, end: 0, ASKED)
    deep = await deepen(check_offline(dataset.url, archive=SERVED), dataset, fake)
    assert [found for found, _ in reasons(deep)] == ["exchange_had_none"]
    assert (at("2025-01-01T00:03") + 1, at("2025-01-01T00:05")) in fake.asked


async def test_files_are_compared_with_those_of_today(dataset: Dataset) -> None:
    for day in (0, 1, 2):
        dataset.write(DAYS[day], whole(DAYS[day]))
    fake = Fake(lambda start, end: 0, {"2025-01-01.daily": "ab" * 32, "2025-01-02.daily": "cd" * 32})
    deep = await deepen(check_offline(dataset.url, archive=SERVED), dataset, fake)
    assert [(defect.kind, defect.path.rpartition("/")[2], defect.rows) for defect in deep.series[0].defects] == [
        ("replaced", "2025-01-02.daily.parquet", 24)
    ]
    assert [(name, remark.kind) for name, remark in deep.series[0].remarks] == [("2025-01-03.daily", "no_checksum")]


async def test_holes_that_are_not_listed_are_counted_as_they_were(dataset: Dataset) -> None:
    month = piece("2025-01-01", "2025-02-01", "archive_monthly")
    dataset.write(month, fetched(bars(range(month.start, month.end, 2 * MINUTE))))
    fake = Fake(lambda start, end: 0, {"2025-01.monthly": "ab" * 32})
    deep = await deepen(check_offline(dataset.url, archive=SERVED), dataset, fake)
    assert deep.series[0].missing == {"rows_missing": 21320, "exchange_had_none": 1000}
