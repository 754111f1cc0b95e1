"""Who runs the suite reads why tests were skipped, and how they are not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = """
import pytest

@pytest.mark.skipif(True, reason="there is no moon: wait for the night")
@pytest.mark.parametrize("number", range(3))
def test_of_the_moon(number):
    pass

def test_that_knows_only_when_it_runs():
    pytest.skip("the moon is round")

@pytest.mark.xfail(reason="never told", strict=False)
def test_that_fails_as_expected():
    assert False

def test_that_runs():
    pass
"""
MISSING = "import pytest\nastrolabe = pytest.importorskip('astrolabe', reason='no astrolabe: pip install it')\n"


def run(folder: Path, *options: str) -> str:
    """What pytest says of the tests in a folder, with the settings of this project."""
    (folder / "conftest.py").write_text("pytest_plugins = ['tests.skipped']\n", encoding="utf-8")
    settings = ["-p", "no:cacheprovider", f"--rootdir={folder}", "-c", str(ROOT / "pyproject.toml")]
    command = [sys.executable, "-m", "pytest", *settings, *options, str(folder)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "several"])
def test_each_reason_is_told_once_with_its_number(tmp_path: Path, workers: list[str]) -> None:
    (tmp_path / "test_it.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "test_other.py").write_text(MISSING, encoding="utf-8")
    told = run(tmp_path, *workers)
    section = told.partition(" 5 skipped, and why ")[2].splitlines()[1:4]
    assert [line.strip() for line in section] == [
        "3  there is no moon: wait for the night",
        *sorted(
            ["1  the moon is round", "1  no astrolabe: pip install it"], key=[each.strip() for each in section].index
        ),
    ]
    assert "never told" not in told.partition("skipped, and why")[2].partition("short test summary")[0]


def test_nothing_is_told_where_nothing_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_that_runs():\n    pass\n", encoding="utf-8")
    assert "skipped" not in run(tmp_path)


def test_what_needs_the_fact_base_says_where_it_is_looked_for() -> None:
    from tests.shared_facts import needs_facts

    assert re.search(r"\.\./shared/binance", needs_facts.mark.kwargs["reason"])
