"""A WebSocket server that answers nothing by itself, so that a test sees what the client does of its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import struct
from typing import Self

from tests.listening import Listener

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


class RawLine:
    """One connection: what came is in ``frames``, as (opcode, payload)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.frames: list[tuple[int, bytes]] = []

    async def serve(self) -> None:
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.decode().split("\r\n")[1:]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        accept = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + _GUID).digest())
        self._writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        while True:
            first, second = await self._reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", await self._reader.readexactly(2))
            mask = await self._reader.readexactly(4)
            data = await self._reader.readexactly(length)
            self.frames.append((first & 0xF, bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))))

    def send(self, opcode: int, payload: bytes) -> None:
        length = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + struct.pack("!H", len(payload))
        self._writer.write(bytes([0x80 | opcode]) + length + payload)

    def of(self, opcode: int) -> list[bytes]:
        """Payloads of one kind, in order."""
        return [payload for kind, payload in self.frames if kind == opcode]

    def hang_up(self) -> None:
        self._writer.transport.abort()


class RawStreamServer:
    """Listens on loopback while it is entered."""

    def __init__(self) -> None:
        self.lines: list[RawLine] = []

    async def __aenter__(self) -> Self:
        self._listener = Listener()
        self._server = await asyncio.start_server(self._serve, sock=self._listener)
        self.url = f"ws://{self._listener.address}"
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = RawLine(reader, writer)
        self.lines.append(line)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await line.serve()

    async def __aexit__(self, *_: object) -> None:
        await self._listener.stop()
        self._server.close()
        for line in self.lines:
            line.hang_up()
        await self._listener.ended()
        await self._server.wait_closed()
