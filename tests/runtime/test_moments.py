"""When to go on: deadlines that are told as such, ends that errors carry, and what ``limits`` shows."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from binance_sdk import RequestOptions, errors
from binance_sdk.events import Retrying

from .server import RawServer
from .support import NOW_MS, Mode, Recorder, StillClock, outcome

both = pytest.mark.parametrize("mode", ["sync", "async"])


@both
def test_a_deadline_that_comes_before_the_timeout_is_what_the_error_speaks_of(mode: Mode) -> None:
    with RawServer(None) as server:
        error = outcome(
            mode,
            lambda client: client.spot.ping(options=RequestOptions(deadline=0.3, max_retries=0)),
            spot_base_url=server.url,
        )
    assert isinstance(error, errors.APITimeoutError)
    assert "its deadline of 0.3 s has passed" in str(error)
    assert "timeout=" not in str(error)


@both
def test_a_timeout_that_comes_before_the_deadline_is_still_a_timeout(mode: Mode) -> None:
    with RawServer(None) as server:
        error = outcome(
            mode,
            lambda client: client.spot.ping(options=RequestOptions(deadline=60, timeout=0.05, max_retries=0)),
            spot_base_url=server.url,
        )
    assert isinstance(error, errors.APITimeoutError)
    assert "deadline" not in str(error)


def test_a_retry_for_which_the_deadline_leaves_no_time_is_told(recorder: Recorder) -> None:
    recorder.answer = lambda request: httpx.Response(503, headers={"retry-after": "9"})
    with recorder.sync() as client, pytest.raises(errors.ServerError) as caught:
        client.spot.ping(options=RequestOptions(deadline=4))
    assert "not tried again: its deadline of 4 s comes first" in str(caught.value)
    assert len(recorder.requests) == 1


def first_down_then(recorder: Recorder, then: Callable[[httpx.Request], httpx.Response]) -> None:
    """The first request is answered with 503 and a reason, every other one by ``then``."""

    def answer(request: httpx.Request) -> httpx.Response:
        first = len(recorder.requests) == 1
        return httpx.Response(503, content=b"maintenance until noon") if first else then(request)

    recorder.answer = answer


def test_a_deadline_that_ends_a_later_attempt_does_not_hide_what_the_server_said(
    recorder: Recorder, clock: StillClock
) -> None:
    def silence(request: httpx.Request) -> httpx.Response:
        clock.now += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("silence")

    first_down_then(recorder, silence)
    with recorder.sync() as client, pytest.raises(errors.APITimeoutError) as caught:
        client.spot.ping(options=RequestOptions(deadline=4))
    assert "its deadline of 4 s has passed" in str(caught.value)
    assert "; the attempt before: HTTP 503; body: 'maintenance until noon'" in str(caught.value)
    assert "not tried again" not in str(caught.value)
    assert isinstance(caught.value.__cause__, errors.ServerError)


def test_a_deadline_that_ends_before_a_later_attempt_is_sent_does_not_either(
    recorder: Recorder, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overslept(seconds: float) -> None:
        clock.now += 5

    monkeypatch.setattr(clock, "sleep", overslept)
    recorder.answer = lambda request: httpx.Response(503, content=b"maintenance until noon")
    with recorder.sync(budget=False) as client, pytest.raises(errors.APITimeoutError) as caught:
        client.spot.ping(options=RequestOptions(deadline=4))
    assert "its deadline of 4 s passed before it was sent; the attempt before: HTTP 503;" in str(caught.value)
    assert isinstance(caught.value.__cause__, errors.ServerError)


def test_nor_does_a_gate_that_stays_closed(recorder: Recorder) -> None:
    recorder.answer = lambda request: httpx.Response(429, headers={"retry-after": "9"}, content=b"calm down")
    with recorder.sync() as client, pytest.raises(errors.BudgetError) as caught:
        client.spot.ping(options=RequestOptions(deadline=4))
    assert "its deadline passes first; the attempt before: HTTP 429; body: 'calm down'" in str(caught.value)
    assert isinstance(caught.value.__cause__, errors.RateLimitError)


def test_nor_does_a_ban_that_another_call_ran_into(
    recorder: Recorder, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.answer = lambda request: httpx.Response(503, content=b"maintenance until noon")
    with recorder.sync() as client:

        async def banned_meanwhile(seconds: float) -> None:
            pool = client._core.engine.attempts.markets["spot"].pool
            pool.gate.ban(clock.now, clock.now + 300, clock.now)

        monkeypatch.setattr(clock, "sleep", banned_meanwhile)
        with pytest.raises(errors.IPBannedError) as caught:
            client.spot.ping()
    assert "banned for another 300 s; the attempt before: HTTP 503;" in str(caught.value)
    assert isinstance(caught.value.__cause__, errors.ServerError)


def test_nor_does_a_breaker_that_opened_meanwhile(recorder: Recorder) -> None:
    recorder.answer = lambda request: httpx.Response(503, content=b"maintenance until noon")
    with recorder.sync(spot_base_url="http://one.invalid", budget=False) as client:
        # Twenty failures open it: the second attempt of the seventh call is the last.
        for _ in range(7):
            with pytest.raises(errors.BinanceError) as caught:
                client.spot.ping(options=RequestOptions(max_retries=2))
    opened = caught.value
    assert isinstance(opened, errors.CircuitOpenError)
    assert "; the attempt before: HTTP 503; body: 'maintenance until noon'" in str(opened)
    assert isinstance(opened.__cause__, errors.ServerError)


def test_a_retry_that_is_left_out_as_too_many_calls_fail_is_told(recorder: Recorder) -> None:
    recorder.answer = lambda request: httpx.Response(503)
    with recorder.sync() as client:
        client._core.engine.attempts.markets["spot"].pool.quota.tokens = 0.5
        with pytest.raises(errors.ServerError, match="not tried again: too many calls have failed of late"):
            client.spot.ping()
    assert len(recorder.requests) == 1


def test_what_the_server_answers_last_stands_alone(recorder: Recorder) -> None:
    first_down_then(recorder, lambda request: httpx.Response(400, json={"code": -1121, "msg": "Invalid symbol."}))
    with recorder.sync() as client, pytest.raises(errors.BadRequestError) as caught:
        client.spot.depth("BTCUSDT")
    assert "attempt before" not in str(caught.value)


def test_the_same_failure_is_told_once(recorder: Recorder) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    first_down_then(recorder, refuse)
    with (
        recorder.sync(spot_base_url="http://one.invalid") as client,
        pytest.raises(errors.APIConnectionError) as caught,
    ):
        client.spot.ping()
    assert len(recorder.requests) == 4
    assert "attempt before" not in str(caught.value)


@pytest.mark.parametrize(("told", "asked"), [("20", 4), ("60", 4), ("86400", 1), ("9" * 400, 1)])
def test_nobody_sleeps_for_a_day_because_a_server_said_so(
    told: str, asked: int, recorder: Recorder, clock: StillClock
) -> None:
    recorder.answer = lambda request: httpx.Response(503, headers={"retry-after": told})
    with recorder.sync() as client, pytest.raises(errors.ServerError) as caught:
        client.spot.ping()
    assert len(recorder.requests) == asked
    assert sum(clock.slept) <= 3 * 60
    assert caught.value.retry_after == min(float(told), 259_200)
    after = (caught.value.retry_at or 0) - NOW_MS
    assert after == pytest.approx(1000 * (sum(clock.slept) + min(float(told), 259_200)), abs=1)


def test_every_error_that_ends_by_itself_tells_when(recorder: Recorder) -> None:
    def error_of(call: Any) -> Any:
        with pytest.raises(errors.BinanceError) as caught:
            call()
        return pickle.loads(pickle.dumps(caught.value))

    once = RequestOptions(max_retries=0)
    with recorder.sync() as client:
        recorder.answer = lambda request: httpx.Response(429, headers={"retry-after": "7"})
        first = error_of(lambda: client.spot.ping(options=once))
        second = error_of(lambda: client.spot.ping(options=RequestOptions(wait=False)))
        assert [type(first), type(second)] == [errors.RateLimitError, errors.BudgetError]
        assert [first.retry_after, second.retry_after] == pytest.approx([7, 7])
        assert [first.retry_at, second.retry_at] == pytest.approx([NOW_MS + 7000] * 2, abs=1)
        recorder.answer = lambda request: httpx.Response(418, headers={"retry-after": "300"})
        first = error_of(lambda: client.futures.ping(options=once))
        second = error_of(lambda: client.futures.ping(options=once))
        assert [type(first), type(second)] == [errors.IPBannedError] * 2
        assert [first.retry_after, second.retry_after] == pytest.approx([300, 300])
        assert first.retry_at == second.retry_at == first.banned_until == second.banned_until
    with recorder.sync(spot_base_url="http://one.invalid", budget=False) as client:
        recorder.answer = lambda request: httpx.Response(500)
        kinds = [error_of(lambda: client.spot.ping(options=once)) for _ in range(25)]
        opened = kinds[-1]
        assert type(opened) is errors.CircuitOpenError
        assert opened.retry_after == pytest.approx(5)
        assert opened.retry_at == pytest.approx(NOW_MS + 5000, abs=1)


def test_limits_show_what_they_hold(recorder: Recorder) -> None:
    with recorder.sync() as client:
        client.spot.ping()
        shown = repr(client.limits)
        assert shown.startswith("LimitsView(spot=MarketLimitsView(used=1, limit=6000, resets_in=")
        assert "'raw_requests': '1 of 300000 in 300 s'" in shown
        assert "futures=MarketLimitsView(used=0, limit=2400" in shown
        assert "'funding_rate': '0 of 500 in 300 s'" in shown
        assert "closed" not in shown
        assert repr(client.limits.spot.weight).startswith("Usage(used=1, limit=6000, seconds=60, resets_in=")
        recorder.answer = lambda request: httpx.Response(403)
        with pytest.raises(errors.ForbiddenError):
            client.spot.ping()
        assert "closed_for=5.0, closed_because='the firewall refused (403)'" in repr(client.limits.spot)


def test_only_retries_that_are_made_are_told(recorder: Recorder) -> None:
    seen: list[object] = []
    recorder.answer = lambda request: httpx.Response(503, headers={"retry-after": "3600"})
    with recorder.sync(hooks=[seen.append]) as client, pytest.raises(errors.ServerError, match="retry after 3600 s"):
        client.spot.ping()
    assert not [event for event in seen if isinstance(event, Retrying)]
