"""Live books: whatever is cancelled or closed, at any step, ends, and nothing of it is left."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from binance_sdk.simulator import Simulator

from . import book_worlds
from .steps import run, tried_at_some_steps


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


@pytest.mark.parametrize(
    ("case", "transport"),
    [
        pytest.param(case, transport, id=f"{case.__name__}-{transport}")
        for case, transport in zip(book_worlds.CASES, ("httpx", "aiohttp", "httpx"), strict=True)
    ],
)
def test_nothing_is_left_at_any_step(simulator: Simulator, case: type[book_worlds.Books], transport: Any) -> None:
    def make() -> book_worlds.Books:
        return case(simulator, transport)

    assert run(make).steps > 1
    tried_at_some_steps(make, run(make).steps, 2, random.Random(case.__name__), interferes=True)
