"""The pure parts of the fetcher: joining tails, and choosing what fits into a budget."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binance_sdk import BinanceClient, Caps
from binance_sdk.futures import Kline
from virtuoso_binance.polling.scheduling import REQUESTS, Allowance, Job, Quota, choose, cost_of, planned_quotas
from virtuoso_binance.series import joined, missing_candles, open_time, rows_to_fetch

STEP = 60_000
NOW = 1_800_000_000_000


def kline(number: int, close: str = "1") -> Kline:
    start = NOW + number * STEP
    return Kline.from_wire([start, "1", "2", "1", close, "5", start + STEP - 1, "6", 3, "1", "1", "0"])


def klines(*numbers: int, close: str = "1") -> list[Kline]:
    return [kline(number, close) for number in numbers]


# ------------------------------------------------------------------------------------- tails


def test_a_tail_replaces_what_was_running_and_goes_on() -> None:
    kept, tail = klines(0, 1, 2), [kline(2, "1.5"), kline(3)]
    assert joined(kept, tail, 10, open_time) == [kline(0), kline(1), kline(2, "1.5"), kline(3)]
    assert joined(kept, tail, 2, open_time) == [kline(2, "1.5"), kline(3)]


def test_a_tail_that_leaves_a_hole_is_refused() -> None:
    assert joined(klines(0, 1), klines(3, 4), 10, open_time) is None
    # Whether something lies between is not known from adjoining times alone: the kept candle may have been running.
    assert joined(klines(0, 1), klines(2, 3), 10, open_time) is None
    # Unless the tail is a whole series of its own.
    assert joined(klines(0, 1), klines(3, 4), 2, open_time) == klines(3, 4)


def test_an_answer_older_than_what_is_known_changes_nothing() -> None:
    kept = klines(0, 1, 2)
    assert joined(kept, klines(0, 1, close="1.9"), 10, open_time) == kept


def test_nothing_kept_or_nothing_new() -> None:
    assert joined([], klines(1, 2, 3), 2, open_time) == klines(2, 3)
    assert joined(klines(1, 2), [], 5, open_time) == klines(1, 2)


@pytest.mark.parametrize(
    ("newest", "now", "length"),
    [(None, 0, 100), (0, 30_000, 2), (0, 60_000, 3), (0, 185_000, 5), (0, 10**9, 100), (60_000, 0, 2)],
)
def test_a_tail_reaches_back_to_the_newest_kept_row(newest: int | None, now: int, length: int) -> None:
    assert rows_to_fetch(newest, STEP, now, 100) == length


@given(st.integers(2, 40), st.lists(st.integers(0, 50), min_size=1, max_size=20))
def test_polling_gives_what_one_question_would(count: int, waits: list[int]) -> None:
    """However irregular the polls: the kept series is the newest ``count`` candles, with the newest values."""
    kept: list[Kline] = []
    now = 10
    for wait in waits:
        now += wait

        def truth(length: int, at: int = now) -> list[Kline]:
            # The close of a candle tells when it was last seen running.
            return [kline(n, f"1.{100 + min(at, n):04d}") for n in range(at - length + 1, at + 1)]

        length = rows_to_fetch(kept[-1][0] if kept else None, STEP, NOW + now * STEP, count)
        kept = joined(kept, truth(length), count, open_time) or []
        assert kept == truth(count)


def test_holes_are_named_by_their_first_and_last_candle() -> None:
    assert missing_candles(klines(0, 1, 4, 5, 7), STEP) == [
        (NOW + 2 * STEP, NOW + 3 * STEP),
        (NOW + 6 * STEP, NOW + 6 * STEP),
    ]
    assert missing_candles(klines(0, 1, 2), STEP) == missing_candles([], STEP) == []


# ------------------------------------------------------------------------------------- budget


def job(what: str, rank: int = 0, late: float = 0, **cost: int) -> Job[str]:
    return Job(what, cost or {REQUESTS: 1}, rank, late)


def names(jobs: list[Job[str]]) -> list[str]:
    return [job.task for job in jobs]


def test_ranks_go_first_then_the_latest() -> None:
    allowance = Allowance({REQUESTS: Quota(3)})
    chosen, waiting = choose([job("c", 1, 9), job("d", 1, 5), job("a", 0, 1), job("b", 0, 0)], allowance, NOW)
    assert (names(chosen), names(waiting)) == (["a", "b", "c"], ["d"])


def test_what_does_not_fit_lets_smaller_things_pass() -> None:
    allowance = Allowance({"weight": Quota(10)})
    chosen, waiting = choose([job("large", late=2, weight=11), job("small", weight=10)], allowance, NOW)
    assert (names(chosen), names(waiting)) == (["small"], ["large"])


def test_each_window_has_its_own_length_and_begins_anew() -> None:
    allowance = Allowance({"weight": Quota(10), "group": Quota(2, 300)})
    one = job("one", weight=5, group=1)
    start = NOW // 300_000 * 300_000
    assert len(choose([one] * 3, allowance, start)[0]) == 2
    assert not choose([one], allowance, start + 60_000)[0]
    assert len(choose([job("w", weight=5)] * 3, allowance, start + 60_000)[0]) == 2
    assert len(choose([one] * 3, allowance, start + 300_000)[0]) == 2


@given(
    st.lists(st.tuples(st.integers(1, 20), st.integers(0, 3), st.integers(0, 2)), max_size=60),
    st.integers(1, 100),
    st.integers(1, 10),
)
def test_no_resource_is_overspent_and_nothing_is_lost(rows: list[Any], weight: int, group: int) -> None:
    allowance = Allowance({"weight": Quota(weight), "group": Quota(group, 300)})
    jobs = [job(str(number), rank, weight=w, group=g) for number, (w, g, rank) in enumerate(rows)]
    chosen, waiting = choose(jobs, allowance, NOW)
    assert sum(planned.cost["weight"] for planned in chosen) <= weight
    assert sum(planned.cost["group"] for planned in chosen) <= group
    assert sorted(names(chosen) + names(waiting)) == sorted(names(jobs))


@given(st.integers(1, 40), st.integers(1, 10))
def test_every_job_has_its_turn(count: int, room: int) -> None:
    last = dict.fromkeys(map(str, range(count)), -1)
    allowance = Allowance({REQUESTS: Quota(room)})
    rounds = -(-count // room)
    for minute in range(3 * rounds):
        chosen, _ = choose([job(name, late=minute - at) for name, at in last.items()], allowance, NOW + minute * 60_000)
        last.update(dict.fromkeys(names(chosen), minute))
    assert min(last.values()) >= 2 * rounds


def test_caps_lower_the_limits_and_the_share_is_taken_of_what_is_lower() -> None:
    limits = {
        "spot.weight": Quota(6000),
        "futures.weight": Quota(2400),
        "futures.futures_data": Quota(1000, 300),
    }
    caps = Caps(
        spot_weight_per_minute=600, futures_weight_per_minute=9999, requests_per_minute=1200, requests_per_second=10
    )
    found = planned_quotas(limits, caps, 0.5)
    assert found == {
        "spot.weight": Quota(300),
        "futures.weight": Quota(1200),
        "futures.futures_data": Quota(500, 300),
        REQUESTS: Quota(300),
    }
    assert REQUESTS not in planned_quotas(limits, Caps(), 0.5)


def test_plans_are_named_as_resources_are() -> None:
    futures = BinanceClient().futures.plan
    assert cost_of(futures.klines("BTCUSDT", "1m", limit=99)) == {REQUESTS: 1, "futures.weight": 1}
    assert cost_of(futures.open_interest_hist("BTCUSDT", "5m"))["futures.futures_data"] == 1
