"""A call that was made before is not checked and priced again, unless something else decides this time."""

from __future__ import annotations

import enum
from typing import Any

import pytest

from binance_sdk import SyncBinanceClient
from binance_sdk._runtime.calls import engine
from binance_sdk._runtime.calls.engine import Engine
from binance_sdk.catalogue import CATALOGUE
from binance_sdk.errors import ParameterError

from .support import NOW_MS, Recorder, StillClock

DEPTH = CATALOGUE["spot"].operations["depth"]
INTEREST = CATALOGUE["futures"].operations["open_interest_hist"]
HOUR = 3_600_000


class Symbol(enum.StrEnum):
    BTC = "BTCUSDT"


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """The arguments that were checked."""
    found: list[dict[str, object]] = []
    check = engine.validate

    def validate(operation: Any, arguments: Any, now_ms: int) -> Any:
        found.append(dict(arguments))
        return check(operation, arguments, now_ms)

    monkeypatch.setattr(engine, "validate", validate)
    return found


def test_the_same_call_is_checked_once(recorder: Recorder, checked: list[dict[str, object]]) -> None:
    with recorder.sync() as client:
        for limit in (5, 500, 5, 500):
            assert client.spot.depth("btcusdt", limit=limit).last_update_id
            assert client.spot.plan.depth("btcusdt", limit=limit).weight == (5 if limit == 5 else 25)
        client.spot.depth("ETHUSDT", limit=5)
    assert [arguments["symbol"] for arguments in checked] == ["btcusdt", "btcusdt", "ETHUSDT"]
    assert recorder.queries[2] == recorder.queries[0] == "symbol=BTCUSDT&limit=5"


def test_what_is_equal_is_not_the_same(recorder: Recorder, checked: list[dict[str, object]]) -> None:
    with recorder.sync() as client:
        client.spot.depth("BTCUSDT", limit=1)
        for equal in (True, 1.0):
            with pytest.raises(ParameterError, match="must be an int"):
                client.spot.depth("BTCUSDT", limit=equal)  # type: ignore[arg-type]
        # What belongs to the caller's own class is looked at each time.
        for _ in range(2):
            client.spot.depth(Symbol.BTC, limit=1)
            client.spot.exchange_info(symbols=["BTCUSDT"])
    assert len(checked) == 1 + 2 + 2 * 2


def test_a_wrong_call_is_refused_each_time(recorder: Recorder) -> None:
    with recorder.sync() as client:
        for _ in range(2):
            with pytest.raises(ParameterError, match="below 1"):
                client.spot.depth("BTCUSDT", limit=0)
    assert recorder.requests == []


def made() -> tuple[Engine, StillClock]:
    client = SyncBinanceClient()
    clock = StillClock()
    object.__setattr__(client._core.engine.attempts, "clock", clock)
    client.close()
    return client._core.engine, clock


def test_the_name_of_an_argument_counts() -> None:
    own, _ = made()
    first = own.prepare(DEPTH, {"symbol": "BTCUSDT", "limit": None, "symbolStatus": "HALT"})
    assert own.prepare(DEPTH, {"symbol": "BTCUSDT", "symbolStatus": None, "limit": 5}).target.endswith("limit=5")
    assert own.prepare(DEPTH, {"symbol": "BTCUSDT", "limit": None, "symbolStatus": "HALT"}) is first
    assert own.prepare(DEPTH, {"symbol": "BTCUSDT", "limit": None, "symbolStatus": "HALT"}, late=True).late


def test_what_lies_too_far_back_does_so_one_day() -> None:
    own, clock = made()
    asked = {"symbol": "BTCUSDT", "period": "5m", "startTime": NOW_MS - 30 * 24 * HOUR}
    pool = own.attempts.markets["futures"].pool
    pool.time.observe(clock.now, 0.001, clock.now, clock.now)
    own.prepare(INTEREST, asked)
    clock.now += 2 * 24 * 3600
    with pytest.raises(ParameterError):
        own.prepare(INTEREST, asked)


def test_only_so_many_are_kept() -> None:
    own, _ = made()
    for number in range(engine._MOST_PREPARED + 5):
        own.prepare(DEPTH, {"symbol": f"A{number}USDT", "limit": None, "symbolStatus": None})
        assert len(own._prepared) <= engine._MOST_PREPARED
