"""From what was seen to how it is: pure functions of facts and time, which ask nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal, TypeAlias

from virtuoso_binance.health.listing_changes import ListingChange
from virtuoso_binance.health.observations import WINDOW_SECONDS, KindFacts
from virtuoso_binance.health.probing import MarketProbe
from virtuoso_binance.health.streams import StreamsHealth
from virtuoso_binance.kinds import Kind
from virtuoso_binance.scalars import Row

__all__ = [
    "ExchangeHealth",
    "HealthState",
    "KindHealth",
    "MarketHealth",
    "judge_exchange",
    "judge_kind",
    "judge_market",
    "kind_reasons",
    "status_of",
]

HealthState: TypeAlias = Literal["healthy", "degraded", "down", "unknown"]

FAILED_SHARE = 0.1
"""Share of failures from which on a kind is degraded."""
FAULTY_SHARE = 0.5
"""Share of stale or wrong data, and of disagreement. Thin markets are honestly old, and a single one proves little."""
DOWN_AFTER = 3
"""Questions that must all have failed before anything is called down: one failure is no outage."""
NEARLY_USED = 0.9
LARGEST_OFFSET_MS = 1000
SLOWEST_MS = 2000


@dataclass(frozen=True, slots=True)
class KindHealth:
    """How one kind of data is.

    Attributes:
        state: ``unknown`` where nobody has asked for it lately.
        reason: Why it is not healthy.
        asked: Questions of the last five minutes.
        failed: Those that brought none.
        faulty: Those that brought some that are stale or wrong.
        checked: Comparisons with other sources.
        disagreed: Those in which the other one said something else.
        age_ms: Age of the newest data by now; None where it is not known.
    """

    state: HealthState
    reason: str = ""
    asked: int = 0
    failed: int = 0
    faulty: int = 0
    checked: int = 0
    disagreed: int = 0
    age_ms: int | None = None


def judge_kind(facts: KindFacts, now: int, down_after: int = DOWN_AFTER) -> KindHealth:
    """Judge what was seen of a kind.

    Args:
        facts: What was seen.
        now: Epoch milliseconds.
        down_after: Questions that must all have failed before it is called down.
    """
    state, reason = _state_of_kind(facts, down_after)
    age = None if facts.data_time is None else max(0, now - facts.data_time)
    return KindHealth(
        state, reason, facts.asked, facts.failed, facts.faulty, facts.checked, facts.disagreed, age_ms=age
    )


def _state_of_kind(facts: KindFacts, down_after: int) -> tuple[HealthState, str]:
    if not facts.asked:
        return "unknown", f"nobody has asked for it in the last {WINDOW_SECONDS} s"
    if facts.failed >= FAILED_SHARE * facts.asked and facts.failed:
        all_failed = facts.failed == facts.asked >= down_after
        return ("down" if all_failed else "degraded"), f"{facts.failed} of {facts.asked} failed: {facts.reason}"
    arrived = facts.asked - facts.failed
    if facts.faulty >= FAULTY_SHARE * arrived and facts.faulty:
        return "degraded", f"{facts.faulty} of {arrived} stale or wrong: {facts.reason}"
    if facts.disagreed >= FAULTY_SHARE * facts.checked and facts.disagreed:
        return "degraded", f"{facts.disagreed} of {facts.checked} comparisons with other sources disagree"
    return "healthy", ""


@dataclass(frozen=True, slots=True)
class MarketHealth:
    """How one market of Binance is.

    Attributes:
        state: ``unknown`` where it was not asked, or cannot be.
        reasons: Why it is not healthy.
        facts: What that was judged by.
    """

    state: HealthState
    reasons: tuple[str, ...]
    facts: MarketProbe


def judge_market(facts: MarketProbe) -> MarketHealth:
    """Judge a market by its newest probe."""
    if facts.trouble == "not_asked":
        return MarketHealth("unknown", (facts.error or "it was not asked yet",), facts)
    if facts.trouble is not None:
        return MarketHealth("down", (facts.error,), facts)
    if facts.in_maintenance:
        return MarketHealth("down", (f"maintenance: none of its {facts.listed} symbols is traded",), facts)
    reasons = tuple(_weaknesses(facts))
    return MarketHealth("degraded" if reasons else "healthy", reasons, facts)


def _weaknesses(facts: MarketProbe) -> Iterable[str]:
    if facts.closed_for > 0:
        yield f"nothing is sent for {facts.closed_for:.0f} s: {facts.closed_because}"
    if facts.waiting and facts.used >= NEARLY_USED * facts.limit:
        yield f"{facts.waiting} calls wait, {facts.used} of {facts.limit} weight are used"
    for host, state in facts.breakers.items():
        if state != "closed":
            yield f"the circuit of {host} is {state.replace('_', ' ')}, as it failed too often"
    # How long the way there took, and how long the way back, nobody knows.
    sure = abs(facts.clock_offset_ms or 0) - (facts.round_trip_ms or 0) / 2
    if facts.clock_offset_ms is not None and sure > LARGEST_OFFSET_MS:
        seconds = facts.clock_offset_ms / 1000
        where = "behind" if seconds > 0 else "ahead"
        yield f"the clock of this machine is {abs(seconds):.1f} s {where}"
    if facts.round_trip_ms is not None and facts.round_trip_ms > SLOWEST_MS:
        yield f"an answer takes {facts.round_trip_ms / 1000:.1f} s"


@dataclass(frozen=True, slots=True)
class ExchangeHealth:
    """How Binance is, as far as one exchange knows.

    Attributes:
        state: ``down`` where the main market or every price is; ``degraded`` where anything else is not healthy.
        reasons: Why it is not healthy.
        markets: By market, the main one first.
        kinds: By kind of data that was ever asked for.
        changes: Symbols that were listed, delisted or given another status, the newest last.
        streams: By market, where anything was streamed.
    """

    state: HealthState
    reasons: tuple[str, ...]
    markets: Mapping[str, MarketHealth]
    kinds: Mapping[Kind, KindHealth] = field(default_factory=dict["Kind", KindHealth])
    changes: tuple[ListingChange, ...] = ()
    streams: Mapping[str, StreamsHealth] = field(default_factory=dict[str, StreamsHealth])

    @property
    def status(self) -> str:
        """In one word of CCXT's where it has one: ``ok``, ``degraded``, ``maintenance``, ``offline``."""
        if self.state in ("healthy", "degraded"):
            return "ok" if self.state == "healthy" else "degraded"
        main = next(iter(self.markets.values()), None)
        return "maintenance" if main is not None and main.facts.in_maintenance else "offline"

    def as_row(self) -> Row:
        """As it stands in ``fetch_status()``: plain JSON."""
        return {
            "state": self.state,
            "reasons": list(self.reasons),
            "markets": {
                name: {"state": market.state, "reasons": list(market.reasons), **asdict(market.facts)}
                for name, market in self.markets.items()
            },
            "kinds": {kind: asdict(health) for kind, health in self.kinds.items()},
            "changes": [asdict(change) for change in self.changes],
            "streams": {
                name: {"state": streams.state, "reason": streams.reason, **asdict(streams.facts)}
                for name, streams in self.streams.items()
            },
        }


def judge_exchange(
    markets: Sequence[MarketProbe],
    kinds: Mapping[Kind, KindFacts],
    now: int,
    changes: Sequence[ListingChange] = (),
    streams: Sequence[StreamsHealth] = (),
    *,
    needed: int = 1,
    down_after: int = DOWN_AFTER,
) -> ExchangeHealth:
    """Judge an exchange.

    Args:
        markets: Those in use, the main one first.
        kinds: What was seen of each kind.
        now: Epoch milliseconds.
        changes: Of symbols.
        streams: Those of each market.
        needed: It is down where all of so many markets are, from the first one on.
        down_after: As of ``judge_kind``.
    """
    judged: dict[str, MarketHealth] = {facts.market: judge_market(facts) for facts in markets}
    by_kind: dict[Kind, KindHealth] = {kind: judge_kind(facts, now, down_after) for kind, facts in kinds.items()}
    by_market: dict[str, StreamsHealth] = {each.facts.market: each for each in streams}
    reasons = (*_market_reasons(judged), *kind_reasons(by_kind), *_stream_reasons(by_market))
    states = [market.state for market in judged.values()][:needed]
    price = by_kind.get("price")
    state: HealthState = "degraded" if reasons else "healthy"
    if not {"healthy", "degraded"} & set(states):
        state = "unknown" if "unknown" in states or not states else "down"
    elif price is not None and price.state == "down":
        state = "down"
    return ExchangeHealth(state, reasons, judged, by_kind, tuple(changes), by_market)


def status_of(health: ExchangeHealth) -> Row:
    """What ``fetch_status`` says of it."""
    main = next(iter(health.markets.values())).facts
    online = health.state in ("healthy", "degraded")
    row: Row = {"online": online, "status": health.status, "health": health.as_row()}
    if not online:
        row["error"] = "; ".join(health.reasons)
    if main.server_time is not None:
        row |= {"timestamp": main.server_time, "server_time": main.server_time, "time_diff_ms": main.clock_offset_ms}
        row["rate_limit"] = {"limit": main.limit, "used": main.used, "remaining": main.remaining}
    return row


def _market_reasons(markets: Mapping[str, MarketHealth]) -> Iterable[str]:
    return [f"{name}: {reason}" for name, market in markets.items() for reason in market.reasons]


def _stream_reasons(streams: Mapping[str, StreamsHealth]) -> Iterable[str]:
    return [f"{name} streams: {each.reason}" for name, each in streams.items() if each.reason]


def kind_reasons(kinds: Mapping[Kind, KindHealth]) -> Iterable[str]:
    """Why kinds are not healthy, in words."""
    return [f"{kind}: {health.reason}" for kind, health in kinds.items() if health.state in ("degraded", "down")]
