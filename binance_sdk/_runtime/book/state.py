"""The state machine of one book: which snapshot and which updates it takes, and when it has to start over.

    IDLE --begin--> WAITING --snapshot--> SYNCED
                       ^                     |
                       +------ lose ---------+   a gap, a crossed book, a lost connection, ...

It asks nobody and waits for nothing. Whoever drives it hands in what came, and fetches a snapshot when told to; the
stream must be subscribed, and its acknowledgement read, before that snapshot is asked for.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from binance_sdk._runtime.book.levels import Level, Side, check_prices, crossed
from binance_sdk._runtime.book.messages import Snapshot, Update
from binance_sdk._runtime.book.rules import BookRules

MOST_KEPT = 1000
"""Updates kept for a snapshot: at ten a second, those of 100 seconds."""
MOST_OLD = 3
"""Updates in a row that end before the book does. One that came late or twice is one of these; more of them show that
the ids began anew, as on a testnet that is wiped, or that the book's own id was a wrong one, far ahead."""
MOST_OLDER_THAN_SNAPSHOT = 100
"""The same right after a snapshot, which may be ahead of the stream by some seconds."""


class BookState(Enum):
    """What a book is doing."""

    IDLE = "idle"
    """Its turn is far off: updates are not kept."""
    WAITING = "waiting"
    """Updates are kept for a snapshot that is under way."""
    SYNCED = "synced"
    """It is the exchange's book as of ``update_id``, as far as ``complete_to``."""


class Reason(Enum):
    """Why a book needs a snapshot."""

    STARTED = "started"
    GAP = "gap"
    """Updates are missing."""
    RESTARTED = "restarted"
    """Several updates in a row end before the book does: the ids began anew, or the book's own was wrong."""
    CROSSED = "crossed"
    """The best bid is not below the best ask."""
    MALFORMED = "malformed"
    """An update or a snapshot could not be read."""
    TOO_OLD = "too_old"
    """The snapshot ends before the kept updates begin."""
    HORIZON = "horizon"
    """Every known level of a side is gone: the best one lies behind what the snapshot told."""
    CONNECTION_LOST = "connection_lost"
    STALE = "stale"
    """No update came for too long."""
    DIFFERENT = "different"
    """A fresh snapshot differed from the book."""


class Outcome(Enum):
    """What became of an update."""

    APPLIED = "applied"
    KEPT = "kept"
    IGNORED = "ignored"
    """The book or the snapshot to come has it already, or the book is idle."""


# Looking up a member of an enum takes as long as a tenth of a reading; these are looked at with every update.
IDLE, _SYNCED, APPLIED = BookState.IDLE, BookState.SYNCED, Outcome.APPLIED


@dataclass(frozen=True, slots=True)
class NeedsSnapshot:
    """A snapshot must be fetched, newer than every one before it.

    Attributes:
        reason: Why.
        last_id: Id up to which the book was true; None where there was none.
        next_id: First id that came after a gap, or that a snapshot must reach; None where that is not known.
        problem: What cannot be read, where that is the reason; empty otherwise.
    """

    reason: Reason
    last_id: int | None = None
    next_id: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Synced:
    """The book is true again.

    Attributes:
        update_id: Its id.
        replayed: Kept updates that were applied to the snapshot.
    """

    update_id: int
    replayed: int


class BookCore:
    """One book, without IO and without a clock.

    Args:
        rules: How the market's updates follow each other.
        most_kept: Updates kept while a snapshot is under way. When there are more, the oldest goes: a snapshot that
            would have needed it is then too old.
    """

    __slots__ = ("_joined", "_kept", "_newest", "_old", "_reason", "_rules", "asks", "bids", "state", "update_id")

    def __init__(self, rules: BookRules, *, most_kept: int = MOST_KEPT) -> None:
        self._rules = rules
        self._kept: deque[Update] = deque(maxlen=most_kept)
        self._newest = -1
        self._old = 0
        self._joined = False
        self._reason: Reason | None = Reason.STARTED
        self.state: BookState = BookState.IDLE
        self.bids: Side = Side(highest_first=True)
        self.asks: Side = Side(highest_first=False)
        self.update_id: int | None = None

    @property
    def synced(self) -> bool:
        """Whether the levels are the exchange's, as of ``update_id``."""
        return self.state is _SYNCED

    @property
    def reason(self) -> Reason | None:
        """Why the book is not synced; None where it is."""
        return self._reason

    @property
    def kept(self) -> int:
        """Updates kept for the next snapshot."""
        return len(self._kept)

    @property
    def complete_to(self) -> tuple[Decimal | None, Decimal | None]:
        """Last known price of bids and of asks, in the quote asset; None for a side that is known whole."""
        return self.bids.complete_to, self.asks.complete_to

    @property
    def best_bid(self) -> Level | None:
        """Highest bid; None where none is known."""
        return next(self.bids.walk(), None)

    @property
    def best_ask(self) -> Level | None:
        """Lowest ask; None where none is known."""
        return next(self.asks.walk(), None)

    # ------------------------------------------------------------------------------------ inputs

    def begin(self) -> NeedsSnapshot:
        """Keep updates from now on: the snapshot's turn is near."""
        if self.state is BookState.IDLE:
            self.state = BookState.WAITING
        return NeedsSnapshot(self._reason or Reason.STARTED, self.update_id)

    def postpone(self) -> None:
        """Keep no updates until ``begin``: the turn of a snapshot for a book that is not synced is far off."""
        if self.state is BookState.WAITING:
            self._kept.clear()
            self.state = BookState.IDLE

    def lose(self, reason: Reason) -> NeedsSnapshot:
        """The book cannot be trusted any more, for a reason that is seen from outside.

        After a lost connection everything kept is forgotten; call it before updates of the new connection come in.
        """
        if reason is Reason.CONNECTION_LOST:
            self._kept.clear()
            self._newest = -1
        return self._lost(reason)

    def replace_connection(self) -> None:
        """Updates come from another connection now, which overlapped with the old one: it may cut them differently."""
        self._joined = False

    def take_update(self, update: Update) -> Outcome | NeedsSnapshot:
        """Take the next event of the stream."""
        if self.state is not _SYNCED:
            return self._keep(update)
        assert self.update_id is not None
        last_id = self.update_id
        if self._joined:
            if update.last_id <= last_id:
                return self._take_old(update, MOST_OLD)
            fits = self._rules.follows(update, last_id)
        else:
            if self._rules.precedes(update, last_id):
                return self._take_old(update, MOST_OLDER_THAN_SNAPSHOT)
            fits = self._rules.joins(update, last_id)
        if not fits:
            return self._begin_with(update, self._lost(Reason.GAP, update.first_id))
        return self._apply(update) or APPLIED

    def take_snapshot(self, snapshot: Snapshot) -> Synced | NeedsSnapshot:
        """Start from a snapshot, and apply the kept updates that are newer.

        A snapshot that cannot be used changes nothing but the reason. So does any for a book that is synced already:
        compare it instead. An idle book has kept nothing to join it with: call ``begin`` first.
        """
        if self.state is BookState.IDLE:
            return NeedsSnapshot(self._reason or Reason.STARTED, self.update_id)
        if self.state is BookState.SYNCED:
            assert self.update_id is not None
            return Synced(self.update_id, 0)
        rules = self._rules
        newer = [update for update in self._kept if not rules.precedes(update, snapshot.last_id)]
        if snapshot.last_id < self._newest and not newer:
            return self._lost(Reason.TOO_OLD, self._newest)
        if newer and not rules.joins(newer[0], snapshot.last_id):
            return self._lost(Reason.TOO_OLD, newer[0].first_id)
        bids, asks = Side(highest_first=True), Side(highest_first=False)
        try:
            bids.replace(snapshot.bids, snapshot.limit)
            asks.replace(snapshot.asks, snapshot.limit)
        except (ValueError, TypeError) as error:
            return self._lost(Reason.MALFORMED, problem=str(error))
        if crossed(bids, asks):
            return self._lost(Reason.CROSSED)
        self.bids, self.asks, self.update_id = bids, asks, snapshot.last_id
        self._joined = False
        self._kept.clear()
        for update in newer:
            lost = self._apply(update)
            if lost is not None:
                return lost
        self._newest = max(self._newest, self.update_id)
        self.state, self._reason = BookState.SYNCED, None
        return Synced(self.update_id, len(newer))

    # ------------------------------------------------------------------------------------ within

    def _apply(self, update: Update) -> NeedsSnapshot | None:
        try:
            self.bids.change(update.bids)
            self.asks.change(update.asks)
        except (ValueError, TypeError) as error:
            return self._unreadable(update, error)
        self.update_id = self._newest = update.last_id
        self._old = 0
        self._joined = True
        if crossed(self.bids, self.asks):
            return self._lost(Reason.CROSSED)
        if self.bids.spent or self.asks.spent:
            return self._lost(Reason.HORIZON)
        return None

    def _unreadable(self, update: Update, error: Exception) -> NeedsSnapshot:
        # What came must be reached by the next snapshot, which is to have all of it.
        self._newest = max(self._newest, update.last_id)
        return self._lost(Reason.MALFORMED, problem=str(error))

    def _take_old(self, update: Update, most: int) -> Outcome | NeedsSnapshot:
        self._old += 1
        if self._old < most:
            return Outcome.IGNORED
        # What the ids were before says nothing about the next snapshot's.
        self._newest = -1
        return self._begin_with(update, self._lost(Reason.RESTARTED, update.first_id))

    def _begin_with(self, update: Update, lost: NeedsSnapshot) -> NeedsSnapshot:
        """Keep the update that showed the loss; if it cannot be read, that is the reason."""
        kept = self._keep(update)
        return kept if isinstance(kept, NeedsSnapshot) else lost

    def _keep(self, update: Update) -> Outcome | NeedsSnapshot:
        if self.state is BookState.IDLE:
            return Outcome.IGNORED
        if self._kept:
            last_id = self._kept[-1].last_id
            if update.last_id <= last_id:
                return Outcome.IGNORED
            if not self._rules.follows(update, last_id):
                # No snapshot from before the gap can be of use, so nor can what came before it.
                self._kept.clear()
        try:
            check_prices(update.bids)
            check_prices(update.asks)
        except (ValueError, TypeError) as error:
            # No book can be built of what came before it.
            self._kept.clear()
            return self._unreadable(update, error)
        self._kept.append(update)
        self._newest = max(self._newest, update.last_id)
        return Outcome.KEPT

    def _lost(self, reason: Reason, next_id: int | None = None, problem: str = "") -> NeedsSnapshot:
        if self.state is BookState.SYNCED:
            self.state = BookState.WAITING
            self._kept.clear()
        self._old = 0
        self._reason = reason
        return NeedsSnapshot(reason, self.update_id, next_id, problem)
