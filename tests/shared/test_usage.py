"""Who uses what, as people read it from the store while others spend."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from binance_sdk import SyncBinanceClient
from binance_sdk._runtime.budget.shared.script import Script, pool_key
from binance_sdk._runtime.budget.shared.usage import UsageReader
from binance_sdk._runtime.store.address import read_store_address
from binance_sdk._runtime.store.connection import StoreAwayError
from binance_sdk.errors import ConfigError
from binance_sdk.simulator import Simulator

from .servers import Server, free_port, running, valkey

_TABLE = {"weight": ["fixed", [[86_400, 1000]]], "group": ["sliding", [[86_400, 500]]]}

_PLAIN: dict[str, Any] = {
    "id": "a",
    "share": 1,
    "version": "",
    "settled": 0,
    "endings": [],
    "held": {},
    "wants": [],
    "table": _TABLE,
}


@pytest.fixture
def reader(server: Server) -> Iterator[UsageReader]:
    with redis.Redis(port=server.port) as client:
        client.flushall()
    with UsageReader(read_store_address(server.url, "limits_url")) as reader:
        yield reader


def _told(server: Server, key: str, seq: int, **more: Any) -> None:
    with redis.Redis(port=server.port) as client:
        client.eval(Script(key).text, 1, key, json.dumps({**_PLAIN, "seq": seq, **more}))


def test_an_empty_store_has_no_pools(reader: UsageReader) -> None:
    assert reader.read() == reader.read("default") == ()


def test_windows_consumers_and_gate_are_told_and_left_as_they_are(reader: UsageReader, server: Server) -> None:
    key = pool_key("out of {paris}", "spot")
    want = [["weight/86400", 20, 1.0], ["group/86400", 1, 1.0]]
    _told(server, key, 1, wants=[want])
    _told(server, key, 2, held={"weight/86400": 20, "group/86400": 1}, wants=[[["weight/86400", 900, 1.0]]])
    _told(server, key, 1, id="b", share=2.5, gate=[60, 50, "the IP address is banned (418)", 0, 0, 1], clock=[1.0, 1.2])
    _told(server, pool_key("other", "spot"), 1)
    with redis.Redis(port=server.port) as client:
        before = client.dump(key)
        (pool,) = reader.read("out of {paris}")
        assert client.dump(key) == before
    assert (pool.limits_key, pool.name, pool.reason) == ("out of {paris}", "spot", "the IP address is banned (418)")
    assert pool.clock_offset == pytest.approx(1.1)
    assert pool.clock_uncertainty == pytest.approx(0.1, abs=0.01)
    (other,) = reader.read("other")
    assert (other.clock_offset, other.clock_uncertainty) == (None, 1.0)
    assert reader.version.partition(" ")[0] in ("valkey", "redis")
    assert 58 < pool.closed_for <= 60
    assert 48 < pool.banned_for <= 50
    group, weight = pool.windows["group/86400"], pool.windows["weight/86400"]
    assert (weight.kind, weight.seconds, weight.limit, weight.used, weight.in_flight) == (
        "weight",
        86_400,
        1000,
        20,
        20,
    )
    assert weight.doubted
    assert 0 < weight.resets_in <= 86_400
    assert (group.kind, group.used, group.limit, group.resets_in) == ("group", 1, 500, 0)
    first, second = pool.consumers
    assert (first.id, first.share, first.wants, first.lapsed) == ("a", 1, 900, False)
    assert first.used["weight/86400"] == 20
    assert first.in_flight == {"weight/86400": 20, "group/86400": 1}
    assert first.waits_for is not None
    assert (second.id, second.share, second.waits_for, second.wants) == ("b", 2.5, None, 0)
    assert [each.limits_key for each in reader.read()] == ["other", "out of {paris}"]


def test_a_client_is_found_by_its_host_and_process(reader: UsageReader, server: Server) -> None:
    with Simulator() as exchange:
        url = exchange.base_url("spot")
        with SyncBinanceClient(spot_base_url=url, limits_url=server.url) as client:
            client.spot.depth("BTCUSDT", limit=100)
            (pool,) = reader.read("default")
            (consumer,) = pool.consumers
            assert consumer.id.startswith(f"{socket.gethostname()}/{os.getpid()}/")
            assert consumer.used == {"weight/60": 5, "raw_requests/300": 1}
        # Whoever has left is no consumer any more.
        assert reader.read("default")[0].consumers == ()


@pytest.mark.parametrize("value", [b"rubbish", b"\x81\xa6format\x63", b"\x80"])
def test_a_key_with_something_else_in_it_is_an_error(reader: UsageReader, server: Server, value: bytes) -> None:
    key = pool_key("default", "spot")
    with redis.Redis(port=server.port) as client:
        client.hset(key, "pool", value)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"the key 'binance-sdk:{default}:spot' holds is .* use another limits_key"):
        reader.read()


def test_a_store_that_is_away_is_an_error() -> None:
    with (
        UsageReader(read_store_address(f"redis://127.0.0.1:{free_port()}", "limits_url")) as reader,
        pytest.raises(StoreAwayError, match="cannot be reached"),
    ):
        reader.read()


def test_a_user_who_may_not_look_is_an_error() -> None:
    with running(valkey()) as server:
        with redis.Redis(port=server.port) as client:
            client.acl_setuser("worker", enabled=True, passwords=["+gehe1m"], keys=["*"], commands=["+info"])
        url = server.url.replace("redis://", "redis://worker:gehe1m@")
        with UsageReader(read_store_address(url, "limits_url")) as reader, pytest.raises(ConfigError) as caught:
            reader.read()
        assert "refuses the user or password" in str(caught.value)
        assert "gehe1m" not in str(caught.value)
