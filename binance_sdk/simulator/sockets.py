"""The sockets of a simulator: two ports for each market, REST and streams, and one of the archive; and resets.

One address is enough to know all of them, so that one variable can point clients at a simulator.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from binance_sdk._runtime.market import Market
from binance_sdk.simulator.errors import PortInUseError
from binance_sdk.simulator_url import ARCHIVE_PORT, LAST_PORT, MORE_PORTS, REST_PORTS, STREAM_PORTS

_ATTEMPTS = 100
"""Free ports are given at random, and those after one may be taken."""
_RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER: on, for no time, so that closing sends a reset."""


_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""By the address that stands for all of a machine: one can listen there, and not everywhere connect to it."""


def listens_everywhere(host: str) -> bool:
    """Whether it is the address that stands for all of this machine's."""
    return host in _LOOPBACK


def url_of(host: str, port: int) -> str:
    """Where programs on this machine reach a server that listens there."""
    name = _LOOPBACK.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def reset_connection(transport: asyncio.BaseTransport) -> None:
    """Close a connection with a TCP reset; what was not sent yet is lost."""
    connected = transport.get_extra_info("socket")
    if connected is not None:
        with suppress(OSError):
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


@dataclass(frozen=True)
class Listeners:
    """The listening sockets of a simulator, by market, and that of the archive."""

    rest: Mapping[Market, socket.socket]
    streams: Mapping[Market, socket.socket]
    archive: socket.socket

    @property
    def sockets(self) -> Sequence[socket.socket]:
        """All of them."""
        return (*self.http, *self.streams.values())

    @property
    def http(self) -> Sequence[socket.socket]:
        """Those at which HTTP is spoken."""
        return (*self.rest.values(), self.archive)


def bind_ports(host: str, port: int) -> Listeners:
    """Listening sockets for REST and for the streams of each market, and for the archive.

    Args:
        host: Address to listen at.
        port: The first one; 0 finds as many free ones in a row as are needed.

    Raises:
        PortInUseError: One of them cannot be bound.
    """
    if port:
        return _bind_all(host, port)
    failure: PortInUseError | None = None
    for _ in range(_ATTEMPTS):
        first = _bind(host, 0)
        try:
            return _bind_all(host, first.getsockname()[1], first)
        except PortInUseError as error:
            first.close()
            failure = error
    assert failure is not None
    raise failure


def _bind_all(host: str, port: int, first: socket.socket | None = None) -> Listeners:
    """The sockets from this port on; ``first`` is bound to it already."""
    if not 0 < port <= LAST_PORT:
        raise PortInUseError(
            f"port={port} must be from 0 to {LAST_PORT}, as a simulator needs the {MORE_PORTS} after it too; 0 takes "
            "free ones"
        )
    with ExitStack() as opened:

        def bound(above: int, purpose: str) -> socket.socket:
            if first is not None and not above:
                return first
            listener = _bind(host, port + above, f"{purpose} of a simulator at port {port}" if above else "")
            opened.callback(listener.close)
            return listener

        listeners = Listeners(
            rest={market: bound(above, f"the {market} REST API") for market, above in REST_PORTS.items()},
            streams={market: bound(above, f"the {market} streams") for market, above in STREAM_PORTS.items()},
            archive=bound(ARCHIVE_PORT, "the archive"),
        )
        opened.pop_all()
    return listeners


def _bind(host: str, port: int, purpose: str = "") -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without the protocol asyncio does not switch Nagle off, and each answer waits 40 ms for a delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        whose = f", for {purpose}" if purpose else ""
        raise PortInUseError(f"cannot listen at {host}:{port} ({error.strerror}){whose}: {_remedy(error)}") from error
    return listener


def _remedy(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return "choose a host that is an address of this machine, such as 127.0.0.1"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "choose another port, most often one above 1023, or port 0 for any free one"
    return "choose another port, or port 0 for any free one, or end the program that uses it"
