"""What a ``MarketDataSource`` tells its hooks: one frozen value for each thing that happens, made for ``match``.

A hook is any callable that takes one event. It runs where the thing happens, so it must be quick and must not block;
what it raises is logged and otherwise ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from binance_sdk.errors import ConfigError, shown
from virtuoso_binance.sources.comparison import Comparison

__all__ = [
    "Cause",
    "ClockCorrected",
    "SourceEvent",
    "SourceFailed",
    "SourceHook",
    "SourceQuarantined",
    "SourceReleased",
    "SourceRests",
    "SourceSwitched",
    "SourcesDisagree",
]

Cause: TypeAlias = Literal["error", "timeout", "unknown_symbol", "quality"]


@dataclass(frozen=True, slots=True)
class SourceFailed:
    """A source was asked, and what it gave is not good enough.

    Args:
        source: Its name.
        symbol: E.g. ``BTCUSDT``.
        cause: What kind of failure.
        reason: In words.
    """

    source: str
    symbol: str
    cause: Cause
    reason: str


@dataclass(frozen=True, slots=True)
class SourceSwitched:
    """Another source serves a symbol from now on.

    Args:
        symbol: E.g. ``BTCUSDT``.
        before: The source until now.
        after: The source from now on.
        reason: Why, in words.
        failback: It goes before the other one in the configuration.
    """

    symbol: str
    before: str
    after: str
    reason: str
    failback: bool


@dataclass(frozen=True, slots=True)
class SourceRests:
    """A source failed so often that it is asked for no symbol for a while.

    Args:
        source: Its name.
        seconds: For how long.
        reason: Its last failure.
    """

    source: str
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class SourcesDisagree:
    """Sources said different things about a symbol.

    Args:
        symbol: E.g. ``BTCUSDT``.
        comparison: What was compared; its ``verdict`` says whether a majority knows better.
    """

    symbol: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class SourceQuarantined:
    """A majority contradicts a source about a symbol, so it does not serve that symbol.

    Args:
        source: Its name.
        symbol: E.g. ``BTCUSDT``.
        reason: In which kinds of data.
    """

    source: str
    symbol: str
    reason: str


@dataclass(frozen=True, slots=True)
class SourceReleased:
    """A source has agreed for long enough to serve a symbol again.

    Args:
        source: Its name.
        symbol: E.g. ``BTCUSDT``.
    """

    source: str
    symbol: str


@dataclass(frozen=True, slots=True)
class ClockCorrected:
    """All sources name one time, and it is not that of this machine: from now on theirs is used.

    Args:
        seconds: By how much this machine is behind; less than zero where it is ahead, 0 where it is right again.
    """

    seconds: float


SourceEvent: TypeAlias = (
    SourceFailed | SourceSwitched | SourceRests | SourcesDisagree | SourceQuarantined | SourceReleased | ClockCorrected
)
SourceHook: TypeAlias = Callable[[SourceEvent], object]


def checked_hooks(hooks: object) -> tuple[SourceHook, ...]:
    """Hooks as they were given.

    Raises:
        ConfigError: they are no list of functions.
    """
    listed = hooks
    given = cast("Sequence[object]", listed) if isinstance(listed, Sequence) else [None]
    if not all(callable(hook) for hook in given):
        raise ConfigError(f"hooks={shown(hooks)} must be a list of functions that take one event, e.g. [print]")
    return tuple(cast("Sequence[SourceHook]", given))
