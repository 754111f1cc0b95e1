"""The two clients: settings, life time, sharing, the ledger as it is shown, and plans."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient, Plan, RequestOptions, SyncBinanceClient
from binance_sdk._generated.futures import api as futures_api
from binance_sdk._generated.spot import api as spot_api
from binance_sdk.errors import BinanceError, ConfigError

from .server import http
from .support import KEY, Mode, Recorder, charged, outcome

both = pytest.mark.parametrize("mode", ["sync", "async"])
kinds = pytest.mark.parametrize("kind", [SyncBinanceClient, BinanceClient], ids=["sync", "async"])
PING = http("200 OK", b"{}", last=False)


# ---------------------------------------------------------------------------------- settings


def test_mainnet_is_asked_where_nothing_is_said(recorder: Recorder) -> None:
    with recorder.sync() as client:
        client.spot.ping()
        client.futures.ping()
    assert [request.url.host for request in recorder.requests] == ["api.binance.com", "fapi.binance.com"]


@pytest.mark.parametrize(
    ("environment", "host"),
    [("data_only", "data-api.binance.vision"), ("testnet", "testnet.binance.vision"), ("demo", "demo-api.binance.com")],
)
def test_environment_by_argument_and_by_variable(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, environment: Any, host: str
) -> None:
    with recorder.sync(environment=environment) as client:
        client.spot.ping()
    monkeypatch.setenv("BINANCE_SDK_ENVIRONMENT", f" {environment} ")
    with recorder.sync() as client:
        client.spot.ping()
        assert environment in repr(client)
    with recorder.sync(environment="mainnet") as client:
        client.spot.ping()
    assert [request.url.host for request in recorder.requests] == [host, host, "api.binance.com"]


def test_urls_and_key_from_variables(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_SDK_SPOT_BASE_URL", "http://127.0.0.1:1/spot/")
    monkeypatch.setenv("BINANCE_SDK_FUTURES_BASE_URL", "http://[::1]:2")
    monkeypatch.setenv("BINANCE_API_KEY", f"{KEY}\n")
    recorder.answer = lambda request: b"[]" if "historical" in request.url.path else b"{}"
    with recorder.sync() as client:
        client.spot.ping()
        client.futures.historical_trades("BTCUSDT", from_id=1)
        assert "http://127.0.0.1:1/spot" in repr(client)
    with recorder.sync(spot_base_url="https://example.invalid") as client:
        client.spot.ping()
    assert [str(request.url) for request in recorder.requests] == [
        "http://127.0.0.1:1/spot/api/v3/ping",
        "http://[::1]:2/fapi/v1/historicalTrades?symbol=BTCUSDT&fromId=1",
        "https://example.invalid/api/v3/ping",
    ]
    assert [request.headers.get("x-mbx-apikey") for request in recorder.requests] == [None, KEY, None]


@kinds
@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"environment": "main"}, "environment='main'"),
        ({"spot_base_url": "ftp://127.0.0.1"}, "spot_base_url"),
        ({"spot_base_url": "127.0.0.1:8080"}, "spot_base_url"),
        ({"spot_base_url": ""}, "spot_base_url"),
        ({"spot_base_url": "http://"}, "spot_base_url"),
        ({"spot_base_url": "http://127.0.0.1:99999"}, "spot_base_url"),
        ({"spot_base_url": "http://[::1"}, "spot_base_url"),
        ({"futures_base_url": "http://127.0.0.1/?a=1"}, "futures_base_url"),
        ({"futures_base_url": "http://127.0.0.1/#a"}, "futures_base_url"),
        ({"futures_base_url": "http://127.0.0.1?"}, "futures_base_url"),
        ({"spot_base_url": "http://user:hush@127.0.0.1"}, "spot_base_url"),
        ({"spot_base_url": "ftp://user:hush@127.0.0.1"}, "spot_base_url"),
        ({"spot_base_url": "http://user:hush@127.0.0.1:99999"}, "spot_base_url"),
        ({"api_key": f"{KEY}\n"}, "API key"),
        ({"api_key": f"{KEY} {KEY}"}, "API key"),
        ({"api_key": f"{KEY}\u20ac"}, "API key"),
        *[({"timeout": bad}, "timeout") for bad in (0, -1, float("nan"), float("inf"), True, "5")],
    ],
)
def test_wrong_settings(kind: Callable[..., object], settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        kind(**settings)
    assert named in str(caught.value)
    assert KEY not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_wrong_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in (("ENVIRONMENT", "main"), ("SPOT_BASE_URL", "nowhere"), ("FUTURES_BASE_URL", "ftp://x")):
        with monkeypatch.context() as patch:
            patch.setenv(f"BINANCE_SDK_{variable}", value)
            with pytest.raises(ConfigError, match=f"BINANCE_SDK_{variable}='{value}'"):
                SyncBinanceClient()


@both
def test_http_client_of_the_wrong_kind(mode: Mode) -> None:
    other = httpx.AsyncClient() if mode == "sync" else httpx.Client()
    used: list[int] = []
    wanted = "httpx.Client" if mode == "sync" else "httpx.AsyncClient"
    try:
        error = outcome(mode, lambda c: c.spot.ping(), lambda c: used.append(charged(c)), http_client=other)
    except ConfigError as refused:
        error, used = refused, [0]
    assert isinstance(error, ConfigError)
    assert f"{wanted}, not " in str(error)
    assert used == [0]
    assert "was not closed" not in str(error)


@kinds
def test_repr_shows_where_and_no_key(kind: Any) -> None:
    client = kind(api_key=KEY, spot_base_url="http://127.0.0.1:1")
    for shown in (client, client.spot, client.limits, client.limits.spot, client.with_options(RequestOptions())):
        assert KEY not in repr(shown)
    assert repr(kind(api_key=KEY)) == f"{kind.__name__}(environment='mainnet')"


# ------------------------------------------------------------------------------ not served here


@both
@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (lambda c: c.futures.klines("BTCUSDT", "1h"), "futures.klines"),
        (lambda c: c.futures.ping(), "futures.ping"),
        (lambda c: c.spot.historical_trades("BTCUSDT"), "spot.historical_trades"),
        (lambda c: c.spot.plan.historical_trades("BTCUSDT"), "spot.historical_trades"),
        (lambda c: c.spot.ticker_trading_day("BTCUSDT"), "spot.ticker_trading_day"),
    ],
)
def test_data_only_refuses_the_rest_before_sending(mode: Mode, call: Callable[[Any], Any], operation: str) -> None:
    used: list[int] = []
    # A socket opened here would be stopped by the fixture that guards the network.
    error = outcome(mode, call, lambda client: used.append(charged(client)), environment="data_only")
    assert isinstance(error, ConfigError)
    assert error.operation == operation
    assert "environment 'data_only'" in str(error)
    assert "use one of mainnet" in str(error)
    assert used == [0]


def test_data_only_has_no_futures_limits() -> None:
    client = SyncBinanceClient(environment="data_only")
    assert client.limits.spot.limit == 6000
    with pytest.raises(ConfigError, match="data_only"):
        _ = client.limits.futures


@both
def test_an_operation_with_a_key_is_refused_without_one(mode: Mode) -> None:
    used: list[int] = []
    error = outcome(
        mode, lambda c: c.futures.historical_trades("BTCUSDT", from_id=1), lambda client: used.append(charged(client))
    )
    assert isinstance(error, ConfigError)
    assert error.operation == "futures.historical_trades"
    assert "BINANCE_API_KEY" in str(error)
    assert used == [0]


# ---------------------------------------------------------------------------------------- sharing


def test_with_options_shares_everything_else(recorder: Recorder) -> None:
    with recorder.sync(timeout=3.0) as client:
        copy = client.with_options(RequestOptions(timeout=5.0, headers={"X-A": "1", "X-B": "1"}))
        again = copy.with_options(RequestOptions(headers={"X-B": "2"}))
        assert type(copy) is SyncBinanceClient
        client.spot.ping()
        copy.spot.ping()
        again.spot.ping(options=RequestOptions(headers={"X-C": "3"}, timeout=7.0))
        assert client.limits.spot.used == again.limits.spot.used == 3
    sent = recorder.requests
    assert [request.extensions["timeout"]["read"] for request in sent] == [3.0, 5.0, 7.0]
    assert [[request.headers.get(f"x-{name}") for name in "abc"] for request in sent] == [
        [None, None, None],
        ["1", "1", None],
        ["1", "2", "3"],
    ]
    with pytest.raises(ConfigError, match="closed"):
        again.spot.ping()


def test_clients_of_one_process_share_one_budget(recorder: Recorder) -> None:
    with recorder.sync() as first, recorder.sync() as second, recorder.sync(environment="testnet") as other:
        first.spot.depth("BTCUSDT", limit=5000)
        assert second.limits.spot.used == 250
        assert second.limits.futures.used == other.limits.spot.used == 0
    with recorder.sync(environment="data_only") as same_address:
        assert same_address.limits.spot.used == 250


def test_http_client_of_the_user_is_left_open() -> None:
    recorder = Recorder()
    with httpx.Client(transport=httpx.MockTransport(recorder)) as given:
        with SyncBinanceClient(http_client=given) as client:
            client.spot.ping()
        assert not given.is_closed
        # Nor is there a warning about a client that holds nothing of its own.
        SyncBinanceClient(http_client=given).spot.ping()
        gc.collect()
    assert len(recorder.requests) == 2


# ----------------------------------------------------------------------------------------- limits


def test_limits_as_they_are_shown(recorder: Recorder) -> None:
    with recorder.sync() as client:
        spot, futures = client.limits.spot, client.limits.futures
        assert (spot.used, spot.limit, spot.remaining) == (0, 6000, 6000)
        assert (futures.used, futures.limit) == (0, 2400)
        assert 0 < spot.resets_in <= 60
        client.spot.depth("BTCUSDT", limit=1000)
        client.futures.funding_rate("BTCUSDT")
        client.futures.funding_info()
        client.futures.basis("BTCUSDT", "PERPETUAL", "1h")
        assert (spot.used, spot.remaining, spot.weight.seconds) == (50, 5950, 60)
        assert spot.groups["raw_requests"].used == 1
        assert futures.used == 0
        groups = futures.groups
        assert (groups["funding_rate"].used, groups["funding_rate"].limit, groups["funding_rate"].seconds) == (
            2,
            500,
            300,
        )
        assert (groups["futures_data"].used, groups["futures_data"].limit) == (1, 1000)
        assert "used=50" in repr(spot)


def test_the_servers_count_corrects_ours(recorder: Recorder) -> None:
    with recorder.sync() as client:
        recorder.headers["X-MBX-USED-WEIGHT-1M"] = "1200"
        raw = client.spot.with_raw_response.ping()
        assert (raw.weight, raw.used_weight) == (1, 1200)
        assert client.limits.spot.used == 1200
        del recorder.headers["X-MBX-USED-WEIGHT-1M"]
        client.spot.depth("BTCUSDT", limit=5000)
        assert client.limits.spot.used == 1450
        # A count in another unit, or of something else, is none of this window.
        recorder.headers.update({"X-MBX-USED-WEIGHT-1H": "5000", "X-MBX-ORDER-COUNT-1M": "5900"})
        client.spot.ping()
        assert client.limits.spot.used == 1451


def test_a_count_that_cannot_be_trusted_is_left_out_of_account(recorder: Recorder) -> None:
    recorder.headers["X-MBX-USED-WEIGHT-1M"] = "2399"
    with recorder.sync() as client:
        raw = client.futures.with_raw_response.ticker_book_ticker("BTCUSDT")
        assert raw.weight == 2
        assert client.limits.futures.used == 2


# ------------------------------------------------------------------------------------------ plans

YEAR = {"start_time": datetime(2025, 1, 1, tzinfo=UTC), "end_time": datetime(2025, 12, 31, 23, 59, tzinfo=UTC)}


@kinds
def test_plans_send_nothing_and_need_no_await(kind: Any) -> None:
    # A request would need the network, which is shut, and an event loop, which does not run.
    client = kind()
    plan = client.spot.plan.depth("BTCUSDT", limit=5000)
    assert isinstance(plan, Plan)
    assert (plan.operation, plan.requests, plan.weight, dict(plan.groups)) == ("spot.depth", 1, 250, {})
    assert plan.at_least == 0
    assert client.futures.plan.funding_rate("BTCUSDT").groups == {"funding_rate": 1}
    assert client.spot.plan.ticker_24hr().weight == 80
    futures = client.futures.plan.iter_klines("BTCUSDT", "1m", **YEAR)
    assert (futures.requests, futures.weight) == (1055, 2110)
    assert futures.at_least == 0
    spot = client.spot.plan.iter_klines("BTCUSDT", "1m", **YEAR)
    assert (spot.requests, spot.weight) == (527, 1054)
    large = client.futures.plan.iter_klines("BTCUSDT", "1m", page_size=1000, **YEAR)
    assert large.weight == 526 * 5 + client.futures.plan.klines("BTCUSDT", "1m", limit=600).weight
    assert large.at_least == 60
    assert client.spot.plan.iter_agg_trades("BTCUSDT", limit=2500).requests == 3
    assert charged(client) == 0


@kinds
def test_a_plan_that_cannot_be_known_says_what_is_missing(kind: Any) -> None:
    with pytest.raises(BinanceError, match="pass limit="):
        kind().spot.plan.iter_agg_trades("BTCUSDT", start_time=datetime(2026, 1, 1, tzinfo=UTC))


# ----------------------------------------------------------------------------------- two of a kind


def surface(kind: type) -> dict[str, tuple[list[inspect.Parameter], object, str | None]]:
    found = {}
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        if not name.startswith("_"):
            signature = inspect.signature(method)
            returned = str(signature.return_annotation).replace("AsyncIterator", "Iterator")
            found[name] = (list(signature.parameters.values()), returned, method.__doc__)
    return found


@pytest.mark.parametrize(
    ("asynchronous", "other"),
    [(spot_api.AsyncSpot, spot_api.SyncSpot), (futures_api.AsyncFutures, futures_api.SyncFutures)],
    ids=["spot", "futures"],
)
def test_sync_and_async_methods_are_the_same(asynchronous: type, other: type) -> None:
    assert surface(asynchronous) == surface(other)
    for name in surface(asynchronous):
        iterates = name.startswith("iter_")
        # Before Python 3.12 inspect does not know of what wraps a deprecated method that it is awaited.
        assert inspect.iscoroutinefunction(inspect.unwrap(getattr(asynchronous, name))) is not iterates
        assert not inspect.iscoroutinefunction(inspect.unwrap(getattr(other, name)))


def test_both_clients_take_the_same_settings() -> None:
    asynchronous, other = (inspect.signature(kind.__init__) for kind in (BinanceClient, SyncBinanceClient))
    assert list(asynchronous.parameters) == list(other.parameters)
    for name, parameter in asynchronous.parameters.items():
        assert parameter.kind is other.parameters[name].kind
        assert parameter.default == other.parameters[name].default
    public = {name for name in dir(BinanceClient) if not name.startswith("_")} - {"aclose"}
    assert public == {name for name in dir(SyncBinanceClient) if not name.startswith("_")} - {"close"}
