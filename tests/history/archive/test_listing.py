"""The listing of the archive, whose pages have a thousand names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from binance_sdk.catalogue import ARCHIVE
from binance_sdk.errors import ArchiveError
from binance_sdk.history.archive.listing import list_files, list_symbols
from binance_sdk.history.piece import Series
from tests.history.archive.bucket import Answer, Bucket, page_of
from tests.history.archive.files import daily, lines, ms

KIND = ARCHIVE.kinds["spot", "klines"]
SERIES = Series("spot", "klines", "BTCUSDT", "1m")
FOLDER = "data/spot/daily/klines/BTCUSDT/1m/"


@pytest.mark.parametrize("markers", [False, True])
async def test_all_pages_are_read_though_checksums_count_too(markers: bool) -> None:
    days = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(520)]
    with Bucket(markers=markers) as bucket:
        for day in days:
            name = f"{FOLDER}BTCUSDT-1m-{day:%Y-%m-%d}.zip"
            bucket.files |= {name: b"x" * 7, f"{name}.CHECKSUM": b"y"}
        async with bucket.session() as session:
            found = await list_files(session, KIND, SERIES, "daily")
        assert list(found) == [int(day.timestamp()) * 1000 for day in days]
        assert set(found.values()) == {7}
        assert bucket.count("bucket") == 2
        assert ("marker=" in bucket.asked[1]) == markers


async def test_a_marker_is_the_last_name_where_the_listing_names_none() -> None:
    first = f"{FOLDER}BTCUSDT-1m-2025-01-01.zip"
    last = f"{FOLDER}BTCUSDT-1m-2025-01-02.zip"
    with Bucket() as bucket:
        bucket.answers["bucket"] = [
            Answer(body=page_of([(first, 1)], truncated=True)),
            Answer(body=page_of([(last, 2)])),
        ]
        async with bucket.session() as session:
            assert await list_files(session, KIND, SERIES, "daily") == {ms("2025-01-01"): 1, ms("2025-01-02"): 2}
        assert "marker=data%2Fspot%2Fdaily%2Fklines%2FBTCUSDT%2F1m%2FBTCUSDT-1m-2025-01-01.zip" in bucket.asked[1]


async def test_months_without_a_zero_and_names_that_are_no_files_of_the_period() -> None:
    folder = "data/spot/monthly/klines/ADABKRW/1mo/"
    names = [
        "ADABKRW-1mo-2020-8.zip",
        "ADABKRW-1mo-2020-10.zip",
        "ADABKRW-1mo-2020-13.zip",
        "ADABKRW-1mo-2020-01-02.zip",
        "x",
    ]
    with Bucket() as bucket:
        bucket.files = {folder + name: b"12" for name in names}
        async with bucket.session() as session:
            found = await list_files(session, KIND, Series("spot", "klines", "ADABKRW", "1M"), "monthly")
        assert found == {ms("2020-08-01"): 2, ms("2020-10-01"): 2}


async def test_symbols_are_those_that_have_a_folder_traded_or_not() -> None:
    with Bucket(page=2) as bucket:
        for symbol in ("BTCUSDT", "ETHUSDT", "LUNAUSDT", "XRPUSDT", "ZRXUSDT"):
            bucket.put(daily("spot", "klines", "2025-01-01", "1m", symbol), lines([[1]]))
        async with bucket.session() as session:
            assert await list_symbols(session, KIND, "daily") == [
                "BTCUSDT",
                "ETHUSDT",
                "LUNAUSDT",
                "XRPUSDT",
                "ZRXUSDT",
            ]
            assert await list_symbols(session, KIND, "monthly") == []
        assert bucket.count("bucket") == 4


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>", "the listing is no XML"),
        (b"", "the listing is no XML"),
        (b"<html></html>", "the answer is no listing but <html>"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><ListBucketResult/>', "declares entities"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><ListBucketResult/>'.encode("utf-16"), "declares entities"),
        (b"<!DOCTYPE html><html></html>", "declares entities"),
        (page_of([], truncated=True), "says that there is more, and is empty"),
        (page_of([("", 1)]), "a file without name or size"),
        (
            page_of([(f"{FOLDER}BTCUSDT-1m-2025-01-01.zip", 1)]).replace(b"<Size>1<", b"<Size>-1<"),
            "without name or size",
        ),
        (
            page_of([(f"{FOLDER}BTCUSDT-1m-2025-01-01.zip", 1)]).replace(b"<Size>1<", b"<Size>" + b"9" * 5000 + b"<"),
            "without name or size",
        ),
    ],
)
async def test_what_is_no_listing_is_an_error(body: bytes, words: str) -> None:
    with Bucket() as bucket:
        bucket.answers["bucket"] = [Answer(body=body)]
        async with bucket.session() as session:
            with pytest.raises(ArchiveError, match=words):
                await list_files(session, KIND, SERIES, "daily")


async def test_pages_that_lead_in_a_circle_end() -> None:
    page = page_of([], more="<NextContinuationToken>a</NextContinuationToken>", truncated=True)
    with Bucket() as bucket:
        bucket.answers["bucket"] = [Answer(body=page)] * 5
        async with bucket.session() as session:
            with pytest.raises(ArchiveError, match="back to an earlier one"):
                await list_files(session, KIND, SERIES, "daily")
        assert bucket.count("bucket") == 2
