"""Which errors are worth another attempt, and after which pause; the loop is in ``engine``."""

from __future__ import annotations

import random

from binance_sdk.errors import APIConnectionError, DecodeError, RateLimitError, ServerError

_FIRST, _LONGEST = 0.2, 5.0
_LONGEST_RETRY_AFTER = 60.0
"""Seconds. Where the server asks for a longer pause, the caller decides: the error says how long it is."""


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed when sent again. All are GET, so sending one twice is harmless."""
    if isinstance(error, DecodeError):
        # A page of HTML or a torn body comes from something between us and Binance; a wrong field would come again.
        return error.garbled
    if isinstance(error, ServerError):
        return (error.retry_after or 0.0) <= _LONGEST_RETRY_AFTER
    return isinstance(error, (APIConnectionError, RateLimitError))


def pause_after(error: BaseException, attempt: int) -> float:
    """Seconds before the next attempt: doubling, half of it random.

    After 429 the gate decides when to go on, so the pause itself is short.
    """
    longest = min(_FIRST * 2.0 ** (attempt - 1), _LONGEST)
    retry_after = error.retry_after if isinstance(error, ServerError) else None
    return max(longest * (0.5 + random.random() / 2), retry_after or 0.0)
