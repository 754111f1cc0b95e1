"""What the stream servers of each market expect and allow, written by hand from Binance's pages.

The client knows the same from the spec, and must not be judged by it: only of a market that has no line here the routes
and limits are what the spec says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from binance_sdk.catalogue import MARKETS
from binance_sdk.simulator.streams.limits import StreamLimits


@dataclass(frozen=True, slots=True)
class StreamProtocol:
    """How the stream server of one market behaves.

    Attributes:
        limits: What one connection may do. Make a copy before it is changed.
        routes: First part of the path, where there are several kinds of connection.
        default_route: Whose streams come over a connection without a route.
        time_units: Times come in microseconds where the address asks for them.
        nested_errors: The answer to a wrong request has code and message inside of ``error``.
        common_with: Markets whose rows come in the streams of all symbols too.
        ends_at_too_many: Too many subscriptions end the connection.
    """

    limits: StreamLimits
    routes: tuple[str, ...] = ()
    default_route: str = ""
    time_units: bool = False
    nested_errors: bool = False
    common_with: tuple[str, ...] = ()
    ends_at_too_many: bool = False


_PROTOCOLS: Mapping[str, StreamProtocol] = {
    "spot": StreamProtocol(StreamLimits(5, ping_interval=20.0, pong_deadline=60.0), time_units=True),
    "futures": StreamProtocol(
        StreamLimits(10, ping_interval=180.0, pong_deadline=600.0),
        routes=("public", "market"),
        default_route="public",
        # Flat on spot, as it is documented; nested here, as it was observed.
        nested_errors=True,
        # Since 2026-06-30.
        common_with=("coin_futures",),
        ends_at_too_many=True,
    ),
    # Without routes: nothing official says that there are any.
    "coin_futures": StreamProtocol(
        StreamLimits(10, ping_interval=180.0, pong_deadline=600.0),
        nested_errors=True,
        common_with=("futures",),
        ends_at_too_many=True,
    ),
}


def protocol_of(market: str) -> StreamProtocol:
    """How the stream server of a market behaves."""
    return _PROTOCOLS.get(market) or _by_spec(market)


def _by_spec(market: str) -> StreamProtocol:
    facts = MARKETS[market].streams
    limits = StreamLimits(
        facts.messages_a_second,
        ping_interval=180.0,
        pong_deadline=600.0,
        max_streams=facts.streams_a_connection,
        connections=facts.connections,
        connection_window=facts.connections_seconds,
    )
    return StreamProtocol(limits, facts.routes, facts.routes[0] if facts.routes else "")
