"""How long a developer waits for ``python -m codegen``, and whether more markets take more than their share."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks._environments import ROOT
from benchmarks._figures import Figure, Target

_RUNS = 3
_COPIED = "futures"
"""The largest market."""
_MORE = 3
"""So many copies of it make one step of growth."""


def run(options: object) -> list[Figure]:
    return [*_commands(), *_growth()]


def _commands() -> list[Figure]:
    figures: list[Figure] = []
    for command in ("check", "generate"):
        taken: list[float] = []
        clean = True
        for _ in range(_RUNS):
            begun = perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "codegen", command], cwd=ROOT, capture_output=True, check=False
            )
            taken.append(perf_counter() - begun)
            clean = clean and done.returncode == 0
        note = "" if clean else "the generated code differs from the spec: run python -m codegen generate"
        name = f"python -m codegen {command}"
        figures.append(Figure("codegen", name, median(taken), "s", target=Target("<", 3.0), note=note))
    return figures


def _growth() -> list[Figure]:
    """Processor time, which other work on the machine disturbs less: that of two steps of the same size."""
    with TemporaryDirectory() as folder:
        sizes = [_grown(Path(folder) / f"and {copies}", copies) for copies in (0, _MORE, 2 * _MORE)]
        times = [min(_generated(place) for _ in range(_RUNS)) for place in sizes]
    first, second = times[1] - times[0], times[2] - times[1]
    note = (
        f"{times[0]:.1f} s of processor time for the spec, {times[2]:.1f} s with {2 * _MORE} copies of {_COPIED} in it"
    )
    name = "the last markets of a larger spec, against the first ones"
    return [Figure("codegen", name, second / first, "×", target=Target("<", 1.3), note=note)]


def _grown(place: Path, copies: int) -> Path:
    """A spec with so many copies of a market in it, each with its endpoints, streams and examples."""
    spec = place / "spec"
    shutil.copytree(ROOT / "spec", spec)
    text = (spec / "markets.yaml").read_text(encoding="utf-8")
    begun = re.search(rf"^  {_COPIED}:\n(?:    .*\n)+", text[text.index("\nmarkets:") :], re.MULTILINE)
    assert begun is not None
    for number in range(copies):
        name = f"{_COPIED}_{'abcdefgh'[number]}"
        # Symbols of two markets never look the same.
        entry = begun[0].replace("pattern: '", f"pattern: '(?!{name}$)")
        text += entry.replace(f"  {_COPIED}:\n", f"  {name}:\n", 1)
        shutil.copytree(spec / _COPIED, spec / name)
        shutil.copy(spec / "streams" / f"{_COPIED}.yaml", spec / "streams" / f"{name}.yaml")
        shutil.copytree(spec / "fixtures" / _COPIED, spec / "fixtures" / name)
    (spec / "markets.yaml").write_text(text, encoding="utf-8")
    return place


def _generated(place: Path) -> float:
    """Seconds of processor time that generating it anew takes, ``ruff`` included."""
    out = place / "binance_sdk" / "_generated"
    shutil.rmtree(out.parent, ignore_errors=True)
    before = getrusage(RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "codegen", "--spec", str(place / "spec"), "--out", str(out), "generate"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    after = getrusage(RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"the larger spec cannot be generated:\n{done.stdout}{done.stderr}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
