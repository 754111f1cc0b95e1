"""The fetcher with streams: what they are known to have is not asked for, and what they lose is."""

from __future__ import annotations

from binance_sdk.simulator.streams import StreamFault

from .minutes import Minute, Minutes

STREAMED = {"ticker", "quotes", "premium", "orderbook", "trades", "base", "ltf", "mtf", "htf"}


async def streamed_wholly(minutes: Minutes) -> None:
    """Let minutes pass until everything is streamed: connections and snapshots take their time."""
    for _ in range(12):
        assert not (await minutes.minute()).refresh.stale
        if all({part.name for part in state.streamed} == STREAMED for state in minutes.fetcher._states.values()):
            return
    raise AssertionError([[part.name for part in state.streamed] for state in minutes.fetcher._states.values()])


def planned(minute: Minute) -> int:
    """Weight that a refresh planned to spend."""
    return minute.refresh.cost.get("futures.weight", 0)


async def test_what_is_streamed_costs_nothing_and_falls_back() -> None:
    async with Minutes(2, streamed=True) as minutes:
        # Every symbol is asked for as ever until it is streamed, and once more for what its streams go on from.
        assert planned(await minutes.minute()) >= 55 + 2 * 20
        await streamed_wholly(minutes)
        steady = await minutes.minute()
        # Of each symbol its open interest and the candles of its premium, once in five minutes.
        assert planned(steady) <= 2 * 2
        assert steady.events > 500
        found = minutes.fetcher.snapshot("C001USDT")
        assert set(found["metadata"]["streamed"]) == STREAMED
        assert found["ticker"]["timestamp"] > minutes.clock.now_ms() - 15_000
        assert found["metadata"]["ohlcv_success"]
        assert [len(frame) for frame in found["ohlcv"].values()] == [1000, 300, 200, 200]
        assert minutes.fetcher.book("C001USDT") is not None
        # It is as old as this moment.
        state = minutes.fetcher._states["C001USDT"]
        assert {state.age(part, minutes.clock.now_ms()) for part in state.streamed} == {0}

        rule = minutes.simulator.streams.faults.add(StreamFault.refuse(503), where="futures")
        minutes.simulator.streams.abort("futures")
        polled = await minutes.minute()
        assert not polled.refresh.failed
        assert not polled.refresh.stale
        # Three bulk calls, and of each symbol its book, its trades and the ends of its candles.
        assert planned(polled) >= 55 + 2 * (5 + 5 + 1)
        found = minutes.fetcher.snapshot("C001USDT")
        assert found["metadata"]["streamed"] == []
        assert set(found["metadata"]["stalled"]) == STREAMED - {"quotes"}
        rule.remove()
        await streamed_wholly(minutes)
        assert planned(await minutes.minute()) <= 2 * 2


async def test_without_streams_nothing_is_said_of_them() -> None:
    async with Minutes(1, streamed=False) as minutes:
        await minutes.minute()
        metadata = minutes.fetcher.snapshot("C000USDT")["metadata"]
        assert not {"streamed", "stalled"} & set(metadata)
