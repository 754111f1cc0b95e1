"""Faults of the archive's files, each as the known one that it stands for; and which file has one."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator

import httpx
import pytest

from binance_sdk.simulator import Fault, FileFault, ManualClock, Simulator, SimulatorError
from binance_sdk.simulator.faults.files import FileFaults

from .archive_reading import ArchiveReader, found
from .conftest import NOW, simulator

KLINES = "data/futures/um/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2027-01-13.zip"
METRICS = "data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2027-01-13.zip"
SPOT = "data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2027-01-13.zip"
Lines = list[list[str]]


@pytest.fixture(scope="module")
def exchange() -> Iterator[Simulator]:
    with simulator(symbols=["BTCUSDT"], clock=ManualClock(NOW)) as running:
        yield running


@pytest.fixture
def archive(exchange: Simulator) -> Iterator[ArchiveReader]:
    reader = ArchiveReader(exchange)
    with reader.client:
        yield reader
    exchange.archive.faults.clear()
    exchange.faults.clear()


# ---------------------------------------------------------------------------------------- each kind


def doubled(good: Lines, bad: Lines) -> bool:
    return bad[:4] == [good[0], good[0], good[1], good[2]] and len(bad) == 24 + 3


def unsorted(good: Lines, bad: Lines) -> bool:
    return sorted(bad) == sorted(good) and bad[:4] == [good[12], good[0], good[13], good[1]]


def missing(good: Lines, bad: Lines) -> bool:
    return bad == good[:6] + good[12:]


def neighbours(good: Lines, bad: Lines) -> bool:
    return (
        bad[3:-3] == good
        and int(bad[2][0]) + 3_600_000 == int(good[0][0])
        and int(bad[-3][0]) - 3_600_000 == int(good[-1][0])
    )


def other_values(good: Lines, bad: Lines) -> bool:
    changed = [number for number in range(24) if good[number] != bad[number]]
    cells = [(old, new) for number in changed for old, new in zip(good[number], bad[number], strict=True) if old != new]
    return changed == [0, 10, 20] and len(cells) == 3 and all(old[:-2] == new[:-2] for old, new in cells)


def frozen(good: Lines, bad: Lines) -> bool:
    times = [[row[0], row[6]] for row in bad] == [[row[0], row[6]] for row in good]
    return times and bad[:13] == good[:13] and all(row[1:6] == good[12][1:6] for row in bad[12:])


@pytest.mark.parametrize(
    ("fault", "is_so"),
    [
        (FileFault.doubled_rows(), doubled),
        (FileFault.unsorted_rows(), unsorted),
        (FileFault.missing_rows(), missing),
        (FileFault.neighbour_rows(), neighbours),
        (FileFault.other_values(), other_values),
        (FileFault.frozen_rows(), frozen),
    ],
    ids=lambda value: value.kind if isinstance(value, FileFault) else "",
)
def test_rows_are_wrong_and_the_checksum_fits(
    exchange: Simulator, archive: ArchiveReader, fault: FileFault, is_so: Callable[[Lines, Lines], bool]
) -> None:
    good = archive.rows(KLINES)
    exchange.archive.faults.add(fault, where="archive.futures.klines")
    bad = archive.rows(KLINES)
    assert is_so(good, bad)
    assert archive.rows(SPOT)[0][0] == "1799798400000000", "another market is as it was"
    exchange.archive.faults.clear()
    assert archive.rows(KLINES) == good


@pytest.mark.parametrize("quoted", [False, True])
def test_blank_cells_of_metrics_are_those_that_are_seen_blank(
    exchange: Simulator, archive: ArchiveReader, quoted: bool
) -> None:
    exchange.archive.faults.add(FileFault.blank_cells(every=100, quoted=quoted), where="*metrics*")
    with zipfile.ZipFile(io.BytesIO(archive.checked(METRICS))) as opened:
        lines = opened.read(opened.namelist()[0]).decode().splitlines()
    ends = ["", "", "", ""] if not quoted else ['""'] * 4
    assert [number for number, line in enumerate(lines) if line.split(",")[4:] == ends] == [1, 101, 201]


def test_a_header_where_there_is_none_and_none_where_there_is_one(exchange: Simulator, archive: ArchiveReader) -> None:
    exchange.archive.faults.add(FileFault.other_header())
    assert archive.lines(KLINES)[0][0] == "1799798400000"
    assert archive.lines(SPOT)[0][:2] == ["open_time", "open"]


def test_a_wrong_checksum_is_that_of_another_file(exchange: Simulator, archive: ArchiveReader) -> None:
    exchange.archive.faults.add(FileFault.wrong_checksum())
    digest, name = archive.get(f"{KLINES}.CHECKSUM").text.split()
    assert (len(digest), name) == (64, "BTCUSDT-1h-2027-01-13.zip")
    assert digest != hashlib.sha256(archive.get(KLINES).content).hexdigest()


def test_a_broken_zip_cannot_be_opened_though_its_checksum_fits(exchange: Simulator, archive: ArchiveReader) -> None:
    exchange.archive.faults.add(FileFault.broken_zip(0.9))
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(archive.checked(KLINES)))


def test_what_is_missing_is_missing_in_the_listing_too(exchange: Simulator, archive: ArchiveReader) -> None:
    prefix = KLINES.removesuffix("13.zip")
    exchange.archive.faults.add(FileFault.missing_file(), where="*-2027-01-13.zip")
    exchange.archive.faults.add(FileFault.missing_checksum(), where="*-2027-01-12.zip")
    assert [archive.get(KLINES + end).status_code for end in ("", ".CHECKSUM")] == [404, 404]
    keys = found(archive.listing(prefix=prefix), "Contents/Key")
    names = [key.removeprefix(prefix) for key in keys]
    assert names[-5:] == ["11.zip", "11.zip.CHECKSUM", "12.zip", "14.zip", "14.zip.CHECKSUM"]
    assert [archive.get(f"{prefix}12.zip{end}").status_code for end in ("", ".CHECKSUM")] == [200, 404]


# --------------------------------------------------------------------------------- faults over time


def test_a_late_file_comes_later_and_a_replaced_one_is_another_afterwards() -> None:
    clock = ManualClock(NOW)
    with simulator(symbols=["BTCUSDT"], clock=clock, lively=False) as running:
        archive = ArchiveReader(running)
        with archive.client:
            key = KLINES.replace("01-13", "01-14")
            running.archive.faults.add(FileFault.late_file(days=1), where="archive.futures")
            running.archive.faults.add(FileFault.replaced_file(days=2), where="archive.futures")
            assert archive.get(key).status_code == 404
            clock.advance(86_400)
            half = archive.rows(key)
            early = archive.get(key).headers
            clock.advance(2 * 86_400)
            whole, late = archive.rows(key), archive.get(key).headers
            assert (len(half), len(whole), half) == (12, 24, whole[:12])
            assert (early["last-modified"][5:16], late["last-modified"][5:16]) == ("16 Jan 2027", "18 Jan 2027")
            assert early["etag"] != late["etag"]


# ------------------------------------------------------------------------------- which file is hit


def test_which_file_is_hit_follows_from_its_path_and_not_from_the_order() -> None:
    paths = [f"/data/spot/{number}" for number in range(500)]

    def hit(order: list[str]) -> set[str]:
        faults = FileFaults({"archive"}, ("/data/",), seed=1)
        faults.add(FileFault.broken_zip(), probability=0.2)
        return {path for path in order if faults.of_file(("archive",), path)}

    there = hit(paths)
    assert 70 < len(there) < 130
    assert hit(paths[::-1]) == there
    assert hit(paths + paths) == there


def test_count_is_of_files_which_stay_hit_until_the_rule_is_removed() -> None:
    faults = FileFaults({"archive"}, ("/data/",), seed=1)
    rule = faults.add(FileFault.broken_zip(), count=2)
    hits = [bool(faults.of_file(("archive",), path)) for path in ("/a", "/b", "/c", "/a", "/b")]
    assert hits == [True, True, False, True, True]
    assert (rule.injected, dict(faults.injected)) == (2, {"broken_zip": 2})
    rule.remove()
    rule.remove()
    assert faults.of_file(("archive",), "/a") == ()


def test_several_rules_hit_the_same_file() -> None:
    faults = FileFaults({"archive"}, ("/data/",), seed=1)
    faults.add(FileFault.missing_checksum())
    faults.add(FileFault.doubled_rows())
    assert [fault.kind for fault in faults.of_file(("archive",), "/a")] == ["missing_checksum", "doubled_rows"]


@pytest.mark.parametrize("where", ["archive.spot.metrics", "spot.klines", "/date/spot/*", "nothing"])
def test_a_pattern_that_matches_no_file_is_refused(exchange: Simulator, where: str) -> None:
    with pytest.raises(SimulatorError, match="matches no file"):
        exchange.archive.faults.add(FileFault.broken_zip(), where=where)


@pytest.mark.parametrize(
    "make",
    [
        lambda: FileFault.late_file(0),
        lambda: FileFault.replaced_file(-1),
        lambda: FileFault.broken_zip(1.0),
        lambda: FileFault.missing_rows(0.5, 0.5),
        lambda: FileFault.doubled_rows(0),
        lambda: FileFault.neighbour_rows(0),
    ],
)
def test_a_fault_that_means_nothing_is_refused(make: Callable[[], FileFault]) -> None:
    with pytest.raises(ValueError, match=r"\w+\("):
        make()


# --------------------------------------------------------------------------------------- of requests


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.forbidden(), 403),
        (Fault.rate_limited(7), 429),
        (Fault.restricted(), 451),
        (Fault.server_error(500), 500),
        (Fault.banned(60), 418),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_requests_to_the_archive_have_the_faults_of_all_requests(
    exchange: Simulator, archive: ArchiveReader, fault: Fault, status: int
) -> None:
    exchange.faults.add(fault, where="archive.futures.klines.zip", count=1)
    assert archive.get(f"{KLINES}.CHECKSUM").status_code == 200
    answer = archive.get(KLINES)
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
    assert archive.get(KLINES).status_code == 200
    assert archive.client.get(f"{exchange.base_url('futures')}/fapi/v1/ping").status_code == 200


def test_a_file_is_cut_off_or_slow(exchange: Simulator, archive: ArchiveReader) -> None:
    exchange.faults.add(Fault.truncated(), where="*.checksum", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        archive.get(f"{KLINES}.CHECKSUM")
    exchange.faults.add(Fault.slow_body(0.05), where="/data/futures/um/*", count=1)
    assert archive.get(KLINES).content == archive.get(KLINES).content
    assert exchange.faults.injected["slow_body"] == 1


def test_faults_of_rows_of_json_leave_the_archive_alone(exchange: Simulator, archive: ArchiveReader) -> None:
    exchange.faults.add(Fault.short_page(1))
    archive.checked(KLINES)
    assert exchange.faults.injected.get("short_page", 0) == 0


def test_faults_of_files_come_in_a_line_and_from_another_process(exchange: Simulator, archive: ArchiveReader) -> None:
    rule = exchange.add_fault("missing_rows:first=0,last=0.5,where=archive.futures.klines|archive.spot")
    assert [len(archive.rows(key)) for key in (KLINES, SPOT)] == [12, 12]
    rule.remove()
    exchange._remove_faults(exchange.add_fault("broken_zip").number)
    assert [len(archive.rows(key)) for key in (KLINES, SPOT)] == [24, 24]
