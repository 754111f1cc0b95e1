"""A client finds its markets by name, and markets of one pool spend from the same limits."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from binance_sdk import BinanceClient, SyncBinanceClient
from binance_sdk.catalogue import CATALOGUE, MARKETS, Market
from binance_sdk.errors import ParameterError

WRONG = ["margin", "Spot", "", None, 1, ["spot"], "limits", "close", "__class__"]


def test_the_names_are_the_same_wherever_they_stand() -> None:
    assert get_args(Market) == tuple(MARKETS) == tuple(CATALOGUE)
    assert {facts.name: market for market, facts in MARKETS.items()} == dict(zip(MARKETS, MARKETS, strict=True))
    assert {market for environment in CATALOGUE.environments.values() for market in environment.hosts} == set(MARKETS)


def test_operations_come_market_by_market() -> None:
    found = [operation.market for operation in CATALOGUE.operations]
    assert list(dict.fromkeys(found)) == list(MARKETS)
    assert len(found) == sum(len(CATALOGUE[market].operations) for market in MARKETS)


@pytest.mark.parametrize("kind", [BinanceClient, SyncBinanceClient])
@pytest.mark.parametrize("market", MARKETS)
def test_a_market_by_its_name_is_the_one_by_its_attribute(market: Any, kind: Any) -> None:
    client = kind()
    assert client.market(market) is getattr(client, market)
    assert client.limits.market(market).pool == getattr(client.limits, market).pool


@pytest.mark.parametrize("name", WRONG)
def test_a_name_of_no_market_is_told_what_there_is(name: Any) -> None:
    client = SyncBinanceClient()
    for find in (client.market, client.limits.market):
        with pytest.raises(ParameterError, match=r"^market=.* must be one of 'spot', 'futures'") as caught:
            find(name)
        assert (caught.value.parameter, caught.value.value) == ("market", name)
