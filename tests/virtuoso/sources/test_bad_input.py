"""Configurations and answers that must not be used: refused or flagged with key, value and remedy, compared never."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from binance_sdk.errors import ConfigError
from tests.virtuoso.sources.fake_sources import Clock, FakeExchange, changed, market_data, source_of
from virtuoso_binance.kinds import Kind
from virtuoso_binance.scalars import Row
from virtuoso_binance.sources import SourceFailed, compare, make_market_data_source
from virtuoso_binance.sources.aggregation import aggregated

NOW = Clock().now_ms
EXCHANGES: dict[str, Any] = {"bybit": {"enabled": True}, "binance": {"enabled": True}}
BLOCK: dict[str, Any] = {"primary": "bybit", "secondary": ["binance"]}


def made(exchanges: dict[str, Any] | None = None, block: dict[str, Any] | None = None, **names: str) -> Any:
    config = {"exchanges": {**EXCHANGES, **(exchanges or {})}, "data_sources": {**BLOCK, **(block or {})}}
    return make_market_data_source(config, names=names)


# ---------------------------------------------------------------------------------- configuration


@pytest.mark.parametrize(
    ("exchanges", "words"),
    [
        ({"binance": {"enabled": False}}, "secondary='binance' is switched off; write exchanges.binance.enabled: true"),
        ({"binance": {"enabled": "False "}}, "secondary='binance' is switched off; write"),
        ({"binance": {"enabled": "${ENABLE_BINANCE_DATA:false}"}}, "secondary='binance' is switched off; write"),
        ({"bybit": {"enabled": "${BYBIT:false}"}}, "primary='bybit' is switched off; write exchanges.bybit.enabled"),
        ({"BINANCE": {"enabled": True}}, "exchanges.BINANCE is exchanges.binance once more.* leave one of them"),
        ({"binance": {"rest_endpoint": "ftp://x"}}, "exchanges.binance.rest_endpoint='ftp://x' must be an address"),
    ],
)
def test_exchanges_that_cannot_be_sources(exchanges: dict[str, Any], words: str) -> None:
    pytest.importorskip("ccxt", reason="ccxt is missing: install the extra ccxt")
    with pytest.raises(ConfigError, match=words):
        made(exchanges)


def test_a_secondary_source_that_the_environment_has_switched_off() -> None:
    with pytest.raises(ConfigError, match="secondary='binance' is switched off"):
        made(ENABLE_BINANCE_DATA="false")


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"enabled": 0}, "exchanges.bybit.enabled=0 must be true or false; write"),
        ({"enabled": "maybe"}, "exchanges.bybit.enabled='maybe' must be true or false"),
        # Else it would ask the exchange itself, and not its testnet.
        ({"testnet": "ture"}, "exchanges.bybit.testnet='ture' must be true or false"),
        ({"testnet": 1}, "exchanges.bybit.testnet=1 must be true or false"),
        ({"rate_limits": [5]}, r"exchanges.bybit.rate_limits=\[5\] must be a block of keys and values; begin with"),
        ({"rate_limits": {"requests_per_minute": 0}}, "rate_limits.requests_per_minute=0 must be a number above 0"),
        ({"rate_limits": {"requests_per_second": "10"}}, "rate_limits.requests_per_second='10' must be a number"),
    ],
)
def test_sections_of_ccxt_exchanges_that_cannot_be_used(section: dict[str, Any], words: str) -> None:
    pytest.importorskip("ccxt", reason="ccxt is missing: install the extra ccxt")
    with pytest.raises(ConfigError, match=words):
        made({"bybit": section})


def test_an_exchange_that_ccxt_does_not_know() -> None:
    pytest.importorskip("ccxt", reason="ccxt is missing: install the extra ccxt")
    with pytest.raises(ConfigError, match=r"exchanges\.byebit can be no source: exchange_id='byebit' is no exchange"):
        made({"byebit": {}}, {"primary": "byebit"})


@pytest.mark.parametrize("config", [None, [], "exchanges"])
def test_something_that_is_no_configuration(config: Any) -> None:
    with pytest.raises(
        ConfigError, match=r"config=.* must be the whole configuration, with exchanges and data_sources"
    ):
        make_market_data_source(config, names={})


def test_a_key_that_is_not_read_is_told(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("ccxt", reason="ccxt is missing: install the extra ccxt")
    caplog.set_level(logging.WARNING)
    made({"bybit": {"rate_limit": 5, "websocket": {}, "api_credentials": {}, "testnet": "False"}})
    told = [record.getMessage() for record in caplog.records if "bybit" in record.getMessage()]
    assert told == ["exchanges.bybit.rate_limit is not known and not read; check its spelling"]


@pytest.mark.parametrize(
    ("limits", "pace"),
    [
        ({"requests_per_second": 10, "requests_per_minute": 1200}, 10),
        ({"requests_per_second": 10, "requests_per_minute": 120}, 2),
        ({"requests_per_minute": 30}, 0.5),
        ({}, None),
    ],
)
def test_the_lower_limit_holds(limits: dict[str, int], pace: float | None) -> None:
    pytest.importorskip("ccxt", reason="ccxt is missing: install the extra ccxt")
    assert made({"bybit": {"rate_limits": limits}})._sources["bybit"].exchange._pace == pace


# ---------------------------------------------------------------------------------------- symbols


async def answered(symbol: str, **block: Any) -> tuple[Row, list[Any]]:
    """What is delivered where the first source calls the symbol something else everywhere, and what is told."""
    clock, events = Clock(), list[Any]()
    first, second = FakeExchange(clock, "bybit"), FakeExchange(clock)
    first.behaviour = lambda asked: market_data(symbol, clock.now_ms, exchange="bybit")
    async with source_of(clock, {"bybit": first, "binance": second}, events, **block) as source:
        return await source.fetch_market_data("BTCUSDT"), events


@pytest.mark.parametrize("spelling", ["BTC/USDT", "btcusdt", "BTC/USDT:USDT", "BTC-USDT"])
@pytest.mark.parametrize("block", [{}, {"cross_validation": True}, {"aggregation_mode": "aggregate"}])
async def test_an_answer_with_the_symbol_in_another_spelling(spelling: str, block: dict[str, Any]) -> None:
    data, events = await answered(spelling, **block)
    assert data["metadata"]["source"] == "binance"
    (failed,) = (event for event in events if isinstance(event, SourceFailed))
    assert failed.reason == f"symbol {spelling!r} has to be spelt BTCUSDT, as everywhere in market_data"
    nothing_of_it(data)


@pytest.mark.parametrize("symbol", ["BTCUSDC", "BTCBUSD", "BTCEUR", "ETHUSDT", "1000BTCUSDT", "", "?"])
@pytest.mark.parametrize("block", [{}, {"cross_validation": True}, {"aggregation_mode": "aggregate"}])
async def test_prices_in_another_quote_asset_or_of_another_coin(symbol: str, block: dict[str, Any]) -> None:
    data, events = await answered(symbol, **block)
    assert data["metadata"]["source"] == "binance"
    (failed,) = (event for event in events if isinstance(event, SourceFailed))
    assert failed.reason == f"symbol {symbol!r} was delivered for BTCUSDT"
    nothing_of_it(data)


def nothing_of_it(data: Row) -> None:
    """The first source is in no comparison and in no figure."""
    report = data["metadata"].get("cross_validation")
    assert report is None or (report["verdict"], report["compared"]) == ("alone", ["binance"])
    block = data.get("aggregate")
    assert block is None or list(block["price"]["by_source"]) == ["binance"]


@pytest.mark.parametrize("spelling", ["BTCUSDT", "btc/usdt", "BTC/USDT:USDT", {"symbol": "btc-usdt"}])
async def test_whoever_asks_may_spell_it_as_he_likes(spelling: Any) -> None:
    clock = Clock()
    exchanges = {"bybit": FakeExchange(clock, "bybit"), "binance": FakeExchange(clock)}
    async with source_of(clock, exchanges, cross_validation=True) as source:
        data = await source.fetch_market_data(spelling)
    assert data["symbol"] == "BTCUSDT"
    assert data["metadata"]["cross_validation"]["compared"] == ["bybit", "binance"]


# ---------------------------------------------------------------------------- kinds that are missing

LACKS: dict[Kind, dict[str, Any]] = {
    "book": {"orderbook__bids": [], "orderbook__asks": [], "metadata__orderbook_success": False},
    "trades": {"trades": [], "metadata__trades_success": False},
    "funding": {"funding": ..., "sentiment__funding_rate": ..., "metadata__funding_success": False},
    "open_interest": {
        "open_interest": ..., "open_interest_history": [], "oi_history": [], "sentiment__open_interest": ...,
        "ticker__openInterest": ..., "ticker__open_interest": ..., "metadata__oi_history_success": False,
    },
    "long_short": {
        "long_short_ratio": ..., "sentiment__long_short_ratio": ..., "metadata__lsr_success": False,
    },
}  # fmt: skip
FIGURES: dict[Kind, str] = {
    "book": "book", "funding": "funding", "open_interest": "open_interest", "long_short": "long_short",
}  # fmt: skip


@pytest.mark.parametrize("kind", LACKS)
async def test_a_source_without_a_kind_of_data_is_flagged_and_in_no_figure_of_it(kind: Kind) -> None:
    clock = Clock()
    poor, whole = FakeExchange(clock, "bybit"), FakeExchange(clock)
    poor.gives(**LACKS[kind])
    block = {"aggregation_mode": "aggregate", "cross_validation": True, "min_quality": 50}
    async with source_of(clock, {"bybit": poor, "binance": whole}, **block) as source:
        data = await source.fetch_market_data("BTCUSDT")
    about = data["metadata"]
    assert about["source"] == "bybit"
    assert (about["quality"]["kinds"][kind], about["quality"]["faults"][kind]) == (0.0, "not there")
    assert about["cross_validation"]["verdict"] == "agreed"
    figure = data["aggregate"].get(FIGURES.get(kind, ""))
    if figure is not None:
        assert figure.get("sources", list(figure.get("by_source", {}))) == ["binance"]


@pytest.mark.parametrize("kind", LACKS)
def test_where_one_source_lacks_a_kind_it_is_not_compared(kind: Kind) -> None:
    whole, poor = market_data(exchange="a"), changed(market_data(exchange="b"), **LACKS[kind])

    def kinds(other: Row) -> list[str]:
        return [check.kind for check in compare({"a": whole, "b": other}, NOW).checks]

    left = set(kinds(market_data(exchange="b"))) - set(kinds(poor))
    assert left == ({"funding"} if kind == "funding" else set())


def test_where_nobody_has_a_kind_there_is_no_figure_of_it() -> None:
    poor = {
        name: changed(market_data(exchange=name), **{k: v for lack in LACKS.values() for k, v in lack.items()})
        for name in "ab"
    }
    assert set(aggregated(poor)) == {"price", "volume"}
