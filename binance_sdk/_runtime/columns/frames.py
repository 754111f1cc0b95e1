"""Frames of answers and of rows, for each of the four libraries, which are imported when one is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from importlib import import_module
from typing import Any, cast, get_args, get_origin

from binance_sdk._runtime.columns.from_bytes import table_of_bytes
from binance_sdk._runtime.columns.from_rows import table_of_rows
from binance_sdk._runtime.columns.layout import Layout, layout_of
from binance_sdk._runtime.columns.options import FrameOptions
from binance_sdk._runtime.columns.table import Table
from binance_sdk._runtime.response import Library
from binance_sdk.errors import ConfigError, ParameterError, shown

_MADE_BY: dict[Library, tuple[str, str, str]] = {
    "numpy": ("over_numpy", "arrays", "frames"),
    "pandas": ("over_pandas", "frame", "frames"),
    "polars": ("over_polars", "frame", "history"),
    "arrow": ("over_arrow", "table_of", "history"),
}
"""Module and function that make the frame, and the extra with what they need."""
_READ_TEXTS: frozenset[Library] = frozenset({"polars", "arrow"})
"""Those that make floats of texts several times as quick as Python does."""


def frame_of_answer(
    library: Library,
    operation: str,
    type_: object,
    content: bytes,
    data: Callable[[], object],
    options: FrameOptions,
) -> Any:
    """The frame of an answer.

    Args:
        library: Whose frame it is.
        operation: Id of the operation that was answered.
        type_: Type of the decoded answer.
        content: Its bytes.
        data: Decodes it, without its bad rows where they are to be left out.
        options: How the frame is wanted.

    Raises:
        ParameterError: an option is wrong, or such an answer fits into no frame.
        ConfigError: the library is not installed.
        DecodeError: the answer is not what the spec says, or a value fits into no column.
    """
    made = _maker(library)
    options.check()
    many = get_origin(type_) is list
    layout = layout_of(get_args(type_)[0] if many else type_)
    if layout is None:
        text = (
            "does not fit into a frame: its answer is one of several kinds of objects; read its fields from the answer"
        )
        raise ParameterError(f"{operation} {text}", operation=operation)
    columns = options.chosen(layout)
    table = table_of_bytes(operation, layout, columns, content, options, many)
    if table is None:
        found = data()
        rows = cast("list[Any]", found) if many else [found]
        table = table_of_rows(operation, layout, columns, rows, options, texts=library in _READ_TEXTS)
    return made(table)


def frame_of_rows(library: Library, rows: Iterable[object], row_type: type | None, options: FrameOptions) -> Any:
    """The frame of rows, models or events of one type.

    Raises:
        ParameterError: an option is wrong, or the rows are not of one type that fits into a frame.
        ConfigError: the library is not installed.
        DecodeError: a value fits into no column.
    """
    made = _maker(library)
    options.check()
    given = _listed(rows)
    layout = _layout(given, row_type)
    columns = options.chosen(layout)
    texts = library in _READ_TEXTS
    return made(table_of_rows(layout.type.__name__, layout, columns, given, options, texts=texts))


def _listed(rows: object) -> list[object]:
    if isinstance(rows, AsyncIterable):
        raise ParameterError("rows is asynchronous: pass [row async for row in rows]", parameter="rows")
    # A model is iterable too, by field; a row is a tuple, by position.
    if isinstance(rows, (str, bytes)) or layout_of(type(rows)) is not None or not isinstance(rows, Iterable):
        text = f"rows={shown(rows)} must be an iterable of rows, models or events, such as a list"
        raise ParameterError(text, parameter="rows", value=rows)
    return list(cast("Iterable[object]", rows))


def _layout(rows: list[object], row_type: object) -> Layout:
    if row_type is None:
        if not rows:
            text = "there are no rows, and so nothing tells the columns: pass row_type=, e.g. row_type=Kline"
            raise ParameterError(text, parameter="row_type")
        row_type = type(rows[0])
    layout = layout_of(row_type)
    if layout is None:
        text = f"{shown(row_type)} is not the type of a row, a model or an event of this package"
        raise ParameterError(text, parameter="row_type" if not rows else "rows", value=row_type)
    for at, row in enumerate(rows):
        if not isinstance(row, layout.type):
            other, first = type(row).__name__, layout.type.__name__
            text = f"a frame holds rows of one type: rows[{at}] is a {other} and not a {first}"
            raise ParameterError(text, parameter="rows", value=row)
    return layout


def _maker(library: Library) -> Callable[[Table], Any]:
    module, name, extra = _MADE_BY[library]
    try:
        return cast("Callable[[Table], Any]", getattr(import_module(f"{__package__}.{module}"), name))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("binance_sdk"):
            raise
        raise ConfigError(f"to_{library} needs {error.name}: pip install 'binance-market-sdk[{extra}]'") from error
