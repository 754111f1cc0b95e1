"""Whatever is cancelled or closed, at any step, ends, and nothing of it is left.

A few steps of each piece of work are tried, spread over all of them. With ``EVERY_STEP=1`` in the environment each step
is, which takes half an hour.
"""

from __future__ import annotations

import random

import pytest

from . import call_worlds, stream_worlds
from .steps import EVERY_STEP, World, run, tried_at_some_steps

WORK = [
    pytest.param(case, variant, id=f"{case.__name__}-{variant}")
    for cases, variants in ((stream_worlds.CASES, ("websockets", "aiohttp")), (call_worlds.CASES, ("httpx", "aiohttp")))
    for case in cases
    for variant in variants
]
if EVERY_STEP:
    pytestmark = pytest.mark.timeout(3600)


@pytest.mark.parametrize(("case", "variant"), WORK)
def test_nothing_is_left_at_any_step(case: type[stream_worlds.Streams | call_worlds.Calls], variant: str) -> None:
    def make() -> World:
        return case(variant)

    steps = run(make).steps
    assert steps > 1
    chance = random.Random(f"{case.__name__} {variant}")
    interferes = case.interfere is not World.interfere
    tried_at_some_steps(make, steps, 1 if case.slow else 2, chance, interferes=interferes)
