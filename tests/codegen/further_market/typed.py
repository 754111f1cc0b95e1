"""Checked by ``test_further_market`` with mypy --strict, in a package generated from the changed spec."""

from typing import assert_type

from binance_sdk import BinanceClient, Caps, SyncBinanceClient
from binance_sdk.catalogue import Market
from binance_sdk.options import Premium, PremiumEvent
from binance_sdk.streams import Stream, SyncStream


async def asynchronous(client: BinanceClient) -> None:
    assert_type(await client.options.premium("BTC-C"), Premium)
    assert_type(client.options.streams.premium("BTC-C"), Stream[PremiumEvent])
    assert_type(await client.market("options").premium("BTC-C"), Premium)


def blocking(client: SyncBinanceClient, name: Market) -> None:
    assert_type(client.market("options").with_raw_response.premium("BTC-C").data, Premium)
    assert_type(client.options.streams.premium("BTC-C"), SyncStream[PremiumEvent])
    assert_type(client.limits.options.used, int)
    client.market(name)
    client.market("margin")  # type: ignore[call-overload]
    client.options.symbols()  # type: ignore[attr-defined]
    Caps(options_weight_per_minute=1)  # type: ignore[call-arg]
    SyncBinanceClient(options_base_url="http://127.0.0.1:1", options_stream_url="ws://127.0.0.1:1")
