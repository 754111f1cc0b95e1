"""Arguments become a query or a ``ParameterError``; never anything else, and an error costs nothing."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from binance_sdk import Plan, SyncBinanceClient
from binance_sdk._runtime.calls.parameters import _warn_of, query, validate
from binance_sdk._runtime.operation import OneOf, Operation, Parameter
from binance_sdk.catalogue import CATALOGUE
from binance_sdk.errors import ParameterError

from .support import KEY, NOW_MS, Recorder, charged

HOUR = 3_600_000
DAY = 24 * HOUR
Call = Callable[[SyncBinanceClient], object]


def sent(recorder: Recorder, call: Call) -> str:
    """The query string of one call, as it went over the wire."""
    with recorder.sync(api_key=KEY) as client:
        call(client)
    assert len(recorder.requests) == 1
    return recorder.queries[0]


# ------------------------------------------------------------------------------- what is sent


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            lambda c: c.spot.avg_price("币安人生USDT"),
            "symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT",
        ),
        (lambda c: c.spot.avg_price("btcUsdt"), "symbol=BTCUSDT"),
        # The Turkish dotless i and the sharp s have upper-case forms that are other symbols.
        (lambda c: c.spot.avg_price("ıßéa"), "symbol=%C4%B1%C3%9F%C3%A9A"),
        (lambda c: c.futures.open_interest("btcusdt_261225"), "symbol=BTCUSDT_261225"),
        (lambda c: c.spot.klines("BTCUSDT", "1m"), "symbol=BTCUSDT&interval=1m"),
        (lambda c: c.spot.klines("BTCUSDT", "1M"), "symbol=BTCUSDT&interval=1M"),
        (
            lambda c: c.spot.klines("BTCUSDT", "1d", time_zone="+05:45"),
            "symbol=BTCUSDT&interval=1d&timeZone=%2B05%3A45",
        ),
        (lambda c: c.spot.klines("BTCUSDT", "1d", time_zone="-12:00"), "symbol=BTCUSDT&interval=1d&timeZone=-12%3A00"),
        (lambda c: c.spot.klines("BTCUSDT", "1d", time_zone="14"), "symbol=BTCUSDT&interval=1d&timeZone=14"),
        (lambda c: c.spot.ticker_price(symbols=["BTCUSDT"]), "symbols=%5B%22BTCUSDT%22%5D"),
        (lambda c: c.spot.ticker_price(symbols=("btcusdt", "币安人生USDT")), None),
        (lambda c: c.spot.exchange_info(show_permission_sets=False), "showPermissionSets=false"),
        (lambda c: c.spot.exchange_info(show_permission_sets=True), "showPermissionSets=true"),
        (lambda c: c.spot.depth("BTCUSDT", limit=5001), "symbol=BTCUSDT&limit=5001"),
        (lambda c: c.spot.depth("BTCUSDT", limit=np.int64(5)), "symbol=BTCUSDT&limit=5"),
        (lambda c: c.spot.trades("BTCUSDT", limit=1), "symbol=BTCUSDT&limit=1"),
        (lambda c: c.spot.trades("BTCUSDT", limit=1000), "symbol=BTCUSDT&limit=1000"),
        (lambda c: c.spot.historical_trades("BTCUSDT", from_id=0), "symbol=BTCUSDT&fromId=0"),
        (lambda c: c.spot.ping(), ""),
        (
            lambda c: c.spot.agg_trades("BTCUSDT", start_time=NOW_MS, end_time=NOW_MS),
            f"symbol=BTCUSDT&startTime={NOW_MS}&endTime={NOW_MS}",
        ),
        (
            lambda c: c.spot.agg_trades(
                "BTCUSDT", start_time=datetime(2026, 1, 1, 5, 45, 0, 1999, timezone(timedelta(hours=5, minutes=45)))
            ),
            "symbol=BTCUSDT&startTime=1767225600001",
        ),
        (lambda c: c.spot.agg_trades("BTCUSDT", start_time=np.int64(NOW_MS)), f"symbol=BTCUSDT&startTime={NOW_MS}"),
        (lambda c: c.spot.agg_trades("BTCUSDT", start_time=0), "symbol=BTCUSDT&startTime=0"),
        (
            lambda c: c.futures.agg_trades("BTCUSDT", start_time=NOW_MS - HOUR, end_time=NOW_MS - 1),
            f"symbol=BTCUSDT&startTime={NOW_MS - HOUR}&endTime={NOW_MS - 1}",
        ),
        (
            lambda c: c.futures.agg_trades("BTCUSDT", start_time=NOW_MS - 48 * HOUR),
            f"symbol=BTCUSDT&startTime={NOW_MS - 48 * HOUR}",
        ),
        (lambda c: c.spot.ticker("BTCUSDT", window_size="59m"), "symbol=BTCUSDT&windowSize=59m"),
    ],
)
def test_query_on_the_wire(recorder: Recorder, call: Call, expected: str | None) -> None:
    query_string = sent(recorder, call)
    assert query_string.isascii()
    if expected is None:
        assert dict(parse_qsl(query_string)) == {"symbols": '["BTCUSDT","币安人生USDT"]'}
        assert "%20" not in query_string
        assert "+" not in query_string
    else:
        assert query_string == expected


class Interval(str, enum.Enum):  # noqa: UP042 - what users have had since Python 3.4
    HOUR = "1h"


class Permission(enum.StrEnum):
    SPOT = "SPOT"


def test_members_of_a_users_string_enum_go_out_as_their_value(recorder: Recorder) -> None:
    assert sent(recorder, lambda c: c.spot.klines("BTCUSDT", Interval.HOUR)) == "symbol=BTCUSDT&interval=1h"


def test_members_of_a_str_enum_in_a_list_go_out_as_their_value(recorder: Recorder) -> None:
    assert (
        sent(recorder, lambda c: c.spot.exchange_info(permissions=[Permission.SPOT])) == "permissions=%5B%22SPOT%22%5D"
    )


def test_clamped_depth_is_sent_as_asked_and_charged_as_the_bound(recorder: Recorder) -> None:
    with recorder.sync() as client:
        raw = client.spot.with_raw_response.depth("BTCUSDT", limit=5001)
        assert raw.weight == 250
        assert recorder.asked == [{"symbol": "BTCUSDT", "limit": "5001"}]
        assert client.limits.spot.used == 250


def test_keys_that_differ_by_case_alone_stay_apart() -> None:
    aggregate = CATALOGUE["spot"].operations["agg_trades"]
    assert len({parameter.wire.lower() for parameter in aggregate.parameters}) == len(aggregate.parameters)
    twins = Operation(
        id="test.twins",
        market="spot",
        name="twins",
        path="/twins",
        weight=aggregate.weight,
        variants=aggregate.variants,
        cache=aggregate.cache,
        hosts=aggregate.hosts,
        parameters=(Parameter("t", "time_ms", "int"), Parameter("T", "trade_time", "int")),
    )
    assert query(twins, validate(twins, {"t": 1, "T": 2}, NOW_MS)) == "t=1&T=2"


def test_hundred_symbols_are_the_most_where_there_is_a_bound(recorder: Recorder) -> None:
    hundred = [f"S{n}USDT" for n in range(100)]
    with recorder.sync() as client:
        assert client.spot.plan.ticker(symbols=hundred).weight == 200
        assert client.spot.plan.ticker_24hr(symbols=[*hundred, "BTCUSDT"]).weight == 80
        with pytest.raises(ParameterError, match=r"101 items.*at most 100"):
            client.spot.ticker(symbols=[*hundred, "BTCUSDT"])


# ------------------------------------------------------------------------------- what is refused

OPERATIONS = {operation.id: operation for operation in CATALOGUE.operations if operation.parameters}
PLAIN = {"symbol": "BTCUSDT", "enum": None, "id": 5, "time": NOW_MS, "int": 5, "string": "1h"}


def plain(parameter: Parameter) -> object:
    """A value that is certainly right."""
    return parameter.choices[0] if parameter.choices else PLAIN[parameter.type]


NAIVE = datetime(2026, 1, 1)
ANCIENT = datetime(1969, 7, 20, tzinfo=UTC)
OLD = NOW_MS - 48 * HOUR - 1

REFUSED: list[tuple[str, str, object, str]] = [
    # operation, parameter, value, part of the remedy; other required parameters get values that are right
    ("spot.depth", "symbol", None, "is required"),
    ("spot.depth", "symbol", b"BTC", "must be a string"),
    ("spot.depth", "symbol", "", "1 to 40 characters"),
    ("spot.depth", "symbol", "A" * 41, "1 to 40 characters"),
    ("spot.depth", "symbol", "A,B", "several symbols go into a list"),
    *[
        ("futures.depth", "symbol", f"BTC{bad}USDT", "which no symbol has")
        for bad in '/?&#%@"[] \t\n\x00\x7f\u00a0\u200b\u2028\ud800'
    ],
    ("spot.depth", "symbol", "btc/usdt", "contains '/', which no symbol has: write 'BTCUSDT'"),
    ("futures.depth", "symbol", "BTC/USDT:USDT", "write 'BTCUSDT'"),
    ("spot.depth", "symbol", " BTCUSDT\n", "write 'BTCUSDT'"),
    ("spot.ticker", "symbols", "BTCUSDT", 'takes a list: write symbols=["BTCUSDT"]'),
    ("spot.ticker_price", "symbols", [], "name at least one"),
    ("spot.ticker_price", "symbols", {"BTCUSDT": 1}, "takes a list"),
    ("spot.ticker_price", "symbols", ["A", "a"], "drop one"),
    ("spot.ticker_price", "symbols", ["A", "B C"], "which no symbol has"),
    ("spot.ticker_price", "symbols", [1], "must be a string"),
    ("spot.klines", "interval", None, "is required"),
    ("spot.klines", "interval", "1H", "did you mean '1h'"),
    ("spot.klines", "interval", "60m", "must be one of 1s, 1m"),
    ("spot.klines", "interval", 1, "must be one of"),
    ("futures.klines", "interval", "1s", "must be one of 1m, 3m"),
    ("spot.ticker_24hr", "type", "mini", "did you mean 'MINI'"),
    ("futures.basis", "period", "1hour", "did you mean '1h'"),
    # Open lists: only what differs by its case, or cannot be a value at all.
    ("futures.basis", "contract_type", "perpetual", "did you mean 'PERPETUAL'"),
    ("futures.basis", "contract_type", "PERPETUAL ", "or a newer one; did you mean 'PERPETUAL'"),
    ("spot.exchange_info", "permissions", ["spot"], "did you mean 'SPOT'"),
    ("spot.exchange_info", "permissions", ["TRD-GRP"], "or a newer one"),
    ("spot.depth", "symbol_status", 5, "TRADING, HALT, BREAK or a newer one"),
    ("spot.trades", "limit", 0, "below 1"),
    ("spot.trades", "limit", 1001, "above 1000"),
    ("futures.klines", "limit", 1501, "above 1500"),
    ("spot.depth", "limit", 0, "below 1"),
    ("futures.depth", "limit", 7, "5, 10, 20, 50, 100, 500, 1000"),
    *[("spot.trades", "limit", bad, "must be an int") for bad in (True, 1.0, "5", np.True_, np.float64(5))],
    # Both have an ``__index__``, and neither is an int.
    *[("spot.trades", "limit", bad, "must be an int") for bad in (np.array([5, 6]), int)],
    ("spot.exchange_info", "show_permission_sets", 1, "True or False"),
    ("spot.historical_trades", "from_id", -1, "below 0"),
    *[("spot.agg_trades", "start_time", bad, "epoch milliseconds") for bad in (1.7e12, "2026", True)],
    ("spot.agg_trades", "end_time", NAIVE, "aware datetime"),
    ("spot.agg_trades", "start_time", 1_700_000_000, "multiply by 1000"),
    ("spot.agg_trades", "start_time", NOW_MS * 1000, "micro"),
    ("spot.agg_trades", "start_time", -1, "negative"),
    ("spot.agg_trades", "start_time", ANCIENT, "1970"),
    ("futures.agg_trades", "start_time", OLD, f"pass {NOW_MS - 48 * HOUR} or later"),
    ("futures.agg_trades", "end_time", OLD, f"pass {NOW_MS - 48 * HOUR} or later"),
    ("futures.basis", "end_time", NOW_MS - 30 * DAY - 1, "30 days"),
    ("spot.ticker", "window_size", "60m", "1m to 59m"),
    ("spot.ticker", "window_size", "5m\n", "1m to 59m"),
    ("spot.ticker", "window_size", 5, "must be a non-empty string"),
    *[("spot.klines", "time_zone", bad, "-12:00 and +14:00") for bad in ("+14:01", "15", "-12:01", "-13", "1:60")],
    *[("spot.klines", "time_zone", bad, "such as '8'") for bad in ("+5:4", "UTC", "", "٨", "8\n", 8)],
]


@pytest.mark.parametrize(("operation", "parameter", "value", "remedy"), REFUSED)
def test_refused_before_sending(recorder: Recorder, operation: str, parameter: str, value: object, remedy: str) -> None:
    method, known = operation.split(".")[1], OPERATIONS[operation]
    needed = {p.name: plain(p) for p in known.parameters if p.required}
    for rule in known.rules:
        if isinstance(rule, OneOf) and rule.required and parameter not in rule.names:
            needed[rule.names[0]] = "BTCUSDT"
    error = refused(recorder, lambda c: getattr(getattr(c, known.market), method)(**{**needed, parameter: value}))
    assert error.operation == operation
    assert error.parameter == parameter
    text = str(error)
    assert text.startswith(f"{operation}: {parameter}")
    assert remedy in text
    if value is not None:
        assert f"{value!r:.80}" in text


@pytest.mark.parametrize(
    ("call", "query"),
    [
        (lambda c: c.spot.exchange_info(permissions=["TRD_GRP_261"]), "permissions=%5B%22TRD_GRP_261%22%5D"),
        (lambda c: c.spot.exchange_info(symbol_status="CANCEL_ONLY"), "symbolStatus=CANCEL_ONLY"),
        (lambda c: c.futures.basis("A", "TRADIFI_PERPETUAL", "1h"), "pair=A&contractType=TRADIFI_PERPETUAL&period=1h"),
        (lambda c: c.futures.continuous_klines("A", "NEXT_MONTH", "1h"), "pair=A&contractType=NEXT_MONTH&interval=1h"),
    ],
)
def test_what_the_exchange_adds_to_an_open_list_is_sent_with_a_hint_in_the_log(
    recorder: Recorder, caplog: pytest.LogCaptureFixture, call: Any, query: str
) -> None:
    _warn_of.cache_clear()
    for _ in range(2):
        recorder.requests.clear()
        assert sent(recorder, call) == query
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "sent anyway" in record.getMessage()


@pytest.mark.parametrize(
    ("call", "operation", "parameter", "text"),
    [
        (
            lambda c: c.spot.klines("A", "1h", start_time=NOW_MS, end_time=NOW_MS - 1),
            "spot.klines",
            "start_time",
            f"start_time={NOW_MS} is later than end_time={NOW_MS - 1}: swap the two",
        ),
        (
            lambda c: c.futures.agg_trades("A", start_time=NOW_MS - HOUR, end_time=NOW_MS),
            "futures.agg_trades",
            "end_time",
            f"end_time={NOW_MS} is 3600 s (1 hour) after start_time, it must be less than 3600 s (1 hour); "
            "use iter_agg_trades",
        ),
        (
            # From the beginning, as somebody may want all there is.
            lambda c: c.coin_futures.klines("BTCUSD_PERP", "1h", start_time=0, end_time=1_700_000_000_001),
            "coin_futures.klines",
            "end_time",
            "end_time=1700000000001 is 1700000000.001 s (19675 days 22 hours) after start_time, it must be at most "
            "17280000 s (200 days)",
        ),
        (
            lambda c: c.spot.ticker_price("A", symbols=["B"]),
            "spot.ticker_price",
            "symbols",
            "symbol and symbols exclude each other: drop one",
        ),
        (
            lambda c: c.futures.agg_trades("A", from_id=1, start_time=NOW_MS),
            "futures.agg_trades",
            "start_time",
            "from_id and start_time exclude each other: drop one",
        ),
        (lambda c: c.spot.ticker(), "spot.ticker", "symbol", "one of symbol or symbols is required"),
    ],
)
def test_arguments_that_do_not_go_together(
    recorder: Recorder, call: Call, operation: str, parameter: str, text: str
) -> None:
    error = refused(recorder, call)
    assert (error.operation, error.parameter) == (operation, parameter)
    assert f"{operation}: {text}" in str(error)


def refused(recorder: Recorder, call: Call) -> ParameterError:
    """The error of a call that must send nothing and charge nothing."""
    with recorder.sync(api_key=KEY) as client:
        with pytest.raises(ParameterError) as caught:
            call(client)
        assert charged(client) == 0
    assert recorder.requests == []
    assert isinstance(caught.value, ValueError)
    return caught.value


@pytest.mark.parametrize("parameter", ["limit", "from_id", "symbol", "start_time"])
def test_an_int_too_long_to_print(recorder: Recorder, parameter: str) -> None:
    # Python refuses to write ints of more than 4300 digits, with a ValueError of its own.
    arguments = {"symbol": "BTCUSDT", parameter: 10**5000}
    with recorder.sync() as client, pytest.raises(ParameterError) as caught:
        client.spot.agg_trades(**arguments)
    assert caught.value.parameter == parameter
    assert recorder.requests == []


# ------------------------------------------------------------------------------- anything at all

GARBAGE = st.one_of(
    st.none(),
    st.text(),
    st.integers(),
    st.booleans(),
    st.floats(),
    st.binary(max_size=8),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.lists(st.text(max_size=5) | st.integers() | st.none(), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.just(object()),
    st.integers(0, 2000).map(np.int32),
    st.sampled_from(["1h", "1M", "1d", "BTCUSDT", "FULL", "MINI", "8", "PERPETUAL", "5m"]),
    st.integers(NOW_MS - 3 * DAY, NOW_MS),
)


@st.composite
def arguments(draw: st.DrawFn, ids: tuple[str, ...] = tuple(OPERATIONS)) -> tuple[str, dict[str, object]]:
    id_ = draw(st.sampled_from(ids))
    operation = OPERATIONS[id_]
    chosen: dict[str, object] = {p.wire: plain(p) for p in operation.parameters if p.required}
    if operation.paging and operation.paging.first is None and operation.paging.start is None:
        chosen.setdefault(operation.paging.cursor, plain(operation.by_wire[operation.paging.cursor]))
    for parameter in draw(st.lists(st.sampled_from(operation.parameters), max_size=4)):
        chosen[parameter.wire] = draw(GARBAGE)
    return id_, chosen


@settings(max_examples=400)
@given(made=arguments())
def test_any_argument_gives_a_valid_query_or_a_parameter_error(
    made: tuple[str, dict[str, object]],
) -> None:
    operation, chosen = OPERATIONS[made[0]], made[1]
    try:
        checked = validate(operation, chosen, NOW_MS)
    except ParameterError as error:
        checked = None
        named = (error.operation, error.parameter)
    if checked is None:
        assert named[0] == operation.id
        assert named[1] in operation.by_name
        return
    encoded = query(operation, checked)
    assert encoded.isascii()
    assert not set(encoded) & set(' "<>#?[]')
    decoded = dict(parse_qsl(encoded, keep_blank_values=True, strict_parsing=bool(encoded)))
    assert list(decoded) == [wire for wire in operation.by_wire if chosen.get(wire) is not None]
    for wire, value in checked.items():
        if isinstance(value, tuple):
            assert json.loads(decoded[wire]) == list(value)
        else:
            assert decoded[wire] == (str(value).lower() if isinstance(value, bool) else str(value))
    assert operation.price(checked) >= 0
    assert operation.variant_for(checked) in operation.variants


PAGED = tuple(id_ for id_, operation in OPERATIONS.items() if operation.paging)


@settings(max_examples=300)
@example(made=("spot.klines", {"symbol": "A", "interval": "x", "startTime": NOW_MS}), limit=None, page_size=None)
@example(made=("futures.klines", {"symbol": "A", "interval": None, "startTime": NOW_MS}), limit=None, page_size=None)
@example(made=("futures.open_interest_hist", {"symbol": "A", "period": "2"}), limit=3, page_size=None)
@given(made=arguments(PAGED), limit=GARBAGE, page_size=GARBAGE)
def test_any_argument_of_an_iterator_gives_a_plan_or_a_parameter_error(
    made: tuple[str, dict[str, object]], limit: Any, page_size: Any
) -> None:
    operation, chosen = OPERATIONS[made[0]], made[1]
    assert operation.paging is not None
    named = {operation.by_wire[wire].name: value for wire, value in chosen.items() if wire != operation.paging.size}
    recorder = Recorder()
    with recorder.sync(api_key=KEY) as client:
        iterator = getattr(getattr(client, operation.market).plan, f"iter_{operation.name}")
        try:
            plan = iterator(**named, limit=limit, page_size=page_size)
        except ParameterError as error:
            plan, concerned = None, error.operation
    assert isinstance(plan, Plan) or concerned == operation.id
    assert recorder.requests == []
