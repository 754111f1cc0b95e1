"""What holds for every test: no network beyond this machine, no settings of the developer, a budget of its own."""

from __future__ import annotations

import gc
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_sdk._runtime.budget import pool

pytest_plugins = ["tests.hanging", "tests.skipped"]

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


class NetworkUsedError(AssertionError):
    """A test reached for another machine. Not an ``OSError``: no error handling of the code under test may hide it."""


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections leave this machine in no test; names are looked up for this machine only.

    A ``.invalid`` name fails the way a resolver fails it (RFC 6761), so unknown hosts can still be tested.
    """

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: socket.socket, *args: Any) -> Any:
            # The address comes last in connect, connect_ex and both forms of sendto.
            if self.family != getattr(socket, "AF_UNIX", None) and not _is_local(args[-1][0]):
                raise NetworkUsedError(f"a test tried to reach {args[-1]!r}")
            return method(self, *args)

        return call

    def looked_up(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(host: Any, *args: Any, **kwargs: Any) -> Any:
            text = host.decode() if isinstance(host, bytes) else host
            if isinstance(text, str) and text.rstrip(".").endswith(".invalid"):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            if text and not _is_local(text) and not _is_address(text):
                raise NetworkUsedError(f"a test tried to look up {text!r}")
            return function(host, *args, **kwargs)

        return call

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        monkeypatch.setattr(socket, name, looked_up(getattr(socket, name)))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_local(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    return _is_address(host) and ipaddress.ip_address(host.partition("%")[0]).is_loopback


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
