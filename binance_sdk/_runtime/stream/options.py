"""Options of a stream, as keyword arguments of every method that makes one."""

from __future__ import annotations

from typing import Literal, TypedDict

from binance_sdk._runtime.options import BadRows
from binance_sdk._runtime.stream.notices import OnNotice

Overflow = Literal["block", "drop_oldest", "latest"]


class StreamOptions(TypedDict, total=False):
    """What every stream method takes besides its own arguments.

    Attributes:
        fill_gaps: Fetch missed events over REST, inside the weight budget, where the stream has ids.
        overflow: What happens when the consumer is slower than the stream. ``block``: read no more from the connection
            while the buffer is full. ``drop_oldest``: drop the oldest messages when it is full. ``latest``: keep only
            the newest event of each stream, and of each symbol where one stream carries all symbols; nothing is
            filled, and what is dropped is counted without a ``Gap``.
        buffer: Messages held for the consumer, by default 10 000. With ``latest`` there are never more than streams
            and symbols.
        buffer_bytes: Bytes of frames held for the consumer, by default 64 MiB: whichever of the two comes first.
        quiet_time: Seconds of silence after which the connection is checked and replaced; None never does. Left out:
            what the spec says of the stream.
        bad_rows: What becomes of a message with a row that is not what the spec says. ``raise`` (the usual): the whole
            message is malformed, is told as that and left out. ``skip``: its other rows are given out, and each bad
            one is told to the hooks (``RowSkipped``) and counted (``stats.skipped_rows``).
        rollover_after: Seconds after which a connection is replaced by a new one, before Binance ends it at 24 h.
        on_notice: A function that is called with each ``Gap``, ``Reconnected`` and ``SilentStream``, between the events
            before it and those behind it, in the task or thread that iterates. What it raises is logged.
    """

    fill_gaps: bool
    overflow: Overflow
    buffer: int
    buffer_bytes: int
    quiet_time: float | None
    bad_rows: BadRows
    rollover_after: float
    on_notice: OnNotice
