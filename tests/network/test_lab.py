"""The lab ends with every connection it took: one left open would fail whichever test the garbage is collected in."""

from __future__ import annotations

import contextlib
import socket

import pytest
import trustme

from .lab import Lab


@pytest.mark.usefixtures("no_garbage_collection")
@pytest.mark.parametrize("part", ["rest", "streams", "http", "https", "socks"])
def test_connections_that_have_said_nothing_yet_end_with_the_lab(part: str, ca: trustme.CA) -> None:
    """Their TLS handshake has not begun, they are being accepted, or they still wait to be."""
    for _ in range(5):
        with contextlib.ExitStack() as clients:
            with Lab(ca) as lab:
                address = ("127.0.0.1", getattr(lab, part).port)
                connected = [clients.enter_context(socket.create_connection(address, timeout=5)) for _ in range(3)]
            for client in connected:
                with contextlib.suppress(ConnectionError):
                    assert client.recv(1) == b""
