"""A piece from the archive: proved by its checksum, and a month mended by the files of its days."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from decimal import Decimal

import polars as pl
import pytest

from binance_sdk.catalogue import ARCHIVE
from binance_sdk.errors import ArchiveError, ServerError
from binance_sdk.history.archive.fetch import checksum_of, fetch_from_archive, terms_notice
from binance_sdk.history.piece import Fetched, Piece
from tests.history.archive.bucket import Answer, Bucket
from tests.history.archive.files import METRICS_HEADER, bar, daily, lines, monthly, ms, zipped
from tests.history.archive.test_session import Clock

HOUR = 3_600_000
DAY = daily("futures", "klines", "2022-05-03", "1h")
MONTH = monthly("futures", "klines", "2022-05", "1h")
START = ms("2022-05-01")


def hour(number: int, close: str = "101.5") -> list[object]:
    """A bar of an hour, by its number in the month."""
    row = bar(0, start=START + number * HOUR, unit=1, close=close)
    row[6] = START + (number + 1) * HOUR - 1
    return row


def hours(*days: int, close: str = "101.5") -> list[list[object]]:
    """All bars of some days of the month."""
    return [hour((day - 1) * 24 + number, close) for day in days for number in range(24)]


def day_of(day: int) -> Piece:
    return daily("futures", "klines", f"2022-05-{day:02}", "1h")


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with Bucket() as made:
        yield made


async def fetch(bucket: Bucket, piece: Piece) -> Fetched:
    async with bucket.session(clock=Clock(), max_retries=0) as session:
        return await fetch_from_archive(piece, session, prices="decimal")


def kinds(fetched: Fetched) -> dict[str, int]:
    found = {remark.kind: remark.rows for remark in fetched.remarks}
    assert len(found) == len(fetched.remarks), fetched.remarks
    return found


# ------------------------------------------------------------------------------------------ checksums


@pytest.mark.parametrize("end", ["\n", "", "\r\n"])
async def test_a_file_is_proved_by_its_checksum_with_or_without_a_newline(bucket: Bucket, end: str) -> None:
    path = bucket.put(DAY, lines(hours(3)))
    digest = hashlib.sha256(bucket.files[path]).hexdigest()
    bucket.files[f"{path}.CHECKSUM"] = f"{digest.upper()}  {path.rsplit('/', 1)[-1]}{end}".encode()
    fetched = await fetch(bucket, DAY)
    assert (fetched.frame.height, fetched.remarks) == (24, ())
    origin = fetched.origin
    assert origin.sha256 == digest
    assert origin.urls == (f"{bucket.url}/{path}",)
    assert (origin.size, origin.requests, origin.weight) == (len(bucket.files[path]), 2, 0)
    async with bucket.session() as session:
        assert await checksum_of(DAY, session) == digest


async def test_a_piece_counts_its_own_requests_among_others(bucket: Bucket) -> None:
    pieces = [day_of(day) for day in range(1, 9)]
    for piece in pieces:
        bucket.put(piece, lines(hours(int(piece.name[8:10]))))
    async with bucket.session() as session:
        found = await asyncio.gather(*(fetch_from_archive(piece, session, prices="float") for piece in pieces))
    assert [fetched.origin.requests for fetched in found] == [2] * 8


async def test_a_file_that_does_not_fit_its_checksum_is_asked_for_again(bucket: Bucket) -> None:
    """It may be replaced just now."""
    path = bucket.put(DAY, lines(hours(3)))
    bucket.answers[path] = [Answer(body=zipped("old", "old.csv"))]
    fetched = await fetch(bucket, DAY)
    assert fetched.frame.height == 24
    assert fetched.origin.sha256 == hashlib.sha256(bucket.files[path]).hexdigest()
    assert fetched.origin.requests == 4


async def test_a_file_that_never_fits_its_checksum_is_an_error_with_both(bucket: Bucket) -> None:
    path = bucket.put(DAY, lines(hours(3)), checksum=f"{'ab' * 32}  {DAY.series.symbol}-1h-2022-05-03.zip\n")
    digest = hashlib.sha256(bucket.files[path]).hexdigest()
    with pytest.raises(ArchiveError, match=rf"it was {digest}, then {digest}, and should be {'ab' * 32}") as caught:
        await fetch(bucket, DAY)
    assert not caught.value.missing
    assert bucket.count(f"{path.rsplit('/', 1)[-1]}") == 4


@pytest.mark.parametrize("told", ["", "<html>", "abc  x.zip\n", f"{'0' * 64}  ETHUSDT-1h-2022-05-03.zip\n"])
async def test_what_is_no_checksum_is_an_error_with_its_words(bucket: Bucket, told: str) -> None:
    path = bucket.put(DAY, lines(hours(3)))
    bucket.files[f"{path}.CHECKSUM"] = told.encode()
    with pytest.raises(ArchiveError, match="is no checksum of that file") as caught:
        await fetch(bucket, DAY)
    assert not caught.value.missing


async def test_a_file_without_a_checksum_is_read_and_said(bucket: Bucket) -> None:
    path = bucket.put(DAY, lines(hours(3)), checksum=None)
    fetched = await fetch(bucket, DAY)
    assert fetched.frame.height == 24
    assert kinds(fetched) == {"no_checksum": 0}
    assert bucket.count(f"{path}.CHECKSUM") == 2
    async with bucket.session() as session:
        with pytest.raises(ArchiveError) as caught:
            await checksum_of(DAY, session)
    assert caught.value.missing


async def test_a_checksum_that_comes_with_the_second_request_proves_the_file(bucket: Bucket) -> None:
    path = bucket.put(DAY, lines(hours(3)))
    bucket.answers[f"{path}.CHECKSUM"] = [Answer(404)]
    assert (await fetch(bucket, DAY)).remarks == ()


async def test_a_file_that_is_not_there_is_missing(bucket: Bucket) -> None:
    for piece in (DAY, MONTH):
        with pytest.raises(ArchiveError) as caught:
            await fetch(bucket, piece)
        assert caught.value.missing


async def test_a_broken_file_with_the_right_checksum_is_an_error(bucket: Bucket) -> None:
    path = bucket.put(DAY, "")
    bucket.files[path] = b"no zip"
    bucket.files[f"{path}.CHECKSUM"] = hashlib.sha256(b"no zip").hexdigest().encode()
    with pytest.raises(ArchiveError, match=rf"{bucket.url}/{path} is no zip"):
        await fetch(bucket, DAY)


async def test_a_failure_of_the_checksum_is_not_that_there_is_none(bucket: Bucket) -> None:
    path = bucket.put(DAY, lines(hours(3)))
    bucket.answers[f"{path}.CHECKSUM"] = [Answer(500)] * 3
    with pytest.raises(ServerError):
        await fetch(bucket, DAY)


# ------------------------------------------------------------------------------------------ mending


async def test_a_whole_month_asks_for_no_day(bucket: Bucket) -> None:
    bucket.put(MONTH, lines(hours(*range(1, 32))))
    fetched = await fetch(bucket, MONTH)
    assert (fetched.frame.height, fetched.remarks, fetched.origin.requests) == (744, (), 2)


async def test_days_that_a_month_lacks_come_from_their_own_files(bucket: Bucket) -> None:
    """As the month of 2022-05 lacks the 16th, 19th, 21st and 26th."""
    lost = {16, 19, 21, 26}
    bucket.put(MONTH, lines(hours(*(day for day in range(1, 32) if day not in lost))))
    paths = [bucket.put(day_of(day), lines(hours(day))) for day in sorted(lost)]
    fetched = await fetch(bucket, MONTH)
    assert fetched.frame.height == 744
    assert fetched.frame["open_time"].is_sorted()
    assert kinds(fetched) == {"mended_rows": 96}
    assert fetched.remarks[0].text.endswith("2022-05-16, 2022-05-19, 2022-05-21, 2022-05-26")
    assert fetched.origin.urls[1:] == tuple(f"{bucket.url}/{path}" for path in paths)
    assert fetched.origin.requests == 10
    month = bucket.files["data/futures/um/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2022-05.zip"]
    assert fetched.origin.sha256 == hashlib.sha256(month).hexdigest()
    assert fetched.origin.size == len(month) + sum(len(bucket.files[path]) for path in paths)
    digests = [hashlib.sha256(bucket.files[path]).hexdigest() for path in paths]
    assert fetched.origin.days == tuple(zip([day_of(day).start for day in sorted(lost)], digests, strict=True))


async def test_rows_of_a_day_win_over_those_of_the_month(bucket: Bucket) -> None:
    bucket.put(MONTH, lines([*hours(*range(1, 16)), *hours(16)[:20], *hours(*range(17, 32))]))
    bucket.put(day_of(16), lines([*hours(16)[:3], *hours(16, close="100")[3:]]))
    fetched = await fetch(bucket, MONTH)
    assert kinds(fetched) == {"mended_rows": 4, "monthly_differs": 17}
    closes = fetched.frame.filter(pl.col("open_time").dt.day() == 16)["close"].to_list()
    assert closes == [Decimal("101.5")] * 3 + [Decimal(100)] * 21
    assert fetched.frame.height == 744


async def test_a_day_that_has_no_file_or_the_same_hole_changes_nothing(bucket: Bucket) -> None:
    """The exchange stood still: no source has those rows."""
    rows = [*hours(*range(1, 16)), *hours(16)[:20], *hours(*range(18, 32))]
    bucket.put(MONTH, lines(rows))
    bucket.put(day_of(16), lines(hours(16)[:20]))
    fetched = await fetch(bucket, MONTH)
    assert (fetched.frame.height, fetched.remarks) == (len(rows), ())
    assert bucket.count("2022-05-17") == 1


async def test_a_broken_day_is_said_and_the_rest_is_kept(bucket: Bucket) -> None:
    bucket.put(MONTH, lines(hours(*range(1, 16), *range(17, 32))))
    bucket.put(day_of(16), "x,y\n")
    fetched = await fetch(bucket, MONTH)
    assert fetched.frame.height == 720
    assert kinds(fetched) == {"unmended_day": 0}


async def test_a_failure_of_a_day_is_no_hole(bucket: Bucket) -> None:
    bucket.put(MONTH, lines(hours(*range(1, 16), *range(17, 32))))
    path = bucket.put(day_of(16), lines(hours(16)))
    bucket.answers[path] = [Answer(500)]
    with pytest.raises(ServerError):
        await fetch(bucket, MONTH)


async def test_before_the_first_row_and_after_the_last_days_are_asked_only_while_they_have_files(
    bucket: Bucket,
) -> None:
    bucket.put(MONTH, lines(hours(*range(10, 21))))
    for day in (8, 9, 21):
        bucket.put(day_of(day), lines(hours(day)))
    fetched = await fetch(bucket, MONTH)
    assert fetched.frame.height == 14 * 24
    asked = [path.rsplit("-", 1)[-1] for path in bucket.asked if "daily" in path and path.endswith(".zip")]
    assert asked == ["09.zip", "08.zip", "07.zip", "21.zip", "22.zip"]


async def test_an_empty_month_is_made_of_its_days(bucket: Bucket) -> None:
    bucket.put(MONTH, "")
    for day in (30, 31):
        bucket.put(day_of(day), lines(hours(day)))
    fetched = await fetch(bucket, MONTH)
    assert fetched.frame.height == 48
    assert kinds(fetched) == {"empty_file": 0, "mended_rows": 48}


async def test_a_month_whose_file_cannot_be_used_is_made_of_its_days(bucket: Bucket) -> None:
    path = bucket.put(MONTH, lines(hours(*range(1, 32))), checksum=f"{'ab' * 32}\n")
    for day in (3, 5):
        bucket.put(day_of(day), lines(hours(day)))
    fetched = await fetch(bucket, MONTH)
    assert fetched.frame.height == 48
    assert kinds(fetched) == {"unusable_month": 0, "mended_rows": 48}
    assert "came twice and did not have the SHA-256" in fetched.remarks[0].text
    assert fetched.origin.sha256 == "ab" * 32
    assert all(path not in url for url in fetched.origin.urls)
    for name in [name for name in bucket.files if "/daily/" in name]:
        del bucket.files[name]
    with pytest.raises(ArchiveError, match="came twice"):
        await fetch(bucket, MONTH)


async def test_a_month_whose_file_cannot_be_used_and_that_has_no_days_is_an_error(bucket: Bucket) -> None:
    piece = monthly("futures", "funding_rate", "2022-05")
    bucket.put(piece, "1,2\n")
    with pytest.raises(ArchiveError, match=r"line 1 of .* has 2 cells"):
        await fetch(bucket, piece)


async def test_gaps_in_ids_are_mended_by_the_days_that_they_are_in(bucket: Bucket) -> None:
    month, day = monthly("spot", "agg_trades", "2025-01"), daily("spot", "agg_trades", "2025-01-02")

    def trade(number: int) -> list[object]:
        at = (ms("2025-01-01") + number * HOUR) * 1000
        return [number, "5", "1", number, number, at, "True", "True"]

    numbers = [n for n in range(744) if n not in (30, 31)]
    bucket.put(month, lines([trade(n) for n in numbers]))
    bucket.put(day, lines([trade(n) for n in range(24, 48)]))
    fetched = await fetch(bucket, month)
    assert fetched.frame["agg_id"].to_list() == list(range(744))
    assert kinds(fetched) == {"mended_rows": 2}
    assert bucket.count("/daily/") == 2


async def test_a_gap_over_midnight_is_mended_by_both_days(bucket: Bucket) -> None:
    month = monthly("spot", "trades", "2025-01")

    def trade(number: int) -> list[object]:
        at = (ms("2025-01-01") + number * HOUR) * 1000
        return [number, "5", "1", "5", at, "True", "True"]

    bucket.put(month, lines([trade(n) for n in range(744) if n not in range(46, 50)]))
    for day, numbers in ((2, range(24, 48)), (3, range(48, 72))):
        bucket.put(daily("spot", "trades", f"2025-01-{day:02}"), lines([trade(n) for n in numbers]))
    fetched = await fetch(bucket, month)
    assert fetched.frame["trade_id"].to_list() == list(range(744))
    assert kinds(fetched) == {"mended_rows": 4}


async def test_bars_longer_than_a_day_have_no_files_of_days(bucket: Bucket) -> None:
    piece = monthly("futures", "klines", "2022-05", "3d")
    row = bar(0, start=START, unit=1)
    bucket.put(piece, lines([row]))
    assert (await fetch(bucket, piece)).frame.height == 1
    assert bucket.count("daily") == 0


# ------------------------------------------------------------------------------------------ odd files


async def test_a_month_without_zero_in_its_name_is_found(bucket: Bucket) -> None:
    piece = monthly("spot", "klines", "2020-08", "1d", "ADABKRW")
    data = zipped(lines([bar(0, start=ms("2020-08-01"), unit=1)]), "ADABKRW-1d-2020-8.csv")
    odd = "data/spot/monthly/klines/ADABKRW/1d/ADABKRW-1d-2020-8.zip"
    digest = hashlib.sha256(data).hexdigest()
    bucket.files |= {odd: data, f"{odd}.CHECKSUM": f"{digest}  ADABKRW-1d-2020-8.zip".encode()}
    fetched = await fetch(bucket, piece)
    assert (fetched.frame.height, fetched.origin.urls[0]) == (1, f"{bucket.url}/{odd}")
    async with bucket.session() as session:
        assert await checksum_of(piece, session) == digest
        later = monthly("spot", "klines", "2021-08", "1d", "ADABKRW")
        before = len(bucket.asked)
        with pytest.raises(ArchiveError):
            await fetch_from_archive(later, session, prices="float")
    assert len(bucket.asked) == before + 1


def metrics(day: str, *labels: str) -> str:
    return lines([[f"{day} {label}", "BTCUSDT", 1, 2, 3, 4, 5, 6] for label in labels], header=METRICS_HEADER)


async def test_the_first_row_of_a_day_is_found_at_the_end_of_the_file_before(bucket: Bucket) -> None:
    first, second = daily("futures", "metrics", "2025-01-01"), daily("futures", "metrics", "2025-01-02")
    bucket.put(
        first, metrics("2025-01-01", "00:05:00", "23:55:00") + metrics("2025-01-02", "00:00:00").split("\n")[1] + "\n"
    )
    bucket.put(second, metrics("2025-01-02", "00:05:00"))
    fetched = await fetch(bucket, second)
    assert [time.minute for time in fetched.frame["time"]] == [0, 5]
    assert (fetched.remarks, len(fetched.origin.urls), fetched.origin.requests) == ((), 2, 4)
    # That of the day itself has no such row, and says nothing of the one that is the next day's.
    fetched = await fetch(bucket, first)
    assert (fetched.frame.height, fetched.remarks, len(fetched.origin.urls)) == (2, (), 1)


async def test_a_day_with_its_first_row_asks_for_no_other_file(bucket: Bucket) -> None:
    piece = daily("futures", "metrics", "2025-01-02")
    bucket.put(piece, metrics("2025-01-02", "00:00:00", "00:05:00"))
    assert (await fetch(bucket, piece)).origin.requests == 2


async def test_a_broken_file_of_the_day_before_is_said(bucket: Bucket) -> None:
    piece = daily("futures", "metrics", "2025-01-02")
    bucket.put(piece, metrics("2025-01-02", "00:05:00"))
    bucket.put(daily("futures", "metrics", "2025-01-01"), "1,2\n")
    assert kinds(await fetch(bucket, piece)) == {"unmended_day": 0}


def test_the_terms_are_told_in_a_few_lines() -> None:
    text = terms_notice()
    for part in ("CC BY-NC-SA 4.0", "Commercial use needs", "1.0 of 2026-08-26", ARCHIVE.terms.url):
        assert part in text
    assert max(map(len, text.splitlines())) < 200
