"""Which errors are tried again, and after which pause."""

from __future__ import annotations

import pytest

from binance_sdk._runtime.calls.retry import is_transient, pause_after
from binance_sdk.errors import APIConnectionError, BadRequestError, DecodeError, RateLimitError, ServerError


@pytest.mark.parametrize(("attempt", "longest"), [(1, 0.2), (2, 0.4), (5, 3.2), (6, 5.0), (50, 5.0)])
def test_pauses_double_up_to_five_seconds_and_half_of_each_is_random(attempt: int, longest: float) -> None:
    pauses = [pause_after(APIConnectionError("lost"), attempt) for _ in range(200)]
    assert longest / 2 <= min(pauses) < max(pauses) <= longest
    assert max(pauses) - min(pauses) > longest / 4


def test_a_server_is_given_the_pause_that_it_asks_for_up_to_a_minute() -> None:
    overloaded = ServerError("busy", status_code=503, retry_after=20.0)
    assert is_transient(overloaded)
    assert pause_after(overloaded, 1) == 20.0
    # After 429 the gate decides.
    limited = RateLimitError("too many", status_code=429, retry_after=20.0)
    assert is_transient(limited)
    assert pause_after(limited, 1) <= 0.2
    assert is_transient(ServerError("busy", status_code=503, retry_after=60.0))
    assert not is_transient(ServerError("busy", status_code=503, retry_after=61.0))


def test_what_would_come_again_is_not_tried_again() -> None:
    assert not is_transient(BadRequestError("no", status_code=400))
    assert not is_transient(DecodeError("a wrong field"))
