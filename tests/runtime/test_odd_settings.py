"""Headers, options and clients that cannot work: still an error of our tree, or no harm at all."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import httpx
import pytest

from binance_sdk import RequestOptions, errors

from .server import RawServer, http
from .support import Mode, in_flight, outcome

both = pytest.mark.parametrize("mode", ["sync", "async"])


def klines(client: Any) -> Any:
    return client.spot.klines("BTCUSDT", "1h", options=RequestOptions(max_retries=0))


@both
@pytest.mark.parametrize("value", ["", "abc", "-5", "1.5", "\u00b2", "9" * 5000, "1, 2"])
def test_used_weight_that_is_no_number_harms_nothing(mode: Mode, value: str) -> None:
    with RawServer(http("200 OK", b"[]", {"X-MBX-USED-WEIGHT-1M": value})) as server:
        used: list[int] = []
        left: list[int] = []

        def look(client: Any) -> None:
            used.append(client.limits.spot.used)
            left.append(in_flight(client))

        found = outcome(mode, lambda c: c.spot.with_raw_response.klines("A", "1h"), look, spot_base_url=server.url)
    assert not isinstance(found, Exception), repr(found)
    assert found.used_weight is None
    assert used == [2]
    assert left == [0]


@both
@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X y": "a"}, {"X": "é"}, {"X": 1}, {1: "x"}])
def test_headers_that_cannot_be_sent(mode: Mode, headers: dict[Any, Any]) -> None:
    with RawServer(http("200 OK", b"[]")) as server:
        error = outcome(
            mode,
            lambda c: c.spot.klines("A", "1h", options=RequestOptions(headers=headers, max_retries=0)),
            spot_base_url=server.url,
        )
    assert isinstance(error, (errors.ConfigError, errors.ParameterError)), repr(error)
    assert "header" in str(error).lower()
    assert server.requests == []


@both
@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), True, "5"])
def test_timeout_of_one_call_that_is_none(mode: Mode, timeout: Any) -> None:
    with RawServer(http("200 OK", b"[]")) as server:
        error = outcome(
            mode,
            lambda c: c.spot.klines("A", "1h", options=RequestOptions(timeout=timeout)),
            spot_base_url=server.url,
        )
    assert isinstance(error, (errors.ConfigError, errors.ParameterError)), repr(error)
    assert server.requests == []


@both
def test_users_http_client_that_is_closed(mode: Mode) -> None:
    given_client: Any = httpx.Client() if mode == "sync" else httpx.AsyncClient()
    if mode == "sync":
        given_client.close()
    else:
        asyncio.run(given_client.aclose())
    error = outcome(mode, klines, spot_base_url="http://127.0.0.1:1", http_client=given_client)
    assert isinstance(error, errors.ConfigError), repr(error)
    assert "http_client" in str(error)


def test_a_refused_argument_that_cannot_be_pickled_leaves_a_picklable_error() -> None:
    error = outcome("sync", lambda c: c.spot.ticker_price(symbols=(s for s in ("A", "A"))))
    assert type(error) is errors.ParameterError
    again = pickle.loads(pickle.dumps(error))
    assert again.args == error.args
    assert (again.operation, again.parameter) == ("spot.ticker_price", "symbols")
