"""Raises ``KeyboardInterrupt`` in a blocking call after each of its steps, and looks for what is left of it.

Python looks for signals where a function begins, after a call of something written in C, and within such a call that
waits; in loops too, whose bodies make calls. A step is one of these in ``binance_sdk``, or right below it, in the main
thread, which is the only one that Ctrl-C reaches. Between other bytecodes no interrupt can come. Before 3.14 none can
between the entry of a ``with`` and its block either; where one does there, a lock stays locked, which no code in Python
prevents.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import FrameType
from typing import Any

import binance_sdk
from binance_sdk import Caps, RequestOptions, SyncBinanceClient, _core
from binance_sdk._runtime.calls.single_flight import ThreadSingleFlight
from binance_sdk._runtime.clock import BlockingClock
from binance_sdk._runtime.locks import _LOCKS, IMPORT_LOCK
from tests.loopback_server import LoopbackServer

from .steps import EVERY_STEP, PATIENCE, LeftOver

_HOME = str(Path(binance_sdk.__file__).parent)
_WAITING = frozenset({"sleep", "recv", "recv_into", "send", "sendall", "connect", "poll", "select"})
_SWALLOWED = ("_remove", "__del__")
"""What Python calls as an object goes; it tells of an interrupt there, and nobody gets it."""
_NOT_CLOSED = (type(IMPORT_LOCK).__enter__.__code__, type(IMPORT_LOCK).__exit__.__code__)
"""Where an interrupt leaves something, which Python gives no means against; the reason stands there."""
_START = 1764028800000
_HOUR = 3_600_000


def _below_ours(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_HOME):
            return True
        frame = frame.f_back
    return False


class _Interrupts:
    """Counts the steps of this thread, and interrupts one of them."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0
        self.where = ""

    def __enter__(self) -> _Interrupts:
        # What the garbage collector calls comes at any step, and Python swallows an interrupt there.
        gc.disable()
        sys.setprofile(self._see)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        gc.enable()

    def _see(self, frame: FrameType, event: str, what: Any) -> None:
        if event == "c_call":
            name = getattr(what, "__name__", "")
            waits = name in _WAITING or (name == "acquire" and frame.f_code.co_name == "wait")
            waits = waits and _below_ours(frame)
        else:
            waits = False
        if frame.f_code.co_name in _SWALLOWED or frame.f_code in _NOT_CLOSED:
            return
        above = frame.f_back if event == "call" else None
        ours = frame.f_code.co_filename.startswith(_HOME) or (
            above is not None and above.f_code.co_filename.startswith(_HOME)
        )
        if waits or (ours and event in ("call", "c_return")):
            self.count += 1
            if self.count == self.at:
                name = getattr(what, "__qualname__", "")
                self.where = f"{frame.f_code.co_filename}:{frame.f_lineno} {event} {name}"
                sys.setprofile(None)
                raise KeyboardInterrupt


def until(true: Callable[[], bool], what: str) -> None:
    """Return as soon as it is true.

    Raises:
        LeftOver: it does not become true.
    """
    end = time.monotonic() + PATIENCE / 2
    while not true():
        if time.monotonic() > end:
            raise LeftOver(what)
        threading.Event().wait(0.0005)


class Server:
    """Answers with candles, and does something before its first answer."""

    def __init__(self) -> None:
        self.fail = 0
        self.open = 0
        self.asked = 0
        self.before_first: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                with server._lock:
                    server.open += 1
                super().setup()

            def finish(self) -> None:
                super().finish()
                with server._lock:
                    server.open -= 1

            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                """Not on the terminal."""

        self.handler = Handler

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self.asked += 1
            first = self.asked == 1
            failed, self.fail = self.fail > 0, max(0, self.fail - 1)
        if first:
            self.before_first()
        query = dict(part.split("=") for part in handler.path.split("?")[1].split("&"))
        start, limit = int(query.get("startTime", _START)), int(query["limit"])
        rows = [
            [at, "1", "2", "0.5", "1.5", "10", at + _HOUR - 1, "15", 3, "5", "7", "0"]
            for at in range(start, start + min(limit, 3) * _HOUR, _HOUR)
        ]
        body = b"" if failed else json.dumps(rows).encode()
        handler.send_response(503 if failed else 200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


class QuickClock(BlockingClock):
    """Passes the time at once where somebody waits for it to pass."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:  # type: ignore[override]
        return time.monotonic() + self.ahead

    async def sleep(self, seconds: float) -> None:
        time.sleep(0)  # noqa: ASYNC251 - where Ctrl-C may come
        self.ahead += seconds

    def waker(self) -> Any:
        inner, clock = super().waker(), self

        class Quick:
            wake = inner.wake

            async def wait(self, seconds: float) -> None:
                if clock.quick:
                    await inner.wait(0)
                    clock.ahead += seconds
                else:
                    await inner.wait(seconds)

        return Quick()

    quick = True


class Blocking:
    """Some work of a blocking client, for one run."""

    options: dict[str, Any] = {}  # noqa: RUF012 - never changed
    quick = True

    def open(self, server: Server, url: str) -> None:
        self.server = server
        self.released = threading.Event()
        self.beginning = threading.Lock()
        self.others: list[threading.Thread] = []
        self.failed: list[BaseException] = []
        self.clock = QuickClock()
        self.clock.quick = self.quick
        make, vars(_core)["BlockingClock"] = BlockingClock, lambda: self.clock
        try:
            self.client = SyncBinanceClient(spot_base_url=url, **self.options)
        finally:
            vars(_core)["BlockingClock"] = make
        budget = self.client._core.engine.attempts.budget
        assert budget is not None
        self.slots: Any = budget._concurrency.resource
        self.pool = self.client._core.engine.attempts.markets["spot"].pool
        flight = self.client._core.single_flight
        assert isinstance(flight, ThreadSingleFlight)
        self.flight = flight

    def work(self) -> object:
        raise NotImplementedError

    def ask(self, **options: Any) -> object:
        return self.client.spot.klines("BTCUSDT", "1h", limit=3, options=RequestOptions(timeout=PATIENCE, **options))

    def beside(self, call: Callable[[], object]) -> None:
        """Make a call in another thread, unless the work is over."""

        def run() -> None:
            try:
                call()
            except BaseException as error:  # noqa: BLE001 - told below
                self.failed.append(error)

        with self.beginning:
            if not self.released.is_set():
                thread = threading.Thread(target=run, daemon=True)
                thread.start()
                self.others.append(thread)

    def check(self) -> None:
        with self.beginning:
            self.released.set()
        for thread in self.others:
            thread.join(PATIENCE / 2)
            if thread.is_alive():
                raise LeftOver("the call of another thread hangs")
        if self.failed:
            raise LeftOver(f"the call of another thread failed with {self.failed[0]!r}") from self.failed[0]
        held = {window.name: window.in_flight for window in self.pool.windows if window.in_flight}
        if held or self.slots.in_flight or self.pool.ledger.waiting:
            raise LeftOver(f"in flight: {held}, slots: {self.slots.in_flight}, waiting: {self.pool.ledger.waiting}")
        if self.flight._flights:
            raise LeftOver("a request that many share is left")
        locks: list[Any] = [IMPORT_LOCK._lock, self.pool.ledger.lock]
        if any(lock.locked() for lock in _LOCKS) or any(lock._is_owned() for lock in locks):
            raise LeftOver("a lock is held")
        self.ask()

    def close(self) -> None:
        self.client.close()
        until(lambda: not self.server.open, "a socket is left")


class Plain(Blocking):
    def work(self) -> None:
        self.ask()
        self.ask()


class Retried(Blocking):
    def work(self) -> None:
        self.server.fail = 1
        self.ask()


class Budget(Blocking):
    """The second call waits for its turn."""

    options = {"caps": Caps(requests_per_second=0.5)}  # noqa: RUF012 - never changed

    def work(self) -> None:
        self.ask()
        self.ask()


class Pages(Blocking):
    def work(self) -> None:
        rows = self.client.spot.iter_klines("BTCUSDT", "1h", start_time=_START, limit=5, page_size=3)
        assert len(list(rows)) == 5


class Shares(Blocking):
    """Another thread waits for the answer to the call that is interrupted."""

    def shared(self) -> object:
        return self.ask(cache=5.0)

    def waited_for(self) -> bool:
        return any(vars(flight.over._cond)["_waiters"] for flight in [*self.flight._flights.values()])

    def work(self) -> None:
        def before_first() -> None:
            self.beside(self.shared)
            until(lambda: self.waited_for() or self.released.is_set(), "nobody shares")

        self.server.before_first = before_first
        self.shared()


class IsShared(Shares):
    """The call that is interrupted waits for the answer to that of another thread."""

    def work(self) -> None:
        self.server.before_first = lambda: until(lambda: self.waited_for() or self.released.is_set(), "nobody shares")
        self.beside(self.shared)
        until(lambda: bool(self.server.asked), "the other thread does not ask")
        self.shared()


class Slot(Blocking):
    """Another thread waits for the place of the call that is interrupted."""

    options = {"max_concurrency": 1}  # noqa: RUF012 - never changed
    quick = False

    def work(self) -> None:
        def before_first() -> None:
            self.beside(self.ask)
            until(lambda: self.pool.ledger.waiting > 0 or self.released.is_set(), "nobody waits")

        self.server.before_first = before_first
        self.ask()


class WaitsForSlot(Slot):
    """The call that is interrupted waits for the place of another thread's."""

    def work(self) -> None:
        self.server.before_first = lambda: until(
            lambda: self.pool.ledger.waiting > 0 or self.released.is_set(), "nobody waits"
        )
        self.beside(self.ask)
        until(lambda: bool(self.server.asked), "the other thread does not ask")
        self.ask()


CASES: tuple[type[Blocking], ...] = (Plain, Retried, Budget, Pages, Shares, IsShared, Slot, WaitsForSlot)


@dataclass
class Run:
    """What became of one run."""

    steps: int
    hit: bool


def run(case: type[Blocking], at: int = 0) -> Run:
    """One run of some work, interrupted after a step, or after none.

    Raises:
        LeftOver: something hangs, is left, or has swallowed the interrupt.
    """
    interrupts, server, world = _Interrupts(at), Server(), case()
    with LoopbackServer(server.handler) as loopback, warnings.catch_warnings():
        # Python warns of a coroutine that was made and not begun, and of a socket that goes as it is made: both are
        # gone, and what stays open the server sees.
        warnings.simplefilter("ignore")
        world.open(server, loopback.url)
        interrupted = False
        try:
            try:
                with interrupts:
                    world.work()
            except KeyboardInterrupt:
                interrupted = True
            if interrupted != bool(interrupts.where):
                raise LeftOver("the interrupt was swallowed")
            world.check()
        except Exception as error:
            world.released.set()
            world.client.close()
            raise LeftOver(f"interrupted at step {at}, {interrupts.where}: {error!r}") from error
        try:
            world.close()
        except LeftOver as error:
            raise LeftOver(f"interrupted at step {at}, {interrupts.where}: {error!r}") from error
    return Run(interrupts.count, interrupted)


def some_steps(steps: int, count: int, chance: random.Random) -> list[int]:
    """One step of each part of them; each with ``EVERY_STEP=1``."""
    count = steps if EVERY_STEP else min(count, steps)
    return [chance.randrange(part * steps // count, (part + 1) * steps // count) + 1 for part in range(count)]
