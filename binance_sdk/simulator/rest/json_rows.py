"""Numbers to text: exact decimals from integers, and the long answers as JSON without a dict for each row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from binance_sdk.simulator.market.randomness import Ints
from binance_sdk.simulator.market.tape import Bools

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
Body: TypeAlias = "bytes | Json"
"""What an endpoint answers: finished bytes, or something to encode."""


def encode(body: Body) -> bytes:
    if isinstance(body, bytes):
        return body
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Fixed:
    """Decimal text of integers that count units of ten to the minus ``decimals``."""

    decimals: int
    zeros: int = 0
    """Zeros shown behind those decimals."""

    def text(self, value: int) -> str:
        """``Fixed(2, 1).text(-1250)`` is ``"-12.500"``."""
        sign, value = ("-", -value) if value < 0 else ("", value)
        if not self.decimals:
            return f"{sign}{value}" + (f".{'0' * self.zeros}" if self.zeros else "")
        whole, part = divmod(value, 10**self.decimals)
        return f"{sign}{whole}.{part:0{self.decimals}d}{'0' * self.zeros}"

    def ratio(self, numerator: int, denominator: int) -> str:
        """The quotient as text, cut off behind the last shown decimal; 0 when there is nothing to divide by."""
        shown = Fixed(self.decimals + self.zeros)
        if not denominator:
            return shown.text(0)
        quotient = abs(numerator) * 10**shown.decimals // abs(denominator)
        return shown.text(quotient if (numerator < 0) == (denominator < 0) else -quotient)

    def rounded(self, value: float) -> str:
        """The nearest shown decimal to a float."""
        shown = Fixed(self.decimals + self.zeros)
        return shown.text(round(value * 10**shown.decimals))

    @property
    def template(self) -> str:
        """Format of one non-negative value for ``%``; takes the numbers that ``columns`` gives."""
        if not self.decimals:
            return "%d" + (f".{'0' * self.zeros}" if self.zeros else "")
        return f"%d.%0{self.decimals}d{'0' * self.zeros}"

    def columns(self, values: Ints) -> list[list[int]]:
        """The parts of each value as the template takes them."""
        if not self.decimals:
            return [values.tolist()]
        whole, part = np.divmod(values, 10**self.decimals)
        return [whole.tolist(), part.tolist()]


Column: TypeAlias = "tuple[Fixed | None, Ints] | Bools"
"""A decimal column, an integer column (``None``), or a column of booleans."""


def rows(template: str, columns: Iterable[Column]) -> bytes:
    """A JSON array of one text per row.

    Args:
        template: The row, with ``{}`` where each column goes; written with doubled braces otherwise.
        columns: As many columns as the template has places.

    Formatting whole rows with ``%`` is several times faster than building dicts and encoding them.
    """
    formats: list[str] = []
    parts: list[list[int] | list[str]] = []
    for column in columns:
        if isinstance(column, np.ndarray):
            formats.append("%s")
            parts.append(["true" if value else "false" for value in column.tolist()])
        elif column[0] is None:
            formats.append("%d")
            parts.append(column[1].tolist())
        else:
            formats.append(f'"{column[0].template}"')
            parts.extend(column[0].columns(column[1]))
    row = template.format(*formats)
    return ("[" + ",".join([row % values for values in zip(*parts, strict=True)]) + "]").encode()
