"""Run by ``test_new_market`` in a package that was generated from the page's spec: its market on the simulator."""

import asyncio
import os
import sys
from decimal import Decimal
from pathlib import Path

import pytest

import binance_sdk
from binance_sdk import BinanceClient, Caps, SyncBinanceClient, errors
from binance_sdk.metals import Quote, QuoteEvent
from binance_sdk.simulator import Simulator

assert Path(binance_sdk.__file__).parent.parent == Path.cwd(), binance_sdk.__file__


async def use_async(simulator: Simulator) -> None:
    async with simulator.client() as client:
        quote = await client.metals.quote("XAUUSDT")
        assert isinstance(quote, Quote)
        assert (quote.price, quote.ounces) == (Decimal("4123.40"), Decimal("12.5"))
        assert quote.transaction_time_dt.tzinfo is not None
        raw = await client.metals.with_raw_response.quote("XAUUSDT")
        assert (raw.weight, client.metals.plan.quote("XAUUSDT").weight) == (3, 3)
        # A pool of its own: what is spent here is spent nowhere else.
        limits = client.limits.metals
        assert (limits.used, limits.limit, client.limits.spot.used) == (6, 1200, 0)
        async with client.metals.streams.quote("XAUUSDT") as events:
            event = await anext(events)
            assert isinstance(event, QuoteEvent)
            assert (event.symbol, event.price) == ("XAUUSDT", Decimal("4123.40"))


def use_sync(simulator: Simulator) -> None:
    with simulator.sync_client() as client:
        assert client.metals.quote("XAUUSDT").symbol == "XAUUSDT"
        with client.metals.streams.quote("XAUUSDT") as events:
            assert next(iter(events)).event_type == "quote"
        with pytest.raises(errors.ParameterError, match="symbol"):
            client.metals.quote("")


def check_settings(simulator: Simulator) -> None:
    with simulator.sync_client(caps=Caps(metals_weight_per_minute=2)) as client:
        assert client.limits.market("metals").pool not in (client.limits.spot.pool, client.limits.futures.pool)
        client.spot.ping()
        with pytest.raises(errors.BudgetError, match="metals"):
            client.metals.quote("XAUUSDT")
    SyncBinanceClient(metals_base_url="http://127.0.0.1:9", metals_stream_url="ws://127.0.0.1:9").close()
    os.environ["BINANCE_SDK_METALS_BASE_URL"] = "not a url"
    with pytest.raises(errors.ConfigError, match="BINANCE_SDK_METALS_BASE_URL"):
        BinanceClient()


with Simulator() as running:
    asyncio.run(use_async(running))
    use_sync(running)
    check_settings(running)
sys.stdout.write("used\n")
