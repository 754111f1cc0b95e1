"""Runs in this process, from an archive and an exchange on loopback."""

from __future__ import annotations

import asyncio
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from binance_sdk import history
from binance_sdk.errors import (
    ArchiveError,
    BinanceError,
    DatasetError,
    IPBannedError,
    ParameterError,
    RestrictedLocationError,
    RunError,
)
from binance_sdk.history import Dataset, Fetched, Origin, Piece, Progress
from binance_sdk.history.dataset.manifest import Manifest
from binance_sdk.history.running.worker import AT_ONCE
from tests.history.archive_server import DAY, HOUR, ArchiveServer, bar, ms

from .scenes import BARS, NOW, SINCE, at, make, require_whole, rows


@pytest.fixture
def server() -> Iterator[ArchiveServer]:
    with ArchiveServer(SINCE) as running:
        yield running


def test_a_plan_is_run(server: ArchiveServer, tmp_path: Path) -> None:
    plan = make()
    assert [piece.source for piece in plan.pieces].count("archive_monthly") == 2
    seen: list[Progress] = []
    report = history.run(plan, tmp_path / "data", settings=server.settings(), progress=seen.append)
    require_whole(tmp_path / "data")
    assert len(report.fetched) == len(plan.pieces) == 12
    assert report.rows == BARS
    assert report.requests == sum(server.asked.values()) == 2 * 11 + 1 <= plan.requests.value
    assert 0 < report.weight <= plan.weight.value
    assert (seen[-1].done, seen[-1].pieces, seen[-1].rows) == (12, 12, BARS)
    assert [found.done for found in seen] == list(range(1, 13))
    assert seen[-1].seconds_left == 0
    # Again: nothing is left to do, and nothing is asked.
    before = dict(server.asked)
    again = history.run(make(out=tmp_path / "data"), tmp_path / "data", settings=server.settings())
    assert (again.fetched, again.requests, dict(server.asked)) == ([], 0, before)
    # Nor where the plan is an old one.
    kept = history.run(plan, tmp_path / "data", settings=server.settings())
    assert (len(kept.kept), kept.requests, dict(server.asked)) == (12, 0, before)


def test_plans_and_settings_go_to_other_processes(server: ArchiveServer) -> None:
    plan = make(symbols=["BTCUSDT", "ETHUSDT"])
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert pickle.loads(pickle.dumps(server.settings())) == server.settings()


def test_the_listing_tells_sizes_and_symbols(server: ArchiveServer, tmp_path: Path) -> None:
    plan = history.plan(
        "BTCUSDT", market="futures", interval="1h", since="2026-09-01", until="2026-11-01", settings=server.settings()
    )
    assert plan.listed
    assert [piece.name for piece in plan.pieces] == ["2026-09.monthly", "2026-10.monthly"]
    sizes = [
        len(server.zip(f"BTCUSDT-1h-{month}.zip", "BTCUSDT", "monthly", month)) for month in ("2026-09", "2026-10")
    ]
    assert (plan.bytes.value, plan.bytes.certainty) == (sum(sizes), "exact")
    assert (plan.requests.value, plan.requests.certainty) == (4, "exact")
    assert not server.zips()
    with pytest.raises(ParameterError, match=r"symbols='GONEUSDT': the archive has no klines of it"):
        history.plan(
            ["BTCUSDT", "GONEUSDT"], market="futures", interval="1h", since="2026-09-01", settings=server.settings()
        )
    blind = history.plan(
        "GONEUSDT", market="futures", interval="1h", since="2026-09-01", until="2026-11-01", listing=False
    )
    assert (blind.listed, blind.bytes.certainty, blind.requests.certainty) == (False, "estimate", "estimate")


def test_absent_files_are_replaced_by_smaller_ones_and_by_rest(server: ArchiveServer, tmp_path: Path) -> None:
    server.absent = {"BTCUSDT-1h-2026-09.zip", "BTCUSDT-1h-2026-09-17.zip"}
    seen: list[Progress] = []
    report = history.run(make(), tmp_path / "data", settings=server.settings(), progress=seen.append)
    require_whole(tmp_path / "data")
    assert [(piece.name, len(instead)) for piece, instead in report.replaced] == [
        ("2026-09.monthly", 30),
        ("2026-09-17.daily", 1),
    ]
    assert (seen[-1].done, seen[-1].pieces) == (43, 43)
    assert "2026-09-17T000000-2026-09-18T000000.rest" in {piece.name for piece in report.fetched}
    # The next plan goes on by days, and asks for the absent file of the month no more.
    assert make(out=tmp_path / "data").pieces == ()


def test_bars_that_files_lack_come_over_rest(server: ArchiveServer, tmp_path: Path) -> None:
    day = ms("2026-10-05")
    server.holes = {day + hour * HOUR for hour in (3, 4, 9)} | {ms("2026-11-04")}
    report = history.run(make(), tmp_path / "data", settings=server.settings())
    require_whole(tmp_path / "data")
    assert report.rows == BARS
    records = {record.piece.name: record for record in Dataset.open(tmp_path / "data").records()}
    assert records["2026-10-05T030000-2026-10-05T100000.rest"].rows == 3
    assert records["2026-11-04T000000-2026-11-04T010000.rest"].rows == 1
    assert not make(out=tmp_path / "data").pieces


def test_bars_that_the_exchange_had_not_are_asked_for_once(server: ArchiveServer, tmp_path: Path) -> None:
    server.halts = {ms("2026-10-05") + hour * HOUR for hour in (3, 4, 9)}
    history.run(make(), tmp_path / "data", settings=server.settings())
    records = {record.piece.name: record for record in Dataset.open(tmp_path / "data").records()}
    assert records["2026-10-05T030000-2026-10-05T100000.rest"].rows == 0
    assert rows(tmp_path / "data").height == BARS - 3
    # One for the running day, and two for the day with holes: the second shows that nothing follows.
    assert server.calls() == 3
    # One source alone does not ask the other.
    history.run(make(source="archive"), tmp_path / "alone", settings=server.settings())
    assert server.calls() == 3


def test_sync_asks_again_for_bars_that_could_not_be_asked_for(
    server: ArchiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, NOW)
    server.holes, server.status = {ms("2026-10-05")}, 451
    with pytest.raises(RunError, match=r"1 of 12 pieces could not be fetched \(.*10T000000"):
        history.run(make(), tmp_path / "data", settings=server.settings(budget=False))
    assert rows(tmp_path / "data").height == BARS - 14 - 1
    server.status = 200
    report = history.sync(tmp_path / "data", settings=server.settings(budget=False))
    require_whole(tmp_path / "data")
    assert {piece.name for piece in report.fetched} == {"2026-10.monthly", "2026-11-10T000000-2026-11-10T140000.rest"}


def test_a_symbol_that_was_delisted(server: ArchiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are there, and nothing is asked for after the last of them but whether there is a later one."""
    server.ended = ms("2026-10-01")
    later = ms("2027-02-10")
    at(monkeypatch, later)
    plan = history.plan(
        "BTCUSDT", market="futures", interval="1h", since="2026-09-01", settings=server.settings(budget=False)
    )
    assert [piece.source for piece in plan.pieces if piece.start < server.ended] == ["archive_monthly"]
    assert {piece.source for piece in plan.pieces if piece.start >= server.ended} == {"rest"}
    assert not server.zips()
    report = history.run(plan, tmp_path / "data", settings=server.settings(budget=False))
    assert [piece.name for piece in report.fetched] == ["2026-09.monthly"]
    # Asked once, refused once.
    assert server.calls() <= AT_ONCE
    assert {(lost.reason, lost.over_rest) for lost in report.unreachable} == {("no_file", "not_traded")}
    assert {found.reason for found in Dataset.open(tmp_path / "data").absences()} == {"exchange_had_none"}
    assert not history.sync(tmp_path / "data", settings=server.settings(budget=False)).fetched


def test_a_symbol_that_never_was_is_an_error(server: ArchiveServer, tmp_path: Path) -> None:
    server.ended = SINCE
    with pytest.raises(RunError, match="Invalid symbol"):
        history.run(make(source="rest"), tmp_path / "data", settings=server.settings(budget=False))


def test_a_listing_that_ended_long_ago_is_not_believed(server: ArchiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.listed_until = ms("2026-10-01")
    at(monkeypatch, ms("2026-12-20"))
    plan = history.plan("BTCUSDT", market="futures", interval="1h", since="2026-09-01", settings=server.settings())
    names = [piece.name for piece in plan.pieces]
    assert names[:4] == ["2026-09.monthly", "2026-10.monthly", "2026-11.monthly", "2026-12-01.daily"]
    assert not server.zips()


def test_the_dataset_knows_why_something_is_not_there(server: ArchiveServer, tmp_path: Path) -> None:
    server.absent = {"BTCUSDT-1h-2026-11-03.zip"}
    report = history.run(make(source="archive"), tmp_path / "data", settings=server.settings())
    lost = [(found.start, found.end, found.reason, found.over_rest) for found in report.unreachable]
    running_day = (ms("2026-11-10"), NOW, "not_published", "left_out")
    assert lost == [running_day, (ms("2026-11-03"), ms("2026-11-04"), "no_file", "left_out")]
    absences = Dataset.open(tmp_path / "data").absences()
    assert sorted((found.start, found.end, found.reason) for found in absences) == [
        (ms("2026-11-03"), ms("2026-11-04"), "file_absent"),
        (ms("2026-11-10"), NOW, "file_absent"),
    ]


def test_what_is_broken_is_told_and_the_rest_is_kept(server: ArchiveServer, tmp_path: Path) -> None:
    server.broken = {"BTCUSDT-1h-2026-11-02.zip"}
    server.mislabelled = {"BTCUSDT-1h-2026-11-03.zip"}
    with pytest.raises(RunError, match="2 of 12 pieces could not be fetched") as caught:
        history.run(make(), tmp_path / "data", settings=server.settings())
    failures = caught.value.failures
    assert set(failures) == {f"futures klines BTCUSDT 1h {name}" for name in ("2026-11-02.daily", "2026-11-03.daily")}
    assert all(isinstance(error, ArchiveError) and not error.missing for error in failures.values())
    assert "the next run fetches what is missing" in str(caught.value)
    server.broken, server.mislabelled = set(), set()
    server.asked.clear()
    history.run(make(out=tmp_path / "data"), tmp_path / "data", settings=server.settings())
    require_whole(tmp_path / "data")
    assert set(server.zips()) == {"BTCUSDT-1h-2026-11-02.zip", "BTCUSDT-1h-2026-11-03.zip"}


@pytest.mark.parametrize(("status", "kind"), [(418, IPBannedError), (451, RestrictedLocationError)])
def test_a_ban_ends_rest_and_nothing_else(
    server: ArchiveServer, tmp_path: Path, status: int, kind: type[BinanceError]
) -> None:
    server.status = status
    symbols = ["BTCUSDT", "ETHUSDT"]
    server.absent = {f"{symbol}-1h-2026-11-{day:02}.zip" for day in range(1, 10) for symbol in symbols}
    with pytest.raises(RunError, match="could not be fetched") as caught:
        history.run(make(symbols=symbols), tmp_path / "data", settings=server.settings(budget=False))
    failures = caught.value.failures
    assert {type(error) for error in failures.values()} == {kind}
    # Those that were in flight were sent; nothing after the refusal.
    assert len(failures) == 20
    assert server.calls() <= AT_ONCE
    assert isinstance(caught.value.__cause__, kind)
    server.status = 200
    left = make(symbols=symbols, out=tmp_path / "data")
    history.run(left, tmp_path / "data", settings=server.settings(budget=False))
    for symbol in symbols:
        require_whole(tmp_path / "data", symbol)


@pytest.mark.parametrize("full_after", [9, 36])
def test_a_full_disk_ends_the_run_with_its_path(
    server: ArchiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_after: int
) -> None:
    """Every write fails from some moment on, as on a full disk; all that was written before is whole."""
    fsync, left = os.fsync, [full_after]

    def full(handle: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DatasetError, match="No space left on device; make room there or choose another folder"):
        history.run(make(), tmp_path / "data", settings=server.settings())
    monkeypatch.undo()
    asked = len(server.zips())
    done = {record.piece for record in Dataset.open(tmp_path / "data").records()}
    assert len(done) < 12
    server.asked.clear()
    history.run(make(out=tmp_path / "data"), tmp_path / "data", settings=server.settings())
    require_whole(tmp_path / "data")
    assert len(server.zips()) + server.calls() == 12 - len(done)
    assert asked <= 11


def test_a_folder_that_cannot_be_written(server: ArchiveServer, tmp_path: Path) -> None:
    # A file where the folder should be: also root may not write there.
    (tmp_path / "data").write_text("")
    with pytest.raises(DatasetError, match="cannot be"):
        history.run(make(), tmp_path / "data" / "set", settings=server.settings())
    assert not server.zips()


def test_a_second_run_on_the_same_dataset_is_refused(server: ArchiveServer, tmp_path: Path) -> None:
    with Dataset.create(tmp_path / "data").lock():
        with pytest.raises(DatasetError, match="is in use by process"):
            history.run(make(), tmp_path / "data", settings=server.settings())
        with pytest.raises(DatasetError, match="is in use by process"):
            history.sync(tmp_path / "data", settings=server.settings())
    assert not server.asked


def test_prices_as_the_dataset_has_them(server: ArchiveServer, tmp_path: Path) -> None:
    history.run(make(), tmp_path / "data", settings=server.settings(), prices="float")
    assert rows(tmp_path / "data").schema["close"] == pl.Float64()
    with pytest.raises(DatasetError, match="has prices as float, not decimal"):
        history.run(make(), tmp_path / "data", settings=server.settings(), prices="decimal")


async def test_a_run_that_is_cancelled_leaves_nothing_running(server: ArchiveServer, tmp_path: Path) -> None:
    """As with Ctrl-C: what is written stays, connections are closed, and the next run goes on."""
    several = asyncio.Event()
    loop = asyncio.get_running_loop()
    plan = make(symbols=["BTCUSDT", "ETHUSDT"])

    def on(progress: Progress) -> None:
        if progress.done == 3:
            loop.call_soon(several.set)

    task = asyncio.create_task(history.run_async(plan, tmp_path / "data", settings=server.settings(), progress=on))
    await several.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    done = len(Dataset.open(tmp_path / "data").records())
    assert 3 <= done <= 3 + AT_ONCE
    report = await history.run_async(plan, tmp_path / "data", settings=server.settings())
    assert len(report.fetched) == 24 - done


def test_in_a_notebook_a_loop_is_running_already(server: ArchiveServer, tmp_path: Path) -> None:
    async def cell() -> int:
        return len(history.run(make(), tmp_path / "data", settings=server.settings()).fetched)

    assert asyncio.run(cell()) == 12


# ------------------------------------------------------------------------------------------------- sync


def test_sync_goes_on_to_now(server: ArchiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history.run(make(), tmp_path / "data", settings=server.settings())
    at(monkeypatch, NOW + 2 * DAY)
    server.asked.clear()
    report = history.sync(tmp_path / "data", settings=server.settings())
    require_whole(tmp_path / "data", until=NOW + 2 * DAY)
    # The running day of then came over REST, and is a file of the archive by now.
    assert set(server.zips()) == {"BTCUSDT-1h-2026-11-10.zip", "BTCUSDT-1h-2026-11-11.zip"}
    names = {record.piece.name for record in Dataset.open(tmp_path / "data").records()}
    assert "2026-11-10.daily" in names
    assert "2026-11-10T000000-2026-11-10T140000.rest" not in names
    assert (report.checked, report.changed) == (11, [])
    again = history.sync(tmp_path / "data", settings=server.settings())
    assert (again.fetched, again.checked) == ([], 13)


def test_sync_notices_files_that_were_replaced(
    server: ArchiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, NOW)
    history.run(make(), tmp_path / "data", settings=server.settings())
    server.versions = {"BTCUSDT-1h-2026-11-05.zip": 1}
    server.absent = {"BTCUSDT-1h-2026-11-06.zip"}
    server.asked.clear()
    report = history.sync(tmp_path / "data", settings=server.settings())
    assert [piece.name for piece in report.changed] == ["2026-11-05.daily"]
    assert [(piece.name, remark.kind) for piece, remark in report.remarks] == [("2026-11-06.daily", "no_checksum")]
    assert set(server.zips()) == {"BTCUSDT-1h-2026-11-05.zip"}
    changed = rows(tmp_path / "data").filter(pl.col("open_time").dt.date() == pl.date(2026, 11, 5))
    expected = [str(bar("BTCUSDT", ms("2026-11-05") + hour * HOUR, 1)[4]) for hour in range(24)]
    assert [f"{close:.1f}" for close in changed["close"].to_list()] == expected
    assert not history.sync(tmp_path / "data", settings=server.settings()).changed


def test_sync_notices_a_replaced_file_of_a_day_that_a_month_was_mended_with(
    server: ArchiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, NOW)
    server.holes = {ms("2026-09-05") + 5 * HOUR}
    history.run(make(), tmp_path / "data", settings=server.settings())
    (month,) = [record for record in Dataset.open(tmp_path / "data").records() if record.origin.days]
    assert [piece.name for piece, _ in month.files] == ["2026-09.monthly", "2026-09-05.daily"]
    assert not history.sync(tmp_path / "data", settings=server.settings()).changed
    server.versions = {"BTCUSDT-1h-2026-09-05.zip": 1}
    server.asked.clear()
    report = history.sync(tmp_path / "data", settings=server.settings())
    assert [piece.name for piece in report.changed] == ["2026-09.monthly"]
    # Two months, nine days, and the one that mended.
    assert report.checked == 12
    assert set(server.zips()) == {"BTCUSDT-1h-2026-09.zip", "BTCUSDT-1h-2026-09-05.zip"}
    closes = rows(tmp_path / "data").filter(pl.col("open_time").dt.date() == pl.date(2026, 9, 5))["close"].to_list()
    hours = [(hour, int(hour != 5)) for hour in range(24)]
    assert [f"{close:.1f}" for close in closes] == [
        str(bar("BTCUSDT", ms("2026-09-05") + hour * HOUR, version)[4]) for hour, version in hours
    ]
    assert not history.sync(tmp_path / "data", settings=server.settings()).changed


@pytest.mark.parametrize("wrong", ["broken", "mislabelled"])
def test_sync_looks_again_at_a_day_that_a_month_could_not_be_mended_with(
    server: ArchiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    at(monkeypatch, NOW)
    hole, day = ms("2026-09-05") + 5 * HOUR, "BTCUSDT-1h-2026-09-05.zip"
    server.holes = {hole}
    setattr(server, wrong, {day})
    report = history.run(make(source="archive"), tmp_path / "data", settings=server.settings())
    assert [(piece.name, remark.kind) for piece, remark in report.remarks] == [("2026-09.monthly", "unmended_day")]
    if wrong == "broken":
        # It is what the archive says that it is: nothing is new.
        assert not history.sync(tmp_path / "data", source="archive", settings=server.settings()).changed
    setattr(server, wrong, set[str]())
    server.whole = {day}
    report = history.sync(tmp_path / "data", source="archive", settings=server.settings())
    assert [piece.name for piece in report.changed] == ["2026-09.monthly"]
    assert [remark.kind for _, remark in report.remarks] == ["mended_rows"]
    assert hole in rows(tmp_path / "data")["open_time"].dt.timestamp("ms").to_list()
    assert not history.sync(tmp_path / "data", source="archive", settings=server.settings()).changed


def test_pieces_that_two_workers_wrote_at_one_moment_are_settled_at_the_end(
    server: ArchiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A month and a day of it were replaced, and whoever wrote one of them has not seen the other."""
    at(monkeypatch, NOW)
    out = tmp_path / "data"
    history.run(make(), out, settings=server.settings())
    dataset = Dataset.open(out)
    (month,) = [record for record in dataset.records() if record.piece.name == "2026-09.monthly"]
    start = ms("2026-09-05")
    day = Piece(month.piece.series, start, start + DAY, "archive_daily")
    of_day = dataset.read(month).filter(pl.col("open_time").dt.date() == pl.date(2026, 9, 5))
    dataset.write(day, Fetched(of_day, Origin((), "another", 0)))
    server.versions = {"BTCUSDT-1h-2026-09.zip": 1}
    with monkeypatch.context() as patched:
        patched.setattr(Manifest, "overlapping", lambda manifest, piece: [])
        report = history.sync(out, settings=server.settings())
    assert {piece.name for piece in report.changed} == {"2026-09.monthly", "2026-09-05.daily"}
    assert dataset.sweep() == []
    found = history.check(out)
    assert (found.sound, found.complete, found.rows) == (True, True, BARS)
