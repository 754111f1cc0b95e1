"""The options of streams, checked and brought together."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from binance_sdk._runtime.options import BadRows
from binance_sdk._runtime.stream.notices import OnNotice
from binance_sdk._runtime.stream.options import Overflow, StreamOptions
from binance_sdk.errors import ParameterError, shown

DAY = 86_400.0
_ROLLOVER = 23 * 3600.0
_BUFFER = 10_000
_BUFFER_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Choices:
    """What holds for a consumer as a whole."""

    overflow: Overflow
    buffer: int
    buffer_bytes: int
    rollover_after: float
    on_notice: tuple[OnNotice, ...] = ()
    """Of all of them: a notice may be about any."""


def check(options: Mapping[str, object]) -> StreamOptions:
    """The options as they were given.

    Raises:
        ParameterError: one is unknown, or its value is.
    """
    for name, value in options.items():
        if name not in StreamOptions.__annotations__:
            known = ", ".join(StreamOptions.__annotations__)
            raise ParameterError(f"{name} is no option of a stream; there are {known}", parameter=name, value=value)
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


def _overflow(value: object) -> str:
    return (
        ""
        if isinstance(value, str) and value in get_args(Overflow)
        else " or ".join(repr(policy) for policy in get_args(Overflow))
    )


def _buffer(value: object) -> str:
    good = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return "" if good else "an int, 1 or more"


def _quiet_time(value: object) -> str:
    return "" if value is None or _is_seconds(value) else "a positive number of seconds, or None"


def _rollover_after(value: object) -> str:
    good = _is_seconds(value) and cast(float, value) < DAY
    return "" if good else "a positive number of seconds below 86400, when Binance ends every connection"


def _bad_rows(value: object) -> str:
    return (
        ""
        if isinstance(value, str) and value in get_args(BadRows)
        else " or ".join(repr(choice) for choice in get_args(BadRows))
    )


def _on_notice(value: object) -> str:
    good = callable(value) and not inspect.iscoroutinefunction(value)
    return "" if good else "a function that takes one notice, and no async one: it is called, not awaited"


_CHECKS: Mapping[str, Any] = {
    "fill_gaps": _bool,
    "overflow": _overflow,
    "buffer": _buffer,
    "buffer_bytes": _buffer,
    "quiet_time": _quiet_time,
    "rollover_after": _rollover_after,
    "bad_rows": _bad_rows,
    "on_notice": _on_notice,
}


def together(options: Iterable[StreamOptions]) -> Choices:
    """One choice for a consumer of several streams: the first one that was made."""
    made: dict[str, Any] = {}
    listeners: dict[OnNotice, None] = {}
    for each in options:
        if "on_notice" in each:
            listeners[each["on_notice"]] = None
        for name, value in each.items():
            made.setdefault(name, value)
    return Choices(
        overflow=made.get("overflow", "block"),
        buffer=made.get("buffer", _BUFFER),
        buffer_bytes=made.get("buffer_bytes", _BUFFER_BYTES),
        rollover_after=made.get("rollover_after", _ROLLOVER),
        on_notice=tuple(listeners),
    )
