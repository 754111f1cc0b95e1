"""What a process asks a store for, and what its replies change: rules, with times as numbers."""

from __future__ import annotations

import math

import pytest

from binance_sdk._runtime.budget.ledger import Need, Reservation, Ticket
from binance_sdk._runtime.budget.request_limits import ConcurrencyLimit
from binance_sdk._runtime.budget.shared.messages import Reply, ReplyError

from .links import START, WEIGHT, asked, linked, reply, table


def test_calls_are_asked_for_together_and_take_what_was_granted() -> None:
    pool, link = linked()
    now = START + 1
    first, second, third = (asked(pool, link, amount, now) for amount in (10, 20, 30))
    assert all(ticket.asking for ticket in (first, second, third))
    message = link.message(now)
    assert message is not None
    assert message["wants"] == [[[WEIGHT, amount, 1.0]] for amount in (10, 20, 30)]
    link.apply(reply("110", short={WEIGHT: (2.5, 30)}), now, now)
    assert (first.grant is not None, second.grant is not None, third.grant) == (True, True, None)
    # Those that were granted at the first answer have not waited.
    assert (first.asking, second.asking, third.asking) == (True, True, False)
    # Nothing is asked for before there may be room.
    link.look()
    assert link.message(now + 1) is None
    assert link.due(now + 1) == pytest.approx(now + 2.5)
    message = link.message(now + 2.5)
    assert message is not None
    assert (message["wants"], message["held"]) == ([[[WEIGHT, 30, 1.0]]], {WEIGHT: 30})


def test_who_has_nothing_to_say_says_nothing() -> None:
    pool, link = linked()
    assert link.due(START) == math.inf
    link.message(START, contact=True)
    link.apply(reply(), START, START)
    assert link.due(START + 60) == math.inf
    assert link.message(START + 60) is None
    link.look()
    assert link.due(START + 61) == START + 61
    assert link.message(START + 61) is None
    # While a request runs, it is looked at four times a second whether others ended; said is that it runs.
    ticket = asked(pool, link, 10, START + 61)
    assert link.message(START + 61) is not None
    link.apply(reply("1"), START + 61, START + 61)
    assert link.due(START + 61) == START + 61.25
    assert link.message(START + 61.25) is None
    message = link.message(START + 71)
    assert message is not None
    assert message["held"] == {WEIGHT: 10}
    link.apply(reply(), START + 71, START + 71)
    assert ticket.grant is not None
    pool.ledger.settle(ticket.grant, {}, START + 71.1)
    assert link.message(START + 71.2) is None
    assert link.due(START + 71.2) == pytest.approx(START + 71.45)
    assert link.message(START + 71.5) is not None


def test_a_message_says_that_calls_wait_for_the_store_and_not_that_they_wait_for_something_else() -> None:
    pool, link = linked()
    slots = ConcurrencyLimit("slots", 0)
    pool.ledger.reserve(Reservation((Need(slots, 1), Need(pool.weight, 1))), START + 1, lambda: None)
    message = link.message(START + 1, contact=True)
    assert message is not None
    assert "waits" not in message
    link.apply(reply(), START + 1, START + 1)
    asked(pool, link, 50, START + 2)
    link.message(START + 2)
    link.apply(reply("0", short={WEIGHT: (30.0, 50)}), START + 2, START + 2)
    message = link.message(START + 3, contact=True)
    assert message is not None
    assert (message["waits"], message["wants"]) == (True, [])


def test_what_nobody_takes_is_given_back() -> None:
    pool, link = linked()
    ticket = asked(pool, link, 10, START + 1)
    assert link.message(START + 1) is not None
    pool.ledger.cancel(ticket, START + 1)
    link.apply(reply("1"), START + 1, START + 1)
    assert pool.weight.in_flight == 0
    assert pool.ledger.try_reserve((Need(pool.weight, 10),), START + 1) is None


def test_endings_are_told_until_they_count() -> None:
    pool, link = linked()
    ticket = asked(pool, link, 10, START + 1)
    link.message(START + 1)
    link.apply(reply("1"), START + 1, START + 1)
    assert ticket.grant is not None
    pool.ledger.settle(ticket.grant, {pool.weight.name: 17}, START + 2)
    told = [1, True, WEIGHT, 10, 1_000_000, 0, 0, 0, f"{START:.6f}", 17]
    for _ in range(2):
        # Its reply may have been lost.
        message = link.message(START + 3, contact=True)
        assert message is not None
        assert (message["endings"], message["held"]) == ([told], {})
    link.apply(reply(settled=1), START + 3, START + 3)
    message = link.message(START + 4, contact=True)
    assert message is not None
    assert (message["endings"], message["settled"]) == ([], 1)


def test_only_what_can_be_sent_is_asked_for() -> None:
    pool, link = linked()
    slots = ConcurrencyLimit("slots", 2)
    for _ in range(5):
        found = pool.ledger.reserve(Reservation((Need(slots, 1), Need(pool.weight, 1))), START + 1, lambda: None)
        assert isinstance(found, Ticket)
    wants = pool.ledger.demand(list(link.windows.values()), START + 1, 64)
    assert len(wants) == 2
    assert slots.in_flight == 0
    assert len(pool.ledger.demand(list(link.windows.values()), START + 1, 1)) == 1


def test_a_high_priority_passes_those_that_were_refused() -> None:
    pool, link = linked()
    asked(pool, link, 50, START + 1)
    link.message(START + 1)
    link.apply(reply("0", short={WEIGHT: (30.0, 50)}), START + 1, START + 1)
    # Behind the first there is nothing to be had, before it there may be.
    asked(pool, link, 1, START + 2)
    assert link.message(START + 2) is None
    found = pool.ledger.reserve(Reservation((Need(pool.weight, 1),), "high"), START + 2, lambda: None)
    assert isinstance(found, Ticket)
    link.ask(found, 0)
    message = link.message(START + 2)
    assert message is not None
    assert message["wants"][0] == [[WEIGHT, 1, 1.0]]


def test_limits_that_others_learned_are_taken_over() -> None:
    pool, link = linked()
    version = pool.version
    asked(pool, link, 50, START + 1)
    link.message(START + 1)
    link.apply(reply(table=table(weight=[(10, 1000), (60, 5000)], unheard_of=[(60, 1)])), START + 1, START + 1)
    assert (pool.weight.limit, pool.other_weights[0].limit, pool.other_weights[0].seconds) == (5000, 1000, 10)
    assert pool.version == version + 1
    message = link.message(START + 1)
    assert message is not None
    assert (message["version"], "table" in message) == ("v", False)
    pool.learn_limits([("REQUEST_WEIGHT", "MINUTE", 1, 4000)], START + 1)
    message = link.message(START + 2, contact=True)
    assert message is not None
    assert (message["learned"], message["table"]["weight"]) == (True, ["fixed", [[60, 4000]]])


def test_limits_that_the_exchange_announces_while_a_message_is_under_way_are_told_by_the_next() -> None:
    for told in (None, table(weight=[(60, 5000)])):
        pool, link = linked()
        link.message(START + 1, contact=True)
        pool.learn_limits([("REQUEST_WEIGHT", "MINUTE", 1, 4000)], START + 1)
        link.apply(reply(table=told), START + 1, START + 1)
        assert pool.weight.limit == 4000
        message = link.message(START + 2, contact=True)
        assert message is not None
        assert (message["learned"], message["table"]["weight"]) == (True, ["fixed", [[60, 4000]]])


def test_after_a_message_that_was_stopped_everybody_asks_again_at_once() -> None:
    pool, link = linked()
    tickets = [asked(pool, link, 10, START + 1) for _ in range(2)]
    assert link.message(START + 1) is not None
    pool.ledger.cancel(tickets[0], START + 1)
    link.interrupted()
    assert link.due(START + 1) == START + 1
    message = link.message(START + 1)
    assert message is not None
    assert message["wants"] == [[[WEIGHT, 10, 1.0]]]
    link.apply(reply("1"), START + 1, START + 1)
    assert tickets[1].grant is not None


@pytest.mark.parametrize(
    "wrong", [reply(""), reply("11"), reply("1", taken={})], ids=["too few", "too many", "without its snapshot"]
)
def test_a_reply_that_does_not_fit_is_refused(wrong: Reply) -> None:
    pool, link = linked()
    asked(pool, link, 10, START + 1)
    link.message(START + 1)
    with pytest.raises(ReplyError):
        link.apply(wrong, START + 1, START + 1)


def test_a_gate_that_others_closed_is_closed_here_and_not_told_back() -> None:
    pool, link = linked()
    link.message(START + 1, contact=True)
    link.apply(reply(closed=30.0, reason="over a request limit (429)"), START + 1, START + 1)
    assert (pool.gate.closed_until, pool.gate.reason) == (START + 31, "over a request limit (429)")
    assert link.due(START + 1) > START + 1
    pool.gate.limited(START + 2, START + 60, START + 40)
    assert link.due(START + 2) == START + 2
    message = link.message(START + 2)
    assert message is not None
    assert message["gate"] == [58.0, 0.0, "over a request limit (429)", 1, 0, 0]


def test_a_gate_that_is_open_again_is_told_to_nobody() -> None:
    pool, link = linked()
    pool.gate.limited(START + 1, START + 3, START + 1)
    assert link.due(START + 2) == START + 2
    assert link.message(START + 4) is None
    assert link.due(START + 4) == math.inf


def test_refusals_go_on_where_another_process_has_left_off() -> None:
    pool, link = linked()
    link.message(START + 1, contact=True)
    link.apply(reply(in_a_row=(3, 2, 0)), START + 1, START + 1)
    pool.gate.refuse(START + 2, START + 2)
    # The third in a row: after 5 and 10 s.
    assert pool.gate.closed_until == START + 22
    link.message(START + 2)
    # What the store knew before it heard of that takes nothing back.
    pool.gate.limited(START + 30, START + 31, START + 30)
    link.apply(reply(in_a_row=(3, 3, 0)), START + 2, START + 30)
    assert pool.gate.in_a_row == (4, 3, 0)
    message = link.message(START + 30)
    assert message is not None
    assert message["gate"][3:] == [4, 3, 0]


def test_that_a_request_has_passed_is_told_until_the_store_has_heard() -> None:
    pool, link = linked()
    link.message(START + 1, contact=True)
    link.apply(reply(in_a_row=(3, 0, 0)), START + 1, START + 1)
    pool.gate.passed(START + 2)
    for _ in range(2):
        # The first reply is lost.
        message = link.message(START + 3, contact=True)
        assert message is not None
        assert message["passed"]
    link.apply(reply(in_a_row=(0, 0, 0)), START + 3, START + 3)
    pool.gate.passed(START + 4)
    message = link.message(START + 4, contact=True)
    assert message is not None
    assert "passed" not in message
