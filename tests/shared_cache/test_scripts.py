"""The scripts in the store: one answer, one right to get it, and a bound on what all answers take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from binance_sdk._runtime.calls.shared_cache.scripts import script
from binance_sdk._runtime.calls.shared_cache.stored_answer import INDEX, PREFIX, SIZES
from tests.shared.servers import SERVERS, running

_KEY, _LOCK = f"{PREFIX}a", f"{PREFIX}a:lock"
_OVERHEAD = 512


class Cache:
    """The scripts with names for their arguments."""

    def __init__(self, port: int) -> None:
        self.redis: Any = redis.Redis(port=port)

    def _run(self, name: str, keys: list[str], arguments: list[Any]) -> Any:
        return self.redis.eval(script(name).text, len(keys), *keys, *arguments)

    def find(
        self, token: str = "t", lapse: int = 60_000, age: int | str = "", most: int = 1000, worthless: int = 0
    ) -> Any:
        return self._run("find", [_KEY, _LOCK], [token, lapse, age, most, worthless])

    def keep(
        self,
        body: bytes = b"body",
        key: str = _KEY,
        token: str = "t",
        age: int = 0,
        kept: int = 60_000,
        valid: int = 60_000,
        most: int = 10**6,
    ) -> bytes:
        told: bytes = self._run("keep", [key, _LOCK, INDEX, SIZES], [token, body, age, kept, valid, most, PREFIX])
        return told

    def lock(self, what: str, token: str = "t", ms: int = 60_000) -> int:
        told: int = self._run("lock", [_LOCK], [token, what, ms])
        return told


@pytest.fixture(scope="module", params=sorted(SERVERS))
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    program = SERVERS[request.param]()
    if program is None:
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    with running(program) as server:
        yield server.port


@pytest.fixture
def cache(port: int) -> Iterator[Cache]:
    cache = Cache(port)
    cache.redis.flushall()
    yield cache
    cache.redis.config_set("maxmemory", 0)
    cache.redis.close()


def test_one_gets_the_right_and_the_others_wait_for_the_answer(cache: Cache) -> None:
    assert cache.find("a") == [b"yours", b""]
    # Its first reply may have been lost.
    assert cache.find("a") == [b"yours", b""]
    assert cache.find("b") == [b"theirs", b""]
    assert cache.keep(token="a") == b"kept"
    kind, left, body = cache.find("b")
    assert (kind, body) == (b"answer", b"body")
    assert 59_000 < left <= 60_000
    assert not cache.redis.exists(_LOCK)


def test_a_right_lapses_unless_it_is_held(cache: Cache) -> None:
    cache.find("a", lapse=60_000)
    assert 59_000 < cache.redis.pttl(_LOCK) <= 60_000
    assert cache.lock("hold", "a", 90_000) == 1
    assert 89_000 < cache.redis.pttl(_LOCK) <= 90_000
    assert cache.lock("hold", "b", 5) == 0
    cache.redis.pexpire(_LOCK, 1)
    time.sleep(0.005)
    assert cache.find("b") == [b"yours", b""]
    # Whoever lost it neither holds nor frees that of the next one, nor stores what he got too late.
    assert (cache.lock("hold", "a"), cache.lock("free", "a"), cache.lock("failed", "a")) == (0, 0, 0)
    assert cache.keep(b"late", token="a") == b"overtaken"
    assert cache.find("c") == [b"theirs", b""]
    assert cache.lock("free", "b") == 1
    assert cache.find("c") == [b"yours", b""]


def test_after_a_failed_request_all_who_wait_ask_for_themselves_and_may_store_what_they_get(cache: Cache) -> None:
    cache.find("a")
    assert cache.lock("failed", "a", 60_000) == 1
    assert cache.find("b") == cache.find("c") == [b"alone", b""]
    assert cache.keep(token="") == b"kept"
    assert cache.find("b")[0] == b"answer"
    # The mark stays for those who have not looked yet.
    assert cache.redis.get(_LOCK) == b"failed"


def test_who_only_looks_gets_no_right(cache: Cache) -> None:
    assert cache.find("") == [b"alone", b""]
    assert cache.find("a") == [b"yours", b""]


def test_age_is_what_the_reader_bears_and_at_most_what_the_writer_keeps(cache: Cache) -> None:
    cache.find()
    cache.keep(age=5_000, kept=60_000, valid=10_000)
    for age, most in (("", 5_000), (30_000, 25_000), (1_000_000, 55_000)):
        kind, left, _ = cache.find("b", age=age)
        assert kind == b"answer"
        assert most - 1_000 < left <= most
    assert cache.find("b", age=4_000) == [b"yours", b""]
    assert 54_000 < cache.redis.pttl(_KEY) <= 55_000
    # From the future, by the clock of the server that took over.
    cache.redis.hset(_KEY, "at", round(time.time() * 1000) + 60_000)
    assert cache.find("b") == [b"yours", b""]


def test_what_is_too_old_when_it_arrives_is_not_kept(cache: Cache) -> None:
    cache.find()
    assert cache.keep(age=60_000) == b"too old"
    assert cache.find("b") == [b"yours", b""]


def test_something_else_is_named_and_replaced(cache: Cache) -> None:
    cache.redis.rpush(_KEY, "x")
    assert cache.find() == [b"yours", b"is a list"]
    assert cache.keep() == b"kept"
    assert cache.find()[0] == b"answer"
    for change, problem in (
        (lambda: cache.redis.persist(_KEY), b"has no times"),
        (lambda: cache.redis.hdel(_KEY, "at"), b"has no times"),
        (lambda: cache.redis.hset(_KEY, "valid", "soon"), b"has no times"),
        (lambda: cache.redis.hset(_KEY, "body", b"x" * 1001), b"is too large"),
    ):
        cache.keep(token="")
        change()
        assert cache.find("u") == [b"yours", problem]
        cache.lock("free", "u")
    cache.keep(token="")
    assert cache.find("u", worthless=1) == [b"yours", b""]
    assert not cache.redis.exists(_KEY)
    # Even a lock may be something else.
    cache.redis.delete(_LOCK)
    cache.redis.rpush(_LOCK, "x")
    assert cache.find() == [b"yours", b""]


def _names(cache: Cache) -> set[str]:
    return {name.decode().removeprefix(PREFIX) for name in cache.redis.keys(f"{PREFIX}*")} - {"index", "sizes"}


def test_what_lapses_first_makes_room(cache: Cache) -> None:
    most = 3 * (_OVERHEAD + 100)
    for name, seconds in (("long", 900), ("short", 300), ("middle", 600)):
        assert cache.keep(b"x" * 100, f"{PREFIX}{name}", "", kept=seconds * 1000, most=most) == b"kept"
    assert int(cache.redis.hget(SIZES, "total")) == most
    assert cache.keep(b"x" * 100, f"{PREFIX}next", "", most=most) == b"kept"
    assert _names(cache) == {"long", "middle", "next"}
    # The same one again takes its own place.
    assert cache.keep(b"x" * 100, f"{PREFIX}long", "", kept=900_000, most=most) == b"kept"
    assert _names(cache) == {"long", "middle", "next"}
    assert cache.keep(b"x" * (100 + _OVERHEAD + 100), f"{PREFIX}large", "", most=most) == b"kept"
    assert _names(cache) == {"long", "large"}
    assert int(cache.redis.hget(SIZES, "total")) == most
    assert cache.redis.zcard(INDEX) == 2


def test_what_has_lapsed_takes_no_room(cache: Cache) -> None:
    cache.keep(b"x" * 100, f"{PREFIX}gone", "", kept=1, most=2000)
    time.sleep(0.005)
    cache.keep(b"x" * 100, f"{PREFIX}new", "", most=2000)
    assert int(cache.redis.hget(SIZES, "total")) == _OVERHEAD + 100
    assert cache.redis.zrange(INDEX, 0, -1) == [f"{PREFIX}new".encode()]


def test_an_index_with_rubbish_in_it_deletes_nothing_of_others(cache: Cache) -> None:
    cache.redis.set("precious", "x")
    cache.redis.zadd(INDEX, {"precious": round(time.time() * 1000) + 30_000})
    cache.redis.hset(SIZES, mapping={"precious": "much", "total": "all"})
    assert cache.keep(b"x" * 100, token="", most=_OVERHEAD + 100) == b"kept"
    assert cache.keep(b"x" * 100, f"{PREFIX}b", "", most=_OVERHEAD + 100) == b"kept"
    assert cache.redis.get("precious") == b"x"
    assert _names(cache) == {"b"}
    for name in (INDEX, SIZES):
        cache.redis.delete(name)
        cache.redis.set(name, "rubbish")
    assert cache.keep(b"x" * 100, token="", most=2 * (_OVERHEAD + 100)) == b"kept"
    assert cache.redis.zrange(INDEX, 0, -1) == [_KEY.encode()]


def test_a_server_without_memory_left_is_read_and_not_written(cache: Cache) -> None:
    cache.keep(token="")
    cache.redis.config_set("maxmemory", 1)
    assert cache.find("a")[0] == b"answer"
    cache.redis.unlink(_KEY)
    assert cache.find("a") == [b"alone", b""]
    assert cache.keep(token="a") == b"no room"
    assert not cache.redis.exists(_KEY)


def test_everything_lapses(cache: Cache) -> None:
    cache.find()
    cache.keep()
    cache.find("b", age=1, worthless=1)
    assert all(cache.redis.pttl(name) > 0 for name in cache.redis.keys("*"))
