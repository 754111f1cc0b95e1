"""Tries mutants: each in a copy of the project, with the tests that run its line, the fastest first."""

from __future__ import annotations

import compileall
import hashlib
import json
import os
import py_compile
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

import coverage

from .mutations import Mutant

_COPIED = ("adapters", "binance_sdk", "codegen", "spec", "tests", "examples", "docs", "pyproject.toml", "README.md")
_PATIENCE = 60.0
"""Seconds for a test that hangs; a run of several gets as much more than they take."""
_SLOWER = 10
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """Modules, and the tests whose task it is to notice mistakes in them; paths and patterns from the root on."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """What the tests of one part do to its modules while all is well."""

    durations: Mapping[str, float]
    """Seconds of each test."""
    by_line: Mapping[str, Mapping[int, Sequence[str]]]
    """Tests by module and line."""

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Tests that may notice it, the fastest first."""
        by_line = self.by_line.get(mutant.file, {})
        found = {test for line in mutant.lines for test in by_line.get(line, ())}.intersection(self.durations)
        # None runs it where it is run at import, or by a process of its own, or never.
        return sorted(found or self.durations, key=lambda test: self.durations[test])


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant; ``by`` is the test that noticed it."""

    mutant: Mutant
    verdict: Literal["killed", "survived"]
    by: str = ""


class Copies:
    """Copies of the project, one for each mutant that is tried at once."""

    def __init__(self, root: Path, place: Path, count: int) -> None:
        self._root = root
        self._place = place
        self.free: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            self.free.put(self._copy(place / f"copy{number}"))

    def _copy(self, copy: Path) -> Path:
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir(parents=True)
        for name in _COPIED:
            source = self._root / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, copy / name)
        # By hash: a mutant may be as long as the original and of the same second.
        compileall.compile_dir(copy, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
        return copy

    def digest(self) -> str:
        """Changes with anything that is tried or tries."""
        found = hashlib.sha256()
        for name in _COPIED:
            files = sorted((self._root / name).rglob("*")) if (self._root / name).is_dir() else [self._root / name]
            for file in files:
                if file.is_file() and "__pycache__" not in file.parts:
                    found.update(str(file.relative_to(self._root)).encode() + file.read_bytes())
        return found.hexdigest()[:16]

    def record(self, part: Part, files: Sequence[str], tests: Sequence[str]) -> Record:
        """Run the tests of a part as they are, or remember how they ran before.

        Raises:
            RuntimeError: they fail without any mutant.
        """
        folder = self._place / "records" / f"{part.name}-{self.digest()}"
        if not (folder / "durations.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            copy = self.free.get()
            watched = ",".join(str(copy / file) for file in files)
            variables = {"MUTANTS_RECORD": str(folder), "MUTANTS_MODULES": watched, "COVERAGE_CORE": "ctrace"}
            code, told = _pytest(copy, ["-p", "tests.mutants.recorder", *tests], 3600.0, variables)
            self.free.put(copy)
            if code != 0:
                shutil.rmtree(folder)
                raise RuntimeError(f"the tests of {part.name} fail without a mutant:\n{told[-3000:]}")
        data = coverage.CoverageData(str(folder / "coverage"))
        data.read()
        by_line: dict[str, Mapping[int, Sequence[str]]] = {}
        for measured in data.measured_files():
            file = next(file for file in files if measured.endswith(f"/{file}"))
            by_line[file] = data.contexts_by_lineno(measured)
        return Record(json.loads((folder / "durations.json").read_text(encoding="utf-8")), by_line)

    def run(self, mutant: Mutant, record: Record) -> Outcome:
        """Try one mutant."""
        tests = record.tests_of(mutant)
        copy = self.free.get()
        module, listed = copy / mutant.file, copy / "tests.txt"
        original = module.read_bytes()
        try:
            module.write_bytes(mutant.source)
            listed.write_text("\n".join(tests), encoding="utf-8")
            limit = _PATIENCE + _SLOWER * sum(record.durations[test] for test in tests)
            options = ["-x", f"--timeout={_PATIENCE}", f"@{listed}"]
            code, told = _pytest(copy, options, limit, {})
        finally:
            module.write_bytes(original)
            self.free.put(copy)
        if code == 0:
            return Outcome(mutant, "survived")
        named = _FAILED.search(told)
        return Outcome(mutant, "killed", named[1] if named else "hangs" if code is None else "at import")


def _pytest(copy: Path, arguments: Sequence[str], limit: float, more: Mapping[str, str]) -> tuple[int | None, str]:
    """Exit code and output of pytest in a copy; no code if it had to be ended."""
    variables = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(copy), str(copy / "adapters"))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        **more,
    }
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", *arguments]
    process = subprocess.Popen(
        command,
        cwd=copy,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # So that its children end with it.
        start_new_session=True,
    )
    try:
        told, _ = process.communicate(timeout=limit)
        return process.returncode, told
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return None, process.communicate()[0]


def try_all(
    copies: Copies, asked: Sequence[tuple[Mutant, Record]], at_once: int, tell: Callable[[Outcome], None]
) -> Iterator[Outcome]:
    """Outcomes in the order asked for; ``tell`` hears of each as it comes."""

    def outcome_of(pair: tuple[Mutant, Record]) -> Outcome:
        outcome = copies.run(*pair)
        tell(outcome)
        return outcome

    with ThreadPoolExecutor(at_once) as threads:
        yield from threads.map(outcome_of, asked)
