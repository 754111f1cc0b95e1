"""Runs what stands in the pages: Python as it is, files as they are named, commands with the output that is shown.

A page is read from top to bottom. A block of ``console`` has commands after ``$`` and what they print; ``...`` stands
for anything. A comment ``<!-- file: NAME -->`` before a block writes it there. Blocks of Python share their names.
"""

from __future__ import annotations

import ast
import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.pages import ROOT, blocks_of, run_python

_LINES = r"(?:[^\n]*\n)*?"
SECONDS = 120


async def value_of(code: str, names: dict[str, Any]) -> object:
    """Run code that may await, and give the value of its last line where that is an expression."""
    tree = ast.parse(code)
    last = tree.body[-1]
    if isinstance(last, ast.Expr):
        tree.body[-1] = ast.copy_location(ast.Assign([ast.Name("_", ast.Store())], last.value), last)
    names["_"] = None
    await run_python(ast.fix_missing_locations(tree), names)
    return names["_"]


class Desk:
    """Where a reader follows a page: a folder, and a shell in it.

    Args:
        folder: An empty one.
        checkout: Where the commands are given; in the folder by default.
        variables: Of the environment, besides those of this process that do not concern us.
    """

    def __init__(self, folder: Path, checkout: Path | None = None, **variables: str) -> None:
        self.folder, self.checkout = folder, checkout or folder
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("BINANCE_", "ENABLE_", "PYTEST_"))
        }
        tools = folder / ".tools"
        tools.mkdir()
        _write_tools(tools)
        path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), kept.get("PATH", "")])
        self.variables = {
            **kept, "PATH": path, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "NO_PROXY": "*",
            "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(folder), "COLUMNS": "100", **variables,
        }  # fmt: skip

    async def follow(self, text: str, names: dict[str, Any] | None = None) -> list[str]:
        """Do what a page says.

        Returns:
            The commands that were run.
        """
        done: list[str] = []
        shared: dict[str, Any] = {} if names is None else names
        for block in blocks_of(text):
            if block.mark == "file":
                self.write(block.place, block.code)
            elif block.language == "python":
                await run_python(block.code, shared)
            elif block.language == "console":
                for command, expected in transcript(block.code):
                    found = await asyncio.to_thread(self.run, command)
                    assert printed_as(expected, found), (
                        f"line {block.line}: {command}\n{expected}\n--- printed\n{found}"
                    )
                    done.append(command)
            else:
                raise AssertionError(f"line {block.line}: nobody knows how to run a block of {block.language!r}")
        return done

    def write(self, name: str, body: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, encoding="utf-8")

    def run(self, command: str) -> str:
        """What a command prints, errors included, as a terminal shows them.

        One that shows no exit code has to succeed.
        """
        ran = subprocess.run(
            ["bash", "-c", command], cwd=self.checkout, env=self.variables, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, f"{command}\nexit code {ran.returncode}\n{ran.stdout}"
        return ran.stdout


def transcript(body: str) -> list[tuple[str, str]]:
    """Commands with what is shown below each."""
    found: list[tuple[str, str]] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif line.startswith("> "):
            command, expected = found[-1]
            found[-1] = (f"{command}\n{line[2:]}", expected)
        else:
            command, expected = found[-1]
            found[-1] = (command, f"{expected}{line}\n")
    return found


def printed_as(expected: str, found: str) -> bool:
    """Whether a command has printed what is shown: ``...`` alone is any number of lines, else anything in a line.

    Spaces at the ends of lines, and empty lines at the end of all, do not count.
    """
    wanted, printed = ([line.rstrip() for line in text.strip("\n").splitlines()] for text in (expected, found))
    pattern = "".join(_LINES if line.strip() == "..." else _pattern_of(line) for line in wanted)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def _pattern_of(line: str) -> str:
    return r"[^\n]*?".join(map(re.escape, line.split("..."))) + r"\n"


def _write_tools(folder: Path) -> None:
    """Stand-ins for what a test must not do: pip checks that what is to be installed exists, make runs nothing."""
    pip = f"""#!{sys.executable}
import re, sys, tomllib
project = tomllib.load(open({str(ROOT / "pyproject.toml")!r}, "rb"))["project"]
*_, wanted = sys.argv
name, extras = re.fullmatch(r"([\\w-]+|\\.)(?:\\[([\\w,]+)\\])?", wanted).groups()
assert sys.argv[1] == "install" and name in (project["name"], "."), sys.argv
unknown = set((extras or "").split(",")) - set(project["optional-dependencies"]) - {{""}}
assert not unknown, unknown
print(f"Successfully installed {{project['name']}}")
"""
    make = f"""#!/bin/bash
cd {ROOT} && $(type -ap make | tail -1) --dry-run "$@" > /dev/null && echo "make: $*: ok"
"""
    for name, text in (("pip", pip), ("make", make)):
        path = folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
