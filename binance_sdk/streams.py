"""Public names of streams: what is opened, what is told besides events, and its options.

Events themselves are in the module of their market, e.g. ``binance_sdk.spot``.
"""

from binance_sdk._runtime.stream.consumer import StreamHealth
from binance_sdk._runtime.stream.events import Events, EventsWithNotices, SyncEvents, SyncEventsWithNotices
from binance_sdk._runtime.stream.notices import Gap, GapReason, Notice, OnNotice, Reconnected, SilentStream
from binance_sdk._runtime.stream.options import Overflow, StreamOptions
from binance_sdk._runtime.stream.stats import StreamStats
from binance_sdk._runtime.stream.stream import Stream, SyncStream
from binance_sdk._runtime.stream.stream_event import StreamEvent

__all__ = [
    "Events",
    "EventsWithNotices",
    "Gap",
    "GapReason",
    "Notice",
    "OnNotice",
    "Overflow",
    "Reconnected",
    "SilentStream",
    "Stream",
    "StreamEvent",
    "StreamHealth",
    "StreamOptions",
    "StreamStats",
    "SyncEvents",
    "SyncEventsWithNotices",
    "SyncStream",
]
