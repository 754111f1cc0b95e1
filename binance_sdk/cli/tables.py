"""Shows any answer as tables: lists of rows or objects, single objects, and objects nested in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol, cast, runtime_checkable

from pydantic import BaseModel
from rich import box
from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from binance_sdk.cli.formats import ABSENT, moment, places_of, printable, utc

_NESTED_ROWS = 20
_TIMES = ("time", "timestamp")
_LATE = 10**11
"""The year 1973 in milliseconds: smaller numbers are not taken for times."""
_WIDEST_CELL = 48


@runtime_checkable
class RowLike(Protocol):
    """Binance's positional arrays, as this SDK types them."""

    def model_dump(self) -> dict[str, int | str | Decimal]: ...
    @classmethod
    def field_names(cls) -> tuple[str, ...]: ...


def view(answer: object, width: int) -> Iterator[RenderableType]:
    """An answer as something that rich can print, nested parts after the whole.

    Args:
        answer: What a method of the client returned.
        width: Columns there are.
    """
    if isinstance(answer, list):
        yield from _records(cast("list[object]", answer), width, "", None)
    else:
        yield from _object(_fields(answer), width, "")


def _fields(record: object) -> dict[str, object]:
    """The values of a record by name, times as aware datetimes."""
    if isinstance(record, BaseModel):
        names = list(type(record).model_fields)
        extra = record.model_extra or {}
        return {**{name: _timed(record, name) for name in names}, **extra}
    if isinstance(record, RowLike):
        return {name: _timed(record, name) for name in record.field_names()}
    if isinstance(record, Mapping):
        fields = cast("Mapping[object, object]", record)
        return {str(name): _moment(str(name), value) for name, value in fields.items()}
    return {"value": record}


def _timed(record: object, name: str) -> object:
    value = getattr(record, name)
    seen = getattr(record, f"{name}_dt", None)
    return seen if isinstance(seen, datetime) and isinstance(value, int) else value


def _moment(name: str, value: object) -> object:
    """The value of a dict, as a datetime if its name and size say that it is a time."""
    if isinstance(value, int) and not isinstance(value, bool) and name.lower().endswith(_TIMES) and value > _LATE:
        return moment(value)
    return value


def _is_record(value: object) -> bool:
    return isinstance(value, (BaseModel, RowLike, Mapping))


def _is_records(value: object) -> bool:
    if not isinstance(value, list):
        return False
    items = cast("list[object]", value)
    return bool(items) and all(_is_record(item) for item in items)


def _object(fields: Mapping[str, object], width: int, title: str) -> Iterator[RenderableType]:
    table = make_table()
    table.add_column("field", style="bright_black", no_wrap=True)
    table.add_column("value", overflow="fold")
    nested: list[tuple[str, object]] = []
    for name, value in fields.items():
        if _is_records(value) or (_is_record(value) and not isinstance(value, RowLike)):
            nested.append((name, value))
            count = f"{len(cast('Sequence[object]', value))} below" if isinstance(value, list) else "below"
            table.add_row(Text(printable(name)), Text(count, style="bright_black"))
        else:
            table.add_row(Text(printable(name)), Text(_cell(value)))
    # An object that contains only objects is shown by their titles.
    if not fields:
        yield Text("(an empty object)", style="bright_black")
    elif len(nested) < len(fields):
        yield from _titled(title, table)
    for name, value in nested:
        below = f"{title}.{name}" if title else name
        if isinstance(value, list):
            yield from _records(cast("list[object]", value), width, below, _NESTED_ROWS)
        else:
            yield from _object(_fields(value), width, below)


def _records(records: Sequence[object], width: int, title: str, most: int | None) -> Iterator[RenderableType]:
    if not records:
        yield Text("(an empty list)", style="bright_black")
        return
    if len(records) == 1 and not isinstance(records[0], RowLike):
        yield from _object(_fields(records[0]), width, title)
        return
    rows = [_fields(record) for record in records[:most]]
    names = list(dict.fromkeys(name for row in rows for name in row))
    notes = [f"{len(records) - len(rows):,} more rows"] if len(records) > len(rows) else []
    if sum(len(row) for row in rows) * 2 < len(rows) * len(names):
        # Objects of many kinds, such as filters, would leave most cells empty.
        table = _mixed(rows)
    else:
        columns = {name: _column([row.get(name) for row in rows]) for name in names}
        kept = fitting(columns, width)
        table = make_table()
        for name in kept:
            numeric = any(isinstance(row.get(name), (int, Decimal)) for row in rows)
            table.add_column(Text(printable(name)), justify="right" if numeric else "left", no_wrap=True)
        for index in range(len(rows)):
            table.add_row(*(Text(columns[name][index]) for name in kept))
        if len(kept) < len(names):
            notes.append(f"no room for {', '.join(name for name in names if name not in kept)}")
    yield from _titled(title, table)
    if notes:
        yield Text(printable(f"{'; '.join(notes)} (--json shows all)"), style="bright_black")


def _mixed(rows: Sequence[Mapping[str, object]]) -> Table:
    table = make_table()
    first = next(iter(rows[0]))
    table.add_column(Text(printable(first)), no_wrap=True)
    table.add_column("fields", overflow="fold")
    for row in rows:
        rest = ", ".join(f"{name} {_cell(value)}" for name, value in row.items() if name != first)
        table.add_row(Text(_cell(row.get(first))), Text(printable(rest)))
    return table


def _column(values: Sequence[object]) -> list[str]:
    """The cells of a column, without trailing zeros or seconds that none of them needs."""
    decimals = [value for value in values if isinstance(value, Decimal)]
    places = max((places_of(abs(value)) for value in decimals), default=0)
    times = [value for value in values if isinstance(value, datetime)]
    minutes = bool(times) and not any(value.second or value.microsecond for value in times)
    cells: list[str] = []
    for value in values:
        if isinstance(value, Decimal):
            cells.append(f"{value:.{places}f}")
        elif isinstance(value, datetime) and minutes:
            cells.append(f"{utc(value)[:16]}Z")
        else:
            cells.append(_cell(value, _WIDEST_CELL))
    return cells


def fitting(columns: Mapping[str, Sequence[str]], width: int, widths: dict[str, int] | None = None) -> list[str]:
    """The columns that fit side by side, the first ones first; at least one.

    Args:
        columns: Cells by name.
        width: Columns of the terminal.
        widths: Widths of columns so far; they are updated with the current ones.
    """
    known = {} if widths is None else widths
    kept: list[str] = []
    used = 1
    for name, cells in columns.items():
        widest = known[name] = max(known.get(name, 0), cell_len(name), *(cell_len(cell) for cell in cells))
        needed = widest + 3
        if used + needed <= width or not kept:
            kept.append(name)
            used += needed
    return kept


def _titled(title: str, table: Table) -> Iterator[RenderableType]:
    # Not as the title of the table, which would be wrapped to the width of a narrow table.
    if title:
        yield Text(f"\n{printable(title)}", style="bold")
    yield table


def make_table() -> Table:
    """An empty table in the style of every command."""
    return Table(box=box.ROUNDED, border_style="bright_black", header_style="bold")


def _cell(value: object, widest: int | None = None) -> str:
    text = printable(_text(value))
    return f"{text[: widest - 1]}…" if widest is not None and len(text) > widest else text


def _text(value: object) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (int, str)):
        return str(value)
    if isinstance(value, BaseModel):
        return value.model_dump_json(by_alias=True, exclude_unset=True)
    if isinstance(value, (list, tuple)):
        return _listed(cast("Iterable[object]", value))
    return json.dumps(value, default=str, ensure_ascii=False)


def _listed(values: Iterable[object]) -> str:
    items = [(isinstance(value, (list, tuple)), _text(value)) for value in values]
    return ", ".join(f"[{text}]" if nested else text for nested, text in items) or ABSENT
