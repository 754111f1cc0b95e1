"""Markets on the command line: every one of the spec, and messages that name all the others it may be."""

from __future__ import annotations

import json
from typing import get_args

import pytest
import typer

from binance_sdk import BinanceClient
from binance_sdk.catalogue import CATALOGUE, MARKETS, STREAMS, Market
from binance_sdk.cli.cost_report import remaining_limits
from binance_sdk.cli.markets import ALL_MARKETS, complete_market, market_word, read_market, which_have

from .support import Cli


def test_a_market_is_typed_with_hyphens_and_its_name_in_python_does_too() -> None:
    for market in ALL_MARKETS:
        assert read_market(market_word(market)) == read_market(market) == read_market(market.upper()) == market
        assert "_" not in market_word(market)
    assert tuple(MARKETS) == ALL_MARKETS == get_args(Market)


@pytest.mark.parametrize("text", ["", "margin", "spo", "spot ", "coin--futures"])
def test_any_other_word_is_told_what_there_is(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"must be one of spot, futures"):
        read_market(text)


def test_the_words_are_offered() -> None:
    assert complete_market("") == [market_word(market) for market in ALL_MARKETS]
    assert complete_market("sp") == ["spot"]
    assert complete_market("x") == []


def test_all_that_have_something_are_named() -> None:
    assert which_have(["spot"]) == "spot has"
    assert which_have(["spot", "futures"]) == "spot and futures have"
    assert which_have(["spot", "futures", "spot"]) == "spot, futures and spot have"


@pytest.mark.parametrize("command", ["call", "operations", "stream"])
def test_help_and_errors_name_every_market(cli: Cli, command: str) -> None:
    words = [market_word(market) for market in ALL_MARKETS]
    text = cli(command, "--help").output
    assert "MARKET" in text
    assert all(word in text for word in words)
    ran = cli(command, "margin", "klines")
    assert (ran.code, ran.output) == (2, "")
    assert f"'margin' must be one of {', '.join(words)}" in " ".join(ran.errors.replace("│", " ").split())


@pytest.mark.parametrize("market", ALL_MARKETS)
def test_each_market_can_be_called(cli: Cli, market: Market) -> None:
    ran = cli("call", market_word(market), "ping", "--plan", "--json")
    assert (ran.code, json.loads(ran.output)["operation"]) == (0, f"{market}.ping")
    assert cli("operations", market_word(market), "ping").code == 0


def test_what_another_market_has_is_told_with_the_command(cli: Cli) -> None:
    ran = cli("call", "spot", "open_interest", "symbol=BTCUSDT")
    having = [market for market in ALL_MARKETS if "open_interest" in CATALOGUE[market].operations]
    assert f"spot has no operation 'open_interest', but {which_have(having)}" in ran.errors
    assert ran.errors.rstrip().endswith("binance-sdk call futures open_interest")
    ran = cli("stream", "spot", "mark_price", "BTCUSDT")
    streaming = [market for market in ALL_MARKETS if any(s.id == f"{market}.mark_price" for s in STREAMS)]
    assert f"spot has no stream 'mark_price', but {which_have(streaming)}" in ran.errors


def test_markets_with_one_pool_have_one_limit() -> None:
    names = [limit.name for limit in remaining_limits(BinanceClient("mainnet"))]
    assert len(names) == len(set(names))
    assert {name.partition(" ")[0] for name in names} == {facts.pool for facts in MARKETS.values()}
    assert "spot weight" in names


def test_an_example_is_a_symbol_of_its_market(cli: Cli) -> None:
    for market in ALL_MARKETS:
        facts = MARKETS[market].symbols
        assert facts is not None
        ran = cli("call", market_word(market), "depth")
        assert f"symbol is required: add symbol={facts.form.example}" in ran.errors
