"""Columns of Python values, from which each library makes its frame, and the errors about them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from binance_sdk._runtime.columns.layout import Column
from binance_sdk._runtime.columns.options import MOST_DIGITS, FrameOptions
from binance_sdk.errors import DecodeError

LEAST_INT, MOST_INT = -(2**63), 2**63 - 1
EARLIEST_MS, LATEST_MS = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 and 9999, between which every library has dates."""
NANOSECONDS_EARLIEST_MS, NANOSECONDS_LATEST_MS = -(2**63) // 1_000_000 + 1, (2**63 - 1) // 1_000_000
"""The years 1677 and 2262, between which 64 bits count nanoseconds."""


@dataclass(frozen=True, slots=True)
class Table:
    """Cells by column.

    Args:
        what: Whose rows they are, for messages: an operation or a type.
        columns: The columns.
        cells: Values of each column: ints, strings, bools and None; decimals are floats, or texts where exact ones are
            wanted; times are epoch milliseconds.
        height: Number of rows.
        options: How the frame is wanted.
        texts: Whether decimals are texts although floats are wanted.
    """

    what: str
    columns: tuple[Column, ...]
    cells: Sequence[Sequence[Any]]
    height: int
    options: FrameOptions
    texts: bool = False

    @property
    def exact(self) -> bool:
        return self.options.prices == "decimal"

    def check_unit(self, at: int) -> None:
        """Check that 64 bits can count the times of a column in the unit that is wanted.

        Raises:
            DecodeError: they cannot, naming field and row.
        """
        if self.options.time_unit != "ns":
            return
        for row, time in enumerate(self.cells[at]):
            if time is not None and not NANOSECONDS_EARLIEST_MS <= time <= NANOSECONDS_LATEST_MS:
                raise self.wrong(at, row, "is outside the years 1677 to 2262 of nanoseconds; use another time_unit")

    def floats(self, at: int) -> Sequence[float | None]:
        """The values of a column of decimals, where floats are wanted.

        Raises:
            DecodeError: one is beyond what a float can hold.
        """
        cells = self.cells[at]
        return floats_of(self.what, self.columns[at], cells) if self.texts else cells

    def scale(self, at: int, needed: int) -> int:
        """Digits behind the point for a column whose longest value has ``needed``.

        Raises:
            DecodeError: a value has more than there shall be, and would be rounded.
        """
        column, wanted = self.columns[at], self.options.scale
        given = wanted if wanted is None or isinstance(wanted, int) else wanted.get(column.name)
        if given is None:
            return needed
        if needed > given:
            row = next(at for at, text in enumerate(self.cells[at]) if digits_behind(text) > given)
            raise self.wrong(at, row, f"has {needed} digits behind the point, and scale allows {given}")
        return given

    def too_long(self, at: int, scale: int) -> DecodeError:
        """The error for a column with a value of too many digits."""
        for row, text in enumerate(self.cells[at]):
            if text is not None and len(text.lstrip("-").partition(".")[0]) > MOST_DIGITS - scale:
                return self.wrong(at, row, f"has more than {MOST_DIGITS} digits, with {scale} behind the point")
        return self.wrong(at, 0, f"does not fit into a decimal of {MOST_DIGITS} digits")

    def wrong(self, at: int, row: int, reason: str) -> DecodeError:
        return wrong_cell(self.what, self.columns[at], row, self.cells[at][row], reason)


def wrong_cell(what: str, column: Column, row: int, value: object, reason: str) -> DecodeError:
    """The error for one value that no frame can hold."""
    shown = str(value)
    problem = f"[{row}].{column.name}: {shown if len(shown) <= 80 else f'{shown[:80]}…'} {reason}"
    return DecodeError(f"{what}: {problem}", operation=what if "." in what else None, problems=(problem,))


def floats_of(what: str, column: Column, values: Sequence[Any]) -> list[float | None]:
    """The floats of texts or Decimals.

    Raises:
        DecodeError: one is beyond what a float can hold.
    """
    found = [None if value is None else float(value) for value in values]
    for row, value in enumerate(found):
        if value is not None and math.isinf(value):
            raise wrong_cell(what, column, row, values[row], "is beyond what a float can hold")
    return found


def digits_behind(text: str | None) -> int:
    """Digits behind the point."""
    return 0 if text is None or "." not in text else len(text) - text.index(".") - 1
