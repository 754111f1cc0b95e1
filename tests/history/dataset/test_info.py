"""What a dataset has is told by its manifest alone."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from binance_sdk.errors import DatasetError
from binance_sdk.history import Dataset, Remark, Series
from binance_sdk.history.dataset.info import info
from tests.history.dataset.made import ARCHIVE, IDS, bars, fetched, piece, trades, whole

HOURS = Series("spot", "klines", "BTCUSDT", "1h")
DAYS = [piece(f"2025-01-0{day}", f"2025-01-0{day + 1}", "archive_daily", HOURS) for day in range(1, 6)]


def test_it_tells_all_that_the_manifest_knows(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path, archive=ARCHIVE)
    for day in DAYS[:2]:
        dataset.write(day, replace(whole(day), remarks=(Remark("doubled_rows", 2, "2 rows stood twice"),)))
    rest = piece("2025-01-04", "2025-01-05", series=HOURS)
    dataset.write(rest, fetched(bars([rest.start])))
    dataset.note_absence(HOURS, DAYS[4].start, DAYS[4].end, "file_absent", "no file")
    ids = piece("2025-01-01", "2025-01-02", series=IDS)
    record = dataset.write(ids, fetched(trades(7, 100, ids.start)))
    for path in tmp_path.rglob("*.parquet"):
        path.unlink()
    found = info(tmp_path, archive=ARCHIVE)
    bars_, trades_ = found.series
    assert (found.url, found.facts, found.rows, len(found.series)) == (str(tmp_path), dataset.facts, 149, 2)
    assert (bars_.series, bars_.pieces, bars_.rows) == (HOURS, 3, 49)
    assert (bars_.start, bars_.end) == (DAYS[0].start, DAYS[4].end)
    assert (bars_.first_time, bars_.last_time, bars_.first_id) == (DAYS[0].start, rest.start, None)
    assert (bars_.sources, bars_.remarks) == ({"archive_daily": 2, "rest": 1}, {"doubled_rows": 4})
    assert [(hole.start, hole.missing, hole.reason) for hole in bars_.holes] == [
        (DAYS[2].start, 24, "not_fetched"),
        (DAYS[4].start, 24, "file_absent"),
    ]
    assert (bars_.downloaded, bars_.terms) == (3 * 1234, ("1.0",))
    assert (trades_.first_id, trades_.last_id, trades_.holes) == (7, 106, ())
    assert (trades_.bytes, trades_.written_at) == (record.size, record.written_at)
    assert found.bytes == sum(one.size for one in dataset.records())
    assert json.loads(json.dumps(asdict(found)))["facts"]["prices"] == "decimal"


def test_of_an_empty_dataset_and_of_none(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "a", archive=ARCHIVE)
    assert (info(dataset.url, archive=ARCHIVE).series, info(dataset.url, archive=ARCHIVE).rows) == ((), 0)
    with pytest.raises(DatasetError, match="is no dataset"):
        info(tmp_path, archive=ARCHIVE)
