"""``make test-all``: the suite with locked, lowest and newest versions, and with every supported Python there is here.

A Python that is not here is no failure, but it is said: a run that skipped it proves nothing about it.
"""

from __future__ import annotations

import os
import re
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
IMAGES = {"worker": "tests/metrics/test_worker.py", "cli": "tests/release/test_images.py"}
"""Folders of ``deploy/`` with a Dockerfile, and what runs the commands of their images."""
# One of these has no use for the other versions: it tests the house, not what it sells.
HOUSE = ("codegen", "benchmarks", "release", "typing", "test_contributing.py", "test_package.py", "test_layers.py")

# As ``make test`` has it: the processes of a test have to make progress, and a browser holds an event loop of its own.
SUITE = (
    ("-n", "auto", "--dist", "worksteal", "--ignore=tests/processes", "--ignore=tests/built_site"),
    ("tests/processes",),
)

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
    tests: tuple[tuple[str, ...], ...] = SUITE
    """Arguments of pytest, one command each."""


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
    return [*runs, *(_image(name, test, environments) for name, test in IMAGES.items())]


def _image(name: str, test: str, environments: Path) -> Run:
    """What an image of ``deploy/`` starts, in a clean environment with what the image installs."""
    made = _made("", environments / f"image-{name}", sys.executable, *image_packages(name))
    python = made.environment / "bin" / "python"
    title = f"the commands of deploy/{name}, installed as in its image"
    return Run(title, environments / "dev", made.install, (f"--image-python={python}",), ((test,),))


def image_packages(name: str) -> list[str]:
    """What an image of ``deploy/`` installs."""
    text = (ROOT / "deploy" / name / "Dockerfile").read_text("utf-8")
    for argument, value in re.findall(r"^ARG (\w+)=(.*)$", text, re.MULTILINE):
        text = text.replace(f"${{{argument}}}", value)
    (line,) = re.findall(r"^RUN pip .*?\binstall (.*)$", text, re.MULTILINE)
    return [word for word in shlex.split(line) if not word.startswith("--")]


def _made(name: str, environment: Path, python: str, *packages: str) -> Run:
    make = ("venv", "--quiet", "--clear", "--python", python, str(environment))
    fill = ("pip", "install", "--quiet", "--python", str(environment), *packages)
    return Run(name, environment, (make, fill))


def find(version: str) -> Path | None:
    """An interpreter of that version, as uv finds it, or where pyenv keeps its own."""
    asked = subprocess.run(
        # Not --quiet, which keeps back the answer; and .venv, which holds several environments, is none to uv.
        [sys.executable, "-m", "uv", "python", "find", "--system", "--no-python-downloads", version],
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
            # All of them, also after one has failed.
            codes = [execute([python, "-m", "pytest", *tests, *run.options]) for tests in run.tests]
            if any(codes):
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
