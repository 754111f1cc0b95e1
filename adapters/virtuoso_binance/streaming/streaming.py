"""Everything that one client streams for an exchange."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from binance_sdk import BinanceClient
from binance_sdk.streams import Notice
from virtuoso_binance.config.field_types import StreamKind
from virtuoso_binance.config.settings import WebSocketSection
from virtuoso_binance.health.streams import PartCounts, StreamsFacts, merged_facts
from virtuoso_binance.streaming.changes import OnStreamChange
from virtuoso_binance.streaming.feed import MarketDataFeed
from virtuoso_binance.streaming.liquidations import Liquidations, LiquidationsBySymbol
from virtuoso_binance.streaming.live_books import LiveOrderBooks
from virtuoso_binance.streaming.open_streams import OpenStreams, market_in_words
from virtuoso_binance.streaming.subscribers import Subscribers
from virtuoso_binance.symbols import MarketName

__all__ = ["Streaming"]


class Streaming:
    """The streams of one client. Nothing is opened before it is asked for.

    Args:
        client: Makes the connections; closed after this.
        now_ms: The time at the exchange, in milliseconds.
        liquidations: The table that streamed liquidations go to.
        kinds: What of market data is streamed.
        on_change: Told when a part of market data is not streamed any more, and when it is again.
        clock: Monotonic seconds.
        websocket: How connections are kept, as the configuration has it; order books have rules of their own.

    Attributes:
        subscribers: Callbacks.
        liquidations: What fills the table.
        books: Live order books.
        feed: Market data.
    """

    def __init__(
        self,
        client: BinanceClient,
        now_ms: Callable[[MarketName | None], int],
        *,
        liquidations: LiquidationsBySymbol | None = None,
        kinds: Collection[StreamKind] = (),
        on_change: OnStreamChange | None = None,
        clock: Callable[[], float] = time.monotonic,
        websocket: WebSocketSection | None = None,
    ) -> None:
        websocket = websocket or WebSocketSection()
        self._streams = OpenStreams(client, self._noticed, websocket)
        self.subscribers: Subscribers = Subscribers(client, lambda: now_ms(None), websocket)
        table: LiquidationsBySymbol = {} if liquidations is None else liquidations
        self.liquidations: Liquidations = Liquidations(client, self._streams, table)
        self.books: LiveOrderBooks = LiveOrderBooks(client, clock)
        self.feed: MarketDataFeed = MarketDataFeed(
            client, self._streams, self.books, self.liquidations, kinds, now_ms, on_change=on_change, clock=clock
        )

    def _noticed(self, market: MarketName, notice: Notice) -> None:
        self.feed.noticed(market, notice)

    def facts(self) -> list[StreamsFacts]:
        """What is known of the streams of each market, for health. For any thread."""
        parts: dict[MarketName, dict[str, PartCounts]] = {}
        for (market, part), counts in self.feed.changes.counts.items():
            parts.setdefault(market, {})[part] = counts
        found = [*self._streams.facts(), *self.subscribers.facts()]
        found += [StreamsFacts(market_in_words(market), parts=each) for market, each in parts.items()]
        return merged_facts(found)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.feed.aclose()
        await self.books.aclose()
        await self.subscribers.aclose()
        await self._streams.aclose()
