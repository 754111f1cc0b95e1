"""Large answers are decoded without looking for garbage; afterwards the collector is as it was."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
from pydantic import ValidationError

from binance_sdk._runtime.answers import decode
from binance_sdk.catalogue import CATALOGUE, fixture

VARIANT = CATALOGUE["spot"].operations["trades"].variants[0]
TRADES = json.dumps(json.loads(fixture("spot", "trades")) * 2000).encode()


@pytest.fixture(autouse=True)
def _collector_on_afterwards() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("body", [TRADES, TRADES[:-1], b"[]"], ids=["whole", "torn", "small"])
def test_the_collector_is_left_as_it_was(
    monkeypatch: pytest.MonkeyPatch, body: bytes, enabled: bool, within: bool
) -> None:
    monkeypatch.setattr(decode, "_COLLECTS_WHILE_DECODING", within)
    (gc.enable if enabled else gc.disable)()
    try:
        decode.validated(VARIANT, body)
    except ValidationError:
        assert body == TRADES[:-1]
    assert gc.isenabled() == enabled


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="never collects within one call of C")
@pytest.mark.parametrize("within", [True, False])
def test_nothing_is_collected_within_a_large_answer(monkeypatch: pytest.MonkeyPatch, within: bool) -> None:
    monkeypatch.setattr(decode, "_COLLECTS_WHILE_DECODING", within)
    runs: list[str] = []

    def noted(phase: str, info: dict[str, int]) -> None:
        runs.append(phase)

    decode.validated(VARIANT, TRADES)
    gc.collect()
    gc.callbacks.append(noted)
    try:
        decode.validated(VARIANT, TRADES)
        # Without the guard there are several; one may begin with the first allocation after it.
        assert (len(runs) <= 2) == within
    finally:
        gc.callbacks.remove(noted)


@pytest.mark.parametrize(
    ("market", "operation", "suffix"),
    [
        ("spot", "exchange_info", ""),
        ("spot", "trades", ""),
        ("spot", "ticker_24hr", "full_list"),
        ("spot", "execution_rules", ""),
        ("spot", "reference_price_calculation", "external"),
        ("futures", "exchange_info", ""),
        ("futures", "premium_index", "list"),
        ("futures", "basis", ""),
    ],
)
def test_no_function_of_python_runs_for_a_value(market: Any, operation: str, suffix: str) -> None:
    """Each would be a call for each filter or row, and since Python 3.12 let the collector in."""
    found = CATALOGUE[market].operations[operation]
    variant = next(candidate for candidate in found.variants if suffix in candidate.fixtures)
    body = fixture(market, operation, suffix)
    decode.validated(variant, body)
    called: list[str] = []

    def noted(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            called.append(frame.f_code.co_qualname)

    sys.setprofile(noted)
    try:
        variant.reader.quick.validate_json(body, by_alias=True, by_name=False)
    finally:
        sys.setprofile(None)
    assert called == []


def test_values_that_come_again_are_the_same_and_stay_exact() -> None:
    info = json.loads(fixture("spot", "exchange_info"))
    info["symbols"] *= 2
    variant = CATALOGUE["spot"].operations["exchange_info"].variants[0]
    data: Any = variant.reader.quick.validate_json(json.dumps(info), by_alias=True, by_name=False)
    written = json.loads(variant.adapter.dump_json(data, by_alias=True, exclude_unset=True))
    assert written == info
