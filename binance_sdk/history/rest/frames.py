"""Rows of answers as the columns of a kind, with few Python objects in between."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from binance_sdk._runtime.answers.row import Row
from binance_sdk._runtime.archive import ArchiveColumn, ArchiveKind, RestTwin
from binance_sdk.errors import HistoryError
from binance_sdk.history.columns import polars_schema
from binance_sdk.history.piece import Prices

if TYPE_CHECKING:
    import polars as pl


def frame_of_rows(kind: ArchiveKind, twin: RestTwin, rows: Sequence[object], prices: Prices) -> pl.DataFrame:
    """The columns of a kind that an endpoint answers, from the rows of one page.

    Args:
        kind: The kind of data.
        twin: The endpoint.
        rows: What it answered: positional rows or models.
        prices: Whether decimal columns are exact or floats.

    Raises:
        HistoryError: a number has more digits than an exact column keeps, or is beyond what a float can hold.
    """
    import polars as pl

    schema = polars_schema(kind, prices)
    columns = [column for column in kind.kept if column.name in twin.columns]
    if not rows:
        return pl.DataFrame(schema={column.name: schema[column.name] for column in columns})
    attributes = [twin.columns[column.name] for column in columns]
    cells = _of_tuples(rows, attributes) if isinstance(rows[0], Row) else _of_models(rows, attributes)
    shift = twin.shift
    return pl.DataFrame(
        [_series(column, values, schema[column.name], shift) for column, values in zip(columns, cells, strict=True)]
    )


def _of_tuples(rows: Sequence[Any], attributes: Sequence[str]) -> list[Sequence[object]]:
    """The wire values themselves: no view is read, so no Decimal is made."""
    row = cast("type[Row]", type(rows[0]))
    positions = {name: at for at, (name, _) in enumerate(row._positions)}
    # Zipped up to the shortest row: positions that the exchange appends are not asked for.
    by_position = list(zip(*rows, strict=False))
    return [by_position[positions[name]] for name in attributes]


def _of_models(rows: Sequence[object], attributes: Sequence[str]) -> list[Sequence[object]]:
    return [list(map(attrgetter(name), rows)) for name in attributes]


def _series(column: ArchiveColumn, values: Sequence[object], dtype: pl.DataType, shift: int) -> pl.Series:
    import polars as pl

    if column.type in ("time", "text_time"):
        return ((pl.Series(column.name, values, pl.Int64()) - shift) * 1000).cast(dtype)
    if column.type == "decimal":
        # Models hold Decimals; their text is what the exchange wrote.
        texts = values if isinstance(values[0], str) else [None if v is None else f"{v:f}" for v in values]
        if not dtype.is_decimal():
            return _floats(column, texts)
        text = pl.Series(column.name, texts, pl.String())
        _refuse_lost_digits(column, text)
        return text.cast(dtype)
    return pl.Series(column.name, values, dtype)


def _floats(column: ArchiveColumn, texts: Sequence[Any]) -> pl.Series:
    from binance_sdk._runtime.columns.over_polars import floats_of_texts

    found = floats_of_texts(column.name, texts)
    if found is None:
        raise HistoryError(f"{column.name} has a number that no float can hold; take prices='decimal', and report it")
    return found


def _refuse_lost_digits(column: ArchiveColumn, text: pl.Series) -> None:
    lost = text.filter(text.str.contains(rf"\.\d{{{column.scale}}}\d*[1-9]"))
    if not lost.is_empty():
        raise HistoryError(
            f"{column.name} {lost[0]} has more than the {column.scale} digits after the point that an exact column "
            "keeps; take prices='float', and report it"
        )
