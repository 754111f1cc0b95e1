"""``make test-all``: the suite with locked, lowest and newest versions, and with every supported Python there is here.

A Python that is not here is no failure, but it is said: a run that skipped it proves nothing about it.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
LOCK = "requirements-dev.lock"
DOCKERFILE = ROOT / "deploy" / "worker" / "Dockerfile"
# One of these has no use for the other versions: it tests the house, not what it sells.
HOUSE = ("codegen", "benchmarks", "typing", "test_contributing.py", "test_package.py", "test_layers.py")

Find = Callable[[str], Path | None]
Execute = Callable[[Sequence[str]], int]


@dataclass(frozen=True)
class Run:
    """The suite in one environment."""

    name: str
    environment: Path
    install: tuple[tuple[str, ...], ...] = ()
    """Arguments of uv, one command each; none for an environment that make has made."""
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Absent:
    """A Python there is none of on this machine."""

    name: str
    remedy: str


def plan(find: Find, running: str) -> list[Run | Absent]:
    """All there is to run. ``find`` knows other Pythons; ``running`` is that of the environments make has made."""
    environments = ROOT / ".venv"
    user = tuple(f"--ignore=tests/{name}" for name in HOUSE)
    old = ("-W", "ignore::DeprecationWarning", "-W", "ignore::PendingDeprecationWarning")
    runs: list[Run | Absent] = [
        Run(f"Python {running}, locked versions", environments / "dev"),
        Run(f"Python {running}, lowest versions", environments / "lowest", options=(*user, *old)),
        _made(
            f"Python {running}, newest versions", environments / "newest", sys.executable, "--upgrade", "-e", ".[dev]"
        ),
    ]
    for version in PYTHONS:
        if version == running:
            continue
        python = find(version)
        if python is None:
            runs.append(Absent(f"Python {version}", f"there is no Python {version} here: uv python install {version}"))
            continue
        name = f"Python {version}, locked versions"
        runs.append(_made(name, environments / version, str(python), "-c", LOCK, "-e", ".[dev]"))
    return [*runs, _workers(environments)]


def _workers(environments: Path) -> Run:
    """What ``deploy/`` starts, installed in a clean environment as its image installs it."""
    made = _made("", environments / "worker", sys.executable, *image_packages())
    python = made.environment / "bin" / "python"
    options = ("tests/metrics/test_worker.py", f"--worker-python={python}")
    return Run("the workers of deploy/, installed as in their image", environments / "dev", made.install, options)


def image_packages() -> list[str]:
    """What the image of the workers installs."""
    (line,) = [line for line in DOCKERFILE.read_text("utf-8").splitlines() if line.startswith("RUN pip install ")]
    return [word for word in shlex.split(line.removeprefix("RUN pip install ")) if not word.startswith("--")]


def _made(name: str, environment: Path, python: str, *packages: str) -> Run:
    make = ("venv", "--quiet", "--clear", "--python", python, str(environment))
    fill = ("pip", "install", "--quiet", "--python", str(environment), *packages)
    return Run(name, environment, (make, fill))


def find(version: str) -> Path | None:
    """An interpreter of that version, as uv finds it, or where pyenv keeps its own."""
    asked = subprocess.run(
        [sys.executable, "-m", "uv", "python", "find", "--quiet", "--no-python-downloads", version],
        capture_output=True,
        text=True,
        check=False,
    )
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [Path(line) for line in asked.stdout.split("\n")[:1] if asked.returncode == 0 and line]
    found += sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True)
    return next((path for path in found if path.exists()), None)


def execute(command: Sequence[str]) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def run_all(runs: Sequence[Run | Absent], execute: Execute = execute) -> tuple[list[str], bool]:
    """A line for each run, and whether all that ran went well; the next one starts whatever became of the last."""
    lines: list[str] = []
    good = True
    for run in runs:
        if isinstance(run, Absent):
            lines.append(f"skipped  {run.name}: {run.remedy}")
            continue
        print(f"\n=== {run.name}", flush=True)  # noqa: T201
        began = time.monotonic()
        became = "passed "
        for arguments in run.install:
            if execute([sys.executable, "-m", "uv", *arguments]):
                became = "FAILED to install "
                break
        else:
            python = str(run.environment / "bin" / "python")
            if execute([python, "-m", "pytest", "-n", "auto", "--dist", "worksteal", *run.options]):
                became = "FAILED "
        good = good and became == "passed "
        lines.append(f"{became} {run.name}, {time.monotonic() - began:.0f} s")
    return lines, good


def main() -> int:
    lines, good = run_all(plan(find, f"{sys.version_info[0]}.{sys.version_info[1]}"))
    print("\n=== all of it", *lines, sep="\n", flush=True)  # noqa: T201
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
