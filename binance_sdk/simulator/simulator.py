"""The sockets: one uvicorn server with an event loop of its own in a background thread."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, Self, TypedDict, Unpack

import uvicorn

from binance_sdk.catalogue import CATALOGUE, Catalogue, fixture
from binance_sdk.simulator.clients import Clients
from binance_sdk.simulator.clock import SimulatorClock
from binance_sdk.simulator.control.http import Remote, Simulated
from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.faults.parsing import parse_fault
from binance_sdk.simulator.faults.requests import FaultRule
from binance_sdk.simulator.faults.streams import StreamFault, StreamFaultRule
from binance_sdk.simulator.market.symbols import Instrument, Market, choose_instruments
from binance_sdk.simulator.ports import bind_ports
from binance_sdk.simulator.rest.app import Connection, ExchangeApp
from binance_sdk.simulator.rest.exchange import Exchange, Settings
from binance_sdk.simulator.streams.names import names_from_spec
from binance_sdk.simulator.streams.streams import Streams
from binance_sdk.simulator_url import simulator_urls

_LOG = logging.getLogger("binance_sdk.simulator")
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
    grace_seconds: float
    lively: bool
    control: bool


@dataclass(frozen=True, slots=True)
class FromSpec:
    """What the simulator's tables, which are written by hand, do not have.

    Attributes:
        weights: Ids of endpoints that are charged what the spec says.
        stream_names: Ids of streams whose names are those of the spec.
    """

    weights: tuple[str, ...]
    stream_names: tuple[str, ...]


class Simulator(Simulated, Clients):
    """Binance's public REST API and market streams on loopback addresses, over a market that exists only here.

    Use it as a context manager, plain or async; it may be started and stopped from any thread::

        with Simulator() as sim, sim.sync_client() as client:
            client.spot.klines("BTCUSDT", "1h")

    ``client`` and ``sync_client`` make clients whose REST and streams are here; another program finds both by
    ``BINANCE_SDK_SIMULATOR``, set to ``url``. What can go wrong is in ``faults``, and for streams in
    ``streams.faults``. The same seed and clock give the same market to the last digit.
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
        grace_seconds: float = 0.25,
        lively: bool = True,
        control: bool = False,
    ) -> None:
        """Prepare a simulator; nothing listens before ``start``.

        Args:
            seed: Chooses the market.
            clock: Time of the exchange; the system's by default.
            host: Address to listen at.
            port: Port of REST; the streams of spot and of futures are at the two after it. 0 finds free ones.
            catalogue: Endpoints to serve; those of the SDK by default.
            symbols: Symbols to list: names out of the default ones, or instruments of your own. All by default.
            history_days: Whole UTC days of history before the day of the start.
            spot_weight_limit: Request weight per window on spot; Binance's 6000 by default.
            futures_weight_limit: Request weight per window on futures; Binance's 2400 by default.
            weight_window_seconds: Length of the weight window.
            ban_after: Requests answered with 429 in a row before the address is banned with 418.
            api_key_required: Refuse endpoints that want an API key when there is none.
            grace_seconds: How long after a 429 or a ban the record of ``windows`` takes requests for ones that had
                left before the client could know.
            lively: Trades of every symbol but the quiet ones each second from the start on; otherwise, as before the
                start, about four orders a minute.
            control: Let other processes of this machine read and change the simulator; see ``SimulatorControl``.
        """
        time = clock or SimulatorClock()
        exchange = Exchange(
            catalogue or CATALOGUE,
            choose_instruments(symbols),
            time,
            Settings(
                seed=seed,
                history_days=history_days,
                weight_limits={"spot": spot_weight_limit, "futures": futures_weight_limit},
                weight_window_seconds=weight_window_seconds,
                ban_after=ban_after,
                api_key_required=api_key_required,
                grace_seconds=grace_seconds,
                lively=lively,
            ),
            fixture,
        )
        super().__init__(exchange, time)
        self._host = host
        self._port = port
        self._remote = Remote(self) if control else None
        self.streams = Streams(exchange.markets, catalogue or CATALOGUE, time, seed)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._address: tuple[str, int] | None = None

    def add_fault(self, text: str) -> FaultRule | StreamFaultRule:
        """Inject a fault that is written in a line, as ``binance-sdk simulate --fault`` takes it, from now on.

        Args:
            text: ``NAME:KEY=VALUE,...``, e.g. ``latency:seconds=0.2`` or ``close:code=1001,where=spot.*,count=3``. All
                names stand in the reference of the simulator and in ``binance-sdk simulate --list-faults``.

        Raises:
            SimulatorError: There is no such fault, or it takes something else; the message says what.
        """
        order = parse_fault(text)
        rule: dict[str, Any] = {"probability": order.probability, "count": order.count, "seed": order.seed}
        if isinstance(order.fault, StreamFault):
            return self.streams.faults.add(order.fault, where=order.where, **rule)
        return self.faults.add(order.fault, where=order.where, **rule)

    # ------------------------------------------------------------------------------- listing cycle

    def start(self) -> Self:
        """Listen. Returns once requests are answered.

        Raises:
            PortInUseError: The port, or one of the two after it, cannot be bound.
            SimulatorError: It runs already.
        """
        if self._server is not None:
            raise SimulatorError("this simulator runs already; make another one, or stop it first")
        listener, streams = bind_ports(self._host, self._port)
        self._address = listener.getsockname()[:2]
        server = _Server(ExchangeApp(self._exchange, self._remote), self.streams, streams)
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
    def from_spec(self) -> FromSpec:
        """What this simulator knows from nothing but the spec: there it cannot contradict the client."""
        return FromSpec(weights=self._exchange.weights_from_spec, stream_names=names_from_spec())

    @property
    def url(self) -> str:
        """The address of the simulator: what ``BINANCE_SDK_SIMULATOR`` takes."""
        if self._address is None:
            raise SimulatorError("the simulator has no address before it is started")
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def spot_url(self) -> str:
        """Base URL for the spot API."""
        return self.url

    @property
    def futures_url(self) -> str:
        """Base URL for the futures API; the paths of the two do not collide, so one port serves both."""
        return self.url

    @property
    def spot_stream_url(self) -> str:
        """Base URL for spot streams: the port after that of REST."""
        return simulator_urls(self.url).streams["spot"]

    @property
    def futures_stream_url(self) -> str:
        """Base URL for futures streams, one port further; the routes ``/public`` and ``/market`` follow it."""
        return simulator_urls(self.url).streams["futures"]


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
        port: Port of REST, before those of the streams; 0 finds free ones.
        on_start: Called with the simulator once it listens, e.g. to show its address.
        options: The other arguments of ``Simulator``.

    Raises:
        PortInUseError: The port, or one of the two after it, cannot be bound.
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


class _Server(uvicorn.Server):
    """uvicorn, stopped by an event instead of a flag looked at ten times a second."""

    def __init__(self, delivery: ExchangeApp, streams: Streams, listeners: Mapping[Market, socket.socket]) -> None:
        super().__init__(
            uvicorn.Config(
                delivery,
                http=Connection,
                interface="asgi3",
                proxy_headers=False,
                # Longer than a client keeps an idle connection: it must not be closed just when it is used again.
                timeout_keep_alive=75,
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
        self._delivery = delivery
        self._streams = streams
        self._stream_listeners = listeners
        self._stop = asyncio.Event()
        self._short_of_files = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def run_until_stopped(self, listener: socket.socket) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.get_loop().set_exception_handler(self._tell)
                runner.run(self.serve(sockets=[listener]))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the start
            self.failure = error
        finally:
            for one in (listener, *self._stream_listeners.values()):
                one.close()
            self.ready.set()

    def _tell(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Connections that cannot be taken wait until one ends; asyncio says so for each, with a traceback."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif not self._short_of_files:
            self._short_of_files = True
            _LOG.warning("the simulator has no open files left for more connections: raise the limit (ulimit -n)")

    def ask_to_stop(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._streams.open(self._stream_listeners)
        self.ready.set()
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._streams.close()
        for server in self.servers:
            server.close()
        self._delivery.stop()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        # Idle connections close within a turn of the loop; those with a request under way when it is answered.
        for _ in range(int(_STOP_SECONDS * 500)):
            if not self.server_state.connections and not self.server_state.tasks:
                return
            await asyncio.sleep(0.001)
