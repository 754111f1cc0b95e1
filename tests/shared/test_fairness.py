"""Consumers leave room for each other inside the store; the test says what time it is."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from binance_sdk._runtime.budget.shared.script import PARTS, pool_key, source

from .servers import Server

_TIMED = source(PARTS[:-1]) + source(PARTS[-1:]).replace("redis.call('TIME')", "{ARGV[3], ARGV[4]}")
_KEY, _WEIGHT = pool_key("default", "spot"), "weight/100"
_TABLE = {"weight": ["fixed", [[100, 1000]]]}
# The beginning of a window of 100 s; what came before it was the one that a new store does not believe.
_TURN = 1_000_000.0


class _Pool:
    def __init__(self, client: redis.Redis) -> None:
        self._run = client.register_script(_TIMED)
        self._numbers = itertools.count(1)
        self._ended: dict[str, int] = {}

    def ask(
        self, consumer: str, now: float, *amounts: int, share: float = 1.0, waits: bool = False
    ) -> tuple[int, float]:
        """What it is given of these amounts, together, and when it may ask for the next; all of it ends at once."""
        reply = self.say(consumer, now, amounts, share=share, waits=waits)
        given = sum(amount for amount, flag in zip(amounts, reply["granted"], strict=True) if flag == "1")
        if given:
            self._ended[consumer] = end = self._ended.get(consumer, 0) + 1
            ending = [end, True, _WEIGHT, given, -1, 0, 0, 0, "0", None]
            self.say(consumer, now, (), share=share, waits="0" in reply["granted"], ending=ending)
        return given, now + reply["short"].get(_WEIGHT, [0.0])[0]

    def say(
        self,
        consumer: str,
        now: float,
        amounts: tuple[int, ...],
        *,
        share: float = 1.0,
        waits: bool = False,
        ending: list[Any] | None = None,
        leave: bool = False,
    ) -> Any:
        message = {
            "id": consumer,
            "seq": next(self._numbers),
            "share": share,
            "version": "",
            "settled": 0,
            "table": _TABLE,
            "clock": [0.0, 0.0],
            "endings": [ending] if ending else [],
            "held": {},
            "wants": [[[_WEIGHT, amount, 1.0]] for amount in amounts],
            "waits": waits,
            "leave": leave,
        }
        return json.loads(self._run([_KEY], [json.dumps(message), "", str(int(now)), str(round(now % 1 * 1e6))]))


@pytest.fixture
def pool(server: Server) -> Iterator[_Pool]:
    with redis.Redis(port=server.port) as client:
        client.flushall()
        found = _Pool(client)
        found.ask("a", _TURN - 150)
        yield found


def test_of_those_that_wait_each_gets_its_share_whoever_comes_first(pool: _Pool) -> None:
    for name in "abcd":
        pool.ask(name, _TURN - 10, *[2000])
    calls = [50] * 20
    assert [pool.ask(name, _TURN + 1, *calls)[0] for name in "abcd"] == [250, 250, 250, 250]


def test_a_larger_share_gets_more(pool: _Pool) -> None:
    for name in "ab":
        pool.ask(name, _TURN - 10, 2000, share=3.0 if name == "b" else 1.0)
    calls = [50] * 20
    assert pool.ask("a", _TURN + 1, *calls)[0] == 250
    assert pool.ask("b", _TURN + 1, *calls, share=3.0)[0] == 750


def test_nothing_is_kept_for_those_that_want_nothing(pool: _Pool) -> None:
    for name in "bcd":
        pool.ask(name, _TURN - 10)
    pool.ask("a", _TURN - 10, 2000)
    assert pool.ask("a", _TURN + 1, *[50] * 20)[0] == 1000


def test_what_is_kept_fades_so_that_all_is_used(pool: _Pool) -> None:
    for name in "ab":
        pool.ask(name, _TURN - 10, 2000)
    given, again = pool.ask("a", _TURN + 1, *[100] * 20)
    assert given == 500
    # The other half is kept for the first tenth of the window, and from there on less and less until its half.
    assert 10 < again - _TURN < 50
    assert pool.ask("a", again - 0.1, 100)[0] == 0
    assert pool.ask("a", again, 100)[0] == 100
    given, again = pool.ask("a", _TURN + 50.2, *[100] * 20)
    assert given == 400


def test_a_consumer_that_comes_in_the_middle_takes_what_is_not_kept(pool: _Pool) -> None:
    assert pool.ask("a", _TURN - 10, 600)[0] == 600
    assert pool.ask("a", _TURN + 1, *[100] * 3)[0] == 300
    assert pool.ask("new", _TURN + 2, *[50] * 20)[0] == 400
    assert pool.ask("a", _TURN + 3, *[100] * 3)[0] == 300


def test_what_is_waited_for_is_remembered_while_other_things_are_said(pool: _Pool) -> None:
    for name in "ab":
        pool.ask(name, _TURN - 30, 2000)
    pool.ask("a", _TURN - 5, waits=True)
    assert pool.ask("b", _TURN + 1, *[50] * 20)[0] == 500
    # But who does not wait any more has no part.
    pool.ask("a", _TURN + 90)
    pool.ask("b", _TURN + 95, *[50] * 20)
    assert pool.ask("b", _TURN + 101, *[50] * 20)[0] == 1000


def test_a_call_larger_than_a_share_is_let_through_after_a_whole_window(pool: _Pool) -> None:
    pool.ask("a", _TURN - 60, *[50] * 20)
    for name in "abcdefgh":
        pool.ask(name, _TURN - 50, 400 if name == "h" else 2000)
    for name in "abcdefgh":
        pool.ask(name, _TURN - 25, waits=True)
    for name in "abcdefg":
        assert pool.ask(name, _TURN + 1, *[25] * 40)[0] == 125
    assert pool.ask("h", _TURN + 1, 400)[0] == 0
    for seconds in range(20, 100, 20):
        for name in "abcdefgh":
            pool.ask(name, _TURN + seconds, *([400] if name == "h" else [25] * 40))
    taken = [pool.ask(name, _TURN + 101, *[25] * 40)[0] for name in "abcdefg"]
    # What is promised is nobody else's; the others share the rest.
    assert (min(taken), sum(taken)) == (75, 600)
    assert pool.ask("h", _TURN + 102, 400)[0] == 400


def test_who_comes_and_who_leaves_is_counted_at_once(pool: _Pool) -> None:
    def told(consumer: str, share: float, *, leave: bool = False) -> tuple[int, float]:
        reply = pool.say(consumer, _TURN + 5, (), share=share, leave=leave)
        return reply["live"], reply["shares"]

    assert told("a", 1) == (1, 1)
    # All others are looked at once a second, and this is the same moment.
    assert told("b", 2.5) == (2, 3.5)
    assert told("c", 1) == (3, 4.5)
    told("b", 2.5, leave=True)
    assert told("a", 1) == (2, 2)


def test_the_more_wait_the_longer_each_leaves_the_store_alone(pool: _Pool) -> None:
    pool.say("a", _TURN + 90, (1000,))
    for number in range(59):
        pool.say(f"more {number}", _TURN + 90, ())
    # Requests in flight may be counted twice for a moment: it may ask again soon, which among 61 is 0.61 s.
    assert pool.say("b", _TURN + 91, (10,))["short"][_WEIGHT][0] == pytest.approx(0.61)
    # A little before the turn as well.
    assert pool.say("b", _TURN + 99.99, (10,))["short"][_WEIGHT][0] == pytest.approx(0.61)


def test_what_was_kept_for_a_consumer_that_lapsed_is_free(pool: _Pool) -> None:
    for name in "ab":
        pool.ask(name, _TURN - 29, 2000)
    assert pool.ask("a", _TURN + 0.5, *[50] * 20)[0] == 500
    # It was last heard of more than 30 s ago.
    assert pool.ask("a", _TURN + 3, *[50] * 20)[0] == 500


def test_a_dead_process_holds_its_reservations_for_half_a_minute(pool: _Pool) -> None:
    assert pool.say("b", _TURN + 0.5, (800,))["granted"] == "1"
    assert pool.ask("a", _TURN + 1, 300)[0] == 0
    # Whether they were sent is not known.
    assert pool.ask("a", _TURN + 32, 300)[0] == 0
    # At worst the exchange counts them in the window that follows.
    assert pool.ask("a", _TURN + 100.5, *[100] * 10)[0] == 200
    assert pool.ask("a", _TURN + 200.5, 1000)[0] == 1000
