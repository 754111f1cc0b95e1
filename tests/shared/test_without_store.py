"""What a process may spend while the store is away: rules, with times as numbers."""

from __future__ import annotations

import math

import pytest

from binance_sdk._runtime.budget.ledger import Grant, Need, Reservation, Ticket
from binance_sdk._runtime.budget.pool import Pool
from binance_sdk.errors import BudgetError

from .links import GROUP, START, WEIGHT, asked, linked, reply


def _spendable(pool: Pool, now: float, amount: int = 10) -> int:
    """Weight that goes at once, in calls of one size."""
    spent = 0
    while isinstance(found := pool.ledger.try_reserve((Need(pool.weight, amount),), now), Grant):
        spent += amount
        pool.ledger.settle(found, {}, now)
    return spent


def test_of_the_running_window_each_may_spend_its_part_of_what_was_left() -> None:
    pool, link = linked()
    now = START + 20
    link.message(now, contact=True)
    link.apply(reply(used={WEIGHT: 5000, GROUP: 0}), now, now)
    link.leave_store(now + 0.2, now + 0.1)
    # An eighth of 97 % of 6000 less 5000.
    assert _spendable(pool, now + 0.3) == 100
    # From the next window on it is an eighth of 97 %, and not before the window has certainly begun.
    assert _spendable(pool, START + 60.1) == 0
    assert _spendable(pool, START + 60.2) == 720
    assert _spendable(pool, START + 90) == 0
    assert _spendable(pool, START + 121) == 720


@pytest.mark.parametrize("failed_at", [START + 25, math.inf], ids=["told long ago", "others may be answered"])
def test_of_a_window_of_which_too_little_is_known_each_gets_a_small_part(failed_at: float) -> None:
    pool, link = linked()
    link.message(START + 20, contact=True)
    link.apply(reply(), START + 20, START + 20)
    link.leave_store(START + 25, failed_at)
    # An eighth of 3 %.
    assert _spendable(pool, START + 26, 2) == 22
    assert _spendable(pool, START + 61) == 720


def test_who_waited_for_a_window_has_its_part_if_the_store_is_away_when_it_opens() -> None:
    pool, link = linked()
    asked(pool, link, 50, START + 30)
    link.message(START + 30)
    link.apply(reply("0", short={WEIGHT: (30.2, 50)}, used={WEIGHT: 6000, GROUP: 0}), START + 30, START + 30)
    now = START + 60.2
    assert link.message(now) is not None
    link.leave_store(now, now)
    # The call that waited has got its 50 of an eighth of 97 %.
    assert _spendable(pool, now) == 670


def test_what_a_process_spent_itself_is_a_part_of_its_part() -> None:
    pool, link = linked()
    for number in range(20):
        ticket = asked(pool, link, 50, START + 1 + number)
        link.message(START + 1 + number)
        link.apply(reply("1", used={WEIGHT: 50 * number, GROUP: 0}), START + 1 + number, START + 1 + number)
        assert ticket.grant is not None
        pool.ledger.settle(ticket.grant, {}, START + 1 + number)
    link.leave_store(START + 21, START + 20.5)
    assert _spendable(pool, START + 21) == 0


def test_what_was_not_sent_after_all_may_be_spent() -> None:
    pool, link = linked()
    link.leave_store(START + 1, START + 1)
    found = pool.ledger.try_reserve((Need(pool.weight, 100),), START + 2)
    assert isinstance(found, Grant)
    pool.ledger.refund(found, START + 2)
    assert _spendable(pool, START + 2) == 170


def test_what_others_spend_while_the_store_is_away_is_not_the_traffic_of_strangers() -> None:
    pool, link = linked()
    link.message(START + 1, contact=True)
    link.apply(reply(), START + 1, START + 1)
    link.leave_store(START + 2, math.inf)
    found = pool.ledger.try_reserve((Need(pool.weight, 10),), START + 70)
    assert isinstance(found, Grant)
    # Seven others, who have the larger part of it.
    pool.ledger.settle(found, {pool.weight.name: 4000}, START + 80)
    assert _spendable(pool, START + 121) == 720


def test_nothing_that_was_given_out_before_is_left_after_the_store_was_away() -> None:
    pool, link = linked()
    link.leave_store(START + 1, START + 1)
    link.return_to_store()
    assert pool.ledger.try_reserve((Need(pool.weight, 1),), START + 2) is None


def test_what_all_have_used_of_a_group_is_told_until_its_window_is_over() -> None:
    pool, link = linked()
    link.message(START + 1, contact=True)
    link.apply(reply(used={WEIGHT: 0, GROUP: 7}), START + 1, START + 1)
    assert pool.usage(pool.groups["group"], START + 300.5).used == 7
    assert pool.usage(pool.groups["group"], START + 301).used == 0


def test_a_process_that_never_reached_its_store_gets_3_percent() -> None:
    pool, link = linked()
    link.leave_store(START + 1, START + 1)
    assert _spendable(pool, START + 2) == 170
    assert _spendable(pool, START + 61) == 170


def test_a_call_larger_than_the_part_waits_for_a_while_and_no_longer() -> None:
    pool, link = linked()
    link.leave_store(START + 1, START + 1)
    reservation = Reservation((Need(pool.gate, 1), Need(pool.weight, 175, 0.95)), operation="spot.depth")
    assert isinstance(pool.ledger.reserve(reservation, START + 2, lambda: None), Ticket)
    link.check_fits(reservation, START + 10.9)
    with pytest.raises(
        BudgetError, match=r"spot.depth: takes 175 of spot weight, of which this process may use 165 in"
    ):
        link.check_fits(reservation, START + 11)
    link.check_fits(Reservation((Need(pool.weight, 165, 0.95),)), START + 11)
    link.return_to_store()
    link.check_fits(reservation, START + 12)


def test_a_larger_share_is_a_larger_part() -> None:
    pool, link = linked(2.0)
    link.message(START + 1, contact=True)
    link.apply(reply(), START + 1, START + 1)
    link.leave_store(START + 2, math.inf)
    assert _spendable(pool, START + 61) == 1450


def test_the_largest_number_of_processes_is_remembered_for_ten_minutes() -> None:
    pool, link = linked()
    for seconds, shares, part in ((1, 8.0, 720), (300, 1.0, 720), (800, 1.0, 5820)):
        now = START + seconds
        link.message(now, contact=True)
        link.apply(reply(shares=shares), now, now)
        link.leave_store(now, math.inf)
        assert _spendable(pool, START + (seconds // 60 + 2) * 60 + 1) == part
        link.return_to_store()


def test_all_come_back_with_the_same_window() -> None:
    _, link = linked()
    link.leave_store(START + 1, START + 1)
    assert link.due(START + 2) == math.inf
    link.answered(START + 10, doubted=True)
    assert link.back_at == pytest.approx(START + 60.12, abs=0.01)
    # The store has not seen the turn yet, and it is about to.
    link.answered(START + 60.05, doubted=True)
    assert link.back_at == pytest.approx(START + 60.12, abs=0.01)
    link.answered(START + 30, doubted=False)
    assert link.back_at == START + 30


def test_what_was_spent_without_the_store_is_told_in_few_words() -> None:
    pool, link = linked()
    link.leave_store(START + 1, START + 1)
    for window in range(40):
        _spendable(pool, START + 61 + 60 * window, 2)
    message = link.message(START + 5000, contact=True)
    assert message is not None
    assert len(message["endings"]) <= 500
    total = sum(row[3] for row in message["endings"]) + message["held"].get(WEIGHT, 0)
    assert total == 40 * 174


def test_the_child_of_a_fork_is_a_consumer_of_its_own() -> None:
    pool, link = linked()
    ticket = asked(pool, link, 10, START + 1)
    before = link.message(START + 1)
    link.apply(reply("1"), START + 1, START + 1)
    assert ticket.grant is not None
    for thing in (pool.ledger, pool.weight, link):
        thing.after_fork()  # type: ignore[attr-defined]
    message = link.message(START + 2, contact=True)
    assert before is not None
    assert message is not None
    assert message["id"] != before["id"]
    assert (message["seq"], message["endings"], message["held"]) == (1, [], {})
