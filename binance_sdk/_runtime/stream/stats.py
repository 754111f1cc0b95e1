"""Counts of one opened stream."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(slots=True)
class StreamStats:
    """Counts so far; they go on counting while the stream is open.

    Attributes:
        received: Messages that came over the line.
        dropped: Messages that the overflow policy threw away, and those that came after their gap was reported. With
            ``overflow="latest"`` of a stream of all symbols: rows that a newer one of their symbol took the place of.
        other_market: Events, or rows of a list, that belong to another market and were left out.
        malformed: Messages that were not what the spec says.
        skipped_rows: Rows that were not what the spec says and were left out, with ``bad_rows="skip"``.
        duplicates: Messages that had come before, on the same connection or on the one that it replaced.
        late: Messages that came after their gap was reported; they count as dropped too.
        gaps: ``Gap`` notices, each a hole in the ids of a stream.
        silences: ``SilentStream`` notices.
        reconnects: Connections that ended by themselves and were replaced.
        rollovers: Connections that were replaced before they ended, without a loss.
        filled: Events that were fetched over REST.
        lag_ms: How long the last event waited between the line and its consumer, in milliseconds.
    """

    received: int = 0
    dropped: int = 0
    other_market: int = 0
    malformed: int = 0
    skipped_rows: int = 0
    duplicates: int = 0
    late: int = 0
    gaps: int = 0
    silences: int = 0
    reconnects: int = 0
    rollovers: int = 0
    filled: int = 0
    lag_ms: float = 0.0

    def count_in(self, other: StreamStats) -> None:
        """Add the counts of another stream; the lag stays its own."""
        for field in fields(self):
            if field.name != "lag_ms":
                setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
