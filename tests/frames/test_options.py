"""What a frame holds, as it is asked for, and how wrong wishes are answered."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from binance_sdk import frames, futures, spot
from binance_sdk.catalogue import CATALOGUE, fixture
from binance_sdk.errors import ConfigError, DecodeError, ParameterError
from binance_sdk.spot import AggTradeEvent, Kline

from .answers import ALL, LIBRARIES, Example

BAR = json.loads(fixture("spot", "klines"))[0]
FIRST = datetime(2025, 11, 24, 9, tzinfo=UTC)


def example(name: str) -> Example:
    return next(one for one in ALL if one.name == name)


def bars(*changes: dict[int, Any]) -> list[Kline]:
    return [Kline.from_wire([change.get(at, value) for at, value in enumerate(BAR)]) for change in changes]


def answer(*changes: dict[int, Any]) -> Example:
    one = example("spot.klines")
    rows = [[change.get(at, value) for at, value in enumerate(BAR)] for change in changes]
    return Example(one.operation, one.variant, json.dumps(rows, separators=(",", ":")).encode(), one.name)


# -------------------------------------------------------------------------------------------- types


def test_polars_has_the_types_that_one_expects() -> None:
    frame = example("spot.trades").frame("polars")
    assert dict(frame.schema) == {
        "trade_id": pl.Int64,
        "price": pl.Float64,
        "qty": pl.Float64,
        "quote_qty": pl.Float64,
        "trade_time": pl.Datetime("us", "UTC"),
        "is_buyer_maker": pl.Boolean,
        "is_best_match": pl.Boolean,
    }


def test_pandas_has_the_types_that_one_expects() -> None:
    frame = example("futures.funding_info").frame("pandas", time_unit="ns")
    text = str(pd.Series(["text"]).dtype)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "symbol": text,
        "adjusted_funding_rate_cap": "float64",
        "adjusted_funding_rate_floor": "float64",
        "funding_interval_hours": "int64",
        "disclaimer": "bool",
        "update_time": "datetime64[ns, UTC]",
    }
    moments = [row.update_time_dt for row in example("futures.funding_info").rows]
    assert [None if pd.isna(time) else time for time in frame["update_time"]] == moments
    assert any(moments)


def test_arrow_tells_what_may_be_null() -> None:
    schema = example("futures.premium_index.list").frame("arrow", prices="decimal", scale=12).schema
    assert schema.field("mark_price") == pa.field("mark_price", pa.decimal128(38, 12), nullable=False)
    assert schema.field("funding_rate") == pa.field("funding_rate", pa.decimal128(38, 12), nullable=True)
    assert schema.field("next_funding_time") == pa.field("next_funding_time", pa.timestamp("us", "UTC"), nullable=True)
    assert schema.field("symbol") == pa.field("symbol", pa.string(), nullable=False)


def test_what_is_absent_is_null_in_each_library() -> None:
    trades = json.loads(fixture("futures", "trades"))
    without = {key: value for key, value in trades[0].items() if key != "isRPITrade"}
    one = example("futures.trades")
    one = Example(one.operation, one.variant, json.dumps([trades[0], without]).encode(), one.name)
    assert one.frame("polars")["is_rpi_trade"].to_list() == [trades[0]["isRPITrade"], None]
    assert one.frame("arrow")["is_rpi_trade"].to_pylist() == [trades[0]["isRPITrade"], None]
    column = one.frame("pandas")["is_rpi_trade"]
    assert str(column.dtype) == "boolean"
    assert column[1] is pd.NA
    array = one.frame("numpy")["is_rpi_trade"]
    assert (array.dtype, array.tolist()) == (np.bool_, [trades[0]["isRPITrade"], None])
    premium = example("coin_futures.premium_index")
    assert premium.rows[-1].next_funding_time == 0
    assert np.isnat(premium.frame("numpy")["next_funding_time"][-1])
    assert pd.isna(premium.frame("pandas")["next_funding_time"].iloc[-1])
    assert np.isnan(premium.frame("numpy")["funding_rate"][-1])
    assert premium.frame("numpy", prices="decimal")["funding_rate"][-1] is None


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_times_have_the_unit_that_is_wanted(unit: Any) -> None:
    rows = bars({})
    assert frames.to_polars(rows, time_unit=unit)["open_time"].dtype == pl.Datetime(unit, "UTC")
    assert frames.to_arrow(rows, time_unit=unit).schema.field("open_time").type == pa.timestamp(unit, "UTC")
    assert str(frames.to_pandas(rows, time_unit=unit)["open_time"].dtype) == f"datetime64[{unit}, UTC]"
    array = frames.to_numpy(rows, time_unit=unit)["open_time"]
    assert array.dtype == f"datetime64[{unit}]"
    assert array[0] == np.datetime64("2025-11-24T09:00:00", unit)
    assert frames.to_polars(rows, time_unit=unit)["open_time"].to_list() == [FIRST]


def test_an_index_of_times_is_one_that_pandas_slices() -> None:
    frame = answer({}, {0: BAR[0] + 3_600_000}).frame("pandas", index="open_time", columns=["open_time", "close"])
    assert isinstance(frame.index, pd.DatetimeIndex)
    assert frame.index.name == "open_time"
    assert frame.loc["2025-11-24 10:00":, "close"].tolist() == [float(BAR[4])]


def test_no_rows_give_the_same_types_as_rows() -> None:
    empty, one = answer(), answer({})
    for prices, scale in (("float", None), ("decimal", 8)):
        assert empty.frame("polars", prices=prices, scale=scale).schema == one.frame("polars", prices=prices).schema
        assert empty.frame("arrow", prices=prices, scale=scale).schema == one.frame("arrow", prices=prices).schema
        assert empty.frame("pandas", prices=prices).dtypes.equals(one.frame("pandas", prices=prices).dtypes)
    assert frames.to_polars([], row_type=Kline).schema == one.frame("polars").schema
    texts = Example(*[getattr(example("spot.ticker_price.list"), n) for n in ("operation", "variant")], b"[]", "none")
    assert texts.frame("pandas").dtypes.equals(example("spot.ticker_price.list").frame("pandas").dtypes)


def test_one_object_is_a_frame_of_one_row() -> None:
    frame = example("futures.open_interest").frame("polars")
    assert frame.height == 1


def test_positions_that_binance_appended_change_nothing() -> None:
    one = answer({})
    longer = Example(one.operation, one.variant, one.content.replace(b"]]", b', "new", {"a": 1}]]'), one.name)
    assert longer.frame("polars").equals(one.frame("polars"))


# -------------------------------------------------------------------------------------------- digits


def test_each_column_has_as_many_digits_as_its_longest_value() -> None:
    rows = bars({1: "1.5"}, {1: "0.000000000000123"}, {1: "7"})
    column = frames.to_polars(rows, prices="decimal")["open"]
    assert column.dtype == pl.Decimal(38, 15)
    assert column.to_list() == [Decimal("1.5"), Decimal("0.000000000000123"), Decimal(7)]
    assert frames.to_arrow(rows, prices="decimal")["open"].to_pylist() == column.to_list()


@pytest.mark.parametrize("make", [frames.to_polars, frames.to_arrow])
def test_nothing_is_rounded(make: Any) -> None:
    rows = bars({}, {4: "1.123456789"})
    for scale in (8, {"close": 8, "open": 10}):
        with pytest.raises(DecodeError, match=r"Kline: \[1\]\.close: 1\.123456789 has 9 digits behind the point, and"):
            make(rows, prices="decimal", scale=scale)
    longest = bars({}, {4: "9" * 30 + ".12345678"})
    assert make(longest, prices="decimal")["close"][1] is not None
    with pytest.raises(DecodeError, match=r"\[1\]\.close: 9+\.12345678 has more than 38 digits, with 9 behind the poi"):
        make(longest, prices="decimal", scale=9)


def test_what_no_float_holds_is_an_error() -> None:
    text = "1" + "0" * 400
    for library in LIBRARIES:
        with pytest.raises(DecodeError, match=r"spot\.klines: \[0\]\.high: 10+… is beyond what a float can hold"):
            answer({2: text}).frame(library)
    assert answer({2: text}).frame("numpy", prices="decimal")["high"][0] == Decimal(text)


@pytest.mark.parametrize("library", LIBRARIES)
def test_rows_give_the_floats_that_python_makes_of_their_texts(library: str) -> None:
    make = getattr(frames, f"to_{library}")
    # Halfway between two floats, of more digits than either has, the smallest, and a zero with its sign.
    texts = [
        "9007199254740993",
        "0.1" + "0" * 40 + "1",
        "1.0000000000000001110223024625156540423631668090820312",
        "-0.0",
    ]
    texts += ["0." + "0" * 323 + "49406564584124654", "123456789012345678901234567890.5", "007"]
    found = make(bars(*({4: text} for text in texts)))["close"]
    assert [float(value).hex() for value in (found.to_pylist() if library == "arrow" else found)] == [
        float(text).hex() for text in texts
    ]
    with pytest.raises(DecodeError, match=r"^Kline: \[1\]\.close: 10+… is beyond what a float can hold"):
        make(bars({}, {4: "1" + "0" * 400}))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("text", ["", "x", "1.2.3", "0x1"])
def test_a_row_that_was_never_checked_is_refused_by_every_library(library: str, text: str) -> None:
    unchecked = tuple.__new__(Kline, [*BAR[:4], text, *BAR[5:]])
    with pytest.raises(ValueError, match="could not convert string to float"):
        getattr(frames, f"to_{library}")([*bars({}), unchecked])


@pytest.mark.parametrize("library", LIBRARIES)
def test_times_and_ints_that_no_column_holds_are_errors(library: str) -> None:
    with pytest.raises(
        DecodeError, match=r"spot\.klines: \[1\]\.open_time: \d+ is outside the years 1 to 9999"
    ) as told:
        answer({}, {0: BAR[0] * 1000}).frame(library)
    assert told.value.operation == "spot.klines"
    assert told.value.problems == ("[1].open_time: 1763974800000000 is outside the years 1 to 9999",)
    with pytest.raises(DecodeError, match=r"\[0\]\.trade_count: 9223372036854775808 does not fit into 64 bits"):
        answer({8: 2**63}).frame(library)
    with pytest.raises(DecodeError, match=r"\[0\]\.open_time: 9999999999999 is outside the years 1677 to 2262"):
        answer({0: 9_999_999_999_999}).frame(library, time_unit="ns")


# --------------------------------------------------------------------------------------- wrong wishes


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"prices": "exact"}, "prices='exact' must be 'float' or 'decimal'"),
        ({"prices": None}, "prices=None must be"),
        ({"time_unit": "s"}, "time_unit='s' must be 'ms' or 'us' or 'ns'"),
        ({"scale": 8}, 'scale=8 is for exact decimals: pass prices="decimal" too'),
        ({"prices": "decimal", "scale": 39}, "scale=39 must be an int from 0 to 38"),
        ({"prices": "decimal", "scale": True}, "scale=True must be an int"),
        ({"prices": "decimal", "scale": {"open": -1}}, r"scale\['open'\]=-1 must be an int"),
        ({"prices": "decimal", "scale": {"opn": 1}}, "scale='opn' is not among the decimal columns of Kline: open, "),
        ({"columns": "close"}, r"columns='close' must be a list of names: write columns=\['close'\]"),
        ({"columns": []}, "must name at least one column"),
        ({"columns": ["close", "close"]}, "names a column twice"),
        ({"columns": ["closing"]}, "columns='closing' is not among the columns of Kline: open_time, "),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], text: str) -> None:
    for make in (lambda: frames.to_polars(bars({}), **options), lambda: answer({}).frame("polars", **options)):
        with pytest.raises(ParameterError, match=text) as told:
            make()
        assert told.value.parameter in options


def test_an_index_has_to_be_a_column_of_the_frame() -> None:
    with pytest.raises(ParameterError, match="index='open_time' is not among the columns of the frame: close"):
        frames.to_pandas(bars({}), columns=["close"], index="open_time")


async def _later() -> Any:
    yield 1


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([], "there are no rows, and so nothing tells the columns: pass row_type="),
        (bars({})[0], "must be an iterable of rows"),
        ("text", "must be an iterable of rows"),
        (7, "rows=7 must be an iterable of rows"),
        ([{"open": 1}], "is not the type of a row, a model or an event of this package"),
        (
            [*bars({}), spot.TickerPrice(symbol="A", price=Decimal(1))],
            r"rows\[1\] is a TickerPrice and not a Kline",
        ),
    ],
)
def test_rows_are_of_one_known_type(rows: Any, text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        frames.to_polars(rows)


def test_asynchronous_rows_are_refused_with_the_remedy() -> None:
    with pytest.raises(ParameterError, match=r"pass \[row async for row in rows\]"):
        frames.to_polars(_later())  # type: ignore[arg-type]


def test_what_holds_lists_names_the_others() -> None:
    info = futures.ExchangeInfo.model_validate_json(fixture("futures", "exchange_info"), by_alias=True)
    with pytest.raises(
        ParameterError, match=r"SymbolInfo does not fit into a frame: .*filters holds a list.*columns=: "
    ):
        frames.to_polars(info.symbols)
    frame = frames.to_polars(info.symbols, columns=["symbol", "status"])
    assert frame.rows() == [(row.symbol, row.status) for row in info.symbols]


def test_a_missing_library_names_the_extra_and_none_is_imported_before_that() -> None:
    code = """
import sys
from binance_sdk import SyncBinanceClient, errors, frames
from binance_sdk.spot import Kline

libraries = ("numpy", "pandas", "polars", "pyarrow")
print([name for name in libraries if name in sys.modules])
sys.modules.update(dict.fromkeys(libraries))
for make in (frames.to_numpy, frames.to_pandas, frames.to_polars, frames.to_arrow):
    try:
        make([], row_type=Kline)
    except errors.ConfigError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == [
        "[]",
        "to_numpy needs numpy: pip install 'binance-market-sdk[frames]'",
        "to_pandas needs numpy: pip install 'binance-market-sdk[frames]'",
        "to_polars needs polars: pip install 'binance-market-sdk[history]'",
        "to_arrow needs pyarrow: pip install 'binance-market-sdk[history]'",
    ]


# --------------------------------------------------------------------------------------------- events


def test_every_event_fits_into_a_frame_or_is_refused_with_the_reason() -> None:
    from binance_sdk._runtime.columns.layout import layout_of
    from binance_sdk.catalogue import STREAMS, stream_fixture

    assert len(STREAMS) == sum(1 for _ in STREAMS) > 50
    for stream in STREAMS:
        found = stream.reader.read(stream_fixture(stream.market, stream.name))
        events = found if isinstance(found, list) else [found]
        layout = layout_of(type(events[0]))
        assert layout is not None
        if layout.without:
            with pytest.raises(ParameterError, match="does not fit into a frame"):
                frames.to_polars(events)
        names = [column.name for column in layout.columns]
        frame = frames.to_polars(events, columns=names, prices="decimal")
        for column in layout.columns:
            for at, event in enumerate(events):
                value: Any = event
                for attribute in column.name.split("."):
                    value = getattr(value, attribute)
                if column.is_time:
                    value = None if not value else datetime.fromtimestamp(value / 1000, UTC)
                assert frame[column.name][at] == value


def test_what_the_name_of_a_stream_tells_is_a_column() -> None:
    event = spot.RollingTickerEvent.model_construct()
    assert "window_size" in {name for name, _ in event._told_by_name}
    from binance_sdk._runtime.stream.stream_event import mark_stream
    from binance_sdk.catalogue import stream, stream_fixture

    found = stream("spot.rolling_ticker").reader.read(stream_fixture("spot", "rolling_ticker"))
    mark_stream(found, "btcusdt@ticker_4h")
    assert frames.to_polars([found])["window_size"].to_list() == ["4h"]


def test_events_of_one_type_that_were_filled_lack_what_rest_does_not_know() -> None:
    live = AggTradeEvent.model_validate_json(
        b'{"e":"aggTrade","E":1764028800001,"s":"BTCUSDT","a":1,"p":"2.5","q":"1","f":1,"l":1,"T":1764028800000,'
        b'"m":true,"M":true}',
        by_alias=True,
    )
    filled = live.model_copy(update={"event_time": None})
    assert frames.to_polars([live, filled])["event_time"].to_list() == [live.event_time_dt, None]


def test_levels_of_a_book_are_rows() -> None:
    book = CATALOGUE["spot"].operations["depth"].variants[0].reader.read(fixture("spot", "depth"))
    frame = frames.to_pandas(book.bids, index="price")
    assert frame.index.tolist() == [float(level.price) for level in book.bids]


def test_the_library_that_lacks_something_else_says_so_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    from binance_sdk._runtime.columns import frames as made

    monkeypatch.setitem(made._MADE_BY, "numpy", ("over_nothing", "arrays", "frames"))
    with pytest.raises(ModuleNotFoundError, match="over_nothing"):
        frames.to_numpy(bars({}))
    assert not issubclass(ModuleNotFoundError, ConfigError)
