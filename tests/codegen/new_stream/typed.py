"""Checked by ``test_new_stream`` with mypy --strict, in a package generated from the changed spec."""

from decimal import Decimal
from typing import assert_type

from binance_sdk import BinanceClient, SyncBinanceClient
from binance_sdk.spot import PressureEvent, PressureSide, PriceLevel, TradeEvent
from binance_sdk.streams import Stream, SyncStream


def made(client: BinanceClient, blocking: SyncBinanceClient, event: PressureEvent) -> None:
    s = client.spot.streams
    assert_type(s.pressure("BTCUSDT", levels=10), Stream[PressureEvent])
    assert_type(s.pressure("BTCUSDT", levels=50, speed="100ms") | s.trade("A"), Stream[PressureEvent | TradeEvent])
    assert_type(blocking.spot.streams.pressure("BTCUSDT", levels=10), SyncStream[PressureEvent])
    s.pressure("BTCUSDT")  # type: ignore[call-arg]
    s.pressure("BTCUSDT", levels=11)  # type: ignore[arg-type]
    assert_type(event.buying, Decimal)
    assert_type(event.selling, Decimal | None)
    assert_type(event.side, PressureSide | str)
    assert_type(event.levels, list[PriceLevel])
