"""Ctrl-C at any moment: what was taken from a blocking stream is handed out by the next call."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

import binance_sdk
from binance_sdk import SyncBinanceClient, spot
from binance_sdk.errors import StreamError
from binance_sdk.streams import Gap

from .rows import agg_trade
from .server import eventually
from .test_sync import TRADES, Background, threads

_OURS = os.path.dirname(binance_sdk.__file__)


@pytest.fixture
def background() -> Iterator[Background]:
    background = Background()
    yield background
    background.close()


def press() -> None:
    """Ctrl-C."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def is_ours(frame: FrameType | None) -> bool:
    """Whether a moment lies within a call of ours, and not between two lines of the test."""
    while frame is not None and frame.f_code.co_filename != __file__:
        if frame.f_code.co_filename.startswith(_OURS):
            return True
        frame = frame.f_back
    return False


async def send_all(background: Background, numbers: range) -> None:
    for number in numbers:
        await background.exchange.send(TRADES, agg_trade(number))
        if number % 50 == 0:
            await asyncio.sleep(0.001)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers that interrupt")
@pytest.mark.parametrize("notices", [False, True])
def test_no_event_is_lost_to_real_interrupts(
    background: Background, notices: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where the garbage collector calls something, CPython throws an interrupt away and says so there.
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    count, interrupts, armed = 4000, 0, True
    seen: list[int] = []
    chance = random.Random(9)

    def interrupt(_: int, frame: FrameType | None) -> None:
        nonlocal interrupts
        if not armed:
            return
        signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.0001, 0.004))
        # Between two lines of the test, as where one interrupt has just been caught, it would end the whole run.
        if is_ours(frame):
            interrupts += 1
            raise KeyboardInterrupt

    client = SyncBinanceClient(spot_stream_url=background.exchange.url)
    with client, client.spot.streams.agg_trade("BTCUSDT") as events:
        sending = asyncio.run_coroutine_threadsafe(send_all(background, range(1, count + 100)), background.loop)
        before = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        while armed:
            try:
                if seen and seen[-1] >= count:
                    armed = False
                    break
                for event in events.with_notices() if notices else events:
                    # First of all: an interrupt may come with any call here, and what it costs then is the test's own.
                    seen.append(event.agg_id)
                    assert isinstance(event, spot.AggTradeEvent)
                    if seen[-1] >= count:
                        break
            except KeyboardInterrupt:
                continue
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        sending.result(10)
        assert seen == list(range(1, seen[-1] + 1))
        assert interrupts > 10
    assert threads() == []


class Injected:
    """Raises at the n-th moment at which CPython looks for signals while our code runs: a call begins, or
    has returned.

    The return of ``__next__`` itself is no such moment: then the event is handed out.
    """

    def __init__(self, at: int) -> None:
        self.left = at
        self.fired = False

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        if not frame.f_code.co_filename.startswith(_OURS):
            return
        if event == "c_call" or (event == "return" and frame.f_code.co_name == "__next__"):
            return
        self.left -= 1
        if self.left == 0:
            self.fired = True
            raise KeyboardInterrupt

    def __enter__(self) -> Injected:
        sys.setprofile(self)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)


@pytest.mark.parametrize("notices", [False, True])
def test_an_interrupt_at_any_call_loses_nothing(background: Background, notices: bool) -> None:
    client = SyncBinanceClient(spot_stream_url=background.exchange.url)
    with client, client.spot.streams.agg_trade("BTCUSDT") as events:
        last, at = 0, 0
        while True:
            at += 1
            iterator = iter(events.with_notices() if notices else events)
            # The second one follows a gap.
            for number in (last + 1, last + 3):
                background.run(background.exchange.send(TRADES, agg_trade(number)))
            seen: list[Any] = []
            injected = Injected(at)
            try:
                with injected:
                    seen.append(iterator.__next__())
            except KeyboardInterrupt:
                pass
            # Ends the reading, whatever was lost.
            background.run(background.exchange.send(TRADES, agg_trade(last + 4)))
            while not seen or getattr(seen[-1], "agg_id", 0) != last + 4:
                seen.append(next(iterator))
            gap = [Gap(TRADES, last + 1, last + 3)] if notices else []
            assert [getattr(item, "agg_id", item) for item in seen] == [last + 1, *gap, last + 3, last + 4], at
            last += 4
            if not injected.fired:
                break
        assert at > 10
        assert events.stats.gaps == at
    assert threads() == []


def test_an_interrupt_while_nothing_comes_and_none_later(background: Background) -> None:
    """What was left behind by interrupts does not stand in the way of the next call."""
    client = SyncBinanceClient(spot_stream_url=background.exchange.url)
    with client, client.spot.streams.agg_trade("BTCUSDT") as events:
        for _ in range(5):
            timer = threading.Timer(0.02, press)
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                next(events)
            timer.join()
        background.run(background.exchange.send(TRADES, agg_trade(1)))
        assert next(events).agg_id == 1


def test_a_stream_that_was_opened_for_nobody_is_closed(background: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    with SyncBinanceClient(spot_stream_url=background.exchange.url) as client:
        manager = client._core.streams()
        run = manager.run

        def interrupted(work: Any, **options: Any) -> Any:
            run(work, **options)
            raise KeyboardInterrupt

        monkeypatch.setattr(manager, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.spot.streams.agg_trade("BTCUSDT").open()
        monkeypatch.undo()

        background.run(eventually(lambda: background.exchange.lines))
        background.run(eventually(lambda: not background.exchange.open))


def test_an_interrupted_end_goes_on(background: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the streams are closed: they are closed all the same, and closing again waits for that."""
    client = SyncBinanceClient(spot_stream_url=background.exchange.url)
    events = client.spot.streams.agg_trade("BTCUSDT").open()
    supervisor = events._consumer._supervisors[0]
    close, closing = supervisor.aclose, threading.Event()

    async def slow() -> None:
        closing.set()
        await asyncio.sleep(0.2)
        await close()

    monkeypatch.setattr(supervisor, "aclose", slow)

    def wait_and_press() -> None:
        closing.wait(10)
        press()

    pressing = threading.Thread(target=wait_and_press)
    pressing.start()
    with pytest.raises(KeyboardInterrupt):
        events.close()
    pressing.join()
    client.close()
    assert threads() == []


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("asyncio.new_event_loop", OSError(errno.EMFILE, "Too many open files")),
        ("threading.Thread.start", RuntimeError("can't start new thread")),
    ],
)
def test_a_machine_with_nothing_left_is_told(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> None:
    def fail(*_: object) -> None:
        raise error

    with SyncBinanceClient(spot_stream_url="ws://127.0.0.1:9") as client:
        client._core.streams()
        with monkeypatch.context() as patch:
            patch.setattr(name, fail)
            with pytest.raises(StreamError, match=r"file descriptors|new thread"):
                client.spot.streams.agg_trade("BTCUSDT").open()
        assert threads() == []
