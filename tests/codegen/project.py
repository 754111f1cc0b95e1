"""A copy of spec and package that a test may change and generate again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tiny import PACKAGE, REPOSITORY

from codegen.__main__ import main


class Project:
    """A copy of spec and package, in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(REPOSITORY / "spec", root / "spec")
        shutil.copytree(PACKAGE, root / "binance_sdk", ignore=shutil.ignore_patterns("__pycache__"))

    def change(self, file: str, old: str, new: str) -> None:
        path = self.root / "spec" / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def generate(self) -> None:
        spec, out = self.root / "spec", self.root / "binance_sdk" / "_generated"
        assert main(["--spec", str(spec), "--out", str(out), "generate"]) == 0

    def run(self, *arguments: str) -> str:
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
        # What the copies of one run have in common is looked at once: unchanged files are known by their content.
        cache = self.root.parent / "mypy_cache"
        options = ["--strict", "--enable-error-code=deprecated", "--report-deprecated-as-note"]
        told = self.run("-m", "mypy", *options, "--cache-dir", str(cache), *arguments)
        assert "no issues found" in told, told
        return told
