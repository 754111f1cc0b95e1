"""No test reaches beyond this machine."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Generator
from typing import Any

import pytest


class NetworkUsedError(AssertionError):
    """A test reached for another machine. Not an ``OSError``: no error handling of the code under test may hide it."""


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Generator[None]:
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

    with pytest.MonkeyPatch.context() as guard:
        for name in ("connect", "connect_ex", "sendto"):
            guard.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
            guard.setattr(socket, name, looked_up(getattr(socket, name)))
        yield


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
