"""Rows of a dataset are those that REST answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from binance_sdk.catalogue import ARCHIVE, CATALOGUE, fixture
from binance_sdk.errors import DatasetError, HistoryError, ParameterError
from binance_sdk.futures import FundingRate
from binance_sdk.history import Dataset, Piece, Prices, Series
from binance_sdk.history.columns import polars_schema
from binance_sdk.history.dataset.parquet import to_parquet
from binance_sdk.history.dataset.reading.reader import open_reader
from binance_sdk.history.rest.frames import frame_of_rows
from binance_sdk.spot import AggTrade, Kline
from tests.history.dataset.made import DAY, fetched

KINDS = [kind for kind in ARCHIVE.kinds.values() if len(kind.rest) == 1]


def answered(kind: Any) -> list[Any]:
    """The rows of the example answer of the endpoint of a kind, each once and in order."""
    operation = CATALOGUE[kind.market].operations[kind.rest[0].operation]
    rows = operation.variants[0].adapter.validate_json(fixture(kind.market, operation.name))
    by_key = {tuple(getattr(row, kind.rest[0].columns[name]) for name in kind.key): row for row in rows}
    return [by_key[key] for key in sorted(by_key)]


def kept(kind: Any, folder: Path, prices: Prices) -> tuple[Dataset, Series]:
    rows = answered(kind)
    frame = frame_of_rows(kind, kind.rest[0], rows, prices)
    for name, type_ in polars_schema(kind, prices).items():
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(None).cast(type_).alias(name))
    frame = frame.select(list(polars_schema(kind, prices)))
    symbol = getattr(rows[0], "symbol", None) or "BTCUSDT"
    series = Series(kind.market, kind.name, symbol, "1m" if kind.intervals else "")
    dataset = Dataset.create(folder, prices=prices)
    months = frame[kind.time].dt.truncate("1mo").dt.timestamp("ms")
    for month in sorted(set(months)):
        dataset.write(Piece(series, month, month + 31 * DAY, "archive_monthly"), fetched(frame.filter(months == month)))
    return dataset, series


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.market}.{kind.name}")
@pytest.mark.parametrize("prices", ["decimal", "float"])
def test_rows_are_those_of_the_endpoint(kind: Any, prices: Prices, tmp_path: Path) -> None:
    dataset, series = kept(kind, tmp_path / "data", prices)
    found = list(open_reader(dataset.url).rows(kind=kind.name, symbol=series.symbol))
    expected = answered(kind)
    assert [type(row) for row in found] == [type(row) for row in expected]
    fields = kind.rest[0].columns.values()
    assert [[getattr(row, name) for name in fields] for row in found] == [
        [getattr(row, name) for name in fields] for row in expected
    ]


@pytest.mark.parametrize(
    ("prices", "text", "told"),
    [
        ("float", "1" + "0" * 400, r"^open has a number that no float can hold; take prices='decimal', and report it$"),
        (
            "decimal",
            "0.1234567891",
            r"^open 0\.1234567891 has more than the 8 digits .* take prices='float'",
        ),
    ],
)
def test_a_number_that_a_column_cannot_hold_is_told(prices: Prices, text: str, told: str) -> None:
    kind = ARCHIVE.kinds["spot", "klines"]
    first, *others = answered(kind)
    row = Kline.from_wire([first[0], text, *first[2:]])
    with pytest.raises(HistoryError, match=told):
        frame_of_rows(kind, kind.rest[0], [row, *others], prices)


def test_types_and_what_no_file_has(tmp_path: Path) -> None:
    dataset, _ = kept(ARCHIVE.kinds["spot", "klines"], tmp_path / "bars", "decimal")
    first = next(iter(open_reader(dataset.url).rows(kind="klines", symbol="BTCUSDT")))
    assert isinstance(first, Kline)
    assert tuple(first) == tuple(answered(ARCHIVE.kinds["spot", "klines"])[0])
    dataset, _ = kept(ARCHIVE.kinds["spot", "agg_trades"], tmp_path / "trades", "decimal")
    assert isinstance(next(iter(open_reader(dataset.url).rows(kind="agg_trades", symbol="BTCUSDT"))), AggTrade)
    dataset, series = kept(ARCHIVE.kinds["futures", "funding_rate"], tmp_path / "funding", "decimal")
    funding = next(iter(open_reader(dataset.url).rows(kind="funding_rate", symbol=series.symbol)))
    assert isinstance(funding, FundingRate)
    assert (funding.symbol, funding.mark_price, funding.rate_type) == (series.symbol, None, None)


def test_kinds_that_no_endpoint_answers_are_frames_only(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path)
    for name, told in (
        ("metrics", "5 endpoints answer parts of metrics"),
        ("book_depth", "no endpoint answers book_depth"),
    ):
        kind = ARCHIVE.kinds["futures", name]
        piece = Piece(Series("futures", name, "BTCUSDT"), 0, DAY, "archive_daily")
        dataset.write(piece, fetched(pl.DataFrame(schema=polars_schema(kind, "decimal"))))
        with pytest.raises(ParameterError, match=told):
            open_reader(tmp_path).rows(kind=name, symbol="BTCUSDT")


def test_a_cell_that_rest_would_not_answer_is_told(tmp_path: Path) -> None:
    dataset, series = kept(ARCHIVE.kinds["spot", "agg_trades"], tmp_path, "decimal")
    record = dataset.records()[0]
    frame = dataset.read(record).with_columns(pl.lit(None).cast(pl.Decimal(38, 8)).alias("price"))
    next(tmp_path.rglob("*.parquet")).write_bytes(to_parquet(frame))
    with pytest.raises(DatasetError, match=r"BTCUSDT agg_trades: .*; read it as a frame"):
        list(open_reader(tmp_path).rows(kind="agg_trades", symbol=series.symbol))
