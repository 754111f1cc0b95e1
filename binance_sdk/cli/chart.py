"""Candles as lines of text: a pure function of candles and a size.

A cell holds two halves, so prices have twice the resolution of the rows. Where there are no colours, in a pipe or
with ``NO_COLOR``, falling candles are drawn broader than rising ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from binance_sdk.cli.formats import ABSENT, compact, exact, moment
from binance_sdk.spot import Kline

Style = Literal["", "up", "down", "axis", "grid"]
Half = Literal["none", "wick", "body"]


class Span(NamedTuple):
    """Text of one style."""

    text: str
    style: Style = ""


Line = tuple[Span, ...]

_RISING: dict[tuple[Half, Half], str] = {
    ("wick", "wick"): "│",
    ("body", "body"): "┃",
    ("wick", "none"): "╵",
    ("none", "wick"): "╷",
    ("body", "none"): "╹",
    ("none", "body"): "╻",
    ("wick", "body"): "╽",
    ("body", "wick"): "╿",
}
_FALLING: dict[tuple[Half, Half], str] = {
    **_RISING,
    ("body", "body"): "█",
    ("body", "none"): "▀",
    ("none", "body"): "▄",
    ("wick", "body"): "▄",
    ("body", "wick"): "▀",
}
_EIGHTHS = " ▁▂▃▄▅▆▇█"

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_PERIODS = (
    *(n * _MINUTE for n in (5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 4, 6, 12)),
    *(n * _DAY for n in (1, 2, 5, 10, 20)),
)
_LABEL_ROOM = 7
_SMALLEST_PLOT = 4


def candle_chart(
    candles: Sequence[Kline],
    width: int,
    height: int,
    *,
    volume_height: int = 2,
    places: int = 2,
    by_shape: bool = True,
) -> list[Line]:
    """Draw the latest candles that fit, oldest on the left.

    Args:
        candles: Candles in order of time.
        width: Columns of every line, price axis included.
        height: Rows of the price part; below it come ``volume_height`` rows, a rule and the times.
        volume_height: Rows of the volume strip; 0 leaves it out.
        places: Decimals of a price on this market.
        by_shape: Whether rising and falling differ in shape too.

    Returns:
        ``height + volume_height + 2`` lines of exactly ``width`` columns.
    """
    if not candles:
        rows = height + volume_height + 2
        return [(Span((ABSENT if row == rows // 2 else "").center(width), "axis"),) for row in range(rows)]
    columns = candle_columns(candles, width, places)
    shown = candles[-columns:]
    axis = width - columns
    low, high = min(candle.low for candle in shown), max(candle.high for candle in shown)
    labels = _price_labels(low, high, height, places)
    last = shown[-1]
    labels[_half(last.close, low, high, height) // 2] = (f"◂{exact(last.close, places)}", _direction(last))
    bars = [_bar(candle, low, high, height) for candle in shown]
    lines = [
        _line(_price_cells(bars, row, columns, row in labels, by_shape), labels.get(row), axis) for row in range(height)
    ]
    lines += _volume_lines(shown, volume_height, columns, axis)
    return lines + _time_lines(shown, columns, axis)


def candle_columns(candles: Sequence[Kline], width: int, places: int = 2) -> int:
    """How many candles fit beside the price axis."""
    longest = max(len(exact(price, places)) for candle in candles[-width:] for price in (candle.high, candle.close))
    return max(_SMALLEST_PLOT, width - longest - 3)


def _direction(candle: Kline) -> Style:
    return "up" if candle.close >= candle.open else "down"


def _half(price: Decimal, low: Decimal, high: Decimal, height: int) -> int:
    """Half row of a price, counted from the top; a market that stands still runs through the middle."""
    if high == low:
        return height
    return round((high - price) / (high - low) * (2 * height - 1))


class _Bar(NamedTuple):
    """A candle in half rows from the top."""

    top: int
    bottom: int
    body_top: int
    body_bottom: int
    style: Style

    def part(self, half: int) -> Half:
        if self.body_top <= half <= self.body_bottom:
            return "body"
        return "wick" if self.top <= half <= self.bottom else "none"


def _bar(candle: Kline, low: Decimal, high: Decimal, height: int) -> _Bar:
    opened, closed, top, bottom = (
        _half(price, low, high, height) for price in (candle.open, candle.close, candle.high, candle.low)
    )
    return _Bar(top, bottom, min(opened, closed), max(opened, closed), _direction(candle))


def _price_cells(bars: Sequence[_Bar], row: int, columns: int, grid: bool, by_shape: bool) -> list[Span]:
    blank = Span("┈" if grid else " ", "grid")
    cells = [blank] * (columns - len(bars))
    for bar in bars:
        glyphs = _FALLING if by_shape and bar.style == "down" else _RISING
        glyph = glyphs.get((bar.part(2 * row), bar.part(2 * row + 1)))
        cells.append(Span(glyph, bar.style) if glyph else blank)
    return cells


def _nice_step(span: Decimal, parts: int) -> Decimal:
    """1, 2 or 5 times a power of ten that divides ``span`` into at most about ``parts``."""
    rough = span / max(1, parts)
    power = Decimal(10) ** rough.adjusted()
    return next(factor * power for factor in map(Decimal, (1, 2, 5, 10)) if factor * power >= rough)


def _price_labels(low: Decimal, high: Decimal, height: int, places: int) -> dict[int, tuple[str, Style]]:
    labels: dict[int, tuple[str, Style]] = {}
    if high == low:
        return labels
    step = max(_nice_step(high - low, height // 3), Decimal(1).scaleb(-places))
    price = (low / step).to_integral_value("ROUND_CEILING") * step
    while price <= high:
        labels[_half(price, low, high, height) // 2] = (f" {exact(price, places)}", "axis")
        price += step
    return labels


def _line(cells: Sequence[Span], label: tuple[str, Style] | None, axis: int, tick: str = "├") -> Line:
    text, style = label or ("", "axis")
    right: list[Span] = [Span(tick if label else "│", "axis"), Span(text[: axis - 1].ljust(axis - 1), style)]
    return _merged([*cells, *right])


def _merged(spans: Sequence[Span]) -> Line:
    merged: list[Span] = []
    for span in spans:
        if merged and merged[-1].style == span.style:
            merged[-1] = Span(merged[-1].text + span.text, span.style)
        else:
            merged.append(span)
    return tuple(merged)


def _volume_lines(candles: Sequence[Kline], rows: int, columns: int, axis: int) -> list[Line]:
    most = max(candle.volume for candle in candles)
    lines: list[Line] = []
    for row in range(rows):
        below = 8 * (rows - 1 - row)
        cells = [Span(" ")] * (columns - len(candles))
        for candle in candles:
            # What was traded at all is seen, however little it was.
            eighths = max(1, round(candle.volume / most * 8 * rows)) if candle.volume else 0
            cells.append(Span(_EIGHTHS[min(8, max(0, eighths - below))], _direction(candle)))
        lines.append(_line(cells, (f" {compact(most)}", "axis") if row == 0 else None, axis))
    return lines


def _time_lines(candles: Sequence[Kline], columns: int, axis: int) -> list[Line]:
    rule, labels = ["─"] * columns, [" "] * (columns + axis)
    free = 0
    offset = columns - len(candles)
    write = _time_writer(candles)
    for index, candle in enumerate(candles):
        text = write(index, candle.open_time)
        if text is None:
            continue
        column = offset + index
        begin = max(0, column - len(text) // 2)
        if begin < free or begin + len(text) > len(labels):
            continue
        rule[column] = "┴"
        labels[begin : begin + len(text)] = text
        free = begin + len(text) + 1
    return [(Span("".join(rule) + "┘".ljust(axis), "axis"),), (Span("".join(labels), "axis"),)]


def _time_writer(candles: Sequence[Kline]) -> Callable[[int, int], str | None]:
    """Labels at round times; bars of more than a day are counted instead, as months are no round number."""
    step = candles[1].open_time - candles[0].open_time if len(candles) > 1 else _DAY
    wanted = step * _LABEL_ROOM
    period = next((period for period in _PERIODS if period >= wanted), 0)

    def write(index: int, time: int) -> str | None:
        if (time % period if period else index % _LABEL_ROOM) != 0:
            return None
        opened = moment(time)
        if (period and period < _DAY) and time % _DAY:
            return opened.strftime("%H:%M")
        return opened.strftime("%b %Y") if step > 20 * _DAY else opened.strftime("%d %b")

    return write
