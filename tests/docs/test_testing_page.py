"""The tests that docs/testing.md shows are tests, and pass."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.pages import blocks

_PROGRAM = """
from binance_sdk import SyncBinanceClient, errors

def main():
    with SyncBinanceClient() as client:
        client.spot.ping()

"""
"""What a reader has: a program, and its imports."""


def test_its_tests_pass(tmp_path: Path) -> None:
    code = _PROGRAM + "\n".join(block.code for block in blocks("docs/testing.md", "python"))
    # The fixture of the page is there to be used, so its other tests run on that exchange too.
    code += "\ndef test_the_fixture(exchange):\n    assert exchange.url\n"
    names = re.findall(r"^def (test_\w+)", code, re.MULTILINE)
    assert len(names) == len(set(names)) > 6
    (tmp_path / "test_page.py").write_text(code, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=150, check=False)
    assert f"{len(names)} passed" in ran.stdout, ran.stdout + ran.stderr
