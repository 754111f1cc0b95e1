"""Every answer has the shape the spec promises, whichever symbol is asked for."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import httpx
import pytest

from binance_sdk.catalogue import CATALOGUE, MARKETS, Catalogue, Operation, Variant, fixture
from binance_sdk.simulator.rest import futures, spot
from binance_sdk.simulator.rest.answers_by_market import answers_of
from tests.shared_facts import answer_of, load, needs_facts

from .conftest import NOW, Api, simulator
from .test_weights_agree import OPERATIONS, raw

VARIANTS = [pytest.param(o, v, id=f"{o.id}.{v.name}") for o in OPERATIONS for v in o.variants]
# Their documented examples are known to be outdated or cut short.
ODD_EXAMPLES = {
    "spot.exchange_info",
    "futures.exchange_info",
    "futures.constituents",
    "futures.funding_info",
    "spot.reference_price",
    "spot.reference_price_calculation",
}


def test_every_answer_is_that_of_an_operation() -> None:
    # The other way round an operation is served from its example.
    for market in MARKETS:
        assert set(answers_of(market)) <= set(CATALOGUE[market].operations)


@pytest.mark.parametrize(("operation", "variant"), VARIANTS)
def test_it_decodes(api: Api, operation: Operation[Any], variant: Variant[Any]) -> None:
    response = api.ask(operation, raw(variant.example))
    assert response.status_code == 200, response.text
    decoded = variant.adapter.validate_json(response.content)
    again = variant.adapter.dump_json(decoded, by_alias=True, exclude_unset=True)
    assert json.loads(again, parse_float=str) == json.loads(response.content, parse_float=str)


@pytest.mark.parametrize(("market", "fewest"), [("spot", 20), ("futures", 20), ("coin_futures", 14)])
def test_it_decodes_for_every_symbol(api: Api, market: str, fewest: int) -> None:
    listed = api.ask(CATALOGUE[market].operations["exchange_info"]).json()["symbols"]
    symbols = [listing["symbol"] for listing in listed]
    pairs = {listing["pair"] for listing in listed if "pair" in listing}
    assert len(symbols) >= fewest
    assert market == "coin_futures" or any(not symbol.isascii() for symbol in symbols)
    for operation in CATALOGUE[market]:  # type: ignore[arg-type]
        if operation.name in ("asset_index", "reference_price", "reference_price_calculation"):
            continue
        for variant in operation.variants:
            for name in {"symbol", "pair"} & set(variant.example):
                for symbol in pairs if name == "pair" or operation.id == "coin_futures.constituents" else symbols:
                    response = api.ask(operation, raw({**variant.example, name: symbol}))
                    assert response.status_code == 200, (operation.id, symbol, response.text)
                    variant.adapter.validate_json(response.content)


def shape(value: Any) -> Any:
    """Keys and JSON types; of a list the shape of its first item."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "null" if value is None else "int" if type(value) is int else type(value).__name__


@needs_facts
@pytest.mark.parametrize(("operation", "variant"), VARIANTS)
def test_it_has_the_shape_of_the_documented_example(api: Api, operation: Operation[Any], variant: Variant[Any]) -> None:
    if operation.id in ODD_EXAMPLES:
        return
    name = operation.name + (f".{variant.name}" if variant.name else "")
    documented, answer = load(answer_of(operation.market, name)), api.ask(operation, raw(variant.example)).json()
    if operation.id == "futures.trading_schedule":
        documented["marketSchedules"] = {"EQUITY": documented["marketSchedules"]["EQUITY"]}
        answer["marketSchedules"] = {"EQUITY": answer["marketSchedules"]["EQUITY"]}
    if answer != []:
        assert shape(answer) == shape(documented)


def test_exchange_info_filters_by_permission(api: Api) -> None:
    everything = {listing["symbol"] for listing in api.get("/api/v3/exchangeInfo")["symbols"]}
    margin = {listing["symbol"] for listing in api.get("/api/v3/exchangeInfo", permissions="MARGIN")["symbols"]}
    assert margin < everything
    bare = api.get("/api/v3/exchangeInfo", symbol="BTCUSDT", showPermissionSets="false")["symbols"]
    assert [(listing["symbol"], listing["permissionSets"]) for listing in bare] == [("BTCUSDT", [])]


def test_symbol_status_leaves_out_the_others(api: Api) -> None:
    assert [row["symbol"] for row in api.get("/api/v3/ticker/price", symbolStatus="BREAK")] == ["WTCUSDT"]
    assert api.get("/api/v3/ticker/price", symbols='["BTCUSDT"]', symbolStatus="HALT") == []


def test_futures_lists_leave_out_what_is_not_traded(api: Api) -> None:
    listed = {listing["symbol"]: listing["status"] for listing in api.get("/fapi/v1/exchangeInfo")["symbols"]}
    assert listed["SRMUSDT"] == "SETTLING"
    assert "SRMUSDT" not in {row["symbol"] for row in api.get("/fapi/v1/ticker/24hr")}
    assert api.get("/fapi/v1/ticker/24hr", symbol="SRMUSDT")["symbol"] == "SRMUSDT"


def test_reference_prices_may_be_set_unset_or_unknown(api: Api) -> None:
    assert api.get("/api/v3/referencePrice", symbol="BTCUSDT")["referencePrice"]
    assert api.get("/api/v3/referencePrice", symbol="BNBUSDT")["referencePrice"] is None
    kinds = {api.get("/api/v3/referencePrice/calculation", symbol=s)["calculationType"] for s in ("BTCUSDT", "ETHUSDT")}
    assert kinds == {"ARITHMETIC_MEAN", "EXTERNAL"}
    for path in ("/api/v3/referencePrice", "/api/v3/referencePrice/calculation"):
        assert api.response(path, {"symbol": "XRPUSDT"}).json()["code"] == -2043


def test_an_endpoint_only_the_catalogue_knows_is_served_from_its_fixture(monkeypatch: pytest.MonkeyPatch) -> None:
    known = CATALOGUE["futures"].operations["open_interest"]
    new = dataclasses.replace(known, id="futures.open_interest_v2", path="/fapi/v2/openInterest")
    # Its name still finds the fixture, but the simulator has no answer registered under the new one.
    odd = dataclasses.replace(new, name="symbol_adl_risk", variants=(Variant(dict, fixtures=("single",)),))
    futures_only = dataclasses.replace(CATALOGUE["futures"], operations={"odd": odd})
    catalogue: Catalogue = dataclasses.replace(CATALOGUE, markets={**CATALOGUE.markets, "futures": futures_only})
    monkeypatch.delitem(futures.ANSWERS, "symbol_adl_risk")  # type: ignore[arg-type]
    with simulator(catalogue=catalogue) as running, httpx.Client(base_url=running.base_url("futures")) as client:
        response = client.get("/fapi/v2/openInterest", params={"symbol": "ETHUSDT"})
        assert client.get("/fapi/v1/klines").status_code == 404
    assert response.status_code == 200
    assert response.json()["symbol"] == "ETHUSDT"
    assert response.json()["updateTime"] == NOW
    assert running.used_weight("futures") == 1


def test_pages_of_an_example_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(spot.ANSWERS, "agg_trades")  # type: ignore[arg-type]
    whole = json.loads(fixture("spot", "agg_trades"))
    key = CATALOGUE["spot"].operations["agg_trades"].paging
    assert key is not None
    with simulator() as running, running.sync_client() as client:
        rows = client.spot.agg_trades("BTCUSDT")
        assert len(rows) == len(whole)
        first, last = getattr(rows[0], key.key), getattr(rows[-1], key.key)
        assert client.spot.agg_trades("BTCUSDT", limit=1) == rows[-1:]
        assert client.spot.agg_trades("BTCUSDT", from_id=first, limit=1) == rows[:1]
        assert client.spot.agg_trades("BTCUSDT", from_id=last + 1) == []
        assert list(client.spot.iter_agg_trades("BTCUSDT", from_id=first)) == rows
