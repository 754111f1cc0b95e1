"""The fetcher on the simulator, with exchange and client on one injected clock."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pandas as pd
import pytest

from binance_sdk import BinanceClient, Caps
from binance_sdk.errors import BinanceError, ConfigError
from binance_sdk.simulator import Instrument
from virtuoso_binance.errors import InvalidSymbolError
from virtuoso_binance.frames import ohlcv_frame
from virtuoso_binance.parts import CANDLES
from virtuoso_binance.polling.fetcher import BinanceDataFetcher
from virtuoso_binance.symbols import Listing
from virtuoso_binance.timeframes import FRAMES

from .soak_support import Polling, now_and_then

SHARE = 5
"""The hundred symbols of the example configuration are a fifth here, with a fifth of each budget; the whole hundred are
in ``python -m benchmarks adapter``."""
SYMBOLS, FUTURES_WEIGHT, FUTURES_DATA = 100 // SHARE, 2400 // SHARE, 1000 // SHARE
CAPS = Caps(
    futures_weight_per_minute=FUTURES_WEIGHT, requests_per_minute=1200 // SHARE, requests_per_second=10 // SHARE
)
STATISTICS = ("futures.open_interest_hist", "futures.global_long_short_account_ratio")


def perpetuals() -> list[Instrument]:
    return [
        Instrument("futures", f"C{n:02d}USDT", f"C{n:02d}", "USDT", 4, 1, rate=1, contract_type="PERPETUAL")
        for n in range(SYMBOLS)
    ]


async def frames_agree(polling: Polling, symbol: str) -> None:
    """The kept frames are those that whole questions at this moment give."""
    frames = polling.fetcher.snapshot(symbol)["ohlcv"]
    for part, (interval, count) in FRAMES.items():
        truth = ohlcv_frame(await polling.truth.futures.klines(symbol, interval, limit=count))
        kept: pd.DataFrame = frames[part]
        # The running candle is as old as the last refresh; all closed ones are final.
        pd.testing.assert_frame_equal(kept.iloc[:-1], truth.iloc[:-1])
        assert kept.index[-1] == truth.index[-1]
        assert len(kept) == count


def by_operation(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    return {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}


async def test_many_symbols_a_minute_take_half_of_every_budget_at_most() -> None:
    async with Polling(perpetuals(), caps=CAPS, history_days=35) as polling:
        # At half of the budgets, loading everything takes some minutes.
        loading = await polling.run(8)
        assert len(polling.fetcher.symbols) == SYMBOLS
        assert not loading[-1].stale
        groups: dict[int, int] = {}
        for _ in range(5):
            counts = polling.simulator.requests
            (done,) = await polling.run(1)
            # Asked within one window of the exchange, and counted by the exchange.
            assert done.at // 60_000 == polling.clock.now_ms() // 60_000
            assert polling.simulator.used_weight("futures") <= FUTURES_WEIGHT / 2
            asked = by_operation(counts.by_operation, polling.simulator.requests.by_operation)
            assert sum(asked.values()) <= 10 * 60 / SHARE / 2
            window = done.at // 300_000
            groups[window] = groups.get(window, 0) + sum(asked.get(name, 0) for name in STATISTICS)
            assert not done.failed
            assert not done.stale
            # Every minute all of these are new.
            assert asked["futures.klines"] >= SYMBOLS
            assert asked["futures.ticker_24hr"] == asked["futures.premium_index"] == 1
            assert asked["futures.ticker_book_ticker"] == 1
        assert max(groups.values()) <= FUTURES_DATA / 2
        # One row of each statistic a symbol and period, no more.
        assert max(groups.values()) <= 2 * SYMBOLS
        for symbol in polling.fetcher.symbols[::4]:
            flags = polling.fetcher.snapshot(symbol)["metadata"]
            assert flags["ohlcv_success"]
            assert flags["orderbook_success"]
            assert flags["oi_history_success"]


async def test_kept_frames_are_those_of_the_exchange() -> None:
    async with Polling(["BTCUSDT", "ETHUSDT"]) as polling:
        done = await polling.run(36)
        for symbol in ("BTCUSDT", "ETHUSDT"):
            await frames_agree(polling, symbol)
        assert done[-1].complete
        # After loading, tails are all that is asked for.
        assert done[-1].cost["futures.weight"] < done[0].cost["futures.weight"]


async def test_an_outage_is_flagged_and_leaves_no_hole() -> None:
    async with Polling(["BTCUSDT"]) as polling:
        await polling.run(3)
        polling.line.failing = lambda request: httpx.ConnectError("down", request=request)
        lost = await polling.run(12)
        assert lost[0].failed
        assert not lost[0].complete or lost[1].stale
        assert set(lost[-1].stale["BTCUSDT"]) >= {"ticker", "quotes", "premium", "orderbook", "trades", "base", "ltf"}
        with pytest.raises(BinanceError, match="no ticker younger than 120 s"):
            polling.fetcher.snapshot("BTCUSDT")
        assert polling.fetcher.book("BTCUSDT") is None
        polling.line.failing = None
        # The circuit may still be open for a moment.
        back = await polling.run(2)
        assert back[-1].complete
        assert polling.fetcher.snapshot("BTCUSDT")["metadata"]["ohlcv_success"]
        await frames_agree(polling, "BTCUSDT")


async def test_one_part_that_fails_is_missing_alone() -> None:
    async with Polling(["BTCUSDT"]) as polling:
        await polling.run(2)

        def no_depth(request: httpx.Request) -> httpx.Response | None:
            return httpx.Response(500, request=request) if request.url.path.endswith("/depth") else None

        polling.line.failing = no_depth
        await polling.run(7)
        found = polling.fetcher.snapshot("BTC/USDT:USDT")
        assert (found["orderbook"]["bids"], found["orderbook"]["asks"]) == ([], [])
        flags = found["metadata"]
        assert [name for name, good in flags.items() if good is False] == ["orderbook_success", "risk_limits_success"]
        assert "s old" in flags["errors"]["orderbook"]


async def test_a_symbol_that_leaves_the_exchange_is_not_asked_for_any_more() -> None:
    async with Polling(["BTCUSDT"]) as polling, Polling(["BTCUSDT", "ETHUSDT"]) as elsewhere:
        polling.fetcher.set_symbols(elsewhere.listed)
        before = polling.simulator.requests
        await polling.run(2)
        asked = by_operation(before.by_operation, polling.simulator.requests.by_operation)
        assert asked["futures.depth"] == 2
        assert polling.fetcher.snapshot("BTCUSDT")["metadata"]["ohlcv_success"]
        with pytest.raises(BinanceError, match="ETHUSDT is not among the tickers of all symbols"):
            polling.fetcher.snapshot("ETHUSDT")


async def test_spot_has_no_statistics_and_its_book_is_as_old_as_its_answer() -> None:
    async with Polling(["BTCUSDT", "ETHUSDT"], market="spot") as polling:
        await polling.run(3)
        polling.clock.advance(20)
        found = polling.fetcher.snapshot("BTCUSDT")
        assert found["metadata"]["market"] == "spot"
        assert found["metadata"]["ohlcv_success"]
        assert not found["metadata"]["oi_history_success"]
        assert found["timestamp"] - found["orderbook"]["timestamp"] >= 20_000
        assert "bid" in found["ticker"]


async def test_an_environment_without_futures_serves_spot() -> None:
    async with (
        Polling(["BTCUSDT"], market="spot") as polling,
        BinanceClient("data_only", spot_base_url=polling.simulator.base_url("spot")) as client,
    ):
        fetcher = BinanceDataFetcher(client, polling.listed, polling.clock.now_ms)
        assert (await fetcher.refresh()).complete
        assert fetcher.snapshot("BTCUSDT")["metadata"]["orderbook_success"]


async def test_other_symbols_keep_what_is_known_of_those_that_stay() -> None:
    async with Polling(["BTCUSDT", "ETHUSDT"]) as polling:
        await polling.run(2)
        listing = Listing(await polling.truth.futures.exchange_info(), None)
        polling.fetcher.set_symbols([listing.resolve("ETHUSDT")])
        assert polling.fetcher.symbols == ("ETHUSDT",)
        assert polling.fetcher.snapshot("ETHUSDT")["metadata"]["ohlcv_success"]
        with pytest.raises(InvalidSymbolError, match="not among the symbols of this fetcher"):
            polling.fetcher.snapshot("BTCUSDT")


async def test_what_does_not_fit_waits_for_its_turn() -> None:
    async with Polling(["BTCUSDT", "ETHUSDT"], caps=Caps(requests_per_minute=24)) as polling:
        done = await polling.run(8)
        assert all(report.cost["requests"] <= 12 for report in done)
        assert done[0].waiting
        # Candles first, so frames are whole long before everything is.
        assert "base" not in {part for _, part in done[1].waiting}
        assert all(parts == () for parts in done[-1].stale.values())


async def test_run_begins_each_refresh_just_after_a_minute() -> None:
    async with Polling(["BTCUSDT"]) as polling:
        begun: list[int] = []
        await polling.fetcher.run(lambda done: begun.append(done.at), until=lambda: len(begun) == 3)
        assert [at % 60_000 for at in begun[1:]] == [2000, 2000]
        assert begun[2] - begun[1] == 60_000


async def test_faults_change_no_value() -> None:
    async with Polling(["BTCUSDT"]) as polling:
        await polling.run(1)
        polling.line.failing = now_and_then(0.2)
        await polling.run(20)
        assert polling.line.failed > 20
        polling.line.failing = None
        await polling.run(1)
        await frames_agree(polling, "BTCUSDT")


async def test_candles_that_the_exchange_has_not_are_named() -> None:
    async with Polling(["BTCUSDT"]) as polling:
        await polling.run(1)
        known = polling.fetcher._states["BTCUSDT"].get(CANDLES["base"])
        assert known is not None
        assert isinstance(known.value, list)
        missing = known.value.pop(500)
        found = polling.fetcher.snapshot("BTCUSDT")
        when = found["metadata"]["errors"]["base"].removeprefix("candles missing, as the exchange has none: ")
        assert pd.Timestamp(when.split(" to ")[0]) == pd.Timestamp(missing[0], unit="ms", tz="UTC")


async def test_a_share_is_a_share() -> None:
    async with Polling(["BTCUSDT"]) as polling:
        for share in (0, 1.5):
            with pytest.raises(ConfigError, match="share="):
                BinanceDataFetcher(polling.client, [], polling.clock.now_ms, share=share)
