"""What a book shares with the others of its call, and who hears what happens to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from binance_sdk._runtime.book.messages import Update
from binance_sdk._runtime.book.rules import BookRules
from binance_sdk._runtime.book.state import MOST_KEPT
from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.live_book.snapshots import SnapshotLoader
from binance_sdk._runtime.stream.connection.pacing import Backoff
from binance_sdk.events import BookResynced, Event


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the books of one call share.

    Attributes:
        market: Of all of them.
        rules: How its updates follow each other.
        decode: Reads the payload of a message; raises ``ValueError``.
        loader: Fetches snapshots.
        clock: Time, and waiting.
        notify: Called with everything that goes to the hooks and the log of the client.
        backoff: Makes the pauses between attempts.
        most_kept: Updates that each keeps while its snapshot is under way.
    """

    market: str
    rules: BookRules
    decode: Callable[[bytes], Update]
    loader: SnapshotLoader
    clock: Clock
    notify: Callable[[Event], None]
    backoff: Callable[[], Backoff]
    most_kept: int = MOST_KEPT


class Listener:
    """Hears every change of a book. Called in the event loop; must not block."""

    def changed(self, update: Update) -> None:
        """An update was applied."""
        raise NotImplementedError

    def resynced(self, event: BookResynced) -> None:
        """The whole book may be another."""
        raise NotImplementedError

    def ended(self) -> None:
        """Nothing more comes."""
        raise NotImplementedError
