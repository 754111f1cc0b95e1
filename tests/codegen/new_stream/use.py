"""Run by ``test_new_stream`` in a package that was generated from the changed spec."""

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

import binance_sdk
from binance_sdk import errors
from binance_sdk._generated.spot.streams import AsyncSpotStreams, SyncSpotStreams
from binance_sdk.catalogue import STREAMS, stream, stream_fixture
from binance_sdk.spot import PressureEvent, PriceLevel

assert Path(binance_sdk.__file__).parent.parent == Path.cwd(), binance_sdk.__file__

one = stream("spot.pressure")
assert one in STREAMS
assert one.quiet.by_value == {"1000ms": 7.0, "100ms": 2.5}
wire = stream_fixture("spot", "pressure")
event = one.adapter.validate_json(wire)
assert isinstance(event, PressureEvent)
assert (event.buying, event.selling, event.side) == (Decimal("1.50"), None, "BUYERS")
assert isinstance(event.levels[0], PriceLevel)
assert event.event_time_dt.isoformat() == "2023-11-14T22:13:20+00:00"
assert json.loads(event.model_dump_json(by_alias=True, exclude_unset=True)) == json.loads(wire)

for streams in (AsyncSpotStreams(cast(Any, None)), SyncSpotStreams(cast(Any, None))):
    made = streams.pressure("BTCUSDT", "ethusdt", levels=50, speed="100ms")
    assert [named.name for named, _ in made.items] == ["btcusdt@pressure50@100ms", "ethusdt@pressure50@100ms"]
    with pytest.raises(errors.ParameterError, match="levels"):
        streams.pressure("BTCUSDT", levels=cast(Any, 11))
    text = " ".join((streams.pressure.__doc__ or "").split())
    for part in (
        "Buying and selling pressure of a symbol.",
        "`{symbol}@pressure{levels}{speed}`; sent every second or every 100 ms, by `speed`.",
        "Taken for dead after a silence of 7 s with 1000ms or 2.5 s with 100ms.",
        "levels: Number of prices looked at. One of 10 or 50.",
        "Exists since 2027-01-02.",
        "Source: An announcement of tomorrow; as of 2027-01-02.",
    ):
        assert part in text, part
sys.stdout.write("used\n")
