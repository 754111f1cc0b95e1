"""What a ``MarketDataSource`` tells its hooks: one frozen value for each thing that happens, made for ``match``.

A hook is any callable that takes one event. It runs where the thing happens, so it must be quick and must not block;
what it raises is logged and otherwise ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Cause", "SourceEvent", "SourceFailed", "SourceHook", "SourceRests", "SourceSwitched"]

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


SourceEvent: TypeAlias = SourceFailed | SourceSwitched | SourceRests
SourceHook: TypeAlias = Callable[[SourceEvent], object]
