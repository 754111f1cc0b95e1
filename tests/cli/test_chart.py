"""Candles as text: exact pictures of small markets, and what holds for every size."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_sdk.cli.chart import Line, candle_chart, candle_columns
from binance_sdk.spot import Kline

HOUR = 3_600_000
MIDNIGHT = 1_800_000_000_000 // 86_400_000 * 86_400_000


def candle(number: int, open_: str, high: str, low: str, close: str, volume: str = "1", step: int = HOUR) -> Kline:
    time = MIDNIGHT + number * step
    row = [time, open_, high, low, close, volume, time + step - 1, "0", 1, "0", "0", "0"]
    return Kline.from_wire(row)


def text(lines: list[Line]) -> str:
    return "\n".join("".join(span.text for span in line).rstrip() for line in lines)


SMALL = [
    candle(0, "10", "14", "10", "12", "8"),
    candle(1, "12", "13", "9", "10", "4"),
    candle(2, "10", "18", "10", "18", "2"),
    candle(3, "18", "18", "11", "13", "0"),
]


def test_picture_by_shape() -> None:
    drawn = candle_chart(SMALL, 14, 5, volume_height=2, places=0)
    assert text(drawn) == "\n".join(
        [
            "       ┃█│",
            "       ┃█│",
            "┈┈┈┈┈│╷┃█├◂13",
            "     ┃█┃││",
            "┈┈┈┈┈╹▀╹┈├ 10",
            "     █   ├ 8",
            "     ██▄ │",
            "─────┴───┘",
            "  15 Jan",
        ]
    )


def test_picture_by_colour_alone_has_one_kind_of_body() -> None:
    drawn = candle_chart(SMALL, 14, 5, volume_height=0, places=0, by_shape=False)
    assert "█" not in text(drawn)
    styles = {(span.text, span.style) for line in drawn for span in line}
    assert ("┃", "up") in styles
    assert ("┃", "down") in styles


def test_colours_say_rising_and_falling() -> None:
    drawn = candle_chart(SMALL, 14, 5, places=0)
    first = [(span.text, span.style) for span in drawn[0]]
    assert first == [("       ", "grid"), ("┃", "up"), ("█", "down"), ("│    ", "axis")]


def test_last_price_stands_on_the_axis_in_its_colour() -> None:
    labels = [span for line in candle_chart(SMALL, 14, 5, places=0) for span in line if "◂" in span.text]
    assert [(label.text.strip(), label.style) for label in labels] == [("◂13", "down")]


def test_only_the_latest_candles_are_drawn() -> None:
    many = [candle(number, "10", "11", "9", "10") for number in range(50)] + [candle(50, "10", "20", "10", "20")]
    columns = candle_columns(many, 20, 0)
    assert columns == 20 - len("20") - 3
    drawn = text(candle_chart(many, 20, 6, volume_height=0, places=0)).splitlines()
    assert drawn[0][columns - 1] == "┃"
    assert drawn[0][: columns - 1].strip("┈ ") == ""


def test_few_candles_stand_at_the_axis() -> None:
    row = text(candle_chart([candle(0, "1", "2", "1", "2")], 20, 3, volume_height=0, places=0)).splitlines()[1]
    assert row.index("┃") == candle_columns([candle(0, "1", "2", "1", "2")], 20, 0) - 1


def test_a_market_that_stands_still() -> None:
    drawn = text(candle_chart([candle(n, "5", "5", "5", "5", "0") for n in range(3)], 20, 4, places=0))
    assert "◂5" in drawn
    assert "╹╹╹" in drawn


def test_no_candles() -> None:
    lines = candle_chart([], 20, 4)
    assert text(lines).strip() == "–"
    assert len(lines) == 4 + 2 + 2


def test_labels_keep_the_decimals_of_the_market() -> None:
    cheap = [candle(n, "0.00001234", "0.00001301", "0.00001200", "0.00001250") for n in range(5)]
    drawn = text(candle_chart(cheap, 40, 9, places=8))
    assert "◂0.00001250" in drawn
    assert " 0.00001200" in drawn


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (5 * 60_000, ["15 Jan", "01:00", "02:00"]),
        (HOUR, ["15 Jan", "12:00", "16 Jan"]),
        (86_400_000, ["22 Jan", "01 Feb", "11 Feb"]),
        (31 * 86_400_000, ["Jan 2027"]),
    ],
)
def test_times_are_round(step: int, expected: list[str]) -> None:
    candles = [candle(n, "10", "12", "9", "11", step=step) for n in range(30)]
    times = text(candle_chart(candles, 40, 4, places=0)).splitlines()[-1]
    found = [label for label in expected if label in times]
    assert found == expected
    assert [times.index(label) for label in found] == sorted(times.index(label) for label in found)


def test_ticks_stand_under_their_candle() -> None:
    candles = [candle(n, "10", "12", "9", "11") for n in range(30)]
    rule, times = text(candle_chart(candles, 40, 4, places=0)).splitlines()[-2:]
    # The thirteenth candle of the day opened at 12:00; the label is centred under it.
    column = candle_columns(candles, 40, 0) - 30 + 12
    assert rule[column] == "┴"
    assert times.index("12:00") == column - 2


prices = st.decimals(min_value=Decimal("0.01"), max_value=100_000, places=2)


@st.composite
def candles_of_any_market(draw: st.DrawFn) -> list[Kline]:
    found: list[Kline] = []
    for number in range(draw(st.integers(1, 30))):
        low, open_, close, high = (str(price) for price in sorted(draw(st.lists(prices, min_size=4, max_size=4))))
        if draw(st.booleans()):
            open_, close = close, open_
        found.append(candle(number, open_, high, low, close, str(draw(prices))))
    return found


@settings(max_examples=40)
@given(candles_of_any_market(), st.integers(20, 120), st.integers(2, 30), st.integers(0, 4))
def test_every_line_has_the_width(candles: list[Kline], width: int, height: int, volume_height: int) -> None:
    lines = candle_chart(candles, width, height, volume_height=volume_height)
    assert len(lines) == height + volume_height + 2
    assert {sum(len(span.text) for span in line) for line in lines} == {width}


@settings(max_examples=40)
@given(candles_of_any_market(), st.integers(2, 30))
def test_every_candle_touches_its_extremes(candles: list[Kline], height: int) -> None:
    lines = candle_chart(candles, 120, height, volume_height=0)[:height]
    high, low = max(candle.high for candle in candles), min(candle.low for candle in candles)
    columns = candle_columns(candles, 120)
    cells = ["".join(span.text for span in line)[:columns] for line in lines]
    for index, candle in enumerate(candles[-columns:]):
        column = columns - len(candles[-columns:]) + index
        if high != low and candle.high == high:
            assert cells[0][column] not in " ┈"
        if high != low and candle.low == low:
            assert cells[-1][column] not in " ┈"
