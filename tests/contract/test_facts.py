"""Paths, keys and parameters against what is known of Binance, not against the spec they were generated from."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import yaml
from shared_facts import FACTS, needs_facts

from binance_sdk.catalogue import Operation

from .calls import OPERATIONS

# By hand, so that a path or a mark that changes must change in two places.
SPOT_PATHS = """
ping time exchangeInfo executionRules depth trades historicalTrades historicalBlockTrades aggTrades klines uiKlines
avgPrice ticker/24hr ticker/tradingDay ticker/price ticker/bookTicker ticker referencePrice referencePrice/calculation
"""
FAPI_PATHS = """
ping time exchangeInfo depth rpiDepth trades historicalTrades aggTrades klines continuousKlines indexPriceKlines
markPriceKlines premiumIndexKlines premiumIndex fundingRate fundingInfo ticker/24hr ticker/price ticker/bookTicker
openInterest indexInfo assetIndex constituents insuranceBalance symbolAdlRisk tradingSchedule
"""
DATA_PATHS = """
delivery-price openInterestHist topLongShortPositionRatio topLongShortAccountRatio globalLongShortAccountRatio
takerlongshortRatio basis
"""
SECURED = {
    "futures.historical_trades": "api_key",
    "futures.top_long_short_account_ratio": "api_key_uncertain",
    "futures.top_long_short_position_ratio": "api_key_uncertain",
}
WITHOUT_COUNT = {"futures.funding_rate", "futures.funding_info"}
ONLY_ON_MAIN_HOSTS = {
    "spot.execution_rules",
    "spot.historical_block_trades",
    "spot.historical_trades",
    "spot.reference_price",
    "spot.reference_price_calculation",
    "spot.ticker_trading_day",
}


def test_paths() -> None:
    wanted = {f"/api/v3/{path}" for path in SPOT_PATHS.split()}
    assert {one.path for one in OPERATIONS if one.market == "spot"} == wanted
    wanted = {f"/fapi/v1/{path}" for path in FAPI_PATHS.split()} | {"/fapi/v2/ticker/price"}
    wanted |= {f"/futures/data/{path}" for path in DATA_PATHS.split()}
    assert {one.path for one in OPERATIONS if one.market == "futures"} == wanted


def test_keys() -> None:
    assert {one.id: one.security for one in OPERATIONS if one.security != "none"} == SECURED


def test_whose_count_is_trusted() -> None:
    for one in OPERATIONS:
        if one.id in WITHOUT_COUNT:
            assert one.used_weight_header == "absent"
        elif one.path.startswith("/futures/data/") or one.path in (
            "/fapi/v1/ticker/bookTicker",
            "/fapi/v2/ticker/price",
        ):
            assert one.used_weight_header == "untrusted"
        else:
            assert one.used_weight_header == "trusted"


def test_where_they_are_served() -> None:
    for one in OPERATIONS:
        data_only = one.market == "spot" and one.id not in ONLY_ON_MAIN_HOSTS
        assert set(one.hosts) == {"mainnet", "testnet", "demo"} | ({"data_only"} if data_only else set())


@cache
def documented() -> dict[str, Any]:
    endpoints = yaml.safe_load((FACTS / "rest-endpoints.yaml").read_text(encoding="utf-8"))["endpoints"]
    return {one["id"]: one for one in endpoints}


@needs_facts
def test_every_documented_endpoint_is_there() -> None:
    assert {one.id for one in OPERATIONS} == set(documented())


@needs_facts
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_the_documented_parameters(operation: Operation[Any]) -> None:
    known = documented()[operation.id]
    assert operation.path == known["path"]
    assert (operation.security != "none") == (known["security"] == "MARKET_DATA")
    assert set(operation.by_wire) == {one["name"] for one in known["parameters"]}
    for one in known["parameters"]:
        ours, name = operation.by_wire[one["name"]], one["name"]
        assert ours.required == one["required"], name
        assert (ours.min if "min" in one else None) == one.get("min"), name
        assert (ours.max if "max" in one else None) == one.get("max"), name
        assert ours.max_items == one.get("max_items"), name
        assert ours.list == ("array_of_strings" in one.get("encoding", "")), name
        if "enum" in one:
            assert set(ours.choices or ()) == set(one["enum"]), name
        if not ours.list and "default" in one:
            assert str(ours.default) == str(one["default"]), name
