"""Consumers of a group's window take turns inside the store; the test says what time it is."""

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
_KEY, _GROUP = pool_key("default", "futures"), "funding_rate/100"
_TABLE = {"weight": ["fixed", [[60, 10**6]]], "funding_rate": ["sliding", [[100, 100]]]}
# A new store does not believe the window of its first 100 s.
_START = 1_000_000.0


class _Pool:
    def __init__(self, client: redis.Redis) -> None:
        self._run = client.register_script(_TIMED)
        self._numbers = itertools.count(1)
        self._ended: dict[str, int] = {}

    def say(self, consumer: str, now: float, wants: int, *, ended: int = 0, **more: Any) -> Any:
        end = self._ended.get(consumer, 0) + bool(ended)
        self._ended[consumer] = end
        ending = [[end, True, _GROUP, ended, 0, 0, 0, 0, "0", None]] if ended else []
        message = {
            "id": consumer,
            "seq": next(self._numbers),
            "share": 1,
            "version": "",
            "settled": 0,
            "table": _TABLE,
            "endings": ending,
            "held": {},
            "wants": [[[_GROUP, 1, 1.0]]] * wants,
            **more,
        }
        return json.loads(self._run([_KEY], [json.dumps(message), "", str(int(now)), str(round(now % 1 * 1e6))]))

    def ask(self, consumer: str, now: float, wants: int, **more: Any) -> int:
        """How many of its calls go; all of them end at once."""
        given: int = self.say(consumer, now, wants, **more)["granted"].count("1")
        if given:
            # What was refused goes on waiting.
            self.say(consumer, now, 0, ended=given, waits=given < wants, **more)
        return given


@pytest.fixture
def pool(server: Server) -> Iterator[_Pool]:
    with redis.Redis(port=server.port) as client:
        client.flushall()
        found = _Pool(client)
        found.say("a", _START - 110, 0)
        yield found


def test_who_wants_all_of_it_leaves_what_another_waits_for(pool: _Pool) -> None:
    assert pool.ask("hungry", _START, 64) == 64
    assert pool.ask("hungry", _START + 10, 64) == 36
    assert pool.ask("modest", _START + 20, 2) == 0
    assert pool.ask("hungry", _START + 21, 64) == 0
    # Of the 64 that are free again, two are left for the one that waits; without it all are the hungry one's.
    assert pool.ask("hungry", _START + 100.5, 64) == 62
    assert pool.ask("modest", _START + 100.6, 2) == 2


def test_what_is_left_for_one_who_does_not_come_is_left_for_a_second(pool: _Pool) -> None:
    assert pool.ask("hungry", _START, 100) == 100
    assert pool.ask("gone", _START + 20, 64) == 0
    assert pool.ask("hungry", _START + 100.5, 64) == 36
    assert pool.ask("hungry", _START + 101.5, 64) == 64


def test_who_wants_nothing_more_gives_way(pool: _Pool) -> None:
    assert pool.ask("hungry", _START, 100) == 100
    assert pool.ask("other", _START + 20, 64) == 0
    # It waits for nothing now: its calls were given up.
    pool.say("other", _START + 99, 0)
    assert pool.ask("hungry", _START + 100.5, 64) == 64


def test_those_who_used_the_same_do_not_wait_for_each_other(pool: _Pool) -> None:
    assert pool.ask("hungry", _START, 100) == 100
    for name in "bcd":
        assert pool.ask(name, _START + 20, 64) == 0
    assert pool.ask("b", _START + 100.5, 64) == 1
    assert pool.ask("c", _START + 100.5, 64) > 0


def test_the_list_holds_the_few_who_used_least_and_still_wait(pool: _Pool, server: Server) -> None:
    assert pool.ask("hungry", _START, 90) == 90
    assert pool.ask("modest", _START, 10) == 10
    for number in range(40):
        assert pool.ask(f"new {number}", _START + 20, 1) == 0
    for name in ("hungry", "modest"):
        assert pool.ask(name, _START + 20, 1) == 0
    assert pool.ask("newest", _START + 20, 1, share=3) == 0
    with redis.Redis(port=server.port) as client:

        def waiting() -> list[str]:
            found: Any = client.eval(_WAITING, 1, _KEY)
            return [name.decode() for name in found]

        assert len(waiting()) == 32
        assert all(name.startswith("new") for name in waiting())
        # They did not come when they could, and are forgotten.
        pool.ask("hungry", _START + 102, 64)
        assert pool.ask("modest", _START + 102, 64) == 36
        pool.say("modest", _START + 102, 1)
        assert waiting() == ["modest"]


_WAITING = """
local found = {}
for number, entry in ipairs(cmsgpack.unpack(redis.call('HGET', KEYS[1], 'pool')).windows['funding_rate/100'].waiting) do
  found[number] = entry[1]
end
return found
"""


def _taken(pool: _Pool, order: str, shares: dict[str, float]) -> dict[str, int]:
    """What each gets in 400 s if all want more than there is, and ask in this order; the first comes first of all."""
    taken = dict.fromkeys(shares, 0)
    for step in range(600):
        for position, name in enumerate(order):
            given = pool.ask(name, _START + step + position / 100, 64, share=shares[name])
            taken[name] += given if step >= 200 else 0
    assert 380 < sum(taken.values()) <= 500
    return taken


def test_whoever_asks_first_and_most_often_gets_no_more_than_others(pool: _Pool) -> None:
    taken = _taken(pool, "aabac", {"a": 1, "b": 1, "c": 1})
    assert max(taken.values()) < 1.3 * min(taken.values()), taken


def test_a_larger_share_gets_more(pool: _Pool) -> None:
    taken = _taken(pool, "abc", {"a": 1, "b": 1, "c": 2})
    assert taken["c"] > 1.6 * max(taken["a"], taken["b"]), taken
