"""The sockets of a simulator: its three ports, REST and right after it the streams of spot and of futures; and resets.

One address is enough to know all of them, so that one variable can point clients at a simulator.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress

from binance_sdk._runtime.operation import Market
from binance_sdk.simulator.errors import PortInUseError
from binance_sdk.simulator_url import LAST_PORT, STREAM_PORTS

_ATTEMPTS = 100
"""Free ports are given at random, and the next two may be taken."""
_RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER: on, for no time, so that closing sends a reset."""


def reset_connection(transport: asyncio.BaseTransport) -> None:
    """Close a connection with a TCP reset; what was not sent yet is lost."""
    connected = transport.get_extra_info("socket")
    if connected is not None:
        with suppress(OSError):
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def bind_ports(host: str, port: int) -> tuple[socket.socket, Mapping[Market, socket.socket]]:
    """Listening sockets for REST and for the streams of each market.

    Args:
        host: Address to listen at.
        port: Port of REST; 0 finds three free ones in a row.

    Raises:
        PortInUseError: One of them cannot be bound.
    """
    if port:
        return _bind_all(host, port)
    failure: PortInUseError | None = None
    for _ in range(_ATTEMPTS):
        first = _bind(host, 0)
        try:
            number: int = first.getsockname()[1]
            return first, _bind_streams(host, number)
        except PortInUseError as error:
            first.close()
            failure = error
    assert failure is not None
    raise failure


def _bind_all(host: str, port: int) -> tuple[socket.socket, Mapping[Market, socket.socket]]:
    if port > LAST_PORT:
        raise PortInUseError(f"port {port} is too high: streams need the two after it; choose at most {LAST_PORT}")
    with ExitStack() as opened:
        first = _bind(host, port)
        opened.callback(first.close)
        streams = _bind_streams(host, port)
        opened.pop_all()
    return first, streams


def _bind_streams(host: str, port: int) -> Mapping[Market, socket.socket]:
    with ExitStack() as opened:
        listeners: dict[Market, socket.socket] = {}
        for market, above in STREAM_PORTS.items():
            if port > LAST_PORT:
                raise PortInUseError(f"no room for the streams after port {port}")
            listeners[market] = _bind(host, port + above, f"the {market} streams of a simulator at port {port}")
            opened.callback(listeners[market].close)
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
        raise PortInUseError(
            f"cannot listen at {host}:{port} ({error.strerror}){whose}: choose another port, or port 0 for any free "
            "one, or end the program that uses it"
        ) from error
    return listener
