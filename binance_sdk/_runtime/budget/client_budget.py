"""One client's way into the ledger: its safety margin, its caps, its concurrency, and the waiting."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from weakref import WeakKeyDictionary

from binance_sdk._runtime.budget.caps import CapsBase
from binance_sdk._runtime.budget.ledger import Grant, Need, Reservation, Ticket, never_fits
from binance_sdk._runtime.budget.pool import Cost, Pool
from binance_sdk._runtime.budget.request_limits import ConcurrencyLimit, RequestRate
from binance_sdk._runtime.budget.share_queue import ShareQueue
from binance_sdk._runtime.budget.sliding_window import SlidingWindow
from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.options import Priority
from binance_sdk.errors import BinanceError, BudgetError
from binance_sdk.events import Event, StoreChanged, Waited

_DISPATCH_SECONDS = 30.0
"""How often a waiting call serves the queue itself, in case the call before it cannot."""

_STORE_SECONDS, _STORE_DISPATCH_SECONDS = 0.25, 5.0
"""With a store it does so no sooner than that, since whoever speaks to the store wakes it; and no later, as the store
may be away."""


class ClientBudget:
    """Spends what the pools and the caps allow; waits where they do not."""

    def __init__(
        self,
        clock: Clock,
        caps: CapsBase,
        safety_margin: float,
        max_concurrency: int,
        notify: Callable[[Event], None],
    ) -> None:
        self._clock = clock
        self._share = 1.0 - safety_margin
        self._notify = notify
        self._concurrency = Need(ConcurrencyLimit("max_concurrency", max_concurrency), 1)
        self._weight_caps: Mapping[str, SlidingWindow] = {
            pool: SlidingWindow(f"your cap {pool}_weight_per_minute", limit, 60)
            for pool, limit in caps.weights_per_minute().items()
        }
        self._request_caps: list[Need] = []
        if caps.requests_per_minute is not None:
            per_minute = SlidingWindow("your cap requests_per_minute", caps.requests_per_minute, 60)
            self._request_caps.append(Need(per_minute, 1))
        if caps.requests_per_second is not None:
            self._request_caps.append(Need(RequestRate("your cap requests_per_second", caps.requests_per_second), 1))
        self._most_snapshots = max(1, max_concurrency // 2)
        """Turns of a share queue at a time, so that they leave connections to others."""
        self._queues: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, ShareQueue]] = WeakKeyDictionary()
        self._store_changes = 0
        self._known: dict[tuple[str, int, int, tuple[str, ...]], tuple[Need, ...]] = {}

    def share_queue(self, pool: Pool, clock: Clock) -> ShareQueue:
        """The queue of this client's requests that share a part of the pool's weight; one in each event loop.

        Args:
            pool: Whose weight is shared.
            clock: For waiting in the event loop that runs.
        """
        queues = self._queues.setdefault(asyncio.get_running_loop(), {})
        found = queues.get(pool.name)
        if found is None:
            cap = self._weight_caps.get(pool.limits.name)
            usable = self._share if cap is None else min(self._share, cap.limit / pool.weight.limit)
            found = queues[pool.name] = ShareQueue(pool, clock, usable, self._most_snapshots)
        return found

    def needs(self, pool: Pool, cost: Cost) -> tuple[Need, ...]:
        """Everything one request takes; the same objects for as long as the pool has the same windows."""
        key = pool.name, pool.version, cost.weight, cost.groups
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._needs(pool, cost)
        return found

    def _needs(self, pool: Pool, cost: Cost) -> tuple[Need, ...]:
        needs = [Need(pool.gate, 1), self._concurrency]
        needs += [Need(window, amount, self._share) for window, amount in pool.charges(cost)]
        cap = self._weight_caps.get(pool.limits.name)
        if cap is not None and cost.weight:
            needs.append(Need(cap, cost.weight))
        return (*needs, *self._request_caps)

    async def acquire(
        self,
        operation: str,
        pool: Pool,
        cost: Cost,
        *,
        priority: Priority,
        wait: bool,
        deadline: float,
        beyond_concurrency: bool = False,
    ) -> Grant:
        """Permission to send, sooner or later.

        Args:
            operation: For messages.
            pool: Whose limits and caps apply.
            cost: What the request takes.
            priority: Place in the queue.
            wait: False raises instead of waiting.
            deadline: Monotonic time after which the permission is of no use.
            beyond_concurrency: The request does not count towards the client's ``max_concurrency``.

        Raises:
            BudgetError: it would not fit in time, with the time at which it would.
            IPBannedError: the address is banned; nothing is sent until the ban ends.
        """
        started = now = self._clock.monotonic()
        while True:
            if pool.link is not None:
                self._tell_store(pool)
            version = pool.version
            needs = self.needs(pool, cost)
            if beyond_concurrency:
                needs = tuple(need for need in needs if need is not self._concurrency)
            # Most calls find everything free, and never pay for a place in the queue.
            grant = pool.ledger.try_reserve(needs, now)
            if grant is not None and version == pool.version:
                return grant
            if grant is None:
                reservation = Reservation(needs, priority, operation)
                _check_fits(reservation)
                if pool.gate.banned(now):
                    raise pool.ban_error(operation, now)
                waker = self._clock.waker()
                found = None
                try:
                    found = pool.ledger.reserve(reservation, now, waker.wake)
                    if isinstance(found, Grant):
                        grant = found
                    else:
                        if pool.link is not None:
                            pool.link.ask(found, deadline - now if self._clock.may_block() else 0.0)
                        grant = await self._wait(pool, found, waker.wait, started, wait=wait, deadline=deadline)
                except BaseException:
                    _give_back(pool, found, self._clock.monotonic())
                    raise
            try:
                now = self._clock.monotonic()
                if version == pool.version and not pool.gate.closed(now):
                    return grant
                # After the grant was given, and before this task woke up, the gate closed or the pool got other
                # windows.
                pool.ledger.refund(grant, now)
            except BaseException:
                pool.ledger.refund(grant, now)
                raise

    async def _wait(
        self,
        pool: Pool,
        ticket: Ticket,
        pause: Callable[[float], Awaitable[None]],
        started: float,
        *,
        wait: bool,
        deadline: float,
    ) -> Grant:
        now = self._clock.monotonic()
        while ticket.grant is None:
            if ticket.failure is not None:
                raise ticket.failure
            # The limits may have become smaller while it waited.
            _check_fits(ticket.reservation)
            if pool.link is not None:
                pool.link.check_fits(ticket.reservation, now)
            if ticket.asking and now < deadline:
                # Only the store can tell; it does so soon, or is given up soon.
                await pause(min(deadline - now, _DISPATCH_SECONDS))
                now = self._clock.monotonic()
                continue
            # A ticket behind others does not know when it will be ready; the ledger's estimate is the least.
            ready = pool.ledger.estimate(ticket.reservation, now)
            if not wait or (ready != math.inf and ready > deadline) or now >= deadline:
                raise self._too_late(pool, ticket, ready, now, wait=wait)
            # The ticket in front may belong to an event loop that has stopped: then this task serves the queue.
            ready_at, longest = ticket.ready_at, _DISPATCH_SECONDS
            if pool.link is not None:
                ready_at, longest = max(ready_at, now + _STORE_SECONDS), _STORE_DISPATCH_SECONDS
            await pause(min(ready_at, deadline, now + longest) - now)
            now = self._clock.monotonic()
            pool.ledger.dispatch(now)
            if pool.link is not None:
                self._tell_store(pool)
                pool.link.look()
        if not ticket.asking:
            self._notify(Waited(ticket.reservation.operation, now - started, ticket.waits_for or "earlier calls"))
        return ticket.grant

    def _tell_store(self, pool: Pool) -> None:
        """Tell the hooks whether the store of the pool is there, if that has changed."""
        if pool.link is not None and pool.link.store.changes != self._store_changes:
            self._store_changes = pool.link.store.changes
            status = pool.link.store.status
            if status.state != "unused":
                self._notify(StoreChanged(status.state, status.reason))

    def _too_late(self, pool: Pool, ticket: Ticket, ready: float, now: float, *, wait: bool) -> BinanceError:
        operation, name = ticket.reservation.operation, ticket.waits_for or "earlier calls"
        why = "its deadline passes first" if wait else "wait=False"
        if ready == math.inf:
            text = f"{operation}: waits for {name}, fits when a running call ends; {why}"
            return BudgetError(text, operation=operation, retry_at=None, retry_after=None)
        seconds = max(0.0, ready - now)
        return BudgetError(
            f"{operation}: waits for {name}, fits in {seconds:.1f} s at the earliest; {why}",
            operation=operation,
            retry_at=round(pool.time.now(max(ready, now)) * 1000),
            retry_after=seconds,
        )


def _give_back(pool: Pool, found: Grant | Ticket | None, now: float) -> None:
    try:
        _cancel(pool, found, now)
    except BaseException:
        # Ctrl-C while another error was on its way: all others would wait behind this ticket.
        _cancel(pool, found, now)
        raise


def _cancel(pool: Pool, found: Grant | Ticket | None, now: float) -> None:
    if isinstance(found, Ticket):
        pool.ledger.cancel(found, now)
    elif found is not None:
        pool.ledger.refund(found, now)


def _check_fits(reservation: Reservation) -> None:
    too_large = never_fits(reservation)
    if too_large is not None:
        need, usable = too_large
        raise BudgetError(
            f"{reservation.operation}: takes {need.amount} of {need.resource.name}, "
            f"of which {usable} may be used in a window: it never fits",
            operation=reservation.operation,
        )
