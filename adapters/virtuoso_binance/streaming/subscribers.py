"""Callbacks of users, each called with the messages of the channels and symbols that it was subscribed to."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from binance_sdk import BinanceClient
from binance_sdk.errors import DecodeError
from binance_sdk.streams import Notice, Stream
from virtuoso_binance.config.settings import WebSocketSection
from virtuoso_binance.health.streams import StreamsFacts
from virtuoso_binance.scalars import Row
from virtuoso_binance.streaming.channels import Channel
from virtuoso_binance.streaming.open_streams import OpenStreams, Wanted
from virtuoso_binance.symbols import Listed, MarketName

__all__ = ["Callback", "Subscribers"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

Callback: TypeAlias = Callable[[Row], Any]
Key: TypeAlias = tuple[MarketName, str, str]
"""Market, symbol and channel."""


class _Subscriber:
    """One callback for one channel of one symbol."""

    def __init__(self, channel: Channel, symbol: str, callback: Callback, now_ms: Callable[[], int]) -> None:
        self._channel, self._symbol, self._callback, self._now = channel, symbol, callback, now_ms
        self._failed = 0

    def __call__(self, event: Any) -> Awaitable[object] | None:
        try:
            message = self._channel.message(event, self._symbol, self._now())
        except DecodeError as error:
            logger.warning("left out of the %s messages: %s", self._channel.type, error)
            return None
        if message is None:
            return None
        try:
            done = self._callback(message)
        except (Exception, asyncio.CancelledError):  # noqa: BLE001 - a callback must not end the streams of the others
            self._note_failure()
            return None
        return self._finish(done) if inspect.isawaitable(done) else None

    async def _finish(self, done: Awaitable[object]) -> None:
        try:
            await done
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # It has awaited something that was cancelled.
            self._note_failure()
        except Exception:  # noqa: BLE001 - as above
            self._note_failure()

    def _note_failure(self) -> None:
        self._failed += 1
        # The first time, the second, the fourth, ...: one that always fails would fill the log.
        if self._failed & (self._failed - 1) == 0:
            text = "the callback failed on a %s message of %s, %d times so far"
            logger.exception(text, self._channel.type, self._symbol, self._failed)


class Subscribers:
    """The callbacks of one client.

    Args:
        client: Makes the connections; closed after this.
        now_ms: The time at the exchange, in milliseconds.
        websocket: How connections are kept.
    """

    def __init__(self, client: BinanceClient, now_ms: Callable[[], int], websocket: WebSocketSection) -> None:
        self._client = client
        self._now = now_ms
        self._streams = OpenStreams(client, _ignore, websocket)
        self._known: dict[tuple[Key, Callback], Wanted] = {}
        self._connected: set[MarketName] = set()

    def facts(self) -> list[StreamsFacts]:
        """What is known of its connections. For any thread."""
        return self._streams.facts()

    async def connect(self, market: MarketName, symbol: str) -> None:
        """Open a connection that says next to nothing, so that there is one before anything is subscribed.

        Args:
            market: Which market's.
            symbol: One that is listed there.

        Raises:
            BinanceError: there can be none.
        """
        if market not in self._connected:
            spot, futures = self._client.spot, self._client.futures
            quiet: Stream[Any] = spot.streams.avg_price(symbol) if market == "spot" else futures.streams.contract_info()
            await self._streams.market(market).add([(quiet, _nothing)])
            self._connected.add(market)

    async def subscribe(self, channels: Mapping[str, Channel], symbols: Sequence[Listed], callback: Callback) -> None:
        """Call a callback with the messages of these channels of these symbols, each once however often this is asked.

        Raises:
            InvalidSymbolError: a symbol has no such channel.
            BinanceError: the exchange has not acknowledged all; then nothing of it was added.
        """
        new: dict[MarketName, dict[tuple[Key, Callback], Wanted]] = {}
        for listed in symbols:
            for name, channel in channels.items():
                market: MarketName = listed.market
                key: tuple[Key, Callback] = ((market, listed.symbol, name), callback)
                if key not in self._known:
                    handler = _Subscriber(channel, listed.symbol, callback, self._now)
                    new.setdefault(listed.market, {})[key] = (channel.stream(self._client, listed), handler)
        done: list[MarketName] = []
        try:
            for market, wanted in new.items():
                await self._streams.market(market).add(list(wanted.values()))
                done.append(market)
        except BaseException:
            for market in done:
                await self._streams.market(market).remove(new[market].values())
            raise
        for wanted in new.values():
            self._known |= wanted

    async def unsubscribe(
        self, channels: Mapping[str, Channel], symbols: Sequence[Listed], callback: Callback | None
    ) -> bool:
        """Call it no more; None stands for every callback.

        Returns:
            Whether there was anything to end.
        """
        keys = {(listed.market, listed.symbol, name) for listed in symbols for name in channels}
        ended = [known for known in self._known if known[0] in keys and callback in (None, known[1])]
        by_market: dict[MarketName, list[Wanted]] = {}
        for known in ended:
            by_market.setdefault(known[0][0], []).append(self._known.pop(known))
        for market, wanted in by_market.items():
            await self._streams.market(market).remove(wanted)
        return bool(ended)

    async def aclose(self) -> None:
        """Close the connections and forget the callbacks."""
        self._known.clear()
        self._connected.clear()
        await self._streams.aclose()


def _ignore(market: MarketName, notice: Notice) -> None:
    """The client's log and hooks have told it."""


def _nothing(event: object) -> None:
    """A connection is all that is wanted."""
