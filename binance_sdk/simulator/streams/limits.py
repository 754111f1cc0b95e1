"""What Binance allows on a stream connection."""

from __future__ import annotations

from dataclasses import dataclass

from binance_sdk.simulator.market.symbols import Market
from binance_sdk.simulator.streams.requests import MAX_STREAMS


@dataclass
class StreamLimits:
    """The rules of one market's streams; may be changed at any time, for connections opened afterwards.

    Times are seconds of the real clock, as networks know no other; only the age goes by the simulator's clock.

    Attributes:
        messages_per_second: Messages a client may send, pings and pongs included.
        ping_interval: Time between pings of the server.
        pong_deadline: Time a client has to answer one.
        max_age: Age at which a connection is closed.
        max_streams: Streams of one connection.
        connections: Attempts to connect from one address in ``connection_window``.
        connection_window: See there.
    """

    messages_per_second: int
    ping_interval: float
    pong_deadline: float
    max_age: float = 86_400.0
    max_streams: int = MAX_STREAMS
    connections: int = 300
    connection_window: float = 300.0


def usual_limits(market: Market) -> StreamLimits:
    """Binance's own rules."""
    return StreamLimits(5, 20.0, 60.0) if market == "spot" else StreamLimits(10, 180.0, 600.0)
