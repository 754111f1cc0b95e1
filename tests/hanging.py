"""A test that hangs fails with its stack, those of other threads and those of its child processes.

``timeout`` in pyproject.toml limits every test: pytest-timeout then raises in the main thread and writes the stacks of
the other threads. Here is what that leaves out.
"""

from __future__ import annotations

import faulthandler
import os
import select
import signal
import stat
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

_GRACE = 30.0
"""Seconds beyond its limit (for a short one no more than three times as long) in which a test has to fail by itself."""
_PATIENCE = 2.0
"""Seconds in which a child has to write its stack."""
_AGAIN = 10.0
"""Seconds after which the error is raised once more: the first one may have ended a task that nobody waits for."""
_STDERR = pytest.StashKey[int]()
_LIMIT = pytest.StashKey[float]()
_SET_AGAIN = pytest.StashKey[float]()


def pytest_configure(config: pytest.Config) -> None:
    # A descriptor of our own: that of a test goes into its report, which nobody writes once the process has ended.
    config.stash[_STDERR] = os.dup(2)
    # Children that are ended with SIGABRT write their stacks.
    os.environ.setdefault("PYTHONFAULTHANDLER", "1")


def pytest_unconfigure(config: pytest.Config) -> None:
    faulthandler.cancel_dump_traceback_later()
    os.close(config.stash[_STDERR])


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Generator[None, object, object]:
    item.stash[_LIMIT] = settings.timeout
    done = yield
    fail = signal.getsignal(signal.SIGALRM) if hasattr(signal, "SIGALRM") else None
    if callable(fail):

        def tell_of_children_and_fail(number: int, frame: Any) -> None:
            os.write(item.config.stash[_STDERR], f"\n{item.nodeid} hangs\n".encode())
            for pid in _children():
                # The descriptor of the report, so that the stack stands in it.
                os.write(2, _end(pid).encode())
            fail(number, frame)

        signal.signal(signal.SIGALRM, tell_of_children_and_fail)
        signal.setitimer(signal.ITIMER_REAL, settings.timeout, min(settings.timeout, _AGAIN))
    return done


# ---------------------------------------------------------------------------------- child processes


def _children() -> list[int]:
    """Processes that this one has started and that still run, as far as the system tells."""
    return [int(pid) for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()]


def _end(pid: int) -> str:
    """End a child; what it was called with, and its stack if it is Python and its errors go into a pipe."""
    try:
        command = Path("/proc", str(pid), "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        errors = os.open(f"/proc/{pid}/fd/2", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        os.kill(pid, signal.SIGABRT)
        told = b""
        # The test would read this pipe, but it hangs, or waits for the end of the child.
        while stat.S_ISFIFO(os.fstat(errors).st_mode) and select.select([errors], [], [], _PATIENCE)[0]:
            piece = os.read(errors, 65536)
            if not piece:
                break
            told += piece
        return f"\nchild {pid} was still running: {command}\n{told.decode(errors='replace')}\n"
    except OSError:
        return ""
    finally:
        os.close(errors)


# ---------------------------------------------------------------------------------- the last resort


def _end_process_later(item: pytest.Item) -> None:
    """End the run, with the stacks of all threads, where pytest-timeout cannot end the test.

    C code may never see the error, and closing after it may hang once more, so every phase of a test gets its own time.
    """
    limit = item.stash.get(_LIMIT, 0.0)
    if limit:
        grace = min(3 * limit, _GRACE)
        faulthandler.dump_traceback_later(limit + grace, exit=True, file=item.config.stash[_STDERR])
        # A thread is started each time, three for a test: what was set a moment ago does for the next phase as well.
        item.stash[_SET_AGAIN] = time.monotonic() + grace / 3


def _phase(item: pytest.Item) -> Generator[None, object, object]:
    if time.monotonic() >= item.stash.get(_SET_AGAIN, 0.0):
        _end_process_later(item)
    try:
        return (yield)
    except BaseException:
        # It has failed, so the next alarm would only hit the report of it.
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        # pytest cancels what is set when it reports a failure.
        item.stash[_SET_AGAIN] = 0.0
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    try:
        return (yield)
    finally:
        # A process that waits for tests may wait for long.
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from _phase(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from _phase(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from _phase(item))


def pytest_enter_pdb() -> None:
    faulthandler.cancel_dump_traceback_later()
