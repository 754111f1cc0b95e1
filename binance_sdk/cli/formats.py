"""Formats numbers and times for people; only functions whose name says so round."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal

ABSENT = "–"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ((Decimal(10) ** 12, "T"), (Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))


def printable(text: str) -> str:
    """``text`` on one line, with control characters escaped."""
    line = " ".join(text.split())
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in line)


def places_of(step: Decimal | None) -> int:
    """Decimal places of a step: 2 for ``0.01000000``."""
    if step is None or step <= 0:
        return 0
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def exact(value: Decimal | None, places: int = 0) -> str:
    """Every digit, grouped by thousands, with at least ``places`` decimals and no further trailing zeros."""
    if value is None:
        return ABSENT
    whole, _, fraction = format(value, "f").partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}" + (f".{fraction}" if fraction else "")


def rounded(value: Decimal, places: int) -> str:
    """Rounded to ``places`` decimals, grouped by thousands."""
    return f"{value:,.{places}f}"


def signed(value: Decimal, places: int = 0) -> str:
    """``exact`` with its sign."""
    return ("+" if value > 0 else "") + exact(value, places)


def compact(value: Decimal | None) -> str:
    """Three or four leading digits: ``1.05M``."""
    if value is None:
        return ABSENT
    for size, unit in _UNITS:
        if abs(value) >= size:
            return f"{(value / size).quantize(Decimal('0.01'), ROUND_DOWN)}{unit}"
    return exact(value.quantize(Decimal("0.001"), ROUND_DOWN)) if abs(value) >= 1 else exact(value)


def percent(fraction: Decimal, places: int = 4) -> str:
    """A signed fraction in percent, exact: ``+0.0100%`` for 0.0001."""
    return f"{signed(fraction * 100, places)}%"


def utc(moment: datetime) -> str:
    """``2026-11-25 03:44:02.123Z``; milliseconds where there are any."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    milliseconds = moment.microsecond // 1000
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"


def moment(milliseconds: int) -> datetime:
    """Epoch milliseconds as an aware UTC datetime, exactly."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def duration(seconds: float) -> str:
    """``4 h 12 min``, ``5 min``, ``48 s``."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    if minutes:
        return f"{minutes} min {left:02d} s" if left else f"{minutes} min"
    return f"{left} s"
