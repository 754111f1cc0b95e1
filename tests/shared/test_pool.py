"""The pool in the store against windows in memory: several consumers, lost replies, lapses; then the script itself."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis

from binance_sdk._runtime.budget.fixed_window import FixedWindow
from binance_sdk._runtime.budget.resource import Charge
from binance_sdk._runtime.budget.shared.script import PARTS, Script, pool_key, source
from binance_sdk._runtime.budget.sliding_window import SlidingWindow

from .servers import Server

_DRIVER = """
local packed = redis.call('GET', KEYS[1])
local p = packed and cmsgpack.unpack(packed) or pool.new()
local reply = pool.sync(p, cjson.decode(ARGV[1]), tonumber(ARGV[2]))
redis.call('SET', KEYS[1], cmsgpack.pack(p))
return cjson.encode(reply)
"""
_AT_A_TIME = source(PARTS[:-1]) + _DRIVER
_WINDOWS = {"weight": ["fixed", 100, 10, False], "group": ["sliding", 12, 10, False]}
_KEY = pool_key("default", "spot")


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
    requests: list[_Request] = field(default_factory=list)
    lost: list[_Request] = field(default_factory=list)
    """Granted in a reply that never arrived."""
    seen: float | None = None
    lapsed: bool = False
    told: list[Any] = field(default_factory=list[Any])
    """The endings of the message before, which are told again: its reply may not have arrived."""


class _Memory:
    def __init__(self, now: float) -> None:
        self.weight, self.group = FixedWindow("weight", 100, 10), SlidingWindow("group", 12, 10)
        self.windows: dict[str, FixedWindow | SlidingWindow] = {"weight": self.weight, "group": self.group}
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

    def reserve(self, want: list[list[Any]], now: float) -> dict[str, Charge] | None:
        if any(self.windows[name].ready_at(amount, now, share) > now for name, amount, share in want):
            return None
        return {name: self.windows[name].take(amount, now) for name, amount, _ in want}


def _want(draw: random.Random) -> list[list[Any]]:
    want: list[list[Any]] = [["weight", draw.randint(1, 30), draw.choice([1.0, 0.95, 0.5])]]
    if draw.random() < 0.4:
        want.append(["group", 1, 1.0])
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
            return json.loads(run([_KEY], [json.dumps(message), repr(now)]))

        # The first window and the first seconds of a store that knows nothing are another test's.
        memory = _Memory(now)
        send({"id": "first", "seq": 1, "windows": _WINDOWS})
        now += 20
        for _ in range(250):
            now += draw.choice([0, 0, 1, 4, 20, 64, 200, 640, 2100 if draw.random() < 0.1 else 8]) / 64
            consumer = draw.choice(consumers)
            message: dict[str, Any] = {"id": consumer.id, "seq": consumer.seq + 1, "settled": 0}
            consumer.seq += 1
            memory.lapse([other for other in consumers if other is not consumer], now)
            lapses += consumer.lapsed
            endings = []
            for _ in range(draw.randint(0, len(consumer.requests))):
                request = consumer.requests.pop(draw.randrange(len(consumer.requests)))
                answered = draw.random() < 0.9
                told = memory.weight.reported + draw.randint(0, 8) if draw.random() < 0.9 else None
                rows = []
                for name, *charge in request.charges:
                    window = memory.windows[name]
                    count = told if name == "weight" else None
                    if consumer.lapsed:
                        window.in_flight += request.memory[name].amount
                    window.settle(request.memory[name], count, now, answered=answered)
                    rows.append([name, *charge, count])
                consumer.ended += 1
                endings.append([consumer.ended, answered, rows])
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
            given: list[dict[str, Charge]] = []
            for want in wants:
                charges = memory.reserve(want, now)
                if charges is None:
                    break
                given.append(charges)
            assert [[row[0:2] for row in rows] for rows in reply["granted"] or []] == [
                [[name, charge.amount] for name, charge in charges.items()] for charges in given
            ]
            assert {name: row[0] for name, row in reply["windows"].items()} == {
                name: window.used for name, window in memory.windows.items()
            }
            assert ("short" in reply) == (len(given) < len(wants))
            granted, refused = granted + len(given), refused + len(wants) - len(given)
            requests = [_Request(*pair) for pair in zip(reply["granted"] or [], given, strict=True)]
            (consumer.lost if draw.random() < 0.1 else consumer.requests).extend(requests)
            if draw.random() < 0.1:
                # A message that was overtaken by a later one changes nothing.
                assert send({**message, "endings": endings, "held": {}, "wants": wants}) == {"stale": True}
    assert granted > 50
    assert refused > 20
    assert lapses or seed


def test_the_next_window_is_believed_once_it_has_certainly_begun_at_the_exchange(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        client.flushall()
        run = client.register_script(_AT_A_TIME)
        windows = {"weight": ["fixed", 100, 10, False]}

        def ask(now: float, count: int) -> tuple[int, float | None]:
            wants = [[["weight", 1, 1.0]]] * count
            message = {"id": "a", "seq": next(numbers), "windows": windows, "held": {"weight": 0}, "wants": wants}
            reply = json.loads(run([_KEY], [json.dumps(message), repr(now)]))
            return len(reply["granted"]), reply.get("wait")

        numbers = itertools.count(1)
        granted, wait = ask(1_000_001.0, 10)
        assert granted == 3
        assert wait == pytest.approx(9.12)
        granted, wait = ask(1_000_010.1, 10)
        assert granted == 0
        assert wait == pytest.approx(0.02)
        assert ask(1_000_010.125, 101) == (100, pytest.approx(9.995))


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
        text = json.dumps({"id": self.id, "seq": self.seq, "windows": _LONG, **message})
        try:
            reply = self.redis.evalsha(self.script.sha, 1, self.script.key, text)
        except redis.exceptions.NoScriptError:
            self.loads += 1
            reply = self.redis.eval(self.script.text, 1, self.script.key, text, "loaded")
        return json.loads(reply)  # type: ignore[arg-type]

    def count(self, window: str, most: int = 200) -> int:
        """How many calls of weight 1 get their permission."""
        return len(self.sync(wants=[[[window, 1, 1.0]]] * most)["granted"])


# A day: no test meets its end, and if it should, it waits a second.
_LONG = {"weight": ["fixed", 1000, 86_400, False], "group": ["sliding", 100, 86_400, False]}


def test_an_empty_store_gives_out_a_small_part_of_the_running_window(server: Server) -> None:
    with _Client(server) as first, _Client(server, consumer="b") as second:
        first.redis.flushall()
        first.redis.script_flush()
        # 3 % of 1000, and of 100, for all consumers together.
        assert first.count("weight", 20) + second.count("weight", 20) == 30
        assert first.count("group") + second.count("group") == 3
        assert (first.loads, second.loads) == (1, 0)


def test_a_restored_state_of_another_run_is_not_believed(server: Server) -> None:
    with _Client(server) as client, _Client(server, pool_key("default", "futures")) as other:
        client.redis.flushall()
        client.count("weight", 10)
        other.count("weight", 10)
        kept = {key: client.redis.dump(key) for key in (client.script.key, other.script.key)}
        server.kill()
        server.start()
        for key, value in kept.items():
            client.redis.restore(key, 0, value)  # type: ignore[arg-type]
        # Were the first key's script the other's too, the second key would be believed.
        assert client.count("weight") == 30
        assert other.count("weight") == 30


def test_scripts_that_were_thrown_away_are_loaded_again_and_nothing_is_doubted(server: Server) -> None:
    with _Client(server) as client:
        client.redis.flushall()
        client.redis.script_flush()
        assert client.count("weight", 12) == 12
        client.redis.script_flush()
        assert client.count("weight") == 18
        assert client.loads == 2


def test_only_an_announced_limit_replaces_the_one_that_the_store_has(server: Server) -> None:
    with _Client(server) as first, _Client(server, consumer="b") as second:
        first.redis.flushall()
        announced = {"weight": ["fixed", 2400, 86_400, True]}
        assert first.sync(windows=announced)["windows"]["weight"][1] == 2400
        assert second.sync()["windows"]["weight"][1] == 2400
        assert second.sync(windows={"weight": ["fixed", 1200, 86_400, True]})["windows"]["weight"][1] == 1200


def test_a_closed_gate_is_closed_for_all(server: Server) -> None:
    with _Client(server) as first, _Client(server, consumer="b") as second:
        first.redis.flushall()
        now = float(first.sync()["now"])
        first.sync(gate=[now + 60, now + 50, "the IP address is banned (418)"])
        reply = second.sync(wants=[[["weight", 1, 1.0]]])
        assert not reply["granted"]
        assert reply["short"] == "gate"
        assert 58 < reply["wait"] <= 60
        assert 48 < reply["banned"] <= 50
        assert reply["reason"] == "the IP address is banned (418)"


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
        client.redis.set(client.script.key, value)
        with pytest.raises(redis.ResponseError, match=message):
            client.sync()
        assert client.redis.get(client.script.key) == value


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
        assert client.sync(clock=[-1.0, 1.0])["uncertainty"] == pytest.approx(1.0)
        reply = client.sync(clock=[0.5, 3.0])
        assert float(reply["offset"]) == pytest.approx(0.75, abs=1e-3)
        assert reply["uncertainty"] == pytest.approx(0.25, abs=1e-3)
        reply = client.sync(clock=[4.0, 5.0])
        assert float(reply["offset"]) == pytest.approx(2.75, abs=1e-3)
        assert reply["uncertainty"] == pytest.approx(2.25, abs=1e-3)


def test_odd_characters_of_a_key_stay_inside_its_hash_slot() -> None:
    assert pool_key("a}b{ c:é", "spot demo") == "binance-sdk:{a%7Db%7B%20c%3A%C3%A9}:spot%20demo"
