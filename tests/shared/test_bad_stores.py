"""Stores that cannot be used as they are set up, and those that cannot be used just now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from binance_sdk import RequestOptions, SyncBinanceClient
from binance_sdk._runtime.clock import AsyncClock
from binance_sdk.errors import BudgetError, ConfigError
from binance_sdk.simulator import Simulator

from .servers import Server, running, valkey

_WEIGHT = 10_000


@pytest.fixture
def exchange() -> Iterator[Simulator]:
    with Simulator(weight_limits={"spot": _WEIGHT}) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def store() -> Iterator[Server]:
    with running(valkey()) as server:
        yield server


def _client(exchange: Simulator, url: str, **more: Any) -> SyncBinanceClient:
    return SyncBinanceClient(spot_base_url=exchange.base_url("spot"), limits_url=url, safety_margin=0, **more)


def _spend_all(client: SyncBinanceClient) -> None:
    for _ in range(_WEIGHT):
        client.spot.depth("BTCUSDT", limit=5000, options=RequestOptions(wait=False))


def test_a_password_that_is_missing(exchange: Simulator) -> None:
    with running(valkey()) as server, redis.Redis(port=server.port) as looking:
        looking.config_set("requirepass", "gehe1m")
        with _client(exchange, server.url) as client, pytest.raises(ConfigError, match="refuses the user or password"):
            client.spot.ping()


def test_a_database_that_is_not_there(exchange: Simulator, store: Server) -> None:
    with (
        _client(exchange, store.url.replace("/0", "/99")) as client,
        pytest.raises(ConfigError, match=r"/99 cannot be used: .*DB index is out of range; check limits_url"),
    ):
        client.spot.ping()


def test_a_server_of_another_kind_is_a_store_that_is_away(exchange: Simulator) -> None:
    # The exchange itself, for one: it speaks HTTP.
    url = exchange.base_url("spot").replace("http://", "redis://")
    with _client(exchange, url) as client:
        client.spot.ping()
        assert client.limits.store is not None
        assert client.limits.store.state == "lost"


@pytest.mark.parametrize(
    ("setting", "value", "why"),
    [("maxmemory", "1", "used memory > 'maxmemory'"), ("min-replicas-to-write", "1", "NOREPLICAS")],
    ids=["full", "without its replicas"],
)
def test_a_store_that_takes_no_writes_is_away(exchange: Simulator, setting: str, value: str, why: str) -> None:
    with running(valkey()) as server, redis.Redis(port=server.port) as looking:
        with _client(exchange, server.url) as client:
            client.spot.ping()
            looking.config_set(setting, value)
            # What the calls need is their own part now, and no call fails.
            for _ in range(3):
                client.spot.ping()
            assert client.limits.store is not None
            assert client.limits.store.state == "lost"
            assert why in client.limits.store.reason
            with pytest.raises(BudgetError):
                _spend_all(client)
        assert exchange.used_weight("spot") <= 0.97 * _WEIGHT


def _ahead(_: AsyncClock) -> float:
    return time.time() + 40


def test_hosts_whose_clocks_differ_by_seconds_agree_on_the_window(
    exchange: Simulator, store: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _client(exchange, store.url, limits_share=1) as first:
        first.spot.time()
        monkeypatch.setattr(AsyncClock, "time", _ahead)
        with _client(exchange, store.url, limits_share=2) as second:
            second.spot.time()
            second.spot.ping()
            first.spot.ping()
            usages = [client.limits.spot.used for client in (first, second)]
            resets = [client.limits.spot.resets_in for client in (first, second)]
    if exchange.used_weight("spot") == 4:
        # The window has not turned in between.
        assert usages[0] == 4
        assert abs(resets[0] - resets[1]) < 2


@pytest.mark.parametrize("key", ["a}b{ c:é*?[x]", "{}", "%7D", "default:spot", "x" * 200])
def test_odd_names_of_budgets_are_budgets_of_their_own(exchange: Simulator, store: Server, key: str) -> None:
    with _client(exchange, store.url, limits_key=key) as client:
        client.spot.ping()
        assert client.limits.spot.used == 1
        assert client.limits.store is not None
        assert client.limits.store.state == "connected"
