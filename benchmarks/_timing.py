"""CPU time of small functions, compared within one run.

A shared machine changes its speed all the time, so only ratios mean something: every round measures all variants one
after the other, the order is turned round each time, and the median of the rounds counts. The garbage collector stays
on, as it does for whoever uses the library.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import process_time
from typing import Any, TypeAlias

Call: TypeAlias = Callable[[], Awaitable[object]]

_SAMPLE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Rounds:
    """Seconds of each variant, by round."""

    samples: Mapping[str, Sequence[float]]

    def seconds(self, name: str) -> float:
        return median(self.samples[name])

    def ratio(self, name: str, floor: str) -> float:
        """Median over the rounds, so that what slowed a whole round down cancels out."""
        return median(ours / theirs for ours, theirs in zip(self.samples[name], self.samples[floor], strict=True))

    def difference(self, name: str, floor: str) -> float:
        return median(ours - theirs for ours, theirs in zip(self.samples[name], self.samples[floor], strict=True))


def rounds(variants: Mapping[str, Callable[[], object]], count: int = 15, sample: float = _SAMPLE_SECONDS) -> Rounds:
    """CPU seconds of one call of each variant."""
    repeats = {name: _repeats(call, sample) for name, call in variants.items()}
    return interleaved({name: _sampler(call, repeats[name]) for name, call in variants.items()}, count)


def interleaved(samplers: Mapping[str, Callable[[], float]], count: int) -> Rounds:
    """Rounds of functions that measure themselves."""
    samples: dict[str, list[float]] = {name: [] for name in samplers}
    order = list(samplers)
    for _ in range(count):
        for name in order:
            samples[name].append(samplers[name]())
        order.reverse()
    return Rounds(samples)


def awaited(run: Callable[[Coroutine[Any, Any, None]], object], call: Call, count: int) -> Callable[[], float]:
    """A function that measures the CPU seconds of one awaited call, of so many one after the other.

    Args:
        run: Runs a coroutine to its end, on the loop that the client belongs to.
        call: Begins a call.
        count: How many in a sample.
    """

    async def calls() -> None:
        for _ in range(count):
            await call()

    def sample() -> float:
        begun = process_time()
        run(calls())
        return (process_time() - begun) / count

    return sample


def _sampler(call: Callable[[], object], repeats: int) -> Callable[[], float]:
    def sample() -> float:
        begun = process_time()
        for _ in range(repeats):
            call()
        return (process_time() - begun) / repeats

    return sample


def _repeats(call: Callable[[], object], sample: float) -> int:
    call()
    repeats = 1
    while True:
        begun = process_time()
        for _ in range(repeats):
            call()
        taken = process_time() - begun
        if taken >= sample / 4:
            return max(1, round(repeats * sample / taken))
        repeats *= 2
