"""Large answers are decoded without looking for garbage; afterwards the collector is as it was."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from binance_sdk._runtime.answers import decode
from binance_sdk.catalogue import CATALOGUE, fixture

VARIANT = CATALOGUE.spot.operations["trades"].variants[0]
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
    monkeypatch.setattr(decode, "_COLLECTS_WITHIN", within)
    (gc.enable if enabled else gc.disable)()
    try:
        decode.validated(VARIANT, body)
    except ValidationError:
        assert body == TRADES[:-1]
    assert gc.isenabled() == enabled


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="never collects within one call of C")
@pytest.mark.parametrize("within", [True, False])
def test_nothing_is_collected_within_a_large_answer(monkeypatch: pytest.MonkeyPatch, within: bool) -> None:
    monkeypatch.setattr(decode, "_COLLECTS_WITHIN", within)
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
