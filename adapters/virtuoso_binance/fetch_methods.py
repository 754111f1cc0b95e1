"""The data methods Virtuoso calls, each a thin cover over the SDK's call and a pure function."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from binance_sdk import BinanceClient
from binance_sdk.books import LiveBook
from binance_sdk.errors import APIError, BinanceError, ParameterError, shown
from virtuoso_binance import calls, convert, listings, market_data, sentiment
from virtuoso_binance.arguments import read_rows, read_span, read_symbols
from virtuoso_binance.errors import ErrorBridge, translated
from virtuoso_binance.health.observing import observe_candles, observe_failure, observe_part, observe_parts
from virtuoso_binance.parts import LONG_SHORT_RATIO, OPEN_INTEREST, ORDER_BOOK, PREMIUM, TRADES, Part
from virtuoso_binance.scalars import Row, milliseconds
from virtuoso_binance.streaming import Streaming
from virtuoso_binance.streaming.changes import OnStreamChange
from virtuoso_binance.streaming.liquidations import LiquidationsBySymbol
from virtuoso_binance.symbols import Listed, MarketName, SymbolLike
from virtuoso_binance.tickers import TickerTable
from virtuoso_binance.timeframes import Timeframe, kline_interval, statistics_period

if TYPE_CHECKING:
    from virtuoso_binance.session import Session

__all__ = ["FetchMethods"]

T = TypeVar("T")

Moment = int | float | datetime | None

_LIMIT_BELOW = 10**10
"""A second positional argument below this is a limit: as a time it would lie in April 1970."""
_INVALID_SYMBOL = -1121
_CATEGORIES: Mapping[str, MarketName] = {"linear": "usdm", "swap": "usdm", "future": "usdm", "spot": "spot"}


class FetchMethods:
    """Mixed into the exchange class. Symbols in any spelling; results carry ``BTCUSDT``."""

    binance_errors: ErrorBridge
    _binance: Session
    _binance_on_stream_change: OnStreamChange | None = None
    _liquidations: LiquidationsBySymbol
    markets: dict[str, Row]
    symbols: set[str]

    # -------------------------------------------------------------------------------------- symbols

    async def _listed(self, symbol: SymbolLike) -> Listed:
        listed = await self._binance.resolve(symbol)
        self._take_listing()
        return listed

    async def _perpetual(self, symbol: SymbolLike) -> Listed | None:
        """The contract of a symbol; None where there is only a spot market."""
        listed = await self._listed(symbol)
        return listed if listed.market == "usdm" else None

    async def _fetch(self, part: Part[T], listed: Listed, rows: int | None = None) -> T:
        client = await self._binance.client()
        value = await part.request(client, listed, part.rows if rows is None else rows).send()
        observe_part(self._binance.observations, part, value, self._binance.now_ms(listed.market))
        return value

    async def _fetch_of_perpetual(self, part: Part[T], symbol: SymbolLike) -> T | None:
        """None where there is only a spot market."""
        contract = await self._perpetual(symbol)
        if contract is None:
            return None
        return await self._fetch(part, contract)

    async def _streaming(self) -> Streaming:
        """The streams of the running loop.

        Raises:
            ConfigError: closed, or switched off by the configuration.
        """
        session = self._binance

        def make(client: BinanceClient) -> Streaming:
            return Streaming(
                client,
                session.now_ms,
                liquidations=self._liquidations,
                kinds=session.settings.section.streaming,
                on_change=self._binance_on_stream_change,
                # Monotonic, and that by which everything else of this loop waits.
                clock=asyncio.get_running_loop().time,
                websocket=session.settings.section.websocket,
            )

        return await session.attached(Streaming, make)

    async def _live_book(self, listed: Listed) -> LiveBook | None:
        """The live order book of a symbol, if the configuration wants such books and this one is synced."""
        if "order_books" not in self._binance.settings.section.streaming:
            return None
        return (await self._streaming()).books.book(listed)

    def note_failure(self, error: BinanceError) -> None:
        """Count it. A symbol that was delisted since the list came is asked for once; then the list is renewed."""
        observe_failure(self._binance.observations, error, self._binance.now_ms())
        if isinstance(error, APIError) and error.code == _INVALID_SYMBOL:
            self._binance.doubt()

    def _take_listing(self) -> None:
        raise NotImplementedError

    def _streamed_liquidations(self, plain: str) -> object:
        raise NotImplementedError

    # --------------------------------------------------------------------------------------- prices

    @translated
    async def fetch_ticker(self, symbol: SymbolLike, params: object = None) -> Row:
        """Ticker with quotes, funding and open interest. Raises for unknown symbols."""
        listed, client = await self._listed(symbol), await self._binance.client()
        parts = await market_data.fetch_ticker_parts(client, listed)
        observe_parts(self._binance.observations, parts, self._binance.now_ms(listed.market))
        return market_data.ticker_row(parts)

    @translated
    async def fetch_tickers(
        self, symbols: Iterable[SymbolLike] | None = None, params: object = None, *, category: str | None = None
    ) -> TickerTable:
        """Tickers as a list that answers like a mapping too.

        Args:
            symbols: Only these, in any spelling; by default all that the configuration wants listed.
            params: Not read.
            category: ``linear`` for perpetuals only, ``spot`` for spot only.
        """
        if symbols is not None:
            return await listings.tickers_of(self._binance, read_symbols(symbols))
        name: object = category
        market = _CATEGORIES.get(name.lower()) if isinstance(name, str) else None
        if category is not None and market is None:
            known = ", ".join(_CATEGORIES)
            raise ParameterError(
                f"category={shown(category)} is not supported; use one of {known}", parameter="category"
            )
        return await listings.bulk_tickers(self._binance, market)

    @translated
    async def fetch_market_tickers(self) -> list[Row]:
        """Rows like those of ``get_markets()``."""
        return await listings.market_rows(self._binance)

    @translated
    async def fetch_order_book(self, symbol: SymbolLike, limit: int | None = None, params: object = None) -> Row:
        """Order book of at most ``limit`` levels a side, by default 100.

        With ``order_books`` in ``streaming`` of the configuration it costs nothing wherever a live book is synced.
        """
        levels = ORDER_BOOK.rows if limit is None else read_rows(limit)
        listed = await self._listed(symbol)
        live = await self._live_book(listed)
        if live is not None:
            found = convert.live_order_book(live, self._binance.now_ms(listed.market), levels)
            if found is not None:
                self._binance.observations.of("book").note(found["timestamp"], data_time=found["timestamp"])
                return found
        book = await self._fetch(ORDER_BOOK, listed, levels)
        return convert.order_book(book, listed.symbol, received=self._binance.now_ms(listed.market), limit=levels)

    @translated
    async def fetch_trades(
        self, symbol: SymbolLike, since: Moment = None, limit: int | None = None, params: object = None
    ) -> list[Row]:
        """The newest trades, at most 1000, oldest first.

        Args:
            symbol: The symbol.
            since: Leave out older ones; an int below 10**10 is taken as the limit where none is given.
            limit: How many.
            params: Not read.
        """
        if limit is None and isinstance(since, int) and since < _LIMIT_BELOW:
            limit, since = since, None
        size = min(500 if limit is None else read_rows(limit), TRADES.most)
        listed = await self._listed(symbol)
        trades = await self._fetch(TRADES, listed, size)
        return convert.trade_rows(trades, listed.symbol, since=milliseconds(since))

    @translated
    async def fetch_ohlcv(
        self,
        symbol: SymbolLike,
        timeframe: Timeframe = "1m",
        since: Moment = None,
        limit: int | None = None,
        params: object = None,
    ) -> list[convert.Candle]:
        """``[ms, open, high, low, close, volume]`` for each candle, oldest first, in as many pages as it takes."""
        count, interval = (
            None if limit is None else read_rows(limit),
            kline_interval(timeframe),
        )
        listed, client = await self._listed(symbol), await self._binance.client()
        start = milliseconds(since)
        rows = await calls.klines(client, listed, interval, start=start, limit=count)
        if start is None:
            observe_candles(self._binance.observations, rows, interval, self._binance.now_ms(listed.market))
        return convert.ohlcv_rows(rows)

    @translated
    async def fetch_historical_klines(
        self,
        symbol: SymbolLike,
        interval: Timeframe = "1m",
        start_time: Moment = None,
        end_time: Moment = None,
        limit: int | None = None,
    ) -> list[convert.Candle]:
        """Candles that open between two times, as ``fetch_ohlcv`` gives them."""
        count, length = None if limit is None else read_rows(limit), kline_interval(interval)
        listed, client = await self._listed(symbol), await self._binance.client()
        start, end = milliseconds(start_time), milliseconds(end_time)
        return convert.ohlcv_rows(await calls.klines(client, listed, length, start=start, end=end, limit=count))

    # ------------------------------------------------------------------------------------ contracts

    @translated
    async def fetch_funding_rate(self, symbol: SymbolLike) -> Row | None:
        """Funding as a fraction, with the time it is due; None without a perpetual."""
        premium = await self._fetch_of_perpetual(PREMIUM, symbol)
        return None if premium is None else sentiment.funding_now(premium)

    @translated
    async def fetch_funding_rate_history(
        self, symbol: SymbolLike, start_time: Moment = None, end_time: Moment = None, limit: int = 200
    ) -> Row:
        """Past funding, newest first."""
        listed, count, now = (
            await self._listed(symbol),
            read_rows(limit),
            self._binance.now_ms(),
        )
        events = []
        if listed.market == "usdm":
            client = await self._binance.client()
            start, end = milliseconds(start_time), milliseconds(end_time)
            events = await calls.funding_events(client, listed.symbol, start=start, end=end, limit=count)
        return sentiment.funding_history(events, listed.symbol, now)

    @translated
    async def fetch_open_interest(self, symbol: SymbolLike) -> Row | None:
        """Open interest in base units; None without a perpetual."""
        interest = await self._fetch_of_perpetual(OPEN_INTEREST, symbol)
        return None if interest is None else sentiment.open_interest_now(interest)

    @translated
    async def fetch_open_interest_history(
        self, symbol: SymbolLike, interval: Timeframe = "5min", limit: int = 200
    ) -> Row:
        """Real open interest by period, newest first; an empty history without a perpetual."""
        period, count = statistics_period(interval), read_rows(limit)
        contract = await self._perpetual(symbol)
        if contract is None:
            return {"history": []}
        now = self._binance.now_ms("usdm")
        rows = await calls.open_interest(await self._binance.client(), contract.symbol, period, count)
        history = sentiment.oi_history(rows, count)
        return {"history": history, "symbol": contract.symbol, "interval": str(interval), "timestamp": now}

    @translated
    async def fetch_long_short_ratio(self, symbol: SymbolLike) -> Row | None:
        """Long and short accounts in percent; None without a perpetual, or without a ratio of it."""
        rows = await self._fetch_of_perpetual(LONG_SHORT_RATIO, symbol)
        return sentiment.long_short(rows[-1]) if rows else None

    @translated
    async def fetch_premium_index_kline(
        self, symbol: SymbolLike, interval: Timeframe = "5", limit: int = 200
    ) -> Row | None:
        """Premium index candles, newest first, with a signal; None without a perpetual."""
        from virtuoso_binance.frames import premium_frame

        length, count = kline_interval(interval), read_rows(limit)
        contract = await self._perpetual(symbol)
        if contract is None:
            return None
        pages = (await self._binance.client()).futures.iter_premium_index_klines
        rows = await calls.price_klines(pages, contract.symbol, length, count)
        return premium_frame(rows, contract.symbol, str(interval), self._binance.now_ms("usdm"))

    @translated
    async def fetch_mark_price_kline(self, symbol: SymbolLike, interval: Timeframe = "1", limit: int = 1) -> Row | None:
        """Mark price candles, oldest first; None without a perpetual."""
        from virtuoso_binance.frames import mark_price_frame

        length, count = kline_interval(interval), read_rows(limit)
        contract = await self._perpetual(symbol)
        if contract is None:
            return None
        pages = (await self._binance.client()).futures.iter_mark_price_klines
        rows = await calls.price_klines(pages, contract.symbol, length, count)
        return mark_price_frame(rows, contract.symbol, str(interval))

    @translated
    async def calculate_taker_buy_sell_ratio(
        self, symbol: SymbolLike, limit: int = 1000, lookback_seconds: float = 300
    ) -> Row:
        """Taker volume of the last seconds, bought against sold, out of the newest ``limit`` trades."""
        size, seconds = (
            min(read_rows(limit), TRADES.most),
            read_span(lookback_seconds, "lookback_seconds"),
        )
        listed = await self._listed(symbol)
        trades = await self._fetch(TRADES, listed, size)
        rows = convert.trade_rows(trades, listed.symbol)
        return sentiment.taker_ratio(rows, self._binance.now_ms(listed.market), seconds)

    @translated
    async def fetch_risk_limits(self, symbol: SymbolLike) -> Row:
        """What is known without a signed request: nothing, in the shape of an exchange without risk limits."""
        listed = await self._listed(symbol)
        return {"symbol": listed.symbol, "riskLimits": [], "levels": [], "timestamp": self._binance.now_ms()}

    # ---------------------------------------------------------------------------------------- lists

    @translated
    async def load_markets(self, reload: bool = False) -> dict[str, Row]:
        """All symbols that the configuration wants listed, by symbol; kept in ``markets``."""
        await self._binance.listing(fresh=reload)
        self._take_listing()
        return self.markets

    @translated
    async def fetch_markets(self) -> list[Row]:
        """The same as a list, with the limits of price, amount and cost."""
        await self._binance.listing()
        self._take_listing()
        return list(self.markets.values())

    @translated
    async def fetch_time(self) -> int:
        """The time at the exchange, in milliseconds."""
        client = await self._binance.client()
        market = client.spot if self._binance.main_market == "spot" else client.futures
        return (await market.time()).server_time

    async def get_orderbook(self, symbol: SymbolLike, limit: int | None = None) -> Row:
        """As ``fetch_order_book``."""
        return await self.fetch_order_book(symbol, limit)

    async def get_ticker(self, symbol: SymbolLike) -> Row:
        """As ``fetch_ticker``."""
        return await self.fetch_ticker(symbol)

    # ---------------------------------------------------------------------------------- market data

    @translated
    async def get_markets(self) -> list[Row]:
        """One row with price and volume for each symbol that the configuration wants listed."""
        return await listings.market_rows(self._binance)

    @translated
    async def fetch_market_data(self, symbol: SymbolLike, limit: int | None = None) -> Row:
        """Everything Virtuoso's analysis reads about a symbol; see ``virtuoso_binance.market_data``.

        What ``streaming`` in the configuration names comes from streams, from the first call for a symbol on and
        wherever they are known to be true: ``metadata["streamed"]`` says what did, ``metadata["stalled"]`` why other
        parts had to be asked for again.

        Args:
            symbol: The symbol.
            limit: Trades and book levels wished for; never below what the analysis needs.
        """
        count = None if limit is None else read_rows(limit)
        listed, client = await self._listed(symbol), await self._binance.client()
        feed = (await self._streaming()).feed if self._binance.settings.section.streaming else None
        parts = await market_data.fetch_parts(client, listed, count, feed)
        observe_parts(self._binance.observations, parts, self._binance.now_ms(listed.market))
        liquidations = self._streamed_liquidations(listed.symbol)
        # Building frames is a few milliseconds of pure work; other calls get their turn before it.
        await asyncio.sleep(0)
        now = self._binance.now_ms(listed.market)
        return market_data.assemble(parts, now, streamed_liquidations=liquidations, limit=count)
