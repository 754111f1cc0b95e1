"""``python -m tests.mutants``: draws mutants, tries them, and lists those that no test notices.

A survivor that changes nothing stands with its reason in ``equivalent.toml``; any other is an exit code of 1.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

from .mutations import Mutant, mutants
from .trial import Copies, Outcome, Part, Record, try_all

ROOT = Path(__file__).parents[2]
_ADAPTER = (
    *(
        "assembling",
        "convert",
        "frames",
        "large_trades",
        "liquidity",
        "market_data",
        "positioning",
        "scalars",
        "sentiment",
        "series",
    ),
    *("tickers", "timeframes"),
)
_ITS_TESTS = (
    *("bad_rows", "decimal_contexts", "exchange", "fetcher_positioning", "large_trades", "liquidity", "market_data"),
    *("odd_arguments", "one_line", "parts", "pure", "queries", "short_pages", "wrong_sections"),
)
_SOURCES = ("aggregation", "ccxt_rows", "comparison", "data_sources", "quality", "switching")
_OF_ATTEMPTS = (
    *("callbacks", "client", "error_matrix", "life_time", "limits", "moments"),
    *("odd_values", "out_of_descriptors", "retry", "shape_drift"),
)
PARTS = (
    Part(
        "budget",
        ("binance_sdk/_runtime/budget/*.py", "binance_sdk/_runtime/calls/circuit_breaker.py"),
        ("tests/budget/test_*.py",),
    ),
    Part(
        "cache",
        ("binance_sdk/_runtime/calls/cache.py", "binance_sdk/_runtime/calls/shared_cache/*.py"),
        (
            *(f"tests/shared_cache/test_{name}.py" for name in ("clients", "processes", "store", "stored_answer")),
            *("tests/budget/test_services.py", "tests/runtime/test_shared_requests.py"),
        ),
    ),
    Part(
        "shared",
        (
            *(
                f"binance_sdk/_runtime/budget/shared/{name}.py"
                for name in ("agreed_limits", "endings", "leased_windows")
            ),
            *(f"binance_sdk/_runtime/budget/shared/{name}.py" for name in ("pool_link", "shared_gate", "store_clock")),
        ),
        ("tests/shared/test_pool_link.py", "tests/shared/test_without_store.py", "tests/shared/test_clients.py"),
    ),
    Part(
        "sequence",
        ("binance_sdk/_runtime/stream/reading/sequence.py",),
        ("tests/streams/test_sequences.py", "tests/streams/test_filling.py", "tests/streams/test_one_line.py"),
    ),
    Part(
        "connection",
        tuple(
            f"binance_sdk/_runtime/stream/connection/{name}.py"
            for name in ("connection", "handover", "opener", "pacing", "sender", "silence", "supervisor")
        ),
        ("tests/streams/test_*.py",),
    ),
    Part(
        "attempt",
        ("binance_sdk/_runtime/calls/attempt.py", "binance_sdk/_runtime/calls/retry.py"),
        (
            "tests/budget/test_*.py",
            *(f"tests/runtime/test_{name}.py" for name in _OF_ATTEMPTS),
            *("tests/frames/test_raw_answers.py", "tests/metrics/test_calls.py", "tests/network/test_routes.py"),
        ),
    ),
    Part(
        "paging",
        ("binance_sdk/_runtime/calls/paging.py", "binance_sdk/_runtime/calls/paginator.py"),
        (
            *("tests/runtime/test_paging.py", "tests/runtime/test_paginator.py", "tests/runtime/test_iterators.py"),
            *("tests/budget/test_services.py", "tests/simulator/test_walks.py"),
        ),
    ),
    Part(
        "books",
        (
            "binance_sdk/_runtime/book/*.py",
            *(f"binance_sdk/_runtime/live_book/{name}.py" for name in ("keeper", "changes", "reading", "verification")),
        ),
        (
            "tests/book/test_*.py",
            *(f"tests/live_book/test_{name}.py" for name in ("keeper", "malformed", "changes", "figures", "settings")),
        ),
    ),
    Part("columns", ("binance_sdk/_runtime/columns/*.py",), ("tests/frames/test_*.py",)),
    Part("archive", ("binance_sdk/history/archive/*.py",), ("tests/history/archive/test_*.py",)),
    Part(
        "planning",
        tuple(
            f"binance_sdk/history/planning/{name}.py"
            for name in ("arguments", "costs", "density", "holes", "inventory", "pieces", "plan", "spans")
        ),
        ("tests/history/planning/test_*.py",),
    ),
    Part(
        "dataset",
        (
            *(
                f"binance_sdk/history/dataset/{name}.py"
                for name in ("info", "layout", "manifest", "parquet", "precedence", "record", "writing")
            ),
            *("binance_sdk/history/dataset/checking/*.py", "binance_sdk/history/dataset/reading/*.py"),
        ),
        tuple(
            f"tests/history/dataset/test_{name}.py"
            for name in ("asker", "check", "dataset", "info", "precedence", "reading", "rest_rows")
        ),
    ),
    Part("rest", ("binance_sdk/history/rest/*.py",), ("tests/history/rest/test_*.py",)),
    Part(
        "running",
        tuple(
            f"binance_sdk/history/running/{name}.py"
            for name in ("absences", "check", "outcome", "room", "run", "sharing", "sync", "worker")
        ),
        tuple(f"tests/history/running/test_{name}.py" for name in ("run", "sharing", "check")),
    ),
    Part(
        "metrics",
        tuple(f"binance_sdk/metrics/{name}.py" for name in ("event_counts", "state_collector", "instrumentation")),
        ("tests/metrics/test_calls.py", "tests/metrics/test_streams_and_books.py"),
    ),
    Part(
        "figures",
        tuple(f"adapters/virtuoso_binance/{name}.py" for name in _ADAPTER),
        tuple(f"tests/virtuoso/test_{name}.py" for name in _ITS_TESTS),
    ),
    Part(
        "sources",
        ("adapters/virtuoso_binance/kinds.py", *(f"adapters/virtuoso_binance/sources/{name}.py" for name in _SOURCES)),
        ("tests/virtuoso/sources/test_*.py",),
    ),
    Part(
        "health",
        (
            *(f"adapters/virtuoso_binance/health/{name}.py" for name in ("judging", "judging_sources", "observations")),
            *(f"adapters/virtuoso_binance/health/{name}.py" for name in ("observing", "probing", "listing_changes")),
        ),
        ("tests/virtuoso/health/test_*.py",),
    ),
)
"""What has to be right to the last digit, and the tests that say so."""
KNOWN = Path(__file__).with_name("equivalent.toml")
SEED, DRAWN = 10, 100


def found(patterns: tuple[str, ...]) -> list[str]:
    """Files by pattern, each of which has to find some."""
    files: set[str] = set()
    for pattern in patterns:
        matching = {str(file.relative_to(ROOT)) for file in ROOT.glob(pattern)}
        if not matching:
            raise SystemExit(f"{pattern}: no such file; mend the table in {Path(__file__).relative_to(ROOT)}")
        files |= matching
    return sorted(files)


def known() -> dict[tuple[str, str, str, str], str]:
    """Reasons by ``Mutant.key``."""
    rows = tomllib.loads(KNOWN.read_text(encoding="utf-8"))["mutant"]
    return {(row["file"], row["function"], row["before"], row["after"]): row["why"] for row in rows}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--draw", type=int, default=DRAWN, help="how many; 0 for all there are (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed draws others (default: %(default)s)")
    parser.add_argument("--part", choices=[part.name for part in PARTS], help="of this part alone")
    parser.add_argument("--at", metavar="FILE[:LINE]", help="those of a module, or of one of its lines, alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at once (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="show them and try none")
    options = parser.parse_args()

    parts = [part for part in PARTS if options.part in (None, part.name)]
    every = [(mutant, part) for part in parts for file in found(part.modules) for mutant in _mutants(file)]
    reasons = known()
    stale = set(reasons).difference(
        mutant.key for part in PARTS for file in found(part.modules) for mutant in _mutants(file)
    )
    for key in sorted(stale):
        print(f"{KNOWN.name}: there is no such mutant any more: {' | '.join(key)}")
    if options.at:
        name, _, line = options.at.partition(":")
        every = [pair for pair in every if pair[0].file.endswith(name) and line in ("", str(pair[0].line))]
    chosen = every
    if options.draw and len(every) > options.draw:
        drawn = sorted(every, key=lambda pair: (_lot(options.seed, pair[0]), pair[0].file, pair[0].line))[
            : options.draw
        ]
        chosen = [pair for pair in every if pair in drawn]
    print(f"{len(chosen)} of {len(every)} mutants, seed {options.seed}")
    if options.list:
        for mutant, _ in chosen:
            print(_text(mutant))
        return 0

    os.nice(5)
    copies = Copies(ROOT, ROOT / ".mutants", options.jobs)
    needed = [part for part in parts if any(part is chosen_part for _, chosen_part in chosen)]
    records: dict[str, Record] = {}
    for part in needed:
        begun = time.monotonic()
        records[part.name] = copies.record(part, found(part.modules), found(part.tests))
        print(f"{part.name}: {len(records[part.name].durations)} tests, {time.monotonic() - begun:.0f} s", flush=True)
    asked = [(mutant, records[part.name]) for mutant, part in chosen if mutant.key not in reasons]
    outcomes = list(try_all(copies, asked, options.jobs, _tell))
    return _report(outcomes, [mutant for mutant, _ in chosen if mutant.key in reasons], reasons, stale=bool(stale))


def _mutants(file: str) -> list[Mutant]:
    return mutants(file, (ROOT / file).read_bytes())


def _lot(seed: int, mutant: Mutant) -> bytes:
    """The same for the same line wherever it stands, so that who changes others draws it again."""
    return hashlib.sha256(f"{seed} {mutant.column} {mutant.before} {mutant.after}".encode()).digest()


def _text(mutant: Mutant) -> str:
    return f"{mutant.file}:{mutant.line} {mutant.function}\n  - {mutant.before}\n  + {mutant.after}"


def _tell(outcome: Outcome) -> None:
    by = f" by {outcome.by}" if outcome.by else ""
    print(f"{outcome.verdict}{by}: {_text(outcome.mutant)}", flush=True)


def _report(
    outcomes: list[Outcome], equivalent: list[Mutant], reasons: dict[tuple[str, str, str, str], str], *, stale: bool
) -> int:
    left = [outcome for outcome in outcomes if outcome.verdict != "killed"]
    print(f"\n{dict(Counter(outcome.verdict for outcome in outcomes))}, {len(equivalent)} known to change nothing")
    for mutant in equivalent:
        print(f"{_text(mutant)}\n    {reasons[mutant.key]}")
    for outcome in left:
        print(f"{outcome.verdict}: {_text(outcome.mutant)}")
    if left:
        print(f"Each wants a test that fails with it, or a reason in {KNOWN.relative_to(ROOT)}.")
    return 1 if left or stale else 0


if __name__ == "__main__":
    sys.exit(main())
