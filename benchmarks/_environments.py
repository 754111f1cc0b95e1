"""Environments with the base dependencies only, as a user gets them, made on demand and kept below ``.venv``.

In the developer's environment httpx finds rich and click and loads its own command line with them, so an import
measured there says nothing about a user's. The wheel of this checkout is installed, not the checkout itself.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_LOCK = ROOT / "requirements-dev.lock"
_DISTRIBUTION = "binance-market-sdk"
YARDSTICK = "msgspec"
_NAME = re.compile(r"^\s*([A-Za-z0-9._-]+)")


@dataclass(frozen=True, slots=True)
class Environment:
    """An interpreter to measure in; ``note`` says where it is not what was asked for."""

    python: Path
    pydantic: str
    note: str = ""

    def run(self, module: str, *arguments: str) -> str:
        """Run a module of this package; ``binance_sdk`` is what is installed there, not the checkout."""
        code = (
            f"import runpy, sys; sys.path.append({str(ROOT)!r}); sys.argv[1:] = {list(arguments)!r}; "
            f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
        )
        return self.execute("-P", "-c", code)

    def execute(self, *arguments: str) -> str:
        return _run([self.python, *arguments])


class _Unavailable(Exception):
    pass


@functools.cache
def base() -> Environment:
    """The base dependencies at the versions of the lock file."""
    return _environment("bench-base", None)


@functools.cache
def oldest() -> Environment:
    """The same with the oldest pydantic that the project allows."""
    return _environment("bench-oldest", _oldest_pydantic())


def _environment(folder: str, pydantic: str | None) -> Environment:
    place = ROOT / ".venv" / folder
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    try:
        locked = _locked_closure()
        if pydantic is not None:
            locked = [entry for entry in locked if not entry.startswith("pydantic")]
        stamp = place / ".benchmark"
        wanted = "".join(locked) + f"pydantic {pydantic}"
        if not stamp.exists() or stamp.read_text() != wanted:
            _tell(f"setting up {place.relative_to(ROOT)} ...")
            venv.create(place, clear=True, with_pip=False)
            _install_locked(python, locked)
            if pydantic is not None:
                _pip(python, "install", f"pydantic=={pydantic}")
            stamp.write_text(wanted)
        _install_checkout(python)
    except _Unavailable as reason:
        here = Path(sys.executable)
        return Environment(here, _version(here), f"not in a base-only environment: {reason}")
    return Environment(python, _version(python))


def _locked_closure() -> list[str]:
    """Lock file entries of the base dependencies and of all that these need, and of the yardstick."""
    try:
        pending = [*_needs(_DISTRIBUTION), YARDSTICK]
    except PackageNotFoundError as error:
        raise _Unavailable(f"{_DISTRIBUTION} is not installed here") from error
    names: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in names:
            names.add(name)
            pending += _needs(name)
    if not _LOCK.exists():
        raise _Unavailable(f"{_LOCK.name} is missing")
    entries = re.split(r"\n(?=\S)", _LOCK.read_text())
    return [f"{entry.strip()}\n" for entry in entries if _normal(entry) in names]


def _needs(name: str) -> list[str]:
    """What a distribution needs without any extra, on this machine. Markers decide; an extra is none of ours."""
    found: list[str] = []
    for text in requires(name) or ():
        requirement, _, marker = text.partition(";")
        if "extra" in marker or ("python_version" in marker and "<" in marker) or "sys_platform" in marker:
            continue
        found.append(_normal(requirement))
    return found


def _normal(text: str) -> str:
    match = _NAME.match(text)
    return re.sub(r"[-_.]+", "-", match[1]).lower() if match else ""


def _oldest_pydantic() -> str:
    for text in requires(_DISTRIBUTION) or ():
        match = re.match(r"pydantic\s*>=\s*([0-9.]+)", text)
        if match:
            return match[1]
    raise LookupError("pyproject.toml names no lower bound for pydantic")


def _install_locked(python: Path, entries: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "base.lock"
        wanted.write_text("".join(entries))
        _pip(python, "install", "--require-hashes", "--no-deps", "-r", str(wanted))


@contextlib.contextmanager
def wheel_of_the_checkout() -> Iterator[Path]:
    """Built anew."""
    with tempfile.TemporaryDirectory() as folder:
        _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT)
        yield next(Path(folder).glob("*.whl"))


def _install_checkout(python: Path) -> None:
    try:
        with wheel_of_the_checkout() as wheel:
            _pip(python, "install", "--no-deps", "--force-reinstall", str(wheel))
    except subprocess.CalledProcessError as error:
        raise _Unavailable(f"no wheel could be built: {_last_line(error)}") from error


def _pip(python: Path, command: str, *arguments: str) -> None:
    # The virtual environments have no pip of their own; the one beside the interpreter they were made from serves them.
    pip = [getattr(sys, "_base_executable", sys.executable), "-m", "pip", "--disable-pip-version-check"]
    try:
        _run([*pip, "--python", python, command, "--quiet", *arguments])
    except (subprocess.CalledProcessError, OSError) as error:
        raise _Unavailable(f"pip failed: {_last_line(error)}") from error


def _run(command: Sequence[str | Path], cwd: Path | None = None) -> str:
    return subprocess.run([*map(str, command)], check=True, capture_output=True, text=True, cwd=cwd).stdout


def _version(python: Path) -> str:
    return _run([python, "-I", "-c", "import pydantic; print(pydantic.VERSION)"]).strip()


def _last_line(error: Exception) -> str:
    lines = (error.stderr or "").strip().splitlines() if isinstance(error, subprocess.CalledProcessError) else []
    return lines[-1] if lines else str(error)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
