"""The store of one ``cache_url`` in this process: one thread that speaks to it for every client, loop and thread.

A thread, for the same reasons as in ``budget/shared/store.py``, and a connection of its own: an answer of a megabyte
must not hold up who asks for a budget.
"""

from __future__ import annotations

import logging
import math
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

from binance_sdk._runtime.calls.shared_cache.messages import Job, Kept, LetGo, Question, Right
from binance_sdk._runtime.calls.shared_cache.scripts import CacheScript, script
from binance_sdk._runtime.calls.shared_cache.status import CacheStoreState, CacheStoreStatus
from binance_sdk._runtime.calls.shared_cache.stored_answer import (
    INDEX,
    MOST_BYTES_IN_ALL,
    MOST_STORED_BYTES,
    PREFIX,
    SIZES,
    AnswerKeys,
    StoredAnswer,
    WorthlessAnswerError,
    pack,
    unpack,
)
from binance_sdk._runtime.clock import BlockingClock, Clock
from binance_sdk._runtime.fork import abandon, notify_after_fork
from binance_sdk._runtime.locks import new_lock
from binance_sdk._runtime.store.address import StoreAddress
from binance_sdk._runtime.store.connection import StoreAwayError, StoreConnection, run_script
from binance_sdk._runtime.store.process_stores import ProcessStores, end_of
from binance_sdk.errors import ConfigError, plain_number

_LOGGER = logging.getLogger("binance_sdk")
PATIENCE, FIRST_PATIENCE = 1.0, 5.0
"""Seconds for which a call waits for the store, and for the first answer of it; a slower one counts as away. Before the
first one redis-py is imported, and a connection is made."""
LAPSE = 3.0
"""Seconds after which the right of a process to get an answer lapses, unless it says that it is alive."""
_RENEW = 1.0
"""Seconds between two messages that say so."""
_FAILED = 1.0
"""Seconds for which it is known that a request failed; who waits for it looks more often."""
_RETRY, _REFUSED_RETRY = 1.0, 60.0
"""Seconds between two attempts to use a store that is away, and one that does not let us do what we need."""
_MOST_WAITING = 64 * 1024 * 1024
"""Bytes of answers that wait to be stored; more are not."""
_NOWHERE = AnswerKeys("", f"{PREFIX}nowhere", f"{PREFIX}nowhere:")
"""Nothing has these names: the right to it is asked for to see whether the store is back, and may be written to."""


@dataclass(eq=False)
class CacheStore:
    """Made once a process for each store; see ``use_cache_store``."""

    address: StoreAddress
    implied: bool = False
    """Nobody named it: it is that of ``limits_url``, whose user may not be allowed what a cache needs."""
    changes: int = 0
    """Grows whenever ``status`` becomes another state."""
    users: int = 0
    """Clients that are not closed."""
    _state: CacheStoreState = "unused"
    _reason: str = ""
    _retry_at: float = math.inf
    _held: dict[str, str] = field(default_factory=dict[str, str])
    """Tokens by the locks that are ours."""
    _waiting: int = 0
    """Bytes of answers that wait to be stored."""

    def __post_init__(self) -> None:
        self._clock = BlockingClock()
        self._connection = StoreConnection(self.address, self._setting)
        self._lock = new_lock()
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._since = self._clock.time()
        notify_after_fork(self)

    @property
    def _setting(self) -> str:
        return "limits_url" if self.implied else "cache_url"

    @property
    def status(self) -> CacheStoreStatus:
        return CacheStoreStatus(self._state, self._since, self._reason)

    # ------------------------------------------------------------------------ for calls

    def find(
        self, keys: AnswerKeys, token: str, most_age: int | None, wake: Callable[[], None], *, worthless: bool
    ) -> Question:
        """Ask for an answer; ``wake`` is called once the question is done."""
        question = Question(keys, token, most_age, worthless, wake)
        if self._state == "lost" or self._stop.is_set() or not self._say(question):
            question.done = question.away = True
        return question

    @property
    def patience(self) -> float:
        """Seconds for which a call waits for it now."""
        return FIRST_PATIENCE if self._state == "unused" else PATIENCE

    def give_up(self, question: Question, late: float | None = None) -> None:
        """Nobody waits for the question any more; after ``late`` seconds it is the store's fault."""
        with self._lock:
            done, question.given_up = question.done, True
        if done and question.right == "yours":
            self.let_go(question.keys, question.token, failed=False)
        if late is not None and not done:
            self._become("lost", f"{self.address.shown} does not answer within {plain_number(late)} s")

    def keep(self, keys: AnswerKeys, token: str, answer: StoredAnswer, kept: float, valid: float) -> None:
        """Store an answer that was received just now.

        Args:
            keys: Where.
            token: Of the right to get it; empty without.
            answer: What.
            kept: Seconds for which it stays there.
            valid: Seconds for which it is valid by the spec.
        """
        with self._lock:
            full = self._waiting + len(answer.content) > _MOST_WAITING
            if not full:
                self._waiting += len(answer.content)
        if full:
            self.let_go(keys, token, failed=True)
        else:
            self._say(Kept(keys, token, answer, self._clock.monotonic(), kept, valid))

    def let_go(self, keys: AnswerKeys, token: str, *, failed: bool) -> None:
        """Give the right to get an answer back: to the next one, or to all where the request has failed."""
        if token:
            self._say(LetGo(keys, token, failed))

    def _say(self, job: Job) -> bool:
        """Give the thread something to do; False where none can be started. Nothing touches the network before that."""
        if self._thread is None:
            with self._lock:
                if self._thread is None and not self._stop.is_set():
                    thread = threading.Thread(target=self._run, name="binance-sdk cache", daemon=True)
                    try:
                        thread.start()
                    except RuntimeError:
                        return False
                    self._thread = thread
        self._jobs.put(job)
        return True

    # --------------------------------------------------------------------------- thread

    def _run(self) -> None:
        jobs, renew_at = self._jobs, math.inf
        while True:
            if not self._held:
                renew_at = math.inf
            elif renew_at == math.inf:
                renew_at = self._clock.monotonic() + _RENEW
            if self._state == "lost" and self._retry_at == math.inf:
                self._retry_at = self._clock.monotonic() + _RETRY
            due = min(renew_at, self._retry_at)
            try:
                # Nothing more is waited for when the last client is closed.
                job = jobs.get(not self._stop.is_set(), None if due == math.inf else due - self._clock.monotonic())
            except (queue.Empty, ValueError):
                if self._stop.is_set():
                    break
            else:
                self._serve_safely(job)
            now = self._clock.monotonic()
            if self._retry_at <= now and not self._stop.is_set():
                self._retry_at = math.inf
                self._serve_safely(Question(_NOWHERE, new_token(), None, False, _nobody))
                self._held.pop(_NOWHERE.lock, None)
            if renew_at <= now:
                renew_at = math.inf
                self._serve_safely(None)
        self._connection.close()

    def _serve_safely(self, job: Job) -> None:
        try:
            try:
                self._serve(job)
            except StoreAwayError as error:
                self._away(str(error))
            except ConfigError as error:
                if self._state == "unused" and isinstance(job, Question) and not self.implied:
                    job.failure = str(error)
                else:
                    self._away(str(error), _REFUSED_RETRY)
            except Exception as error:
                # Without this thread no call would ever find anything again.
                _LOGGER.exception("cache_url: a message could not be exchanged")
                self._away(f"{type(error).__name__}: {error}")
        finally:
            if isinstance(job, Question):
                self._finish(job)
            elif isinstance(job, Kept):
                with self._lock:
                    self._waiting -= len(job.answer.content)

    def _serve(self, job: Job) -> None:
        if isinstance(job, Question):
            job.away = True
            # Those that were asked before the store was lost have gone on without it.
            if not job.given_up and (self._state != "lost" or job.keys is _NOWHERE):
                self._ask(job)
        elif self._state == "lost":
            # What was ours lapses.
            self._held.clear()
        elif isinstance(job, Kept):
            self._put(job)
        elif isinstance(job, LetGo):
            if self._is_ours(job):
                del self._held[job.keys.lock]
                what, seconds = ("failed", _FAILED) if job.failed else ("free", 0.0)
                self._script(script("lock"), (job.keys.lock,), (job.token, what, _ms(seconds)))
        else:
            for lock, token in list(self._held.items()):
                if not self._script(script("lock"), (lock,), (token, "hold", _ms(LAPSE))):
                    self._held.pop(lock, None)

    def _ask(self, question: Question) -> None:
        question.asked_at = self._clock.monotonic()
        most_age = "" if question.most_age is None else str(question.most_age)
        arguments = (question.token, _ms(LAPSE), most_age, str(MOST_STORED_BYTES), "1" if question.worthless else "0")
        reply = self._script(script("find"), (question.keys.answer, question.keys.lock), arguments)
        match reply:
            case [b"answer", int(left), bytes(body)]:
                try:
                    question.found = unpack(question.keys.identity, body)
                except WorthlessAnswerError as error:
                    question.problem = str(error)
                question.left = left / 1000
            case [b"yours" | b"theirs" | b"alone" as right, bytes(problem)]:
                question.right = cast("Right", right.decode())
                question.problem = problem.decode("utf-8", "replace")
                if question.right == "yours":
                    self._held[question.keys.lock] = question.token
            case _:
                raise StoreAwayError(f"{self.address.shown}: the script answers what it never does")
        question.away = False
        self._become("connected", "")

    def _put(self, job: Kept) -> None:
        # Held meanwhile: others wait for what is being packed.
        body = pack(job.keys.identity, job.answer)
        if len(body) > MOST_STORED_BYTES:
            self._serve(LetGo(job.keys, job.token, failed=True))
            return
        token = ""
        if self._is_ours(job):
            token = self._held.pop(job.keys.lock)
        age = self._clock.monotonic() - job.received
        times = (_ms(age), _ms(job.kept), _ms(job.valid))
        keys = (job.keys.answer, job.keys.lock, INDEX, SIZES)
        self._script(script("keep"), keys, (token, body, *times, str(MOST_BYTES_IN_ALL), PREFIX))

    def _is_ours(self, job: Kept | LetGo) -> bool:
        """Whether this process has the right; after a fork, the parent has it."""
        return bool(job.token) and self._held.get(job.keys.lock) == job.token

    def _script(self, text: CacheScript, keys: tuple[str, ...], arguments: tuple[str | bytes, ...]) -> Any:
        def ask(client: Any) -> Any:
            return run_script(client, text, keys, arguments)

        try:
            return self._connection.ask(ask, _no_meaning)
        except StoreAwayError as error:
            if not error.down or self._state != "connected":
                raise
        # It may have been restarted, or have closed an idle connection.
        return self._connection.ask(ask, _no_meaning)

    def _finish(self, question: Question) -> None:
        with self._lock:
            question.done = True
            given_up = question.given_up
        if given_up and question.right == "yours":
            self.let_go(question.keys, question.token, failed=False)
        question.wake()

    # ---------------------------------------------------------------------------- state

    def _away(self, reason: str, again: float = _RETRY) -> None:
        self._retry_at = self._clock.monotonic() + again
        self._become("lost", reason)

    def _become(self, state: CacheStoreState, reason: str) -> None:
        with self._lock:
            before = self._state
            if state == before:
                return
            self._state, self._reason, self._since = state, reason, self._clock.time()
            self.changes += 1
        if state == "lost":
            _LOGGER.warning("cache_url: %s; until it is back, each process asks the exchange for itself", reason)
        elif before == "lost":
            _LOGGER.warning("cache_url: the store is back; answers are shared again")

    # --------------------------------------------------------------------- opened, closed

    async def release(self, clock: Clock) -> None:
        """The last client says so; what is to be stored still is."""
        await end_of(self.leave(), clock)

    def leave(self) -> threading.Thread | None:
        """As ``release``, without waiting; the thread that ends."""
        if not _STORES.leave((*self.address.identity, self.implied), self):
            return None
        self._stop.set()
        self._jobs.put(None)
        return self._thread

    def after_fork(self) -> None:
        """In the child: the thread, the connection, and every right are the parent's."""
        abandon(self._connection, self._jobs)
        self._connection = StoreConnection(self.address, self._setting)
        self._thread, self._jobs, self._stop = None, queue.SimpleQueue(), threading.Event()
        self._held.clear()
        self._waiting, self._retry_at, self._state = 0, math.inf, "unused"


def _nobody() -> None:
    """Nobody waits."""


def _no_meaning(text: str) -> None:
    """The scripts raise no errors of their own."""


def _ms(seconds: float) -> str:
    return str(max(0, round(seconds * 1000)))


def new_token() -> str:
    """What no other process, and no other call of this one, has."""
    return uuid4().hex


_STORES: ProcessStores[CacheStore] = ProcessStores()


def use_cache_store(address: StoreAddress, *, implied: bool) -> CacheStore:
    """The store of this process at that address, for one client more; where it is named, and where it is implied."""
    return _STORES.use((*address.identity, implied), lambda: CacheStore(address, implied))
