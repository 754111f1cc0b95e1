"""Options of a stream, as keyword arguments of every method that makes one."""

from __future__ import annotations

from typing import Literal, TypedDict

from binance_sdk._runtime.stream.notices import OnNotice

Overflow = Literal["block", "drop_oldest", "latest"]


class StreamOptions(TypedDict, total=False):
    """What every stream method takes besides its own arguments.

    Attributes:
        fill_gaps: Fetch missed events over REST, inside the weight budget, where the stream has ids.
        overflow: What happens when the consumer is slower than the stream and the buffer is full: ``block`` (read no
            more until there is room), ``drop_oldest``, or ``latest`` (keep the newest event of each stream only).
        buffer: Messages held for the consumer.
        quiet_time: Seconds of silence after which the connection is checked and replaced; None never does. Left out:
            what the spec says of the stream.
        rollover_after: Seconds after which a connection is replaced by a new one, before Binance ends it at 24 h.
        on_notice: A function that is called with each ``Gap``, ``Reconnected`` and ``SilentStream``, between the events
            before it and those behind it, in the task or thread that iterates. What it raises is logged.
    """

    fill_gaps: bool
    overflow: Overflow
    buffer: int
    quiet_time: float | None
    rollover_after: float
    on_notice: OnNotice
