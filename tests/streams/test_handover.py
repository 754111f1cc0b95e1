"""Which messages of two connections are given out while one takes over from the other; no connection is needed."""

from __future__ import annotations

from typing import Any

from binance_sdk._runtime.stream.connection.handover import Handover
from binance_sdk._runtime.stream.stats import StreamStats

STREAM: Any = object()


def old(handover: Handover, payload: bytes) -> bool:
    """A message of the old connection; whether it is given out."""
    if not handover.gives_out_old(STREAM):
        return False
    handover.note_given_out(STREAM, payload)
    return True


def new(handover: Handover, payload: bytes) -> bool:
    """The same of the new connection."""
    return handover.gives_out_new(STREAM, payload)


def waiting(handover: Handover) -> list[bytes]:
    return [payload for _, payload in handover.take_over()]


def test_each_message_counts_once_whichever_connection_brings_it_first() -> None:
    stats = StreamStats()
    handover = Handover(stats, ())
    assert old(handover, b"1")
    assert not new(handover, b"2")
    assert not handover.caught_up
    assert old(handover, b"2")
    assert handover.caught_up
    assert old(handover, b"3")
    assert not new(handover, b"3")
    assert not new(handover, b"4")
    assert stats.duplicates == 2
    assert waiting(handover) == [b"4"]
    # The old connection's are given out no more; what it gave out last may still come again.
    assert new(handover, b"5")


def test_a_silent_stream_is_given_out_by_whichever_connection_speaks_first() -> None:
    ahead = Handover(StreamStats(), [STREAM])
    assert new(ahead, b"1")
    assert not old(ahead, b"1")
    # It was not silent after all: the new connection's messages wait as those of any other stream.
    spoke = Handover(StreamStats(), [STREAM])
    assert old(spoke, b"1")
    assert not new(spoke, b"2")
    assert waiting(spoke) == [b"2"]


def test_only_so_much_is_kept_of_either_connection() -> None:
    handover = Handover(StreamStats(), ())
    for number in range(5000):
        assert not new(handover, b"%d" % number)
    kept = waiting(handover)
    assert kept == [b"%d" % number for number in range(5000 - 4096, 5000)]
    handover = Handover(StreamStats(), ())
    for number in range(5000):
        assert old(handover, b"%d" % number)
    assert waiting(handover) == []
    # Too long ago to be known as a duplicate.
    assert new(handover, b"%d" % (5000 - 4097))
    assert not new(handover, b"%d" % (5000 - 4096))
    assert not new(handover, b"4999")
