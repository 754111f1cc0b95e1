"""A dataset is read as frames of polars and pandas, as Arrow, by DuckDB and as rows; all of them see the same."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from binance_sdk.errors import ConfigError, DatasetError, ParameterError
from binance_sdk.history import Dataset, Series
from binance_sdk.history.dataset.reading.reader import DatasetReader, open_reader
from tests.history.dataset.made import ARCHIVE, HOUR, IDS, at, bars, fetched, piece, trades, whole

BTC = Series("spot", "klines", "BTCUSDT", "1h")
ETH = replace(BTC, symbol="ETHUSDT")
MONTH = piece("2025-01-01", "2025-02-01", "archive_monthly", BTC)
DAYS = [piece(f"2025-02-0{day}", f"2025-02-0{day + 1}", "archive_daily", BTC) for day in (1, 2, 3)]
HOLE = range(at("2025-01-10T03:00"), at("2025-01-10T06:00"), HOUR)
FILL = piece("2025-01-10T03:00", "2025-01-10T06:00", series=BTC)


def fill(dataset: Dataset) -> None:
    """A month with a hole that REST filled but for its last hour, three days, another symbol, and trades."""
    dataset.write(MONTH, whole(MONTH, without=HOLE))
    dataset.write(FILL, fetched(bars(HOLE[:2], price="7")))
    for day in DAYS:
        dataset.write(day, whole(day))
    dataset.write(replace(DAYS[0], series=ETH), whole(replace(DAYS[0], series=ETH), price="5"))
    dataset.write(replace(DAYS[0], series=IDS), fetched(trades(1, 50, DAYS[0].start)))


EXPECTED = bars(time for time in range(MONTH.start, DAYS[2].end, HOUR) if time != HOLE[2]).with_columns(
    pl.when(pl.col("open_time").dt.timestamp("ms").is_in(list(HOLE[:2])))
    .then(pl.lit("7").cast(pl.Decimal(38, 8)))
    .otherwise("open")
    .alias("open")
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("reading") / "data's"
    fill(Dataset.create(found, archive=ARCHIVE))
    return found


@pytest.fixture(scope="module")
def reader(folder: Path) -> DatasetReader:
    return open_reader(folder, archive=ARCHIVE)


def by_polars(reader: DatasetReader, **what: Any) -> pl.DataFrame:
    return reader.polars(**what).collect()


def by_pandas(reader: DatasetReader, **what: Any) -> pl.DataFrame:
    return pl.from_pandas(reader.pandas(**what), schema_overrides=dict(EXPECTED.schema))


def by_arrow(reader: DatasetReader, **what: Any) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(reader.arrow(**what)))


def by_duckdb(reader: DatasetReader, **what: Any) -> pl.DataFrame:
    relation = reader.duckdb(**what)
    return (
        relation.pl().sort("symbol", "open_time") if "symbol" in relation.columns else relation.pl().sort("open_time")
    )


READERS = pytest.mark.parametrize("read", [by_polars, by_pandas, by_arrow, by_duckdb])
Read = Callable[..., pl.DataFrame]

# ------------------------------------------------------------------------------------ all ways


@READERS
def test_a_series_is_whole_and_in_order(reader: DatasetReader, read: Read) -> None:
    found = read(reader, kind="klines", symbol="btcusdt", interval="1h")
    assert found["open_time"].to_list() == EXPECTED["open_time"].to_list()
    assert found["open"].to_list() == EXPECTED["open"].to_list()
    assert found.columns == EXPECTED.columns


@READERS
@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-01-10T04:00:00+00:00", "2025-01-10T07:00:00+00:00"),
        (date(2025, 2, 2), None),
        (None, at("2025-01-01T05:00")),
        (datetime(2025, 1, 31, 23, tzinfo=UTC), datetime(2025, 2, 1, 1, tzinfo=UTC)),
        ("2026-01-01", None),
    ],
)
def test_a_span_of_it_is_what_lies_between(reader: DatasetReader, read: Read, start: Any, end: Any) -> None:
    found = read(reader, kind="klines", symbol="BTCUSDT", start=start, end=end)
    low = {"2025-01-10T04:00:00+00:00": at("2025-01-10T04:00"), "2026-01-01": at("2026-01-01")}.get(start, 0)
    if isinstance(start, datetime):
        low = at("2025-01-31T23:00")
    elif isinstance(start, date):
        low = at("2025-02-02")
    high = {None: 1 << 62, "2025-01-10T07:00:00+00:00": at("2025-01-10T07:00")}.get(end, end)
    if isinstance(end, datetime):
        high = at("2025-02-01T01:00")
    times = [time for time in EXPECTED["open_time"].dt.timestamp("ms") if low <= time < high]
    assert found["open_time"].dt.timestamp("ms").to_list() == times
    assert len(times) == {"2025-01-10T04:00:00+00:00": 2, None: 5, "2026-01-01": 0}.get(start, len(times))


@READERS
def test_several_symbols_are_told_apart(reader: DatasetReader, read: Read) -> None:
    for symbols in (["BTCUSDT", "ETHUSDT"], None):
        found = read(reader, kind="klines", symbol=symbols, start="2025-02-01", end="2025-02-02")
        assert found.columns == ["symbol", *EXPECTED.columns]
        assert found["symbol"].to_list() == ["BTCUSDT"] * 24 + ["ETHUSDT"] * 24
        assert found["open"].to_list() == [100] * 24 + [5] * 24


@READERS
def test_a_row_that_a_killed_run_left_in_two_files_is_read_once(folder: Path, tmp_path: Path, read: Read) -> None:
    """The day is there, and the month has not given it up yet."""
    shutil.copytree(folder, tmp_path / "data")
    alone = Dataset.create(tmp_path / "alone", archive=ARCHIVE)
    day = piece("2025-01-20", "2025-01-21", "archive_daily", BTC)
    alone.write(day, whole(day, price="8"))
    shutil.copytree(alone.url, tmp_path / "data", dirs_exist_ok=True)
    found = read(open_reader(tmp_path / "data", archive=ARCHIVE), kind="klines", symbol="BTCUSDT")
    assert found["open_time"].to_list() == EXPECTED["open_time"].to_list()
    assert found["open"].value_counts().sort("open").rows() == [(Decimal(7), 2), (Decimal(8), 24), (Decimal(100), 789)]


def test_types_are_those_of_the_dataset(reader: DatasetReader, tmp_path: Path) -> None:
    found = reader.polars(kind="klines", symbol="BTCUSDT")
    assert found.collect_schema() == EXPECTED.schema
    assert found.collect().equals(EXPECTED)
    frame = reader.pandas(kind="klines", symbol="BTCUSDT", index="open_time")
    assert str(frame.index.dtype) == "datetime64[us, UTC]"
    assert frame["open"].iloc[0] == Decimal(100)
    assert str(reader.arrow(kind="klines", symbol="BTCUSDT").schema.field("open").type) == "decimal128(38, 8)"
    floats = Dataset.create(tmp_path, prices="float", archive=ARCHIVE)
    floats.write(DAYS[0], fetched(bars([DAYS[0].start], price="0.1", prices="float")))
    assert open_reader(tmp_path, archive=ARCHIVE).polars(kind="klines").collect()["open"].to_list() == [0.1]


# ------------------------------------------------------------------------------------ little is read


def test_files_before_and_after_the_span_are_not_read(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "data")
    for name in (MONTH.name, DAYS[2].name):
        next((tmp_path / "data").rglob(f"symbol=BTCUSDT/**/{name}.parquet")).write_bytes(b"")
    reader = open_reader(tmp_path / "data", archive=ARCHIVE)
    found = reader.polars(kind="klines", symbol="BTCUSDT", start="2025-02-01", end="2025-02-03").collect()
    assert found.height == 48


def test_a_filter_and_a_choice_of_columns_reach_the_files(reader: DatasetReader) -> None:
    frame = reader.polars(kind="klines", symbol="BTCUSDT").filter(pl.col("open") > 50).select("open")
    plan = frame.explain()
    assert "Parquet SCAN" in plan
    assert "PROJECT 1/3 COLUMNS" in plan or "PROJECT 2/3 COLUMNS" in plan
    assert "SELECTION:" in plan


def test_a_query_of_duckdb_may_stand_in_another_one(reader: DatasetReader) -> None:
    query = reader.sql(kind="klines", symbol=["BTCUSDT", "ETHUSDT"], start="2025-01-10")
    assert "hive_partitioning=false" in query
    with duckdb.connect() as connection:
        found = connection.sql(f"SELECT symbol, count(*) FROM ({query}) GROUP BY ALL ORDER BY ALL").fetchall()
        relation = reader.duckdb(kind="klines", symbol="BTCUSDT", connection=connection)
        assert relation.aggregate("max(open) AS top, count(*) AS n").fetchall() == [(Decimal(100), EXPECTED.height)]
        nothing = reader.duckdb(kind="klines", symbol="BTCUSDT", start="2030-01-01", connection=connection)
        assert (nothing.columns, nothing.fetchall()) == (EXPECTED.columns, [])
    assert found == [("BTCUSDT", 22 * 24 - 1 + 72), ("ETHUSDT", 24)]


# ------------------------------------------------------------------------------------ what is not there


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ({"kind": "bars"}, "kind='bars' is not here; there is klines, trades"),
        ({"kind": "klines", "symbol": "XRPUSDT"}, "symbol='XRPUSDT' is not here; there is BTCUSDT, ETHUSDT"),
        ({"kind": "klines", "interval": "1m"}, "interval='1m' is not here; there is 1h"),
        ({"kind": "klines", "market": "futures"}, "market='futures' is not here; there is spot"),
        ({"kind": "klines", "start": "2025-02-30"}, "start='2025-02-30' is no date"),
        ({"kind": "klines", "start": "2025-02-02", "end": "2025-02-02"}, "is not before end='2025-02-02': swap"),
        ({"kind": "klines", "end": datetime(2025, 1, 1)}, "end="),
    ],
)
def test_what_is_not_there_is_told_with_what_is(reader: DatasetReader, what: dict[str, Any], told: str) -> None:
    with pytest.raises(ParameterError) as error:
        reader.polars(**what)
    assert told in str(error.value)
    assert str(error.value).startswith("history.open: ")


def test_several_where_one_was_meant_are_told(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path, archive=ARCHIVE)
    dataset.write(DAYS[0], whole(DAYS[0]))
    minutes = replace(DAYS[0], series=replace(BTC, interval="1m"))
    dataset.write(minutes, whole(minutes))
    reader = open_reader(tmp_path, archive=ARCHIVE)
    with pytest.raises(ParameterError, match="interval is needed, as there are klines of 1h, 1m"):
        reader.polars(kind="klines", symbol="BTCUSDT")
    assert reader.series == [BTC, replace(BTC, interval="1m")]
    with pytest.raises(ParameterError, match=r"index='time' is no column; there are open_time, open, trade_count"):
        reader.pandas(kind="klines", symbol="BTCUSDT", interval="1h", index="time")


def test_a_missing_file_is_told_before_anything_is_read(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "data")
    path = next((tmp_path / "data").rglob(f"symbol=BTCUSDT/**/{DAYS[1].name}.parquet"))
    path.unlink()
    with pytest.raises(DatasetError, match=r"02\.daily\.parquet is not there, though its record is; sync") as error:
        open_reader(tmp_path / "data", archive=ARCHIVE).polars(kind="klines", symbol="BTCUSDT")
    assert error.value.path == str(path)


@pytest.mark.parametrize(("name", "extra"), [("pandas", "frames"), ("pyarrow", "history"), ("duckdb", "")])
def test_what_is_not_installed_is_told(
    reader: DatasetReader, monkeypatch: pytest.MonkeyPatch, name: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    remedy = f"'binance-market-sdk[{extra}]'" if extra else name
    with pytest.raises(ConfigError) as error:
        {"pandas": reader.pandas, "pyarrow": reader.arrow, "duckdb": reader.duckdb}[name](kind="klines")
    assert str(error.value).endswith(f"pip install {remedy}")
