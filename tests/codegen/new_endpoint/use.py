"""Run by ``test_new_endpoint`` in a package that was generated from the changed spec."""

import asyncio
import inspect
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import get_overloads

import httpx
import pytest

import binance_sdk
from binance_sdk import BinanceClient, SyncBinanceClient, errors
from binance_sdk._generated.catalogue import CATALOGUE
from binance_sdk._generated.spot.api import AsyncSpot, SyncSpot
from binance_sdk.spot import Liquidity, LiquidityChange, LiquidityShort, PriceLevel

assert Path(binance_sdk.__file__).parent.parent == Path.cwd(), binance_sdk.__file__
FIXTURES = json.loads(Path("binance_sdk/_generated/spot/fixtures.json").read_text(encoding="utf-8"))
ROWS = [[number, 1700000000000 + number, f"0.{number}"] for number in range(1, 6)]
asked: list[str] = []


def answer(request: httpx.Request) -> httpx.Response:
    query = request.url.params
    asked.append(f"{request.url.path}?{query}")
    if request.url.path == "/api/v3/liquidity":
        return httpx.Response(200, json=FIXTURES[f"liquidity.{query.get('view', 'FULL').lower()}"])
    if request.url.path == "/api/v3/liquidityChanges":
        size = int(query.get("limit", 2))
        found = [row for row in ROWS if row[0] >= int(query["fromId"])][:size] if "fromId" in query else ROWS[-size:]
        return httpx.Response(200, json=found)
    return httpx.Response(404, json={"code": -1, "msg": "unknown"})


def check_full(full: object) -> None:
    assert isinstance(full, Liquidity)
    assert str(full.depth_qty) == "12.50"
    assert full.rebate is None
    assert full.spread is None
    assert full.side == "BUY"
    assert full.update_time_dt.isoformat() == "2023-11-14T22:13:20+00:00"
    assert full.next_time_dt is None
    assert isinstance(full.levels[0], PriceLevel)
    assert full.levels[0].qty == Decimal("2.000")
    assert full.note is None
    assert json.loads(full.model_dump_json(by_alias=True, exclude_unset=True)) == FIXTURES["liquidity.full"]


async def use_async() -> None:
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http,
        BinanceClient(http_client=http) as client,
    ):
        spot = client.spot
        check_full(await spot.liquidity("BTCUSDT", levels=5))
        assert isinstance(await spot.liquidity("BTCUSDT", view="SHORT"), LiquidityShort)
        raw = await spot.with_raw_response.liquidity("BTCUSDT", levels=200)
        check_full(raw.data)
        assert raw.weight == 30
        rows = [row async for row in spot.iter_liquidity_changes("BTCUSDT", from_id=1)]
        assert [list(row) for row in rows] == ROWS
        assert all(isinstance(row, LiquidityChange) for row in rows)
        costs = [spot.plan.liquidity("BTCUSDT", levels=n).weight for n in (1, 50, 51, 200, 201, 500)]
        assert costs == [3, 3, 30, 30, 60, 60]
        assert spot.plan.liquidity("BTCUSDT").weight == 3
        assert spot.plan.iter_liquidity_changes("BTCUSDT", limit=5).weight == 12
        for wrong in ({"levels": 501}, {"levels": 0}, {"view": "LONG"}):
            with pytest.raises(errors.ParameterError, match=next(iter(wrong))):
                await spot.liquidity("BTCUSDT", **wrong)


def use_sync() -> None:
    with (
        httpx.Client(transport=httpx.MockTransport(answer)) as http,
        SyncBinanceClient(http_client=http) as client,
    ):
        check_full(client.spot.liquidity("BTCUSDT", levels=5))
        assert isinstance(client.spot.liquidity("BTCUSDT", view="SHORT"), LiquidityShort)
        assert [list(row) for row in client.spot.iter_liquidity_changes("BTCUSDT", from_id=0, limit=3)] == ROWS[:3]
        assert [list(row) for row in client.spot.iter_liquidity_changes("BTCUSDT", limit=3)] == ROWS[-3:]
        assert client.spot.plan.liquidity("BTCUSDT", levels=201).weight == 60


def check_contract() -> None:
    for name in ("liquidity", "liquidity_changes"):
        operation = CATALOGUE["spot"].operations[name]
        assert operation.hosts == ("mainnet", "testnet")
        for variant in operation.variants:
            assert operation.variant_for(variant.example) is variant
            for suffix in variant.fixtures:
                wire = FIXTURES[f"{name}{'.' if suffix else ''}{suffix}"]
                value = variant.adapter.validate_json(json.dumps(wire))
                dumped = variant.adapter.dump_json(value, by_alias=True, exclude_unset=True)
                assert json.loads(dumped) == wire


def check_signatures() -> None:
    for spot in (AsyncSpot, SyncSpot):
        method = spot.liquidity
        returned = [inspect.signature(overload).return_annotation for overload in get_overloads(method)]
        assert returned == ["Liquidity", "LiquidityShort"], returned
        assert inspect.signature(method).parameters["levels"].kind is inspect.Parameter.KEYWORD_ONLY
        text = method.__doc__ or ""
        assert text.startswith("Liquidity of a symbol.\n")
        for part in (
            "`GET /api/v3/liquidity`, on mainnet and testnet.",
            "Weight: 3 for `levels` up to 50, 30 up to 200, 60 above (3 when `levels` is left out).",
            "levels: Number of prices. 1 to 500, by default 50.",
            "`LiquidityShort` with `view` SHORT.",
            "Source: An announcement of tomorrow; as of 2027-01-02.",
        ):
            assert part in text, part


asyncio.run(use_async())
use_sync()
check_contract()
check_signatures()
assert asked[0] == "/api/v3/liquidity?symbol=BTCUSDT&levels=5", asked
sys.stdout.write("used\n")
