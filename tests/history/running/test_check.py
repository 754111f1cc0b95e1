"""A dataset that a run made is proved, and both sources tell why there is a hole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from binance_sdk import history
from binance_sdk.errors import BinanceError, DatasetError
from binance_sdk.history import CheckReport
from tests.history.archive_server import DAY, HOUR, ArchiveServer, ms

from .scenes import BARS, NOW, SINCE, at, make


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ArchiveServer]:
    at(monkeypatch, NOW)
    with ArchiveServer(SINCE) as running:
        yield running


def holes(report: CheckReport) -> list[tuple[int, int, str, str]]:
    return [(hole.start, hole.end, hole.reason, hole.text) for found in report.series for hole in found.holes]


def test_what_a_run_made_is_sound_and_complete(server: ArchiveServer, tmp_path: Path) -> None:
    server.halts = {ms("2026-10-05") + hour * HOUR for hour in (3, 4)}
    history.run(make(), tmp_path / "data", settings=server.settings())
    report = history.check(tmp_path / "data")
    assert (report.sound, report.complete, report.rows) == (True, True, BARS - 2)
    assert [reason for *_, reason, _ in holes(report)] == ["exchange_had_none"]
    calls, files = server.calls(), len(server.zips())
    deep = history.check(tmp_path / "data", deep=True, settings=server.settings())
    assert (deep.sound, deep.complete, deep.deep, holes(deep)) == (True, True, True, holes(report))
    # What is known is not asked again; of each file the checksum is, and none is fetched.
    assert (server.calls(), len(server.zips())) == (calls, files)


def test_the_sources_tell_why_there_is_a_hole(server: ArchiveServer, tmp_path: Path) -> None:
    lacking, halted = ms("2026-10-05") + 3 * HOUR, ms("2026-10-07") + 5 * HOUR
    server.holes, server.halts = {lacking}, {halted}
    server.absent = {"BTCUSDT-1h-2026-11-03.zip"}
    history.run(make(source="archive"), tmp_path / "data", settings=server.settings())
    offline = history.check(tmp_path / "data")
    assert [reason for *_, reason, _ in holes(offline)] == [
        "rows_missing",
        "rows_missing",
        "file_absent",
        "file_absent",
    ]
    deep = history.check(tmp_path / "data", deep=True, settings=server.settings())
    assert holes(deep) == [
        (lacking, lacking + HOUR, "rows_missing", "REST has 1 rows there"),
        (halted, halted + HOUR, "exchange_had_none", "REST was asked for it and had none"),
        (ms("2026-11-03"), ms("2026-11-03") + DAY, "file_absent", "REST has 24 rows there"),
        (ms("2026-11-10"), NOW, "file_absent", "REST has 14 rows there"),
    ]
    assert deep.series[0].missing == {"rows_missing": 1, "exchange_had_none": 1, "file_absent": 38}


def test_files_that_were_replaced_since_are_told(server: ArchiveServer, tmp_path: Path) -> None:
    server.holes = {ms("2026-11-04")}
    history.run(make(source="archive"), tmp_path / "data", settings=server.settings())
    server.holes = set()
    report = history.check(tmp_path / "data", deep=True, settings=server.settings())
    (defect,) = report.series[0].defects
    assert (defect.kind, defect.path.rpartition("/")[2]) == ("replaced", "2026-11-04.daily.parquet")
    assert not report.sound
    history.sync(tmp_path / "data", settings=server.settings())
    again = history.check(tmp_path / "data", deep=True, settings=server.settings())
    assert (again.sound, again.complete, again.rows) == (True, True, BARS)


def test_a_replaced_file_of_a_day_that_a_month_was_mended_with_is_told(server: ArchiveServer, tmp_path: Path) -> None:
    server.holes = {ms("2026-09-05") + 5 * HOUR}
    history.run(make(source="archive"), tmp_path / "data", settings=server.settings())
    server.versions = {"BTCUSDT-1h-2026-09-05.zip": 1}
    report = history.check(tmp_path / "data", deep=True, settings=server.settings())
    (defect,) = report.series[0].defects
    assert (defect.kind, defect.path.rpartition("/")[2]) == ("replaced", "2026-09.monthly.parquet")
    assert "another file of 2026-09-05.daily today" in defect.text


def test_files_that_are_gone_are_no_defect(server: ArchiveServer, tmp_path: Path) -> None:
    history.run(make(), tmp_path / "data", settings=server.settings())
    server.absent = {"BTCUSDT-1h-2026-11-04.zip"}
    report = history.check(tmp_path / "data", deep=True, settings=server.settings())
    assert report.sound
    ((name, remark),) = [found for found in report.series[0].remarks if found[1].kind == "no_checksum"]
    assert (name, remark.rows) == ("2026-11-04.daily", 0)


def test_a_source_that_does_not_answer_is_an_error_and_no_finding(server: ArchiveServer, tmp_path: Path) -> None:
    server.holes = {ms("2026-10-05")}
    history.run(make(source="archive"), tmp_path / "data", settings=server.settings())
    server.status = 451
    with pytest.raises(BinanceError):
        history.check(tmp_path / "data", deep=True, settings=server.settings(budget=False))
    with pytest.raises(DatasetError, match="is no dataset"):
        history.check(tmp_path / "none", deep=True)
