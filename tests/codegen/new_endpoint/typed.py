"""Checked by ``test_new_endpoint`` with mypy --strict, in a package generated from the changed spec."""

from typing import assert_type

from binance_sdk import BinanceClient, SyncBinanceClient
from binance_sdk.spot import Liquidity, LiquidityChange, LiquidityShort


async def asynchronous(client: BinanceClient) -> None:
    assert_type(await client.spot.liquidity("BTCUSDT"), Liquidity)
    assert_type(await client.spot.liquidity("BTCUSDT", levels=5, view="FULL"), Liquidity)
    assert_type(await client.spot.liquidity("BTCUSDT", view="SHORT"), LiquidityShort)
    async for change in client.spot.iter_liquidity_changes("BTCUSDT", limit=3):
        assert_type(change, LiquidityChange)
    await client.spot.liquidity("BTCUSDT", view="LONG")  # type: ignore[call-overload]
    await client.spot.liquidity()  # type: ignore[call-overload]


def blocking(client: SyncBinanceClient) -> None:
    assert_type(client.spot.liquidity("BTCUSDT", view="SHORT"), LiquidityShort)
    assert_type(client.spot.with_raw_response.liquidity("BTCUSDT").data, Liquidity)
    assert_type(client.spot.plan.liquidity("BTCUSDT", levels=5).weight, int)
