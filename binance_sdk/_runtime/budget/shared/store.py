"""The store of one ``limits_url`` in this process: one thread that speaks to it for every client, loop and thread.

A thread, and not a task of an event loop: it serves blocking clients and any number of loops alike, no cancelled call
can cut one of its messages in half, and every wait for the store has an end. A blocking call that finds the thread idle
sends its message itself, which saves both of them from waking each other.
"""

from __future__ import annotations

import logging
import math
import threading
from dataclasses import dataclass, field

from pydantic_core import to_json

from binance_sdk._runtime.budget.ledger import Ledger
from binance_sdk._runtime.budget.pool import Pool
from binance_sdk._runtime.budget.server_time import ServerTime
from binance_sdk._runtime.budget.shared.messages import ReplyError, read_reply
from binance_sdk._runtime.budget.shared.pool_connection import PoolConnection
from binance_sdk._runtime.budget.shared.pool_link import PoolLink
from binance_sdk._runtime.budget.shared.script import Script, pool_key
from binance_sdk._runtime.budget.shared.status import StoreState, StoreStatus
from binance_sdk._runtime.budget.shared.store_settings import StoreSettings
from binance_sdk._runtime.clock import BlockingClock, Clock
from binance_sdk._runtime.fork import abandon, notify_after_fork
from binance_sdk._runtime.locks import new_lock
from binance_sdk._runtime.market import PoolLimits
from binance_sdk._runtime.store.connection import StoreAwayError
from binance_sdk._runtime.store.process_stores import ProcessStores, end_of
from binance_sdk.errors import ConfigError

_LOGGER = logging.getLogger("binance_sdk")
_RETRY = 1.0
"""Seconds between two attempts to reach a store that is away."""
_LOOK = 0.5
"""Seconds between two looks at the connection while calls wait."""
_REPEATS = 4
"""Messages in a row that may be needed before the store grants anything: it may ask for the limits, or name others."""


@dataclass(eq=False)
class Store:
    """Made once a process for each store; see ``use_store``."""

    settings: StoreSettings
    ledger: Ledger = field(default_factory=Ledger)
    changes: int = 0
    """Grows whenever ``status`` becomes another state."""
    _pools: dict[str, Pool] = field(default_factory=dict[str, Pool])
    _linked: dict[str, PoolLink] = field(default_factory=dict[str, PoolLink])
    users: int = 0
    """Clients that are not closed."""
    _state: StoreState = "unused"
    _since: float = 0.0
    _reason: str = ""
    _retry_at: float = math.inf
    _refused: str = ""
    """Why the store was refused before it ever answered; said once."""

    def __post_init__(self) -> None:
        self._clock = BlockingClock()
        self._connection = PoolConnection(self.settings.address)
        self._lock = new_lock()
        self._exchanging = new_lock()
        """Held by whoever sends a message, and changes what is known of the store's state."""
        self._poked, self._stop = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._wakes_at = math.inf
        """When the thread looks for something to do, if nobody wakes it."""
        self._since = self._clock.time()
        notify_after_fork(self)

    @property
    def status(self) -> StoreStatus:
        live = max((link.live for link in self._links()), default=0)
        return StoreStatus(self._state, self._since, self._reason, live)

    def pool(self, name: str, limits: PoolLimits, wall: float, monotonic: float) -> Pool:
        """The pool of that name, whose budget is in the store."""
        with self._lock:
            pool = self._pools.get(name)
            if pool is None:
                script = Script(pool_key(self.settings.limits_key, name))
                link = PoolLink(script, self.settings.share, self._poke, self._exchange, self)
                pool = Pool(name, limits, ServerTime(wall, monotonic), self.ledger, link=link)
                link.attach(pool)
                self._pools[name], self._linked[name] = pool, link
            return pool

    def _links(self) -> list[PoolLink]:
        return list(self._linked.values())

    # ------------------------------------------------------------------------- thread

    def _poke(self) -> None:
        """There may be something to say. Nothing touches the network before the first call."""
        if self._thread is None:
            with self._lock:
                if self._thread is None and not self._stop.is_set():
                    self._thread = threading.Thread(target=self._run, name="binance-sdk limits", daemon=True)
                    self._thread.start()
        self._poked.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            # Whoever has something to do for us from now on, wakes us.
            self._wakes_at = math.inf
            now = self._clock.monotonic()
            with self.ledger.lock:
                dues = [(link.due(now), link) for link in self._links()]
            due = min([self._retry_at, *(when for when, _ in dues)])
            if due > now:
                self._sleep(due, now)
                continue
            with self._exchanging:
                self._speak(dues)
        with self._exchanging:
            for link in self._links():
                if not link.away and link.used:
                    self._serve_safely(link, leave=True)
            self._connection.close()

    def _sleep(self, due: float, now: float) -> None:
        waits = any(link.waits for link in self._links())
        self._wakes_at = min(due, now + _LOOK) if waits else due
        self._poked.wait(None if self._wakes_at == math.inf else self._wakes_at - now)
        self._poked.clear()
        if waits:
            with self._exchanging:
                if self._connection.closed():
                    # While all wait for a window to turn, nobody would notice that the store is away, and then it would
                    # not be known whether it gave out any of the next window.
                    self._retry_at = self._clock.monotonic()

    def _speak(self, dues: list[tuple[float, PoolLink]]) -> None:
        now = self._clock.monotonic()
        contact = self._retry_at <= now
        if contact:
            self._retry_at = now + _RETRY
        for when, link in dues:
            if contact or when <= now:
                self._serve_safely(link, contact=contact)
        if not any(link.away for link in self._links()):
            self._retry_at = math.inf

    def _exchange(self, link: PoolLink) -> bool:
        """Exchange a message of the pool in the calling thread.

        Returns:
            Whether it was done: not if another thread exchanges one just now, or the store may be away.
        """
        if self._state != "connected" or not self._exchanging.acquire(blocking=False):
            return False
        try:
            if self._stop.is_set():
                return False
            self._serve_safely(link)
        except BaseException:
            # Stopped in its middle by the user: what comes of this connection next is the answer to another message.
            self._connection.close()
            link.interrupted()
            self._poke()
            raise
        finally:
            self._exchanging.release()
        with self.ledger.lock:
            due = link.due(self._clock.monotonic())
        if min(due, self._retry_at) < self._wakes_at:
            self._poked.set()
        return True

    def _serve_safely(self, link: PoolLink, *, contact: bool = False, leave: bool = False) -> None:
        try:
            self._serve(link, contact=contact, leave=leave)
        except Exception as error:
            # Without this thread every call would wait for ever.
            _LOGGER.exception("limits_url: a message could not be exchanged")
            self._away(f"{type(error).__name__}: {error}", math.inf)

    def _serve(self, link: PoolLink, *, contact: bool, leave: bool) -> None:
        """Say what is to be said of one pool, and take over what the store answers."""
        if link.away and link.back_at <= self._clock.monotonic():
            with self.ledger.lock:
                link.return_to_store()
            self._see_states()
        closed = False
        for _ in range(_REPEATS):
            sent = self._clock.monotonic()
            with self.ledger.lock:
                message = link.message(sent, contact=contact and link.used, leave=leave)
            if message is None:
                return
            try:
                text = self._connection.run(link.script, to_json(message).decode())
                reply = read_reply(text)
                received = self._clock.monotonic()
                if reply == "unknown":
                    link.forgotten()
                    continue
                if isinstance(reply, str):
                    continue
                with self.ledger.lock:
                    link.apply(reply, sent, received)
            except StoreAwayError as error:
                if error.down and not closed and link.heard_at > -math.inf and not link.away:
                    # It may have been restarted, or have closed an idle connection.
                    closed = True
                    continue
                self._away(str(error), sent if error.down else math.inf)
                return
            except ReplyError as error:
                what = f"{self.settings.address.shown}: the script answers what it never does ({error})"
                self._refuse(link, f"{what}; the key {link.script.key!r} may have been changed by somebody else")
                return
            except ConfigError as error:
                self._refuse(link, str(error))
                return
            if closed and reply.doubted:
                # It was restarted, and has forgotten what was spent. Everybody else who was connected does the same.
                self._away(f"{self.settings.address.shown} was restarted", sent)
            if link.away:
                with self.ledger.lock:
                    link.answered(received, doubted=reply.doubted)
            else:
                self._see_states()
            return
        self._away(f"{self.settings.address.shown} gives no answer that is of use", math.inf)

    # -------------------------------------------------------------------------- state

    def _away(self, reason: str, failed_at: float) -> None:
        """Do without the store; ``failed_at`` is infinity where it may still be there for others."""
        now = self._clock.monotonic()
        with self.ledger.lock:
            for link in self._links():
                if link.used:
                    link.leave_store(now, failed_at)
        self._retry_at = now + _RETRY
        self._become("lost", reason)

    def _refuse(self, link: PoolLink, text: str) -> None:
        """The store cannot be used as it is set up; a store that was used before is away."""
        if self._state != "unused":
            self._away(text, math.inf)
            return
        now = self._clock.monotonic()
        with self.ledger.lock:
            link.refused(now, text)

    def _see_states(self) -> None:
        if not any(link.away for link in self._links()):
            self._become("connected", "")

    def _become(self, state: StoreState, reason: str) -> None:
        if state == self._state:
            return
        before, self._state, self._reason, self._since = self._state, state, reason, self._clock.time()
        self.changes += 1
        if state == "lost":
            _LOGGER.warning(
                "limits_url: %s; until it is back, calls spend this process's own part of each limit", reason
            )
        elif before == "lost":
            _LOGGER.warning("limits_url: the store is back; calls spend from the shared budget again")
        with self.ledger.lock:
            for ticket in self.ledger.tickets():
                ticket.wake()

    # ------------------------------------------------------------------- opened, closed

    async def release(self, clock: Clock) -> None:
        """The last client says so; what it has not told yet is told."""
        await end_of(self.leave(), clock)

    def leave(self) -> threading.Thread | None:
        """As ``release``, without waiting; the thread that ends."""
        if not _STORES.leave(self.settings.identity, self):
            return None
        self._stop.set()
        self._poked.set()
        return self._thread

    def after_fork(self) -> None:
        """In the child: the thread and the connection are the parent's."""
        abandon(self._connection)
        self._connection = PoolConnection(self.settings.address)
        self._thread, self._poked, self._stop = None, threading.Event(), threading.Event()
        self._wakes_at = math.inf
        self._retry_at = math.inf
        for link in self._links():
            link.after_fork()
        self._state = "unused"


_STORES: ProcessStores[Store] = ProcessStores()


def use_store(settings: StoreSettings) -> Store:
    """The store of this process by those settings, for one client more; all with the same ones are one consumer."""
    return _STORES.use(settings.identity, lambda: Store(settings))
