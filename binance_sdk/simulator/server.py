"""The sockets: one uvicorn server with an event loop of its own in a background thread."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from types import FrameType, TracebackType
from typing import Self, TypedDict, Unpack

import uvicorn
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from binance_sdk.catalogue import CATALOGUE, Catalogue, fixture
from binance_sdk.simulator.clock import SimulatorClock
from binance_sdk.simulator.errors import PortInUseError, SimulatorError
from binance_sdk.simulator.exchange import Exchange, Request, RequestCounts, Settings
from binance_sdk.simulator.symbols import DEFAULT_SYMBOLS, Instrument, Market
from binance_sdk.simulator.venue import pick

_STOP_SECONDS = 5.0


class SimulatorOptions(TypedDict, total=False):
    """What ``Simulator`` and ``serve`` take besides the address; see ``Simulator``."""

    seed: int
    clock: SimulatorClock | None
    catalogue: Catalogue | None
    symbols: Iterable[str | Instrument] | None
    history_days: int
    spot_weight_limit: int | None
    futures_weight_limit: int | None
    weight_window_seconds: int
    ban_after: int
    api_key_required: bool


class Simulator:
    """Binance's public REST API on a loopback address, over a market that exists only here.

    Use it as a context manager, plain or async; it may be started and stopped from any thread::

        with Simulator() as sim:
            client = SyncBinanceClient(spot_base_url=sim.spot_url, futures_base_url=sim.futures_url)

    The same seed and clock give the same market to the last digit.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        clock: SimulatorClock | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        catalogue: Catalogue | None = None,
        symbols: Iterable[str | Instrument] | None = None,
        history_days: int = 400,
        spot_weight_limit: int | None = None,
        futures_weight_limit: int | None = None,
        weight_window_seconds: int = 60,
        ban_after: int = 5,
        api_key_required: bool = True,
    ) -> None:
        """Prepare a simulator; nothing listens before ``start``.

        Args:
            seed: Chooses the market.
            clock: Time of the exchange; the system's by default.
            host: Address to listen at.
            port: Port to listen at; 0 takes a free one.
            catalogue: Endpoints to serve; those of the SDK by default.
            symbols: Symbols to list: names out of the default ones, or instruments of your own. All by default.
            history_days: Whole UTC days of history before the day of the start.
            spot_weight_limit: Request weight per window on spot; Binance's 6000 by default.
            futures_weight_limit: Request weight per window on futures; Binance's 2400 by default.
            weight_window_seconds: Length of the weight window.
            ban_after: Requests answered with 429 in a row before the address is banned with 418.
            api_key_required: Refuse endpoints that want an API key when there is none.
        """
        self.clock = clock or SimulatorClock()
        self._host = host
        self._port = port
        self._exchange = Exchange(
            catalogue or CATALOGUE,
            _listed(symbols),
            self.clock,
            Settings(
                seed=seed,
                history_days=history_days,
                weight_limits={"spot": spot_weight_limit, "futures": futures_weight_limit},
                weight_window_seconds=weight_window_seconds,
                ban_after=ban_after,
                api_key_required=api_key_required,
            ),
            fixture,
        )
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._address: tuple[str, int] | None = None

    # ------------------------------------------------------------------------------- life cycle

    def start(self) -> Self:
        """Listen. Returns once requests are answered.

        Raises:
            PortInUseError: The port cannot be bound.
            SimulatorError: It runs already.
        """
        if self._server is not None:
            raise SimulatorError("this simulator runs already; make another one, or stop it first")
        listener = _bind(self._host, self._port)
        self._address = listener.getsockname()[:2]
        server = _Server(_application(self._exchange))
        thread = threading.Thread(
            target=server.run_until_stopped, args=(listener,), name="binance-simulator", daemon=True
        )
        thread.start()
        server.ready.wait()
        self._server, self._thread = server, thread
        if server.failure is not None:
            self.stop()
            raise SimulatorError(f"the simulator could not start: {server.failure}") from server.failure
        return self

    def stop(self) -> None:
        """Finish the requests under way, close every connection and end the thread. Twice does no harm."""
        server, thread = self._server, self._thread
        self._server = self._thread = self._address = None
        if server is not None and thread is not None:
            server.ask_to_stop()
            thread.join(_STOP_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    # ---------------------------------------------------------------------------------- reading

    @property
    def spot_url(self) -> str:
        """Base URL for the spot API."""
        return self._url

    @property
    def futures_url(self) -> str:
        """Base URL for the futures API; the paths of the two do not collide, so one port serves both."""
        return self._url

    @property
    def _url(self) -> str:
        if self._address is None:
            raise SimulatorError("the simulator has no address before it is started")
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def requests(self) -> RequestCounts:
        """What it was asked so far."""
        return self._exchange.requests

    def used_weight(self, market: Market) -> int:
        """Request weight used in the running window."""
        return self._exchange.limiters[market].used(self.clock.now_ms())

    def reset_limits(self) -> None:
        """Forget all used weight, all counted requests and all bans."""
        for limiter in self._exchange.limiters.values():
            limiter.reset()


def serve(
    host: str = "127.0.0.1",
    port: int = 8765,
    *,
    on_start: Callable[[Simulator], None] | None = None,
    **options: Unpack[SimulatorOptions],
) -> None:
    """Run a simulator in the foreground until Ctrl-C or a SIGTERM.

    Args:
        host: Address to listen at.
        port: Port to listen at; 0 takes a free one.
        on_start: Called with the simulator once it listens, e.g. to show its address.
        options: The other arguments of ``Simulator``.

    Raises:
        PortInUseError: The port cannot be bound.
    """
    over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        over.set()

    handlers: Mapping[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Simulator(host=host, port=port, **options) as simulator:
            if on_start is not None:
                on_start(simulator)
            over.wait()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _listed(symbols: Iterable[str | Instrument] | None) -> list[Instrument]:
    if symbols is None:
        return list(DEFAULT_SYMBOLS)
    wanted = list(symbols)
    own = [one for one in wanted if isinstance(one, Instrument)]
    return own + pick(DEFAULT_SYMBOLS, [one for one in wanted if isinstance(one, str)])


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without the protocol asyncio does not switch Nagle off, and each answer waits 40 ms for a delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise PortInUseError(
            f"cannot listen at {host}:{port} ({error.strerror}): choose another port, or port 0 for any free one, "
            "or end the program that uses it"
        ) from error
    return listener


def _application(exchange: Exchange) -> ASGIApp:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        reply = exchange.answer(
            Request(
                method=scope["method"],
                path=scope["path"],
                query=scope["query_string"].decode("latin-1"),
                accept=headers.get(b"accept", ""),
                api_key=headers.get(b"x-mbx-apikey"),
            )
        )
        encoded = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        encoded.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
        await send({"type": "http.response.body", "body": reply.body})

    # The fastest level: on loopback nobody waits for the bytes, but a client should meet compressed answers.
    return GZipMiddleware(application, minimum_size=1024, compresslevel=1)


class _Server(uvicorn.Server):
    """uvicorn, stopped by an event instead of a flag looked at ten times a second."""

    def __init__(self, application: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                date_header=False,
            )
        )
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run_until_stopped(self, listener: socket.socket) -> None:
        try:
            asyncio.run(self.serve(sockets=[listener]))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the start
            self.failure = error
        finally:
            listener.close()
            self.ready.set()

    def ask_to_stop(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        # Idle connections close within a turn of the loop; those with a request under way when it is answered.
        for _ in range(int(_STOP_SECONDS * 500)):
            if not self.server_state.connections and not self.server_state.tasks:
                return
            await asyncio.sleep(0.001)
