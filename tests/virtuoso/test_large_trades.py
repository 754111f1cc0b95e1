"""Large transactions: thresholds, what is seen twice, what is missed, and the monitor on the simulator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import FrozenInstanceError
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binance_sdk import BinanceClient, futures, spot
from binance_sdk.errors import ParameterError, ServerError
from binance_sdk.simulator import ManualClock, Simulator
from virtuoso_binance.large_trades import (
    LargeTrade,
    LargeTradeMonitor,
    LargeTradeWatch,
    MissedTrades,
    Thresholds,
    large_trade_row,
    percentile,
)
from virtuoso_binance.symbols import Listed, Listing

from .soak_support import Line

D = Decimal
NOW = 1_800_000_123_456
BY_VALUE = Thresholds(quote=D(1000), percentile=None)


def trade(agg_id: int, price: str, qty: str, *, sold: bool = False, void: bool = False) -> futures.AggTrade:
    first = -1 if void else agg_id
    row = {"a": agg_id, "p": price, "q": qty, "f": first, "l": first, "T": NOW + agg_id, "m": sold}
    return futures.AggTrade.model_validate_json(json.dumps(row))


def test_value_counts_from_the_threshold_on_and_the_side_is_the_takers() -> None:
    watch = LargeTradeWatch(BY_VALUE)
    found = watch.feed([trade(1, "10", "99.9"), trade(2, "10", "100"), trade(3, "20", "50.1", sold=True)])
    assert [(trade.agg_id, trade.side, trade.quote, trade.reasons) for trade in found] == [
        (2, "buy", D(1000), ("quote",)),
        (3, "sell", D(1002), ("quote",)),
    ]


def test_pages_may_overlap_and_nothing_is_told_twice() -> None:
    watch = LargeTradeWatch(BY_VALUE)
    page = [trade(number, "10", "200") for number in range(1, 6)]
    assert [trade.agg_id for trade in watch.feed(page[:3])] == [1, 2, 3]
    assert [trade.agg_id for trade in watch.feed(page)] == [4, 5]
    assert watch.feed(page) == []
    assert not watch.gaps


def test_what_is_missing_between_pages_is_noted() -> None:
    watch = LargeTradeWatch(BY_VALUE)
    watch.feed([trade(1, "1", "1")])
    watch.feed([trade(5, "1", "1")])
    assert list(watch.gaps) == [MissedTrades(2, 4)]


def test_void_rows_keep_the_ids_whole_but_are_no_transactions() -> None:
    watch = LargeTradeWatch(BY_VALUE)
    assert watch.feed([trade(1, "1", "1"), trade(2, "10", "200", void=True), trade(3, "1", "1")]) == []
    assert not watch.gaps
    assert watch.last_id == 3


def test_a_percentile_picks_the_top_and_waits_for_enough_trades() -> None:
    watch = LargeTradeWatch(Thresholds(quote=None, percentile=99, least=100))
    assert watch.feed([trade(number, "1", str(number)) for number in range(1, 100)]) == []
    assert watch.cutoff is None
    # 100 trades worth 1 to 100: the 99th percentile is 99, and only what exceeds it is large.
    found = watch.feed([trade(100, "1", "100")])
    assert watch.cutoff == 99
    assert [(trade.agg_id, trade.reasons) for trade in found] == [(100, ("percentile",))]


def test_where_all_are_the_same_none_is_large() -> None:
    watch = LargeTradeWatch(Thresholds(quote=None, percentile=50, least=10))
    assert watch.feed([trade(number, "1", "7") for number in range(1, 200)]) == []


def test_old_trades_leave_the_window() -> None:
    watch = LargeTradeWatch(Thresholds(quote=None, percentile=50, window=10, least=10))
    watch.feed([trade(number, "1", "1000") for number in range(1, 11)])
    watch.feed([trade(number, "1", "1") for number in range(11, 21)])
    assert watch.cutoff == 1


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=200), st.integers(1, 99))
def test_no_more_than_the_share_above_a_percentile_is_large(sizes: list[int], percent: int) -> None:
    watch = LargeTradeWatch(Thresholds(quote=None, percentile=percent, least=1))
    found = watch.feed([trade(number, "1", str(size)) for number, size in enumerate(sizes, 1)])
    assert len(found) <= len(sizes) * (100 - percent) / 100
    cutoff = percentile([D(size) for size in sizes], percent)
    assert {trade.qty for trade in found} == {D(size) for size in sizes if size > cutoff}


@given(st.lists(st.integers(1, 10**4), min_size=1, max_size=120), st.data())
def test_how_trades_are_cut_into_pages_does_not_change_what_value_finds(sizes: list[int], data: st.DataObject) -> None:
    page = [trade(number, "1", str(size)) for number, size in enumerate(sizes, 1)]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(page)), max_size=5)))
    whole, pieces = LargeTradeWatch(BY_VALUE), LargeTradeWatch(BY_VALUE)
    found: list[LargeTrade] = []
    for start, end in zip([0, *cuts], [*cuts, len(page)], strict=True):
        found += pieces.feed(page[start:end])
    assert found == whole.feed(page)
    assert not pieces.gaps


@pytest.mark.parametrize(
    "settings",
    [{"quote": D(0)}, {"percentile": 0.0}, {"percentile": 100.0}, {"least": 0}, {"least": 11, "window": 10}],
    ids=str,
)
def test_thresholds_that_mean_nothing_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        Thresholds(**settings)


def test_a_large_trade_is_what_was_seen_and_cannot_be_changed() -> None:
    trade = LargeTrade(7, NOW, "sell", D("10.5"), D(2), ("quote",))
    with pytest.raises(FrozenInstanceError):
        trade.price = D(11)  # type: ignore[misc]
    assert len({trade, LargeTrade(7, NOW, "sell", D("10.5"), D(2), ("quote",))}) == 1


def test_the_row_has_the_names_of_virtuosos_trades() -> None:
    row = large_trade_row(LargeTrade(7, NOW, "sell", D("10.5"), D(2), ("quote", "percentile")), "BTCUSDT")
    assert row["id"] == "7"
    assert (row["price"], row["amount"], row["size"], row["cost"]) == (10.5, 2.0, 2.0, 21.0)
    assert (row["side"], row["timestamp"], row["reasons"]) == ("sell", NOW, ["quote", "percentile"])
    assert row["datetime"].endswith("Z")


# ------------------------------------------------------------------------------ on the simulator


async def listed(client: BinanceClient, market: str) -> Listed:
    if market == "spot":
        return Listing(None, await client.spot.exchange_info("BTCUSDT")).resolve("BTCUSDT")
    return Listing(await client.futures.exchange_info(), None).resolve("BTCUSDT")


@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_the_monitor_sees_every_trade_once(market: str) -> None:
    clock = ManualClock(NOW)
    with Simulator(clock=clock, symbols=["BTCUSDT"], history_days=2) as running:
        async with BinanceClient(
            spot_base_url=running.base_url("spot"), futures_base_url=running.base_url("futures")
        ) as client:
            monitor = LargeTradeMonitor(client, await listed(client, market), Thresholds(D("0.01"), None))
            found = await monitor.poll()
            assert len(found) == 1000
            for _ in range(3):
                clock.advance(600)
                found += await monitor.poll()
            namespace: Any = client.spot if market == "spot" else client.futures
            truth: Sequence[spot.AggTrade] = await namespace.agg_trades("BTCUSDT", from_id=found[0].agg_id, limit=1000)
            assert [trade.agg_id for trade in found][:1000] == [trade.agg_id for trade in truth]
            assert [(trade.price, trade.qty) for trade in found][:1000] == [(trade.price, trade.qty) for trade in truth]
            assert [trade.agg_id for trade in found] == list(range(found[0].agg_id, found[-1].agg_id + 1))
            assert not monitor.watch.gaps


async def test_the_monitor_jumps_over_what_it_cannot_keep_up_with_and_says_so() -> None:
    clock = ManualClock(NOW)
    with Simulator(clock=clock, symbols=["BTCUSDT"], history_days=5) as running:
        async with BinanceClient(futures_base_url=running.base_url("futures")) as client:
            monitor = LargeTradeMonitor(client, await listed(client, "usdm"), max_pages=1)
            await monitor.poll()
            before = monitor.watch.last_id
            clock.advance(24 * 3600)
            await monitor.poll()
            assert before is not None
            (gap,) = monitor.watch.gaps
            assert gap.first == before + 1001
            newest = await client.futures.agg_trades("BTCUSDT", limit=1)
            assert monitor.watch.last_id == newest[0].agg_id


async def test_a_failed_poll_goes_on_where_it_was() -> None:
    clock, line = ManualClock(NOW), Line()
    with Simulator(clock=clock, symbols=["BTCUSDT"], history_days=2) as running:
        async with (
            httpx.AsyncClient(transport=line) as http,
            BinanceClient(futures_base_url=running.base_url("futures"), max_retries=0, http_client=http) as client,
        ):
            monitor = LargeTradeMonitor(client, await listed(client, "usdm"), Thresholds(D("0.01"), None))
            before = await monitor.poll()
            clock.advance(120)
            line.failing = lambda request: httpx.Response(500, request=request)
            with pytest.raises(ServerError):
                await monitor.poll()
            line.failing = None
            after = await monitor.poll()
            assert after[0].agg_id == before[-1].agg_id + 1
            assert not monitor.watch.gaps


def test_at_least_one_page() -> None:
    with pytest.raises(ParameterError, match="max_pages=0"):
        LargeTradeMonitor(BinanceClient(), None, max_pages=0)  # type: ignore[arg-type]
