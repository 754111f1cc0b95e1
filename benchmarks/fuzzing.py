"""Inputs a second that each target of ``tests/fuzz`` is tried with, and that none of them fails."""

from __future__ import annotations

import argparse
import random

from benchmarks._environments import ROOT
from benchmarks._figures import Figure, Target
from tests.fuzz.running import fuzz
from tests.fuzz.targets import TARGETS


def run(options: argparse.Namespace) -> list[Figure]:
    # Another one each time: what is found is kept in the corpus.
    seed = random.SystemRandom().randrange(2**32) if options.fuzz_seed is None else options.fuzz_seed
    figures: list[Figure] = []
    for target in TARGETS.values():
        found = fuzz(target, options.fuzz_seconds, seed)
        for path, text in found.failures:
            kept = path.relative_to(ROOT)
            print(f"{target.name} fails at {kept}; replay it with: python -m tests.fuzz {kept}\n{text}")
        note = f"--fuzz-seed {seed}; the rest was refused as documented, or failed"
        figures += [
            Figure("fuzz", f"{target.name}: inputs tried", found.executions / max(found.seconds, 1e-9), "/s"),
            Figure("fuzz", f"{target.name}: read", found.read / max(found.executions, 1), "%", note=note),
            Figure("fuzz", f"{target.name}: failures", len(found.failures), target=Target("=", 0)),
        ]
    return figures
