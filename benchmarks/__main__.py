"""``python -m benchmarks [name ...] [--json FILE]``."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from benchmarks._figures import Figure, missed, table
from benchmarks._results import describe_machine, record

BENCHMARKS = {
    "import": "importing",
    "decode": "decoding",
    "frames": "frames",
    "codegen": "generating",
    "call": "calling",
    "metrics": "metrics",
    "drift": "drifting",
    "budget": "budgeting",
    "share": "sharing",
    "scale": "scale",
    "cache": "caching",
    "backfill": "backfilling",
    "history": "history",
    "faults": "failing",
    "adapter": "adapter",
    "sources": "sources",
    "virtuoso-streams": "virtuoso_streams",
    "streams": "streams",
    "books": "books",
    "many-books": "many_books",
    "curves": "curves",
    "peers": "peers",
    "peers-rest": "peers_rest",
    "fuzz": "fuzzing",
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description="Measure what the README states; exits 1 where a target is missed."
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"which: {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument(
        "--record", action="store_true", help="keep the figures as those that the pages state (benchmarks/results.json)"
    )
    parser.add_argument("--days", type=int, default=365, help="backfill: days of history (default: %(default)s)")
    parser.add_argument(
        "--rows", type=int, default=5_000_000, help="history: rows to fetch over REST (default: %(default)s)"
    )
    parser.add_argument("--calls", type=int, default=10_000, help="faults: calls to make (default: %(default)s)")
    parser.add_argument(
        "--windows", type=int, default=4, help="budget, share, scale: whole windows to fill (default: %(default)s)"
    )
    parser.add_argument(
        "--fuzz-seconds", type=float, default=30.0, help="fuzz: seconds for each target (default: %(default)g)"
    )
    parser.add_argument("--fuzz-seed", type=int, help="fuzz: makes the same inputs again (default: another each time)")
    parser.add_argument(
        "--peer-python", metavar="PATH", help="peers, peers-rest: an interpreter for them (default: a Python 3.13)"
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    machine = describe_machine(os.getloadavg()[0])
    figures: list[Figure] = []
    broken: list[str] = []
    for name in options.names or BENCHMARKS:
        begun = perf_counter()
        module = importlib.import_module(f"benchmarks.{BENCHMARKS[name]}")
        try:
            found: list[Figure] = module.run(options)
        except Exception:  # noqa: BLE001 - an hour of others must not be lost for it
            print(f"\n== {name} (ended by an error after {perf_counter() - begun:.0f} s)", flush=True)
            traceback.print_exc()
            broken.append(name)
            continue
        print(f"\n== {name} ({perf_counter() - begun:.0f} s)\n{table(found)}", flush=True)
        figures += found
        if options.record:
            # Each as soon as it is there: whoever stops a long run keeps what it has found.
            python_version: Callable[[object], str] = getattr(module, "python_version", _python_version)
            record(found, machine, list(BENCHMARKS), python_version(options))
    if options.json is not None:
        options.json.write_text(json.dumps(_report(figures), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    failed = missed(figures)
    judged = sum(figure.target is not None for figure in figures)
    print(f"\n{judged - len(failed)} of {judged} targets met")
    for figure in failed:
        print(f"  MISS {figure.benchmark}: {figure.name}")
    for name in broken:
        print(f"  BROKEN {name}: it ended by an error")
    return 1 if failed or broken else 0


def _python_version(options: object) -> str:
    """What most benchmarks are measured with; those that start another interpreter have a function of their own."""
    return platform.python_version()


def _report(figures: Sequence[Figure]) -> dict[str, object]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "figures": [figure.as_json() for figure in figures],
    }


if __name__ == "__main__":
    sys.exit(main())
