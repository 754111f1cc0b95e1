"""The columns of a kind as polars has them, the same from every source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from binance_sdk._runtime.archive import ArchiveKind
from binance_sdk.history.piece import Prices

if TYPE_CHECKING:
    import polars as pl


def polars_schema(kind: ArchiveKind, prices: Prices) -> pl.Schema:
    """Names and types of the columns of a kind.

    Times are UTC in microseconds, which is what the archive has of spot since 2025; counts and ids are 64 bits wide.

    Args:
        kind: The kind.
        prices: Whether decimal columns are exact or floats.
    """
    import polars as pl

    def decimal(scale: int) -> pl.DataType:
        return pl.Float64() if prices == "float" else pl.Decimal(38, scale)

    time = pl.Datetime("us", "UTC")
    types: dict[str, pl.DataType] = {"time": time, "text_time": time, "bool": pl.Boolean(), "string": pl.String()}
    return pl.Schema(
        {
            column.name: decimal(column.scale) if column.type == "decimal" else types.get(column.type or "", pl.Int64())
            for column in kind.kept
        }
    )
