"""The benchmark of other libraries that lies beside the checkout: their environments, and a run of it with ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks._environments import ROOT, wheel_of_the_checkout
from benchmarks._figures import Figure, Target
from tests.everywhere import find

BENCH = ROOT.parent / "shared" / "bench"
_PYTHON = "3.13"
_OURS = """
from clients._base import BenchClient
from benchmarks._peer_slot import Ours as Slot


class Bench(Slot, BenchClient):
    label = "{name}"
    group = "ours"
    imports = "import binance_sdk"
    dists = ("binance-market-sdk",)
    ws_kind = "pydantic model, Decimal"
    transport = "{transport}"
    budget = {budget}
"""
_RUN = "import run; run.CLIENTS[:] = {clients!r}; run.REST.update({calls!r}); run.main()"


@dataclass(frozen=True, slots=True)
class Peer:
    """Another library.

    Args:
        name: What figures call it.
        module: Its module in the peers' benchmark.
        wanted: What is installed for it.
        alone: Whether it needs an environment of its own, as it overwrites files of another one.
    """

    name: str
    module: str
    wanted: tuple[str, ...]
    alone: bool = False


@dataclass(slots=True)
class Environments:
    """Where the libraries were installed.

    Args:
        ours: The interpreter with ours, and with those that share its environment.
        others: Interpreters of environments of their own, by module.
        missing: Why a library is not there, by its name.
    """

    ours: Path
    others: dict[str, Path] = field(default_factory=dict[str, Path])
    missing: dict[str, str] = field(default_factory=dict[str, str])


def python_of_the_peers(given: str | None) -> Path | None:
    """The interpreter that was asked for, or one of the version that all of them have wheels for."""
    if given is None:
        return find(_PYTHON)
    found = shutil.which(given)
    return Path(found) if found else None


def version_of_the_peers(options: Any) -> str:
    """Of their interpreter, as it is recorded."""
    code = "import platform; print(platform.python_version())"
    command = [str(python_of_the_peers(options.peer_python) or sys.executable), "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def why_not(options: Any) -> str | None:
    """Why nothing can be measured beside other libraries."""
    if not BENCH.is_dir():
        return "the peers' benchmark is not beside this checkout"
    if python_of_the_peers(options.peer_python) is None:
        return f"there is no {options.peer_python or f'Python {_PYTHON}'}: name one with --peer-python"
    return None


def environments(python: Path, peers: Sequence[Peer], shared: Iterable[str] = ()) -> Environments:
    """Install what is measured; a library that cannot be installed is told, and is not there.

    Args:
        python: The interpreter to make them from.
        peers: The libraries.
        shared: What else is wanted beside ours.
    """
    made = Environments(_made(python, "bench-peers"))
    with wheel_of_the_checkout() as wheel:
        _pip(made.ours, "orjson", "packaging", f"{wheel}[speed]", *shared)
        _pip(made.ours, "--no-deps", "--force-reinstall", str(wheel))
    for peer in peers:
        place = _made(python, f"bench-{peer.module.strip('_')}") if peer.alone else made.ours
        try:
            _pip(place, *peer.wanted)
        except subprocess.CalledProcessError as error:
            lines = (error.stderr or "").strip().splitlines() or ["pip failed"]
            made.missing[peer.name] = lines[-1]
        else:
            if peer.alone:
                made.others[peer.module] = place
    return made


def _made(python: Path, folder: str) -> Path:
    place = ROOT / ".venv" / folder
    inside = place / "bin" / "python"
    if not inside.exists():
        print(f"setting up {place.relative_to(ROOT)} ...", file=sys.stderr)
        subprocess.run([str(python), "-m", "venv", str(place)], check=True)
    return inside


def _pip(python: Path, *wanted: str) -> None:
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, *wanted], check=True, capture_output=True, text=True)


def our_module(name: str, transport: str, *, budget: bool = True) -> str:
    """The source of a module of the peers' benchmark that measures ours."""
    return _OURS.format(name=name, transport=transport, budget=budget)


def measured(
    made: Environments,
    ours: Mapping[str, str],
    others: Sequence[str],
    *,
    rounds: int,
    scale: float = 1,
    skip: str,
    calls: Mapping[str, tuple[int, int]] | None = None,
) -> list[dict[str, Any]]:
    """Rounds of the peers' benchmark, each with what every module took.

    Args:
        made: Where the libraries are.
        ours: Sources of modules that are put into a copy of it, by name.
        others: Modules of its own.
        rounds: How many rounds.
        scale: By which its calls and messages are multiplied.
        skip: Modes that are left out: ``import``, ``rest``, ``ws``.
        calls: One after the other, and ten at a time, of each REST operation; its own where None.

    Raises:
        RuntimeError: one of ours is missing, or an answer was wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        bench, found = Path(folder) / "bench", Path(folder) / "found.json"
        shutil.copytree(BENCH, bench)
        for name, source in ours.items():
            (bench / "clients" / f"{name}.py").write_text(source, encoding="utf-8")
        clients = [*ours, *others]
        pythons = [f"--python-for={module}={made.others[module]}" for module in clients if module in made.others]
        subprocess.run(
            [
                *(str(made.ours), "-c", _RUN.format(clients=clients, calls=dict(calls or {}))),
                *("--rounds", str(rounds), "--scale", str(scale), "--skip", skip, "--out", str(found), *pythons),
            ],
            check=True,
            cwd=bench,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(bench), str(ROOT)])},
        )
        report: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    failed = {name: told["failed"] for name, told in report["summary"].items() if told["failed"]} | report["missing"]
    if failed:
        raise RuntimeError(f"the peers' benchmark refused an answer: {failed}")
    taken: list[dict[str, Any]] = report["rounds"]
    return taken


def missing(benchmark: str, made: Environments) -> Figure:
    """How many libraries could not be measured; each is told."""
    for name, why in made.missing.items():
        print(f"{benchmark}: {name} is missing: {why}", file=sys.stderr)
    told = ", ".join(made.missing)
    return Figure(
        benchmark, "libraries that could not be installed", len(made.missing), target=Target("=", 0), note=told
    )
