"""Faults of streams: which kinds there are, and which event or new connection meets one."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.faults.rules import Rule, Rules, matches

StreamFaultKind = Literal[
    "drop",
    "duplicate",
    "reorder",
    "garbage",
    "noise",
    "delay",
    "forget",
    "abort",
    "freeze",
    "close",
    "shutdown",
    "refuse",
    "extra_field",
    "future_id",
    "bad_event",
    "coin_m",
    "pings",
]

_GOING_AWAY = 1001


@dataclass(frozen=True, slots=True)
class StreamFault:
    """One thing that can go wrong with a stream. Made by the class methods, each of which is a kind.

    Attributes:
        kind: What happens.
        seconds: How long, of the simulator's clock: a delay, or the time between the warning and the end.
        code: Close code, or HTTP status of a refused connection.
        reason: Words of a close frame.
        count: How many pings.
        retry_after: Seconds of ``Retry-After`` of a refused connection.
        location: Where a refused connection is sent instead.
    """

    kind: StreamFaultKind
    seconds: float = 0.0
    code: int = _GOING_AWAY
    reason: str = ""
    count: int = 0
    retry_after: float | None = None
    location: str = ""

    @classmethod
    def drop(cls) -> StreamFault:
        """The event is never sent."""
        return cls("drop")

    @classmethod
    def duplicate(cls) -> StreamFault:
        """The event is sent twice."""
        return cls("duplicate")

    @classmethod
    def reorder(cls) -> StreamFault:
        """The event is sent after the next one of its stream."""
        return cls("reorder")

    @classmethod
    def garbage(cls) -> StreamFault:
        """Half of the event is sent, which is not valid JSON."""
        return cls("garbage")

    @classmethod
    def noise(cls) -> StreamFault:
        """A message that is not an event is sent before the event."""
        return cls("noise")

    @classmethod
    def delay(cls, seconds: float) -> StreamFault:
        """The event is sent so much later; others overtake it."""
        if seconds < 0:
            raise ValueError(f"delay({seconds}): a delay must not be negative")
        return cls("delay", seconds)

    @classmethod
    def forget(cls) -> StreamFault:
        """The server forgets the subscription, on this connection and without a word."""
        return cls("forget")

    @classmethod
    def abort(cls) -> StreamFault:
        """The connection is reset in place of the event."""
        return cls("abort")

    @classmethod
    def freeze(cls) -> StreamFault:
        """From this event on the connection is open and silent: no events, no answers, no pongs."""
        return cls("freeze")

    @classmethod
    def close(cls, code: int = _GOING_AWAY, reason: str = "") -> StreamFault:
        """The connection is closed with a close frame in place of the event."""
        return cls("close", code=code, reason=reason)

    @classmethod
    def shutdown(cls, seconds: float = 10.0) -> StreamFault:
        """``serverShutdown`` is sent before the event, and the connection closed so much later."""
        return cls("shutdown", seconds)

    @classmethod
    def refuse(cls, status: int = 503, *, retry_after: float | None = None, location: str = "") -> StreamFault:
        """A new connection is answered with this HTTP status, e.g. 429, 418, 403 or 451, or sent to ``location``."""
        if not (300 <= status <= 599 and status in {known.value for known in HTTPStatus}):
            raise ValueError(f"refuse({status}): the status of a refusal is a known one from 300 to 599")
        return cls("refuse", code=status, retry_after=retry_after, location=location)

    @classmethod
    def extra_field(cls) -> StreamFault:
        """The message has an undocumented field: in the wrapper of combined streams, else in the event."""
        return cls("extra_field")

    @classmethod
    def future_id(cls) -> StreamFault:
        """The event has ids from a far future."""
        return cls("future_id")

    @classmethod
    def bad_event(cls) -> StreamFault:
        """A row of a list, or the event itself, has ``""`` where a number should be."""
        return cls("bad_event")

    @classmethod
    def coin_m(cls) -> StreamFault:
        """All-market streams carry a COIN-M contract too, as they do since 2026-06."""
        return cls("coin_m")

    @classmethod
    def pings(cls, count: int = 100) -> StreamFault:
        """So many pings come before the event, at once."""
        if count < 1:
            raise ValueError(f"pings({count}): at least one")
        return cls("pings", count=count)


StreamFaultRule = Rule[StreamFault]
"""Faults for some events, as ``StreamFaults.add`` made it; ``where`` holds streams, operations or markets."""


class StreamFaults(Rules[StreamFault]):
    """The faults of a simulator's streams. Rules can be added and removed at any time, from any thread."""

    def __init__(self, seed: int) -> None:
        super().__init__(f"{seed}/streams", "StreamFault.drop()")
        self._muted: tuple[str, ...] = ()

    def _insert(
        self,
        faults: tuple[StreamFault, ...],
        where: tuple[str, ...],
        probability: float,
        count: int | None,
        seed: int | None,
    ) -> StreamFaultRule:
        if len({fault.kind == "refuse" for fault in faults}) > 1:
            raise SimulatorError("refuse() is about new connections, the others are about events: add two rules")
        return super()._insert(faults, where, probability, count, seed)

    def mute(self, *where: str) -> None:
        """Acknowledge subscriptions to these streams and never send anything, on any connection, until ``unmute``."""
        with self._lock:
            self._muted = (*self._muted, *where)

    def unmute(self) -> None:
        """Let all streams speak again."""
        with self._lock:
            self._muted = ()

    def clear(self) -> None:
        """Nothing goes wrong any more; what was injected stays counted."""
        super().clear()
        self.unmute()

    @property
    def armed(self) -> bool:
        """Whether anything can go wrong."""
        return bool(self._rules or self._muted)

    def draw(self, names: tuple[str, ...], *, connecting: bool = False) -> StreamFault | None:
        """What happens to an event (or a new connection) that has these names."""
        with self._lock:
            if not connecting and matches(names, self._muted):
                return StreamFault("drop")
            for rule in list(self._rules):
                if (rule.faults[0].kind == "refuse") is not connecting or not matches(names, rule.where):
                    continue
                fault = self._draw_from(rule)
                if fault is not None:
                    return fault
        return None
