"""How long a developer waits for ``python -m codegen check``."""

from __future__ import annotations

import subprocess
import sys
from statistics import median
from time import perf_counter

from benchmarks._environments import ROOT
from benchmarks._figures import Figure, Target

_RUNS = 3


def run(options: object) -> list[Figure]:
    taken: list[float] = []
    clean = True
    for _ in range(_RUNS):
        begun = perf_counter()
        done = subprocess.run([sys.executable, "-m", "codegen", "check"], cwd=ROOT, capture_output=True, check=False)
        taken.append(perf_counter() - begun)
        clean = clean and done.returncode == 0
    note = "" if clean else "the generated code differs from the spec: run python -m codegen generate"
    return [
        Figure("codegen", "python -m codegen check", median(taken), "s", target=Target("<", 3.0), note=note),
    ]
