"""What holds for every test: no settings of the developer, and a budget of its own."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Generator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_sdk._runtime.budget import pool

pytest_plugins = ["tests.hanging", "tests.no_network", "tests.skipped"]

# The same examples in every run and no deadline, so a busy machine fails nothing.
settings.register_profile("project", derandomize=True, deadline=None, database=None)
settings.load_profile("project")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a shell, which ignores Ctrl-C for it; the programs under test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--image-python",
        default=sys.executable,
        help="interpreter that runs the commands of an image of deploy/, with the package installed as in the image",
    )


@given(st.none())
def _first_example(_: None) -> None:
    """With it, Hypothesis looks for who holds its source of random numbers, and sees nobody among frozen objects."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """The garbage collector passes over what stays until the end: modules, and a million objects for the tests.

    Looking through them again and again took a third of the time of collecting, and half a second of each test that
    collects garbage.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        _first_example()
        gc.collect()
        gc.freeze()
        # A look at everything a tenth as often: most find nothing, and they were a twentieth of the time of all tests.
        gc.set_threshold(*gc.get_threshold()[:2], _YOUNG_LOOKS)
        gc.enable()


@pytest.fixture
def image_python(request: pytest.FixtureRequest) -> str:
    """The interpreter that runs what an image of ``deploy/`` starts."""
    found: str = request.config.getoption("--image-python")
    return found


_YOUNG_LOOKS = 100
"""Collections of younger objects before the oldest are looked through too; ten is Python's own number."""


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's ``BINANCE_*`` variables are not there."""
    for name in [name for name in os.environ if name.upper().startswith("BINANCE_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _fresh_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is spent when a test begins, and what it spends is gone when it ends."""
    monkeypatch.setattr(pool, "_POOLS", {})
    monkeypatch.setattr(pool, "LEDGER", pool.Ledger())
