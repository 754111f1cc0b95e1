"""A dataset in an object store is what it is in a folder: written, locked, swept, checked and read."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import boto3
import duckdb
import polars as pl
import pytest
from moto.server import ThreadedMotoServer

from binance_sdk.errors import ConfigError, DatasetError
from binance_sdk.history import Dataset, Series
from binance_sdk.history.dataset import object_store
from binance_sdk.history.dataset.checking.check import check_offline
from binance_sdk.history.dataset.reading.reader import open_reader
from tests.history.dataset.made import ARCHIVE, HOUR, at, bars, fetched, piece, whole

BTC = Series("spot", "klines", "BTCUSDT", "1h")
MONTH = piece("2025-01-01", "2025-02-01", "archive_monthly", BTC)
DAY = piece("2025-01-20", "2025-01-21", "archive_daily", BTC)
OVER_REST = piece("2025-02-01", "2025-02-01T05:00", series=BTC)
HOLE = range(at("2025-01-10T03:00"), at("2025-01-10T06:00"), HOUR)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    found = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    found.start()
    host, port = found.get_host_and_port()
    yield f"http://{host}:{port}"
    found.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A bucket of its own for each test, found by the usual variables."""
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    name = re.sub(r"[^a-z]+", "-", request.node.name)[:60].strip("-")
    boto3.client("s3", endpoint_url=server).create_bucket(Bucket=name)
    return name


def keys(bucket: str, server: str) -> list[str]:
    found = boto3.client("s3", endpoint_url=server).list_objects_v2(Bucket=bucket)
    return [item["Key"] for item in found.get("Contents", []) if not item["Key"].endswith("/")]


def write(dataset: Dataset) -> None:
    dataset.write(MONTH, whole(MONTH, without=HOLE))
    # Takes rows from the month, whose file is written anew.
    dataset.write(DAY, whole(DAY, price="5"))
    dataset.write(OVER_REST, whole(OVER_REST))
    dataset.note_absence(BTC, HOLE[0], HOLE[-1] + HOUR, "exchange_had_none", "maintenance")


def test_it_has_the_same_files_and_tells_the_same(bucket: str, server: str, tmp_path: Path) -> None:
    there = Dataset.create(f"s3://{bucket}/some/place/", archive=ARCHIVE)
    here = Dataset.create(tmp_path, archive=ARCHIVE)
    for dataset in (there, here):
        write(dataset)
    assert there.url == f"s3://{bucket}/some/place"
    local = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert keys(bucket, server) == [f"some/place/{path}" for path in local]
    for path in local:
        if path.endswith(".parquet"):
            assert there.storage.read(path) == here.storage.read(path)
    again = Dataset.open(f"s3://{bucket}/some/place", archive=ARCHIVE)
    assert again.facts == there.facts
    assert [(record.piece, record.sha256) for record in again.records()] == [
        (record.piece, record.sha256) for record in here.records()
    ]
    found, expected = (check_offline(dataset.url, archive=ARCHIVE) for dataset in (there, here))
    assert found.series == expected.series
    assert (found.sound, found.complete) == (True, True)
    again.remove(again.records()[0])
    assert again.sweep() == []
    assert len(again.records()) == 2


def test_it_is_read_in_all_ways(bucket: str, tmp_path: Path) -> None:
    there = Dataset.create(f"s3://{bucket}/data", archive=ARCHIVE)
    here = Dataset.create(tmp_path, archive=ARCHIVE)
    for dataset in (there, here):
        write(dataset)
    reader, local = (open_reader(dataset.url, archive=ARCHIVE) for dataset in (there, here))
    what = {"kind": "klines", "symbol": "BTCUSDT", "start": "2025-01-10", "end": "2025-02-01T02:00:00+00:00"}
    expected = local.polars(**what).collect()
    assert expected.height == 22 * 24 - 3 + 2
    assert reader.polars(**what).collect().equals(expected)
    assert pl.DataFrame(pl.from_arrow(reader.arrow(**what))).equals(expected)
    assert reader.pandas(**what).equals(local.pandas(**what))
    with duckdb.connect() as connection:
        relation = reader.duckdb(**what, connection=connection)
        assert relation.columns == expected.columns
        assert relation.order("open_time").pl().rows() == expected.rows()
    assert f"s3://{bucket}/data/market=spot" in reader.sql(**what)


def test_one_run_at_a_time(bucket: str, server: str) -> None:
    dataset = Dataset.create(f"s3://{bucket}/data", archive=ARCHIVE)
    in_use = pytest.raises(DatasetError, match=f"s3://{bucket}/data is in use by process")
    with dataset.lock(), in_use, dataset.lock():
        pytest.fail("two at once")
    with dataset.lock():
        assert len(keys(bucket, server)) == 2
    assert keys(bucket, server) == ["data/_manifest/dataset.json"]


def test_what_a_killed_process_left_is_swept(bucket: str, server: str) -> None:
    dataset = Dataset.create(f"s3://{bucket}/data", archive=ARCHIVE)
    dataset.write(OVER_REST, whole(OVER_REST))
    path = next(file.path for file in dataset.storage.files() if file.path.endswith(".parquet"))
    dataset.storage.put(path.replace("01T000000-", "01T010000-"), b"")
    assert len(dataset.sweep()) == 1
    assert len(keys(bucket, server)) == 3
    dataset.storage.delete(path)
    with pytest.raises(DatasetError, match=rf"s3://{bucket}/data/market=.* is not there, though its record is"):
        dataset.read(dataset.records()[0])


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("s3://no-such-bucket/data", "s3://no-such-bucket/data/_manifest/dataset.json cannot be written: "),
        ("s3://", "s3:// names no place; write e.g. s3://bucket/prefix"),
        ("nosuch://place/data", "is no URL of a dataset: Protocol not known: nosuch"),
    ],
)
def test_what_cannot_be_used_is_told(bucket: str, url: str, told: str) -> None:
    with pytest.raises(DatasetError) as error:
        Dataset.create(url, archive=ARCHIVE)
    assert told in str(error.value)
    assert error.value.path.startswith(url)


def test_a_place_that_cannot_be_looked_up_is_told_with_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.fs

    def refuse(url: str) -> None:
        raise OSError("When resolving region for bucket 'b': curlCode: 6, Could not resolve hostname")

    monkeypatch.setattr(pyarrow.fs, "FileSystem", SimpleNamespace(from_uri=refuse))
    with pytest.raises(DatasetError, match=r"^s3://b/data cannot be opened: When .* hostname; look at bucket, keys"):
        Dataset.create("s3://b/data", archive=ARCHIVE)


def test_whatever_fsspec_knows_can_be_used() -> None:
    dataset = Dataset.create("memory://place/data", archive=ARCHIVE)
    write(dataset)
    assert check_offline(dataset.url, archive=ARCHIVE).sound
    found = (
        open_reader(dataset.url, archive=ARCHIVE).polars(kind="klines", symbol="BTCUSDT", end="2025-01-02").collect()
    )
    assert found.equals(bars(range(MONTH.start, MONTH.start + 24 * HOUR, HOUR)))
    with dataset.lock():
        pass
    dataset.write(MONTH, fetched(bars([MONTH.start])))
    assert dataset.records()[0].rows == 1


def test_without_pyarrow_there_are_no_object_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.fs", None)
    with pytest.raises(ConfigError, match=r"this needs pyarrow, .*: pip install 'binance-market-sdk\[history\]'"):
        Dataset.open("s3://bucket/data", archive=ARCHIVE)


def test_a_store_of_google_that_does_not_answer_is_told_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    # A port of this machine that nobody listens at.
    monkeypatch.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr(object_store, "_GOOGLES_SECONDS", 1)
    told = (
        r"^gs://bucket/bars/\S+ cannot be read: .*; look at the network, the bucket and GOOGLE_APPLICATION_CREDENTIALS$"
    )
    with pytest.raises(DatasetError, match=told):
        Dataset.open("gs://bucket/bars")
