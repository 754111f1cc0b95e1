"""The pool in the store against windows in memory: several consumers, lost replies, lapses; then the script itself."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
from redis.exceptions import NoScriptError

from binance_sdk._runtime.budget.fixed_window import FixedWindow
from binance_sdk._runtime.budget.resource import Charge
from binance_sdk._runtime.budget.shared.script import PARTS, Script, pool_key, source
from binance_sdk._runtime.budget.sliding_window import SlidingWindow

from .servers import Server

# The script as it is, but for three things: the test says what time it is, silent consumers are looked for with every
# message, and how consumers leave room for each other is another test's.
_AT_A_TIME = (
    source(PARTS[:-1]).replace("LOOK = 30, 3600, 1\n", "LOOK = 30, 3600, 0\n")
    + "fairness.ready_at = function(w, part, amount, now) return now end\n"
    + "turns.has_room = function() return true end\n"
    + source(PARTS[-1:]).replace("redis.call('TIME')", "{ARGV[3], ARGV[4]}")
)
_TABLE = {"weight": ["fixed", [[10, 100]]], "group": ["sliding", [[10, 12]]]}
_WEIGHT, _GROUP = "weight/10", "group/10"
_PLAIN: dict[str, Any] = {"version": "", "share": 1, "settled": 0, "endings": [], "held": {}, "wants": []}
_KEY = pool_key("default", "spot")


def _parts(now: float) -> tuple[str, str]:
    """A time as the store's ``TIME`` tells it."""
    return str(int(now)), str(round(now % 1 * 1e6))


@dataclass
class _Request:
    charges: list[list[Any]]
    """As the store gave them."""
    memory: dict[str, Charge]
    """The same, in memory."""


@dataclass
class _Consumer:
    """One process, as the store sees it and as the windows in memory do."""

    id: str
    seq: int = 0
    ended: int = 0
    requests: list[_Request] = field(default_factory=list[_Request])
    lost: list[_Request] = field(default_factory=list[_Request])
    """Granted in a reply that never arrived."""
    seen: float | None = None
    lapsed: bool = False
    told: list[Any] = field(default_factory=list[Any])
    """The endings of the message before, which are told again: its reply may not have arrived."""


class _Memory:
    def __init__(self, now: float) -> None:
        # While nobody has told the exchange's time, it may be a second off.
        self.weight = FixedWindow(_WEIGHT, 100, 10, uncertainty=1.0)
        self.group = SlidingWindow(_GROUP, 12, 10)
        self.windows: dict[str, FixedWindow | SlidingWindow] = {_WEIGHT: self.weight, _GROUP: self.group}
        self.weight.roll(now)

    def lapse(self, consumers: list[_Consumer], now: float) -> None:
        for consumer in consumers:
            if consumer.seen is None or consumer.seen + 30 >= now:
                continue
            for name, window in self.windows.items():
                held = [r.memory[name].amount for r in consumer.requests + consumer.lost if name in r.memory]
                if held:
                    window.settle(Charge(sum(held), -1), None, now, answered=False)
            consumer.seen, consumer.lapsed, consumer.lost = None, True, []

    def reserve(self, want: list[list[Any]], now: float, blocked: set[str]) -> dict[str, Charge] | None:
        short = {
            name
            for name, amount, share in want
            if name in blocked or self.windows[name].ready_at(amount, now, share) > now
        }
        blocked |= short
        return None if short else {name: self.windows[name].take(amount, now) for name, amount, _ in want}


def _want(draw: random.Random) -> list[list[Any]]:
    want: list[list[Any]] = [[_WEIGHT, draw.randint(1, 30), draw.choice([1.0, 0.95, 0.5])]]
    if draw.random() < 0.4:
        want.append([_GROUP, 1, 1.0])
    return want


@pytest.mark.parametrize("seed", range(20))
def test_consumers_share_as_if_they_were_one_process(server: Server, seed: int) -> None:
    draw, now = random.Random(seed), 1_000_000.0
    consumers = [_Consumer(f"c{number}") for number in range(3)]
    granted = refused = lapses = 0
    with redis.Redis(port=server.port) as client:
        client.flushall()
        run = client.register_script(_AT_A_TIME)

        def send(message: dict[str, Any]) -> dict[str, Any]:
            return json.loads(run([_KEY], [json.dumps({**_PLAIN, "table": _TABLE, **message}), "", *_parts(now)]))

        # The first window and the first seconds of a store that knows nothing are another test's.
        memory = _Memory(now)
        send({"id": "first", "seq": 1})
        now += 20
        for _ in range(250):
            now += draw.choice([0, 0, 1, 4, 20, 64, 200, 640, 2100 if draw.random() < 0.1 else 8]) / 64
            consumer = draw.choice(consumers)
            message: dict[str, Any] = {"id": consumer.id, "seq": consumer.seq + 1}
            consumer.seq += 1
            memory.lapse([other for other in consumers if other is not consumer], now)
            lapses += consumer.lapsed
            endings: list[list[Any]] = []
            for _ in range(draw.randint(0, len(consumer.requests))):
                request = consumer.requests.pop(draw.randrange(len(consumer.requests)))
                answered = draw.random() < 0.9
                told = memory.weight.reported + draw.randint(0, 8) if draw.random() < 0.9 else None
                for name, *charge in request.charges:
                    window = memory.windows[name]
                    count = told if name == _WEIGHT else None
                    if consumer.lapsed:
                        window.in_flight += request.memory[name].amount
                    window.settle(request.memory[name], count, now, answered=answered)
                    consumer.ended += 1
                    endings.append([consumer.ended, answered, name, *charge, count])
            for name, window in memory.windows.items():
                window.roll(now)
                for request in consumer.lost:
                    if name in request.memory:
                        window.refund(request.memory[name], now)
                for request in consumer.requests if consumer.lapsed else ():
                    if name in request.memory:
                        window.in_flight += request.memory[name].amount
            consumer.lost, consumer.seen, consumer.lapsed = [], now, False
            held = {
                name: sum(r.memory[name].amount for r in consumer.requests if name in r.memory)
                for name in memory.windows
            }
            wants = [_want(draw) for _ in range(draw.randint(0, 4))]
            reply = send({**message, "endings": consumer.told + endings, "held": held, "wants": wants})
            consumer.told = endings
            assert reply["settled"] == consumer.ended
            blocked: set[str] = set()
            given = [memory.reserve(want, now, blocked) for want in wants]
            assert reply["granted"] == "".join("0" if charges is None else "1" for charges in given)
            assert reply["used"] == {name: window.used for name, window in memory.windows.items()}
            assert set(reply["short"]) == blocked
            granted, refused = granted + len(given) - given.count(None), refused + given.count(None)
            requests = [
                _Request(
                    [
                        [name, charge.amount, *reply["taken"][name][:4], reply["now"]]
                        for name, charge in charges.items()
                    ],
                    charges,
                )
                for charges in given
                if charges is not None
            ]
            (consumer.lost if draw.random() < 0.1 else consumer.requests).extend(requests)
            if draw.random() < 0.1:
                # A message that was overtaken by a later one changes nothing.
                assert send({**message, "endings": endings, "wants": wants}) == {"stale": True}
    assert granted > 50
    assert refused > 20
    assert lapses or seed


def test_the_next_window_is_believed_once_it_has_certainly_begun_at_the_exchange(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        client.flushall()
        run = client.register_script(_AT_A_TIME)

        def ask(now: float, count: int) -> tuple[str, float | None]:
            wants = [[[_WEIGHT, 1, 1.0]]] * count
            table = {"weight": ["fixed", [[10, 100]]]}
            message = {**_PLAIN, "id": "a", "seq": next(numbers), "table": table, "clock": [0.0, 0.0], "wants": wants}
            reply = json.loads(run([_KEY], [json.dumps(message), "", *_parts(now)]))
            return reply["granted"].rstrip("0"), reply["short"][_WEIGHT][0]

        numbers = itertools.count(1)
        assert ask(1_000_001.0, 10) == ("111", pytest.approx(9.121))
        assert ask(1_000_010.1, 10) == ("", pytest.approx(0.021, abs=1e-3))
        granted, wait = ask(1_000_010.125, 101)
        # Full, but for what the counts of the requests in flight may show: worth asking again soon.
        assert (len(granted), wait) == (100, pytest.approx(0.25))


class _Client:
    """The script as a consumer runs it."""

    def __init__(self, server: Server, key: str = _KEY, consumer: str = "a") -> None:
        self.redis, self.script, self.id, self.seq = redis.Redis(port=server.port), Script(key), consumer, 0
        self.loads = 0

    def __enter__(self) -> _Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.redis.close()

    def sync(self, **message: Any) -> dict[str, Any]:
        self.seq += 1
        told = {**_PLAIN, "id": self.id, "seq": self.seq, "table": _LONG, **message}
        text = json.dumps({name: value for name, value in told.items() if value is not None})
        try:
            reply = self.redis.evalsha(self.script.sha, 1, self.script.key, text)
        except NoScriptError:
            self.loads += 1
            reply = self.redis.eval(self.script.text, 1, self.script.key, text, "loaded")
        return json.loads(reply)  # type: ignore[arg-type]

    def count(self, window: str, most: int = 200) -> int:
        """How many calls of weight 1 get their permission."""
        return self.sync(wants=[[[window, 1, 1.0]]] * most)["granted"].count("1")


# A day: no test meets its end, and if it should, it waits a second.
_LONG = {"weight": ["fixed", [[86_400, 1000]]], "group": ["sliding", [[86_400, 100]]]}


def test_an_empty_store_gives_out_a_small_part_of_the_running_window(server: Server) -> None:
    with _Client(server) as first, _Client(server, consumer="b") as second:
        first.redis.flushall()
        first.redis.script_flush()
        # 3 % of 1000, and of 100, for all consumers together.
        assert first.count("weight/86400", 20) + second.count("weight/86400", 20) == 30
        assert first.count("group/86400") + second.count("group/86400") == 3
        assert (first.loads, second.loads) == (1, 0)


def test_a_restored_state_of_another_run_is_not_believed(server: Server) -> None:
    with _Client(server) as client, _Client(server, pool_key("default", "futures")) as other:
        client.redis.flushall()
        client.count("weight/86400", 10)
        other.count("weight/86400", 10)
        kept = {key: client.redis.dump(key) for key in (client.script.key, other.script.key)}
        server.kill()
        server.start()
        for key, value in kept.items():
            assert value is not None
            client.redis.restore(key, 0, value)
        # Were the first key's script the other's too, the second key would be believed.
        assert client.count("weight/86400") == 30
        assert other.count("weight/86400") == 30


def test_scripts_that_were_thrown_away_are_loaded_again_and_nothing_is_doubted(server: Server) -> None:
    with _Client(server) as client:
        client.redis.flushall()
        client.redis.script_flush()
        assert client.count("weight/86400", 12) == 12
        client.redis.script_flush()
        assert client.count("weight/86400") == 18
        assert client.loads == 2


def test_two_versions_of_the_script_count_together(server: Server) -> None:
    with _Client(server) as first, _Client(server, consumer="b") as second:
        first.redis.flushall()
        other = second.script.text + "-- as another version wrote it"
        digest = str(second.redis.script_load(other))
        object.__setattr__(second.script, "text", other)
        object.__setattr__(second.script, "sha", digest)
        assert [first.count("weight/86400", 10), second.count("weight/86400", 10)] == [10, 10]
        assert first.sync(held={"weight/86400": 10})["used"]["weight/86400"] == 20
        # 3 % of 1000, of which both have got 10.
        assert second.count("weight/86400") == 10


def test_only_a_limit_that_was_announced_replaces_those_that_the_store_has(server: Server) -> None:
    with _Client(server) as first, _Client(server, consumer="b") as second:
        first.redis.flushall()
        first.sync()
        other = {**_LONG, "weight": ["fixed", [[86_400, 2400]]]}
        reply = second.sync(table=other, wants=[[["weight/86400", 1, 1.0]]])
        assert (reply["granted"], reply["table"]["weight"]) == ("", _LONG["weight"])
        learned = second.sync(table=other, learned=True, wants=[[["weight/86400", 1, 1.0]]])
        assert learned["granted"] == "1"
        reply = first.sync(version=reply["version"], wants=[[["weight/86400", 1, 1.0]]])
        assert (reply["granted"], reply["table"]["weight"]) == ("", other["weight"])
        assert first.sync(version=reply["version"], wants=[[["weight/86400", 1, 1.0]]])["granted"] == "1"


def test_a_window_of_another_length_begins_with_what_is_known(server: Server) -> None:
    with _Client(server) as client:
        client.redis.flushall()
        client.redis.script_flush()
        granted = client.sync(wants=[[["weight/86400", 20, 1.0], ["group/86400", 2, 1.0]]])
        assert granted["granted"] == "1"
        held = {"weight/86400": 20, "group/86400": 2}
        learned = {"weight": ["fixed", [[86_400, 1000], [43_200, 500]]], "group": ["sliding", [[43_200, 50]]]}
        reply = client.sync(table=learned, learned=True, held=held)
        assert reply["used"] == {"weight/86400": 20, "weight/43200": 20, "group/43200": 2}
        assert reply["doubted"]
        # What was given out of the first 3 % stays given: of 15 nothing is left, and of 1 neither.
        for name in ("weight/43200", "group/43200"):
            assert client.sync(table=learned, held=held, wants=[[[name, 1, 1.0]]])["granted"] == "0"


def test_a_store_that_has_forgotten_everything_asks_for_the_limits(server: Server) -> None:
    with _Client(server) as client:
        client.redis.flushall()
        assert client.sync(table=None, version="1.0", wants=[[["weight/86400", 1, 1.0]]]) == {"unknown": True}
        assert client.sync(wants=[[["weight/86400", 1, 1.0]]])["granted"] == "1"


def test_a_closed_gate_is_closed_for_all(server: Server) -> None:
    with _Client(server) as first, _Client(server, consumer="b") as second:
        first.redis.flushall()
        first.sync(gate=[60, 50, "the IP address is banned (418)", 0, 0, 1])
        reply = second.sync(wants=[[["weight/86400", 1, 1.0]]])
        assert reply["granted"] == "0"
        assert 58 < reply["closed"] <= 60
        assert 48 < reply["banned"] <= 50
        assert reply["reason"] == "the IP address is banned (418)"
        # It opens no sooner because somebody knows of a shorter one.
        assert 58 < first.sync(gate=[1, 0, "over a request limit (429)", 1, 0, 0])["closed"] <= 60


def test_refusals_in_a_row_are_counted_by_all_until_a_request_of_anybody_passes(server: Server) -> None:
    with _Client(server) as first, _Client(server, consumer="b") as second:
        first.redis.flushall()
        assert first.sync(gate=[1, 0, "429", 1, 0, 0])["in_a_row"] == [1, 0, 0]
        # One that has not heard of the first yet does not count it away.
        assert second.sync(gate=[1, 0, "403", 0, 1, 0])["in_a_row"] == [1, 1, 0]
        assert second.sync(gate=[1, 0, "429", 2, 1, 0])["in_a_row"] == [2, 1, 0]
        assert first.sync(passed=True)["in_a_row"] == [0, 0, 0]
        assert first.sync(passed=True, gate=[1, 1, "418", 0, 0, 1])["in_a_row"] == [0, 0, 1]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"rubbish", "BINANCESDK rubbish"),
        (b"\x81\xa6format\x63", "BINANCESDK format 99 instead of 1"),
        (b"\x80", "BINANCESDK rubbish"),
    ],
)
def test_a_key_that_holds_something_else_is_refused_and_left_alone(server: Server, value: bytes, message: str) -> None:
    with _Client(server) as client:
        client.redis.delete(client.script.key)
        client.redis.hset(client.script.key, "pool", value)  # type: ignore[arg-type]
        with pytest.raises(redis.ResponseError, match=message):
            client.sync()
        assert client.redis.hgetall(client.script.key) == {b"pool": value}


def test_a_hash_of_somebody_else_is_refused_and_left_alone(server: Server) -> None:
    with _Client(server) as client:
        client.redis.delete(client.script.key)
        client.redis.hset(client.script.key, "name", "value")
        with pytest.raises(redis.ResponseError, match="BINANCESDK rubbish"):
            client.sync()
        assert client.redis.hgetall(client.script.key) == {b"name": b"value"}


def test_a_key_of_another_type_is_refused(server: Server) -> None:
    with _Client(server) as client:
        client.redis.delete(client.script.key)
        client.redis.rpush(client.script.key, "x")
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            client.sync()
        client.redis.delete(client.script.key)


def test_consumers_learn_the_clock_together_and_a_contradiction_widens_the_guard(server: Server) -> None:
    with _Client(server) as client:
        client.redis.flushall()

        def learned(low: float, high: float) -> tuple[float, float]:
            client.sync(clock=[low, high])
            return tuple(json.loads(client.redis.eval(_CLOCK, 1, client.script.key)))  # type: ignore[arg-type]

        assert learned(-1.0, 1.0) == pytest.approx((0.0, 1.0), abs=1e-3)
        assert learned(0.5, 3.0) == pytest.approx((0.75, 0.25), abs=1e-3)
        assert learned(4.0, 5.0) == pytest.approx((2.75, 2.25), abs=1e-3)


_CLOCK = """
local window = cmsgpack.unpack(redis.call('HGET', KEYS[1], 'pool')).windows['weight/86400']
return cjson.encode({window.offset, window.uncertainty})
"""


def test_odd_characters_of_a_key_stay_inside_its_hash_slot() -> None:
    assert pool_key("a}b{ c:é", "spot demo") == "binance-sdk:{a%7Db%7B%20c%3A%C3%A9}:spot%20demo"
