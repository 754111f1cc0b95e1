"""Frames of polars, pandas, Arrow and numpy, from rows, models and stream events.

    frames.to_polars(klines)                        # what a call returned, or an iterator gave
    frames.to_pandas(book.bids(100))                # levels of a live book
    frames.to_arrow(events_so_far)                  # what a stream sent

An answer that was asked for with ``with_raw_response`` makes its frame by itself, from its bytes and without rows:
``raw.to_polars()``.

Columns are called as the fields, those of an object inside with its name before them: ``kline.close``. Ints are 64
bits wide, times are UTC, decimals are floats or exact. What may be absent, null or empty by the spec is null there: NaN
among floats of pandas and numpy, NaT among their times. Fields that hold lists fit into no column: choose the others
with ``columns=``. Each library is imported when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from binance_sdk._runtime.response import Prices, TimeUnit

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow  # pyright: ignore[reportMissingTypeStubs]
    from numpy.typing import NDArray

__all__ = ["Prices", "TimeUnit", "to_arrow", "to_numpy", "to_pandas", "to_polars"]


def to_polars(
    rows: Iterable[object],
    *,
    row_type: type | None = None,
    prices: Prices = "float",
    scale: int | Mapping[str, int] | None = None,
    time_unit: TimeUnit = "us",
    columns: Iterable[str] | None = None,
) -> polars.DataFrame:
    """Rows as a DataFrame of polars: ``Int64``, ``Float64``, ``Datetime(time_unit, "UTC")``, ``String``, ``Boolean``.

    Args:
        rows: Rows, models or events of one type.
        row_type: Their type; needed only where there may be no rows.
        prices: What decimals become: ``float`` for floats of 64 bits, ``decimal`` for exact ``Decimal(38, scale)``.
        scale: Digits behind the point of exact decimals, of all columns or by name, 0 to 38; a value with more is a
            ``DecodeError``, never rounded. None gives each column as many as its longest value has.
        time_unit: Resolution of times: ``ms``, ``us`` or ``ns``.
        columns: The columns wanted, in this order; None takes all.

    Raises:
        ParameterError: an option is wrong, or the rows are not of one type that fits into a frame.
        DecodeError: a value does not fit; field and row are named.
        ConfigError: polars is not installed.
    """
    options = {"prices": prices, "scale": scale, "time_unit": time_unit, "columns": columns}
    return cast("polars.DataFrame", _frame("polars", rows, row_type, options))


def to_arrow(  # pyright: ignore[reportUnknownParameterType]
    rows: Iterable[object],
    *,
    row_type: type | None = None,
    prices: Prices = "float",
    scale: int | Mapping[str, int] | None = None,
    time_unit: TimeUnit = "us",
    columns: Iterable[str] | None = None,
) -> pyarrow.Table:
    """Rows as an Arrow table: ``int64``, ``double``, ``timestamp[time_unit, UTC]``, ``string``, ``bool``.

    Args:
        rows: Rows, models or events of one type.
        row_type: Their type; needed only where there may be no rows.
        prices: What decimals become: ``float`` for floats of 64 bits, ``decimal`` for exact ``decimal128(38, scale)``.
        scale: Digits behind the point of exact decimals; as in ``to_polars``.
        time_unit: Resolution of times: ``ms``, ``us`` or ``ns``.
        columns: The columns wanted, in this order; None takes all.

    Raises:
        ParameterError: an option is wrong, or the rows are not of one type that fits into a frame.
        DecodeError: a value does not fit; field and row are named.
        ConfigError: pyarrow is not installed.
    """
    options = {"prices": prices, "scale": scale, "time_unit": time_unit, "columns": columns}
    return _frame("arrow", rows, row_type, options)


def to_pandas(
    rows: Iterable[object],
    *,
    row_type: type | None = None,
    prices: Prices = "float",
    time_unit: TimeUnit = "us",
    columns: Iterable[str] | None = None,
    index: str | None = None,
) -> pandas.DataFrame:
    """Rows as a DataFrame of pandas: ``int64``, ``float64``, ``datetime64[time_unit, UTC]``, texts, ``bool``.

    Ints and bools that the spec lets be absent are ``Int64`` and ``boolean``.

    Args:
        rows: Rows, models or events of one type.
        row_type: Their type; needed only where there may be no rows.
        prices: What decimals become: ``float`` for floats of 64 bits, ``decimal`` for exact ``decimal.Decimal``.
        time_unit: Resolution of times: ``ms``, ``us`` or ``ns``.
        columns: The columns wanted, in this order; None takes all.
        index: The column that becomes the index, e.g. ``open_time``; None numbers the rows.

    Raises:
        ParameterError: an option is wrong, or the rows are not of one type that fits into a frame.
        DecodeError: a value does not fit; field and row are named.
        ConfigError: pandas is not installed.
    """
    options = {"prices": prices, "time_unit": time_unit, "columns": columns, "index": index}
    return cast("pandas.DataFrame", _frame("pandas", rows, row_type, options))


def to_numpy(
    rows: Iterable[object],
    *,
    row_type: type | None = None,
    prices: Prices = "float",
    time_unit: TimeUnit = "us",
    columns: Iterable[str] | None = None,
) -> dict[str, NDArray[Any]]:
    """Rows as arrays of numpy by column: ``int64``, ``float64``, ``datetime64[time_unit]`` in UTC, texts, ``bool``.

    Ints and bools that the spec lets be absent are masked arrays.

    Args:
        rows: Rows, models or events of one type.
        row_type: Their type; needed only where there may be no rows.
        prices: What decimals become: ``float`` for floats of 64 bits, ``decimal`` for exact ``decimal.Decimal``.
        time_unit: Resolution of times: ``ms``, ``us`` or ``ns``.
        columns: The columns wanted, in this order; None takes all.

    Raises:
        ParameterError: an option is wrong, or the rows are not of one type that fits into a frame.
        DecodeError: a value does not fit; field and row are named.
        ConfigError: numpy is not installed.
    """
    options = {"prices": prices, "time_unit": time_unit, "columns": columns}
    return cast("dict[str, NDArray[Any]]", _frame("numpy", rows, row_type, options))


def _frame(library: Any, rows: Iterable[object], row_type: type | None, options: Mapping[str, Any]) -> Any:
    from binance_sdk._runtime.columns.frames import frame_of_rows
    from binance_sdk._runtime.columns.options import FrameOptions

    return frame_of_rows(library, rows, row_type, FrameOptions(**options))
