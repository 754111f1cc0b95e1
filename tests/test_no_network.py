"""No test reaches beyond this machine."""

from __future__ import annotations

import socket

import pytest

from tests.no_network import NetworkUsedError

BEYOND = "192.0.2.1"
"""An address for documents, which nobody has (RFC 5737)."""


def test_no_other_machine_is_connected_to() -> None:
    for family, address in ((socket.AF_INET, BEYOND), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family) as tcp:
            with pytest.raises(NetworkUsedError, match=address):
                tcp.connect((address, 80))
            with pytest.raises(NetworkUsedError, match=address):
                tcp.connect_ex((address, 80))
        with socket.socket(family, socket.SOCK_DGRAM) as udp, pytest.raises(NetworkUsedError, match=address):
            udp.sendto(b"", 0, (address, 53))


def test_no_name_is_looked_up() -> None:
    for look_up in (socket.gethostbyname, socket.gethostbyname_ex, lambda name: socket.getaddrinfo(name, 80)):
        with pytest.raises(NetworkUsedError, match="example"):
            look_up("api.example")
        with pytest.raises(socket.gaierror):
            look_up("nobody.invalid")
        assert look_up("127.0.0.1")
