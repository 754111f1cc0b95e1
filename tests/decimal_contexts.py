"""Decimal contexts that users really set, and some that nobody would."""

from __future__ import annotations

from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_UP,
    Context,
    Inexact,
    Rounded,
)

EVERY_SIGNAL = list(Context().traps)

HOSTILE = {
    **{f"prec={digits}": Context(prec=digits) for digits in range(1, 9)},
    "rounds up": Context(prec=6, rounding=ROUND_UP),
    "rounds down": Context(prec=6, rounding=ROUND_DOWN),
    "rounds to the ceiling": Context(rounding=ROUND_CEILING),
    "rounds to the floor": Context(rounding=ROUND_FLOOR),
    "traps Inexact": Context(traps=[Inexact, Rounded]),
    "traps everything": Context(prec=4, traps=EVERY_SIGNAL),
    "traps nothing": Context(prec=3, traps=[]),
    "small exponents": Context(Emax=3, Emin=-3, clamp=1, traps=EVERY_SIGNAL),
    "more digits": Context(prec=90, rounding=ROUND_HALF_EVEN, Emax=MAX_EMAX, Emin=MIN_EMIN),
}
