"""Markets of one pool are counted, held up and refused together, whatever hosts they are asked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from binance_sdk import Caps, RequestOptions, SyncBinanceClient
from binance_sdk.errors import BudgetError, ForbiddenError, IPBannedError
from binance_sdk.simulator import Simulator

AT_ONCE = RequestOptions(wait=False, max_retries=0)
TOGETHER = ("futures", "coin_futures")
SYMBOLS = {"futures": "BTCUSDT", "coin_futures": "BTCUSD_PERP"}


class Exchange:
    """Counts both markets of the pool together, as Binance does."""

    def __init__(self) -> None:
        self.used = 0
        self.asked: list[str] = []
        self.refusal: httpx.Response | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.host)
        if self.refusal is not None:
            return self.refusal
        if "api/v3" in request.url.path:
            return httpx.Response(200, json={}, headers={"X-MBX-USED-WEIGHT-1M": "1"})
        self.used += 1
        return httpx.Response(200, json={}, headers={"X-MBX-USED-WEIGHT-1M": str(self.used)})


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def client(exchange: Exchange, request: pytest.FixtureRequest) -> Iterator[SyncBinanceClient]:
    # Hosts of its own for each test: a pool lives as long as the process.
    name = "".join(letter for letter in request.node.name if letter.isalnum()).lower()[:40]
    settings: dict[str, Any] = {f"{market}_base_url": f"http://{name}-{market[:4]}.invalid" for market in TOGETHER}
    settings |= {"spot_base_url": f"http://{name}-spot.invalid", "caps": getattr(request, "param", None)}
    with (
        httpx.Client(transport=httpx.MockTransport(exchange)) as http,
        SyncBinanceClient(http_client=http, max_retries=0, **settings) as made,
    ):
        yield made


def test_a_call_to_one_leaves_less_for_the_other(client: SyncBinanceClient, exchange: Exchange) -> None:
    client.futures.ping()
    client.coin_futures.ping()
    assert len({*exchange.asked}) == 2
    limits = client.limits
    assert limits.futures.pool == limits.coin_futures.pool != limits.spot.pool
    assert limits.futures.used == limits.coin_futures.used == 2
    assert limits.spot.used == 0
    assert limits.drift() == []


@pytest.mark.parametrize("told", TOGETHER)
def test_what_others_spend_is_seen_by_both(told: str, client: SyncBinanceClient, exchange: Exchange) -> None:
    exchange.used = 2_300
    getattr(client, told).ping()
    (other,) = {*TOGETHER} - {told}
    with pytest.raises(BudgetError):
        getattr(client, other).depth(SYMBOLS[other], limit=1000, options=AT_ONCE)
    client.spot.ping(options=AT_ONCE)


@pytest.mark.parametrize("refused", TOGETHER)
@pytest.mark.parametrize(("status", "error"), [(418, IPBannedError), (403, ForbiddenError)])
def test_a_refusal_of_one_stops_both(
    refused: str, status: int, error: type[Exception], client: SyncBinanceClient, exchange: Exchange
) -> None:
    exchange.refusal = httpx.Response(status, json={"code": -1003, "msg": "no"}, headers={"Retry-After": "60"})
    with pytest.raises(error):
        getattr(client, refused).ping()
    exchange.refusal = None
    for market in TOGETHER:
        with pytest.raises((IPBannedError, BudgetError)):
            client.market(market).ping(options=AT_ONCE)  # type: ignore[call-overload]
        assert client.limits.market(market).closed_for > 0  # type: ignore[arg-type]
    assert len(exchange.asked) == 1
    client.spot.ping()


@pytest.mark.parametrize("client", [Caps(futures_weight_per_minute=2)], indirect=True)
def test_a_cap_on_a_pool_is_one_cap(client: SyncBinanceClient) -> None:
    client.futures.ping()
    client.coin_futures.ping()
    for market in TOGETHER:
        with pytest.raises(BudgetError, match="your cap futures_weight_per_minute"):
            client.market(market).ping(options=AT_ONCE)  # type: ignore[call-overload]
    client.spot.ping(options=AT_ONCE)


@pytest.mark.parametrize(
    ("settings", "pools"),
    [
        ({}, ("mainnet/spot", "mainnet/futures", "mainnet/futures")),
        ({"environment": "testnet"}, ("testnet/spot", "testnet/futures", "testnet/futures")),
        ({"coin_futures_base_url": "http://A:1"}, ("mainnet/spot", "mainnet/futures", "a:1/futures")),
        (
            {"futures_base_url": "http://a:1", "coin_futures_base_url": "http://b:1"},
            ("mainnet/spot", "a:1/futures", "a:1/futures"),
        ),
        (
            {f"{market}_base_url": "http://a:1" for market in ("spot", *TOGETHER)},
            ("a:1/spot", "a:1/futures", "a:1/futures"),
        ),
    ],
)
def test_which_pool_a_market_spends_from(settings: dict[str, Any], pools: tuple[str, str, str]) -> None:
    limits = SyncBinanceClient(**settings).limits
    assert (limits.spot.pool, limits.futures.pool, limits.coin_futures.pool) == pools


def test_a_simulator_is_one_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    with Simulator() as simulator:
        monkeypatch.setenv("BINANCE_SDK_SIMULATOR", simulator.url)
        with SyncBinanceClient() as client:
            client.futures.ping()
            client.coin_futures.depth("BTCUSD_PERP", limit=1000)
            used = client.limits.futures.used
            assert used == client.limits.coin_futures.used == simulator.used_weight("futures")
            assert used == simulator.used_weight("coin_futures") == 21
