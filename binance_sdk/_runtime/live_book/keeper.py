"""Keeps one book true: hands it what comes in, fetches a snapshot whenever it needs one, and says what happens."""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Lock
from typing import cast

from binance_sdk._runtime.book.state import APPLIED, IDLE, BookCore, NeedsSnapshot, Reason, Synced
from binance_sdk._runtime.calls.retry import is_transient
from binance_sdk._runtime.clock import Waker
from binance_sdk._runtime.live_book.surroundings import Listener, Surroundings
from binance_sdk._runtime.locks import new_lock
from binance_sdk.errors import BinanceError, BookNotSyncedError, DecodeError, StreamError, plain_number
from binance_sdk.events import (
    BookFailed,
    BookLost,
    BookReason,
    BookResynced,
    BookSnapshotFailed,
    BookSnapshotLoaded,
    BookVerified,
)

_STEADY_SECONDS = 60.0
"""A book that was true for so long is given its next snapshot without a pause."""


class BookKeeper:
    """One book with all that keeps it true.

    Args:
        symbol: Of which book.
        around: What it shares with others.
        on_failed: Called when it has ended because of an error.
    """

    def __init__(self, symbol: str, around: Surroundings, on_failed: Callable[[BookKeeper], None]) -> None:
        self.symbol = symbol
        self.market: str = around.market
        self.counts_contracts: bool = around.rules.counts_contracts
        self._around = around
        self._decode = around.decode
        self._clock = around.clock
        self._on_failed = on_failed
        self._backoff = around.backoff()
        self.core: BookCore = BookCore(around.rules, most_kept=around.most_kept)
        self.lock: Lock = new_lock()
        """Held by whoever changes the levels, or reads them from another thread."""
        self.error: BinanceError | None = None
        """Why it has ended."""
        self.last_failure: BinanceError | None = None
        """Why there is no snapshot yet; None from the first one on."""
        self.closed: bool = False
        self.resyncs: int = 0
        self.lag_ms: float = 0.0
        """How long its last message waited between the line and the book, in milliseconds."""
        self.changed_at: float = -math.inf
        """When the levels were made true last, by an update or a snapshot, in monotonic seconds."""
        self._connected = False
        self._needs = NeedsSnapshot(Reason.STARTED)
        self._needs_since = self._clock.monotonic()
        self._synced_since: float | None = None
        self._in_a_hurry = False
        """The snapshot before this one was of little use, so a pause is due."""
        self._wakers: tuple[Waker, ...] = ()
        self._listeners: tuple[Listener, ...] = ()
        self._shadows: tuple[BookCore, ...] = ()
        """Books that are built beside this one from another snapshot, to be compared."""

    # ---------------------------------------------------------------------------------- what is known

    @property
    def synced(self) -> bool:
        """Whether its levels are the exchange's as of its update id."""
        return self.core.synced and self.error is None and not self.closed

    @property
    def reason(self) -> BookReason | None:
        """Why it is not synced; None where it is."""
        return None if self.core.synced else _reason(self._needs)

    def check_usable(self) -> None:
        """Check that it goes on.

        Raises:
            BinanceError: it has ended; why.
        """
        if self.error is not None:
            raise self.error
        if self.closed:
            raise StreamError(f"the book of {self.market} {self.symbol} is closed; open it again")

    def check_synced(self) -> None:
        """Check that its levels may be taken for the exchange's.

        Raises:
            BookNotSyncedError: they may not.
            BinanceError: it has ended; why.
        """
        if not self.synced:
            self.check_usable()
            text = "wait for it with wait_synced(), or read last_known"
            raise self._not_synced(text)

    def _not_synced(self, text: str) -> BookNotSyncedError:
        reason = self.reason or "started"
        return BookNotSyncedError(
            f"the book of {self.market} {self.symbol} is not synced ({reason}); {text}",
            symbol=self.symbol,
            reason=reason,
        )

    # ------------------------------------------------------------------------------------ what comes in

    def take(self, payload: bytes, came: float) -> str:
        """A message of its stream; returns what is wrong with it, or nothing."""
        core = self.core
        if core.state is IDLE and not self._shadows:
            return ""
        try:
            update = self._decode(payload)
        except ValueError as error:
            self._lose(Reason.MALFORMED)
            return str(error)
        with self.lock:
            found = core.take_update(update)
        for shadow in self._shadows:
            shadow.take_update(update)
        if found is APPLIED:
            self.changed_at = came
            for listener in self._listeners:
                listener.changed(update)
            if self._shadows:
                self._wake()
        elif isinstance(found, NeedsSnapshot):
            self._is_lost(found)
            return found.problem
        return ""

    def connection_ready(self) -> None:
        """Its stream is subscribed, and that was acknowledged."""
        self._connected = True
        # What comes before it is known how far off the turn of the snapshot is may be of use.
        self._begin()
        self._wake()

    def connection_lost(self) -> None:
        """Nothing comes until ``connection_ready``, and something may be missing then."""
        self._connected = False
        self._forget_shadows()
        self._lose(Reason.CONNECTION_LOST)

    def connection_replaced(self) -> None:
        """Another connection has taken over without a loss."""
        with self.lock:
            self.core.replace_connection()

    def silent(self) -> None:
        """Nothing has come for so long that the book may not be the exchange's any more."""
        self._lose(Reason.STALE)

    def _lose(self, reason: Reason) -> None:
        if self.core.state is not IDLE:
            with self.lock:
                needs = self.core.lose(reason)
            self._is_lost(needs)

    def _is_lost(self, needs: NeedsSnapshot) -> None:
        now = self._clock.monotonic()
        if self._synced_since is not None:
            self._in_a_hurry = now - self._synced_since < _STEADY_SECONDS
            self._synced_since = None
            self._needs, self._needs_since = needs, now
            self._around.notify(BookLost(self.market, self.symbol, _reason(needs), needs.last_id, needs.next_id))
        self._wake()

    # ---------------------------------------------------------------------------------------- snapshots

    async def run(self) -> None:
        """Fetch a snapshot whenever one is needed, until the book has ended."""
        while self.error is None and not self.closed:
            if not self._connected or self._synced_since is not None:
                await self.wait(math.inf)
                continue
            if self._in_a_hurry:
                self._in_a_hurry = False
                await self._clock.sleep(self._backoff.pause())
                continue
            try:
                snapshot = await self._around.loader.load(
                    self.symbol, on_far=self._postpone, on_near=self._begin, wanted=lambda: self._connected
                )
            except BinanceError as error:
                if is_final(error):
                    self.fail(error)
                    return
                await self._snapshot_failed(error)
                continue
            if snapshot is None or not self._connected:
                continue
            with self.lock:
                found = self.core.take_snapshot(snapshot)
            progress = self._around.loader.progress
            self._around.notify(
                BookSnapshotLoaded(
                    self.market, self.symbol, snapshot.last_id, len(progress.waiting), progress.seconds_left
                )
            )
            if isinstance(found, Synced):
                self._is_synced(found)
            elif found.problem:
                text = f"a snapshot of {self.market} {self.symbol} cannot be used: {found.problem}"
                await self._snapshot_failed(DecodeError(text, problems=(found.problem,)))
            else:
                self._in_a_hurry = True

    def _postpone(self) -> None:
        with self.lock:
            self.core.postpone()

    def _begin(self) -> None:
        with self.lock:
            self.core.begin()

    def _is_synced(self, found: Synced) -> None:
        now = self._clock.monotonic()
        first = self._needs.reason is Reason.STARTED
        self.last_failure = None
        self._synced_since = self.changed_at = now
        if not first:
            needs, self.resyncs = self._needs, self.resyncs + 1
            event = BookResynced(
                self.market,
                self.symbol,
                _reason(needs),
                needs.last_id,
                needs.next_id,
                found.update_id,
                now - self._needs_since,
            )
            self._around.notify(event)
            for listener in self._listeners:
                listener.resynced(event)
        self._wake()

    async def _snapshot_failed(self, error: BinanceError) -> None:
        pause = max(self._backoff.pause(), cast(float, getattr(error, "retry_after", None) or 0.0))
        if self.core.update_id is None:
            self.last_failure = error
        self._around.notify(BookSnapshotFailed(self.market, self.symbol, error, pause))
        self._wake()
        await self._clock.sleep(pause)

    # ------------------------------------------------------------------------------------------ waiting

    async def wait(self, seconds: float) -> None:
        """Return when something has happened, or after so many seconds."""
        waker = self._clock.waker()
        self._wakers = (*self._wakers, waker)
        try:
            await waker.wait(seconds)
        finally:
            self._wakers = tuple(other for other in self._wakers if other is not waker)

    def _wake(self) -> None:
        for waker in self._wakers:
            waker.wake()

    async def wait_synced(self, seconds: float | None = None, *, patient: bool = True) -> None:
        """Return when it is synced.

        Args:
            seconds: The most it may take; None waits for however long it takes.
            patient: Go on after a snapshot that could not be fetched.

        Raises:
            BookNotSyncedError: not in time.
            BinanceError: it has ended; why. Or there is no snapshot, for one who is not patient.
        """
        end = math.inf if seconds is None else self._clock.monotonic() + seconds
        while not self.synced:
            self.check_usable()
            if self.last_failure is not None and not patient:
                raise self.last_failure
            left = end - self._clock.monotonic()
            if seconds is not None and left <= 0:
                raise self._not_synced(f"it was not within {plain_number(seconds)} s")
            await self.wait(left)

    # ---------------------------------------------------------------------------------------- comparing

    @property
    def around(self) -> Surroundings:
        """What it shares with others."""
        return self._around

    def add_shadow(self, shadow: BookCore) -> None:
        """Give another book, which is built from another snapshot, every update too."""
        self._shadows = (*self._shadows, shadow)

    def remove_shadow(self, shadow: BookCore) -> None:
        self._shadows = tuple(other for other in self._shadows if other is not shadow)

    def compared(self, update_id: int, differences: int) -> None:
        """It was compared with a snapshot; if it differs, it starts from another one."""
        self._around.notify(BookVerified(self.market, self.symbol, update_id, differences))
        if differences and self.core.synced:
            self._lose(Reason.DIFFERENT)

    def not_compared(self, error: BinanceError, pause: float) -> None:
        """Tell that it could not be compared, and when it is tried again."""
        self._around.notify(BookSnapshotFailed(self.market, self.symbol, error, pause))

    def _forget_shadows(self) -> None:
        for shadow in self._shadows:
            shadow.lose(Reason.CONNECTION_LOST)

    # ---------------------------------------------------------------------------------------- listeners

    def add_listener(self, listener: Listener) -> None:
        """Tell it every change from now on."""
        self._listeners = (*self._listeners, listener)

    def remove_listener(self, listener: Listener) -> None:
        self._listeners = tuple(other for other in self._listeners if other is not listener)

    # ---------------------------------------------------------------------------------------------- end

    def fail(self, error: BinanceError) -> None:
        """End it, since it cannot go on."""
        if self.error is None and not self.closed:
            self.error = error
            self._around.notify(BookFailed(self.market, self.symbol, error))
            self._end()
            self._on_failed(self)

    def close(self) -> None:
        """End it, since it is not wanted any more."""
        if not self.closed:
            self.closed = True
            self._end()

    def _end(self) -> None:
        for listener in self._listeners:
            listener.ended()
        self._wake()


def is_final(error: BinanceError) -> bool:
    """Whether another attempt to fetch a snapshot would end the same way."""
    # A limit is waited for, a ban ends, and an answer that is no snapshot may be a fault on the way.
    return not (
        is_transient(error) or isinstance(error, DecodeError) or getattr(error, "retry_after", None) is not None
    )


def _reason(needs: NeedsSnapshot) -> BookReason:
    return needs.reason.value
