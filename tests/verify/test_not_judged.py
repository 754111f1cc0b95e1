"""What says nothing about the spec is told with its reason: it is no drift, and ends nothing."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from itertools import accumulate, cycle

import pytest

from binance_sdk import _settings
from binance_sdk.catalogue import Environment, HostUrls
from binance_sdk.errors import ConfigError
from binance_sdk.simulator import Fault
from binance_sdk.simulator.rest.exchange import Reply
from binance_sdk.verify import Report, VerifySettings, run, verify
from tests.cli.support import answering

from .drifts import refuse
from .mutated import MutatedExchange, Query

AVG_PRICE, INFO = "/api/v3/avgPrice", "/api/v3/exchangeInfo"


def compared(exchange: MutatedExchange, only: str = "spot.*price", listen_seconds: float = 0.0) -> Report:
    """What is found at an exchange of which nothing can be said, which must be nothing."""
    report = asyncio.run(verify(exchange.settings(only, listen_seconds)))
    assert report.findings == (), report.as_markdown()
    return report


def reasons(report: Report) -> set[str]:
    return {one.because for one in report.not_judged}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.restricted(), "HTTP 451"),
        (Fault.country_blocked(), "HTTP 403"),
        (Fault.forbidden(), "HTTP 403"),
        (Fault.server_error(503), "HTTP 503"),
        (Fault.maintenance(), "HTTP 503"),
        (Fault.banned(), "HTTP 418"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_a_host_that_answers_nobody(exchange: MutatedExchange, fault: Fault, words: str) -> None:
    exchange.simulator.faults.add(fault, where="spot")
    try:
        report = compared(exchange, "spot.ping")
    finally:
        exchange.simulator.faults.clear()
    assert not report.compared
    assert len(report.not_judged) == 1
    assert words in report.not_judged[0].because


def test_no_network() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    settings = VerifySettings(base_urls={"spot": url}, stream_urls={"spot": url.replace("http", "ws")}, only="spot.t*")
    report = asyncio.run(verify(settings))
    assert report.findings == ()
    assert not report.compared
    assert all("no connection" in because for because in reasons(report))
    assert {one.subject for one in report.not_judged} >= {"spot.time", "spot.trades", "spot.trade"}


def test_a_stream_host_that_cannot_be_reached(exchange: MutatedExchange) -> None:
    settings = replace(exchange.settings("spot.trade", 1.0), stream_urls={"spot": "ws://127.0.0.1:9"})
    report = asyncio.run(verify(settings))
    assert report.findings == ()
    assert [one.about for one in report.not_judged] == ["stream"]


def test_silence(exchange: MutatedExchange) -> None:
    # The clock of the exchange stands still, so nothing happens there.
    report = compared(exchange, "spot.trade", 0.2)
    assert reasons(report) == {"it said nothing in 0.2 s"}


def test_an_endpoint_in_maintenance(exchange: MutatedExchange) -> None:
    exchange.replies[AVG_PRICE] = lambda _, made: replace(made, status=503, body=b"")
    report = compared(exchange, "spot.*price")
    assert {one.subject for one in report.not_judged} == {"spot.avg_price"}
    assert report.operations == 2


def test_the_rules_of_symbols_in_maintenance(exchange: MutatedExchange) -> None:
    exchange.replies[INFO] = lambda _, made: replace(made, status=503, body=b"")
    report = compared(exchange, "spot.e*")
    assert {one.subject for one in report.not_judged} == {"spot.exchange_info"}


def test_a_symbol_that_is_gone(exchange: MutatedExchange) -> None:
    refuse(AVG_PRICE, lambda query: query.get("symbol") == "BTCUSDT", -1121)(exchange, pytest.MonkeyPatch())
    report = compared(exchange, "spot.avg_price")
    assert {one.because.partition(":")[0] for one in report.not_judged if one.what == "the answer"} == {
        "the symbol is not known there"
    }


def test_a_market_without_trades(exchange: MutatedExchange) -> None:
    for path in ("/api/v3/trades", "/api/v3/klines", "/api/v3/aggTrades"):
        exchange.body(path, lambda _, value: [])
    report = compared(exchange, "spot.*trades")
    assert {one.subject for one in report.not_judged} >= {"spot.trades", "spot.agg_trades"}
    assert {one.what for one in report.not_judged} == {"the rows", "the size of a page"}


def test_a_test_exchange_that_was_wiped(exchange: MutatedExchange) -> None:
    exchange.body(INFO, lambda _, value: {**value, "symbols": []})
    assert compared(exchange, "spot.*price").operations == 3


def test_no_path_of_a_market(exchange: MutatedExchange) -> None:
    settings = exchange.settings("spot.avg_price")
    elsewhere = replace(settings, base_urls={"spot": settings.base_urls["futures"]})
    report = asyncio.run(verify(elsewhere))
    assert report.findings == ()
    assert reasons(report) == {"no path of this market is served there"}


def test_somebody_else_spends_from_the_same_address(exchange: MutatedExchange) -> None:
    theirs = accumulate(cycle((0, 3, 1, 4, 0, 5, 2, 6)))

    def busy(_: Query, made: Reply) -> Reply:
        used = int(made.headers["x-mbx-used-weight-1m"]) + next(theirs)
        return replace(made, headers={**made.headers, "x-mbx-used-weight-1m": str(used)})

    exchange.replies["/api/v3/time"] = busy
    report = compared(exchange, "spot.avg_price")
    assert [(one.what, one.because) for one in report.not_judged] == [
        ("the weight", "somebody else seems to spend from the same address")
    ]


def test_an_endpoint_that_wants_a_key(exchange: MutatedExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BINANCE_API_KEY", raising=False)
    report = asyncio.run(verify(replace(exchange.settings("futures.historical_trades"), api_key=None)))
    assert report.findings == ()
    assert reasons(report) == {"it wants an API key: pass one, or set BINANCE_API_KEY"}


def test_a_pattern_that_fits_nothing_is_told(exchange: MutatedExchange) -> None:
    with pytest.raises(ConfigError, match="fits no operation and no stream of the markets asked"):
        asyncio.run(verify(exchange.settings("margin.*")))


def test_further_hosts_are_asked_too(exchange: MutatedExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    first = exchange.simulator.base_url("spot")
    with answering(301, b"", {"Location": "https://elsewhere.invalid/"}) as moved, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{free.getsockname()[1]}"
        hosts = {"spot": HostUrls((first, moved, away, first), (exchange.simulator.stream_url("spot"),))}
        here = {"mainnet": Environment("mainnet", "mainnet", hosts)}
        monkeypatch.setattr(_settings, "ENVIRONMENTS", here)
        report = asyncio.run(verify(VerifySettings(environment="mainnet", only="spot.avg_price", listen_seconds=0)))
    assert [(one.kind, one.path, one.seen) for one in report.findings] == [
        ("host_moved", moved, "https://elsewhere.invalid/")
    ]
    assert [one.what for one in report.not_judged] == [f"the host {away}"]


def test_a_web_page_in_the_place_of_an_answer(exchange: MutatedExchange) -> None:
    exchange.replies[AVG_PRICE] = lambda _, made: replace(made, status=200, body=b"<html>We are working on it</html>")
    assert reasons(compared(exchange, "spot.avg_price")) == {"the answer is a web page, as in maintenance"}


def test_a_refusal_that_is_documented_or_about_something_else(exchange: MutatedExchange) -> None:
    patch = pytest.MonkeyPatch()
    refuse("/api/v3/referencePrice", lambda query: query.get("symbol") == "BTCUSDT", -2043)(exchange, patch)
    refuse("/api/v3/klines", lambda query: query.get("interval") == "3d", -1000)(exchange, patch)
    report = compared(exchange, "spot.*e*")
    assert {(one.subject, one.because.partition(":")[0]) for one in report.not_judged} == {
        ("spot.reference_price", "it is refused, as may be"),
        ("spot.klines", "there may be no such thing there"),
    }


def test_a_key_that_is_not_taken(exchange: MutatedExchange) -> None:
    path = "/futures/data/topLongShortAccountRatio"
    refuse(path, lambda _: True, -2015, 401)(exchange, pytest.MonkeyPatch())
    report = compared(exchange, "futures.top_long_short_account_ratio")
    assert {one.because.partition(":")[0] for one in report.not_judged} == {"the API key is not taken"}


def test_the_limits_of_a_test_exchange(exchange: MutatedExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange.body(INFO, lambda _, value: {**value, "rateLimits": []})
    hosts = {"spot": HostUrls((exchange.simulator.base_url("spot"),), ())}
    environments = {name: Environment(name, name, hosts) for name in ("mainnet", "testnet")}
    for module in (_settings, run):
        monkeypatch.setattr(module, "ENVIRONMENTS", environments)
    settings = VerifySettings(environment="testnet", only="spot.exchange_info", listen_seconds=0)
    report = asyncio.run(verify(settings))
    assert report.findings == ()
    assert reasons(report) == {"a test exchange has limits of its own"}
    assert "a test exchange has limits of its own" in report.as_markdown()
    assert asyncio.run(verify(replace(settings, environment="mainnet"))).findings != ()
