"""Everything around the streams of one client, each part replaceable by tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from binance_sdk._runtime.answers.shape_drift import ShapeWatch
from binance_sdk._runtime.calls.gatekeeper import Gatekeeper
from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.market import Market, StreamFacts
from binance_sdk._runtime.stream.connection.pacing import PROCESS_CONNECTIONS, Backoff, ConnectionLimiter
from binance_sdk._runtime.stream.connection.websocket import Connector
from binance_sdk._runtime.stream.reading.fill import RestSource
from binance_sdk.events import Event


@dataclass(frozen=True)
class StreamContext:
    """What the streams of one client share.

    Attributes:
        urls: Base URLs of the streams of each market, best first.
        limits: What the stream hosts of each market accept.
        connector: Opens WebSockets.
        clock: Time, and waiting.
        rest: Where missing events are fetched.
        notify: Called with everything that goes to the hooks and the log of the client.
        environment: Its name, for messages.
        limiter: How often the process may connect to a host.
        backoff: Makes the pauses between attempts to connect.
        open_attempts: Attempts to open a stream before its consumer gets an error. An open stream never gives up.
        max_dials: Times that one supervisor may connect in ten seconds: a server that hangs up after a little, again
            and again, must not use up the connections that its host accepts.
        gates: The gate of each market, shared by requests and handshakes: what refuses one refuses the other.
        shapes: Told where messages are not what the spec says.
    """

    urls: Mapping[Market, tuple[str, ...]]
    limits: Mapping[Market, StreamFacts]
    connector: Connector
    clock: Clock
    rest: RestSource
    notify: Callable[[Event], None]
    environment: str = ""
    limiter: ConnectionLimiter = PROCESS_CONNECTIONS
    backoff: Callable[[], Backoff] = Backoff
    open_attempts: int = 4
    max_dials: int = 10
    gates: Mapping[Market, Gatekeeper] = field(default_factory=dict[Market, Gatekeeper])
    shapes: ShapeWatch = field(default_factory=ShapeWatch)
