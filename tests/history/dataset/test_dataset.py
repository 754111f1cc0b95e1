"""A dataset is made, opened and written; what is wrong with it is told with path and remedy."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from binance_sdk import history
from binance_sdk.errors import ConfigError, DatasetError, ParameterError
from binance_sdk.history import Dataset, Remark, Series
from binance_sdk.history.dataset.parquet import ROW_GROUP, to_parquet
from tests.history.dataset.made import (
    ARCHIVE,
    BANDS,
    IDS,
    MINUTE,
    bars,
    fetched,
    piece,
    trades,
    whole,
)

FIRST = piece("2025-01-01", "2025-01-02", "archive_daily")
SECOND = piece("2025-01-02", "2025-01-03", "archive_daily")


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path / "data", archive=ARCHIVE)


# ------------------------------------------------------------------------------------ making and opening


def test_what_was_made_is_opened_as_it_was_made(tmp_path: Path) -> None:
    made = Dataset.create(tmp_path / "new" / "data", prices="float", archive=ARCHIVE)
    opened = Dataset.open(str(tmp_path / "new" / "data"), archive=ARCHIVE)
    assert opened.facts == made.facts
    assert (opened.prices, opened.facts.terms, opened.records()) == ("float", "1.0", [])
    again = Dataset.create(f"file://{tmp_path}/new/data", prices="float", exist_ok=True, archive=ARCHIVE)
    assert (again.url, again.facts) == (made.url, made.facts)


@pytest.mark.parametrize(
    ("there", "prices", "told"),
    [
        ({"a.csv": b"1"}, "decimal", "has other files, e.g. a.csv"),
        ({"_manifest/dataset.json": b"{"}, "decimal", "cannot be read (as a whole: Invalid JSON"),
        ({"_manifest/dataset.json": b'{"format": 1}'}, "decimal", "cannot be read (prices: Field required); put back"),
        (
            {"_manifest/dataset.json": b'{"format":9,"prices":"decimal","terms":"2","sdk_version":"7.1"}'},
            "decimal",
            "is of format 9, written by version 7.1; this version reads up to 1: install a newer one",
        ),
        (
            {"_manifest/dataset.json": b'{"format":1,"prices":"decimal","terms":"1.0","sdk_version":"0"}'},
            "float",
            "has prices as decimal, not float; choose another folder",
        ),
    ],
)
def test_a_folder_that_cannot_be_it_is_told(tmp_path: Path, there: dict[str, bytes], prices: str, told: str) -> None:
    for name, data in there.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    with pytest.raises(DatasetError) as error:
        Dataset.create(tmp_path, prices=prices, exist_ok=True, archive=ARCHIVE)  # type: ignore[arg-type]
    assert told in str(error.value)
    assert error.value.path.startswith(str(tmp_path))
    assert files(tmp_path) == there


def test_a_dataset_is_not_made_over_another_one_nor_opened_where_there_is_none(tmp_path: Path) -> None:
    Dataset.create(tmp_path / "a", archive=ARCHIVE)
    with pytest.raises(DatasetError, match="is a dataset already; open it"):
        Dataset.create(tmp_path / "a", archive=ARCHIVE)
    for nothing in (tmp_path / "b", tmp_path):
        with pytest.raises(DatasetError, match=r"is no dataset: it has no _manifest/dataset\.json"):
            Dataset.open(nothing, archive=ARCHIVE)
    with pytest.raises(ParameterError, match="prices='Decimal'"):
        Dataset.create(tmp_path / "c", prices="Decimal", archive=ARCHIVE)  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match="this one is empty"):
        Dataset.open("", archive=ARCHIVE)


# ------------------------------------------------------------------------------------ writing


def test_a_piece_lies_where_programs_look_for_it(dataset: Dataset) -> None:
    record = dataset.write(FIRST, whole(FIRST))
    monthly = replace(piece("2025-01-01", "2025-02-01", "archive_monthly"), series=replace(FIRST.series, interval="1M"))
    dataset.write(monthly, fetched(bars([monthly.start])))
    ids = piece("2025-01-01", "2025-01-02", series=Series("spot", "trades", "币安/USDT"))
    dataset.write(ids, fetched(trades(5, 10, ids.start)))
    day = "market=spot/kind=klines/symbol=BTCUSDT/interval=1m/month=2025-01/2025-01-01.daily"
    symbol = "market=spot/kind=trades/symbol=%E5%B8%81%E5%AE%89%2FUSDT"
    odd = f"{symbol}/month=2025-01/2025-01-01T000000-2025-01-02T000000.rest"
    month = "market=spot/kind=klines/symbol=BTCUSDT/interval=1mo/month=2025-01/2025-01.monthly"
    rows = (f"{name}.parquet" for name in (day, odd, month))
    records = (f"_manifest/{name}.json" for name in (day, odd, month))
    assert sorted(files(Path(dataset.url))) == sorted(["_manifest/dataset.json", *rows, *records])
    assert dataset.records(FIRST.series) == [record]
    assert [found.piece for found in dataset.records()] == sorted([FIRST, monthly, ids])
    assert dataset.records(IDS) == []


def test_a_record_says_what_there_is_and_where_it_came_from(dataset: Dataset) -> None:
    remark = Remark("doubled_rows", 2, "2 rows stood twice")
    ids = piece("2025-01-01", "2025-01-02", series=IDS)
    came = fetched(trades(7, 10, ids.start, step=1500), remark)
    record = dataset.write(ids, came)
    data = files(Path(dataset.url))[next(name for name in files(Path(dataset.url)) if name.endswith(".parquet"))]
    assert (record.rows, record.superseded, record.first_id, record.last_id) == (10, 0, 7, 16)
    assert (record.first_time, record.last_time) == (ids.start, ids.start + 9 * 1500)
    assert (record.sha256, record.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert (record.origin, record.remarks, record.terms) == (came.origin, (remark,), "1.0")
    assert Dataset.open(dataset.url, archive=ARCHIVE).record(ids) == record
    assert dataset.read(record).equals(came.frame)
    nothing = dataset.write(SECOND, fetched(bars([])))
    assert (nothing.rows, nothing.first_time, nothing.last_time, nothing.first_id) == (0, None, None, None)
    assert dataset.read(nothing).schema == bars([]).schema


def test_a_piece_written_again_takes_the_place_of_the_old_one(dataset: Dataset) -> None:
    dataset.write(FIRST, whole(FIRST))
    newer = dataset.write(FIRST, whole(FIRST, price="101"))
    assert dataset.records() == [newer]
    assert dataset.read(newer)["open"].unique().to_list() == [101]
    assert [name for name in files(Path(dataset.url)) if "/." in name] == []
    dataset.remove(newer)
    assert (dataset.records(), list(files(Path(dataset.url)))) == ([], ["_manifest/dataset.json"])
    dataset.remove(newer)


def test_floats_are_floats(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path, prices="float", archive=ARCHIVE)
    record = dataset.write(FIRST, fetched(bars([FIRST.start], price="1.25", prices="float")))
    assert dataset.read(record)["open"].to_list() == [1.25]
    with pytest.raises(DatasetError, match=r"columns: open is Decimal\(.*\), not Float64"):
        dataset.write(SECOND, whole(SECOND))


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (
            bars([FIRST.start, FIRST.start]),
            "1 rows do not come after the row before them by their key, e.g. {'open_time'",
        ),
        (bars([FIRST.start + MINUTE, FIRST.start]), "1 rows do not come after"),
        (bars([FIRST.start - 1]), "1 rows are of another time, e.g. 2024-12-31 23:59:59.999"),
        (bars([FIRST.end]), "1 rows are of another time, e.g. 2025-01-02"),
        (bars([FIRST.start]).with_columns(open=pl.lit(None).cast(pl.Decimal(38, 8))), "1 cells of open are blank"),
        (bars([]).drop("open"), "columns: open is absent, not Decimal"),
        (bars([]).with_columns(more=1), "columns: more is Int32, not wanted"),
        (bars([]).select("open", "open_time", "trade_count"), "columns: their order is another one"),
    ],
)
def test_rows_that_are_not_of_the_piece_are_refused(dataset: Dataset, frame: pl.DataFrame, told: str) -> None:
    with pytest.raises(DatasetError) as error:
        dataset.write(FIRST, fetched(frame))
    assert f"spot klines BTCUSDT 1m 2025-01-01.daily: what was fetched does not fit: {told}" in str(error.value)
    assert list(files(Path(dataset.url))) == ["_manifest/dataset.json"]


def test_rows_are_told_apart_by_all_of_their_key(dataset: Dataset) -> None:
    a_piece = piece("2025-01-01", "2025-01-02", series=Series("spot", BANDS.name, "BTCUSDT"))
    frame = pl.DataFrame({"t": [1, 1, 2], "percentage": ["-5", "5", "-5"], "depth": ["1"] * 3}).select(
        pl.lit(a_piece.start * 1000)
        .add(pl.col("t"))
        .cast(pl.Datetime("us"))
        .dt.replace_time_zone("UTC")
        .alias("timestamp"),
        pl.col("percentage", "depth").cast(pl.Decimal(38, 8)),
    )
    assert dataset.write(a_piece, fetched(frame)).rows == 3
    for wrong in (frame[[1, 0, 2]], frame[[0, 0, 2]], frame[[2, 0, 1]]):
        with pytest.raises(DatasetError, match="1 rows do not come after"):
            dataset.write(a_piece, fetched(wrong))


def test_a_kind_that_is_not_known_is_refused(dataset: Dataset) -> None:
    with pytest.raises(ParameterError, match="kind='bars': spot has book_depth, klines,"):
        dataset.write(replace(FIRST, series=Series("spot", "bars", "BTCUSDT")), whole(FIRST))


# ------------------------------------------------------------------------------------ reading what is broken


def test_a_missing_and_a_broken_file_are_told(dataset: Dataset) -> None:
    record = dataset.write(FIRST, whole(FIRST))
    path = next(Path(dataset.url).rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DatasetError, match=r"2025-01-01\.daily\.parquet cannot be read: .*remove it and sweep"):
        dataset.read(record)
    path.unlink()
    with pytest.raises(DatasetError, match="is not there, though its record is; sweep the dataset") as error:
        dataset.read(record)
    assert error.value.path == str(path)
    assert len(dataset.sweep()) == 1
    assert dataset.records() == []


def test_a_broken_record_is_told_and_is_no_loss(dataset: Dataset) -> None:
    dataset.write(FIRST, whole(FIRST))
    path = next(path for path in Path(dataset.url).rglob("*.json") if path.name != "dataset.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"rows": "many"}))
    with pytest.raises(
        DatasetError, match=r"daily\.json cannot be read \(rows: Input .*\); remove it, and the next run"
    ):
        dataset.records()
    path.unlink()
    assert [line.partition(": ")[2] for line in dataset.sweep()] == ["removed, as there is no record of it"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_disk_is_told_and_nothing_is_lost(dataset: Dataset, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    dataset.write(FIRST, whole(FIRST))
    before = files(Path(dataset.url))

    def refuse(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        with pytest.raises(DatasetError) as error:
            dataset.write(SECOND, whole(SECOND))
    assert f"cannot be written: {os.strerror(code)}; make room there or choose another folder" in str(error.value)
    assert error.value.path.endswith("2025-01-02.daily.parquet")
    assert files(Path(dataset.url)) == before
    assert dataset.write(SECOND, whole(SECOND)).rows == 1440


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (None, "a dataset needs a folder or a URL, e.g. 'data/'; this one is None"),
        (5, "this one is 5"),
        (b"data", "this one is b'data'"),
        ("", "this one is empty"),
        ("da\0ta", r"'da\x00ta' has a character that no name may have"),
    ],
)
def test_what_names_no_place_is_told(url: Any, told: str) -> None:
    for opens in (Dataset.create, Dataset.open, history.open, history.info, history.check, history.sync):
        with pytest.raises(DatasetError) as error:
            opens(url)
        assert told in str(error.value)


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(DatasetError, match="cannot be listed: Not a directory; a file is in its way: choose"):
        Dataset.create(tmp_path / "data", archive=ARCHIVE)
    with pytest.raises(DatasetError, match="a file is in its way: choose a folder"):
        Dataset.create(tmp_path / "data" / "below", archive=ARCHIVE)


# ------------------------------------------------------------------------------------ bytes

MAKE = """
import hashlib, polars as pl, sys
from binance_sdk.history.dataset.parquet import to_parquet
from tests.history.dataset.made import bars, trades
for frame in (bars(range(0, 140_000 * 60_000, 60_000)), trades(1, 1000, 0)):
    if sys.argv[1] == "parts":
        frame = pl.concat([frame[:77], frame[77:5000], frame[5000:]], rechunk=False)
    print(hashlib.sha256(to_parquet(frame)).hexdigest())
"""


def test_the_bytes_of_a_file_depend_on_its_rows_alone() -> None:
    """Two processes with other numbers of threads, and frames that were put together in other ways."""
    made = [
        subprocess.run(
            [sys.executable, "-c", MAKE, how],
            env={**os.environ, "POLARS_MAX_THREADS": threads, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for how, threads in (("parts", "1"), ("one", "4"))
    ]
    assert made[0] == made[1]
    assert len(set(made[0].split())) == 2
    # A rest of less than a group may stand with the group before it: that depends on the version of polars.
    data = to_parquet(bars(range(0, 2 * ROW_GROUP * MINUTE, MINUTE)))
    assert pq.ParquetFile(io.BytesIO(data)).metadata.num_row_groups == 2


# ------------------------------------------------------------------------------------ what nobody has


def test_what_was_asked_in_vain_is_kept_in_mind(dataset: Dataset) -> None:
    dataset.note_absence(FIRST.series, FIRST.start, FIRST.end, "file_absent", "the archive lacks the file")
    dataset.note_absence(IDS, SECOND.start, SECOND.end, "out_of_reach", "REST reaches back one day")
    dataset.note_absence(FIRST.series, FIRST.start, FIRST.end, "out_of_reach", "and now REST, too")
    (found,) = dataset.absences(FIRST.series)
    assert (found.start, found.end, found.reason, found.text) == (
        FIRST.start,
        FIRST.end,
        "out_of_reach",
        "and now REST, too",
    )
    assert [absence.series for absence in dataset.absences()] == [FIRST.series, IDS]
    assert dataset.records() == []
    assert dataset.sweep() == []
    path = next(Path(dataset.url).rglob("absences/**/*.json"))
    path.write_text("{}")
    with pytest.raises(DatasetError, match="remove it, and only the reason of a hole is lost"):
        dataset.absences()


def test_a_sweep_leaves_the_claim_of_its_own_run(dataset: Dataset) -> None:
    with dataset.lock():
        waiting = Path(dataset.url, "_manifest/claims/.a.json.b.tmp")
        waiting.write_text("")
        Path(dataset.url, "market=spot").mkdir()
        Path(dataset.url, "market=spot/.a.parquet.b.tmp").write_text("")
        assert [line.partition(":")[0] for line in dataset.sweep()] == ["market=spot/.a.parquet.b.tmp"]
        assert waiting.exists()
        waiting.unlink()


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ConfigError, match=r"this needs polars, .*: pip install 'binance-market-sdk\[history\]'"):
        Dataset.create(tmp_path / "data", archive=ARCHIVE)
    assert list(tmp_path.iterdir()) == []
