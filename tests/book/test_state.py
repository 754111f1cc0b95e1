"""Every rule of the state machine on its own: what it takes, what it refuses and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from binance_sdk._runtime.book.messages import LevelText, Snapshot, Update
from binance_sdk._runtime.book.rules import BookRules
from binance_sdk._runtime.book.state import BookCore, BookState, NeedsSnapshot, Outcome, Reason, Synced
from tests.book.rule_sets import FUTURES, SPOT

BIDS: list[LevelText] = [("9", "1"), ("8", "1")]
ASKS: list[LevelText] = [("11", "1"), ("12", "1")]


def snapshot(last_id: int, *, limit: int = 100, bids: Sequence[LevelText] = BIDS) -> Snapshot:
    return Snapshot(last_id, limit, bids, ASKS)


def update(
    first: int,
    last: int,
    previous: int | None = None,
    bids: tuple[LevelText, ...] = (),
    asks: tuple[LevelText, ...] = (),
) -> Update:
    return Update(first, last, previous, bids, asks)


def core_at(last_id: int, rules: BookRules = SPOT, *, limit: int = 100) -> BookCore:
    core = BookCore(rules)
    core.begin()
    assert core.take_snapshot(snapshot(last_id, limit=limit)) == Synced(last_id, 0)
    return core


def test_an_idle_book_keeps_nothing_and_takes_no_snapshot() -> None:
    core = BookCore(SPOT)
    assert core.take_update(update(1, 2)) is Outcome.IGNORED
    assert core.take_snapshot(snapshot(5)) == NeedsSnapshot(Reason.STARTED)
    assert (core.state, core.kept, core.update_id, core.best_bid) == (BookState.IDLE, 0, None, None)
    assert core.begin() == NeedsSnapshot(Reason.STARTED)
    assert core.take_update(update(3, 4)) is Outcome.KEPT
    core.postpone()
    assert (core.state, core.kept) == (BookState.IDLE, 0)


@pytest.mark.parametrize(
    ("rules", "first", "fits"),
    [
        (SPOT, update(10, 11), True),
        (SPOT, update(11, 12), True),
        (SPOT, update(12, 13), False),
        (FUTURES, update(9, 10, 8), True),
        (FUTURES, update(10, 12, 8), True),
        (FUTURES, update(11, 12, 10), True),
        (FUTURES, update(11, 12, 9), False),
        (FUTURES, update(12, 13, 11), False),
    ],
)
@pytest.mark.parametrize("kept", [True, False])
def test_the_first_update_after_a_snapshot(rules: BookRules, first: Update, fits: bool, kept: bool) -> None:
    if kept:
        core = BookCore(rules)
        core.begin()
        core.take_update(first)
        found: object = core.take_snapshot(snapshot(10))
        assert found == (Synced(first.last_id, 1) if fits else NeedsSnapshot(Reason.TOO_OLD, None, first.first_id))
    else:
        core = core_at(10, rules)
        found = core.take_update(first)
        assert found == (Outcome.APPLIED if fits else NeedsSnapshot(Reason.GAP, 10, first.first_id))
    assert core.synced is fits
    assert core.kept == (0 if fits else 1)


@pytest.mark.parametrize(("rules", "old"), [(SPOT, update(9, 10)), (FUTURES, update(8, 9, 7))])
def test_what_a_snapshot_has_already_is_passed_over(rules: BookRules, old: Update) -> None:
    core = BookCore(rules)
    core.begin()
    core.take_update(old)
    assert core.take_snapshot(snapshot(10)) == Synced(10, 0)
    assert core.take_update(old) is Outcome.IGNORED


@pytest.mark.parametrize(
    ("rules", "next_", "outcome"),
    [
        (SPOT, update(13, 14), Outcome.APPLIED),
        (SPOT, update(12, 14), Outcome.APPLIED),
        (SPOT, update(11, 12), Outcome.IGNORED),
        (SPOT, update(14, 15), None),
        (FUTURES, update(20, 24, 12), Outcome.APPLIED),
        (FUTURES, update(13, 14, 11), None),
        (FUTURES, update(13, 14, 13), None),
        (FUTURES, update(11, 12, 10), Outcome.IGNORED),
    ],
)
def test_the_update_after_an_update(rules: BookRules, next_: Update, outcome: Outcome | None) -> None:
    core = core_at(10, rules)
    assert core.take_update(update(11, 12, 10)) is Outcome.APPLIED
    found = core.take_update(next_)
    if outcome is None:
        assert found == NeedsSnapshot(Reason.GAP, 12, next_.first_id)
        assert core.reason is Reason.GAP
        # What revealed the gap is the first that the next snapshot is joined with.
        assert core.take_snapshot(snapshot(next_.first_id)) == Synced(next_.last_id, 1)
    else:
        assert found is outcome
        assert core.synced


def test_a_gap_among_the_kept_updates_makes_those_before_it_useless() -> None:
    core = BookCore(SPOT)
    core.begin()
    core.take_update(update(11, 12))
    assert core.take_update(update(11, 12)) is Outcome.IGNORED
    core.take_update(update(20, 21))
    assert core.kept == 1
    assert core.take_snapshot(snapshot(11)) == NeedsSnapshot(Reason.TOO_OLD, None, 20)
    assert core.take_snapshot(snapshot(19)) == Synced(21, 1)


def test_when_too_much_is_kept_the_oldest_goes() -> None:
    core = BookCore(SPOT, most_kept=2)
    core.begin()
    for first in (11, 12, 13):
        core.take_update(update(first, first))
    assert core.kept == 2
    assert core.take_snapshot(snapshot(10)) == NeedsSnapshot(Reason.TOO_OLD, None, 12)
    assert core.take_snapshot(snapshot(11)) == Synced(13, 2)


def test_a_crossed_book_is_given_up_and_only_a_newer_snapshot_mends_it() -> None:
    core = core_at(10)
    assert core.take_update(update(11, 12, bids=(("11", "1"),))) == NeedsSnapshot(Reason.CROSSED, 12)
    assert core.take_snapshot(snapshot(11)) == NeedsSnapshot(Reason.TOO_OLD, 12, 12)
    assert core.take_snapshot(snapshot(12)) == Synced(12, 0)


def test_a_crossed_snapshot_is_refused() -> None:
    core = BookCore(SPOT)
    core.begin()
    assert core.take_snapshot(snapshot(10, bids=[("11", "1")])) == NeedsSnapshot(Reason.CROSSED)
    assert not core.synced


def test_kept_updates_that_cross_the_book_are_noticed() -> None:
    core = BookCore(SPOT)
    core.begin()
    core.take_update(update(11, 12, bids=(("12", "1"),)))
    assert core.take_snapshot(snapshot(10)) == NeedsSnapshot(Reason.CROSSED, 12)
    assert not core.synced


@pytest.mark.parametrize(
    "level",
    [
        ("x", "1"),
        ("nan", "1"),
        ("inf", "1"),
        ("-1", "1"),
        ("0", "1"),
        ("1e1", "1"),
        ("09", "1"),
        (None, "1"),
        ("9.0000000000000000001x", "1"),
    ],
)
def test_a_price_that_is_no_plain_number_ends_the_synced_state(level: LevelText) -> None:
    core = core_at(10)
    found = core.take_update(update(11, 12, bids=(level,)))
    assert isinstance(found, NeedsSnapshot)
    assert found == NeedsSnapshot(Reason.MALFORMED, 10, problem=found.problem)
    assert found.problem
    assert core.take_snapshot(snapshot(11)) == NeedsSnapshot(Reason.TOO_OLD, 10, 12)
    assert core.take_snapshot(snapshot(12)) == Synced(12, 0)


@pytest.mark.parametrize(
    "bids",
    [
        [("8", "1"), ("9", "1")],
        [("9", "1"), ("9.0", "1")],
        [("9", "0")],
        [("9", "-1")],
        [("nan", "1")],
        [("9", "x")],
        [("0", "1")],
        [("inf", "1")],
        [(None, "1")],
    ],
)
def test_a_malformed_snapshot_is_refused_and_what_was_kept_stays(bids: list[LevelText]) -> None:
    core = BookCore(SPOT)
    core.begin()
    core.take_update(update(11, 12))
    found = core.take_snapshot(snapshot(10, bids=bids))
    assert isinstance(found, NeedsSnapshot)
    assert (found.reason, bool(found.problem)) == (Reason.MALFORMED, True)
    assert core.take_snapshot(snapshot(10)) == Synced(12, 1)


def test_when_all_known_levels_of_a_side_are_gone_the_best_one_is_unknown() -> None:
    core = core_at(10, limit=2)
    assert core.take_update(update(11, 11, bids=(("7", "5"), ("9", "0")))) is Outcome.APPLIED
    assert core.take_update(update(12, 12, bids=(("8", "0"),))) == NeedsSnapshot(Reason.HORIZON, 12)
    above = core_at(10, limit=2)
    every = tuple((price, "0") for price, _ in above.asks.texts())
    assert above.take_update(update(11, 11, asks=every)) == NeedsSnapshot(Reason.HORIZON, 11)
    whole = core_at(10, limit=3)
    assert whole.take_update(update(11, 11, bids=(("9", "0"), ("8", "0")))) is Outcome.APPLIED
    assert (whole.synced, whole.best_bid) == (True, None)


def test_after_a_lost_connection_nothing_from_before_counts() -> None:
    core = core_at(10)
    core.take_update(update(11, 30))
    assert core.lose(Reason.CONNECTION_LOST) == NeedsSnapshot(Reason.CONNECTION_LOST, 30)
    assert core.take_snapshot(snapshot(20)) == Synced(20, 0)


def test_a_stale_book_keeps_its_levels_but_is_not_synced() -> None:
    core = core_at(10)
    assert core.lose(Reason.STALE) == NeedsSnapshot(Reason.STALE, 10)
    assert (core.synced, core.reason) == (False, Reason.STALE)
    assert [str(price) for price, _ in core.bids.levels()] == ["9", "8"]
    assert core.begin() == NeedsSnapshot(Reason.STALE, 10)


def test_a_snapshot_for_a_synced_book_changes_nothing() -> None:
    core = core_at(10)
    core.take_update(update(11, 12, bids=(("9.5", "1"),)))
    assert core.take_snapshot(snapshot(50)) == Synced(12, 0)
    assert core.update_id == 12


def test_rules_that_contradict_themselves_are_refused() -> None:
    mistakes: tuple[dict[str, Any], ...] = ({"joins_after": 2}, {"default_limit": 7})
    for wrong in mistakes:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            replace(SPOT, **wrong)


def test_an_update_that_ends_before_the_snapshot_cannot_join_it() -> None:
    assert not SPOT.joins(update(5, 9), 10)
    assert not FUTURES.joins(update(5, 9, 4), 10)


def test_after_another_snapshot_the_first_update_has_to_join_again() -> None:
    core = core_at(10, FUTURES)
    core.take_update(update(11, 12, 10))
    core.lose(Reason.STALE)
    assert core.take_snapshot(snapshot(20)) == Synced(20, 0)
    assert core.take_update(update(19, 21, 18)) is Outcome.APPLIED


def test_a_run_of_updates_older_than_the_book_shows_that_its_id_was_wrong() -> None:
    core = core_at(10)
    core.take_update(update(11, 10**9))
    assert [core.take_update(update(n, n)) for n in (12, 13)] == [Outcome.IGNORED] * 2
    assert core.take_update(update(14, 14)) == NeedsSnapshot(Reason.RESTARTED, 10**9, 14)
    core.take_update(update(15, 15))
    assert core.take_snapshot(snapshot(14)) == Synced(15, 1)
    assert core.update_id == 15


def test_after_ids_that_began_anew_a_snapshot_below_the_old_ones_will_do() -> None:
    core = core_at(10)
    core.take_update(update(11, 10**9))
    for n in (12, 13, 14):
        core.take_update(update(n, n))
    assert core.take_snapshot(snapshot(14)) == Synced(14, 0)


def test_updates_that_come_late_or_twice_do_not_add_up() -> None:
    core = core_at(10)
    for n in range(11, 40):
        assert core.take_update(update(n, n)) is Outcome.APPLIED
        assert core.take_update(update(n, n)) is Outcome.IGNORED
        assert core.take_update(update(n - 1, n - 1)) is Outcome.IGNORED


def test_a_snapshot_may_be_ahead_of_the_stream_but_not_for_ever() -> None:
    core = core_at(1000)
    found = [core.take_update(update(n, n)) for n in range(100, 200)]
    assert found[:-1] == [Outcome.IGNORED] * 99
    assert isinstance(found[-1], NeedsSnapshot)
    assert found[-1].reason is Reason.RESTARTED
