"""Rows: the exchange's own arrays with exact views, and the traps of tuples that hold text."""

from __future__ import annotations

import copy
import json
import pickle
import random
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model

from binance_sdk import errors
from binance_sdk._runtime.answers.decode import decode
from binance_sdk._runtime.answers.row import Row
from binance_sdk._runtime.answers.scalars import plain
from binance_sdk._runtime.answers.shape_drift import ShapeWatch
from binance_sdk._runtime.response import Headers
from binance_sdk._runtime.transport.protocol import RawResponse
from binance_sdk.catalogue import CATALOGUE, Operation
from binance_sdk.futures import PriceKline
from binance_sdk.spot import Kline, OrderBook, PriceLevel

OPEN_TIME = 1_764_000_000_000
WIRE: list[Any] = [
    OPEN_TIME,
    "97010.50000000",
    "97260.00000000",
    "96888.12000000",
    "97100.01000000",
    "412.90120000",
    OPEN_TIME + 3_599_999,
    "40065432.10987654",
    51234,
    "0.00000000",
    "0.00000001",
    "0",
]
KLINE = Kline.from_wire(WIRE)
NAMES = (
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "trade_count",
    "taker_buy_volume",
    "taker_buy_quote_volume",
)


def replaced(position: int, value: Any) -> list[Any]:
    return [*WIRE[:position], value, *WIRE[position + 1 :]]


def read(rows: list[Any]) -> list[Kline]:
    """Rows as an answer of the klines endpoint."""
    operation: Operation[Any] = CATALOGUE["spot"].operations["klines"]
    found: list[Kline] = decode(
        operation, operation.variants[0], RawResponse(200, Headers(), json.dumps(rows).encode()), ShapeWatch()
    )
    return found


# ---------------------------------------------------------------------------------------- the views


def test_elements_are_the_wire_values() -> None:
    assert list(KLINE) == WIRE
    assert KLINE[4] == "97100.01000000"
    assert len(KLINE) == 12
    assert isinstance(KLINE, tuple)


def test_names_give_typed_values() -> None:
    assert KLINE.open_time == OPEN_TIME
    assert KLINE.close_time == OPEN_TIME + 3_599_999
    assert KLINE.trade_count == 51234
    assert KLINE.close == Decimal("97100.01")
    assert str(KLINE.close) == "97100.01000000"
    assert KLINE.taker_buy_volume.as_tuple() == Decimal("0.00000000").as_tuple()
    assert KLINE.open_time_dt == datetime(2025, 11, 24, 16, 0, tzinfo=UTC)
    assert KLINE.close_time_dt - KLINE.open_time_dt == timedelta(hours=1) - timedelta(milliseconds=1)


def test_all_values_at_once() -> None:
    assert Kline.field_names() == NAMES
    assert KLINE._asdict() == KLINE.model_dump() == dict(zip(NAMES, KLINE.values(), strict=True))
    assert tuple(KLINE._asdict()) == NAMES
    assert [type(value) for value in KLINE.values()] == [
        *(int, Decimal, Decimal, Decimal, Decimal, Decimal),
        *(int, Decimal, int, Decimal, Decimal),
    ]
    for name in NAMES:
        assert KLINE._asdict()[name] == getattr(KLINE, name)


def test_values_for_json() -> None:
    """As ``model_dump(mode="json")`` and ``model_dump_json()`` of a model with the same fields."""
    shown = {name: plain(v) if isinstance(v, Decimal) else v for name, v in KLINE.model_dump().items()}
    assert KLINE.model_dump(mode="python") == KLINE.model_dump()
    assert KLINE.model_dump(mode="json") == shown
    assert tuple(KLINE.model_dump(mode="json")) == NAMES
    assert KLINE.model_dump(mode="json")["taker_buy_volume"] == "0.00000000"
    assert json.loads(KLINE.model_dump_json()) == shown
    level = PriceLevel.from_wire(["0.00000010", "1"])
    assert level.model_dump_json() == '{"price":"0.00000010","qty":"1"}'
    assert level.model_dump_json(indent=2) == '{\n  "price": "0.00000010",\n  "qty": "1"\n}'

    class Level(BaseModel):
        price: Decimal
        qty: Decimal

    model = Level(price=level.price, qty=level.qty)
    assert Level.model_validate_json(level.model_dump_json()) == model
    assert Level.model_validate(level.model_dump(mode="json")) == model
    assert level.model_dump(mode="json").keys() == model.model_dump(mode="json").keys()


def test_what_is_not_used_has_no_name() -> None:
    row = PriceKline.from_wire([OPEN_TIME, "1.0", "2.0", "0.5", "1.5", "0", OPEN_TIME + 1, None, 60, "x", 0, "0"])
    assert PriceKline.field_names() == ("open_time", "open", "high", "low", "close", "close_time")
    assert row.values() == (OPEN_TIME, Decimal("1.0"), Decimal("2.0"), Decimal("0.5"), Decimal("1.5"), OPEN_TIME + 1)
    assert row[7] is None
    assert not hasattr(row, "volume")


def test_methods_of_a_tuple_stay_what_they_are() -> None:
    # A position called `count` or `index` would hide them.
    assert KLINE.count("0.00000000") == 1
    assert KLINE.index(51234) == 8


def test_rows_hold_nothing_but_their_elements() -> None:
    assert not hasattr(KLINE, "__dict__")
    with pytest.raises(AttributeError):
        KLINE.close = Decimal(1)  # type: ignore[misc]
    with pytest.raises(AttributeError):
        KLINE.note = "mine"  # type: ignore[attr-defined]


def test_the_representation_shows_names_and_plain_numbers() -> None:
    """No exponents: what is shown is what Binance wrote."""
    level = PriceLevel.from_wire(["0.00000010", "0.00000000"])
    assert repr(level) == str(level) == "PriceLevel(price=0.00000010, qty=0.00000000)"
    assert repr(KLINE).startswith(f"Kline(open_time={OPEN_TIME}, open=97010.50000000, ")
    assert all(f"{name}=" in repr(KLINE) for name in NAMES)


# ----------------------------------------------------------------------------------------- comparing


@pytest.mark.parametrize(
    "compare",
    [
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: a > b,
        lambda a, b: a >= b,
        lambda a, b: max(a, b),
        lambda a, b: min([a, b]),
        lambda a, b: sorted([a, b]),
        lambda a, b: a < tuple(b),
        lambda a, b: tuple(a) < b,
        lambda a, b: tuple(a) >= b,
    ],
)
def test_rows_have_no_order(compare: Callable[[Any, Any], Any]) -> None:
    nine, ten = PriceLevel.from_wire(["9.0", "1"]), PriceLevel.from_wire(["10.0", "1"])
    # As text "9.0" is the larger one.
    with pytest.raises(TypeError, match=r"PriceLevel rows have no order.*key=lambda row: row\.price"):
        compare(nine, ten)


def test_a_view_orders_rows() -> None:
    levels = [PriceLevel.from_wire([price, "1"]) for price in ("9.0", "10.0", "0.5")]
    assert [row.price for row in sorted(levels, key=lambda row: row.price)] == [Decimal("0.5"), 9, 10]


def test_equality_is_that_of_the_wire_text() -> None:
    assert Kline.from_wire(list(WIRE)) == KLINE
    assert hash(Kline.from_wire(list(WIRE))) == hash(KLINE)
    assert len({KLINE, Kline.from_wire(WIRE)}) == 1
    shorter = Kline.from_wire(replaced(4, "97100.01"))
    assert shorter != KLINE
    assert shorter.close == KLINE.close
    assert tuple(WIRE) == KLINE


# ------------------------------------------------------------------------------------ making and keeping


@pytest.mark.parametrize("container", [list, tuple])
def test_made_from_a_list_or_a_tuple(container: type) -> None:
    row = Kline.from_wire(container(WIRE))
    assert type(row) is Kline
    assert row == KLINE


def test_made_from_a_row() -> None:
    again = Kline.from_wire(KLINE)
    assert type(again) is Kline
    assert again == KLINE


@pytest.mark.parametrize("wrong", [WIRE[:11], replaced(4, "1e5"), replaced(4, 1.5), replaced(0, "0"), "text", None, {}])
def test_user_code_cannot_make_a_wrong_row(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        Kline.from_wire(wrong)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol: int) -> None:
    again = pickle.loads(pickle.dumps(KLINE, protocol))
    assert type(again) is Kline
    assert again == KLINE
    assert again.close == KLINE.close


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies(copied: Callable[[Kline], Kline]) -> None:
    again = copied(KLINE)
    assert type(again) is Kline
    assert again == KLINE


def test_added_positions_are_kept() -> None:
    row = Kline.from_wire([*WIRE, "new", {"a": 1}])
    assert row[12:] == ("new", {"a": 1})
    assert row.values() == KLINE.values()
    assert json.loads(TypeAdapter(Kline).dump_json(row)) == [*WIRE, "new", {"a": 1}]
    assert pickle.loads(pickle.dumps(row)) == row
    assert PriceLevel.from_wire(["1", "2", "3"])[2] == "3"


class Chart(BaseModel):
    """A model of a user."""

    symbol: str
    last: Kline
    earlier: list[Kline] = []
    by_price: dict[str, PriceLevel] = {}


def test_as_a_field_of_a_model() -> None:
    chart = Chart.model_validate({"symbol": "BTCUSDT", "last": WIRE, "earlier": [WIRE], "by_price": {"a": ["1", "2"]}})
    assert type(chart.last) is type(chart.earlier[0]) is Kline
    assert chart.by_price["a"].qty == 2
    text = chart.model_dump_json()
    assert json.loads(text)["last"] == WIRE
    assert Chart.model_validate_json(text) == chart
    assert Chart(symbol="BTCUSDT", last=KLINE).last == KLINE
    assert pickle.loads(pickle.dumps(chart)) == chart
    with pytest.raises(ValidationError, match="last"):
        Chart.model_validate({"symbol": "BTCUSDT", "last": replaced(1, "NaN")})


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_json_schema(mode: Any) -> None:
    schema = TypeAdapter(Kline).json_schema(mode=mode)
    assert schema["type"] == "array"
    assert schema["title"] == "Kline"
    assert schema["minItems"] == len(schema["prefixItems"]) == 12
    assert schema["prefixItems"][0] == {"type": "integer", "title": "open_time"}
    assert schema["prefixItems"][4] == {"type": "string", "format": "decimal", "title": "close"}
    inside = Chart.model_json_schema(mode=mode)
    assert "prefixItems" in json.dumps(inside)


# --------------------------------------------------------------------------------------------- refused

BAD_DECIMALS: list[Any] = [
    *("NaN", "Infinity", "-Infinity", "1e5", "1E-8", " 1", "1 ", "1\n", "", "+1", ".5", "5.", "1_000", "0x1", "1,5"),
    *("١٢", "--1", "-", 1.5, 1, None, True, [], {}),  # Arabic-Indic digits are digits to Decimal
]


@pytest.mark.parametrize("bad", BAD_DECIMALS)
def test_what_is_no_decimal_is_refused_by_row_and_field(bad: Any) -> None:
    rows = [WIRE, WIRE, WIRE, replaced(4, bad), WIRE]
    with pytest.raises(errors.DecodeError) as caught:
        read(rows)
    (problem,) = caught.value.problems
    assert problem.startswith("[3].close: should be a ")
    assert "[3].close" in str(caught.value)
    assert "spot.klines" in str(caught.value)
    assert caught.value.body == json.dumps(rows).encode()


@pytest.mark.parametrize("bad", ["0", 1.0, 1.5, None, True, [], "x"])
def test_what_is_no_integer_is_refused_by_row_and_field(bad: Any) -> None:
    with pytest.raises(errors.DecodeError) as caught:
        read([WIRE, replaced(8, bad)])
    (problem,) = caught.value.problems
    assert problem.startswith("[1].trade_count: should be an integer, got ")


def test_the_same_mistake_in_many_rows_is_told_once() -> None:
    with pytest.raises(errors.DecodeError) as caught:
        read([WIRE, *[replaced(4, None)] * 500])
    problem, more = caught.value.problems
    assert problem.startswith("[1].close: should be a string, got null")
    assert problem.endswith("(and 99 more like it)")
    assert more == "and more"
    assert str(caught.value).endswith("; and more")


def test_every_mistake_of_a_row_is_told() -> None:
    with pytest.raises(errors.DecodeError) as caught:
        read([replaced(1, "x"), replaced(2, None)])
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["[0].open", "[1].high"]


def test_a_level_is_named_within_its_book() -> None:
    operation = CATALOGUE["spot"].operations["depth"]
    body = b'{"lastUpdateId": 1, "bids": [["1.0", "2.0"], ["1.0", "1e3"]], "asks": [["1.0"]]}'
    with pytest.raises(errors.DecodeError) as caught:
        decode(operation, operation.variants[0], RawResponse(200, Headers(), body), ShapeWatch())
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["bids[1].qty", "asks[0].qty"]


def test_a_row_that_is_no_array() -> None:
    with pytest.raises(errors.DecodeError) as caught:
        read([WIRE, {"open": "1"}])
    assert caught.value.problems[0].startswith("[1]: should be an array, got object ")


# ------------------------------------------------------------------------------------------- generally

decimals = st.tuples(st.integers(0, 10**12), st.integers(0, 12)).map(
    lambda made: f"{Decimal(made[0]).scaleb(-made[1]):f}"
)
integers = st.integers(0, 2**63 - 1)
klines = st.tuples(
    *(integers, decimals, decimals, decimals, decimals, decimals),
    *(integers, decimals, integers, decimals, decimals, st.just("0")),
).map(list)


@given(st.lists(klines, max_size=3))
def test_any_rows_are_read_and_written_back(rows: list[list[Any]]) -> None:
    found = read(rows)
    assert [list(row) for row in found] == rows
    assert json.loads(TypeAdapter(list[Kline]).dump_json(found)) == rows
    for row, wire in zip(found, rows, strict=True):
        assert format(row.close, "f") == wire[4]
        assert row.close_time == wire[6]
        assert pickle.loads(pickle.dumps(row)) == row


def test_every_generated_row_keeps_the_rules() -> None:
    for row in (Kline, PriceKline, PriceLevel):
        assert issubclass(row, Row)
        assert row.__slots__ == ()
        assert not {"count", "index"} & set(row.field_names())
        for name in row.field_names():
            assert isinstance(getattr(row, name), property)


def test_a_book_can_be_written_by_hand() -> None:
    book = OrderBook(last_update_id=1, bids=[PriceLevel(("1.5", "2"))], asks=[PriceLevel.from_wire(["1.6", "3"])])
    assert book.bids[0].price == Decimal("1.5")
    assert json.loads(book.model_dump_json(by_alias=True)) == {
        "lastUpdateId": 1,
        "bids": [["1.5", "2"]],
        "asks": [["1.6", "3"]],
    }


def test_a_row_takes_a_third_of_the_memory_of_a_model() -> None:
    """As the README says; a little more is allowed, as the sizes of texts differ."""
    whole = {"open_time", "close_time", "trade_count"}
    fields: dict[str, Any] = {name: (int if name in whole else Decimal, ...) for name in NAMES}
    model = create_model("Model", __config__=ConfigDict(frozen=True), **fields)
    draw = random.Random(7)
    drawn = [
        {name: draw.randrange(10**13) if name in whole else f"{draw.uniform(1, 99999):.8f}" for name in NAMES}
        for _ in range(1000)
    ]
    rows = memory(TypeAdapter(list[Kline]), json.dumps([[*each.values(), "0"] for each in drawn]))
    models = memory(TypeAdapter(list[model]), json.dumps(drawn))
    assert rows < 0.4 * models


def memory(adapter: TypeAdapter[Any], text: str) -> int:
    """Bytes that what a text decodes to takes."""
    adapter.validate_json("[]")
    tracemalloc.start()
    try:
        decoded = adapter.validate_json(text)
        assert len(decoded) == 1000
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
