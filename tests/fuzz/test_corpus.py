"""Every input that is kept, every good one and some changes of each are read or refused as documented."""

from __future__ import annotations

from random import Random

import pytest

from tests.fuzz.target import Target, within_bounds
from tests.fuzz.targets import TARGETS

every = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
CHANGES = 60
"""Of each target; ``python -m benchmarks fuzz`` makes many more."""


@every
def test_what_is_kept_and_what_is_good_is_read_or_refused(target: Target) -> None:
    for data in target.seeds():
        with within_bounds():
            read = target.run(data)
        # A target that refuses everything proves nothing.
        assert read, data
    for path in target.corpus():
        with within_bounds():
            target.run(path.read_bytes())


@every
def test_changes_of_what_is_good_are_read_or_refused(target: Target) -> None:
    random, begin = Random(target.name), [*target.seeds(), *(path.read_bytes() for path in target.corpus())]
    read = 0
    for _ in range(CHANGES):
        data = target.mutate(random.choice(begin), random)
        try:
            with within_bounds():
                read += target.run(data)
        except BaseException as error:
            error.add_note(f"{target.name} was given {data!r}")
            raise
    assert 0 < read < CHANGES
