"""Runs a target for a time with changed inputs, and keeps what fails."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter

from tests.fuzz.target import BeyondBoundsError, Target, save, within_bounds

_MOST_FAILURES = 10
"""Different ones, after which there is enough to mend."""
_MOST_SHORTENINGS = 300
_PROMISING = 200
"""Inputs that are changed further."""


@dataclass(slots=True)
class Run:
    """What came of it.

    Args:
        executions: Inputs that were tried.
        read: How many of them were read, and not refused.
        seconds: How long it took, without shortening what failed.
        failures: Each failing input with the last lines of its traceback.
    """

    executions: int = 0
    read: int = 0
    seconds: float = 0.0
    failures: list[tuple[Path, str]] = field(default_factory=list[tuple[Path, str]])


def fuzz(target: Target, seconds: float, seed: int) -> Run:
    """Try changes of seeds, corpus and changed inputs for so long; what fails is shortened and saved."""
    random, run, known = Random(seed), Run(), set[str]()
    begin = [*target.seeds(), *(path.read_bytes() for path in target.corpus())]
    further: list[bytes] = []
    begun = perf_counter()
    while run.seconds < seconds and len(run.failures) < _MOST_FAILURES:
        data = target.mutate(random.choice(further if further and random.random() < 0.5 else begin), random)
        found = failure_of(target, data, run)
        run.executions += 1
        run.seconds = perf_counter() - begun
        if found is None:
            if len(data) < 100_000 and random.random() < 0.1:
                further[random.randrange(_PROMISING) :] = [data]
        elif found[0] not in known:
            known.add(found[0])
            run.failures.append((save(target, _shortened(target, data, found[0])), found[1]))
            begun = perf_counter() - run.seconds
    return run


def failure_of(target: Target, data: bytes, run: Run | None = None) -> tuple[str, str] | None:
    """What tells this failure from others, and its text; None where there is none."""
    try:
        with within_bounds():
            read = target.run(data)
    except (Exception, BeyondBoundsError) as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        frames = traceback.extract_tb(error.__traceback__)
        # What took too long was interrupted anywhere.
        place = "" if isinstance(error, BeyondBoundsError) else f"{frames[-1].filename}:{frames[-1].lineno}"
        return f"{type(error).__name__} {place}", "".join(traceback.format_exception(error)[-8:])
    if run is not None:
        run.read += read
    return None


def _shortened(target: Target, data: bytes, signature: str) -> bytes:
    """A shorter input with the same failure, where leaving out lines or bytes gives one."""
    tries, size = 0, max(1, len(data) // 2)
    while size and tries < _MOST_SHORTENINGS:
        at = 0
        while at < len(data) and tries < _MOST_SHORTENINGS:
            shorter = data[:at] + data[at + size :]
            found = failure_of(target, shorter)
            tries += 1
            if found is not None and found[0] == signature:
                data = shorter
            else:
                at += size
        size //= 2
    return data
