"""A SIGTERM ends a command as Ctrl-C does: connections are closed, workers end, and the terminal is as it was."""

from __future__ import annotations

import signal
from types import FrameType

TERMINATED = 143
"""The exit code then, as a shell tells it of a process that the signal has ended."""

_was_terminated = False


def was_terminated() -> bool:
    """Whether a SIGTERM has come."""
    return _was_terminated


def end_in_order() -> None:
    """From now on; not where whoever started this process wants SIGTERM to be ignored."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)


def _end(number: int, frame: FrameType | None) -> None:
    global _was_terminated
    _was_terminated = True
    if callable(signal.getsignal(signal.SIGINT)):
        # Whoever handles Ctrl-C at this moment: an event loop cancels what runs in it.
        signal.raise_signal(signal.SIGINT)
    else:
        # It is ignored, as in the background of a shell.
        raise KeyboardInterrupt
