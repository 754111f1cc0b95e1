"""Market data from streams: of each symbol that is followed, the parts that are true at this moment.

Streams are never waited for, and never trusted for longer than they speak: while a part is not known, or its stream is
disconnected, has lost events or has fallen silent, it is asked for over REST as ever. Such an answer is what the part
begins with again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeAlias

from binance_sdk import BinanceClient
from binance_sdk.errors import BinanceError
from binance_sdk.streams import Gap, Notice, Stream
from virtuoso_binance.config.field_types import StreamKind
from virtuoso_binance.market_data import Asking
from virtuoso_binance.parts import CANDLES, ORDER_BOOK, PREMIUM, QUOTES, TICKER, TRADES, Part
from virtuoso_binance.streaming.changes import OnStreamChange, StreamChanges
from virtuoso_binance.streaming.channels import trade_stream
from virtuoso_binance.streaming.liquidations import Liquidations
from virtuoso_binance.streaming.live_books import LiveOrderBooks
from virtuoso_binance.streaming.live_parts import (
    LiveCandles,
    LivePart,
    LivePremium,
    LiveTicker,
    LiveTrades,
    book_answer,
    quotes_answer,
)
from virtuoso_binance.streaming.open_streams import MarketStreams, OpenStreams, Wanted
from virtuoso_binance.symbols import Listed, MarketName
from virtuoso_binance.timeframes import FRAMES

__all__ = ["MarketDataFeed"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

_AGAIN_SECONDS = 60.0
"""Streams that could not be opened are tried again no sooner than this."""
_SILENCE = 60.0
"""Seconds for which a stream that follows the market may say nothing, if it has never been silent for longer."""
_MARK_PRICE_SILENCE = 10.0
"""Mark prices come every second."""
_MOST_SILENCE = 240.0
"""However quiet a market is: below the age at which its trades are not delivered any more."""
_UNUSUAL = 4.0
"""A silence is unusual when it is so many times the longest one so far."""

Key: TypeAlias = tuple[MarketName, str]


class _Followed:
    """One part of one symbol that a stream keeps.

    Args:
        part: Which.
        live: Keeps it.
        stream: Its stream.
        market: Carries the stream.
        silence: Seconds it may be silent: always, and at most, where it has been silent for long before.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        part: Part[Any],
        live: LivePart[Any],
        stream: Stream[Any],
        market: MarketStreams,
        silence: tuple[float, float],
        clock: Callable[[], float],
    ) -> None:
        self.part = part
        self.live = live
        self.stream = stream
        (self._name,) = stream.names
        self._market = market
        self._silence = silence
        self._clock = clock
        self.opened = False
        self._heard = 0.0
        self._longest_silence = 0.0
        self._silent = False
        self._losses: int | None = None
        """Losses of the connection when it was known to be true last; None where it is not known."""
        self._unknown = "its stream has no beginning yet"

    def opens(self) -> None:
        """The exchange has acknowledged the stream."""
        self.opened = True
        self._heard = self._clock()

    def event(self, event: Any) -> None:
        """The stream has spoken."""
        now = self._clock()
        if not self._silent:
            self._longest_silence = max(self._longest_silence, now - self._heard)
        self._heard, self._silent = now, False
        self.live.event(event)
        if not self.live.needs_answer:
            self._losses = self._market.losses

    @property
    def losses(self) -> int | None:
        """Losses before an answer that is asked for now; None where it needs none, or could not go on from it."""
        # One that is silent goes on from what it had, as soon as it speaks.
        goes_on = self.opened and self.live.needs_answer and not self._silent
        return self._market.losses if goes_on and self._market.health(self._name) != "disconnected" else None

    def answer(self, value: Any, losses: int) -> None:
        """REST has answered, and was asked when this was ``losses``."""
        self.live.answer(value)
        self._losses = losses

    def forget(self, why: str) -> None:
        """Events are missing."""
        self._losses, self._unknown = None, why
        self.live.forget()

    def look(self) -> tuple[Any, str]:
        """What is true, and an empty text; or None, and why nothing is known to be."""
        if not self.opened:
            return None, "its stream is not open yet"
        if self._market.health(self._name) == "disconnected":
            return None, "its stream is disconnected"
        quiet = self._clock() - self._heard
        least, most = self._silence
        allowed = min(most, max(least, _UNUSUAL * self._longest_silence))
        if self._silent or quiet > allowed:
            self._silent = True
            return None, f"its stream has said nothing for {quiet:.0f} s"
        if self._losses is not None and self._losses != self._market.losses:
            # What was said meanwhile is not known.
            self.forget("its stream was disconnected")
        value = None if self._losses is None else self.live.value()
        return value, "" if value is not None else self._unknown


class _Symbol:
    """A symbol that is followed."""

    def __init__(self, listed: Listed, parts: list[_Followed], *, books: bool) -> None:
        self.listed = listed
        self.parts = {followed.part: followed for followed in parts}
        self.books = books
        self.tried_at = 0.0
        self.opening = True


class MarketDataFeed:
    """The streams of market data of one client. For its event loop.

    Args:
        client: Makes the connections.
        streams: Carries all but the books.
        books: Live order books.
        liquidations: Keeps liquidations.
        kinds: What is to be streamed.
        now_ms: The time at the exchange, in milliseconds.
        on_change: Told when a part is not streamed any more, and when it is again.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        client: BinanceClient,
        streams: OpenStreams,
        books: LiveOrderBooks,
        liquidations: Liquidations,
        kinds: Collection[StreamKind],
        now_ms: Callable[[MarketName | None], int],
        *,
        on_change: OnStreamChange | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._streams = streams
        self._books = books
        self._liquidations = liquidations
        self._kinds = frozenset(kinds)
        self._now = now_ms
        self._clock = clock
        self._symbols: dict[Key, _Symbol] = {}
        self._by_stream: dict[tuple[MarketName, str], _Followed] = {}
        self._new: list[_Symbol] = []
        self._opening: asyncio.Task[None] | None = None
        self.changes: StreamChanges = StreamChanges(on_change, clock)

    # -------------------------------------------------------------------------------------- following

    def follow(self, listed: Listed) -> None:
        """Stream a symbol from now on. Does not wait; asked again it does no harm."""
        key: Key = (listed.market, listed.symbol)
        found = self._symbols.get(key)
        if found is None:
            parts = list(self._followed(listed)) if self._kinds else []
            found = self._symbols[key] = _Symbol(listed, parts, books="order_books" in self._kinds)
        elif (
            found.opening
            or all(part.opened for part in found.parts.values())
            or self._clock() < found.tried_at + _AGAIN_SECONDS
        ):
            return
        found.opening = True
        self._new.append(found)
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open(), name="opening streams of market data")

    def _followed(self, listed: Listed) -> Iterator[_Followed]:
        market = self._streams.market(listed.market)
        streams = (self._client.spot if listed.market == "spot" else self._client.futures).streams

        def followed(part: Part[Any], live: LivePart[Any], stream: Stream[Any], least: float, most: float) -> _Followed:
            return _Followed(part, live, stream, market, (least, most), self._clock)

        if "tickers" in self._kinds:
            yield followed(TICKER, LiveTicker(), streams.ticker(listed.symbol), _SILENCE, _SILENCE)
        if "mark_prices" in self._kinds and listed.market == "usdm":
            prices = self._client.futures.streams.mark_price(listed.symbol, speed="1s")
            yield followed(PREMIUM, LivePremium(), prices, _MARK_PRICE_SILENCE, _MARK_PRICE_SILENCE)
        if "trades" in self._kinds:
            trades = LiveTrades(TRADES.rows, TRADES.least or 0)
            yield followed(TRADES, trades, trade_stream(self._client, listed), _SILENCE, _MOST_SILENCE)
        if "klines" in self._kinds:
            for name, part in CANDLES.items():
                # REST has candles without trades too, which streams may not tell of: so they are asked for.
                bars = streams.kline(listed.symbol, interval=FRAMES[name][0])
                yield followed(part, LiveCandles(part.rows, part.step), bars, _SILENCE, _SILENCE)

    async def _open(self) -> None:
        # One turn of the loop, so that those who are followed at once are subscribed at once.
        await asyncio.sleep(0)
        while self._new:
            batch, self._new = self._new, []
            markets: list[MarketName] = [symbol.listed.market for symbol in batch]
            for market in dict.fromkeys(markets):
                await self._open_on(market, [symbol for symbol in batch if symbol.listed.market == market])

    async def _open_on(self, market: MarketName, symbols: list[_Symbol]) -> None:
        parts = [part for symbol in symbols for part in symbol.parts.values() if not part.opened]
        wanted: list[Wanted] = [(part.stream, part.event) for part in parts]
        self._by_stream |= {(market, name): part for part in parts for name in part.stream.names}
        try:
            if wanted:
                await self._streams.market(market).add(wanted)
                for part in parts:
                    part.opens()
            if "liquidations" in self._kinds and market == "usdm":
                await self._liquidations.follow(symbol.listed for symbol in symbols)
        except BinanceError as error:
            text = "no streams of %d %s symbols (%s ...), REST answers for them: %s"
            logger.warning(text, len(symbols), market, symbols[0].listed.symbol, error)
        finally:
            for symbol in symbols:
                symbol.opening, symbol.tried_at = False, self._clock()

    def noticed(self, market: MarketName, notice: Notice) -> None:
        """Events are missing from a stream; for ``OpenStreams``."""
        # What a lost connection has cost is seen at the next look.
        if isinstance(notice, Gap):
            part = self._by_stream.get((market, notice.stream))
            if part is not None:
                part.forget("its stream has lost events")

    # -------------------------------------------------------------------------------------- reading

    def parts(self, listed: Listed, limit: int | None = None) -> dict[Part[Any], Any]:
        """The parts of a symbol that are known to be true now, as REST would answer for them; none where it is new.

        Args:
            listed: The symbol.
            limit: Book levels wished for; everything else is whole.
        """
        symbol = self._symbols.get((listed.market, listed.symbol))
        if symbol is None:
            return {}
        found: dict[Part[Any], Any] = {}
        for part, followed in symbol.parts.items():
            value, reason = followed.look()
            self.changes.note(listed, part, reason)
            if value is not None:
                found[part] = value
        if symbol.books:
            self._add_book(found, listed, ORDER_BOOK.rows_for(limit))
        return found

    def _add_book(self, found: dict[Part[Any], Any], listed: Listed, levels: int) -> None:
        book = self._books.book(listed)
        reason = "its live book is not synced" if book is None else ""
        if book is not None and book.age > _SILENCE:
            # Its own rules would give it a second connection first, and as long again.
            reason = f"its live book has not changed for {book.age:.0f} s"
        self.changes.note(listed, ORDER_BOOK, reason)
        if book is None or reason:
            return
        now = self._now(listed.market)
        answer = book_answer(book, now, levels)
        if answer is not None:
            found[ORDER_BOOK] = answer
        quotes = quotes_answer(book, now) if listed.market == "usdm" else None
        if quotes is not None:
            found[QUOTES] = quotes

    def asking(self, listed: Listed) -> Asking:
        """Parts of a symbol that are streamed from the moment on that REST answers for the whole of them.

        To be called before REST is asked, and given to ``answered`` with what it has answered.
        """
        symbol = self._symbols.get((listed.market, listed.symbol))
        parts = {} if symbol is None else symbol.parts
        return {part: losses for part, each in parts.items() if (losses := each.losses) is not None}

    def answered(self, listed: Listed, part: Part[Any], value: Any, asking: Asking) -> None:
        """REST has answered for the whole of a part."""
        losses = asking.get(part)
        if losses is not None:
            self._symbols[listed.market, listed.symbol].parts[part].answer(value, losses)

    def stalled(self, listed: Listed) -> Mapping[str, str]:
        """Parts of a symbol that were streamed and are not at the moment, with the reason, by name."""
        return self.changes.stalled(listed)

    async def aclose(self) -> None:
        """Open nothing more. The streams are closed by who owns them."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
