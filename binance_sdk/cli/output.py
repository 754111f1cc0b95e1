"""Guards stdout and stderr of the program against full disks and closed, read-only or broken streams.

The first failed write to stdout raises ``OutputError``, which typer and rich do not know and let through to the place
where it becomes an exit code. Later writes, in ``finally`` blocks or in the last flush of the interpreter, are dropped.
Failed writes to stderr are ignored.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from typing import BinaryIO, TextIO, cast


class OutputError(Exception):
    """stdout cannot be written.

    Attributes:
        reader_gone: Whether its reader has closed the pipe, as ``head`` does.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"output cannot be written: {error.strerror or error}")
        self.reader_gone: bool = isinstance(error, BrokenPipeError) or error.errno == errno.EPIPE


class _Guarded(io.RawIOBase):
    """The raw stream below a text stream; after its first failure, further writes are dropped."""

    def __init__(self, inner: io.RawIOBase, *, loud: bool) -> None:
        super().__init__()
        self._inner = inner
        self._loud = loud
        self.failure: OutputError | None = None

    def write(self, data: object, /) -> int | None:
        size = memoryview(cast("bytes", data)).nbytes
        if self.failure is not None or not size:
            return size
        try:
            return self._inner.write(cast("bytes", data))
        except OSError as error:
            self.failure = OutputError(error)
            if self._loud:
                raise self.failure from error
            return size

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._inner.isatty()

    def fileno(self) -> int:
        return self._inner.fileno()


def guard_streams() -> Callable[[], None]:
    """Replace ``sys.stdout`` and ``sys.stderr`` for the rest of the program.

    Returns:
        A function that flushes stdout, and raises ``OutputError`` if anything could not be written, even if that error
        was caught before.
    """
    # If a standard descriptor is closed, the next file or socket would get its number.
    _occupy()
    sys.stdout, out = _guarded(sys.stdout, 1, loud=True)
    sys.stderr, _ = _guarded(sys.stderr, 2, loud=False)

    def finish() -> None:
        sys.stdout.flush()
        if out is not None and out.failure is not None:
            raise out.failure

    return finish


def _occupy() -> None:
    """Open closed standard descriptors for reading only, so that writing to them still fails."""
    try:
        while (number := os.open(os.devnull, os.O_RDONLY)) <= 2:
            pass
    except OSError:
        return
    os.close(number)


def _guarded(stream: TextIO | None, number: int, *, loud: bool) -> tuple[TextIO, _Guarded | None]:
    if stream is None:
        raw = _Guarded(io.FileIO(number, "w", closefd=False), loud=loud)
        return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="replace"), raw
    inner, buffered = _below(stream)
    if inner is None:
        # Replaced by a program that runs us in its process, and left alone.
        return stream, None
    raw = _Guarded(inner, loud=loud)
    # Python without buffers (-u) writes text straight to the raw stream.
    text = io.TextIOWrapper(
        io.BufferedWriter(raw) if buffered else cast("BinaryIO", raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=getattr(stream, "line_buffering", False),
        write_through=getattr(stream, "write_through", False),
    )
    return text, raw


def _below(stream: TextIO) -> tuple[io.RawIOBase | None, bool]:
    """The raw stream below a text stream, and whether there is a buffer between the two."""
    binary: object = getattr(stream, "buffer", None)
    raw: object = getattr(binary, "raw", binary)
    return (raw, raw is not binary) if isinstance(raw, io.RawIOBase) else (None, False)
