"""Run by ``test_further_market`` in a package that was generated from the changed spec."""

import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import get_args

import httpx
import pytest

import binance_sdk
from binance_sdk import Caps, RequestOptions, SyncBinanceClient, errors
from binance_sdk.catalogue import CATALOGUE, MARKETS, Market, stream, stream_fixture
from binance_sdk.options import Premium, PremiumEvent

assert Path(binance_sdk.__file__).parent.parent == Path.cwd(), binance_sdk.__file__
asked: list[str] = []
status = 200


def answer(request: httpx.Request) -> httpx.Response:
    asked.append(str(request.url))
    if status == 418:
        return httpx.Response(418, json={"code": -1003, "msg": "banned"}, headers={"Retry-After": "60"})
    body = {"symbol": "BTC-C", "premium": "12.50"} if "premium" in request.url.path else []
    return httpx.Response(200, json=body, headers={"X-MBX-USED-WEIGHT-1M": "100"})


def check_names() -> None:
    assert tuple(MARKETS)[-1] == get_args(Market)[-1] == tuple(CATALOGUE)[-1] == "options"
    facts = MARKETS["options"]
    assert (facts.title, facts.pool, facts.probe) == ("Options", "futures", "hello")
    assert (facts.streams.messages_a_second, facts.streams.streams_a_connection) == (3, 50)
    assert (facts.streams.connections, facts.streams.connections_seconds, facts.streams.routes) == (20, 60, ())
    assert [operation.id for operation in CATALOGUE["options"]] == ["options.hello", "options.premium"]
    event = stream("options.premium").item.model_validate_json(stream_fixture("options", "premium"))
    assert isinstance(event, PremiumEvent)
    assert event.premium == Decimal("12.50")
    # A cap is the pool's: there is one of it, and it says for whom.
    assert [name for name in Caps.__dataclass_fields__ if "weight" in name] == [
        "spot_weight_per_minute",
        "futures_weight_per_minute",
    ]
    described = " ".join((Caps.__doc__ or "").split())
    assert "futures_weight_per_minute: Request weight of USDⓈ-M futures" in described
    assert "and Options together, from 1 on." in described


def check_calls() -> None:
    global status
    with (
        httpx.Client(transport=httpx.MockTransport(answer)) as http,
        SyncBinanceClient(http_client=http, caps=Caps(futures_weight_per_minute=150), max_retries=0) as client,
    ):
        price = client.options.premium("BTC-C")
        assert isinstance(price, Premium)
        assert price.premium == Decimal("12.50")
        assert client.market("options").plan.premium("BTC-C").weight == 7
        limits = client.limits
        assert limits.options.pool == limits.futures.pool == "mainnet/futures" != limits.spot.pool
        assert limits.options.used == limits.futures.used == 100
        assert limits.options.groups["funding_rate"].used == limits.futures.groups["funding_rate"].used == 1
        assert limits.spot.used == 0
        client.futures.funding_rate("BTCUSDT")
        assert limits.options.groups["funding_rate"].used == 2
        # One cap for both: what is spent of it here is too much for a call there.
        for _ in range(18):
            client.options.premium("BTC-C")
        at_once = RequestOptions(wait=False)
        assert client.futures.plan.depth("BTCUSDT", limit=1000).weight == 20
        with pytest.raises(errors.BudgetError, match="your cap futures_weight_per_minute"):
            client.futures.depth("BTCUSDT", limit=1000, options=at_once)
        # A refusal of one is a refusal of the other, and of no third.
        status = 418
        with pytest.raises(errors.IPBannedError):
            client.options.hello()
        sent = len(asked)
        with pytest.raises(errors.IPBannedError):
            client.futures.ping()
        assert len(asked) == sent
        assert limits.futures.closed_for > 0 == limits.spot.closed_for
        assert asked[0] == "https://oapi.invalid/oapi/v1/premium?symbol=BTC-C"


def check_settings() -> None:
    absent = SyncBinanceClient("testnet")
    with pytest.raises(errors.ConfigError, match="environment 'testnet' has no options market; it has spot"):
        assert absent.limits.options
    with pytest.raises(errors.ConfigError, match="options"):
        absent.options.hello()
    os.environ["BINANCE_SDK_OPTIONS_BASE_URL"] = "http://127.0.0.1:7777"
    alone = SyncBinanceClient()
    assert "options_base_url='http://127.0.0.1:7777'" in repr(alone)
    assert alone.limits.options.pool == "127.0.0.1:7777/futures"
    assert alone.limits.futures.pool == "mainnet/futures"
    both = SyncBinanceClient(futures_base_url="http://127.0.0.1:7776")
    assert both.limits.options.pool == both.limits.futures.pool == "127.0.0.1:7776/futures"
    assert both.limits.spot.pool == "mainnet/spot"


check_names()
check_calls()
check_settings()
sys.stdout.write("used\n")
