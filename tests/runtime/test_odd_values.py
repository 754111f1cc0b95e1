"""Every way a parameter goes in, with values nobody should pass: a ``ParameterError`` that says why, or an answer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from binance_sdk import Plan, SyncBinanceClient
from binance_sdk._runtime.operation import Operation, Parameter
from binance_sdk.catalogue import CATALOGUE
from binance_sdk.errors import BinanceError, ParameterError

from .support import KEY, NOW_MS, Recorder, charged


class Hostile:
    """Whatever is asked of it raises."""

    def __index__(self) -> int:
        raise RuntimeError("no index")

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __iter__(self) -> Iterator[object]:
        raise RuntimeError("no items")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    __hash__ = None  # type: ignore[assignment]


class Text(str):
    """A text that changes when it is asked for itself."""

    __slots__ = ()

    def __str__(self) -> str:
        return "somebody else"

    def upper(self) -> str:
        raise RuntimeError("no upper case")


class Mixed(str, Enum):  # noqa: UP042 - as many programs still write it
    HOUR = "1h"
    COIN = "BTCUSDT"


class Plain(StrEnum):
    HOUR = "1h"
    COIN = "BTCUSDT"


class Number(IntEnum):
    FIVE = 5


class Unzoned(tzinfo):
    def utcoffset(self, when: datetime | None) -> timedelta:
        raise RuntimeError("no zone")


def broken() -> Iterator[str]:
    yield "BTCUSDT"
    raise RuntimeError("no more")


ODD: list[Any] = [
    *(
        "",
        " ",
        "\ud800",
        "\udcff",
        "A\x00B",
        "\n",
        "BTC USDT",
        "币安人生USDT",
        "ı",
        "1h ",
        "1H",
        "A" * 41,
        "A" * 100_000,
    ),
    *(10**5000, -(10**5000), 2**63, 2**64, -1, 0, 1.5, float("nan"), float("inf"), True, False, 1j),
    *(b"BTCUSDT", bytearray(b"1h"), Decimal(5), Decimal("NaN"), Fraction(1, 2), date(2026, 1, 1)),
    *(datetime.min, datetime.max, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
    *(datetime(1970, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=Unzoned())),
    datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-23))),
    *([], (), {}, set(), [None], [[]], [1], ["A", "A"], {"BTCUSDT": 1}, ["\ud800"], [10**5000], [Hostile()]),
    *(object(), Hostile(), print, int, Text("BTCUSDT"), Text("1h"), *Mixed, *Plain, Number.FIVE),
    *(np.int64(5), np.float64(5), np.str_("1h"), np.array([5]), np.array(["A", "B"]), pd.NA, pd.NaT, pd.Timestamp(5)),
    *([f"S{n}USDT" for n in range(10_000)], [f"S{n}USDT" for n in range(10_001)]),
]


def label(value: object) -> str:
    return type(value).__name__


def plain(parameter: Parameter) -> object:
    known = {"symbol": "BTCUSDT", "enum": None, "id": 5, "time": NOW_MS, "int": 5, "string": "1h"}
    return parameter.choices[0] if parameter.choices else known[parameter.type]


def kinds() -> list[tuple[Operation[Any], Parameter]]:
    """One parameter of each shape: of the same type, bounds and rules, one stands for all."""
    found: dict[object, tuple[Operation[Any], Parameter]] = {}
    for operation in CATALOGUE.operations:
        for parameter in operation.parameters:
            paging = operation.paging
            place = paging is not None and parameter.wire in (paging.cursor, paging.start, paging.end)
            shape = (
                parameter.type,
                parameter.list,
                bool(parameter.choices),
                parameter.open,
                parameter.max,
                parameter.clamp,
                parameter.max_items,
                place,
            )
            found.setdefault((operation.market, *shape), (operation, parameter))
    return list(found.values())


def refusal(call: Any) -> ParameterError | None:
    """The refusal of a call, which can be shown to somebody and says what it is about."""
    try:
        call()
    except ParameterError as error:
        found = error
    else:
        return None
    str(found).encode()
    assert found.parameter
    return found


def outcome(recorder: Recorder, call: Any) -> object:
    """What a call gives, or its refusal, before which nothing was sent."""
    recorder.requests.clear()
    results: list[object] = []
    refused = refusal(lambda: results.append(call()))
    if refused is None:
        return results[0]
    assert recorder.requests == []
    return refused


@pytest.mark.parametrize(
    ("operation", "parameter"), kinds(), ids=lambda value: getattr(value, "id", getattr(value, "wire", None))
)
def test_every_kind_of_parameter(operation: Operation[Any], parameter: Parameter) -> None:
    recorder = Recorder(lambda request: b"[]")
    refused = 0
    with recorder.sync(api_key=KEY) as client:
        api: Any = getattr(client, operation.market)
        needed = {parameter.name: plain(parameter) for parameter in operation.parameters if parameter.required}
        for odd in [*ODD, itertools.repeat("BTCUSDT"), itertools.count(), broken()]:
            arguments = {**needed, parameter.name: odd}
            planned = outcome(recorder, lambda given=arguments: getattr(api.plan, operation.name)(**given))
            assert isinstance(planned, (Plan, ParameterError)), label(odd)
            refused += isinstance(planned, ParameterError)
            if not isinstance(odd, Iterator):
                # What is planned is sent, and what is refused there is refused here, in the same words.
                try:
                    sent = outcome(recorder, lambda given=arguments: getattr(api, operation.name)(**given))
                except BinanceError:
                    # The answer of the recorder fits lists alone.
                    sent = None
                assert isinstance(sent, ParameterError) == isinstance(planned, ParameterError), label(odd)
                if isinstance(planned, ParameterError):
                    assert str(sent) == str(planned)
                else:
                    assert recorder.requests
            if operation.paging is not None and parameter.wire != operation.paging.size:
                walk(recorder, api, operation, arguments, odd)
        assert charged(client) >= 0
    assert refused > len(ODD) / 2


def walk(recorder: Recorder, api: Any, operation: Operation[Any], arguments: dict[str, Any], odd: object) -> None:
    given = {**arguments, "limit": 3}
    if isinstance(odd, Iterator):
        return
    planned = outcome(recorder, lambda: getattr(api.plan, f"iter_{operation.name}")(**given))
    assert isinstance(planned, (Plan, ParameterError)), label(odd)
    walked = outcome(recorder, lambda: list(getattr(api, f"iter_{operation.name}")(**given)))
    assert isinstance(walked, ParameterError) == isinstance(planned, ParameterError), label(odd)
    if isinstance(walked, ParameterError):
        assert str(walked) == str(planned)


@pytest.mark.parametrize("name", ["limit", "page_size"])
def test_the_counts_of_an_iterator(recorder: Recorder, name: str) -> None:
    with recorder.sync() as client:
        for odd in ODD:
            given: dict[str, Any] = {"limit": 3, name: odd}
            planned = outcome(recorder, lambda: client.spot.plan.iter_klines("BTCUSDT", "1h", **given))  # noqa: B023
            assert isinstance(planned, (Plan, ParameterError)), label(odd)


def test_every_symbol_of_a_batch() -> None:
    recorder = Recorder(lambda request: b"[]")
    odd = [symbol for symbol in ODD if not isinstance(symbol, list) or len(symbol) < 10]
    with recorder.sync() as client:
        batch = client.spot.each(client.spot.klines, odd, "1h")
        found = [symbol for symbol, _ in batch]
        assert found
        assert all(isinstance(error, ParameterError) for error in batch.errors.values())
        for wrong in ODD:
            if isinstance(wrong, Hostile):
                # What a caller's own iterator raises is the caller's.
                continue
            refused = refusal(lambda: list(client.spot.each(client.spot.klines, wrong, "1h", limit=0)))  # noqa: B023
            assert refused is None or refused.parameter == "symbols"


@pytest.mark.parametrize(
    ("market", "kind", "name"),
    [
        ("spot", "agg_trade", "symbol"),
        ("spot", "kline", "interval"),
        ("spot", "partial_depth", "levels"),
        ("futures", "continuous_kline", "contract_type"),
        ("futures", "mark_price", "speed"),
    ],
)
def test_every_kind_of_stream_parameter(market: str, kind: str, name: str) -> None:
    with SyncBinanceClient() as client:
        make = getattr(getattr(client, market).streams, kind)
        known = {"interval": "1h", "levels": 5, "contract_type": "PERPETUAL"}
        needed = {word: value for word, value in known.items() if word in make.__annotations__}
        refused = 0
        for odd in ODD:
            streams: list[Any] = []
            given = {**needed, name: odd}
            error = refusal(
                lambda: streams.append(make(odd, **needed) if name == "symbol" else make("BTCUSDT", **given))  # noqa: B023
            )
            refused += error is not None
            assert all(text.isprintable() for stream in streams for text in stream.names), label(odd)
        assert refused > len(ODD) / 2
