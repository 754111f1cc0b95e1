"""What Binance allows on a stream connection."""

from __future__ import annotations

from dataclasses import dataclass


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
    max_streams: int = 1024
    connections: int = 300
    connection_window: float = 300.0
