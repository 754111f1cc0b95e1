"""One client's way into the ledger: its margin, its caps, its slots, and the waiting."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from binance_sdk._runtime.budget.ledger import Grant, Need, Reservation, Ticket, never_fits
from binance_sdk._runtime.budget.pool import Cost, Pool
from binance_sdk._runtime.budget.request_limits import ConcurrencyLimit, RequestRate
from binance_sdk._runtime.budget.sliding_window import SlidingWindow
from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.operation import Market
from binance_sdk._runtime.options import Priority
from binance_sdk._runtime.setting_checks import check_count, check_number
from binance_sdk.errors import BinanceError, BudgetError, IPBannedError
from binance_sdk.events import Event, Waited

_LOOK_AGAIN = 30.0
_HIGHEST_CAP = 10**9
_SLOWEST, _FASTEST = 0.0001, 1_000_000


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits of your own below Binance's; None sets none.

    Args:
        spot_weight_per_minute: Request weight on spot hosts, from 1 on.
        futures_weight_per_minute: Request weight on futures hosts, from 1 on.
        requests_per_minute: Requests of both markets together, from 1 on.
        requests_per_second: The same, evenly spread: 5 means one request each 200 ms, not five at once. From 0.0001,
            one in about three hours, to 1 000 000.

    Raises:
        ConfigError: a cap is wrong; the message names it.
    """

    spot_weight_per_minute: int | None = None
    futures_weight_per_minute: int | None = None
    requests_per_minute: int | None = None
    requests_per_second: float | None = None

    def __post_init__(self) -> None:
        for name in ("spot_weight_per_minute", "futures_weight_per_minute", "requests_per_minute"):
            count: object = getattr(self, name)
            if count is not None:
                check_count(f"caps: {name}", count, 1, _HIGHEST_CAP)
        if self.requests_per_second is not None:
            check_number("caps: requests_per_second", self.requests_per_second, _SLOWEST, _FASTEST)


class ClientBudget:
    """Spends what the pools and the caps allow; waits where they do not."""

    def __init__(
        self,
        clock: Clock,
        caps: Caps,
        safety_margin: float,
        max_concurrency: int,
        emit: Callable[[Event], None],
    ) -> None:
        self._clock = clock
        self._share = 1.0 - safety_margin
        self._emit = emit
        self._slots = Need(ConcurrencyLimit("max_concurrency", max_concurrency), 1)
        weights: dict[Market, int | None] = {
            "spot": caps.spot_weight_per_minute,
            "futures": caps.futures_weight_per_minute,
        }
        self._weight_caps: Mapping[Market, SlidingWindow] = {
            market: SlidingWindow(f"your cap {market}_weight_per_minute", limit, 60)
            for market, limit in weights.items()
            if limit is not None
        }
        self._request_caps: list[Need] = []
        if caps.requests_per_minute is not None:
            self._request_caps.append(
                Need(SlidingWindow("your cap requests_per_minute", caps.requests_per_minute, 60), 1)
            )
        if caps.requests_per_second is not None:
            self._request_caps.append(Need(RequestRate("your cap requests_per_second", caps.requests_per_second), 1))

        self._known: dict[tuple[str, int, Market, int, tuple[str, ...]], tuple[Need, ...]] = {}

    def needs(self, market: Market, pool: Pool, cost: Cost) -> tuple[Need, ...]:
        """Everything one request takes; the same resources for as long as the exchange names the same windows."""
        key = pool.name, pool.version, market, cost.weight, cost.groups
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._needs(market, pool, cost)
        return found

    def _needs(self, market: Market, pool: Pool, cost: Cost) -> tuple[Need, ...]:
        needs = [Need(pool.gate, 1), self._slots]
        needs += [Need(window, amount, self._share) for window, amount in pool.charges(cost)]
        cap = self._weight_caps.get(market)
        if cap is not None and cost.weight:
            needs.append(Need(cap, cost.weight))
        return (*needs, *self._request_caps)

    async def acquire(
        self,
        operation: str,
        market: Market,
        pool: Pool,
        cost: Cost,
        *,
        priority: Priority,
        wait: bool,
        deadline: float,
        without_place: bool = False,
    ) -> Grant:
        """Permission to send, sooner or later.

        Args:
            operation: For messages.
            market: Whose caps apply.
            pool: Whose limits apply.
            cost: What the request takes.
            priority: Place in the queue.
            wait: False raises instead of waiting.
            deadline: Monotonic time after which the permission is of no use.
            without_place: It takes none of the client's ``max_concurrency``.

        Raises:
            BudgetError: it would not fit in time, with the time at which it would.
            IPBannedError: the address is banned; nothing is sent until the ban ends.
        """
        started = now = self._clock.monotonic()
        while True:
            version = pool.version
            needs = self.needs(market, pool, cost)
            if without_place:
                needs = tuple(need for need in needs if need is not self._slots)
            # Most calls find everything free, and never pay for a place in the queue.
            grant = pool.ledger.at_once(needs, now)
            if grant is not None and version == pool.version:
                return grant
            if grant is None:
                ask = Reservation(needs, priority, operation)
                _check_fits(ask, now)
                if pool.gate.banned(now):
                    raise banned(operation, pool, now)
                waker = self._clock.waker()
                found = pool.ledger.ask(ask, now, waker.wake)
                if isinstance(found, Grant):
                    grant = found
                else:
                    try:
                        waiting = self._wait(operation, pool, found, waker.wait, started, wait=wait, deadline=deadline)
                        grant = await waiting
                    except BaseException:
                        pool.ledger.cancel(found, self._clock.monotonic())
                        raise
            now = self._clock.monotonic()
            if version == pool.version and not pool.gate.closed(now):
                return grant
            # Between the permission and our waking up the gate closed, or the exchange named other windows.
            pool.ledger.refund(grant, now)

    async def _wait(
        self,
        operation: str,
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
            # A place behind others says nothing of its own; what it would take alone is the least.
            # Limits may have become smaller meanwhile.
            _check_fits(ticket.ask, now)
            ready = ticket.ready_at if ticket.waits_for else pool.ledger.estimate(ticket.ask, now)
            if not wait or (ready != math.inf and ready > deadline) or now >= deadline:
                raise self._too_late(operation, pool, ticket, ready, now, wait=wait)
            # Whoever stands before us may sleep in a loop that has stopped; then somebody else must look.
            await pause(min(ticket.ready_at, deadline, now + _LOOK_AGAIN) - now)
            now = self._clock.monotonic()
            pool.ledger.dispatch(now)
        self._emit(Waited(operation, now - started, ticket.waits_for or "earlier calls"))
        return ticket.grant

    def _too_late(
        self, operation: str, pool: Pool, ticket: Ticket, ready: float, now: float, *, wait: bool
    ) -> BinanceError:
        at = None if ready == math.inf else round(pool.time.now(max(ready, now)) * 1000)
        after = None if ready == math.inf else max(0.0, ready - now)
        name = ticket.waits_for or "earlier calls"
        when = "when a running call ends" if at is None else f"in {max(0.0, ready - now):.1f} s at the earliest"
        why = "its deadline passes first" if wait else "wait=False"
        return BudgetError(
            f"{operation}: waits for {name}, fits {when}; {why}", operation=operation, retry_at=at, retry_after=after
        )


def _check_fits(ask: Reservation, now: float) -> None:
    too_large = never_fits(ask, now)
    if too_large is not None:
        limit = getattr(too_large.resource, "limit", 0)
        raise BudgetError(
            f"{ask.operation}: takes {too_large.amount} of {too_large.resource.name}, "
            f"of which {math.floor(limit * too_large.share)} may be used in a window: it never fits",
            operation=ask.operation,
        )


def banned(operation: str, pool: Pool, now: float) -> IPBannedError:
    """The error of a call that is not sent because the address is banned."""
    seconds = pool.gate.banned_until - now
    until = round(pool.time.now(pool.gate.banned_until) * 1000)
    return IPBannedError(
        f"{operation}: not sent, this IP address is banned for another {seconds:.0f} s",
        operation=operation,
        code=-1003,
        retry_after=seconds,
        retry_at=until,
        banned_until=until,
    )
