"""429, 418, 403 and failures of the server, seen by calls of a client on virtual time."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from binance_sdk import RequestOptions, errors
from binance_sdk._runtime.budget.gate import Gate
from binance_sdk.events import BreakerChanged, GateClosed, Retrying, Waited

from .support import Exchange, pool_of, settled
from .virtual import START, now, run


def first(count: int, make: Any) -> Any:
    """Answers the first ``count`` requests with ``make()``."""
    left = [count]

    def special(request: httpx.Request) -> httpx.Response | None:
        if left[0] <= 0:
            return None
        left[0] -= 1
        found: httpx.Response = make()
        return found

    return special


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [("7", 7, 9), ("date", 7, 9), ("0", 1, 3), ("garbage", 50, 63), (None, 50, 63), ("-5", 50, 63)],
)
def test_after_429_everybody_waits_as_long_as_the_server_said(
    retry_after: str | None, least: float, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        def refuse() -> httpx.Response:
            text = formatdate(now() + 8, usegmt=True) if retry_after == "date" else retry_after
            return httpx.Response(429, headers={} if text is None else {"retry-after": text})

        exchange = Exchange(special=first(1, refuse), latency=0.02)
        async with exchange.client(monkeypatch) as client:
            await asyncio.sleep(1)
            calls = [asyncio.ensure_future(client.spot.depth("BTCUSDT")) for _ in range(3)]
            await asyncio.sleep(0.5)
            later = asyncio.ensure_future(client.spot.klines("BTCUSDT", "1h"))
            await asyncio.gather(*calls, later)
            assert settled(client)
        refused_at = START + 1.02
        after = [at - refused_at for at in exchange.times if at > refused_at]
        assert len(after) == 2
        assert least <= min(after) <= most

    run(story())


def test_repeated_429_wait_longer_each_time_and_end_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(special=lambda request: httpx.Response(429, headers={"retry-after": "1"}))
        async with exchange.client(monkeypatch) as client:
            with pytest.raises(errors.RateLimitError) as caught:
                await client.spot.ping()
        gaps = [b - a for a, b in zip(exchange.times, exchange.times[1:], strict=False)]
        assert len(gaps) == 3
        assert gaps[0] >= 1
        assert gaps[1] >= 2
        assert gaps[2] >= 4
        assert caught.value.operation == "spot.ping"

    run(story())


@pytest.mark.parametrize("where", ["header", "message", "nowhere"])
def test_a_ban_fails_every_call_under_its_own_name_and_nothing_is_sent_until_it_ends(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        until = START + 1 + 300

        def ban() -> httpx.Response:
            headers = {"retry-after": "300"} if where == "header" else {}
            text = f"Way too much request weight used; IP banned until {round(until * 1000)}."
            body = {"code": -1003, "msg": text if where == "message" else "Way too much request weight used."}
            return httpx.Response(418, headers=headers, json=body)

        events: list[Any] = []
        exchange = Exchange(special=first(1, ban), latency=0.02)
        async with exchange.client(monkeypatch, max_concurrency=1, hooks=[events.append]) as client:
            await asyncio.sleep(1)
            calls = [
                asyncio.ensure_future(call)
                for call in (
                    client.spot.ping(),
                    client.spot.depth("BTCUSDT"),
                    client.spot.klines("BTCUSDT", "1h"),
                    client.spot.depth("ETHUSDT"),
                )
            ]
            failures = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(error) for error in failures] == [errors.IPBannedError] * 4
            names = [error.operation for error in failures if isinstance(error, errors.BinanceError)]
            assert names == ["spot.ping", "spot.depth", "spot.klines", "spot.depth"]
            assert all(name in str(error) for name, error in zip(names, failures, strict=True))
            assert len(exchange.sent) == 1
            length = 120 if where == "nowhere" else 300
            for _ in range(4):
                with pytest.raises(errors.IPBannedError) as caught:
                    await client.spot.avg_price("BTCUSDT")
                assert caught.value.operation == "spot.avg_price"
                assert (caught.value.banned_until or 0) / 1000 == pytest.approx(START + 1 + length, abs=3)
                await asyncio.sleep(length / 5)
            # The other market is another pool.
            await client.futures.ping()
            assert len(exchange.sent) == 2
            await asyncio.sleep(length / 5 + 3)
            await client.spot.ping()
            assert settled(client)
        closings = [event for event in events if isinstance(event, GateClosed)]
        assert len(closings) == 1
        assert "418" in closings[0].reason

    run(story())


def test_403_closes_for_a_growing_time_and_is_not_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(special=first(4, lambda: httpx.Response(403, content=b"<html>no</html>")))
        async with exchange.client(monkeypatch) as client:
            for _ in range(4):
                with pytest.raises(errors.ForbiddenError):
                    await client.spot.ping()
            assert client.limits.spot.closed_for == pytest.approx(40, abs=1)
            assert "403" in client.limits.spot.closed_because
            await client.spot.ping()
            assert client.limits.spot.closed_for == 0
            gaps = [b - a for a, b in zip(exchange.times, exchange.times[1:], strict=False)]
            assert gaps == pytest.approx([5, 10, 20, 40], abs=0.1)
            # A request that was answered resets the count of refusals.
            exchange.special = first(1, lambda: httpx.Response(403))
            with pytest.raises(errors.ForbiddenError):
                await client.spot.ping()
            assert client.limits.spot.closed_for == pytest.approx(5, abs=1)

    run(story())


def test_refusals_of_requests_that_left_together_count_once() -> None:
    gate = Gate("gate")
    for _ in range(10):
        gate.refuse(10.0, sent=9.0)
        gate.limited(10.0, 12.0, sent=9.0)
    assert gate.closed_until == 15.0
    # Requests that were sent before the gate closed say nothing new.
    gate.passed(sent=9.5)
    gate.refuse(20.0, sent=16.0)
    assert gate.closed_until == 30.0
    gate.passed(sent=31.0)
    gate.refuse(40.0, sent=39.0)
    assert gate.closed_until == 45.0


def test_while_the_gate_is_closed_who_does_not_wait_is_told_until_when(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(special=first(1, lambda: httpx.Response(429, headers={"retry-after": "20"})))
        async with exchange.client(monkeypatch, max_retries=0) as client:
            with pytest.raises(errors.RateLimitError):
                await client.spot.ping()
            with pytest.raises(errors.BudgetError) as caught:
                await client.spot.depth("BTCUSDT", options=RequestOptions(wait=False))
            assert (caught.value.retry_at or 0) / 1000 == pytest.approx(now() + 20, abs=1.1)
            assert caught.value.operation == "spot.depth"
            with pytest.raises(errors.BudgetError, match="deadline"):
                await client.spot.depth("BTCUSDT", options=RequestOptions(deadline=5))
            assert len(exchange.sent) == 1

    run(story())


# ------------------------------------------------------------------------------------- retries


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_failures_of_the_server_are_tried_at_most_three_times_more(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        events: list[Any] = []
        exchange = Exchange(special=lambda request: httpx.Response(status))
        async with exchange.client(monkeypatch, hooks=[events.append]) as client:
            with pytest.raises(errors.ServerError):
                await client.spot.ping()
            assert settled(client)
        assert len(exchange.sent) == 4
        pauses = [event.pause for event in events if isinstance(event, Retrying)]
        assert [0.1 * 2**n <= pause <= 0.2 * 2**n for n, pause in enumerate(pauses)] == [True] * 3

    run(story())


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 409, 418, 451])
def test_other_refusals_are_final(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(special=lambda request: httpx.Response(status, json={"code": -1121, "msg": "no"}))
        async with exchange.client(monkeypatch) as client:
            with pytest.raises(errors.APIError) as caught:
                await client.spot.depth("BTCUSDT")
            assert caught.value.status_code == status
            assert settled(client)
        assert len(exchange.sent) == 1

    run(story())


def test_no_retry_goes_beyond_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(special=lambda request: httpx.Response(500), latency=1.0)
        async with exchange.client(monkeypatch) as client:
            # The second answer would come too late: it is not waited for beyond the deadline.
            with pytest.raises(errors.APITimeoutError):
                await client.spot.ping(options=RequestOptions(deadline=2.0, max_retries=50))
        assert now() - START <= 2.001
        assert 1 <= len(exchange.sent) <= 2

    run(story())


def test_an_outage_is_not_multiplied(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quota ends the retries, and the breaker the requests."""

    async def story() -> None:
        events: list[Any] = []
        exchange = Exchange(special=lambda request: httpx.Response(500))
        async with exchange.client(
            monkeypatch, spot_base_url="http://one.invalid", hooks=[events.append], max_concurrency=4
        ) as client:

            async def call() -> type[BaseException]:
                try:
                    await client.spot.ping()
                except errors.BinanceError as error:
                    return type(error)
                raise AssertionError("no answer was right")

            kinds = {await call() for _ in range(200)}
            assert kinds == {errors.ServerError, errors.CircuitOpenError}
            assert len(exchange.sent) < 40
            states = [event.state for event in events if isinstance(event, BreakerChanged)]
            assert states[0] == "open"
            # It comes back: one probe, then the calls go through.
            exchange.special = None
            await asyncio.sleep(130)
            sent = len(exchange.sent)
            await client.spot.depth("BTCUSDT")
            assert [path for _, path in exchange.sent[sent:]] == ["/api/v3/ping", "/api/v3/depth?symbol=BTCUSDT"]
            assert settled(client)

    run(story())


def test_a_host_that_is_down_is_left_for_the_next_and_asked_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        hosts: list[str] = []
        down = {"api.binance.com"}

        def special(request: httpx.Request) -> httpx.Response | None:
            hosts.append(request.url.host)
            if request.url.host in down:
                raise httpx.ConnectError("no", request=request)
            return None

        exchange = Exchange(special=special)
        async with exchange.client(monkeypatch) as client:
            for _ in range(40):
                await client.spot.depth("BTCUSDT")
            asked = hosts.count("api.binance.com")
            assert asked <= 30
            hosts.clear()
            await client.spot.depth("BTCUSDT")
            assert set(hosts) == {hosts[-1]} != {"api.binance.com"}
            # Due for a probe and still down: the call goes on to the host that works.
            await asyncio.sleep(6)
            hosts.clear()
            await client.spot.depth("BTCUSDT")
            assert hosts[0] == "api.binance.com"
            assert hosts[-1] != "api.binance.com"
            down.clear()
            await asyncio.sleep(130)
            hosts.clear()
            await client.spot.depth("BTCUSDT")
            assert hosts == ["api.binance.com", "api.binance.com"]
            assert settled(client)

    run(story())


# ------------------------------------------------------------------------- waiting, cancelling


@pytest.mark.parametrize("after", [0.0, 0.005, 0.02, 0.5, 30.0])
def test_a_cancelled_call_settles_at_any_point(after: float, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(limit=6000, latency=0.02)
        async with exchange.client(monkeypatch, max_concurrency=2) as client:
            await client.spot.time()
            calls = [asyncio.ensure_future(client.spot.depth("BTCUSDT", limit=5000)) for _ in range(30)]
            await asyncio.sleep(after)
            for call in calls:
                call.cancel()
            done = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(result) for result in done if isinstance(result, BaseException)} <= {asyncio.CancelledError}
            assert settled(client)
            assert client.limits.spot.used >= exchange.counts[max(exchange.counts)]
            await client.spot.ping()
            assert exchange.refused == 0

    run(story())


def test_a_client_closed_while_a_call_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(latency=1.0)
        client = exchange.client(monkeypatch, max_concurrency=1)
        running = asyncio.ensure_future(client.spot.ping())
        waiting = asyncio.ensure_future(client.spot.depth("BTCUSDT"))
        await asyncio.sleep(0.1)
        await client.aclose()
        await running
        with pytest.raises(errors.ConfigError, match="closed"):
            await waiting
        assert settled(client)
        assert len(exchange.sent) == 1

    run(story())


@pytest.mark.parametrize("ahead", [0.0, 0.8, -0.8, 40.0])
def test_mixed_calls_fill_the_limit_and_never_exceed_it(ahead: float, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(limit=600, ahead=ahead, latency=0.04)
        waits: list[Any] = []
        async with exchange.client(monkeypatch, max_concurrency=50, hooks=[waits.append]) as client:
            exchange_limit = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 600}]
            pool = pool_of(client)
            pool.learn_limits([("REQUEST_WEIGHT", "MINUTE", 1, exchange_limit[0]["limit"])], now())  # type: ignore[list-item]
            await client.spot.time()
            ends = now() + 185

            async def work(limit: int) -> None:
                while now() < ends:
                    await client.spot.depth("BTCUSDT", limit=limit)

            await asyncio.gather(*(work([100, 500, 1000][n % 3]) for n in range(20)))
            assert exchange.refused == 0
            counts = [exchange.counts[index] for index in sorted(exchange.counts)]
            assert max(counts) <= 600
            assert all(count >= 0.9 * 600 for count in counts[1:3])
            assert exchange.most_running <= 50
        assert any(isinstance(event, Waited) and event.resource.endswith("weight") for event in waits)

    run(story())
