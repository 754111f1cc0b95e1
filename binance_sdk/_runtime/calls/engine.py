"""One call from arguments to typed answer: check, price, cache, retry.

Written once as coroutines and used by both clients (see ``drive``). It knows operations and limits, but no client.
``attempt`` makes the single requests.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from binance_sdk._runtime.answers.api_errors import deadline_text
from binance_sdk._runtime.budget.fixed_window import FixedWindow
from binance_sdk._runtime.budget.pool import Cost
from binance_sdk._runtime.budget.sliding_window import SlidingWindow
from binance_sdk._runtime.calls.attempt import Attempts, Prepared
from binance_sdk._runtime.calls.cache import AnswerCache, Fresh, lifetime
from binance_sdk._runtime.calls.hosts import Host
from binance_sdk._runtime.calls.paginator import ServerClock
from binance_sdk._runtime.calls.parameters import query, validate
from binance_sdk._runtime.calls.received_answer import ReceivedAnswer
from binance_sdk._runtime.calls.retry import is_transient, pause_after
from binance_sdk._runtime.calls.single_flight import AsyncSingleFlight, ThreadSingleFlight
from binance_sdk._runtime.operation import Operation
from binance_sdk._runtime.options import RequestOptions
from binance_sdk._runtime.response import Plan, Response
from binance_sdk.errors import APIConnectionError, APIError, BinanceError, ConfigError, DecodeError
from binance_sdk.events import CacheHit, CacheMiss, CacheSource, Retrying

if TYPE_CHECKING:
    from binance_sdk._runtime.calls.shared_cache.shared_cache import SharedCache

T = TypeVar("T")

_MOST_PREPARED = 512
_PLAIN = frozenset({str, int, bool, type(None)})
"""Types of arguments that cannot change."""


@dataclass(frozen=True)
class Engine:
    """Makes calls; shared by a client and its ``with_options`` copies."""

    attempts: Attempts
    cache: Callable[[str], AnswerCache]
    single_flight: AsyncSingleFlight | ThreadSingleFlight
    shared_cache: SharedCache | None = None
    """Answers that other processes have got, too."""
    _prepared: dict[object, Prepared] = field(default_factory=dict[object, Prepared], init=False, repr=False)
    """Calls that were made before, by their arguments: the same ones come again and again."""

    # ------------------------------------------------------------------- before sending

    def prepare(self, operation: Operation[Any], arguments: Mapping[str, object], *, late: bool = False) -> Prepared:
        """Check and price a call.

        Args:
            operation: What is called.
            arguments: By wire name.
            late: Whether the answer shall be decoded only when it is read.

        Raises:
            ParameterError: an argument is wrong.
            ConfigError: the environment does not serve the operation, or a needed key is missing.
        """
        values = tuple(arguments.values())
        # True is no 1, and a member of an enum is no plain text, though they are equal.
        types = tuple(map(type, values))
        if operation.looks_back or not _PLAIN.issuperset(types):
            return self._prepare(operation, arguments, late=late)
        call = operation.id, late, tuple(arguments), values, types
        found = self._prepared.get(call)
        if found is None or found.operation is not operation:
            found = self._prepare(operation, arguments, late=late)
            if len(self._prepared) >= _MOST_PREPARED:
                self._prepared.clear()
            self._prepared[call] = found
        return found

    def _prepare(self, operation: Operation[Any], arguments: Mapping[str, object], *, late: bool) -> Prepared:
        attempts = self.attempts
        given = validate(operation, arguments, self.server_ms(operation) if operation.rules else 0)
        market = attempts.markets.get(operation.market)
        environment = attempts.environment if market is None else market.environment
        if market is None or (environment and environment not in operation.hosts):
            names = ", ".join(operation.hosts)
            raise ConfigError(
                f"{operation.id} is not served by environment {environment!r}; use one of {names}",
                operation=operation.id,
            )
        if operation.security == "api_key" and not attempts.api_key:
            raise ConfigError(
                f"{operation.id} needs an API key: pass api_key= or set BINANCE_API_KEY (no secret is needed)",
                operation=operation.id,
            )
        text = query(operation, given)
        target = f"{operation.path}{'?' if text else ''}{text}"
        cost = Cost(operation.price(given), operation.groups)
        return Prepared(operation, given, operation.variant_for(given), cost, target, late)

    def server_ms(self, operation: Operation[Any]) -> int:
        """Server time in epoch milliseconds, as far as it is known."""
        clock = self.attempts.clock
        market = self.attempts.markets.get(operation.market)
        return round((clock.time() if market is None else market.pool.time.now(clock.monotonic())) * 1000)

    def server_clock(self, operation: Operation[Any]) -> ServerClock:
        """``server_ms`` for a walk, and whether it comes from an answer of the server."""
        market = self.attempts.markets.get(operation.market)
        return ServerClock(
            lambda: self.server_ms(operation), lambda: market is not None and market.pool.time.calibrated
        )

    def plan(self, prepared: Prepared) -> Plan:
        """What one call costs."""
        return self.plan_many(prepared.operation, [(1, prepared)])

    def plan_many(self, operation: Operation[Any], parts: Sequence[tuple[int, Prepared]]) -> Plan:
        """What several calls of one operation cost together."""
        requests = sum(count for count, _ in parts)
        weight = sum(count * prepared.cost.weight for count, prepared in parts)
        groups = dict.fromkeys(operation.groups, requests)
        pool = self.attempts.markets[operation.market].pool
        waits = [_full_windows(weight, window) for window in pool.weights]
        waits += [_full_windows(requests, pool.groups[name]) for name in groups]
        return Plan(operation.id, requests, weight, groups, max(waits))

    # ------------------------------------------------------------------------- the call

    async def call(
        self, operation: Operation[T], arguments: Mapping[str, object], options: RequestOptions, *, late: bool = False
    ) -> Response[T]:
        """Make a call.

        Args:
            operation: What is called.
            arguments: By wire name.
            options: Its options.
            late: Whether the answer is decoded only when it is read. One that may come from a cache, or teaches the
                client something, or may lose bad rows, is decoded as it comes.

        Raises:
            BinanceError: one of the tree in ``binance_sdk.errors``, and nothing else.
        """
        cached = not (options.cache is None or options.cache is False)
        prepared = self.prepare(operation, arguments, late=late and not cached)
        deadline = math.inf if options.deadline is None else self.attempts.clock.monotonic() + options.deadline
        if not cached:
            return await self._with_retries(prepared, options, deadline)
        return await self._cached(prepared, options, deadline)

    async def _cached(self, prepared: Prepared, options: RequestOptions, deadline: float) -> Response[Any]:
        operation, cache = prepared.operation, self.cache(prepared.operation.id)
        notify = self.attempts.notifier.notify
        key = f"{operation.id} {prepared.target}{_fingerprint(options.headers)}"
        found = cache.get(key)
        if found is not None:
            self._tell_hit(cache, operation, "memory")
            return _own_copy(found)

        async def request() -> Fresh:
            cache.count("misses")
            notify(CacheMiss(operation.id))
            response = await self._with_retries(prepared, options, deadline)
            seconds = lifetime(operation, prepared.given, self.server_ms(operation))
            kept = seconds if options.cache is True or options.cache is None else float(options.cache)
            return Fresh(response, seconds, kept)

        async def fetch() -> Response[Any]:
            shared, seconds = None, 0.0
            if self.shared_cache is not None and self.shared_cache.serves(options):
                shared = await self.shared_cache.answer(prepared, options, options_key, deadline, request, cache.count)
            if shared is None:
                fresh = await request()
                response, seconds = fresh.response, fresh.kept
            else:
                response, seconds = shared.response, shared.seconds
                if shared.stored:
                    self._tell_hit(cache, operation, "store")
            if not response.skipped:
                # The next caller may want every row.
                cache.put(key, response, seconds)
            return response

        # Only calls with equal options share a request: the timeout of one caller must not be the error of another.
        options_key = (
            *(options.wait, options.deadline, options.timeout, options.max_retries),
            *(options.priority, options.cache, options.bad_rows),
        )
        if self.attempts.notifier.in_callback:
            # A request under way may be waiting for the hook that makes this call.
            return _own_copy(await fetch())
        response: Response[Any]
        response, shared = await self.single_flight.run(f"{key} {options_key}", fetch)
        if shared:
            self._tell_hit(cache, operation, "request")
        return _own_copy(response)

    def _tell_hit(self, cache: AnswerCache, operation: Operation[Any], source: CacheSource) -> None:
        cache.count(source)
        self.attempts.notifier.notify(CacheHit(operation.id, source))

    async def _with_retries(self, prepared: Prepared, options: RequestOptions, deadline: float) -> Response[Any]:
        attempts, clock = self.attempts, self.attempts.clock
        quota = attempts.markets[prepared.operation.market].pool.quota
        retries = options.max_retries or 0
        failed: list[Host] = []
        last: BinanceError | None = None
        number = 1
        while True:
            try:
                response = await attempts.once(prepared, options, number, deadline, failed)
            except BinanceError as error:
                tells_enough = last is None or _is_answer(error) or str(error) == str(last)
                again = number <= retries and is_transient(error)
                pause = pause_after(error, number) if again else 0.0
                left = deadline - clock.monotonic()
                if again and pause >= left:
                    again = False
                    if left > 0:
                        _append(error, f"not tried again: its {deadline_text(options.deadline)} comes first")
                elif again and not quota.spend():
                    again = False
                    _append(error, "not tried again: too many calls have failed of late for more retries")
                if not again:
                    if tells_enough:
                        raise
                    _append(error, f"the attempt before: {_briefly(last, prepared.operation.id)}")
                    raise error from last
                attempts.notifier.notify(Retrying(prepared.operation.id, error, pause, number))
                last = error
            else:
                quota.earn()
                return response
            await clock.sleep(pause)
            number += 1


def _append(error: BinanceError, text: str) -> None:
    error.args = (f"{error}; {text}",)


def _briefly(error: BinanceError | None, operation: str) -> str:
    text = str(error).removeprefix(f"{operation}: ")
    # What to do about it stands in the message that this becomes a part of.
    return text.partition("; ")[0] if isinstance(error, APIConnectionError) else text


def _is_answer(error: BinanceError) -> bool:
    """Whether it is what the server answered; otherwise what it answered to the attempt before explains more."""
    return isinstance(error, DecodeError) or (isinstance(error, APIError) and bool(error.headers or error.body))


def _fingerprint(headers: Mapping[str, str] | None) -> str:
    """A text that differs where headers differ, and shows none of their values."""
    if not headers:
        return ""
    items = sorted((name.lower(), value) for name, value in headers.items())
    return f" {hashlib.sha256(repr(items).encode()).hexdigest()}"


def _own_copy(response: Response[Any]) -> Response[Any]:
    return replace(response, answer=cast("ReceivedAnswer[Any]", response.answer).own_copy())


def _full_windows(amount: int, limit: FixedWindow | SlidingWindow) -> float:
    """Seconds of full windows that must pass before the last part fits."""
    return float(max(0, -(-amount // limit.limit) - 1) * limit.seconds)
