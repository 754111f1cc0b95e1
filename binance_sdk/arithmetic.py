"""Arithmetic on exact numbers, the same under every decimal context.

``decimal`` rounds each operation, a sum too, as the context of its caller says: after ``getcontext().prec = 8`` a
price times a quantity has eight digits. No figure of this package may depend on that, so each is computed in one of the
contexts here.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import wraps
from typing import ParamSpec, TypeVar

from binance_sdk.errors import ParameterError, shown

__all__ = ["EXACT", "MOST_DIGITS", "QUOTIENTS", "in_own_context", "quotient", "read_number"]

P = ParamSpec("P")
T = TypeVar("T")

MOST_DIGITS = 300
"""Digits that an argument may have before its point, and behind it: more than any exchange writes."""


def _context(digits: int) -> Context:
    return Context(
        prec=digits,
        rounding=ROUND_HALF_EVEN,
        Emin=MIN_EMIN,
        Emax=MAX_EMAX,
        capitals=1,
        clamp=0,
        flags=[],
        traps=[InvalidOperation, DivisionByZero, Overflow],
    )


EXACT = _context(10 * MOST_DIGITS)
"""Sums, differences and products of a few numbers lose nothing in it."""
QUOTIENTS = _context(28)
"""Where a result has no end, it ends here: the digits that ``decimal`` gives by default."""


def quotient(dividend: Decimal | int, divisor: Decimal | int) -> Decimal:
    """``dividend / divisor``, rounded once to 28 digits, half to even.

    Raises:
        ZeroDivisionError: ``divisor`` is 0.
    """
    return QUOTIENTS.divide(Decimal(dividend), divisor)


def in_own_context(function: Callable[P, T]) -> Callable[P, T]:
    """Decorator for plain functions: whatever they compute with Decimals, they compute in ``EXACT``."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with localcontext(EXACT):
            return function(*args, **kwargs)

    return call


def read_number(value: Decimal | int | str, name: str) -> Decimal:
    """A caller's number, exactly as written.

    Args:
        value: A Decimal, an int or a text like ``"0.001"``, finite and not negative.
        name: What it is called in messages.

    Raises:
        ParameterError: it is no such number.
    """
    reason, found = _read(value)
    if found is None:
        raise ParameterError(f"{name}={shown(value)} {reason}", parameter=name, value=value)
    return found


def _read(value: object) -> tuple[str, Decimal | None]:
    """Why a value is no number that can be used; or the number."""
    if isinstance(value, float):
        return "is a float, which is not the number you wrote: pass a Decimal or a string", None
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        return f"is a {type(value).__name__}: pass a Decimal, an int or a string", None
    too_long = f"has more than {MOST_DIGITS} digits before or behind the point: no price or quantity has"
    # Turning so long an int into a Decimal takes a time that grows with the square of its length.
    if isinstance(value, int) and value.bit_length() > 4 * MOST_DIGITS:
        return too_long, None
    try:
        found = Decimal(value, EXACT)
    except InvalidOperation:
        return "is no number: write it like '0.001'", None
    if not found.is_finite():
        return "is not finite: pass a number", None
    exponent = found.as_tuple().exponent
    assert isinstance(exponent, int)
    if exponent < -MOST_DIGITS or (found and found.adjusted() >= MOST_DIGITS):
        return too_long, None
    if found < 0:
        return "is negative: prices and quantities are 0 or more", None
    # Of a 0E+99999 nobody wants the zeros, and -0 is 0.
    return "", found.copy_abs() if found or exponent <= 0 else Decimal(0)
