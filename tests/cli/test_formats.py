"""Numbers, times and texts as they are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from binance_sdk.cli.formats import compact, duration, exact, percent, places_of, printable, signed, utc


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        ("78225.73000000", 2, "78,225.73"),
        ("78225.70000000", 2, "78,225.70"),
        ("78225.73120000", 2, "78,225.7312"),
        ("0.00000000", 0, "0"),
        ("1E-8", 0, "0.00000001"),
        ("-1234.5", 0, "-1,234.5"),
        ("-0.5", 2, "-0.50"),
    ],
)
def test_exact_neither_rounds_nor_pads_more_than_asked(value: str, places: int, expected: str) -> None:
    assert exact(Decimal(value), places) == expected


def test_absent_is_a_dash() -> None:
    assert exact(None) == compact(None) == "–"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("24331936.99", "24.33M"),
        ("1239", "1.23k"),
        ("999.9999", "999.999"),
        ("0.00001", "0.00001"),
        ("-5000", "-5.00k"),
    ],
)
def test_compact_never_shows_more_than_there_is(value: str, expected: str) -> None:
    assert compact(Decimal(value)) == expected


def test_signs() -> None:
    assert (signed(Decimal("1.5"), 2), signed(Decimal("-1.5"), 2), signed(Decimal(0))) == ("+1.50", "-1.50", "0")
    assert percent(Decimal("0.00010000")) == "+0.0100%"
    assert percent(Decimal("-0.00000001")) == "-0.000001%"


@pytest.mark.parametrize(
    ("step", "places"), [("0.01000000", 2), ("0.00001", 5), ("1.00000000", 0), ("10", 0), ("0", 0)]
)
def test_places_of_a_grid(step: str, places: int) -> None:
    assert places_of(Decimal(step)) == places


def test_times() -> None:
    assert utc(datetime(2026, 11, 25, 3, 4, 5, tzinfo=UTC)) == "2026-11-25 03:04:05Z"
    assert utc(datetime(2026, 11, 25, 3, 4, 5, 7000, tzinfo=UTC)) == "2026-11-25 03:04:05.007Z"
    assert [duration(seconds) for seconds in (0.4, 48, 300, 301, 14_400)] == [
        "0 s",
        "48 s",
        "5 min",
        "5 min 01 s",
        "4 h 00 min",
    ]


def test_nothing_steers_the_terminal() -> None:
    assert printable("a\x1b[31mred\n\tb\u202e") == r"a\x1b[31mred b\u202e"
    assert printable("币安人生USDT") == "币安人生USDT"
