"""How a frame is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeAlias, cast, get_args

from binance_sdk._runtime.columns.layout import Column, Layout
from binance_sdk._runtime.response import Prices, TimeUnit
from binance_sdk.errors import ParameterError, shown

Scale: TypeAlias = int | Mapping[str, int] | None

MOST_DIGITS = 38
"""Digits of a decimal of 128 bits, which is what polars and Arrow have."""


@dataclass(frozen=True, slots=True)
class FrameOptions:
    """Options of a frame, as they were passed; those that its library lacks keep their defaults.

    Args:
        prices: What decimals become: floats of 64 bits, or exact decimals.
        scale: Digits behind the point of exact decimals, of all columns or by name; None gives each as many as it has.
        time_unit: Resolution of times.
        columns: The columns wanted, in this order; None takes all.
        index: The column that becomes the index.
    """

    prices: Prices = "float"
    scale: Scale = None
    time_unit: TimeUnit = "us"
    columns: Iterable[str] | None = None
    index: str | None = None

    def check(self) -> None:
        """Check what can be checked without knowing the rows.

        Raises:
            ParameterError: naming the option.
        """
        _check_choice("prices", self.prices, get_args(Prices))
        _check_choice("time_unit", self.time_unit, get_args(TimeUnit))
        scale: object = self.scale
        if isinstance(scale, Mapping):
            for name, digits in cast("Mapping[object, object]", scale).items():
                _check_scale(f"scale[{name!r}]", digits)
        elif scale is not None:
            _check_scale("scale", scale)
        if scale is not None and self.prices == "float":
            _refuse("scale", scale, 'is for exact decimals: pass prices="decimal" too')

    def chosen(self, layout: Layout) -> tuple[Column, ...]:
        """The columns wanted, in their order.

        Raises:
            ParameterError: there is no such column, or one that fits into none is not left out.
        """
        by_name = {column.name: column for column in layout.columns}
        what = layout.type.__name__
        decimals = {column.name: column for column in layout.columns if column.is_decimal}
        for name in self.scale if isinstance(self.scale, Mapping) else ():
            _known("scale", name, decimals, f"decimal columns of {what}")
        if self.columns is None:
            if layout.without:
                fields = ", ".join(f"{name} holds {held}" for name, held in layout.without)
                remedy = f"choose among the others with columns=: {', '.join(by_name)}" if by_name else _NOT_FLAT
                raise ParameterError(f"{what} does not fit into a frame: {fields}; {remedy}", parameter="columns")
            if not by_name:
                raise ParameterError(f"{what} has no fields, so there is no frame of it", parameter="columns")
            wanted = list(by_name)
        else:
            wanted = self._names()
            for name in wanted:
                _known("columns", name, by_name, f"columns of {what}")
        if self.index is not None:
            _known("index", self.index, dict.fromkeys(wanted, None), "columns of the frame")
        return tuple(by_name[name] for name in wanted)

    def _names(self) -> list[str]:
        given: object = self.columns
        if isinstance(given, str) or not isinstance(given, Iterable):
            _refuse("columns", given, f"must be a list of names: write columns=[{shown(given)}]")
        names = [str(name) for name in cast("Iterable[object]", given)]
        if not names or len(set(names)) < len(names):
            _refuse("columns", names, "names a column twice" if names else "must name at least one column")
        return names


_NOT_FLAT = "make frames of what these hold, e.g. binance_sdk.frames.to_polars(raw.data.<field>)"


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    # The type first, as some objects, such as arrays, cannot be compared with a str.
    if not (isinstance(value, str) and value in choices):
        _refuse(name, value, f"must be {' or '.join(repr(choice) for choice in choices)}")


def _check_scale(name: str, value: object) -> None:
    if not (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_DIGITS):
        _refuse(name, value, f"must be an int from 0 to {MOST_DIGITS}")


def _known(option: str, name: object, among: Mapping[str, object], what: str) -> None:
    if not (isinstance(name, str) and name in among):
        _refuse(option, name, f"is not among the {what}: {', '.join(among)}")


def _refuse(name: str, value: object, reason: str) -> NoReturn:
    parameter = name.partition("[")[0]
    raise ParameterError(f"{name}={shown(value)} {reason}", parameter=parameter, value=value)
