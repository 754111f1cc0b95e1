"""Rows of a dataset as REST answers them: ``Kline``, ``AggTrade`` and their like."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import ValidationError

from binance_sdk._runtime.answers.row import Row
from binance_sdk._runtime.archive import ArchiveKind
from binance_sdk._runtime.operation import Variant
from binance_sdk.catalogue import CATALOGUE
from binance_sdk.errors import DatasetError, ParameterError
from binance_sdk.history.piece import Series

if TYPE_CHECKING:
    import polars as pl

_UNUSED = "0"
"""What the exchange sends in positions that mean nothing."""


class RestRows:
    """Makes rows of frames of one series."""

    def __init__(self, kind: ArchiveKind, series: Series) -> None:
        """Find the type of a row.

        Raises:
            ParameterError: No single endpoint answers such rows.
        """
        if len(kind.rest) != 1:
            what = "no endpoint answers" if not kind.rest else f"{len(kind.rest)} endpoints answer parts of"
            raise ParameterError(f"history.open: {what} {kind.name}, so there are no rows of it; read them as a frame")
        (twin,) = kind.rest
        self._kind = kind
        self._series = series
        self._columns = {field: column for column, field in twin.columns.items()}
        self._answer = _answer(kind.market, twin.operation)
        self._type: Any = get_args(self._answer.type)[0]

    def of(self, frame: pl.DataFrame) -> Iterator[object]:
        """The rows of a frame.

        Raises:
            DatasetError: A cell is not what REST would answer.
        """
        columns = {field: self._cells(frame, column) for field, column in self._columns.items()}
        shape = self._positions if issubclass(self._type, Row) else self._objects
        try:
            yield from self._answer.adapter.validate_python(shape(columns, frame.height))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            text = f"{self._series.symbol} {self._kind.name}: {first['loc']}: {first['msg']}; read it as a frame"
            raise DatasetError(text) from error

    def _cells(self, frame: pl.DataFrame, column: str) -> list[object]:
        import polars as pl

        found = next(known for known in self._kind.kept if known.name == column)
        if found.type in ("time", "text_time"):
            return frame[column].dt.timestamp("ms").to_list()
        if found.type == "decimal" and frame[column].dtype == pl.Float64:
            return [None if cell is None else _text(cell) for cell in frame[column]]
        if found.type == "decimal":
            return frame[column].cast(pl.String).to_list()
        return frame[column].to_list()

    def _positions(self, columns: dict[str, list[object]], height: int) -> list[tuple[object, ...]]:
        unused: list[object] = [_UNUSED] * height
        names = [name for name, _ in self._type._positions]
        return list(zip(*(columns.get(name or "", unused) for name in names), strict=True))

    def _objects(self, columns: dict[str, list[object]], height: int) -> list[dict[str, object]]:
        wire = {field: self._wire(field) for field in columns}
        rest = self._constants(set(columns))
        names = list(wire.values())
        return [{**rest, **dict(zip(names, row, strict=True))} for row in zip(*columns.values(), strict=True)]

    def _wire(self, field: str) -> str:
        return self._type.model_fields[field].alias or field

    def _constants(self, columns: set[str]) -> dict[str, object]:
        """What every row has alike: its symbol; blank where the exchange sends a value that no file has."""
        missing = [
            name for name, field in self._type.model_fields.items() if name not in columns and field.is_required()
        ]
        return {self._wire(name): self._series.symbol if name in ("symbol", "pair") else "" for name in missing}


def _text(number: float) -> str:
    """The shortest text that is this float: what was written before, up to 15 digits."""
    text = repr(number)
    return f"{Decimal(text):f}" if "e" in text else text


def _answer(market: str, operation: str) -> Variant[Any]:
    """The answer of an operation that is a list of rows."""
    for variant in CATALOGUE[market].operations[operation].variants:
        if get_origin(variant.type) is list:
            return variant
    raise ParameterError(f"history.open: {operation} answers no list, so there are no rows of it; read it as a frame")
