"""How the streams of a market are, from what they know of themselves: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from binance_sdk.catalogue import Market

__all__ = ["PartCounts", "StreamsFacts", "StreamsHealth", "judge_streams", "merged_facts"]

StreamsState: TypeAlias = Literal["healthy", "degraded", "unknown"]


@dataclass(frozen=True, slots=True)
class PartCounts:
    """How one part fares over all symbols of a market.

    Attributes:
        streamed: Symbols of which it is streamed now.
        stalled: Symbols of which it was streamed and is not now.
        fallbacks: How often it fell back to REST so far.
        recoveries: How often it came back.
    """

    streamed: int = 0
    stalled: int = 0
    fallbacks: int = 0
    recoveries: int = 0

    def __add__(self, other: PartCounts) -> PartCounts:
        return PartCounts(
            self.streamed + other.streamed,
            self.stalled + other.stalled,
            self.fallbacks + other.fallbacks,
            self.recoveries + other.recoveries,
        )


@dataclass(frozen=True, slots=True)
class StreamsFacts:
    """What is known of the streams of one market.

    Attributes:
        market: Its name, e.g. ``futures``.
        wanted: Streams that somebody wants, without those of order books.
        ended: They are wanted, and not open until somebody asks again: ``keep_alive`` is false.
        failed_dials: Attempts in a row to connect that have failed so far.
        parts: How each part of market data fares, by name, where any is streamed.
    """

    market: Market
    wanted: int = 0
    ended: bool = False
    failed_dials: int = 0
    parts: Mapping[str, PartCounts] = field(default_factory=dict[str, PartCounts])


@dataclass(frozen=True, slots=True)
class StreamsHealth:
    """How the streams of one market are. None of it keeps data away: REST answers for what is not streamed.

    Attributes:
        state: ``unknown`` where nothing is streamed.
        reason: Why they are not healthy.
        facts: What that was judged by.
    """

    state: StreamsState
    reason: str
    facts: StreamsFacts


def merged_facts(facts: Iterable[StreamsFacts]) -> list[StreamsFacts]:
    """The facts of each market once, where several event loops have streams of it."""
    found: dict[Market, StreamsFacts] = {}
    for each in facts:
        known = found.get(each.market)
        found[each.market] = each if known is None else _sum(known, each)
    return list(found.values())


def _sum(one: StreamsFacts, other: StreamsFacts) -> StreamsFacts:
    parts = dict(one.parts)
    for name, counts in other.parts.items():
        parts[name] = counts if name not in parts else parts[name] + counts
    return replace(
        one,
        wanted=one.wanted + other.wanted,
        ended=one.ended or other.ended,
        failed_dials=max(one.failed_dials, other.failed_dials),
        parts=parts,
    )


def judge_streams(facts: StreamsFacts, reconnect_attempts: float) -> StreamsHealth:
    """Judge the streams of a market.

    Args:
        facts: What they know.
        reconnect_attempts: Failed attempts in a row from which on they are degraded.
    """
    if facts.failed_dials >= reconnect_attempts:
        text = f"no connection in {facts.failed_dials} attempts in a row; it is tried on, and REST answers meanwhile"
        return StreamsHealth("degraded", text, facts)
    if facts.ended:
        return StreamsHealth("degraded", "the connection was lost, and keep_alive is false; REST answers", facts)
    return StreamsHealth("healthy" if facts.wanted or facts.parts else "unknown", "", facts)
