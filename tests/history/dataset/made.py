"""Pieces of history that were made, not fetched, and an archive that has such kinds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl

from binance_sdk._runtime.archive import Archive, ArchiveColumn, ArchiveKind, ArchiveTerms, ColumnType
from binance_sdk.history import Fetched, Origin, Piece, Prices, Remark, Series, Source
from binance_sdk.history.columns import polars_schema

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def _kind(
    name: str,
    columns: dict[str, ColumnType],
    key: tuple[str, ...],
    time: str,
    *,
    intervals: tuple[str, ...] = (),
    cadence: int | None = None,
    sequence: str | None = None,
    nullable: tuple[str, ...] = (),
) -> ArchiveKind:
    return ArchiveKind(
        market="spot",
        name=name,
        folder=name,
        description=name,
        periods=("daily", "monthly"),
        intervals={"daily": intervals, "monthly": intervals} if intervals else {},
        symbol="symbol",
        columns=tuple(
            ArchiveColumn(name=column, wire=column, type=type_, nullable=column in nullable)
            for column, type_ in columns.items()
        ),
        key=key,
        time=time,
        cadence=cadence,
        sequence=sequence,
    )


BARS = _kind(
    "klines",
    {"open_time": "time", "open": "decimal", "trade_count": "int"},
    ("open_time",),
    "open_time",
    intervals=("1m", "1h", "1M"),
)
TRADES = _kind(
    "trades",
    {"id": "id", "price": "decimal", "time": "time", "is_buyer_maker": "bool"},
    ("id",),
    "time",
    sequence="id",
)
METRICS = _kind(
    "metrics",
    {"create_time": "text_time", "sum_open_interest": "decimal", "ratio": "decimal"},
    ("create_time",),
    "create_time",
    cadence=5 * MINUTE,
    nullable=("ratio",),
)
BANDS = _kind(
    "book_depth",
    {"timestamp": "text_time", "percentage": "decimal", "depth": "decimal"},
    ("timestamp", "percentage"),
    "timestamp",
)
SNAPSHOTS = _kind("liquidation_snapshot", {"time": "time", "side": "string", "price": "decimal"}, (), "time")

ARCHIVE = Archive(
    url="http://archive.invalid",
    listing_url="http://listing.invalid",
    folders={"spot": "spot"},
    spellings={"1M": "1mo"},
    terms=ArchiveTerms("Terms", "1.0", date(2026, 8, 26), "CC BY-NC-SA 4.0", "by agreement", "http://terms.invalid"),
    kinds={(kind.market, kind.name): kind for kind in (BARS, TRADES, METRICS, BANDS, SNAPSHOTS)},
)

MINUTES = Series("spot", "klines", "BTCUSDT", "1m")
IDS = Series("spot", "trades", "BTCUSDT")


def at(text: str) -> int:
    """A moment such as ``2025-01-02`` or ``2025-01-02T03:04``, UTC, in milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def piece(start: str, end: str, source: Source = "rest", series: Series = MINUTES) -> Piece:
    return Piece(series, at(start), at(end), source)


def bars(
    times: Iterable[int], *, price: str = "100", prices: Prices = "decimal", kind: ArchiveKind = BARS
) -> pl.DataFrame:
    """Bars that open at these milliseconds."""
    moments = [moment * 1000 for moment in times]
    return pl.DataFrame(
        {
            "open_time": moments,
            "open": [Decimal(price)] * len(moments),
            "trade_count": [moment // 60_000_000 % 1000 for moment in moments],
        },
        schema_overrides={"open_time": pl.Int64},
    ).select(
        pl.col(name).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        if name == "open_time"
        else pl.col(name).cast(type_)
        for name, type_ in polars_schema(kind, prices).items()
    )


def trades(first_id: int, count: int, start: int, *, step: int = 1000, without: Iterable[int] = ()) -> pl.DataFrame:
    """Trades with ids in order, one each ``step`` milliseconds."""
    missing = set(without)
    ids = [id_ for id_ in range(first_id, first_id + count) if id_ not in missing]
    return pl.DataFrame(
        {
            "id": ids,
            "price": [Decimal(100 + id_ % 7) for id_ in ids],
            "time": [(start + (id_ - first_id) * step) * 1000 for id_ in ids],
            "is_buyer_maker": [id_ % 2 == 0 for id_ in ids],
        },
        schema={"id": pl.Int64, "price": pl.Decimal(38, 8), "time": pl.Int64, "is_buyer_maker": pl.Boolean},
    ).with_columns(pl.col("time").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))


def fetched(frame: pl.DataFrame, *remarks: Remark, url: str = "http://archive.invalid/a.zip") -> Fetched:
    return Fetched(frame, Origin((url,), "ab" * 32, 1234), tuple(remarks))


def whole(a_piece: Piece, *, price: str = "100", without: Iterable[int] = ()) -> Fetched:
    """What a piece of bars has when nothing is missing but ``without``."""
    missing = set(without)
    step = {"1m": MINUTE, "1h": HOUR}[a_piece.series.interval]
    return fetched(bars((t for t in range(a_piece.start, a_piece.end, step) if t not in missing), price=price))
