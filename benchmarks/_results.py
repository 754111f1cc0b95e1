"""The figures that the project states, by benchmark, with when and where they were taken: ``results.json``."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks._figures import Figure, Target

PATH = Path(__file__).with_name("results.json")
_QUIET = 0.5
"""Load average by processor up to which a machine counts as idle before a run."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The figures of one benchmark.

    Attributes:
        benchmark: Its name.
        taken: The day.
        python: Version of the interpreter.
        machine: The system, its processors, and whether anything else ran on them.
        figures: The figures.
    """

    benchmark: str
    taken: str
    python: str
    machine: str
    figures: tuple[Figure, ...]

    def figure(self, name: str) -> Figure:
        """A figure by its name.

        Raises:
            KeyError: there is none of that name.
        """
        for figure in self.figures:
            if figure.name == name:
                return figure
        raise KeyError(f"{self.benchmark} has no figure {name!r}")


def recorded(path: Path = PATH) -> dict[str, Recorded]:
    """All that was recorded, by benchmark."""
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: Recorded(
            name,
            entry["taken"],
            entry["python"],
            entry["machine"],
            tuple(_figure(name, one) for one in entry["figures"]),
        )
        for name, entry in found.items()
    }


def _figure(benchmark: str, one: Mapping[str, Any]) -> Figure:
    target = None if one["target"] is None else Target(**one["target"])
    return Figure(benchmark, one["name"], one["ours"], one["unit"], one["floor"], one["ratio"], target)


def describe_machine(load: float) -> str:
    """This machine, with the load that it had before the run began."""
    cores = os.cpu_count() or 1
    state = "idle" if load <= _QUIET * cores else f"busy (load average {load:.0f})"
    return f"{platform.system()}, {cores} cores, {state}"


def record(figures: Sequence[Figure], machine: str, order: Sequence[str], python: str, path: Path = PATH) -> None:
    """Put the figures of a run in the place of what was recorded of their benchmarks.

    Args:
        figures: What a run found.
        machine: Where, as ``describe_machine`` has it.
        order: Names of all benchmarks, in the order of the file.
        python: Version of the interpreter that was measured.
        path: The file.
    """
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name in dict.fromkeys(figure.benchmark for figure in figures):
        known[name] = {
            "taken": datetime.now(UTC).date().isoformat(),
            "python": python,
            "machine": machine,
            "figures": [_as_json(figure) for figure in figures if figure.benchmark == name],
        }
    ordered = {name: known[name] for name in (*order, *sorted(known.keys() - set(order))) if name in known}
    path.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _as_json(figure: Figure) -> dict[str, object]:
    kept = asdict(figure)
    # Its note belongs to whoever reads the run; the page has its own words.
    del kept["benchmark"], kept["note"]
    for key in ("ours", "floor", "ratio"):
        if isinstance(kept[key], float):
            kept[key] = round(kept[key], 6) if abs(kept[key]) < 1 else float(f"{kept[key]:.6g}")
    return kept
