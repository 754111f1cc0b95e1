"""What a process asks a store for, and what it may spend while the store is away: rules, with times as numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from binance_sdk._runtime.budget.ledger import Grant, Ledger, Need, Reservation, Ticket
from binance_sdk._runtime.budget.pool import Pool
from binance_sdk._runtime.budget.request_limits import ConcurrencyLimit
from binance_sdk._runtime.budget.server_time import ServerTime
from binance_sdk._runtime.budget.shared.messages import Reply, ReplyError
from binance_sdk._runtime.budget.shared.pool_link import PoolLink
from binance_sdk._runtime.budget.shared.script import Script
from binance_sdk._runtime.budget.shared.status import StoreStatus
from binance_sdk._runtime.market import Limit, PoolLimits
from binance_sdk.errors import BudgetError

_WEIGHT, _GROUP = "weight/60", "group/300"
_START = 1_000_000.0 * 60


class _Store:
    changes = 0
    status = StoreStatus("connected", 0.0, "", 1)


def _linked(share: float = 1.0) -> tuple[Pool, PoolLink]:
    link = PoolLink(Script("key"), share, lambda: None, lambda link: False, _Store())
    limits = PoolLimits("spot", Limit(6000, 60), {"group": Limit(500, 300)}, "x-mbx-used-weight-{interval}")
    time = ServerTime(_START, _START)
    # The clocks agree, and it is known how well.
    time.observe(_START, 0.001, _START, _START)
    pool = Pool("spot", limits, time, Ledger(), link=link)
    link.attach(pool)
    pool.observe_time(_START, 0.001, _START, _START)
    return pool, link


def _asked(pool: Pool, link: PoolLink, amount: int, now: float, *, wake: Callable[[], None] = lambda: None) -> Ticket:
    found = pool.ledger.reserve(Reservation((Need(pool.gate, 1), Need(pool.weight, amount))), now, wake)
    assert isinstance(found, Ticket)
    link.ask(found, 0)
    return found


def _reply(granted: str = "", now: float = _START, **more: Any) -> Reply:
    taken = {_WEIGHT: (1_000_000, 0, 0, 0, True)} if "1" in granted else {}
    told: dict[str, Any] = {
        "granted": granted,
        "short": {},
        "taken": taken,
        "used": {_WEIGHT: 0, _GROUP: 0},
        "table": None,
        "version": "v",
        "settled": 0,
        "doubted": False,
        "live": 8,
        "shares": 8.0,
        "now": f"{now:.6f}",
        "closed": 0.0,
        "banned": 0.0,
        "reason": "",
        "in_a_row": (0, 0, 0),
    }
    return Reply(**{**told, **more})


def _table(**kinds: list[tuple[int, int]]) -> dict[str, Any]:
    return {kind: ("fixed" if kind == "weight" else "sliding", pairs) for kind, pairs in kinds.items()}


def _spendable(pool: Pool, now: float, amount: int = 10) -> int:
    """Weight that goes at once, in calls of one size."""
    spent = 0
    while isinstance(found := pool.ledger.try_reserve((Need(pool.weight, amount),), now), Grant):
        spent += amount
        pool.ledger.settle(found, {}, now)
    return spent


# ------------------------------------------------------------------------------- with the store


def test_calls_are_asked_for_together_and_take_what_was_granted() -> None:
    pool, link = _linked()
    now = _START + 1
    first, second, third = (_asked(pool, link, amount, now) for amount in (10, 20, 30))
    assert all(ticket.asking for ticket in (first, second, third))
    message = link.message(now)
    assert message is not None
    assert message["wants"] == [[[_WEIGHT, amount, 1.0]] for amount in (10, 20, 30)]
    link.apply(_reply("110", short={_WEIGHT: (2.5, 30)}), now, now)
    assert (first.grant is not None, second.grant is not None, third.grant) == (True, True, None)
    # Those that were granted at the first answer have not waited.
    assert (first.asking, second.asking, third.asking) == (True, True, False)
    # Nothing is asked for before there may be room.
    link.look()
    assert link.message(now + 1) is None
    assert link.due(now + 1) == pytest.approx(now + 2.5)
    message = link.message(now + 2.5)
    assert message is not None
    assert (message["wants"], message["held"]) == ([[[_WEIGHT, 30, 1.0]]], {_WEIGHT: 30})


def test_who_has_nothing_to_say_says_nothing() -> None:
    pool, link = _linked()
    assert link.due(_START) == math.inf
    link.message(_START, contact=True)
    link.apply(_reply(), _START, _START)
    assert link.due(_START + 60) == math.inf
    assert link.message(_START + 60) is None
    link.look()
    assert link.due(_START + 61) == _START + 61
    assert link.message(_START + 61) is None
    # While a request runs, it is looked at four times a second whether others ended; said is that it runs.
    ticket = _asked(pool, link, 10, _START + 61)
    assert link.message(_START + 61) is not None
    link.apply(_reply("1"), _START + 61, _START + 61)
    assert link.due(_START + 61) == _START + 61.25
    assert link.message(_START + 61.25) is None
    message = link.message(_START + 71)
    assert message is not None
    assert message["held"] == {_WEIGHT: 10}
    link.apply(_reply(), _START + 71, _START + 71)
    assert ticket.grant is not None
    pool.ledger.settle(ticket.grant, {}, _START + 71.1)
    assert link.message(_START + 71.2) is None
    assert link.due(_START + 71.2) == pytest.approx(_START + 71.45)
    assert link.message(_START + 71.5) is not None


def test_a_message_says_that_calls_wait_for_the_store_and_not_that_they_wait_for_something_else() -> None:
    pool, link = _linked()
    slots = ConcurrencyLimit("slots", 0)
    pool.ledger.reserve(Reservation((Need(slots, 1), Need(pool.weight, 1))), _START + 1, lambda: None)
    message = link.message(_START + 1, contact=True)
    assert message is not None
    assert "waits" not in message
    link.apply(_reply(), _START + 1, _START + 1)
    _asked(pool, link, 50, _START + 2)
    link.message(_START + 2)
    link.apply(_reply("0", short={_WEIGHT: (30.0, 50)}), _START + 2, _START + 2)
    message = link.message(_START + 3, contact=True)
    assert message is not None
    assert (message["waits"], message["wants"]) == (True, [])


def test_what_nobody_takes_is_given_back() -> None:
    pool, link = _linked()
    ticket = _asked(pool, link, 10, _START + 1)
    assert link.message(_START + 1) is not None
    pool.ledger.cancel(ticket, _START + 1)
    link.apply(_reply("1"), _START + 1, _START + 1)
    assert pool.weight.in_flight == 0
    assert pool.ledger.try_reserve((Need(pool.weight, 10),), _START + 1) is None


def test_endings_are_told_until_they_count() -> None:
    pool, link = _linked()
    ticket = _asked(pool, link, 10, _START + 1)
    link.message(_START + 1)
    link.apply(_reply("1"), _START + 1, _START + 1)
    assert ticket.grant is not None
    pool.ledger.settle(ticket.grant, {pool.weight.name: 17}, _START + 2)
    told = [1, True, _WEIGHT, 10, 1_000_000, 0, 0, 0, f"{_START:.6f}", 17]
    for _ in range(2):
        # Its reply may have been lost.
        message = link.message(_START + 3, contact=True)
        assert message is not None
        assert (message["endings"], message["held"]) == ([told], {})
    link.apply(_reply(settled=1), _START + 3, _START + 3)
    message = link.message(_START + 4, contact=True)
    assert message is not None
    assert (message["endings"], message["settled"]) == ([], 1)


def test_only_what_can_be_sent_is_asked_for() -> None:
    pool, link = _linked()
    slots = ConcurrencyLimit("slots", 2)
    for _ in range(5):
        found = pool.ledger.reserve(Reservation((Need(slots, 1), Need(pool.weight, 1))), _START + 1, lambda: None)
        assert isinstance(found, Ticket)
    wants = pool.ledger.demand(list(link.windows.values()), _START + 1, 64)
    assert len(wants) == 2
    assert slots.in_flight == 0
    assert len(pool.ledger.demand(list(link.windows.values()), _START + 1, 1)) == 1


def test_a_high_priority_passes_those_that_were_refused() -> None:
    pool, link = _linked()
    _asked(pool, link, 50, _START + 1)
    link.message(_START + 1)
    link.apply(_reply("0", short={_WEIGHT: (30.0, 50)}), _START + 1, _START + 1)
    # Behind the first there is nothing to be had, before it there may be.
    _asked(pool, link, 1, _START + 2)
    assert link.message(_START + 2) is None
    found = pool.ledger.reserve(Reservation((Need(pool.weight, 1),), "high"), _START + 2, lambda: None)
    assert isinstance(found, Ticket)
    link.ask(found, 0)
    message = link.message(_START + 2)
    assert message is not None
    assert message["wants"][0] == [[_WEIGHT, 1, 1.0]]


def test_limits_that_others_learned_are_taken_over() -> None:
    pool, link = _linked()
    version = pool.version
    _asked(pool, link, 50, _START + 1)
    link.message(_START + 1)
    link.apply(_reply(table=_table(weight=[(10, 1000), (60, 5000)], unheard_of=[(60, 1)])), _START + 1, _START + 1)
    assert (pool.weight.limit, pool.other_weights[0].limit, pool.other_weights[0].seconds) == (5000, 1000, 10)
    assert pool.version == version + 1
    message = link.message(_START + 1)
    assert message is not None
    assert (message["version"], "table" in message) == ("v", False)
    pool.learn_limits([("REQUEST_WEIGHT", "MINUTE", 1, 4000)], _START + 1)
    message = link.message(_START + 2, contact=True)
    assert message is not None
    assert (message["learned"], message["table"]["weight"]) == (True, ["fixed", [[60, 4000]]])


def test_limits_that_the_exchange_announces_while_a_message_is_under_way_are_told_by_the_next() -> None:
    for table in (None, _table(weight=[(60, 5000)])):
        pool, link = _linked()
        link.message(_START + 1, contact=True)
        pool.learn_limits([("REQUEST_WEIGHT", "MINUTE", 1, 4000)], _START + 1)
        link.apply(_reply(table=table), _START + 1, _START + 1)
        assert pool.weight.limit == 4000
        message = link.message(_START + 2, contact=True)
        assert message is not None
        assert (message["learned"], message["table"]["weight"]) == (True, ["fixed", [[60, 4000]]])


def test_after_a_message_that_was_stopped_everybody_asks_again_at_once() -> None:
    pool, link = _linked()
    tickets = [_asked(pool, link, 10, _START + 1) for _ in range(2)]
    assert link.message(_START + 1) is not None
    pool.ledger.cancel(tickets[0], _START + 1)
    link.interrupted()
    assert link.due(_START + 1) == _START + 1
    message = link.message(_START + 1)
    assert message is not None
    assert message["wants"] == [[[_WEIGHT, 10, 1.0]]]
    link.apply(_reply("1"), _START + 1, _START + 1)
    assert tickets[1].grant is not None


@pytest.mark.parametrize(
    "reply", [_reply(""), _reply("11"), _reply("1", taken={})], ids=["too few", "too many", "without its snapshot"]
)
def test_a_reply_that_does_not_fit_is_refused(reply: Reply) -> None:
    pool, link = _linked()
    _asked(pool, link, 10, _START + 1)
    link.message(_START + 1)
    with pytest.raises(ReplyError):
        link.apply(reply, _START + 1, _START + 1)


def test_a_gate_that_others_closed_is_closed_here_and_not_told_back() -> None:
    pool, link = _linked()
    link.message(_START + 1, contact=True)
    link.apply(_reply(closed=30.0, reason="over a request limit (429)"), _START + 1, _START + 1)
    assert (pool.gate.closed_until, pool.gate.reason) == (_START + 31, "over a request limit (429)")
    assert link.due(_START + 1) > _START + 1
    pool.gate.limited(_START + 2, _START + 60, _START + 40)
    assert link.due(_START + 2) == _START + 2
    message = link.message(_START + 2)
    assert message is not None
    assert message["gate"] == [58.0, 0.0, "over a request limit (429)", 1, 0, 0]


def test_a_gate_that_is_open_again_is_told_to_nobody() -> None:
    pool, link = _linked()
    pool.gate.limited(_START + 1, _START + 3, _START + 1)
    assert link.due(_START + 2) == _START + 2
    assert link.message(_START + 4) is None
    assert link.due(_START + 4) == math.inf


def test_refusals_go_on_where_another_process_has_left_off() -> None:
    pool, link = _linked()
    link.message(_START + 1, contact=True)
    link.apply(_reply(in_a_row=(3, 2, 0)), _START + 1, _START + 1)
    pool.gate.refuse(_START + 2, _START + 2)
    # The third in a row: after 5 and 10 s.
    assert pool.gate.closed_until == _START + 22
    link.message(_START + 2)
    # What the store knew before it heard of that takes nothing back.
    pool.gate.limited(_START + 30, _START + 31, _START + 30)
    link.apply(_reply(in_a_row=(3, 3, 0)), _START + 2, _START + 30)
    assert pool.gate.in_a_row == (4, 3, 0)
    message = link.message(_START + 30)
    assert message is not None
    assert message["gate"][3:] == [4, 3, 0]


def test_that_a_request_has_passed_is_told_until_the_store_has_heard() -> None:
    pool, link = _linked()
    link.message(_START + 1, contact=True)
    link.apply(_reply(in_a_row=(3, 0, 0)), _START + 1, _START + 1)
    pool.gate.passed(_START + 2)
    for _ in range(2):
        # The first reply is lost.
        message = link.message(_START + 3, contact=True)
        assert message is not None
        assert message["passed"]
    link.apply(_reply(in_a_row=(0, 0, 0)), _START + 3, _START + 3)
    pool.gate.passed(_START + 4)
    message = link.message(_START + 4, contact=True)
    assert message is not None
    assert "passed" not in message


# ---------------------------------------------------------------------------- without the store


def test_of_the_running_window_each_may_spend_its_part_of_what_was_left() -> None:
    pool, link = _linked()
    now = _START + 20
    link.message(now, contact=True)
    link.apply(_reply(used={_WEIGHT: 5000, _GROUP: 0}), now, now)
    link.leave_store(now + 0.2, now + 0.1)
    # An eighth of 97 % of 6000 less 5000.
    assert _spendable(pool, now + 0.3) == 100
    # From the next window on it is an eighth of 97 %, and not before the window has certainly begun.
    assert _spendable(pool, _START + 60.1) == 0
    assert _spendable(pool, _START + 60.2) == 720
    assert _spendable(pool, _START + 90) == 0
    assert _spendable(pool, _START + 121) == 720


@pytest.mark.parametrize("failed_at", [_START + 25, math.inf], ids=["told long ago", "others may be answered"])
def test_of_a_window_of_which_too_little_is_known_each_gets_a_small_part(failed_at: float) -> None:
    pool, link = _linked()
    link.message(_START + 20, contact=True)
    link.apply(_reply(), _START + 20, _START + 20)
    link.leave_store(_START + 25, failed_at)
    # An eighth of 3 %.
    assert _spendable(pool, _START + 26, 2) == 22
    assert _spendable(pool, _START + 61) == 720


def test_who_waited_for_a_window_has_its_part_if_the_store_is_away_when_it_opens() -> None:
    pool, link = _linked()
    _asked(pool, link, 50, _START + 30)
    link.message(_START + 30)
    link.apply(_reply("0", short={_WEIGHT: (30.2, 50)}, used={_WEIGHT: 6000, _GROUP: 0}), _START + 30, _START + 30)
    now = _START + 60.2
    assert link.message(now) is not None
    link.leave_store(now, now)
    # The call that waited has got its 50 of an eighth of 97 %.
    assert _spendable(pool, now) == 670


def test_what_a_process_spent_itself_is_a_part_of_its_part() -> None:
    pool, link = _linked()
    for number in range(20):
        ticket = _asked(pool, link, 50, _START + 1 + number)
        link.message(_START + 1 + number)
        link.apply(_reply("1", used={_WEIGHT: 50 * number, _GROUP: 0}), _START + 1 + number, _START + 1 + number)
        assert ticket.grant is not None
        pool.ledger.settle(ticket.grant, {}, _START + 1 + number)
    link.leave_store(_START + 21, _START + 20.5)
    assert _spendable(pool, _START + 21) == 0


def test_what_was_not_sent_after_all_may_be_spent() -> None:
    pool, link = _linked()
    link.leave_store(_START + 1, _START + 1)
    found = pool.ledger.try_reserve((Need(pool.weight, 100),), _START + 2)
    assert isinstance(found, Grant)
    pool.ledger.refund(found, _START + 2)
    assert _spendable(pool, _START + 2) == 170


def test_what_others_spend_while_the_store_is_away_is_not_the_traffic_of_strangers() -> None:
    pool, link = _linked()
    link.message(_START + 1, contact=True)
    link.apply(_reply(), _START + 1, _START + 1)
    link.leave_store(_START + 2, math.inf)
    found = pool.ledger.try_reserve((Need(pool.weight, 10),), _START + 70)
    assert isinstance(found, Grant)
    # Seven others, who have the larger part of it.
    pool.ledger.settle(found, {pool.weight.name: 4000}, _START + 80)
    assert _spendable(pool, _START + 121) == 720


def test_nothing_that_was_given_out_before_is_left_after_the_store_was_away() -> None:
    pool, link = _linked()
    link.leave_store(_START + 1, _START + 1)
    link.return_to_store()
    assert pool.ledger.try_reserve((Need(pool.weight, 1),), _START + 2) is None


def test_what_all_have_used_of_a_group_is_told_until_its_window_is_over() -> None:
    pool, link = _linked()
    link.message(_START + 1, contact=True)
    link.apply(_reply(used={_WEIGHT: 0, _GROUP: 7}), _START + 1, _START + 1)
    assert pool.usage(pool.groups["group"], _START + 300.5).used == 7
    assert pool.usage(pool.groups["group"], _START + 301).used == 0


def test_a_process_that_never_reached_its_store_gets_3_percent() -> None:
    pool, link = _linked()
    link.leave_store(_START + 1, _START + 1)
    assert _spendable(pool, _START + 2) == 170
    assert _spendable(pool, _START + 61) == 170


def test_a_call_larger_than_the_part_waits_for_a_while_and_no_longer() -> None:
    pool, link = _linked()
    link.leave_store(_START + 1, _START + 1)
    reservation = Reservation((Need(pool.gate, 1), Need(pool.weight, 175, 0.95)), operation="spot.depth")
    assert isinstance(pool.ledger.reserve(reservation, _START + 2, lambda: None), Ticket)
    link.check_fits(reservation, _START + 10.9)
    with pytest.raises(
        BudgetError, match=r"spot.depth: takes 175 of spot weight, of which this process may use 165 in"
    ):
        link.check_fits(reservation, _START + 11)
    link.check_fits(Reservation((Need(pool.weight, 165, 0.95),)), _START + 11)
    link.return_to_store()
    link.check_fits(reservation, _START + 12)


def test_a_larger_share_is_a_larger_part() -> None:
    pool, link = _linked(2.0)
    link.message(_START + 1, contact=True)
    link.apply(_reply(), _START + 1, _START + 1)
    link.leave_store(_START + 2, math.inf)
    assert _spendable(pool, _START + 61) == 1450


def test_the_largest_number_of_processes_is_remembered_for_ten_minutes() -> None:
    pool, link = _linked()
    for seconds, shares, part in ((1, 8.0, 720), (300, 1.0, 720), (800, 1.0, 5820)):
        now = _START + seconds
        link.message(now, contact=True)
        link.apply(_reply(shares=shares), now, now)
        link.leave_store(now, math.inf)
        assert _spendable(pool, _START + (seconds // 60 + 2) * 60 + 1) == part
        link.return_to_store()


def test_all_come_back_with_the_same_window() -> None:
    _, link = _linked()
    link.leave_store(_START + 1, _START + 1)
    assert link.due(_START + 2) == math.inf
    link.answered(_START + 10, doubted=True)
    assert link.back_at == pytest.approx(_START + 60.12, abs=0.01)
    # The store has not seen the turn yet, and it is about to.
    link.answered(_START + 60.05, doubted=True)
    assert link.back_at == pytest.approx(_START + 60.12, abs=0.01)
    link.answered(_START + 30, doubted=False)
    assert link.back_at == _START + 30


def test_what_was_spent_without_the_store_is_told_in_few_words() -> None:
    pool, link = _linked()
    link.leave_store(_START + 1, _START + 1)
    for window in range(40):
        _spendable(pool, _START + 61 + 60 * window, 2)
    message = link.message(_START + 5000, contact=True)
    assert message is not None
    assert len(message["endings"]) <= 500
    total = sum(row[3] for row in message["endings"]) + message["held"].get(_WEIGHT, 0)
    assert total == 40 * 174


def test_the_child_of_a_fork_is_a_consumer_of_its_own() -> None:
    pool, link = _linked()
    ticket = _asked(pool, link, 10, _START + 1)
    before = link.message(_START + 1)
    link.apply(_reply("1"), _START + 1, _START + 1)
    assert ticket.grant is not None
    for thing in (pool.ledger, pool.weight, link):
        thing.after_fork()  # type: ignore[attr-defined]
    message = link.message(_START + 2, contact=True)
    assert before is not None
    assert message is not None
    assert message["id"] != before["id"]
    assert (message["seq"], message["endings"], message["held"]) == (1, [], {})
