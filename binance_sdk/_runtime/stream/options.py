"""Options of a stream: keyword arguments of every method that makes one, checked, and resolved for one consumer."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, cast, get_args

from binance_sdk._runtime.options import BadRows
from binance_sdk._runtime.stream.notices import OnNotice
from binance_sdk.errors import ParameterError, shown

Overflow = Literal["block", "drop_oldest", "latest"]

DAY = 86_400.0
CONNECTION_SECONDS = 30.0
"""A connection may be wholly silent for at most so long if nothing else is said."""
_ROLLOVER = 23 * 3600.0
_BUFFER = 10_000
_BUFFER_BYTES = 64 * 1024 * 1024


class StreamOptions(TypedDict, total=False):
    """What every stream method takes besides its own arguments.

    Attributes:
        fill_gaps: Fetch missed events over REST, inside the weight budget, where the stream has ids.
        overflow: What happens when the consumer is slower than the stream. ``block``: read no more from the connection
            while the buffer is full. ``drop_oldest``: drop the oldest messages when it is full. ``latest``: keep only
            the newest event of each stream, and of each symbol where one stream carries all symbols; nothing is
            filled, and what is dropped is counted without a ``Gap``.
        buffer: Messages held for the consumer, by default 10 000. With ``latest`` there are never more than streams
            and symbols.
        buffer_bytes: Bytes of frames held for the consumer, by default 64 MiB: whichever of the two comes first.
        quiet_time: Seconds of silence after which the connection is checked and replaced; None never does. Left out:
            what the spec says of the stream.
        bad_rows: What becomes of a message with a row that is not what the spec says. ``raise`` (the usual): the whole
            message is malformed, is told as that and left out. ``skip``: its other rows are given out, and each bad
            one is told to the hooks (``RowSkipped``) and counted (``stats.skipped_rows``).
        all_markets: Give out the events of other markets too, which the streams of futures carry (see `symbol_type`),
            instead of leaving them out and counting them. They have the names of this market's events, but the
            units of their own: the amounts of a COIN-M contract are contracts, and those called ``quote_volume``
            and ``taker_buy_quote_volume`` are of the base asset.
        rollover_after: Seconds after which a connection is replaced by a new one, before Binance ends it at 24 h.
        connection_quiet_time: Seconds for which a connection may be wholly silent, answers to pings included, whatever
            its streams are allowed; by default 30. It is pinged after half of that, and is dead at its end.
        reconnect: Open another connection when one is lost, as long as that takes, which is the usual; False: end the
            stream with a ``StreamError``. Those that work are replaced before they end in either case.
        on_notice: A function that is called with each ``Gap``, ``Reconnected`` and ``SilentStream``, between the events
            before it and those behind it, in the task or thread that iterates. What it raises is logged.
    """

    fill_gaps: bool
    overflow: Overflow
    buffer: int
    buffer_bytes: int
    quiet_time: float | None
    bad_rows: BadRows
    all_markets: bool
    rollover_after: float
    connection_quiet_time: float
    reconnect: bool
    on_notice: OnNotice


@dataclass(frozen=True, slots=True)
class ResolvedOptions:
    """The options of a consumer as a whole: given or by default."""

    overflow: Overflow
    buffer: int
    buffer_bytes: int
    rollover_after: float
    connection_quiet_time: float = CONNECTION_SECONDS
    reconnect: bool = True
    on_notice: tuple[OnNotice, ...] = ()
    """Of all of them: a notice may be about any."""


def check_options(options: Mapping[str, object]) -> StreamOptions:
    """The options, unchanged.

    Raises:
        ParameterError: an option is unknown, or its value is not allowed.
    """
    for name, value in options.items():
        if name not in StreamOptions.__annotations__:
            known = ", ".join(StreamOptions.__annotations__)
            raise ParameterError(
                f"{name}: unknown option; the options of a stream are {known}", parameter=name, value=value
            )
        remedy = _CHECKS[name](value)
        if remedy:
            raise ParameterError(f"{name}={shown(value)} must be {remedy}", parameter=name, value=value)
    return cast(StreamOptions, dict(options))


def _is_seconds(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return 0 < float(value) < math.inf
    except OverflowError:
        # An int of 400 digits is no number of seconds.
        return False


def _bool(value: object) -> str:
    return "" if isinstance(value, bool) else "True or False"


def _one_of(allowed: tuple[str, ...]) -> Callable[[object], str]:
    def check(value: object) -> str:
        return "" if isinstance(value, str) and value in allowed else " or ".join(repr(choice) for choice in allowed)

    return check


def _buffer(value: object) -> str:
    good = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return "" if good else "an int, 1 or more"


def _seconds(value: object) -> str:
    return "" if _is_seconds(value) else "a positive number of seconds"


def _quiet_time(value: object) -> str:
    return "" if value is None or _is_seconds(value) else "a positive number of seconds, or None"


def _rollover_after(value: object) -> str:
    good = _is_seconds(value) and cast(float, value) < DAY
    return "" if good else "a positive number of seconds below 86400, when Binance ends every connection"


def _on_notice(value: object) -> str:
    good = callable(value) and not inspect.iscoroutinefunction(value)
    return "" if good else "a function that takes one notice, not an async one: it is called and not awaited"


_CHECKS: Mapping[str, Callable[[object], str]] = {
    "fill_gaps": _bool,
    "overflow": _one_of(get_args(Overflow)),
    "buffer": _buffer,
    "buffer_bytes": _buffer,
    "quiet_time": _quiet_time,
    "rollover_after": _rollover_after,
    "connection_quiet_time": _seconds,
    "reconnect": _bool,
    "bad_rows": _one_of(get_args(BadRows)),
    "all_markets": _bool,
    "on_notice": _on_notice,
}


def resolve_options(options: Iterable[StreamOptions]) -> ResolvedOptions:
    """The options of a consumer of several streams: of each option the value that was given first, else its default."""
    made: dict[str, Any] = {}
    listeners: dict[OnNotice, None] = {}
    for each in options:
        if "on_notice" in each:
            listeners[each["on_notice"]] = None
        for name, value in each.items():
            made.setdefault(name, value)
    return ResolvedOptions(
        overflow=made.get("overflow", "block"),
        buffer=made.get("buffer", _BUFFER),
        buffer_bytes=made.get("buffer_bytes", _BUFFER_BYTES),
        rollover_after=made.get("rollover_after", _ROLLOVER),
        connection_quiet_time=made.get("connection_quiet_time", CONNECTION_SECONDS),
        reconnect=made.get("reconnect", True),
        on_notice=tuple(listeners),
    )
