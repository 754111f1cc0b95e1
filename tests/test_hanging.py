"""A test that hangs fails, whatever it hangs in, and says where."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HANGING = """
import asyncio, subprocess, sys, threading, time
import pytest

pytestmark = pytest.mark.timeout(0.5)

def test_of_a_thread():
    def in_a_thread():
        threading.Event().wait()
    thread = threading.Thread(target=in_a_thread, daemon=True)
    thread.start()
    thread.join()

def test_of_a_child():
    code = "import time\\ndef in_a_child(): time.sleep(60)\\nin_a_child()"
    subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE)

async def test_of_a_task_that_takes_the_error():
    async def busy():
        while True:
            time.sleep(0)
    task = asyncio.create_task(busy())
    await asyncio.Event().wait()

def test_that_ends():
    pass
"""
CLOSING = """
import threading
import pytest

pytestmark = pytest.mark.timeout(0.5)

@pytest.fixture
def never_closes():
    yield
    threading.Event().wait()

def test_that_fails_and_never_closes(never_closes):
    raise AssertionError

def test_that_would_be_next():
    pass
"""


def run(folder: Path, source: str) -> tuple[int, str]:
    """Exit code and output of the tests in ``source``, with the settings of this project."""
    # As the conftest of this project does. Imported at the end, Hypothesis is parsed while garbage of a killed test is
    # collected and told of, which parses too, and Python 3.11 fails where one does within the other.
    conftest = "import hypothesis\n\npytest_plugins = ['tests.hanging']\n"
    (folder / "conftest.py").write_text(conftest, encoding="utf-8")
    (folder / "test_it.py").write_text(source, encoding="utf-8")
    options = ["-q", "-p", "no:cacheprovider", f"--rootdir={folder}", "-c", str(ROOT / "pyproject.toml")]
    command = [sys.executable, "-m", "pytest", *options, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_test_that_hangs_fails_with_the_stacks_of_its_threads_and_children(tmp_path: Path) -> None:
    code, told = run(tmp_path, HANGING)
    assert code == 1
    assert "3 failed, 1 passed" in told
    for name in ("of_a_thread", "of_a_child", "of_a_task_that_takes_the_error"):
        assert f"test_it.py::test_{name} hangs" in told
    assert "in in_a_thread\n" in told
    assert "line 2 in in_a_child\n" in told


def test_closing_that_hangs_after_a_failure_ends_the_run(tmp_path: Path) -> None:
    code, told = run(tmp_path, CLOSING)
    assert code == 1
    assert "Timeout (0:00:02)!" in told
    assert "in never_closes\n" in told
    assert "would_be_next" not in told
