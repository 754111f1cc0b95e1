"""The pure decisions: steady runs, rests, and the order in which sources serve."""

from __future__ import annotations

from virtuoso_binance.sources.switching import Failures, Route, SteadyRun


def test_a_run_begins_with_nothing_and_needs_count_and_time() -> None:
    run = SteadyRun(2, 10)
    run.note(True, 100)
    assert not run.long_enough
    run.note(True, 105)
    assert not run.long_enough
    run.note(True, 110)
    assert run.long_enough
    run.note(False, 111)
    assert not run.long_enough
    run.note(True, 121)
    run.note(True, 131)
    assert run.long_enough


def test_rests_grow_to_a_minute_and_end_with_an_answer() -> None:
    failures, now = Failures(), 0.0
    assert [failures.note("down", now) for _ in range(4)] == [None, None, 5.0, None]
    rests: list[float | None] = []
    for _ in range(5):
        now = failures.rests_until
        assert not failures.rests(now)
        assert failures.rests(now - 0.001)
        rests.append(failures.note("down", now))
    assert rests == [10.0, 20.0, 40.0, 60.0, 60.0]
    failures.note(None, now)
    assert not failures.rests(now)
    assert [failures.note("down", now) for _ in range(3)] == [None, None, 5.0]


def test_a_route_asks_the_active_source_first_and_a_better_one_when_it_was_good_for_long() -> None:
    route = Route(["a", "b", "c"], checks=3, seconds=60)
    assert (route.in_turn(), route.preferred, route.due(0)) == (["a", "b", "c"], (), [])
    route.active = "c"
    assert (route.in_turn(), route.due(0)) == (["c", "a", "b"], ["a", "b"])
    for now in (0, 30):
        route.note("b", True, now)
        assert (route.due(now + 29.9), route.due(now + 30)) == (["a"], ["a", "b"])
    assert route.in_turn() == ["c", "a", "b"]
    route.note("b", True, 60)
    assert route.in_turn() == ["b", "c", "a"]


def test_quarantine_ends_after_a_steady_agreement() -> None:
    route = Route(["a", "b"], checks=2, seconds=10)
    assert (route.acquit("a", 0), route.quarantined) == (False, frozenset())
    assert [route.accuse("a", 0), route.accuse("a", 1)] == [True, False]
    assert [route.acquit("a", now) for now in (2, 11, 12)] == [False, False, True]
    assert route.quarantined == frozenset()
