"""A selection in the words of DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from binance_sdk.history.dataset.layout import parquet_path
from binance_sdk.history.dataset.parquet import key_of
from binance_sdk.history.dataset.reading.selection import Selected, Selection
from binance_sdk.history.dataset.record import PieceRecord


def to_sql(selection: Selection, location: Callable[[str], str]) -> str:
    """A query that gives what was selected, in no order.

    Args:
        selection: What is read.
        location: Path or URL of a file of the dataset.
    """
    parts = [part for selected in selection.series for part in _parts(selection, selected, location)]
    if not parts:
        names = [*(["symbol"] if selection.several else []), *(column.name for column in selection.kind.kept)]
        return f"SELECT {', '.join(f'NULL AS {_name(name)}' for name in names)} WHERE false"
    return "\nUNION ALL\n".join(parts)


def _parts(selection: Selection, selected: Selected, location: Callable[[str], str]) -> list[str]:
    alone = [group[0] for group in selected.groups if len(group) == 1]
    columns = ", ".join(_name(column.name) for column in selection.kind.kept)
    symbol = f"{_text(selected.series.symbol)} AS symbol, " if selection.several else ""
    parts = [f"SELECT {symbol}{columns} FROM {_files(alone, location)}{_between(selection)}"] if alone else []
    key = ", ".join(_name(name) for name in key_of(selection.kind))
    for group in selected.groups:
        if len(group) > 1:
            ranked = " UNION ALL ".join(
                f"SELECT *, {rank} AS _rank FROM {_files([record], location)}" for rank, record in enumerate(group)
            )
            first = f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY _rank) = 1"
            parts.append(f"SELECT {symbol}{columns} FROM ({ranked}){_between(selection)} {first}")
    return parts


def _files(records: Sequence[PieceRecord], location: Callable[[str], str]) -> str:
    paths = ", ".join(_text(location(parquet_path(record.piece))) for record in records)
    return f"read_parquet([{paths}], hive_partitioning=false)"


def _between(selection: Selection) -> str:
    time = _name(selection.kind.time)
    bounds = [
        f"{time} {sign} TIMESTAMPTZ '{datetime.fromtimestamp(moment / 1000, UTC).isoformat()}'"
        for sign, moment in ((">=", selection.start), ("<", selection.end))
        if moment is not None
    ]
    return f" WHERE {' AND '.join(bounds)}" if bounds else ""


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
