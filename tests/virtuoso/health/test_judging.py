"""From what was seen to how it is: every state is reached, and each verdict says why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from binance_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    BudgetError,
    CircuitOpenError,
    ConfigError,
    DecodeError,
    ForbiddenError,
    IPBannedError,
    RateLimitError,
    RestrictedLocationError,
    ServerError,
)
from virtuoso_binance.health import (
    KindFacts,
    MarketProbe,
    SourceFacts,
    Trouble,
    judge_exchange,
    judge_kind,
    judge_market,
    judge_source,
    judge_sources,
)
from virtuoso_binance.health.judging import status_of
from virtuoso_binance.health.judging_sources import status_of_sources
from virtuoso_binance.health.observations import WINDOW_SECONDS, Observations
from virtuoso_binance.health.probing import trouble_of
from virtuoso_binance.kinds import Kind

NOW = 1_768_651_327_450
WELL = MarketProbe("futures", None, server_time=NOW, clock_offset_ms=3, round_trip_ms=20, used=5, limit=2400)
GOOD = KindFacts(asked=20, data_time=NOW - 1500)


# --------------------------------------------------------------------------------------- kinds


@pytest.mark.parametrize(
    ("facts", "state", "reason"),
    [
        (GOOD, "healthy", ""),
        (KindFacts(), "unknown", "nobody has asked for it in the last 300 s"),
        (KindFacts(asked=20, failed=1, reason="depth: x"), "healthy", ""),
        (KindFacts(asked=20, failed=2, reason="depth: x"), "degraded", "2 of 20 failed: depth: x"),
        (KindFacts(asked=2, failed=2, reason="depth: x"), "degraded", "2 of 2 failed: depth: x"),
        (KindFacts(asked=3, failed=3, reason="depth: x"), "down", "3 of 3 failed: depth: x"),
        (KindFacts(asked=10, faulty=4, reason="old"), "healthy", ""),
        (KindFacts(asked=10, faulty=5, reason="old"), "degraded", "5 of 10 stale or wrong: old"),
        (KindFacts(asked=40, failed=3, faulty=19, reason="old"), "degraded", "19 of 37 stale or wrong: old"),
        (KindFacts(asked=10, checked=10, disagreed=4), "healthy", ""),
        (
            KindFacts(asked=10, checked=10, disagreed=5),
            "degraded",
            "5 of 10 comparisons with other sources disagree",
        ),
    ],
)
def test_a_kind(facts: KindFacts, state: str, reason: str) -> None:
    health = judge_kind(facts, NOW)
    assert (health.state, health.reason) == (state, reason)


def test_the_age_of_a_kind_grows_and_is_never_below_zero() -> None:
    assert [judge_kind(GOOD, NOW + ms).age_ms for ms in (0, 1000, -9000)] == [1500, 2500, 0]
    assert judge_kind(KindFacts(asked=1), NOW).age_ms is None


# ------------------------------------------------------------------------------------- markets


@pytest.mark.parametrize(
    ("changes", "state", "reason"),
    [
        ({}, "healthy", ""),
        ({"trouble": "not_asked"}, "unknown", "it was not asked yet"),
        ({"trouble": "not_asked", "error": "closed"}, "unknown", "closed"),
        ({"trouble": "unreachable", "error": "no route"}, "down", "no route"),
        ({"trouble": "maintenance", "error": "503"}, "down", "503"),
        ({"listed": 7, "traded": 0}, "down", "maintenance: none of its 7 symbols is traded"),
        ({"listed": 7, "traded": 1}, "healthy", ""),
        ({"listed": 0, "traded": 0}, "healthy", ""),
        (
            {"closed_for": 12.4, "closed_because": "over a request limit (429)"},
            "degraded",
            "nothing is sent for 12 s: over a request limit (429)",
        ),
        ({"waiting": 3, "used": 2160}, "degraded", "3 calls wait, 2160 of 2400 weight are used"),
        ({"waiting": 3, "used": 2159}, "healthy", ""),
        ({"waiting": 0, "used": 2400}, "healthy", ""),
        (
            {"breakers": {"a": "closed", "b": "open"}},
            "degraded",
            "the circuit of b is open, as it failed too often",
        ),
        ({"breakers": {"b": "half_open"}}, "degraded", "the circuit of b is half open, as it failed too often"),
        ({"clock_offset_ms": 1010}, "healthy", ""),
        ({"clock_offset_ms": 1011}, "degraded", "the clock of this machine is 1.0 s behind"),
        ({"clock_offset_ms": -61_000}, "degraded", "the clock of this machine is 61.0 s ahead"),
        ({"round_trip_ms": 2001}, "degraded", "an answer takes 2.0 s"),
    ],
)
def test_a_market(changes: dict[str, Any], state: str, reason: str) -> None:
    health = judge_market(replace(WELL, **changes))
    assert (health.state, "; ".join(health.reasons)) == (state, reason)


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (ServerError("x", status_code=503, code=-1000, message="The system is under maintenance."), "maintenance"),
        (ServerError("x", status_code=503, code=-1016, message="shutting down"), "maintenance"),
        (ServerError("x", status_code=502), "server_error"),
        (IPBannedError("x", status_code=418), "banned"),
        (RateLimitError("x", status_code=429), "limited"),
        (BudgetError("x"), "limited"),
        (RestrictedLocationError("x", status_code=451), "restricted"),
        (CircuitOpenError("x"), "circuit_open"),
        (APIConnectionError("x"), "unreachable"),
        (APITimeoutError("x"), "unreachable"),
        (DecodeError("x"), "not_understood"),
        (ForbiddenError("x", status_code=403), "refused"),
        (ConfigError("x"), "not_asked"),
        (RuntimeError("x"), "refused"),
    ],
)
def test_what_kind_of_trouble_an_error_is(error: Exception, trouble: Trouble) -> None:
    assert trouble_of(error) == trouble


# ------------------------------------------------------------------------------------ exchange


def test_an_exchange_is_as_its_main_market_and_its_prices() -> None:
    spot, down = replace(WELL, market="spot"), replace(WELL, trouble="unreachable", error="no route")
    failed = KindFacts(asked=5, failed=5, reason="x")
    cases: list[tuple[list[MarketProbe], dict[Kind, KindFacts], str, str]] = [
        ([WELL, spot], {"price": GOOD}, "healthy", "ok"),
        ([WELL, replace(down, market="spot")], {}, "degraded", "degraded"),
        ([down, spot], {}, "down", "offline"),
        ([replace(WELL, trouble="maintenance", error="503"), spot], {}, "down", "maintenance"),
        ([replace(WELL, listed=4, traded=0), spot], {}, "down", "maintenance"),
        ([WELL], {"price": failed}, "down", "offline"),
        ([WELL], {"book": failed}, "degraded", "degraded"),
        ([WELL], {"book": KindFacts()}, "healthy", "ok"),
        ([MarketProbe("futures"), spot], {}, "unknown", "offline"),
    ]
    for markets, kinds, state, word in cases:
        health = judge_exchange(markets, kinds, NOW)
        assert (health.state, health.status, bool(health.reasons)) == (state, word, state != "healthy")
        status = status_of(health)
        assert (status["online"], "error" in status) == (state in ("healthy", "degraded"), state in ("down", "unknown"))
    # A single probe of several markets needs one of them, and its one question.
    assert [judge_exchange([down, other], {}, NOW, needed=2).state for other in (spot, MarketProbe("spot"), down)] == [
        "degraded", "unknown", "down",
    ]  # fmt: skip
    assert judge_exchange([], {}, NOW).state == "unknown"
    once: dict[Kind, KindFacts] = {"price": KindFacts(asked=1, failed=1, reason="x")}
    assert [judge_exchange([WELL], once, NOW, down_after=n).state for n in (1, 2)] == ["down", "degraded"]
    down_health = judge_exchange([down, spot], {}, NOW)
    assert down_health.reasons == ("futures: no route",)
    assert status_of(down_health)["error"] == "futures: no route"


# ------------------------------------------------------------------------------------- sources


def source(**changes: Any) -> SourceFacts:
    return replace(SourceFacts("bybit", KindFacts(asked=9), {"price": GOOD}), **changes)


@pytest.mark.parametrize(
    ("changes", "state", "reason"),
    [
        ({}, "healthy", ""),
        ({"answers": KindFacts(), "kinds": {}}, "unknown", ""),
        ({"answers": KindFacts(), "kinds": {}, "status": {"online": True}}, "healthy", ""),
        ({"answers": KindFacts(asked=9, failed=1, reason="x")}, "degraded", "1 of 9 failed: x"),
        ({"answers": KindFacts(asked=9, failed=9, reason="x")}, "down", "9 of 9 failed: x"),
        ({"answers": KindFacts(asked=9, failed=4, reason="x"), "rests_for": 5.0}, "down", "it rests for 5 s: x"),
        ({"status": {"online": False, "error": "no route"}}, "down", "it says that it is offline: no route"),
        ({"status": {"online": False, "status": "shutdown"}}, "down", "it says that it is offline: shutdown"),
        ({"status": {}}, "down", "it says that it is offline: no reason"),
        ({"status": {"online": True, "health": {"reasons": ["spot: x"]}}}, "degraded", "spot: x"),
        ({"status": {"online": True, "health": "fine"}}, "healthy", ""),
        (
            {"quarantined": ("BTCUSDT", "ETHUSDT")},
            "degraded",
            "in quarantine, as a majority contradicts it: BTCUSDT, ETHUSDT",
        ),
        ({"kinds": {"book": KindFacts(asked=4, failed=4, reason="x")}}, "degraded", "book: 4 of 4 failed: x"),
    ],
)
def test_a_source(changes: dict[str, Any], state: str, reason: str) -> None:
    health = judge_source(source(**changes), NOW)
    assert (health.state, "; ".join(health.reasons)) == (state, reason)


def test_sources_together() -> None:
    well, unknown = source(), source(answers=KindFacts(), kinds={})
    weak, down = source(answers=KindFacts(asked=9, failed=1, reason="x")), source(status={"online": False})
    both = ("bybit", "binance")
    for first, second, serving, state in [
        (well, well, both, "healthy"),
        (well, unknown, both, "healthy"),
        (well, down, both, "degraded"),
        (down, well, both, "degraded"),
        (down, weak, both, "degraded"),
        (unknown, unknown, both, "unknown"),
        (down, unknown, both, "unknown"),
        (down, down, both, "down"),
        (down, well, ("bybit",), "down"),
        (well, down, ("bybit",), "degraded"),
    ]:
        health = judge_sources([first, replace(second, name="binance")], NOW, serving=serving)
        assert health.state == state, (first, second)
        assert status_of_sources(health)["online"] is (state != "down")


# -------------------------------------------------------------------------------- observations


def test_what_was_seen_counts_for_five_minutes() -> None:
    seen = Observations()
    seen.of("book").note(NOW, data_time=NOW - 10, fault="old")
    for second in range(0, WINDOW_SECONDS, 10):
        seen.of("book").note(NOW + second * 1000, data_time=NOW, failure="gone" if second == 290 else "")
    seen.of("book").note_check(NOW, agrees=False)
    facts = seen.facts(NOW + 270_000)["book"]
    assert (facts.asked, facts.failed, facts.faulty, facts.checked, facts.disagreed) == (31, 1, 1, 1, 1)
    assert (facts.data_time, facts.reason) == (NOW, "gone")
    later = seen.facts(NOW + 3 * WINDOW_SECONDS * 1000)["book"]
    assert later == KindFacts(data_time=NOW, reason="gone")
    # However long it runs, and whatever the clock does, there are ten slots.
    for second in range(0, 10_000, 30):
        seen.of("book").note(NOW + second * 1000)
    seen.of("book").note(NOW)
    assert len(seen.of("book")._slots) == 10
    seen.forget()
    assert seen.facts(NOW) == {}
