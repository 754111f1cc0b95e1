"""``open``: a dataset read as whatever the reader likes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from binance_sdk._runtime.archive import Archive
from binance_sdk.errors import ParameterError
from binance_sdk.history.columns import polars_schema
from binance_sdk.history.dataset.dataset import Dataset
from binance_sdk.history.dataset.layout import parquet_path
from binance_sdk.history.dataset.libraries import library
from binance_sdk.history.dataset.parquet import key_of
from binance_sdk.history.dataset.reading.selection import Selected, Selection, select
from binance_sdk.history.dataset.reading.sql import to_sql
from binance_sdk.history.dataset.record import PieceRecord
from binance_sdk.history.moments import Moment
from binance_sdk.history.piece import Prices, Series

if TYPE_CHECKING:
    import pandas
    import polars as pl
    import pyarrow  # pyright: ignore[reportMissingTypeStubs]
    from duckdb import DuckDBPyConnection, DuckDBPyRelation


def open_reader(url: str | os.PathLike[str], *, archive: Archive | None = None) -> DatasetReader:
    """Open a dataset for reading. Nothing is locked: what a run writes meanwhile is there for the next question.

        history.open("data").polars(kind="klines", symbol="BTCUSDT", interval="1m", start="2025-01-01").collect()

    Args:
        url: The folder or URL of the dataset.
        archive: What the archive has, where that is not this version's own knowledge.

    Raises:
        DatasetError: There is no dataset, or a newer version of this library made it.
        ConfigError: polars is not installed, or what the URL needs.
    """
    return DatasetReader(Dataset.open(url, archive=archive))


class DatasetReader:
    """A dataset that is read.

    Every method takes the same words: ``kind`` as the archive calls it (``klines``, ``agg_trades``, ``funding_rate``),
    ``symbol`` (one, several, or None for all), and ``interval`` and ``market`` where the dataset has several; ``start``
    is the first moment and ``end`` the first one after: a date in UTC, an aware datetime, or milliseconds.

    Columns are called as the fields that REST answers; times are UTC in microseconds, decimals exact or floats as the
    dataset has them. With several symbols, or all, the first column is ``symbol``. Rows come by symbol, then by time or
    id. A row that two files have, as a killed run can leave it, is read once.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    @property
    def url(self) -> str:
        """Where the dataset is."""
        return self._dataset.url

    @property
    def prices(self) -> Prices:
        """Whether decimal columns are exact or floats."""
        return self._dataset.prices

    @property
    def series(self) -> list[Series]:
        """What there is, by market, kind, symbol and interval."""
        return self._dataset.series()

    def polars(
        self,
        *,
        kind: str,
        symbol: str | Iterable[str] | None = None,
        interval: str | None = None,
        market: str | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> pl.LazyFrame:
        """A lazy frame of polars: what is asked of it decides what is read.

        Stores that polars does not know by itself (all but folders, S3 and GCS) are read into memory at once.

        Raises:
            ParameterError: The dataset has no such series, or several where one was meant.
            DatasetError: A file that its manifest names is not there.
        """
        return self._lazy(self._select(kind, symbol, interval, market, start, end))

    def pandas(
        self,
        *,
        kind: str,
        symbol: str | Iterable[str] | None = None,
        interval: str | None = None,
        market: str | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        index: str | None = None,
    ) -> pandas.DataFrame:
        """A frame of pandas, in memory; exact prices are ``decimal.Decimal``.

        Args:
            kind: As the archive calls it, e.g. ``klines``.
            symbol: One, several, or None for all.
            interval: Needed where the dataset has several of the kind.
            market: Needed where several in the dataset have the kind.
            start: First moment wanted: a date in UTC, an aware datetime, or milliseconds; None for all before ``end``.
            end: First moment not wanted any more, likewise; None for all from ``start`` on.
            index: The column that becomes the index, e.g. ``open_time``; None numbers the rows.

        Raises:
            ParameterError: The dataset has no such series, or several where one was meant, or no such column.
            DatasetError: A file that its manifest names is not there.
            ConfigError: pandas or pyarrow is not installed.
        """
        for name, extra in (("pandas", "frames"), ("pyarrow", "history")):
            library(name, extra)
        found = self._lazy(self._select(kind, symbol, interval, market, start, end)).collect()
        if index is not None and index not in found.columns:
            raise ParameterError(f"history.open: index={index!r} is no column; there are {', '.join(found.columns)}")
        frame = found.to_pandas()
        return frame if index is None else frame.set_index(index)

    def arrow(  # pyright: ignore[reportUnknownParameterType]
        self,
        *,
        kind: str,
        symbol: str | Iterable[str] | None = None,
        interval: str | None = None,
        market: str | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> pyarrow.Table:
        """A table of Arrow, in memory.

        Raises:
            ParameterError: The dataset has no such series, or several where one was meant.
            DatasetError: A file that its manifest names is not there.
            ConfigError: pyarrow is not installed.
        """
        library("pyarrow")
        found = self._lazy(self._select(kind, symbol, interval, market, start, end)).collect()
        return found.to_arrow()  # pyright: ignore[reportUnknownVariableType]

    def sql(
        self,
        *,
        kind: str,
        symbol: str | Iterable[str] | None = None,
        interval: str | None = None,
        market: str | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> str:
        """A query for DuckDB over the files, to be a part of others: ``f"FROM ({reader.sql(...)}) SELECT ..."``.

        Files of an object store are read by DuckDB's own extensions; ``duckdb`` needs none.

        Raises:
            ParameterError: The dataset has no such series, or several where one was meant.
            DatasetError: A file that its manifest names is not there.
        """
        found = self._select(kind, symbol, interval, market, start, end)
        return to_sql(found, self._dataset.storage.location)

    def duckdb(
        self,
        *,
        kind: str,
        symbol: str | Iterable[str] | None = None,
        interval: str | None = None,
        market: str | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        connection: DuckDBPyConnection | None = None,
    ) -> DuckDBPyRelation:
        """A relation of DuckDB: ``bars = reader.duckdb(...)``, then ``duckdb.sql("SELECT max(high) FROM bars")``.

        DuckDB reads the files of a folder by itself, as far as a query asks for them; those of an object store are read
        into memory first.

        Args:
            kind: As the archive calls it, e.g. ``klines``.
            symbol: One, several, or None for all.
            interval: Needed where the dataset has several of the kind.
            market: Needed where several in the dataset have the kind.
            start: First moment wanted: a date in UTC, an aware datetime, or milliseconds; None for all before ``end``.
            end: First moment not wanted any more, likewise; None for all from ``start`` on.
            connection: Where the relation lives; by default where ``duckdb.sql`` does.

        Raises:
            ParameterError: The dataset has no such series, or several where one was meant.
            DatasetError: A file that its manifest names is not there.
            ConfigError: duckdb is not installed.
        """
        duckdb: Any = connection if connection is not None else library("duckdb", "")
        found = self._select(kind, symbol, interval, market, start, end)
        if self._dataset.storage.local:
            return cast("DuckDBPyRelation", duckdb.sql(to_sql(found, self._dataset.storage.location)))
        return cast("DuckDBPyRelation", duckdb.from_arrow(self._lazy(found).collect().to_arrow()))

    def rows(
        self,
        *,
        kind: str,
        symbol: str,
        interval: str | None = None,
        market: str | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> Iterator[Any]:
        """The rows that REST answers for such a kind, one after the other: ``Kline``, ``AggTrade`` and so on.

        Numbers are those of the exchange; of their text, zeros at the end may be more or fewer. Times are milliseconds;
        what archive files have below that is dropped. From a dataset of floats come the shortest numbers that are those
        floats, which are the exchange's own up to 15 digits. Files are read one at a time.

        Raises:
            ParameterError: The dataset has no such series, or REST answers no such rows.
            DatasetError: A file that its manifest names is not there, or has what REST would not answer.
        """
        from binance_sdk.history.dataset.reading.rest_rows import RestRows

        found = self._select(kind, symbol, interval, market, start, end)
        (selected,) = found.series
        maker = RestRows(found.kind, selected.series)
        return (row for group in selected.groups for row in maker.of(self._group(found, group).collect()))

    # ------------------------------------------------------------------------------------ parts

    def _select(
        self,
        kind: str,
        symbol: str | Iterable[str] | None,
        interval: str | None,
        market: str | None,
        start: Moment | None,
        end: Moment | None,
    ) -> Selection:
        return select(self._dataset, kind=kind, symbol=symbol, interval=interval, market=market, start=start, end=end)

    def _lazy(self, selection: Selection) -> pl.LazyFrame:
        import polars as pl

        parts = [part for selected in selection.series for part in self._parts(selection, selected)]
        return pl.concat(parts) if parts else self._nothing(selection)

    def _nothing(self, selection: Selection) -> pl.LazyFrame:
        import polars as pl

        schema = dict(polars_schema(selection.kind, self.prices))
        return pl.LazyFrame(schema={"symbol": pl.String(), **schema} if selection.several else schema)

    def _parts(self, selection: Selection, selected: Selected) -> Iterator[pl.LazyFrame]:
        import polars as pl

        waiting: list[PieceRecord] = []
        parts: list[pl.LazyFrame] = []
        for group in selected.groups:
            if len(group) == 1:
                waiting.append(group[0])
                continue
            parts += [self._scan(selection, waiting)] if waiting else []
            parts.append(self._group(selection, group))
            waiting = []
        parts += [self._scan(selection, waiting)] if waiting else []
        for part in parts:
            yield part.select(pl.lit(selected.series.symbol).alias("symbol"), pl.all()) if selection.several else part

    def _group(self, selection: Selection, group: Sequence[PieceRecord]) -> pl.LazyFrame:
        """Pieces that overlap: of rows that several have, those of the one that goes first."""
        import polars as pl

        if len(group) == 1:
            return self._scan(selection, group)
        key = key_of(selection.kind)
        parts = [self._scan(selection, [record]) for record in group]
        return pl.concat(parts).unique(key, keep="first", maintain_order=True).sort(key)

    def _scan(self, selection: Selection, records: Sequence[PieceRecord]) -> pl.LazyFrame:
        import polars as pl

        storage = self._dataset.storage
        paths = [parquet_path(record.piece) for record in records]
        if storage.native:
            frame = pl.scan_parquet([storage.location(path) for path in paths], hive_partitioning=False)
        else:
            system, root = storage.file_system()
            files = [f"{root}/{path}" for path in paths]
            arrow = library("pyarrow.dataset").dataset(files, filesystem=system, format="parquet")
            # Not left to polars: not all versions of it can ask Arrow for a span.
            frame = pl.DataFrame(pl.from_arrow(self._between(selection, arrow).to_table())).lazy()
        time = pl.col(selection.kind.time)
        zone = pl.Datetime("us", "UTC")
        if selection.start is not None:
            frame = frame.filter(time >= pl.lit(selection.start * 1000).cast(zone))
        if selection.end is not None:
            frame = frame.filter(time < pl.lit(selection.end * 1000).cast(zone))
        return frame

    def _between(self, selection: Selection, arrow: Any) -> Any:
        """A dataset of Arrow, of which only those rows are read that lie in the span."""
        field = library("pyarrow.compute").field(selection.kind.time)
        pa = library("pyarrow")
        zone = pa.timestamp("us", "UTC")
        if selection.start is not None:
            arrow = arrow.filter(field >= pa.scalar(selection.start * 1000, zone))
        if selection.end is not None:
            arrow = arrow.filter(field < pa.scalar(selection.end * 1000, zone))
        return arrow
