"""Running a command's coroutines: helpers run_beside the main one, and which failure is told."""

from __future__ import annotations

import asyncio

import pytest

from binance_sdk.cli.event_loop import first_failure, run_beside
from binance_sdk.errors import APIConnectionError, CircuitOpenError


async def forever() -> None:
    await asyncio.Event().wait()


async def fail(error: Exception) -> None:
    raise error


async def answer(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def test_helpers_end_with_the_main_one() -> None:
    async with asyncio.timeout(10):
        assert await run_beside(answer(7), forever()) == 7
    assert len(asyncio.all_tasks()) == 1


async def test_a_helper_that_fails_ends_all_with_its_own_error() -> None:
    error = ValueError("no such symbol")
    with pytest.raises(ValueError, match="no such symbol") as caught:
        await run_beside(forever(), forever(), fail(error))
    assert caught.value is error


async def test_a_helper_that_is_done_ends_nothing() -> None:
    async def done() -> None:
        pass

    assert await run_beside(answer(3), done()) == 3


def test_of_several_failures_the_one_that_says_why() -> None:
    open_, why = CircuitOpenError("failed too often"), APIConnectionError("refused")
    assert first_failure(ExceptionGroup("all", [open_, ExceptionGroup("some", [why, KeyError()])])) is why
    assert first_failure(ExceptionGroup("all", [open_])) is open_
