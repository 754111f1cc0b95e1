"""One pool's side of the store: the message that tells it everything, and what its reply changes here.

Nothing here waits or reads a clock; whoever calls holds the lock of the ledger.
"""

from __future__ import annotations

import math
import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from binance_sdk._runtime.budget.ledger import Ticket
from binance_sdk._runtime.budget.shared.agreed_limits import AgreedLimits
from binance_sdk._runtime.budget.shared.endings import Endings
from binance_sdk._runtime.budget.shared.leased_windows import (
    TRUSTED,
    Alone,
    LeasedCharge,
    LeasedFixedWindow,
    LeasedSlidingWindow,
    LeasedWindow,
    Snapshot,
    check_alone,
    leased_needs,
)
from binance_sdk._runtime.budget.shared.messages import Reply, ReplyError, Table
from binance_sdk._runtime.budget.shared.script import Script
from binance_sdk._runtime.budget.shared.shared_gate import SharedGate
from binance_sdk._runtime.budget.shared.store_clock import StoreClock
from binance_sdk._runtime.budget.store_link import StoreView
from binance_sdk.errors import ConfigError

if TYPE_CHECKING:
    from binance_sdk._runtime.budget.pool import Pool


_MOST_WANTS = 64
"""Of one message; more would keep the store busy for too long at a time."""
_FLUSH = 0.25
"""Seconds after which the store is told what has ended, if nothing else is to be said."""
_LONGEST = 5.0
"""Seconds that one message may take, if the store does not answer; a caller with less time does not send it itself."""
_HEARTBEAT = 10.0
"""Seconds between two messages while requests are in flight or calls wait: after 30 the store takes us for dead."""
_FRESH = 1.0
"""What others had spent is known well enough if the store told so many seconds ago at most."""
_KEPT = 0.1
"""Part of a fixed window in which the store keeps the whole part of everybody who waited."""
_UNKNOWN_PART = 0.03
"""Of each limit, for a process that has never reached its store and so knows nothing of the others."""
_REMEMBERED = 600.0
"""Seconds for which the largest number of others is remembered: a store that was restarted has forgotten them."""


def _new_consumer() -> str:
    """A name that no other process has, and by which people find the process: its host, and its number there."""
    return f"{socket.gethostname()[:64]}/{os.getpid()}/{uuid.uuid4().hex[:12]}"


@dataclass
class PoolLink:
    """What one process tells the store of one pool, and hears from it. Times are monotonic seconds."""

    script: Script
    share: float
    """Of this process, in a fair division."""
    poke: Callable[[], None]
    """Wakes whoever sends messages."""
    exchange: Callable[[PoolLink], bool]
    """Exchanges a message in the calling thread; False if another does so just now, or the store may be away."""
    store: StoreView
    consumer: str = field(default_factory=_new_consumer)
    heard_at: float = -math.inf
    """When the last reply came, and how many processes there were by it."""
    live: int = 0
    away: bool = False
    """The pool does without the store."""
    back_at: float = math.inf
    """When it does with it again; infinity while the store does not answer."""
    sent_at: float = -math.inf
    """When the last message went out."""
    _pool: Pool | None = None
    _windows: dict[str, LeasedWindow] | None = None
    _clock: StoreClock = field(default_factory=StoreClock)
    _looked_at: float = -math.inf
    """When it was last decided whether there is anything to say."""
    _seq: int = 0
    _endings: Endings = field(default_factory=Endings)
    _asking: list[Ticket] = field(default_factory=list[Ticket])
    """Not part of a message yet."""
    _answering: list[Ticket] = field(default_factory=list[Ticket])
    """To be answered by the next reply."""
    _wanted: list[Ticket] = field(default_factory=list[Ticket])
    """Those that the last message asks for."""
    _waited_at: float = -math.inf
    """When calls last waited for room in the store."""
    _look: bool = False
    """There may be calls to ask for."""
    _agreement: AgreedLimits = field(default_factory=lambda: AgreedLimits({}))
    _gate: SharedGate = field(default_factory=lambda: SharedGate(""))
    _others: tuple[float, float] = (0.0, -math.inf)
    """Shares of all processes at their largest, and when."""

    # ---------------------------------------------------------------------- the pool

    @property
    def pool(self) -> Pool:
        assert self._pool is not None
        return self._pool

    def attach(self, pool: Pool) -> None:
        """Called once the pool is made of this link's windows and gate."""
        self._pool = pool
        self._agreement = AgreedLimits(self._limits())

    def fixed_window(self, name: str, limit: int, seconds: int) -> LeasedFixedWindow:
        window = LeasedFixedWindow(name, limit, seconds)
        window.ended = self.ended
        return window

    def sliding_window(self, name: str, limit: int, seconds: int, kind: str) -> LeasedSlidingWindow:
        window = LeasedSlidingWindow(name, limit, seconds)
        window.kind, window.ended = kind, self.ended
        return window

    def gate(self, name: str) -> SharedGate:
        self._gate.name, self._gate.closing = name, self.poke
        return self._gate

    @property
    def windows(self) -> dict[str, LeasedWindow]:
        """By their names in the store."""
        if self._windows is None:
            found = [window for window in self.pool.windows if isinstance(window, LeasedWindow)]
            self._windows = {window.key: window for window in found}
        return self._windows

    def forget_windows(self) -> None:
        """The pool has other ones."""
        self._windows = None

    @property
    def used(self) -> bool:
        """Some message has been sent."""
        return self.sent_at > -math.inf

    @property
    def waits(self) -> bool:
        """Calls wait until the store may have room."""
        return not self.away and any(window.refused for window in self.windows.values())

    def _limits(self) -> Table:
        table: Table = {}
        for window in self.windows.values():
            table.setdefault(window.kind, {})[window.seconds] = window.limit
        return table

    # ------------------------------------------------------------------- what happened

    def ask(self, ticket: Ticket, may_block: float) -> None:
        """A call waits, and the store may have room for it; its thread may be blocked for so many seconds."""
        if not self.away:
            ticket.asking = True
            self._asking.append(ticket)
            # A caller who waits anyhow sends the message itself: two threads need not wake each other then.
            if may_block < _LONGEST or not self.exchange(self):
                self.poke()

    def look(self) -> None:
        """Something that calls wait for beside the store may be free."""
        if not self.away:
            self._look = True
            self.poke()

    def ended(self, name: str, charge: LeasedCharge, reported: int | None, answered: bool) -> None:
        """A request is over; the store is told with the next message."""
        self._endings.add(name, charge, reported, answered)
        if self.pool.ledger.waiting:
            self.look()

    # ------------------------------------------------------------------------ message

    def due(self, now: float) -> float:
        """When something is to be said, if nothing else happens."""
        if self.away:
            return self.back_at
        if self._asking or self._look or self._gate.urgent:
            return now
        windows = self.windows.values()
        waiting, running = self.pool.ledger.waiting, any(window.in_flight for window in windows)
        times = [math.inf]
        if self._endings or running:
            times.append(max(self.sent_at, self._looked_at) + _FLUSH)
        refused = [window.ready for window in windows if window.refused]
        if waiting:
            times += refused
        if refused or running:
            times.append(self.sent_at + _HEARTBEAT)
        return min(times)

    def message(self, now: float, *, contact: bool = False, leave: bool = False) -> dict[str, Any] | None:
        """What to say now; None if there is nothing.

        ``contact`` says something in any case, to see whether the store is there; ``leave`` says the last message.
        """
        self._look, pool = False, self.pool
        self._answering += self._asking
        self._asking.clear()
        windows = self.windows
        busy = self.waits or any(window.in_flight for window in windows.values())
        if self.waits:
            self._waited_at = now
        for window in windows.values():
            if window.ready <= now:
                window.refused, window.ready = 0, -math.inf
        self._wanted = [] if self.away or leave else pool.ledger.demand(windows.values(), now, _MOST_WANTS)
        self._gate.pass_by(now)
        quiet = now - max(self.sent_at, self._looked_at) < _FLUSH
        self._looked_at = now
        beat = busy and now - self.sent_at >= _HEARTBEAT
        if not (contact or leave or self._wanted or self._gate.urgent or beat or (self._endings and not quiet)):
            self._answer()
            return None
        return self._message(now, windows, leave=leave)

    def _message(self, now: float, windows: dict[str, LeasedWindow], *, leave: bool) -> dict[str, Any]:
        self._seq += 1
        self.sent_at = now
        held = {name: window.in_flight for name, window in windows.items() if window.in_flight}
        for name, amount in self._endings.left().items():
            held[name] = held.get(name, 0) + amount
        message: dict[str, Any] = {
            "id": self.consumer,
            "seq": self._seq,
            "share": self.share,
            **self._agreement.news(self._limits()),
            **self._gate.news(now),
            "settled": self._endings.settled,
            "endings": self._endings.first(),
            "held": held,
            "wants": [[[window.key, amount, share] for window, amount, share in leased_needs(t)] for t in self._wanted],
        }
        pool_waits = self.pool.ledger.waiting > 0 and any(window.refused for window in windows.values())
        clock = self._clock.news(self.pool.time, now)
        if clock is not None:
            message["clock"] = clock
        if pool_waits:
            message["waits"] = True
        if leave:
            message["leave"] = True
        return message

    def interrupted(self) -> None:
        """The caller that sent a message was stopped: whoever else waits for the answer asks again."""
        self._look = True

    # -------------------------------------------------------------------------- reply

    def forgotten(self) -> None:
        """The store knows nothing of this pool: the limits are told with the next message."""
        self._agreement.version = ""

    def apply(self, reply: Reply, sent: float, received: float) -> None:
        """Take over what the store says.

        Raises:
            ReplyError: it does not fit the message.
        """
        wanted, self._wanted = self._wanted, []
        if reply.table is None and len(reply.granted) != len(wanted):
            raise ReplyError(f"{len(reply.granted)} answers to {len(wanted)} wishes")
        self.heard_at, self.live = received, reply.live
        if reply.shares >= self._others[0] or received > self._others[1] + _REMEMBERED:
            self._others = reply.shares, received
        self._endings.counted(reply.settled)
        self._clock.observe(float(reply.now), sent, received)
        if self._gate.hear(reply, received):
            self.pool.ledger.fail(self._gate, lambda operation: self.pool.ban_error(operation, received), received)
        agreement = self._agreement
        agreement.agreed, agreement.version = agreement.told, reply.version
        if reply.table is not None and self._limits() == agreement.told:
            # Otherwise the exchange has announced other limits since, and the store is told them.
            self.pool.take_limits(reply.limits, received)
            agreement.agreed = self._limits()
        windows = self.windows
        for name, used in reply.used.items():
            if name in windows:
                windows[name].roll(received)
                windows[name].told_used, windows[name].told_at = used, received
        leased: list[LeasedWindow] = []
        for ticket, granted in zip(wanted, reply.granted, strict=False):
            for window, amount, _ in leased_needs(ticket) if granted == "1" else ():
                known = reply.taken.get(window.key)
                if known is None:
                    raise ReplyError(f"taken has no {window.key}")
                window.lease += amount
                window.snapshot = Snapshot(*known[:4], reply.now, known[4])
                leased.append(window)
        for name, (seconds, amount) in reply.short.items():
            if name in windows:
                windows[name].refuse(amount, None if seconds < 0 else seconds, received)
        self.pool.ledger.dispatch(received)
        for window in leased:
            # Whoever waited for it has given up: the next message says that it is not held.
            window.lease = 0
        if reply.table is not None:
            self._look = True
        else:
            self._answer()

    def _answer(self) -> None:
        """All who asked know by now what the store says, or that it does not."""
        answering, self._answering = self._answering, []
        if self.away:
            answering += self._asking
            self._asking = []
        for ticket in answering:
            # One that was granted at the first answer keeps the mark: it did not wait for anything but the store.
            if not ticket.done:
                ticket.asking = False
                ticket.wake()

    # --------------------------------------------------------------------------- away

    def leave_store(self, now: float, failed_at: float) -> None:
        """The store does not answer: what may be spent until it does is a part of each limit.

        Args:
            now: Monotonic time.
            failed_at: When the message went out that it did not answer; infinity if others may still be answered.
        """
        self.back_at = math.inf
        if self.away:
            return
        self.away, self._wanted = True, []
        known = self._others[0] > 0
        part = self.share / self._others[0] if known else _UNKNOWN_PART
        for window in self.windows.values():
            window.roll(now)
            until = window.next_opening if isinstance(window, LeasedFixedWindow) else now + window.seconds
            # Others may have spent much since it last told, or go on spending there.
            left = window.limit * (1 - TRUSTED)
            began = window.starts if isinstance(window, LeasedFixedWindow) else -math.inf
            if failed_at - self.heard_at <= _FRESH and window.told_at == self.heard_at >= began:
                left = max(0.0, window.limit * TRUSTED - window.used)
            if known and self._waited_at >= failed_at - _FRESH and now <= began + window.seconds * _KEPT:
                # Whatever the store gave to others before it went away, our part was kept.
                until = -math.inf
            window.leave_alone(Alone(part, until, math.floor(left * part if known else left), now))
        self.pool.ledger.dispatch(now)
        self._answer()

    def answered(self, now: float, *, doubted: bool) -> None:
        """The store is there again; all processes go back to it with the same window if it has forgotten this one."""
        weight = self.pool.weight
        weight.roll(now)
        self.back_at = now if not doubted else weight.opens if now < weight.opens else weight.next_opening

    def return_to_store(self) -> None:
        self.away, self.back_at = False, math.inf
        for window in self.windows.values():
            window.leave_alone(None)
        self._look = True

    def refused(self, now: float, text: str) -> None:
        """The store cannot be used: every call that waits for it fails."""
        pool = self.pool
        pool.ledger.fail(pool.gate, lambda name: ConfigError(f"{name}: {text}", operation=name), now)
        self._answer()

    check_fits = staticmethod(check_alone)

    # --------------------------------------------------------------------------- fork

    def after_fork(self) -> None:
        """In the child: a consumer of its own, with nothing in flight."""
        self.consumer, self._seq, self._endings = _new_consumer(), 0, Endings()
        self._asking, self._answering, self._wanted = [], [], []
        self.heard_at = self.sent_at = self._looked_at = -math.inf
        self._agreement.version, self._look = "", False
