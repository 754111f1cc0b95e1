"""A copy of spec and package that a test may change and generate again."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tiny import PACKAGE, REPOSITORY

from codegen.__main__ import main
from codegen.scaffold.hand_tables import SIMULATOR_NAMES, SIMULATOR_WEIGHTS

_MYPY_CACHE = REPOSITORY / ".mypy_cache" / "projects_of_tests"
"""What the copies of all runs have in common is looked at once: mypy knows unchanged files by their content."""


@contextmanager
def _alone_with(cache: Path) -> Iterator[None]:
    """Workers wait for each other: mypy does not expect others to write into its cache meanwhile."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Project:
    """A copy of spec and package, in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(REPOSITORY / "spec", root / "spec")
        for table in (SIMULATOR_WEIGHTS, SIMULATOR_NAMES):
            (root / table).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / table, root / table)
        self._whole = False

    def change(self, file: str, old: str, new: str) -> None:
        path = self.root / "spec" / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def generate(self) -> None:
        self.complete()
        spec, out = self.root / "spec", self.root / "binance_sdk" / "_generated"
        assert main(["--spec", str(spec), "--out", str(out), "generate"]) == 0

    def complete(self) -> None:
        """The rest of the package, which most tests of what is begun never look at."""
        if self._whole:
            return

        def left_out(folder: str, names: list[str]) -> list[str]:
            # Another worker may be writing bytecode, under names like x.pyc.140.
            there = self.root / "binance_sdk" / Path(folder).relative_to(PACKAGE)
            return [name for name in names if ".pyc." in name or (there / name).is_file()]

        # With the bytecode, so that each process compiles what the test changes and no more.
        shutil.copytree(PACKAGE, self.root / "binance_sdk", ignore=left_out, dirs_exist_ok=True)
        self._whole = True

    def run(self, *arguments: str) -> str:
        self.complete()
        environment = {key: value for key, value in os.environ.items() if not key.startswith("BINANCE_")}
        environment |= {"PYTHONPATH": str(self.root), "MYPYPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def check_types(self, *arguments: str) -> str:
        """What mypy says with ``--strict``, which is no mistake."""
        options = ["--strict", "--enable-error-code=deprecated", "--report-deprecated-as-note"]
        with _alone_with(_MYPY_CACHE):
            told = self.run("-m", "mypy", *options, "--cache-dir", str(_MYPY_CACHE), *arguments)
        assert "no issues found" in told, told
        return told
