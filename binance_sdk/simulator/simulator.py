"""The simulator itself: what it is made of, and how it starts and stops."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Self, TypedDict, Unpack

from binance_sdk.catalogue import CATALOGUE, Catalogue, fixture
from binance_sdk.simulator.archive.archive import PATHS, SimulatedArchive, request_names
from binance_sdk.simulator.clients import Clients
from binance_sdk.simulator.clock import SimulatorClock
from binance_sdk.simulator.control.client import PREFIX
from binance_sdk.simulator.control.commands import SimulatorCommands
from binance_sdk.simulator.control.http import ControlApp
from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.faults.files import FileFaultRule
from binance_sdk.simulator.faults.requests import FaultRule, Faults
from binance_sdk.simulator.faults.streams import StreamFaultRule
from binance_sdk.simulator.market.symbols import Instrument, Market, choose_instruments
from binance_sdk.simulator.rest.app import AtPort, ExchangeApp, MarketAtPort
from binance_sdk.simulator.rest.exchange import Exchange, Settings
from binance_sdk.simulator.server import STOP_SECONDS, SimulatorServer
from binance_sdk.simulator.sockets import bind_ports, url_of
from binance_sdk.simulator.streams.names import names_from_spec
from binance_sdk.simulator.streams.streams import Streams


class SimulatorOptions(TypedDict, total=False):
    """What ``Simulator`` and ``serve`` take besides the address; see ``Simulator``."""

    seed: int
    clock: SimulatorClock | None
    catalogue: Catalogue | None
    symbols: Iterable[str | Instrument] | None
    history_days: int
    weight_limits: Mapping[Market, int] | None
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
        pools: Markets whose limits are those of the spec.
        stream_names: Ids of streams whose names are those of the spec.
    """

    weights: tuple[str, ...]
    pools: tuple[str, ...]
    stream_names: tuple[str, ...]


class Simulator(SimulatorCommands, Clients):
    """Binance's public REST API, market streams and archive on loopback addresses, over a market that exists only here.

    Use it as a context manager, plain or async; it may be started and stopped from any thread:

        with Simulator() as sim, sim.sync_client() as client:
            client.spot.klines("BTCUSDT", "1h")

    ``client`` and ``sync_client`` make clients whose REST and streams are here; another program finds both by
    ``BINANCE_SDK_SIMULATOR``, set to ``url``. What can go wrong is in ``faults``, for streams in ``streams.faults``,
    and for files of the archive in ``archive.faults``. The same seed and clock give the same market to the last digit.
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
        weight_limits: Mapping[Market, int] | None = None,
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
            port: Port of REST of the first market, spot. Its streams are at the next one, REST and streams of the next
                market at the two after that, and so on; the archive is at the last. 0 finds free ones.
            catalogue: Endpoints to serve; those of the SDK by default.
            symbols: Symbols to list: names out of the default ones, or instruments of your own. All by default.
            history_days: Whole UTC days of history before the day of the start.
            weight_limits: Request weight per window by market, e.g. ``{"spot": 600}``; Binance's by default. Markets
                whose weight Binance counts together have one limit, the lowest that is given.
            weight_window_seconds: Length of the weight window.
            ban_after: Requests answered with 429 in a row before the address is banned with 418.
            api_key_required: Refuse endpoints that want an API key when there is none.
            grace_seconds: How long after a 429 or a ban the record of ``windows`` takes requests for ones that had
                left before the client could know.
            lively: Trades of every symbol but the quiet ones each second from the start on; otherwise, as before the
                start, about four orders a minute.
            control: Let other processes of this machine read and change the simulator; see ``SimulatorControl``.
        """
        self._clock = clock or SimulatorClock()
        self._exchange = Exchange(
            catalogue or CATALOGUE,
            choose_instruments(symbols, self._clock.now_ms()),
            self._clock,
            Settings(
                seed=seed,
                history_days=history_days,
                weight_limits=weight_limits or {},
                weight_window_seconds=weight_window_seconds,
                ban_after=ban_after,
                api_key_required=api_key_required,
                grace_seconds=grace_seconds,
                lively=lively,
            ),
            fixture,
        )
        self._host = host
        self._port = port
        self.streams: Streams = Streams(self._exchange.markets, (catalogue or CATALOGUE).operations, self._clock, seed)
        self._stream_faults = self.streams.faults
        self._exchange.faults.know(request_names(), PATHS)
        self._archive: SimulatedArchive = SimulatedArchive(
            self._exchange.markets, self._clock, self._exchange.faults, seed
        )
        self._control = ControlApp(self) if control else None
        self._server: SimulatorServer | None = None
        self._thread: threading.Thread | None = None
        self._address: tuple[str, int] | None = None

    @property
    def clock(self) -> SimulatorClock:
        """Time of the exchange."""
        return self._clock

    @property
    def archive(self) -> SimulatedArchive:
        """The archive of files, with what is wrong with them: ``sim.archive.faults.add(FileFault.broken_zip())``."""
        return self._archive

    @property
    def faults(self) -> Faults:
        """What goes wrong with requests on demand: ``sim.faults.add(Fault.server_error(), probability=0.1)``."""
        return self._exchange.faults

    def add_fault(self, text: str) -> FaultRule | StreamFaultRule | FileFaultRule:
        """Inject a fault that is written in a line, as ``binance-sdk simulate --fault`` takes it, from now on.

        Args:
            text: ``NAME:KEY=VALUE,...``, e.g. ``latency:seconds=0.2`` or ``close:code=1001,where=spot.*,count=3``. All
                names stand in the reference of the simulator and in ``binance-sdk simulate --list-faults``.

        Raises:
            SimulatorError: There is no such fault, or it takes something else; the message says what.
        """
        return self._add_parsed_fault(text)

    # ------------------------------------------------------------------------------- life cycle

    def start(self) -> Self:
        """Listen. Returns once requests are answered.

        Raises:
            PortInUseError: The port, or one of those after it that are needed too, cannot be bound.
            SimulatorError: It runs already.
        """
        if self._server is not None:
            raise SimulatorError("this simulator runs already; make another one, or stop it first")
        listeners = bind_ports(self._host, self._port)
        ports: dict[int, AtPort] = {_port(listeners.archive): self._archive}
        for market, listener in listeners.rest.items():
            ports[_port(listener)] = MarketAtPort(self._exchange, market, _port(listener))
        self._address = next(iter(listeners.rest.values())).getsockname()[:2]
        app = ExchangeApp(ports, self._control, PREFIX)
        server = SimulatorServer(app, self.streams, listeners)
        thread = threading.Thread(target=server.run_until_stopped, name="binance-simulator", daemon=True)
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
            thread.join(STOP_SECONDS)

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
        exchange = self._exchange
        return FromSpec(exchange.weights_from_spec, exchange.pools_from_spec, names_from_spec())

    @property
    def url(self) -> str:
        """The address of the simulator: what ``BINANCE_SDK_SIMULATOR`` takes.

        Where it listens at every address of the machine, that of loopback; from elsewhere, write the machine's name.
        """
        if self._address is None:
            raise SimulatorError("the simulator has no address before it is started")
        return url_of(*self._address)


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


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
        port: The first one, see ``Simulator``; 0 finds free ones.
        on_start: Called with the simulator once it listens, e.g. to show its address.
        options: The other arguments of ``Simulator``.

    Raises:
        PortInUseError: The port, or one of those after it that are needed too, cannot be bound.
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
