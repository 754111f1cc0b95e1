"""An answer with a million mistakes is refused as cheaply as one with a hundred: counted in steps, not in seconds."""

from __future__ import annotations

import inspect
import json
import tracemalloc
from typing import Any

import pytest
from pydantic_core import core_schema

from binance_sdk import errors
from binance_sdk._runtime.answers import problems
from binance_sdk._runtime.answers.decode import decode
from binance_sdk._runtime.answers.json_text import array_items, object_members
from binance_sdk._runtime.answers.shape_drift import ShapeWatch
from binance_sdk._runtime.response import Headers
from binance_sdk._runtime.transport.protocol import RawResponse
from binance_sdk.catalogue import CATALOGUE, fixture


def refused(operation: str, body: bytes, variant: int = 0) -> errors.DecodeError:
    market, _, name = operation.partition(".")
    found = CATALOGUE[market].operations[name]  # type: ignore[arg-type]
    with pytest.raises(errors.DecodeError) as caught:
        decode(found, found.variants[variant], RawResponse(200, Headers(), body), ShapeWatch())
    return caught.value


INFO = json.loads(fixture("futures", "exchange_info"))
INFO["symbols"] = [{**INFO["symbols"][0], "orderTypes": [1] * 20_000}]
TICKER = json.loads(fixture("spot", "ticker_24hr", "full_list"))[0]
MANY = {
    "zeros": ("spot.klines", b"[" + b"0," * 20_000 + b"0]"),
    "empty rows": ("spot.klines", b"[" + b"[]," * 20_000 + b"[]]"),
    "short rows": ("spot.klines", b"[" + b'[1,"1"],' * 20_000 + b"[]]"),
    "levels": ("spot.depth", b'{"lastUpdateId":1,"asks":[],"bids":[' + b"[]," * 20_000 + b"[]]}"),
    "objects": ("spot.trades", b"[" + b"{}," * 20_000 + b"{}]"),
    "texts": ("futures.exchange_info", json.dumps(INFO).encode()),
    "map": (
        "futures.trading_schedule",
        b'{"updateTime":1,"marketSchedules":{' + b",".join(b'"m%d":0' % n for n in range(20_000)) + b"}}",
    ),
}


@pytest.mark.parametrize("shape", MANY)
def test_a_hundred_mistakes_are_told_and_then_and_more(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    operation, body = MANY[shape]
    refused(operation, body)  # builds what is built once
    looked = 0
    details = problems._details

    def counted(error: Any) -> Any:
        nonlocal looked
        found = details(error)
        looked += len(found)
        return found

    monkeypatch.setattr(problems, "_details", counted)
    tracemalloc.start()
    try:
        error = refused(operation, body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.problems[-1] == "and more"
    told = sum(
        1 + int(problem.rpartition("(and ")[2].split()[0]) if "more like" in problem else 1
        for problem in error.problems
    )
    assert told - 1 == problems.MAX_PROBLEMS
    if shape == "map" and "fail_fast" not in inspect.signature(core_schema.dict_schema).parameters:
        # The oldest pydantic goes through a whole map; the time stays in proportion to the body there too.
        return
    assert looked < 3 * problems.MAX_PROBLEMS
    assert str(error).endswith("; and more")
    # The text itself, and what the parser makes of it; every mistake alone would be tens of megabytes.
    assert peak < 12 * len(body) + 1_000_000


def test_thousands_of_tickers_of_the_wrong_type_are_refused_after_the_first_few() -> None:
    body = json.dumps([{**TICKER, **dict.fromkeys((k for k in TICKER if k != "symbol"), None)}] * 3500).encode()
    variant = next(
        n
        for n, variant in enumerate(CATALOGUE["spot"].operations["ticker_24hr"].variants)
        if "full_list" in variant.fixtures
    )
    error = refused("spot.ticker_24hr", body, variant)
    assert error.problems[-1] == "and more"
    assert any(problem.startswith("[0].priceChange: should be a string, got null (and ") for problem in error.problems)


def test_exactly_a_hundred_are_told_without_more() -> None:
    rows = json.loads(fixture("spot", "trades"))
    body = json.dumps([{**rows[0], "price": None}] * problems.MAX_PROBLEMS).encode()
    assert refused("spot.trades", body).problems == (
        f"[0].price: should be a string, got null (and {problems.MAX_PROBLEMS - 1} more like it)",
    )


def test_a_huge_value_is_shown_in_short() -> None:
    rows = json.loads(fixture("spot", "trades"))
    for wrong in ("x" * 1_000_000, list(range(100_000)), {"a": ["y" * 1_000_000]}, "x" * 78):
        (problem,) = refused("spot.trades", json.dumps([{**rows[0], "price": wrong}]).encode()).problems
        assert problem.startswith("[0].price: should be a ")
        assert len(problem) < 200


# ------------------------------------------------------------------------------- parts of a JSON text


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("[]", []),
        (" [ ] ", []),
        ("[1]", ["1"]),
        ('[1.50, "a,]", {"b": [2]} ,\n[3,4]\t]', ["1.50", '"a,]"', '{"b": [2]}', "[3,4]"]),
        (f"[{'9' * 5000},0.{'1' * 40}]", ["9" * 5000, f"0.{'1' * 40}"]),
    ],
)
def test_items_stand_as_they_are_written(text: str, items: list[str]) -> None:
    assert list(array_items(text)) == items


def test_members_stand_as_they_are_written() -> None:
    text = ' { "a" : 1.00 ,"b\\u0022":[ {} ], "":{"c":null}}'
    assert list(object_members(text)) == [("a", "1.00"), ('b"', "[ {} ]"), ("", '{"c":null}')]
    assert list(object_members("{}")) == list(object_members("{ }")) == []


BEHIND = ["[1] x", "[1]]", "[],", "[][]", '{"a":1}}', "{} 1", '{"a":1}{}']


@pytest.mark.parametrize(
    "text", ["", "1", "[1", "[1,", "[1 2]", "{", '{"a"}', '{"a":1', "{1:2}", '{"a":1 "b":2}', *BEHIND]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        list(object_members(text) if text.startswith("{") else array_items(text))
