"""Answers that break off or are no HTTP, for every library that may read them."""

from __future__ import annotations

import socket
import struct

from .server import Act, http


def reset(connection: socket.socket) -> None:
    """Hang up with a RST instead of a FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


CHUNKED = {"Transfer-Encoding": "chunked"}
BROKEN: dict[str, bytes | Act] = {
    "cut before headers": b"",
    "cut in headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "cut in the body": http("200 OK", b'[[1499040000000,"0.01634790",', {"Content-Length": "4096"}),
    "reset before headers": reset,
    "no HTTP": b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n",
    "no status": b"HTTP/1.1 abc OK\r\n\r\n",
    "header garbage": b"HTTP/1.1 200 OK\r\n\x00\x01: \xff\r\nno colon here\r\n\r\n[]",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]",
    "length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n[]",
    "length of another alphabet": "HTTP/1.1 200 OK\r\nContent-Length: \u00b2\r\n\r\n[]".encode("latin-1"),
    "chunk nonsense": http("200 OK", b"zz\r\n[]\r\n0\r\n\r\n", CHUNKED, length=False),
    "chunks without end": http("200 OK", b"2\r\n[]\r\n", CHUNKED, length=False),
    "headers without end": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000,
}
