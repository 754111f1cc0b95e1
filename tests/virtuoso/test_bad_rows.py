"""What Binance leaves empty is missing, and one row that cannot be read costs its own symbol alone."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient
from binance_sdk.simulator import Simulator
from tests.simulated_http import NO_CERTIFICATES
from tests.virtuoso import fake_virtuoso
from tests.virtuoso.conftest import NOW, section_for
from virtuoso_binance import make_exchange_class
from virtuoso_binance.polling.fetcher import BinanceDataFetcher
from virtuoso_binance.symbols import Listing

Change = Callable[[dict[str, Any]], None]


class Changing(httpx.AsyncBaseTransport):
    """Real answers, with the rows of one path and symbol changed on the way."""

    def __init__(self, path: str, symbol: str, change: Change) -> None:
        self._path, self._symbol, self._change = path, symbol, change
        self._inner = httpx.AsyncHTTPTransport(verify=NO_CERTIFICATES)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        content = await answer.aread()
        if request.url.path == self._path:
            body: Any = json.loads(content)
            for row in body if isinstance(body, list) else body.get("symbols", [body]):
                if row["symbol"] == self._symbol:
                    self._change(row)
            content = json.dumps(body).encode()
        headers = {name: value for name, value in answer.headers.items() if name.lower().startswith("x-")}
        return httpx.Response(answer.status_code, headers=headers, content=content)

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def through(transport: Changing, simulator: Simulator) -> AsyncIterator[BinanceClient]:
    async with (
        httpx.AsyncClient(transport=transport) as http,
        BinanceClient(
            spot_base_url=simulator.base_url("spot"),
            futures_base_url=simulator.base_url("futures"),
            http_client=http,
            max_retries=0,
        ) as client,
    ):
        yield client


@asynccontextmanager
async def exchange_through(transport: Changing, simulator: Simulator) -> AsyncIterator[Any]:
    async with through(transport, simulator) as client:
        section = section_for(simulator)
        made: Any = make_exchange_class(fake_virtuoso.BaseExchange, section, client_factory=lambda settings: client)({})
        assert await made.initialize()
        yield made


def empty_funding(row: dict[str, Any]) -> None:
    row.update(lastFundingRate="", interestRate="")


def no_price(row: dict[str, Any]) -> None:
    for name in ("lastPrice", "markPrice", "bidPrice"):
        if name in row:
            row[name] = None


async def test_an_empty_funding_rate_is_missing_and_no_zero(simulator: Simulator) -> None:
    async with exchange_through(Changing("/fapi/v1/premiumIndex", "BTCUSDT", empty_funding), simulator) as exchange:
        data = await exchange.fetch_market_data("BTCUSDT")
        assert not {"fundingRate", "funding_rate"} & set(data["ticker"])
        assert data["ticker"]["markPrice"] > 0
        assert "funding" not in data
        assert "funding_rate" not in data["sentiment"]
        assert data["metadata"]["funding_success"] is False
        assert data["metadata"]["errors"]["funding"] == "Binance gave no funding rate"
        assert await exchange.fetch_funding_rate("BTCUSDT") is None
        bulk = await exchange.fetch_tickers()
        assert "fundingRate" not in bulk["BTCUSDT"]
        assert bulk["ETHUSDT"]["fundingRate"] == (await exchange.fetch_ticker("ETHUSDT"))["fundingRate"]


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("/fapi/v1/ticker/24hr", None),
        ("/fapi/v1/ticker/bookTicker", "bid"),
        ("/fapi/v1/premiumIndex", "markPrice"),
    ],
)
async def test_a_row_that_cannot_be_read_costs_its_own_symbol_alone(
    simulator: Simulator, path: str, missing: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    async with exchange_through(Changing(path, "BTCUSDT", no_price), simulator) as exchange:
        with caplog.at_level(logging.WARNING):
            bulk = await exchange.fetch_tickers()
    if missing is None:
        assert "BTCUSDT" not in bulk
    else:
        assert missing not in bulk["BTCUSDT"]
    assert {"last", "bid", "markPrice", "fundingRate"} <= set(bulk["ETHUSDT"])
    assert any(" skipped: " in record.getMessage() for record in caplog.records)


async def test_a_symbol_that_cannot_be_read_leaves_the_others_listed(simulator: Simulator) -> None:
    def no_status(row: dict[str, Any]) -> None:
        row["status"] = None

    async with exchange_through(Changing("/fapi/v1/exchangeInfo", "BTCUSDT", no_status), simulator) as exchange:
        # Its spot market takes over, as for a symbol without a perpetual.
        assert exchange.markets["BTCUSDT"]["type"] == "spot"
        assert exchange.markets["ETHUSDT"]["type"] == "swap"


async def test_the_fetcher_keeps_the_other_symbols(simulator: Simulator) -> None:
    async with through(Changing("/fapi/v1/ticker/24hr", "BTCUSDT", no_price), simulator) as client:
        listing = Listing(await client.futures.exchange_info(), None)
        fetcher = BinanceDataFetcher(client, [listing.resolve("BTCUSDT"), listing.resolve("ETHUSDT")], lambda: NOW)
        told = await fetcher.refresh()
        assert not told.failed
        assert "ticker" in told.stale["BTCUSDT"]
        assert "ticker" not in told.stale.get("ETHUSDT", ())
        assert fetcher.snapshot("ETHUSDT")["ticker"]["last"] > 0
