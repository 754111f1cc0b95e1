"""A piece is the same from the archive and over REST, to the digit: of every kind that both have, on every market."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

import polars as pl
import pytest

from binance_sdk._runtime.clock import AsyncClock
from binance_sdk.catalogue import ARCHIVE, MARKETS, Market
from binance_sdk.history import Piece, Series, Source
from binance_sdk.history.archive.fetch import fetch_from_archive
from binance_sdk.history.archive.session import ArchiveSession
from binance_sdk.history.rest.source import fetch_over_rest
from binance_sdk.simulator import ManualClock, Simulator

DAY, HOUR = 86_400_000, 3_600_000
NOW = int(datetime(2026, 6, 15, 8, 2, 3, tzinfo=UTC).timestamp() * 1000)
YESTERDAY = NOW // DAY * DAY - DAY
MONTH = (
    int(datetime(2026, 5, 1, tzinfo=UTC).timestamp() * 1000),
    int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000),
)
REACHED = YESTERDAY + 10 * HOUR
"""From here on, REST has all trades of yesterday; COIN-M forgets them after a day."""
SYMBOLS = {"spot": "BTCUSDT", "futures": "BTCUSDT", "coin_futures": "BTCUSD_PERP"}
PAIRS = {"futures": "BTCUSDT", "coin_futures": "BTCUSD"}
KINDS = [key for key, kind in ARCHIVE.kinds.items() if kind.rest]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    limits = dict.fromkeys(MARKETS, 10**9)
    symbols = [*SYMBOLS.values()]
    with Simulator(clock=ManualClock(NOW), history_days=60, symbols=symbols, weight_limits=limits) as running:
        yield running


@pytest.fixture(autouse=True)
def _same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client refuses to ask for what the exchange has forgotten, or what has not been yet."""

    def time(_: AsyncClock) -> float:
        return NOW / 1000

    monkeypatch.setattr(AsyncClock, "time", time)


@pytest.mark.parametrize(("market", "name"), KINDS, ids=[".".join(key) for key in KINDS])
async def test_a_piece_is_the_same_from_both_sources(simulator: Simulator, market: str, name: str) -> None:
    kind = ARCHIVE.kinds[market, name]
    symbol = PAIRS[market] if kind.symbol == "pair" else SYMBOLS[market]
    series = Series(cast("Market", market), name, symbol, "5m" if any(kind.intervals.values()) else "")
    span: tuple[int, int] = (YESTERDAY, YESTERDAY + DAY)
    source: Source = "archive_daily"
    if "daily" not in kind.periods:
        span, source = MONTH, "archive_monthly"
    async with (
        ArchiveSession(simulator.archive_url, simulator.archive_listing_url) as session,
        simulator.client(api_key="a-key", budget=False) as client,
    ):
        filed = await fetch_from_archive(Piece(series, *span, source), session, prices="decimal")
        # Ids of trades lead back as far as REST keeps them.
        start = REACHED if kind.sequence else span[0]
        asked = await fetch_over_rest(Piece(series, start, span[1], "rest"), client, prices="decimal")
    filed_rows = filed.frame.filter(pl.col(kind.time) >= pl.from_epoch(pl.lit(start), "ms").dt.replace_time_zone("UTC"))
    assert filed_rows.height > 80
    assert filed_rows.schema == asked.frame.schema
    columns = {*kind.key, *(column for twin in kind.rest for column in twin.columns)}
    different = [column for column in sorted(columns) if not filed_rows[column].equals(asked.frame[column])]
    assert different == [], (filed_rows.select(different).head(3), asked.frame.select(different).head(3))
    assert filed.remarks == ()
