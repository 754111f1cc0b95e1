"""What is tried again, after which pause, and how often in all; tenacity does the mechanics."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from binance_sdk._runtime.budget.retry_quota import RetryQuota
from binance_sdk._runtime.locks import IMPORT_LOCK
from binance_sdk.errors import APIConnectionError, BinanceError, DecodeError, RateLimitError, ServerError

if TYPE_CHECKING:
    from tenacity import AsyncRetrying, RetryCallState

_FIRST, _LONGEST = 0.2, 5.0
_LONGEST_TOLD = 60.0
"""Who is told to come back later than this decides for himself: the error tells when."""


def is_transient(error: BaseException) -> bool:
    """Whether the same request may well succeed: all are GET, so sending one twice is harmless."""
    if isinstance(error, DecodeError):
        # A page of HTML or a torn body came from something in between; a wrong field would come again.
        return error.garbled
    if isinstance(error, ServerError):
        return (error.retry_after or 0.0) <= _LONGEST_TOLD
    return isinstance(error, (APIConnectionError, RateLimitError))


def pause_after(error: BaseException | None, attempt: int, jitter: Callable[[], float] = random.random) -> float:
    """Seconds before the next attempt: doubling, half of it random.

    After 429 the gate decides when to go on, so the pause itself is short.
    """
    longest = min(_FIRST * 2.0 ** (attempt - 1), _LONGEST)
    told = error.retry_after if isinstance(error, ServerError) else None
    return max(longest * (0.5 + jitter() / 2), told or 0.0)


def retrying(
    attempts: int,
    sleep: Callable[[float], Awaitable[None]],
    quota: RetryQuota,
    time_left: Callable[[], float],
    before_sleep: Callable[[BinanceError, float, int], None],
    out_of_time: Callable[[BinanceError], None],
) -> AsyncRetrying:
    """A tenacity loop by this module's rules.

    Args:
        attempts: Attempts in all, the first included.
        sleep: Awaitable pause.
        quota: Shared by all calls to one pool.
        time_left: Seconds until the caller's deadline.
        before_sleep: Told of each retry: error, pause, number of the attempt that failed.
        out_of_time: Told of the error after which the deadline leaves no time.
    """
    with IMPORT_LOCK:
        from tenacity import AsyncRetrying, stop_after_attempt
        from tenacity.stop import stop_base

    class _OutOfTimeOrQuota(stop_base):
        def __call__(self, state: RetryCallState) -> bool:
            if state.upcoming_sleep >= time_left():
                error = state.outcome.exception() if state.outcome else None
                if isinstance(error, BinanceError):
                    out_of_time(error)
                return True
            return not quota.spend()

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return pause_after(error, state.attempt_number)

    def told(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, BinanceError):
            before_sleep(error, state.upcoming_sleep, state.attempt_number)

    return AsyncRetrying(
        stop=stop_after_attempt(attempts) | _OutOfTimeOrQuota(),
        wait=wait,
        retry=_retry_if_transient,
        sleep=sleep,
        before_sleep=told,
        reraise=True,
    )


def _retry_if_transient(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return error is not None and is_transient(error)
