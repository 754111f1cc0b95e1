"""What a stream engine is made of; everything that tests may want to replace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from binance_sdk._runtime.calls.gatekeeper import Gatekeeper
from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.operation import Market
from binance_sdk._runtime.stream.connection.pacing import PROCESS_BUDGET, Backoff, ConnectionBudget
from binance_sdk._runtime.stream.connection.websocket import Connector
from binance_sdk.events import Event

MESSAGES_A_SECOND: Mapping[Market, int] = {"spot": 5, "futures": 10}
STREAMS_A_CONNECTION = 1024
DIAL_WINDOW = 10.0
"""Seconds in which `Parts.dials` are counted."""


class Rest(Protocol):
    """Where missing events are fetched."""

    def most(self, operation: str, size: str) -> int:
        """Rows one answer can hold."""
        ...

    async def rows(self, operation: str, arguments: Mapping[str, object]) -> list[Any]:
        """One page; arguments by wire name.

        Raises:
            BinanceError: it could not be had.
        """
        ...


@dataclass(frozen=True)
class Parts:
    """Everything around the streams of one client."""

    urls: Mapping[Market, tuple[str, ...]]
    connector: Connector
    clock: Clock
    rest: Rest
    tell: Callable[[Event], None]
    environment: str = ""
    budget: ConnectionBudget = PROCESS_BUDGET
    backoff: Callable[[], Backoff] = Backoff
    first_attempts: int = 4
    """Attempts to open a stream before its consumer gets an error; later on there is no last one."""
    dials: int = 10
    """Connections that one owner dials in ten seconds at most: what delivers a little and ends, again and again, must
    not use up the number that a host accepts."""
    gates: Mapping[Market, Gatekeeper] = field(default_factory=dict[Market, Gatekeeper])
    """One gate for requests and handshakes: what refuses the one refuses the other."""
