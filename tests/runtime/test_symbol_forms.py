"""A symbol of one market that another is asked for: refused unsent, and told where it is; nothing valid is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binance_sdk import SyncBinanceClient
from binance_sdk.catalogue import CATALOGUE, MARKETS, STREAMS, fixture
from binance_sdk.errors import ParameterError
from tests.shared_facts import load, needs_facts

from .support import Recorder

FORMS = {market: facts.symbols.form for market, facts in MARKETS.items() if facts.symbols is not None}

LISTED = [
    *("spot BTCUSDT", "spot btcusdt", "spot 1000SATSUSDT", "spot BTCUSD", "spot 币安人生USDT", "spot 这是测试币456"),
    *("spot MYSTERY_BOX0000087USDT", "spot A", "spot BTC-USD.X"),
    *("futures BTCUSDT", "futures BTCUSDT_260626", "futures btcusdt_260626", "futures ETHUSDC", "futures ETHBTC"),
    *("futures 1000SHIBUSDT", "futures 币安人生USDT", "futures BTCBUSD_210129", "futures BTCFDUSD_260626"),
    *("futures BTCDOMUSDT", "futures ADAUSD", "futures BTCUSDT_SETTLED"),
    *(
        "coin_futures BTCUSD_PERP",
        "coin_futures btcusd_perp",
        "coin_futures BNBUSD_261225",
        "coin_futures 1000币USD_PERP",
    ),
]
WRONG = [
    ("spot", "BTCUSDT_260626", "client.futures"),
    ("spot", "btcusdt_260626", "client.futures"),
    ("spot", "BTCUSD_PERP", "client.coin_futures"),
    ("spot", "1000币USD_PERP", "client.coin_futures"),
    ("spot", "BTCUSD_260626", "client.coin_futures"),
    ("futures", "BTCUSD_PERP", "client.coin_futures"),
    ("futures", "btcusd_perp", "client.coin_futures"),
    ("futures", "ETHUSD_260626", "client.coin_futures"),
    ("coin_futures", "BTCUSDT", "client.spot or client.futures"),
    ("coin_futures", "币安人生USDT", "client.spot or client.futures"),
    ("coin_futures", "BTCUSDT_260626", "client.futures"),
]


@pytest.mark.parametrize("listed", LISTED)
def test_what_may_be_listed_is_sent(listed: str, recorder: Recorder) -> None:
    market, symbol = listed.split()
    with recorder.sync() as client:
        getattr(client, market).depth(symbol)
        getattr(client, market).streams.agg_trade(symbol)
        assert len(recorder.requests) == 1


@pytest.mark.parametrize(("market", "symbol", "place"), WRONG)
def test_a_symbol_of_another_market_is_told_where_it_is(
    market: str, symbol: str, place: str, recorder: Recorder
) -> None:
    example = FORMS[market].example
    with recorder.sync() as client:
        api: Any = getattr(client, market)
        calls: list[Callable[[], object]] = [
            lambda: api.klines(symbol, "1h"),
            lambda: list(api.iter_klines(symbol, "1h", limit=1)),
            lambda: api.plan.klines(symbol, "1h"),
            lambda: api.streams.agg_trade(example, symbol),
        ]
        for call in calls:
            with pytest.raises(ParameterError) as caught:
                call()
            assert (caught.value.parameter, caught.value.value) == ("symbol", symbol)
            text = f"symbol={symbol!r} must be a symbol of client.{market} such as {example!r}"
            assert str(caught.value).endswith(f"{text}; this looks like one of {place}")
        batch = api.each(api.depth, [example, symbol])
        assert len(list(batch)) == 1
        assert isinstance(batch.errors[symbol], ParameterError)
        assert len(recorder.requests) == 1


def test_each_of_a_list_is_looked_at(recorder: Recorder) -> None:
    with recorder.sync() as client, pytest.raises(ParameterError, match=r"looks like one of client\.futures"):
        client.spot.ticker_price(symbols=["BTCUSDT", "BTCUSDT_260626"])
    assert not recorder.requests


def test_a_pair_is_asked_for_by_its_own_form(recorder: Recorder) -> None:
    with recorder.sync() as client:
        client.futures.continuous_klines("BTCUSDT", "PERPETUAL", "1h")
        client.futures.streams.continuous_kline("BTCUSDT", contract_type="PERPETUAL", interval="1h")
        for pair in ("BTCUSDT_260626", "BTCUSD", "BTCUSD_PERP"):
            with pytest.raises(ParameterError, match=r"must be a pair of client\.futures such as 'BTCUSDT'") as caught:
                client.futures.continuous_klines(pair, "PERPETUAL", "1h")
            assert caught.value.parameter == "pair"
    assert len(recorder.requests) == 1


def test_a_pair_and_its_contracts_are_told_apart(recorder: Recorder) -> None:
    with recorder.sync() as client:
        with pytest.raises(ParameterError, match="such as 'BTCUSD_PERP'; this looks like a pair"):
            client.coin_futures.depth("BTCUSD")
        with pytest.raises(ParameterError, match=r"must be a pair .* such as 'BTCUSD'; this .* client\.futures$"):
            client.coin_futures.continuous_klines("BTCUSDT", "PERPETUAL", "1h")
        with pytest.raises(ParameterError, match=r"client\.coin_futures$"):
            client.futures.streams.continuous_kline("BTCUSD", contract_type="PERPETUAL", interval="1h")
    assert not recorder.requests


NAMES = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
CONTRACTS = st.from_regex(r"[A-Z]{1,6}(USDT?)?(_(PERP|[0-9]{6}))?", fullmatch=True)


@given(symbol=NAMES | CONTRACTS)
def test_only_what_ends_like_a_contract_is_refused(symbol: str) -> None:
    """No document says what symbols of these two markets look like, so only what they surely do not may be refused."""
    for market in ("spot", "futures"):
        if not FORMS[market].fits(symbol):
            assert symbol.endswith("USD_PERP") or symbol[-7] == "_"


@given(symbol=NAMES | CONTRACTS)
def test_what_one_market_refuses_another_takes(symbol: str) -> None:
    assert any(form.fits(symbol) for form in FORMS.values())


@pytest.mark.parametrize("market", FORMS)
def test_every_symbol_of_the_examples_fits(market: str) -> None:
    names = [row["symbol"] for row in json.loads(fixture(market, "exchange_info"))["symbols"]]  # type: ignore[arg-type]
    assert names
    assert [name for name in names if not FORMS[market].fits(name)] == []


@needs_facts
@pytest.mark.parametrize(
    ("market", "file"),
    [
        ("spot", "recorded/spot/exchange_info.json"),
        ("futures", "recorded/futures/exchange_info.json"),
        ("futures", "observed-2026-10/rest/exchange_info.json"),
    ],
)
def test_every_symbol_that_was_ever_recorded_fits(market: str, file: str) -> None:
    names = [row["symbol"] for row in load(file)["symbols"]]
    assert names
    assert [name for name in names if not FORMS[market].fits(name)] == []


@pytest.mark.parametrize("market", FORMS)
def test_every_parameter_that_takes_a_symbol_knows_the_form(market: str) -> None:
    taken = [
        (operation.id, parameter)
        for operation in CATALOGUE[market]
        for parameter in operation.parameters
        if parameter.type == "symbol"
    ]
    assert [place for place, parameter in taken if parameter.symbol_form is None] == []
    streams = [parameter for stream in STREAMS if stream.market == market for parameter in stream.parameters]
    assert all(parameter.symbol_form is not None for parameter in streams if parameter.kind == "symbol")


def test_a_client_of_the_wrong_market_by_name() -> None:
    with SyncBinanceClient() as client, pytest.raises(ParameterError, match="market='coin' must be one of"):
        client.market("coin")  # type: ignore[call-overload]
