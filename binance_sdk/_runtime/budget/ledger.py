"""Who may send next: one queue a process, first come first served within a priority, over all resources.

Thread-safe; usable from any number of event loops and threads at once, and from the child of a fork. A caller asks
for several resources together and gets either a grant or a ticket with which to wait for one.
"""

from __future__ import annotations

import heapq
import itertools
import math
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from binance_sdk._runtime.budget.resource import Charge, Resource, forked
from binance_sdk._runtime.fork import fork_count
from binance_sdk._runtime.options import Priority

_LEDGERS: weakref.WeakSet[Ledger] = weakref.WeakSet()
_RANKS: dict[Priority, int] = {"high": 0, "normal": 1, "low": 2}


@dataclass(frozen=True, slots=True)
class Need:
    """An amount of one resource, of which only ``share`` of the limit may be used."""

    resource: Resource
    amount: int
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Reservation:
    """Everything one request needs at once."""

    needs: tuple[Need, ...]
    priority: Priority = "normal"
    operation: str = ""
    """Who asks, for messages."""

    @property
    def kind(self) -> tuple[int, ...]:
        """Asks for the same resources stand in one line."""
        return tuple(id(need.resource) for need in self.needs)


@dataclass(frozen=True, slots=True)
class Grant:
    """Permission to send, already charged to every resource."""

    charges: tuple[tuple[Resource, Charge], ...]
    forks: int = 0
    """Which process it was given in: after a fork it is the parent's to settle."""


@dataclass(eq=False)
class Ticket:
    """A place in the queue. ``wake`` is called when there is something new to see."""

    ask: Reservation
    rank: tuple[int, int]
    wake: Callable[[], None]
    grant: Grant | None = None
    failure: BaseException | None = None
    ready_at: float = math.inf
    """When it may be worth asking again; infinity while only an event can help, e.g. for all but the first in line."""
    waits_for: str = ""
    """Name of the resource that is short."""
    short: int = 0
    """Identity of that resource."""
    gone: bool = False


class Ledger:
    """The queue of one process."""

    def __init__(self) -> None:
        self._lines: dict[tuple[int, ...], list[tuple[tuple[int, int], Ticket]]] = {}
        self._numbers = itertools.count()
        self._lock = threading.RLock()
        self._waiting = 0
        _LEDGERS.add(self)

    @property
    def lock(self) -> threading.RLock:
        """Guards the resources; hold it to read or change one."""
        return self._lock

    @property
    def waiting(self) -> int:
        return self._waiting

    # --------------------------------------------------------------------- asking

    def at_once(self, needs: tuple[Need, ...], now: float) -> Grant | None:
        """A grant where everything fits and nobody waits for anything."""
        with self._lock:
            return _take(needs, now) if not self._waiting and _short(needs, now) is None else None

    def ask(self, ask: Reservation, now: float, wake: Callable[[], None]) -> Grant | Ticket:
        """A grant where everything fits and nobody who came earlier waits for the same, else a ticket."""
        with self._lock:
            grant = self.at_once(ask.needs, now)
            if grant is not None:
                return grant
            ticket = Ticket(ask, (_RANKS[ask.priority], next(self._numbers)), wake)
            line = self._lines.setdefault(ask.kind, [])
            overtaken = line[0][1] if line else None
            heapq.heappush(line, (ticket.rank, ticket))
            if overtaken is not None and line[0][1] is not overtaken:
                # No longer first: its moment would come and go, and it would look again and again.
                overtaken.ready_at = math.inf
            self._waiting += 1
            self.dispatch(now)
            return ticket.grant or ticket

    def estimate(self, ask: Reservation, now: float) -> float:
        """Earliest time at which ``ask`` could fit: what it needs is there, and so is what the first in line need."""
        with self._lock:
            ready = max([now, *(need.resource.ready_at(need.amount, now, need.share) for need in ask.needs)])
            mine = set(ask.kind)
            for line in self._lines.values():
                first = line[0][1] if line else None
                if first is None or first.rank[0] > _RANKS[ask.priority]:
                    continue
                if first.short in mine and first.ready_at != math.inf:
                    ready = max(ready, first.ready_at)
            return ready

    def cancel(self, ticket: Ticket, now: float) -> None:
        """The caller gave up: his place, or the grant he just got and never used, goes to the next."""
        with self._lock:
            if ticket.grant is not None:
                self._undo(ticket.grant, now)
                ticket.grant = None
            elif not ticket.gone:
                ticket.gone = True
                self._waiting -= 1
            self.dispatch(now)

    def fail(self, resource: Resource, make: Callable[[str], BaseException], now: float) -> None:
        """Give every ticket that needs ``resource`` an error of its own, made from its operation."""
        with self._lock:
            for line in self._lines.values():
                for _, ticket in line:
                    if not ticket.gone and any(need.resource is resource for need in ticket.ask.needs):
                        ticket.failure = make(ticket.ask.operation)
                        self._leave(ticket)
            self.dispatch(now)

    # ------------------------------------------------------------------- finishing

    def settle(self, grant: Grant, reported: Mapping[str, int], now: float, *, answered: bool = True) -> None:
        """The request is over; ``reported`` holds the server's counts by resource name."""
        with self._lock:
            if grant.forks == fork_count():
                for resource, charge in grant.charges:
                    resource.settle(charge, reported.get(resource.name), now, answered=answered)
            self.dispatch(now)

    def refund(self, grant: Grant, now: float) -> None:
        """The request was never sent."""
        with self._lock:
            self._undo(grant, now)
            self.dispatch(now)

    def _undo(self, grant: Grant, now: float) -> None:
        if grant.forks == fork_count():
            for resource, charge in grant.charges:
                resource.refund(charge, now)

    # ------------------------------------------------------------------ dispatching

    def dispatch(self, now: float) -> None:
        """Grant what fits, in order. Whoever is short of something blocks it for all who come later."""
        with self._lock:
            if not self._waiting:
                # What is left are places that were given up.
                self._lines.clear()
                return
            heads: list[tuple[tuple[int, int], tuple[int, ...]]] = []
            for kind in list(self._lines):
                line = self._lines[kind]
                while line and line[0][1].gone:
                    heapq.heappop(line)
                if line:
                    heads.append((line[0][0], kind))
                else:
                    del self._lines[kind]
            heapq.heapify(heads)
            blocked: dict[int, float] = {}
            while heads:
                _, kind = heapq.heappop(heads)
                line = self._lines[kind]
                ticket = line[0][1]
                if self._try(ticket, now, blocked):
                    heapq.heappop(line)
                    while line and line[0][1].gone:
                        heapq.heappop(line)
                    if line:
                        heapq.heappush(heads, (line[0][0], kind))
                    else:
                        del self._lines[kind]

    def _try(self, ticket: Ticket, now: float, blocked: dict[int, float]) -> bool:
        at, name, short = now, "", 0
        for need in ticket.ask.needs:
            earlier = blocked.get(id(need.resource))
            ready = need.resource.ready_at(need.amount, now, need.share) if earlier is None else max(earlier, now)
            if earlier is not None or ready > now:
                blocked[id(need.resource)] = ready
                if ready >= at:
                    at, name, short = ready, need.resource.name, id(need.resource)
        if short:
            # It may fit sooner than the sleeper thinks.
            sooner = at < ticket.ready_at or not ticket.waits_for
            ticket.ready_at, ticket.waits_for, ticket.short = at, name, short
            if sooner:
                ticket.wake()
            return False
        ticket.grant = _take(ticket.ask.needs, now)
        self._leave(ticket)
        return True

    def _leave(self, ticket: Ticket) -> None:
        ticket.gone = True
        self._waiting -= 1
        ticket.wake()

    # ------------------------------------------------------------------------ fork

    def after_fork(self) -> None:
        """In the child: nobody waits here."""
        self._lock = threading.RLock()
        self._lines.clear()
        self._waiting = 0


def _short(needs: tuple[Need, ...], now: float) -> Need | None:
    for need in needs:
        if need.resource.ready_at(need.amount, now, need.share) > now:
            return need
    return None


def _take(needs: tuple[Need, ...], now: float) -> Grant:
    return Grant(tuple([(need.resource, need.resource.take(need.amount, now)) for need in needs]), fork_count())


def never_fits(ask: Reservation, now: float) -> Need | None:
    """The need that is larger than its whole limit, if there is one."""
    for need in ask.needs:
        limit = getattr(need.resource, "limit", None)
        if limit is not None and need.amount > math.floor(limit * need.share + 1e-9):
            return need
    return None


_HELD: list[threading.RLock] = []
"""Locks held over a fork, so that no other thread is half-way through a change that the child would inherit."""


def _before_fork() -> None:
    for ledger in list(_LEDGERS):
        ledger.lock.acquire()
        _HELD.append(ledger.lock)


def _after_fork_in_parent() -> None:
    while _HELD:
        _HELD.pop().release()


def _after_fork_in_child() -> None:
    _HELD.clear()
    for ledger in list(_LEDGERS):
        ledger.after_fork()
    forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
