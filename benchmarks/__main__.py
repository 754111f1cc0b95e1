"""``python -m benchmarks [name ...] [--json FILE]``."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from benchmarks._figures import Figure, missed, table

BENCHMARKS = {
    "import": "importing",
    "decode": "decoding",
    "codegen": "generating",
    "call": "calling",
    "metrics": "metrics",
    "drift": "drifting",
    "budget": "budgeting",
    "share": "sharing",
    "scale": "scale",
    "cache": "caching",
    "backfill": "backfilling",
    "faults": "failing",
    "adapter": "adapter",
    "sources": "sources",
    "streams": "streams",
    "books": "books",
    "many-books": "many_books",
    "peers": "peers",
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description="Measure what the README states; exits 1 where a target is missed."
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"which: {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--days", type=int, default=365, help="backfill: days of history (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=10_000, help="faults: calls to make (default: %(default)s)")
    parser.add_argument(
        "--windows", type=int, default=4, help="budget, share, scale: whole windows to fill (default: %(default)s)"
    )
    parser.add_argument("--peer-python", metavar="PATH", help="peers: an interpreter for them (default: python3.13)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    figures: list[Figure] = []
    for name in options.names or BENCHMARKS:
        begun = perf_counter()
        found: list[Figure] = importlib.import_module(f"benchmarks.{BENCHMARKS[name]}").run(options)
        print(f"\n== {name} ({perf_counter() - begun:.0f} s)\n{table(found)}", flush=True)
        figures += found
    if options.json is not None:
        options.json.write_text(json.dumps(_report(figures), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    failed = missed(figures)
    judged = sum(figure.target is not None for figure in figures)
    print(f"\n{judged - len(failed)} of {judged} targets met")
    for figure in failed:
        print(f"  MISS {figure.benchmark}: {figure.name}")
    return 1 if failed else 0


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
