"""Decompresses bodies in small steps, so that a body which grows without end is given up in time.

HTTP libraries decompress all that was received in one go: 64 KiB on the wire may be 64 MiB in memory, and a thousand
times that where the body is compressed twice. Here each layer gives out a little at a time; size and time are checked
after each piece.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence

from binance_sdk._runtime.transport.protocol import TransportFailure, check_size

ACCEPTED = "gzip, deflate"
"""For ``Accept-Encoding``: what the standard library can decompress."""

_STEP = 1024 * 1024
_LAYERS = 4
_MEMBERS = 1000
"""A gzip body may consist of several members, and even empty ones take time."""
_GZIP, _ZLIB, _BARE = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS


class BodyReader:
    """Collects the body of an answer and decompresses it.

    Args:
        encoding: The header ``Content-Encoding``.
        check_time: Called after each step; raises when it is too late.

    Raises:
        TransportFailure: the encoding was not asked for.
    """

    def __init__(self, encoding: str | None, check_time: Callable[[], None]) -> None:
        names = [name.strip().lower() for name in (encoding or "").split(",")]
        packed = [name for name in names if name not in ("", "identity")]
        for name in packed:
            if name not in ("gzip", "x-gzip", "deflate"):
                raise TransportFailure("encoding", f"the body has the Content-Encoding {name!r:.60}, not {ACCEPTED}")
        if len(packed) > _LAYERS:
            raise TransportFailure("encoding", f"the body is compressed {len(packed)} times over")
        # The last one named was applied last.
        self._layers = [_Layer(name != "deflate") for name in reversed(packed)]
        self._check_time = check_time
        self._size = 0
        self._chunks: list[bytes] = []

    def feed(self, chunk: bytes) -> None:
        """Add what was received.

        Raises:
            TransportFailure: the body is larger than any answer, or not in its encoding.
        """
        if not self._layers:
            self._keep(chunk)
            self._check_time()
            return
        for piece in _through(self._layers, chunk):
            self._keep(piece)
            self._check_time()

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        check_size(self._size)
        if piece:
            self._chunks.append(piece)

    def end(self) -> bytes:
        """The whole body.

        Raises:
            TransportFailure: it was cut short.
        """
        for layer in self._layers:
            layer.end()
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)


def _through(layers: Sequence[_Layer], chunk: bytes) -> Iterator[bytes]:
    if not layers:
        yield chunk
        return
    for piece in layers[0].pieces(chunk):
        yield from _through(layers[1:], piece)


class _Layer:
    """One encoding."""

    def __init__(self, gzip: bool) -> None:
        self._gzip = gzip
        self._member = zlib.decompressobj(_GZIP) if gzip else None
        self._first = b""
        self._members = 1
        self._size = 0
        self._fed = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        if not data:
            return
        self._fed = True
        if self._member is None:
            # Both zlib's format and the bare stream are sent as "deflate"; the first two bytes tell which it is.
            data = self._first = self._first + data
            if len(data) < 2:
                return
            headed = data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._member = zlib.decompressobj(_ZLIB if headed else _BARE)
        while data:
            if self._member.eof:
                # Some servers pad with zeros.
                if not data.strip(b"\0"):
                    return
                self._next_member()
            piece = self._decompressed(data)
            self._size += len(piece)
            check_size(self._size)
            yield piece
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if not data and not self._member.eof and len(piece) == _STEP:
                # The decompressor has taken all input and holds back output.
                while piece := self._decompressed(b""):
                    self._size += len(piece)
                    check_size(self._size)
                    yield piece

    def _decompressed(self, data: bytes) -> bytes:
        assert self._member is not None
        try:
            return self._member.decompress(data, _STEP)
        except zlib.error as error:
            text = f"the body is not what its Content-Encoding says: {error}"
            raise TransportFailure("encoding", text) from error

    def _next_member(self) -> None:
        if not self._gzip or self._members >= _MEMBERS:
            raise TransportFailure("encoding", "the body goes on after the end of its compressed data")
        self._members += 1
        self._member = zlib.decompressobj(_GZIP)

    def end(self) -> None:
        if self._fed and (self._member is None or not self._member.eof):
            raise TransportFailure("encoding", "the body is not what its Content-Encoding says: it was cut short")
