"""What the many cost beside the few: rows, symbols, streams, books, processes. Cost of one and memory at each point.

Every point is a fresh process, and checks what it got. In each round the points follow each other, so that a machine
that is slower for a while is so for all of them; what is judged is the last point beside the middle one. Rows are
judged by how much more they grow than ``json.loads`` of the same bytes does: fresh memory costs everybody.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import median

from benchmarks import _curve_samples as samples
from benchmarks._curve_samples import Sample
from benchmarks._figures import Figure, Target
from benchmarks._timing import interleaved

_MOST = Target("≤", 1.2, "ratio")


@dataclass(frozen=True, slots=True)
class Curve:
    """A number that grows, and what it should not change.

    Args:
        name: What there is more and more of.
        points: How many of them, from few to many.
        measure: One sample of a point.
        one: What CPU is counted for, with its article.
        memory: What memory is counted for: one of them, where all together take so many times as much, or the process,
            where more of them take no more.
        rounds: Samples of each point.
        note: What was done.
        floor: What is measured beside it, if anything is.
    """

    name: str
    points: tuple[int, ...]
    measure: Callable[[int], Sample]
    one: str
    memory: str
    rounds: int
    note: str
    floor: str = ""

    @property
    def middle(self) -> int:
        """The point that the last one is compared with."""
        return self.points[len(self.points) // 2]


CURVES = (
    Curve(
        *("rows", (10, 100, 1_000, 10_000, 100_000), samples.rows, "a row", "row", 3),
        note="klines of one answer, decoded as a call does it",
        floor="json.loads",
    ),
    Curve(
        *("symbols", (10, 100, 1_000), samples.each_symbol, "a symbol", "process", 3),
        note="each(klines) of a hundred bars, a thousand calls over httpx in all, budget on",
    ),
    Curve(
        *("streams", (1, 10, 100, 1_000), samples.streams, "a message", "process", 5),
        note="40 000 aggregate trades in all over one connection, typed",
    ),
    Curve(
        *("books", (1, 10, 30, 100, 300), samples.books, "an update", "book", 3),
        note="live books of 1000 levels a side; an exchange in a process of its own",
    ),
    Curve(
        *("processes", (1, 2, 4, 8), samples.processes, "a call", "process", 1),
        note="50 tasks each, one budget in a Valkey, limits beyond reach; CPU of all processes by all calls",
    ),
)


def run(options: object) -> list[Figure]:
    return [figure for curve in CURVES for figure in figures(curve, _alone)]


def figures(curve: Curve, sample: Callable[[Curve, int], Sample]) -> list[Figure]:
    """Cost and memory at each point; the last is judged beside the middle one."""
    kept: dict[int, list[Sample]] = {point: [] for point in curve.points}

    def sampler(point: int) -> Callable[[], float]:
        def take() -> float:
            found = sample(curve, point)
            kept[point].append(found)
            return found.seconds

        return take

    timed = interleaved({str(point): sampler(point) for point in curve.points}, curve.rounds)
    last, middle = curve.points[-1], curve.middle
    costs = {point: timed.seconds(str(point)) * 1e6 for point in curve.points}
    sizes = {point: median(each.memory for each in found) for point, found in kept.items()}
    floors = {point: median(each.floor or 0.0 for each in found) * 1e6 for point, found in kept.items()}
    unit, growth = f"µs CPU {curve.one}", timed.ratio(str(last), str(middle))
    lines = _line(curve, curve.name, costs, unit, growth, judged=not floors[last])
    if floors[last]:
        bare = floors[last] / floors[middle]
        lines += _line(curve, f"{curve.name}, {curve.floor}", floors, unit, bare, judged=False)
        name = f"{curve.name}, {_count(last)} beside {_count(middle)}: growth beside that of {curve.floor}"
        lines.append(Figure("curves", name, growth, "", bare, growth / bare, _MOST, curve.note))
    whole = curve.memory == "process"
    size_unit, scale = ("MiB", 2**20) if whole else (f"KiB a {curve.memory}", 2**10)
    name = f"{curve.name}, memory" + (" of a process" if whole else "")
    scaled = {point: size / scale for point, size in sizes.items()}
    return [*lines, *_line(curve, name, scaled, size_unit, sizes[last] / sizes[middle], judged=True)]


def _line(curve: Curve, name: str, values: dict[int, float], unit: str, growth: float, *, judged: bool) -> list[Figure]:
    last, middle = curve.points[-1], curve.middle
    note = f"{curve.note}; floor of the last point: {_count(middle)}"
    found = [
        Figure("curves", f"{name}: {_count(point)}", value, unit, note=note)
        for point, value in values.items()
        if point != last
    ]
    target = _MOST if judged else None
    return [
        *found,
        Figure("curves", f"{name}: {_count(last)}", values[last], unit, values[middle], growth, target, note),
    ]


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ") if number >= 10_000 else str(number)


def _alone(curve: Curve, point: int) -> Sample:
    """In a process that has done nothing else."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(curve.measure, point).result(timeout=300)
