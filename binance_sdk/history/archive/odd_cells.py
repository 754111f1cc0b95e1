"""The careful way to read rows: whatever is not a number is found, with the line it stands in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

import polars as pl

from binance_sdk._runtime.archive import ArchiveColumn
from binance_sdk.errors import ArchiveError
from binance_sdk.history.archive.layout import Layout, cells_of
from binance_sdk.history.piece import Prices, Remark

_DIGITS = 38
_SHOWN = 200
_TEXT_TIME = "%Y-%m-%d %H:%M:%S"
_LINE = "line of the file"
"""Name of a column that no file has, as names of columns have no spaces."""


def read_carefully(
    data: bytes, layout: Layout, prices: Prices, symbol: str, url: str, line: int
) -> tuple[pl.DataFrame, list[Remark]]:
    """What ``cells`` returns, for any file.

    Blank lines and headers between rows are left out and told of. A cell that cannot be read is none where the column
    may have none, and told of; elsewhere it is an error.

    Raises:
        ArchiveError: A row has another number of cells, or a cell that is needed cannot be read.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        at = line + data.count(b"\n", 0, error.start)
        raise ArchiveError(f"line {at} of {url} is not UTF-8", url=url) from None
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    frame = pl.DataFrame({"text": lines}, schema={"text": pl.String}).with_row_index(_LINE, line)
    frame = frame.with_columns(pl.col("text").str.strip_chars("\r").str.replace_all('"', "", literal=True))
    remarks: list[Remark] = []
    frame = _without(frame, pl.col("text").str.strip_chars().eq(""), "blank_lines", "blank", remarks)
    names = {column.wire for column in layout.columns}
    # Only a line that begins as a header does is looked at as a whole.
    begins = frame.filter(pl.col("text").str.to_lowercase().str.contains(r"^\s*[a-z_]+\s*,"))
    heads = [
        at for at, one in begins.iter_rows() if set(cells_of(one.lower())) == names or cells_of(one) == layout.header
    ]
    frame = _without(frame, pl.col(_LINE).is_in(heads), "header_lines", "headers", remarks)
    count = len(layout.columns)
    wrong = frame.filter(pl.col("text").str.count_matches(",", literal=True) != count - 1)
    if wrong.height:
        at, told = wrong.row(0)
        cells = told.count(",") + 1
        text = f"line {at} of {url} has {cells} cells and not {count}: {told[:_SHOWN]!r}"
        raise ArchiveError(text if wrong.height == 1 else f"{text}; {wrong.height} lines are so", url=url)
    split = (
        pl.col("text").str.split_exact(",", count - 1).struct.rename_fields([column.wire for column in layout.columns])
    )
    table = frame.select(_LINE, split.alias("cells")).unnest("cells")
    reader = _Reader(table, prices, symbol, url, remarks)
    return pl.DataFrame([reader.column(column) for column in layout.columns if column.type is not None]).select(
        column.name for column in layout.columns if column.type not in (None, "symbol")
    ), remarks


def _without(frame: pl.DataFrame, what: pl.Expr, kind: str, called: str, remarks: list[Remark]) -> pl.DataFrame:
    left_out = frame.filter(what)
    if left_out.height:
        text = f"{left_out.height} lines between rows are {called} and were left out, such as line {left_out[_LINE][0]}"
        remarks.append(Remark(kind, left_out.height, text))
        return frame.filter(~what)
    return frame


@dataclass
class _Reader:
    """Turns texts into values, column by column."""

    table: pl.DataFrame
    prices: Prices
    symbol: str
    url: str
    remarks: list[Remark] = field(default_factory=list[Remark])

    def column(self, column: ArchiveColumn) -> pl.Series:
        texts = self.table[column.wire].str.strip_chars()
        texts = texts.set(texts == "", None) if column.type != "string" else texts.fill_null("")
        values = self._values(column, texts)
        unread = values.is_null() & texts.is_not_null()
        needed = values.is_null() if not column.nullable else pl.Series([False]).new_from_index(0, len(values))
        if needed.any():
            at = needed.arg_true()[0]
            what = f"{texts[at][:_SHOWN]!r}" if texts[at] is not None else "nothing"
            raise ArchiveError(
                f"line {self._line(at)} of {self.url} has {what} as {column.wire}, which must be {_wanted(column)}; "
                f"{needed.sum()} of {len(values)} rows are so",
                url=self.url,
            )
        if unread.any():
            at = unread.arg_true()[0]
            text = (
                f"{unread.sum()} cells of {column.name} are not {_wanted(column)} and were taken as none, such as "
                f"{texts[at][:_SHOWN]!r} in line {self._line(at)}"
            )
            self.remarks.append(Remark("unreadable_cells", int(unread.sum()), text))
        return values.alias(column.name)

    def _line(self, index: int) -> int:
        return int(self.table[_LINE][index])

    def _values(self, column: ArchiveColumn, texts: pl.Series) -> pl.Series:
        if column.type == "string":
            return texts
        if column.type == "symbol":
            return texts.set(texts != self.symbol, None)
        if column.type == "bool":
            lower = texts.str.to_lowercase()
            return (lower == "true").set(~lower.is_in(["true", "false"]).fill_null(value=False), None)
        if column.type == "text_time":
            return texts.str.to_datetime(_TEXT_TIME, strict=False, time_unit="us").cast(pl.Int64)
        if column.type == "decimal" and self.prices == "decimal":
            odd = texts.str.contains(rf"\.[0-9]{{{column.scale + 1}}}|[eE]")
            plain = self._spelled_out(column, texts, odd, lambda value: _scaled(value, column.scale))
            return plain.cast(pl.Decimal(_DIGITS, column.scale), strict=False)
        if column.type == "decimal":
            values = texts.cast(pl.Float64, strict=False)
            return values.set(~values.is_finite(), None)
        values = texts.cast(pl.Int64, strict=False)
        odd = values.is_null() & texts.is_not_null()
        return self._spelled_out(column, texts, odd, lambda value: _scaled(value, 0)).cast(pl.Int64, strict=False)

    def _spelled_out(
        self, column: ArchiveColumn, texts: pl.Series, odd: pl.Series, spelled: Callable[[Decimal], str | None]
    ) -> pl.Series:
        """The texts with those that are odd in the plain notation, or none where they are no number."""
        if not odd.any():
            return texts
        found = odd.fill_null(value=False).arg_true()
        told: list[str | None] = []
        for index in found:
            value = _decimal(texts[index])
            plain = None if value is None else spelled(value)
            if value is not None and plain is None and column.type == "decimal":
                raise ArchiveError(
                    f"line {self._line(index)} of {self.url} has {texts[index][:_SHOWN]} as {column.wire}, which has "
                    f'more digits than the {column.scale} of an exact column; `prices="float"` takes the nearest float',
                    url=self.url,
                )
            told.append(plain)
        return texts.scatter(found, pl.Series(told, dtype=pl.String))


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text) if "_" not in text else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() and value.adjusted() < _DIGITS else None


def _scaled(value: Decimal, scale: int) -> str | None:
    """The number without exponent; None where it has more digits behind the point."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)  # It is finite.
    while exponent < -scale and digits and digits[-1] == 0:
        digits, exponent = digits[:-1], exponent + 1
    if not digits or not any(digits):
        return "0"
    return f"{Decimal((sign, digits, exponent)):f}" if exponent >= -scale else None


def _wanted(column: ArchiveColumn) -> str:
    return {
        "time": "a whole number of milli- or microseconds",
        "text_time": "a moment such as 2026-01-31 23:55:00",
        "decimal": "a number",
        "int": "a whole number",
        "id": "a whole number",
        "bool": "true or false",
        "symbol": "the symbol of the file",
    }.get(column.type or "", "a text")
