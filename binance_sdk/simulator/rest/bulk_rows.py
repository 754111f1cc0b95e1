"""Many rows to text at once: a picture of fixed width, from which the leading zeros are cut out.

Four times faster than formatting row by row, from some hundred rows on; ``render.rows`` gives the same text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from binance_sdk.simulator.market.decimals import DecimalFormat
from binance_sdk.simulator.market.randomness import Ints

_Bytes = npt.NDArray[np.uint8]
_INTEGER = DecimalFormat(0)
_FOUR = 10_000
# The text of every number of four digits, as one machine word.
_QUADS = np.frombuffer("".join(f"{number:04d}" for number in range(_FOUR)).encode(), dtype=np.uint32)
_HIDDEN = b"\0"
"""A place in the picture where a shorter number has no digit; no text of ours has this byte."""
_POWERS = 10 ** np.arange(18, -1, -1, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class RowText:
    """Rows of text, one after the other; each ends with a comma."""

    text: bytes
    ends: Sequence[int]
    """Where each row ends, with a 0 in front."""

    def __len__(self) -> int:
        return len(self.ends) - 1

    def rows(self, start: int, stop: int) -> bytes:
        """Some of the rows, without the comma behind the last one."""
        return self.text[self.ends[start] : max(self.ends[stop] - 1, 0)]


def draw(texts: Sequence[bytes], columns: Sequence[tuple[DecimalFormat | None, Ints]]) -> RowText:
    """Rows of non-negative numbers.

    Args:
        texts: What stands before each column, and behind the last one.
        columns: Values, and how to write them; ``None`` for plain integers.
    """
    count = len(columns[0][1])
    if not count:
        return RowText(b"", [0])
    formats = [(form or _INTEGER, values) for form, values in columns]
    widths = [max(len(str(int(values.max()))), form.decimals + 1) for form, values in formats]
    # The first row, with zeros where the digits go; below it all others, which differ in their digits alone.
    blank = b""
    places: list[int] = []
    for text, (form, _), width in zip(texts, formats, widths, strict=False):
        blank += text
        places.append(len(blank))
        point = b"." if form.decimals or form.zeros else b""
        blank += b"0" * (width - form.decimals) + point + b"0" * (form.decimals + form.zeros)
    blank += texts[-1] + b","
    picture = np.empty((count, len(blank)), dtype=np.uint8)
    picture[:] = np.frombuffer(blank, dtype=np.uint8)
    for place, (form, values), width in zip(places, formats, widths, strict=True):
        digits, whole = _digits(values, width), width - form.decimals
        # The last digit before the point is always there; one further left only if the number reaches that far.
        needed = _POWERS[19 - width : 19 - width + whole - 1]
        if whole > 1 and int(values.min()) < needed[0]:
            digits[:, : whole - 1] *= values[:, None] >= needed[None, :]
        picture[:, place : place + whole] = digits[:, :whole]
        if form.decimals:
            picture[:, place + whole + 1 : place + width + 1] = digits[:, whole:]
    ends = np.cumsum(np.count_nonzero(picture, axis=1))
    return RowText(picture.tobytes().translate(None, _HIDDEN), [0, *ends.tolist()])


def _digits(values: Ints, width: int) -> _Bytes:
    """The last ``width`` digits of each value, leading zeros included."""
    words = -(-width // 4)
    drawn = np.empty((len(values), words), dtype=np.uint32)
    for word in range(words - 1, 0, -1):
        rest = values // _FOUR
        drawn[:, word] = _QUADS[values - rest * _FOUR]
        values = rest
    drawn[:, 0] = _QUADS[values]
    return drawn.view(np.uint8)[:, words * 4 - width :]
