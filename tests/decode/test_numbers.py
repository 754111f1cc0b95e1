"""JSON numbers are exact, however many digits they have and wherever they stand, and are written back as numbers."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binance_sdk import SyncBinanceClient, errors, futures, spot
from binance_sdk._runtime.json_validator import JsonReader
from binance_sdk._runtime.numbers import marked
from binance_sdk._runtime.type_adapter import type_adapter
from binance_sdk.catalogue import STREAMS, fixture, stream_fixture

LONG = [
    "0.12345678901234567890",
    "12345678901234567.5",
    "0.1000000000000000055511151231257827",
    "-3.00000000000000000000000000000000000001",
    "123456789012345678901234567890.123456789",
    "1e-400",
    "1E+400",
    "0.250000000000000000000000000000000000000000001",
]
SHORT = ["0.25", "27103.1", "1e-7", "-0.5", "1.0"]
WHOLE = ["0", "-1", "9007199254740993", "18446744073709551617", "9" * 400]


def parsed(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal)


def with_extra(base: bytes, value: str) -> str:
    text = base.decode().strip()
    return f'{text[:-1]},"somethingNew":{value}}}'


def trade(value: str) -> str:
    return with_extra(json.dumps(json.loads(fixture("spot", "trades"))[0]).encode(), value)


def read(type_: Any, text: str) -> Any:
    return JsonReader(type_adapter(type_)).read(text)


@pytest.mark.parametrize("number", [*LONG, *SHORT, *WHOLE])
def test_an_unknown_field_keeps_every_digit(number: str) -> None:
    text = trade(number)
    found = read(spot.Trade, text)
    (value,) = found.model_extra.values()
    assert Decimal(repr(value) if isinstance(value, float) else value) == Decimal(number)
    assert isinstance(value, Decimal) == (number in LONG)
    dumped = found.model_dump_json(by_alias=True, exclude_unset=True)
    assert parsed(dumped) == parsed(text)
    assert pickle.loads(pickle.dumps(found)) == found
    assert parsed(pickle.loads(pickle.dumps(found)).model_dump_json(by_alias=True, exclude_unset=True)) == parsed(text)


@pytest.mark.parametrize("number", [LONG[0], LONG[1]])
def test_within_what_an_unknown_field_holds(number: str) -> None:
    text = trade(f'[{{"a":[{number},{{"b":{number}}}],"c":"{number}"}},null,true,{number},"x\\"{number}"]')
    found = read(spot.Trade, text)
    assert found.somethingNew[0]["a"][1]["b"] == Decimal(number)
    assert found.somethingNew[0]["c"] == number
    assert parsed(found.model_dump_json(by_alias=True, exclude_unset=True)) == parsed(text)


@pytest.mark.parametrize("number", [*LONG, *SHORT, *WHOLE])
def test_a_number_of_the_spec(number: str) -> None:
    text = f'{{"deliveryTime":1,"deliveryPrice":{number}}}'
    found = read(futures.DeliveryPrice, text)
    assert found.delivery_price == Decimal(number)
    assert type(found.delivery_price) is Decimal
    assert parsed(found.model_dump_json(by_alias=True, exclude_unset=True)) == parsed(text)


@pytest.mark.parametrize("number", ["0.12345678901234567890", "1.5", "7"])
def test_a_number_where_a_text_is_usual(number: str) -> None:
    info = json.loads(fixture("futures", "exchange_info"))
    text = json.dumps(info["assets"][0]).replace(json.dumps(info["assets"][0]["autoAssetExchange"]), number)
    found = read(futures.MarginAsset, text)
    assert found.auto_asset_exchange == Decimal(number)
    assert parsed(found.model_dump_json(by_alias=True, exclude_unset=True)) == parsed(text)


def test_positions_that_are_added_and_fields_of_any_kind() -> None:
    row = json.loads(fixture("spot", "klines"))[0]
    (kline,) = read(list[spot.Kline], json.dumps([[*row, 0]]).replace(", 0]]", f",{LONG[0]}]]"))
    assert kline[12] == Decimal(LONG[0])
    info = json.loads(fixture("futures", "exchange_info"))
    text = json.dumps({**info, "exchangeFilters": [{"a": 0}]}).replace('{"a": 0}', f'{{"a":{LONG[0]}}}')
    found = read(futures.ExchangeInfo, text)
    assert found.exchange_filters == [{"a": Decimal(LONG[0])}]
    assert parsed(found.model_dump_json(by_alias=True, exclude_unset=True)) == parsed(text)


def test_over_the_client_and_in_a_message_of_a_stream() -> None:
    body = f"[{trade(LONG[0])},{trade(SHORT[0])}]".encode()
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=body))) as over:
        rows = SyncBinanceClient(http_client=over, budget=False).spot.trades("BTCUSDT")
    assert [row.model_extra for row in rows] == [{"somethingNew": Decimal(LONG[0])}, {"somethingNew": 0.25}]
    stream = next(operation for operation in STREAMS if operation.id == "spot.agg_trade")
    event: Any = stream.reader.read(with_extra(stream_fixture("spot", "agg_trade"), LONG[1]))
    assert event.model_extra["somethingNew"] == Decimal(LONG[1])


def test_a_number_is_still_no_decimal_text() -> None:
    for price in ("1.5", LONG[0]):
        text = trade(LONG[0]).replace(json.dumps(json.loads(trade("0"))["price"]), price)
        with httpx.Client(
            transport=httpx.MockTransport(lambda _, text=text: httpx.Response(200, text=f"[{text}]"))  # type: ignore[misc]
        ) as over:
            client = SyncBinanceClient(http_client=over, budget=False)
            with pytest.raises(errors.DecodeError, match=r"\[0\]\.price: should be a string, got [01]\.\d+$"):
                client.spot.trades("BTCUSDT")


@pytest.mark.parametrize("number", ["1e9999999999999999999999", "-1e-9999999999999999999999"])
def test_an_exponent_beyond_any_sense_is_refused(number: str) -> None:
    body = f"[{trade(number)}]"
    with (
        httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, text=body))) as over,
        pytest.raises(errors.DecodeError, match="exponent beyond any sense"),
    ):
        SyncBinanceClient(http_client=over, budget=False).spot.trades("BTCUSDT")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", '[1,{"a":NaN}]'])
def test_what_json_does_not_have_is_refused_in_unknown_fields_too(value: str) -> None:
    for body in (f"[{trade(value)}]", f"[{trade('0.5')},{trade(value)}]"):
        with (
            httpx.Client(transport=httpx.MockTransport(lambda _, body=body: httpx.Response(200, text=body))) as over,
            pytest.raises(errors.DecodeError, match="NaN or Infinity is no value of it") as caught,
        ):
            SyncBinanceClient(http_client=over, budget=False, max_retries=0).spot.trades("BTCUSDT")
        assert len(caught.value.problems) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def written(value: Any) -> str:
    if isinstance(value, Decimal):
        text = f"{value:e}"
        return text if "." in text or "e" in text else f"{text}.0"
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{json.dumps(key)}:{written(item)}' for key, item in value.items())}}}"
    return json.dumps(value)


@given(json_values)
def test_any_value_of_an_unknown_field_is_written_back(value: Any) -> None:
    text = trade(written(value))
    found = read(spot.Trade, text)
    assert parsed(found.model_dump_json(by_alias=True, exclude_unset=True)) == parsed(text)


@given(json_values)
def test_marking_changes_only_numbers_with_a_point_or_an_exponent(value: Any) -> None:
    text = written(value)

    def unmarked(node: Any) -> Any:
        if isinstance(node, str) and node.startswith("<number "):
            return Decimal(node.partition("> ")[2] or node.partition(">")[2])
        if isinstance(node, list):
            return [unmarked(item) for item in node]
        return {key: unmarked(item) for key, item in node.items()} if isinstance(node, dict) else node

    assert unmarked(json.loads(marked(text))) == parsed(text)
