"""Exact decimal text of the integers in which the market counts: ticks of prices, lots of quantities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from binance_sdk.simulator.market.randomness import Ints


@dataclass(frozen=True, slots=True)
class DecimalFormat:
    """Decimal text of integers that count units of ten to the minus ``decimals``."""

    decimals: int
    zeros: int = 0
    """Zeros shown after those decimals."""

    def text(self, value: int) -> str:
        """``DecimalFormat(2, 1).text(-1250)`` is ``"-12.500"``."""
        sign, value = ("-", -value) if value < 0 else ("", value)
        if not self.decimals:
            return f"{sign}{value}" + (f".{'0' * self.zeros}" if self.zeros else "")
        whole, part = divmod(value, 10**self.decimals)
        return f"{sign}{whole}.{part:0{self.decimals}d}{'0' * self.zeros}"

    def ratio(self, numerator: int, denominator: int) -> str:
        """The quotient as text, cut off after the last shown decimal; 0 when the denominator is 0."""
        shown = DecimalFormat(self.decimals + self.zeros)
        if not denominator:
            return shown.text(0)
        quotient = abs(numerator) * 10**shown.decimals // abs(denominator)
        return shown.text(quotient if (numerator < 0) == (denominator < 0) else -quotient)

    def rounded(self, value: float) -> str:
        """The nearest shown decimal to a float."""
        shown = DecimalFormat(self.decimals + self.zeros)
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


Formats = tuple[DecimalFormat, DecimalFormat, DecimalFormat]
"""How the prices, the quantities and their products of one symbol are written."""
