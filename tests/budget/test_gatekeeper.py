"""One gate for requests and for handshakes; a 403 may also mean that the location is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from binance_sdk import errors
from binance_sdk._runtime.budget.server_time import ServerTime
from binance_sdk._runtime.calls.gatekeeper import Gatekeeper
from binance_sdk.catalogue import CATALOGUE, MARKETS
from binance_sdk.events import GateClosed

from .scene import make_pool
from .support import Exchange
from .virtual import START, now, run

COUNTRY = (
    b"<HTML><HEAD><TITLE>ERROR: not possible</TITLE></HEAD><BODY><H1>403 ERROR</H1>\n"
    b"The distribution is configured to  block\naccess from your Country. Sorry.</BODY></HTML>"
)


def keeper(told: list[Any]) -> Gatekeeper:
    return Gatekeeper(make_pool(), CATALOGUE, "mainnet", told.append)


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "closed"),
    [
        (429, {"Retry-After": "120"}, b"", errors.RateLimitError, 120.0),
        (429, {}, b"", errors.RateLimitError, 60.12),
        (418, {"retry-after": "300"}, b"", errors.IPBannedError, 300.0),
        (418, {}, b'{"code":-1003,"msg":"IP banned until 1790000400000."}', errors.IPBannedError, 300.0),
        (403, {}, b"<html>no</html>", errors.ForbiddenError, 5.0),
        (403, {"Retry-After": "30"}, b"<html>no</html>", errors.ForbiddenError, 30.0),
        (403, {"Retry-After": "0"}, b"<html>no</html>", errors.ForbiddenError, 5.0),
        (403, {"Retry-After": "86400"}, b"<html>no</html>", errors.ForbiddenError, 300.0),
        (403, {}, COUNTRY, errors.RestrictedLocationError, 0.0),
        (451, {}, b'{"code":0,"msg":"Service unavailable from a restricted location"}', None, 0.0),
        (503, {"retry-after": "20"}, b"", errors.ServerError, 0.0),
        (404, {}, b"", errors.NotFoundError, 0.0),
    ],
)
def test_a_refused_handshake_closes_the_gate_as_a_request_would(
    status: int, headers: dict[str, str], body: bytes, kind: type[errors.APIError] | None, closed: float
) -> None:
    told: list[Any] = []
    gates = keeper(told)
    error = gates.refused("streams of spot", status, headers, body, sent=START - 0.1, now=START)
    assert isinstance(error, kind or errors.RestrictedLocationError)
    assert (error.operation, error.status_code) == ("streams of spot", status)
    assert gates.closed_for(START) == pytest.approx(closed, abs=0.01)
    assert gates.closed_until() - START == pytest.approx(closed, abs=0.01) or not closed
    assert bool(gates.reason(START)) == bool(closed)
    assert [type(event) for event in told] == ([GateClosed] if closed else [])
    if closed:
        assert error.retry_after == pytest.approx(closed, abs=0.01)
        assert error.retry_at == pytest.approx((START + closed) * 1000, abs=10)
        assert gates.closed_for(START + closed) == pytest.approx(0, abs=0.01)
    if status == 403:
        # What the answer said of its end may be nothing that is held to.
        assert "retry after" not in str(error)
    if status == 418:
        with pytest.raises(errors.IPBannedError) as caught:
            gates.check("streams of spot", START + 1)
        assert caught.value.banned_until == pytest.approx((START + 300) * 1000, abs=10)
        gates.check("streams of spot", START + 301)
    else:
        gates.check("streams of spot", START + 1)
    if isinstance(error, errors.RestrictedLocationError):
        assert "location" in str(error)
        assert "data_only" in str(error)


def test_the_end_of_a_ban_by_the_servers_clock_is_as_late_as_that_clock_may_be() -> None:
    """Who asks a moment too early is banned for longer."""
    pool = make_pool()
    pool.time = ServerTime(START, START)
    gates = Gatekeeper(pool, CATALOGUE, "mainnet", [].append)
    body = b'{"code":-1003,"msg":"IP banned until %d."}' % ((START + 300) * 1000)
    gates.refused("streams of spot", 418, {}, body, sent=START - 0.1, now=START)
    assert pool.time.uncertainty(START) == 1.0
    assert gates.closed_for(START) == pytest.approx(301.0, abs=0.01)


def test_an_answer_that_refuses_nothing_is_no_error() -> None:
    told: list[Any] = []
    gates = keeper(told)
    assert gates.refused("streams of spot", 200, {}, b"{}", sent=START, now=START) is None
    assert gates.closed_for(START) == 0.0
    assert told == []


def test_a_client_hands_its_gates_to_its_streams_and_a_refused_handshake_stops_its_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        told: list[Any] = []
        exchange = Exchange(latency=0.02)
        async with exchange.client(monkeypatch, hooks=[told.append]) as client:
            gates = client._core.stream_context().gates
            assert set(gates) == set(MARKETS)
            gates["spot"].refused("streams of spot", 429, {"retry-after": "7"}, b"", sent=now(), now=now())
            await client.spot.ping()
            assert now() - START == pytest.approx(7, abs=0.1)
            await client.futures.ping()
            gates["futures"].refused("streams of futures", 418, {"retry-after": "300"}, b"", sent=now(), now=now())
            with pytest.raises(errors.IPBannedError):
                await client.futures.ping()
        assert [event.pool for event in told if isinstance(event, GateClosed)] == ["mainnet/spot", "mainnet/futures"]

    run(story())


def test_a_country_that_is_refused_with_403_is_told_where_else_and_closes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        exchange = Exchange(special=lambda request: httpx.Response(403, content=COUNTRY))
        async with exchange.client(monkeypatch) as client:
            for _ in range(5):
                with pytest.raises(errors.RestrictedLocationError) as caught:
                    await client.spot.ping()
            assert client.limits.spot.closed_for == 0
        assert now() == START
        assert len(exchange.sent) == 5
        assert caught.value.status_code == 403
        assert "data_only" in str(caught.value)
        assert "unusual characters" not in str(caught.value)
        # An ordinary page of the firewall is none of that.
        exchange.special = lambda request: httpx.Response(403, content=b"<html>Request blocked.</html>")
        async with exchange.client(monkeypatch) as client:
            with pytest.raises(errors.ForbiddenError):
                await client.spot.ping()
            assert client.limits.spot.closed_for == 5

    run(story())


@pytest.mark.parametrize("retry_after", ["0", "Wed, 21 Oct 2015 07:28:00 GMT", "1"])
def test_a_ban_whose_end_is_past_lets_no_flood_through(retry_after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(
            special=lambda request: httpx.Response(418, headers={"retry-after": retry_after}), latency=0.01
        )
        async with exchange.client(monkeypatch) as client:

            async def stubborn() -> None:
                while now() < START + 600:
                    with pytest.raises(errors.IPBannedError) as caught:
                        await client.spot.ping()
                    assert caught.value.retry_after is not None
                    await asyncio.sleep(0.25)

            await asyncio.gather(*(stubborn() for _ in range(5)))
        # One an attempt for each of those that went together, and longer pauses in between each time.
        moments = {round(at) for at in exchange.times}
        assert len(moments) <= 12
        assert len(exchange.sent) <= 5 * 12

    run(story())
