"""How the sources of a ``MarketDataSource`` are, alone and together: pure functions of facts and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import cast

from virtuoso_binance.health.judging import HealthState, KindHealth, judge_kind, kind_reasons
from virtuoso_binance.health.observations import KindFacts
from virtuoso_binance.kinds import Kind
from virtuoso_binance.scalars import Row

__all__ = ["SourceFacts", "SourceHealth", "SourcesHealth", "judge_source", "judge_sources", "status_of_sources"]


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is known of one source of a ``MarketDataSource``.

    Attributes:
        name: Its name.
        answers: Its answers as a whole; those about symbols that it does not list are left out.
        kinds: What was seen of each kind.
        rests_for: Seconds for which it is not asked, after failures in a row; 0 where it is.
        quarantined: Symbols that it may not serve.
        serves: Number of symbols that it serves.
        status: What its own ``fetch_status`` said last, if it has one and that is not older than five minutes.
    """

    name: str
    answers: KindFacts = field(default_factory=KindFacts)
    kinds: Mapping[Kind, KindFacts] = field(default_factory=dict["Kind", KindFacts])
    rests_for: float = 0.0
    quarantined: tuple[str, ...] = ()
    serves: int = 0
    status: Row | None = None


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How one source is.

    Attributes:
        state: ``unknown`` where it was not asked lately and has no status of its own.
        reasons: Why it is not healthy.
        kinds: By kind of data.
        facts: What that was judged by.
    """

    state: HealthState
    reasons: tuple[str, ...]
    kinds: Mapping[Kind, KindHealth]
    facts: SourceFacts


def judge_source(facts: SourceFacts, now: int) -> SourceHealth:
    """Judge a source by ``now`` (epoch milliseconds)."""
    kinds: dict[Kind, KindHealth] = {kind: judge_kind(seen, now) for kind, seen in facts.kinds.items()}
    answers = judge_kind(facts.answers, now)
    told = _told_by_itself(facts.status)
    reasons: list[str] = []
    if facts.rests_for > 0:
        reasons.append(f"it rests for {facts.rests_for:.0f} s: {facts.answers.reason}")
    elif answers.state in ("degraded", "down"):
        reasons.append(answers.reason)
    reasons += [reason for _, reason in (told,) if reason]
    if facts.quarantined:
        reasons.append(f"in quarantine, as a majority contradicts it: {', '.join(facts.quarantined)}")
    reasons += kind_reasons(kinds)
    if facts.rests_for > 0 or "down" in (answers.state, told[0]):
        state: HealthState = "down"
    elif reasons:
        state = "degraded"
    else:
        state = "unknown" if answers.state == told[0] == "unknown" else "healthy"
    return SourceHealth(state, tuple(reasons), kinds, facts)


def _told_by_itself(status: Row | None) -> tuple[HealthState, str]:
    if status is None:
        return "unknown", ""
    if not status.get("online"):
        return "down", f"it says that it is offline: {status.get('error', status.get('status', 'no reason'))}"
    health: object = status.get("health")
    reasons: object = cast("Row", health).get("reasons") if isinstance(health, dict) else None
    if isinstance(reasons, list) and reasons:
        return "degraded", "; ".join(str(reason) for reason in cast("list[object]", reasons))
    return "healthy", ""


@dataclass(frozen=True, slots=True)
class SourcesHealth:
    """How a ``MarketDataSource`` is.

    Attributes:
        state: ``down`` where no source that may serve is up; ``degraded`` where one of them is not healthy.
        reasons: Why it is not healthy.
        sources: By source, the primary one first.
    """

    state: HealthState
    reasons: tuple[str, ...]
    sources: Mapping[str, SourceHealth]

    @property
    def status(self) -> str:
        """``ok``, ``degraded``, ``offline`` or ``unknown``."""
        return {"healthy": "ok", "down": "offline"}.get(self.state, self.state)

    def as_row(self) -> Row:
        """As it stands in ``fetch_status()``: plain JSON, but for what a source says of itself."""
        return {
            "state": self.state,
            "reasons": list(self.reasons),
            "sources": {
                name: {
                    "state": source.state,
                    "reasons": list(source.reasons),
                    "asked": source.facts.answers.asked,
                    "failed": source.facts.answers.failed,
                    "rests_for": source.facts.rests_for,
                    "quarantined": list(source.facts.quarantined),
                    "serves": source.facts.serves,
                    "kinds": {kind: asdict(health) for kind, health in source.kinds.items()},
                    "status": source.facts.status,
                }
                for name, source in self.sources.items()
            },
        }


def judge_sources(sources: Sequence[SourceFacts], now: int, *, serving: Sequence[str]) -> SourcesHealth:
    """Judge all sources together.

    Args:
        sources: The primary one first.
        now: Epoch milliseconds.
        serving: The names of those that may serve.
    """
    judged = {facts.name: judge_source(facts, now) for facts in sources}
    reasons = tuple(
        f"{name}: {reason}"
        for name, source in judged.items()
        if source.state in ("degraded", "down")
        for reason in source.reasons
    )
    states = [judged[name].state for name in serving]
    if all(state == "down" for state in states):
        state: HealthState = "down"
    elif all(state in ("down", "unknown") for state in states):
        state = "unknown"
    else:
        state = "degraded" if reasons else "healthy"
    return SourcesHealth(state, reasons, judged)


def status_of_sources(health: SourcesHealth) -> Row:
    """What ``fetch_status`` says of it. Time and limits are those of the first source that is up and tells them."""
    row: Row = {"online": health.state != "down", "status": health.status, "health": health.as_row()}
    if health.state == "down":
        row["error"] = "; ".join(health.reasons)
    for source in health.sources.values():
        told = source.facts.status
        if source.state != "down" and told is not None:
            return {**row, **{key: told[key] for key in ("server_time", "time_diff_ms", "rate_limit") if key in told}}
    return row
