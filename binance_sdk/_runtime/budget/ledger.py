"""Who may send next: one queue for the whole process, over all resources; first come, first served in each priority.

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
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from binance_sdk._runtime.budget.resource import Charge, Leased, Resource
from binance_sdk._runtime.fork import fork_count, notify_after_fork
from binance_sdk._runtime.options import Priority

_LEDGERS: weakref.WeakSet[Ledger] = weakref.WeakSet()
_RANKS: dict[Priority, int] = {"high": 0, "normal": 1, "low": 2}
Rank = tuple[int, int]
"""Priority and order of arrival: the lower one goes first."""
Resources = tuple[int, ...]
"""The identities of some resources."""


@dataclass(frozen=True, slots=True)
class Need:
    """An amount of one resource, of which only ``share`` of the limit may be used."""

    resource: Resource
    amount: int
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Reservation:
    """Everything that one request needs at once."""

    needs: tuple[Need, ...]
    priority: Priority = "normal"
    operation: str = ""
    """Whose request it is, for messages."""

    @property
    def resources(self) -> Resources:
        """Reservations of the same resources wait in the same queue."""
        return tuple(id(need.resource) for need in self.needs)


@dataclass(frozen=True, slots=True)
class Grant:
    """Permission to send, already charged to every resource."""

    charges: tuple[tuple[Resource, Charge], ...]
    forks: int = 0
    """``fork_count`` when it was given: in the child of a fork it is the parent's to settle."""


@dataclass(eq=False)
class Ticket:
    """A place in a queue. ``wake`` is called when its holder should look at it again."""

    reservation: Reservation
    rank: Rank
    wake: Callable[[], None]
    grant: Grant | None = None
    failure: BaseException | None = None
    ready_at: float = math.inf
    """When to look again; infinity while only an event can help, as for all but the first in a queue."""
    waits_for: str = ""
    """Name of the resource that is short."""
    short: int = 0
    """Identity of that resource."""
    done: bool = False
    """Granted, failed or given up: it waits no more."""
    asking: bool = False
    """A store has not answered yet whether it has room."""


class Ledger:
    """The queues of one process: one for each combination of resources, so that others may pass a queue that waits."""

    def __init__(self) -> None:
        self._queues: dict[Resources, list[tuple[Rank, Ticket]]] = {}
        self._arrivals = itertools.count()
        self._lock = threading.RLock()
        self._waiting = 0
        _LEDGERS.add(self)
        notify_after_fork(self)

    @property
    def lock(self) -> threading.RLock:
        """Guards the resources; hold it to read or change one."""
        return self._lock

    @property
    def waiting(self) -> int:
        """Tickets that wait."""
        return self._waiting

    # ------------------------------------------------------------------- reserving

    def try_reserve(self, needs: tuple[Need, ...], now: float) -> Grant | None:
        """A grant if everything fits and nobody waits for anything."""
        grant = None
        try:
            with self._lock:
                if not self._waiting and _first_short(needs, now) is None:
                    grant = _take(needs, now)
        except BaseException:
            # Ctrl-C as the lock was let go.
            if grant is not None:
                self.refund(grant, now)
            raise
        return grant

    def reserve(self, reservation: Reservation, now: float, wake: Callable[[], None]) -> Grant | Ticket:
        """A grant if everything fits and nobody who came earlier waits for the same, otherwise a ticket."""
        ticket = None
        try:
            with self._lock:
                ticket = Ticket(reservation, (_RANKS[reservation.priority], next(self._arrivals)), wake, done=True)
                ticket.grant = self.try_reserve(reservation.needs, now)
                if ticket.grant is None:
                    self._enqueue(ticket, now)
        except BaseException:
            # Ctrl-C: nobody knows of this ticket, and all others would wait behind it.
            if ticket is not None:
                self.cancel(ticket, now)
            raise
        return ticket.grant or ticket

    def _enqueue(self, ticket: Ticket, now: float) -> None:
        queue = self._queues.setdefault(ticket.reservation.resources, [])
        overtaken = queue[0][1] if queue else None
        self._waiting += 1
        ticket.done = False
        heapq.heappush(queue, (ticket.rank, ticket))
        if overtaken is not None and queue[0][1] is not overtaken:
            # It is no longer first, so its time to look again means nothing: it would look again and again.
            overtaken.ready_at = math.inf
        self.dispatch(now)

    def estimate(self, reservation: Reservation, now: float) -> float:
        """Earliest time at which it could fit, after the first in each queue got what they wait for."""
        with self._lock:
            ready = max([now, *(need.resource.ready_at(need.amount, now, need.share) for need in reservation.needs)])
            mine = set(reservation.resources)
            for queue in self._queues.values():
                first = queue[0][1] if queue else None
                if first is None or first.rank[0] > _RANKS[reservation.priority]:
                    continue
                if first.short in mine and first.ready_at != math.inf:
                    ready = max(ready, first.ready_at)
            return ready

    def cancel(self, ticket: Ticket, now: float) -> None:
        """The caller gave up. Its place, or the grant that it has just got and not used, goes to the next."""
        with self._lock:
            if not ticket.done:
                ticket.done = True
                self._waiting -= 1
            if ticket.grant is not None:
                self._refund(ticket.grant, now)
                ticket.grant = None
            self.dispatch(now)

    def fail(self, resource: Resource, make_error: Callable[[str], BaseException], now: float) -> None:
        """Fail every ticket that needs ``resource``, each with an error of its own, made from its operation."""
        with self._lock:
            for queue in self._queues.values():
                for _, ticket in queue:
                    if not ticket.done and any(need.resource is resource for need in ticket.reservation.needs):
                        ticket.failure = make_error(ticket.reservation.operation)
                        ticket.done = True
                        self._waiting -= 1
                        _wake(ticket)
            self.dispatch(now)

    # ------------------------------------------------------------------- settling

    def settle(self, grant: Grant, reported: Mapping[str, int], now: float, *, answered: bool = True) -> None:
        """The request is over; ``reported`` holds the server's counts by name of the resource.

        Charges that are over, since the request was settled or refunded before, are left as they are.
        """
        with self._lock:
            if grant.forks == fork_count():
                for resource, charge in grant.charges:
                    if not charge.over:
                        resource.settle(charge, reported.get(resource.name), now, answered=answered)
            self.dispatch(now)

    def refund(self, grant: Grant, now: float) -> None:
        """The request was never sent; as with ``settle``, what is over is left as it is."""
        with self._lock:
            self._refund(grant, now)
            self.dispatch(now)

    def _refund(self, grant: Grant, now: float) -> None:
        if grant.forks == fork_count():
            for resource, charge in grant.charges:
                if not charge.over:
                    resource.refund(charge, now)

    # ------------------------------------------------------------------ dispatching

    def dispatch(self, now: float) -> None:
        """Grant what fits, in order. Whoever is short of a resource blocks it for all who come later."""
        with self._lock:
            if not self._waiting:
                # Only tickets that are done are left.
                self._queues.clear()
                return
            heads: list[tuple[Rank, Resources]] = []
            for resources in list(self._queues):
                queue = self._queues[resources]
                while queue and queue[0][1].done:
                    heapq.heappop(queue)
                if queue:
                    heads.append((queue[0][0], resources))
                else:
                    del self._queues[resources]
            heapq.heapify(heads)
            blocked: dict[int, float] = {}
            while heads:
                _, resources = heapq.heappop(heads)
                queue = self._queues[resources]
                ticket = queue[0][1]
                if self._try_grant(ticket, now, blocked):
                    heapq.heappop(queue)
                    while queue and queue[0][1].done:
                        heapq.heappop(queue)
                    if queue:
                        heapq.heappush(heads, (queue[0][0], resources))
                    else:
                        del self._queues[resources]

    def _try_grant(self, ticket: Ticket, now: float, blocked: dict[int, float]) -> bool:
        """Grant the ticket if everything fits.

        Args:
            ticket: The first in its queue.
            now: Monotonic time.
            blocked: When the resources that earlier tickets are short of will be ready, by identity; added to here.
        """
        at, name, short = now, "", 0
        for need in ticket.reservation.needs:
            earlier = blocked.get(id(need.resource))
            ready = need.resource.ready_at(need.amount, now, need.share) if earlier is None else max(earlier, now)
            if earlier is not None or ready > now:
                blocked[id(need.resource)] = ready
                if ready >= at:
                    at, name, short = ready, need.resource.name, id(need.resource)
        if short:
            # The holder may be asleep until a later time than this.
            sooner = at < ticket.ready_at or not ticket.waits_for
            ticket.ready_at, ticket.waits_for, ticket.short = at, name, short
            if sooner:
                ticket.wake()
            return False
        # No call between these: after Ctrl-C between them the ticket would be granted a second time.
        ticket.grant = _take(ticket.reservation.needs, now)
        ticket.done = True
        self._waiting -= 1
        _wake(ticket)
        return True

    def demand(self, leased: Collection[Resource], now: float, most: int) -> list[Ticket]:
        """The first tickets that nothing holds back but resources which a store gives out.

        Args:
            leased: Those resources, each a ``Leased``. A ticket that needs none of them is passed over.
            now: Monotonic time.
            most: So many tickets at most.
        """
        with self._lock:
            asked = {id(resource): resource for resource in leased}
            heads = [(queue[0][0], list(queue)) for queue in self._queues.values() if queue]
            heapq.heapify(heads)
            blocked: set[int] = set()
            found: list[Ticket] = []
            # What else they need is taken on trial, since only so many can be sent at once.
            trial: list[tuple[Resource, Charge]] = []
            while heads and len(found) < most:
                _, queue = heapq.heappop(heads)
                _, ticket = heapq.heappop(queue)
                needs = ticket.reservation.needs
                if not ticket.done:
                    short = {id(need.resource) for need in needs if _held_back(need, now, asked)} | {
                        id(need.resource) for need in needs if id(need.resource) in blocked
                    }
                    blocked |= short
                    if short or not any(id(need.resource) in asked for need in needs):
                        # Those behind it in the same queue need the same.
                        continue
                    found.append(ticket)
                    others = [need for need in needs if id(need.resource) not in asked]
                    trial += [(need.resource, need.resource.take(need.amount, now)) for need in others]
                if queue:
                    heapq.heappush(heads, (queue[0][0], queue))
            for resource, charge in reversed(trial):
                resource.refund(charge, now)
            return found

    def tickets(self) -> list[Ticket]:
        """Every ticket that waits."""
        with self._lock:
            return [ticket for queue in self._queues.values() for _, ticket in queue if not ticket.done]

    # ------------------------------------------------------------------------ fork

    def after_fork(self) -> None:
        """In the child: nobody waits here."""
        self._lock = threading.RLock()
        self._queues.clear()
        self._waiting = 0


def _held_back(need: Need, now: float, asked: Mapping[int, Resource]) -> bool:
    """Whether a ticket with this need would wait even if the store gave out all that it was asked for."""
    resource = need.resource
    if isinstance(resource, Leased):
        # One of another pool's windows is not asked for here, and holds back only those that need it.
        return id(resource) in asked and resource.asked_at(need.amount, now) > now
    return resource.ready_at(need.amount, now, need.share) > now


def _first_short(needs: tuple[Need, ...], now: float) -> Need | None:
    for need in needs:
        if need.resource.ready_at(need.amount, now, need.share) > now:
            return need
    return None


def _take(needs: tuple[Need, ...], now: float) -> Grant:
    taken: list[tuple[Resource, Charge]] = []
    try:
        for need in needs:
            taken.append((need.resource, need.resource.take(need.amount, now)))  # noqa: PERF401 - seen if it is cut off
        return Grant(tuple(taken), fork_count())
    except BaseException:
        # Ctrl-C: what is taken already would be in flight for ever.
        for resource, charge in taken:
            resource.refund(charge, now)
        raise


def _wake(ticket: Ticket) -> None:
    try:
        ticket.wake()
    except BaseException:
        # Ctrl-C in this thread, and the ticket is one of another, which looks by itself only twice a minute.
        ticket.wake()
        raise


def never_fits(reservation: Reservation) -> tuple[Need, int] | None:
    """The need that is larger than all that may ever be used of its resource, and how much that is; None if all fit."""
    for need in reservation.needs:
        limit = need.resource.limit
        if limit is not None and need.amount > (usable := math.floor(limit * need.share + 1e-9)):
            return need, usable
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


if hasattr(os, "register_at_fork"):
    # In the child each ledger makes a new lock.
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_HELD.clear)
