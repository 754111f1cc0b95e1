"""Answers that many processes share: looked up in the store, or waited for, or asked for by one for all.

Written as coroutines for both clients, like the engine that calls it. Nothing here is an error of the call but a store
that refuses us as it is set up: whatever else becomes of the store, the call goes to the exchange.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from binance_sdk._runtime.calls.attempt import Attempts, Prepared
from binance_sdk._runtime.calls.cache import CountName, Fresh
from binance_sdk._runtime.calls.shared_cache.cache_store import CacheStore, new_token
from binance_sdk._runtime.calls.shared_cache.messages import Question
from binance_sdk._runtime.calls.shared_cache.stored_answer import AnswerKeys, StoredAnswer
from binance_sdk._runtime.options import RequestOptions
from binance_sdk._runtime.response import Headers, Response
from binance_sdk._runtime.transport.protocol import RawResponse
from binance_sdk.errors import ConfigError, DecodeError
from binance_sdk.events import StoreChanged, WorthlessAnswer

LONGEST_WAIT = 60.0
"""Seconds for which a call waits for the request of another process, and then makes its own."""
_FIRST_LOOK, _SLOWEST_LOOK = 0.005, 0.1
"""Seconds between two looks while it waits."""


@dataclass(frozen=True, slots=True)
class Shared:
    """An answer, the seconds for which it may be used again, and whether it is from the store."""

    response: Response[Any]
    seconds: float
    stored: bool


class SharedCache:
    """One client's side of the store."""

    def __init__(self, store: CacheStore, attempts: Attempts) -> None:
        self.store = store
        self._attempts = attempts
        self._changes = 0

    def serves(self, options: RequestOptions) -> bool:
        """Whether answers to calls with these options are shared.

        Headers of the caller's own may hold secrets, and make answers of their own; and what may not be a millisecond
        old cannot be shared.
        """
        return not options.headers and (options.cache is True or float(options.cache or 0) >= 0.001)

    async def answer(
        self,
        prepared: Prepared,
        options: RequestOptions,
        options_key: object,
        deadline: float,
        request: Callable[[], Awaitable[Fresh]],
        count: Callable[[CountName], None],
    ) -> Shared:
        """The answer to a call.

        Args:
            prepared: The call.
            options: Its options.
            options_key: Only callers with an equal one wait for each other's requests.
            deadline: Monotonic time after which nothing is waited for.
            request: Asks the exchange.
            count: Called with what happens.

        Raises:
            BinanceError: of the request.
            ConfigError: the store refuses us as it is set up.
        """
        base_url = self._attempts.markets[prepared.operation.market].hosts[0].base_url
        spec_hash = self._attempts.catalogue.spec_hash
        keys = AnswerKeys.of(prepared.operation.id, spec_hash, base_url + prepared.target, options_key)
        # A request under way may be waiting for the hook that makes this call.
        token = "" if self._attempts.notifier.in_callback else new_token()
        call = _Call(self, prepared, options, keys, token, deadline, count)
        found = await call.look()
        self._tell_store()
        if found is not None:
            return found
        return await self._asked(call, request)

    async def _asked(self, call: _Call, request: Callable[[], Awaitable[Fresh]]) -> Shared:
        token = call.token if call.has_right else ""
        try:
            fresh = await request()
        except Exception:
            # Whoever waits meets the same error in the same time, one by one or all at once.
            self.store.let_go(call.keys, token, failed=True)
            raise
        except BaseException:
            self.store.let_go(call.keys, token, failed=False)
            raise
        if fresh.response.skipped or fresh.kept < 0.001:
            self.store.let_go(call.keys, token, failed=True)
        elif not call.away:
            answer = StoredAnswer.of(fresh.response)
            self.store.keep(call.keys, token, answer, fresh.kept, fresh.valid)
        return Shared(fresh.response, fresh.kept, stored=False)

    def _tell_store(self) -> None:
        """Tell the hooks whether the store is there, if that has changed."""
        if self.store.changes != self._changes:
            self._changes = self.store.changes
            status = self.store.status
            if status.state != "unused":
                self._attempts.notifier.notify(StoreChanged(status.state, status.reason, "cache_url"))

    def decoded(self, prepared: Prepared, answer: StoredAnswer) -> Response[Any]:
        """The answer of the store as that of the exchange.

        Raises:
            DecodeError: it is not what the spec says.
        """
        raw = RawResponse(answer.status_code, Headers(answer.headers), answer.content)
        received, _ = self._attempts.answer(prepared, raw, skip=False)
        self._attempts.learn_limits(prepared, received.data)
        return answer.response(received)

    @property
    def attempts(self) -> Attempts:
        return self._attempts


class _Call:
    """One call on its way to an answer of the store, or to the right to get one."""

    def __init__(
        self,
        cache: SharedCache,
        prepared: Prepared,
        options: RequestOptions,
        keys: AnswerKeys,
        token: str,
        deadline: float,
        count: Callable[[CountName], None],
    ) -> None:
        self._cache, self._clock = cache, cache.attempts.clock
        self._prepared, self._options = prepared, options
        self.keys, self.token = keys, token
        self._deadline, self._count = deadline, count
        self.has_right = False
        self.away = False

    async def look(self) -> Shared | None:
        """The answer of the store, at once or after a wait; None where this call has to ask the exchange."""
        until = min(self._deadline, self._clock.monotonic() + LONGEST_WAIT)
        if self._options.wait is False:
            until = -math.inf
        pause, waited, worthless, told = _FIRST_LOOK, False, False, False
        while True:
            question = await self._ask(worthless=worthless)
            if question.away:
                self.away = True
                self._count("without_store")
                return None
            problem = question.problem
            if question.found is not None:
                try:
                    response = self._cache.decoded(self._prepared, question.found)
                except DecodeError as error:
                    problem = f"is not what the spec says: {'; '.join(error.problems[:3])}"
                else:
                    seconds = question.left - (self._clock.monotonic() - question.asked_at)
                    return Shared(response, seconds, stored=True)
            if problem and not told:
                told = True
                self._tell_worthless(problem)
            self.has_right = question.right == "yours"
            now = self._clock.monotonic()
            if problem and question.right == "alone" and not worthless and self.token:
                # What is there goes, and the right to replace it is asked for.
                worthless = True
                continue
            if question.right != "theirs" or now >= until:
                return None
            worthless = False
            if not waited:
                waited = True
                self._count("waited")
            await self._clock.sleep(max(0.0, min(pause, until - now)))
            pause = min(2 * pause, _SLOWEST_LOOK)

    async def _ask(self, *, worthless: bool) -> Question:
        waker, store = self._clock.waker(), self._cache.store
        cache = self._options.cache
        most_age = None if cache is True or cache is None else round(cache * 1000)
        patience, now = store.patience, self._clock.monotonic()
        question = store.find(self.keys, self.token, most_age, waker.wake, worthless=worthless)
        until = min(now + patience, self._deadline)
        try:
            while not question.done and now < until:
                await waker.wait(until - now)
                now = self._clock.monotonic()
        except BaseException:
            store.give_up(question)
            raise
        if not question.done:
            store.give_up(question, patience if until < self._deadline else None)
            question.away = True
        if question.failure:
            operation = self._prepared.operation.id
            raise ConfigError(f"{operation}: {question.failure}", operation=operation)
        return question

    def _tell_worthless(self, problem: str) -> None:
        self._count("worthless")
        self._cache.attempts.notifier.notify(WorthlessAnswer(self._prepared.operation.id, self.keys.answer, problem))
