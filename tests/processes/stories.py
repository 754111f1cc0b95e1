"""What the tests of forks run in a process of its own: ``python -m tests.processes.stories NAME``.

Each prints what it saw as JSON. A child that hangs is ended by an alarm.
"""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import json
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from binance_sdk import BinanceClient, RequestOptions, SyncBinanceClient
from binance_sdk.errors import BinanceError

URL = os.environ["EXCHANGE_URL"]
STREAMS = os.environ.get("STREAM_URL", "")
PATIENCE = 90


def skip_c_exit_handlers() -> None:
    """Let this process end after the interpreter has ended in an ordinary way, without the exit handlers of C.

    OpenSSL's waits forever in the child of a fork that happened while another thread held one of OpenSSL's locks, as
    a thread does for a moment as it ends, even after it was joined. ``multiprocessing`` skips it with ``os._exit``.
    """
    c = ctypes.CDLL(None)
    if hasattr(c, "on_exit"):  # glibc; the last handler registered is the first to run
        c.on_exit(c._exit, None)


def in_child(work: Callable[[], Any], *, at_once: bool = False) -> Callable[[], Any]:
    """Forks and runs ``work`` there; what comes back waits for its result.

    ``at_once`` ends the child as ``multiprocessing`` does; else it ends in an ordinary way, so that whatever is
    destroyed has its say.
    """
    read, write = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        faulthandler.register(signal.SIGALRM, chain=True)
        signal.alarm(PATIENCE)
        skip_c_exit_handlers()
        os.close(read)
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - the parent looks at it
            result = f"{type(error).__name__}: {error}"
        os.write(write, json.dumps(result).encode())
        os.close(write)
        if at_once:
            os._exit(0)
        sys.exit(0)
    os.close(write)

    def wait() -> Any:
        with os.fdopen(read, "rb") as pipe:
            told = pipe.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return json.loads(told) if told and code == 0 else f"the child ended with {code} and {told!r}"

    return wait


def caught(work: Callable[[], Any]) -> str:
    """Name and text of what ``work`` raises."""
    try:
        return f"no error but {work()!r}"
    except BinanceError as error:
        return f"{type(error).__name__}: {error}"


def wrong(client: SyncBinanceClient, symbol: str, count: int = 30) -> list[str]:
    """Every answer that is not of the symbol asked for."""
    found = [client.spot.ticker_price(symbol).symbol for _ in range(count)]
    return [answered for answered in found if answered != symbol]


def used_before() -> object:
    """Parent and children ask at once, with a client that had connections before."""
    with SyncBinanceClient(spot_base_url=URL, timeout=10, max_retries=0) as client:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda n: client.spot.ticker_price(f"A{n}USDT"), range(16)))

        def parent_of_another() -> object:
            grandchild = in_child(lambda: wrong(client, "GRANDUSDT"))
            return [wrong(client, "CHILDUSDT"), grandchild()]

        children = [in_child(lambda: wrong(client, "ETHUSDT")), in_child(parent_of_another)]
        mine = wrong(client, "BTCUSDT")
        return [mine, *(child() for child in children)]


def start_methods() -> object:
    """A process pool of each kind, over a client of a module that was used before."""
    from tests.processes import module_client

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(module_client.ask, [f"A{n}USDT" for n in range(8)]))
    symbols = [f"B{n}USDT" for n in range(40)]
    seen: dict[str, list[str]] = {}
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        if method == "forkserver":
            context.set_forkserver_preload(["tests.processes.module_client"])
        with ProcessPoolExecutor(3, mp_context=context) as pool:
            answers = list(pool.map(module_client.ask, symbols))
        seen[method] = [f"{a} for {s}" for a, s in zip(answers, symbols, strict=True) if a != s]
    module_client.CLIENT.close()
    return seen


def call_until(stop: threading.Event, client: SyncBinanceClient, symbol: str, failures: list[str]) -> None:
    """Calls of several kinds, cached ones too."""
    while not stop.is_set():
        try:
            if client.spot.ticker_price(symbol).symbol != symbol:
                failures.append("another symbol")
            client.spot.klines(symbol, "1m", start_time=1764028800000, limit=2, options=RequestOptions(cache=1))
            client.spot.symbols()
            time.sleep(0.005)
        except Exception as error:  # noqa: BLE001 - the parent looks at it
            failures.append(f"{type(error).__name__}: {error}")


def forked_among_threads(delay: float, forks: int) -> object:
    """What goes wrong in children and parent, with the first fork so shortly after the first calls began."""
    client = SyncBinanceClient(spot_base_url=URL, timeout=10, max_retries=0)
    stop, failures = threading.Event(), list[str]()
    threads = [
        threading.Thread(target=call_until, args=(stop, client, f"T{number}USDT", failures)) for number in range(4)
    ]

    def child() -> object:
        rows = client.spot.klines("CUSDT", "1m", start_time=1764028800000, limit=2, options=RequestOptions(cache=1))
        found = [wrong(client, "CUSDT", 3), len(rows), "BTCUSDT" in client.spot.symbols()]
        client.close()
        return found

    for thread in threads:
        thread.start()
    time.sleep(delay)
    results = [in_child(child)() for _ in range(forks)]
    stop.set()
    for thread in threads:
        thread.join()
    client.close()
    return failures + [result for result in results if result != [[], 2, True]]


def while_threads_call() -> object:
    """First in processes that have imported nothing yet, then in one that is warm."""
    cold = [in_child(lambda delay=0.03 * step: forked_among_threads(delay, 1)) for step in range(5)]
    return [*(child() for child in cold), forked_among_threads(0.5, 4)]


def while_threads_speak_to_a_store() -> object:
    return forked_among_threads(0.3, 2)


def cache() -> object:
    """A request is under way in another thread, and the child wants the same answer."""
    with SyncBinanceClient(spot_base_url=URL, cache=True) as client:
        flying = threading.Thread(target=client.spot.exchange_info)
        flying.start()
        while not client._core.single_flight._flights:  # type: ignore[union-attr]
            pass
        child = in_child(lambda: len(client.spot.exchange_info().symbols))
        flying.join()
        kept = in_child(lambda: len(client.spot.exchange_info().symbols))
        return [child(), kept(), len(client.spot.exchange_info().symbols)]


def async_client() -> object:
    """Fresh, used, in the midst of an iterator, and with the loop still running."""
    fresh = BinanceClient(spot_base_url=URL)

    async def story() -> object:
        async with BinanceClient(spot_base_url=URL, cache=True) as client:
            await client.spot.exchange_info()
            rows = client.spot.iter_klines("BTCUSDT", "1m", start_time=1764028800000, page_size=10)
            await anext(rows)

            async def one(awaitable: Any) -> Any:
                return await awaitable

            def child() -> object:
                async def leave() -> str:
                    async with client:
                        return "left"

                return [
                    caught(lambda: asyncio.run(one(client.spot.ping()))),
                    caught(lambda: asyncio.run(one(client.spot.exchange_info()))),
                    caught(lambda: asyncio.run(one(anext(rows)))),
                    caught(lambda: asyncio.run(one(fresh.spot.ping()))),
                    asyncio.run(leave()),
                    caught(lambda: SyncBinanceClient(spot_base_url=URL).spot.ticker_price("NEWUSDT").symbol),
                ]

            def in_fresh_loop() -> object:
                # asyncio itself remembers the parent's loop as the running one.
                asyncio._set_running_loop(None)
                return child()

            result = in_child(in_fresh_loop, at_once=True)()
            # The parent goes on with its own connections.
            await rows.aclose()
            await client.spot.ping()
            return result

    return asyncio.run(story())


def iterators() -> object:
    """A blocking iterator and a batch that were begun before."""
    with SyncBinanceClient(spot_base_url=URL, max_concurrency=2) as client:
        rows = client.spot.iter_klines("BTCUSDT", "1m", start_time=1764028800000, page_size=10)
        first = next(rows)
        batch = iter(client.spot.each(client.spot.ticker_price, [f"S{n}USDT" for n in range(8)]))
        next(batch)

        def child() -> object:
            fresh = client.spot.iter_klines("BTCUSDT", "1m", start_time=1764028800000, page_size=10)
            return [caught(lambda: next(rows)), caught(lambda: next(batch)), next(fresh) == first]

        result = in_child(child)()
        following = next(rows)
        return [*result, following.open_time - first.open_time, len(list(batch))]


def several_loops() -> object:
    """Async clients in loops of several threads and a blocking one, all of them calling."""
    client = SyncBinanceClient(spot_base_url=URL, timeout=10, max_retries=0)
    shared = BinanceClient(spot_base_url=URL, timeout=10, max_retries=0)
    stop, failures, ready = threading.Event(), list[str](), threading.Barrier(4)

    async def calls(symbol: str) -> None:
        await shared.spot.ticker_price(symbol)
        await asyncio.to_thread(ready.wait, 10)
        while not stop.is_set():
            if (await shared.spot.ticker_price(symbol)).symbol != symbol:
                failures.append("another symbol")

    threads = [threading.Thread(target=asyncio.run, args=(calls(f"L{n}USDT"),)) for n in range(3)]
    for thread in threads:
        thread.start()
    client.spot.ping()
    ready.wait(10)

    def child() -> object:
        with client:
            return [wrong(client, "CUSDT", 5), caught(lambda: asyncio.run(asked()))]

    async def asked() -> object:
        return await shared.spot.ticker_price("BTCUSDT")

    results = [in_child(child)() for _ in range(3)]
    stop.set()
    for thread in threads:
        thread.join()
    asyncio.run(shared.aclose())
    client.close()
    return {"children": results, "parent": failures}


def given_http_client() -> object:
    """An http_client of the user: it may have been used, and cannot be made again by us."""
    import httpx

    with httpx.Client() as http, SyncBinanceClient(spot_base_url=URL, http_client=http) as client:
        client.spot.ping()
        return in_child(lambda: caught(client.spot.ping))()


def logged() -> list[str]:
    """What the package logs from now on, in this process and the children that it forks."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.levelname} {record.getMessage()}")

    logging.getLogger("binance_sdk").addHandler(Keep())
    return lines


def budget() -> object:
    """What the parent spent is known, and one line of the log says what is not."""
    lines = logged()
    with SyncBinanceClient(spot_base_url=URL) as client:
        for _ in range(5):
            client.spot.ticker_price("BTCUSDT")
        before = client.limits.spot.used

        def child() -> object:
            at_first = client.limits.spot.used
            for _ in range(3):
                client.spot.ticker_price("BTCUSDT")
            with SyncBinanceClient(spot_base_url=URL) as another:
                another.spot.ticker_price("BTCUSDT")
            return [before, at_first, client.limits.spot.used, lines]

        result = in_child(child)()
        return [*result, client.limits.spot.used, list(lines)]


def shared_budget() -> object:
    """The child is a consumer of its own, and both spend from what the store counts."""
    lines = logged()
    with SyncBinanceClient(spot_base_url=URL) as client:
        client.spot.ticker_price("BTCUSDT")

        def child() -> object:
            for _ in range(3):
                client.spot.ticker_price("BTCUSDT")
            status = client.limits.store
            assert status is not None
            client.close()
            return [client.limits.spot.used, status.state, status.processes, lines]

        result = in_child(child)()
        client.spot.ticker_price("BTCUSDT")
        status = client.limits.store
        assert status is not None
        return [*result, client.limits.spot.used, status.processes, list(lines)]


def in_a_hook() -> object:
    """A fork in the midst of a call, which parent and child both go on with."""
    from binance_sdk.events import RequestSent

    children: list[Callable[[], Any]] = []
    read, write = os.pipe()

    def hook(event: object) -> None:
        if isinstance(event, RequestSent) and not children:
            child = os.fork()
            if child:
                children.append(lambda: os.waitpid(child, 0))
            else:
                signal.alarm(PATIENCE)
                children.append(lambda: None)

    parent = os.getpid()
    with SyncBinanceClient(spot_base_url=URL, max_concurrency=1, hooks=[hook]) as client:
        symbols = [client.spot.ticker_price("BTCUSDT").symbol, *wrong(client, "ETHUSDT", 3)]
        market = client._core.engine.attempts.markets["spot"]
        seen = [symbols, client.limits.spot.used, sum(window.in_flight for window in market.pool.windows)]
    if os.getpid() != parent:
        os.write(write, json.dumps(seen).encode())
        os._exit(0)
    children[0]()
    return [seen, json.loads(os.read(read, 10_000))]


def streams() -> object:
    """A blocking stream: the parent's goes on, the child opens another one."""
    with (
        SyncBinanceClient(spot_base_url=URL, spot_stream_url=STREAMS) as client,
        client.spot.streams.ticker("BTCUSDT") as events,
    ):
        next(events)

        def child() -> object:
            found = [
                caught(lambda: next(events)),
                caught(lambda: events.subscribe(client.spot.streams.ticker("ETHUSDT"))),
                caught(lambda: events.unsubscribe(client.spot.streams.ticker("BTCUSDT"))),
            ]
            with client.spot.streams.ticker("ETHUSDT") as others:
                found.append(next(others).symbol)
            events.close()
            client.close()
            return found

        result = in_child(child)()
        return [result, next(events).symbol]


def async_streams() -> object:
    """The same for asyncio, which may open none in the child."""

    async def story() -> object:
        async with BinanceClient(spot_base_url=URL, spot_stream_url=STREAMS) as client:
            stream = client.spot.streams.ticker("BTCUSDT")
            async with stream as events:
                await anext(events)

                async def one(awaitable: Any) -> Any:
                    return await awaitable

                async def reopen() -> None:
                    async with client.spot.streams.ticker("ETHUSDT"):
                        pass

                async def leave() -> str:
                    await stream.__aexit__(None, None, None)
                    await client.aclose()
                    return "left"

                def child() -> object:
                    asyncio._set_running_loop(None)
                    return [
                        caught(lambda: asyncio.run(one(anext(events)))),
                        caught(lambda: asyncio.run(one(events.subscribe(client.spot.streams.ticker("ETHUSDT"))))),
                        caught(lambda: asyncio.run(reopen())),
                        asyncio.run(leave()),
                    ]

                result = in_child(child, at_once=True)()
                return [result, (await anext(events)).symbol]

    return asyncio.run(story())


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]]()))  # noqa: T201 - read by the test
