"""Whatever blocking call Ctrl-C ends, at any step, nothing of it is left, and the same client makes the next one."""

from __future__ import annotations

import random
import sys

import pytest

from .interrupts import CASES, Blocking, run, some_steps
from .steps import EVERY_STEP, LeftOver

pytestmark = [
    pytest.mark.skipif(sys.getprofile() is not None, reason="something else profiles this process"),
    *([pytest.mark.timeout(3600)] if EVERY_STEP else []),
]


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_left_at_any_step(case: type[Blocking]) -> None:
    # The first one imports.
    run(case)
    steps = run(case).steps
    assert steps > 100
    left: list[str] = []
    for at in some_steps(steps, 8, random.Random(case.__name__)):
        try:
            run(case, at)
        except LeftOver as error:
            left.append(str(error))
    assert not left, "\n".join(left)
