"""Any exchange that CCXT knows as a source of ``market_data``: with the extra ``ccxt``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from time import time
from typing import Any

from binance_sdk.errors import BinanceError, ConfigError
from virtuoso_binance.assembling import HOUR, Known, market_data_of
from virtuoso_binance.calls import book_limit
from virtuoso_binance.errors import InvalidSymbolError
from virtuoso_binance.scalars import Row, positive, read_count
from virtuoso_binance.sentiment import volatility_of
from virtuoso_binance.session import LISTING_AT_MOST_EVERY, LISTING_HOLDS
from virtuoso_binance.sources import ccxt_rows
from virtuoso_binance.sources.ccxt_library import (
    CcxtError,
    checked_options,
    class_of,
    paced,
    symbols_of,
    time_there,
    translated,
)
from virtuoso_binance.symbols import MarketName, Spelling, SymbolLike, read_symbol
from virtuoso_binance.timeframes import FRAMES, interval_ms

__all__ = ["CcxtSource"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

_LEVELS, _TRADES, _PERIODS, _PREMIUMS = 100, 1000, 200, 99
_LEAST_LEVELS, _LEAST_TRADES = 25, 100
_MOST_LEVELS, _MOST_TRADES = 500, 1000


@dataclass(frozen=True, slots=True)
class _Ways:
    """What is special about one exchange of CCXT's.

    Args:
        options: Options of its class: only markets that are served are loaded.
        trades: Parameters of the call for trades, by market.
        most: Rows that it gives at most of book and trades, by market, where that is below what is wanted.
        levels: The depth to ask for so many levels.
        paths: Paths below the configured addresses of spot and futures, by the name CCXT has for them.
    """

    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    trades: Mapping[MarketName, Mapping[str, Any]] = field(default_factory=dict[MarketName, Mapping[str, Any]])
    most: Mapping[MarketName, tuple[int, int]] = field(default_factory=dict[MarketName, tuple[int, int]])
    levels: Callable[[int], int] = int
    paths: Mapping[str, str] = field(default_factory=dict[str, str])


_LINEAR = {"fetchMarkets": {"types": ["spot", "linear"]}}
_WAYS: Mapping[str, _Ways] = {
    "binance": _Ways(
        options={**_LINEAR, "fetchCurrencies": False},
        # Single trades and not aggregates, as our own class gives them.
        trades={
            "usdm": {"fetchTradesMethod": "fapiPublicGetTrades"},
            "spot": {"fetchTradesMethod": "publicGetTrades"},
        },
        levels=book_limit,
        paths={
            "public": "/api/v3", "fapiPublic": "/fapi/v1", "fapiPublicV2": "/fapi/v2", "fapiData": "/futures/data",
        },
    ),
    "bybit": _Ways(options=_LINEAR, most={"spot": (200, 60)}),
}  # fmt: skip


class CcxtSource:
    """One exchange through CCXT, with CCXT's own rate limiter.

    Symbols mean the linear perpetual where there is one, else spot, as everywhere here.

    Args:
        exchange_id: CCXT's name of it, e.g. ``bybit``.
        spot_url: Another address for spot, and where there is no other for all.
        futures_url: Another address for futures.
        testnet: Ask its testnet.
        requests_per_second: A limit of one's own, whatever CCXT counts for a request; CCXT's holds besides.
        options: Settings of CCXT's class, e.g. ``{"timeout": 10_000}``; credentials and other rates are refused.
        now: The local wall clock, in seconds.

    Raises:
        ConfigError: CCXT is not installed, does not know the exchange, or a setting cannot be used.
    """

    def __init__(
        self,
        exchange_id: str,
        *,
        spot_url: str | None = None,
        futures_url: str | None = None,
        testnet: bool = False,
        requests_per_second: float | None = None,
        options: Mapping[str, Any] | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        self.exchange_id = exchange_id
        self._make = class_of(exchange_id)
        self._options = checked_options(exchange_id, {} if options is None else options, self._make)
        self._ways = _WAYS.get(exchange_id, _Ways())
        self._urls = (spot_url, futures_url)
        self._testnet, self._pace = testnet, requests_per_second
        self._now = now or time
        self._exchange: Any = None
        self._listed: dict[tuple[MarketName, str], str] = {}
        self._listed_at = self._tried_at = 0.0
        self._opening, self._renewing = asyncio.Lock(), asyncio.Lock()

    # ----------------------------------------------------------------------------------- life cycle

    async def initialize(self) -> bool:
        """Learn the symbols.

        Raises:
            CcxtError: the exchange did not answer.
        """
        async with self._opening:
            if self._exchange is not None:
                return True
            exchange = self._new()
            try:
                markets: Mapping[str, Mapping[str, Any]] = await translated(
                    self.exchange_id, exchange.load_markets(), "markets"
                )
            except BaseException:
                await exchange.close()
                raise
            self._listed = dict(symbols_of(markets))
            self._listed_at = self._tried_at = self._now()
            self._exchange = exchange
        return True

    async def _renew(self, exchange: Any, holds: float) -> None:
        """Learn the symbols anew where that was ``holds`` seconds ago; old ones serve better than none."""
        async with self._renewing:
            now = self._now()
            if 0 <= now - self._listed_at < holds or 0 <= now - self._tried_at < LISTING_AT_MOST_EVERY:
                return
            self._tried_at = now
            try:
                markets = await translated(self.exchange_id, exchange.fetch_markets(), "markets")
                found = dict(symbols_of({market["symbol"]: market for market in markets}))
                gone = {market for market, _ in self._listed} - {market for market, _ in found}
                if gone:
                    raise CcxtError(f"{self.exchange_id} lists nothing of {', '.join(sorted(gone))} any more")
            except BinanceError as error:
                logger.warning("the symbols of %s could not be renewed: %s", self.exchange_id, error)
            else:
                exchange.set_markets(markets)
                self._listed, self._listed_at = found, now

    def _new(self) -> Any:
        given = {**self._options, "enableRateLimit": True}
        given["options"] = {**self._ways.options, **self._options.get("options", {})}
        exchange = self._make(given)
        if self._pace is not None:
            exchange.throttle = paced(exchange.throttle, self._pace)
        if self._testnet:
            exchange.set_sandbox_mode(True)
        spot, futures = self._urls
        if spot is not None or futures is not None:
            api: dict[str, Any] = exchange.urls["api"]
            paths = self._ways.paths or dict.fromkeys(api, "")
            for name, path in paths.items():
                base = futures if name.startswith("fapi") or spot is None else spot
                if base is not None:
                    api[name] = base.rstrip("/") + path
        return exchange

    async def close(self) -> None:
        """Close the connections; ``initialize`` opens them again. Twice does no harm."""
        async with self._opening:
            exchange, self._exchange = self._exchange, None
            if exchange is not None:
                await exchange.close()

    def _open_exchange(self) -> Any:
        exchange = self._exchange
        if exchange is None:
            raise ConfigError(f"the source {self.exchange_id} is closed; await initialize() opens it")
        if exchange.asyncio_loop not in (None, asyncio.get_running_loop()):
            raise ConfigError(f"the source {self.exchange_id} belongs to another event loop; make one in this loop")
        if exchange.session is not None and exchange.session.closed:
            # Virtuoso's manager closes every aiohttp session of the process when it is done.
            exchange.session = exchange.tcp_connector = None
        return exchange

    # ---------------------------------------------------------------------------------- market data

    async def fetch_market_data(self, symbol: SymbolLike, limit: int | None = None) -> Row:
        """Everything Virtuoso's analysis reads about a symbol, as far as CCXT and the exchange have it.

        Args:
            symbol: In any spelling.
            limit: Trades and book levels wished for; never below what the analysis needs.

        Raises:
            InvalidSymbolError: the exchange does not list it, or it cannot be read.
            CcxtError: there is no ticker.
        """
        count = None if limit is None else read_count(limit, "limit")
        exchange, spelling = self._open_exchange(), read_symbol(symbol)
        await self._renew(exchange, LISTING_HOLDS)
        try:
            market, unified = self._find(spelling)
        except InvalidSymbolError:
            # It may have been listed since.
            await self._renew(exchange, LISTING_AT_MOST_EVERY)
            market, unified = self._find(spelling)
        answers, errors = await self._fetch(exchange, market, unified, count)
        if "ticker" in errors:
            if isinstance(errors["ticker"], CcxtError):
                # It may have been delisted since, which each exchange says in words of its own.
                await self._renew(exchange, LISTING_AT_MOST_EVERY)
                self._find(spelling)
            raise errors["ticker"]
        now = time_there(exchange.last_response_headers, round(self._now() * 1000))
        reasons = {name: str(error) for name, error in errors.items()}
        return market_data_of(_known(self.exchange_id, spelling.plain, market, answers, reasons, now), now)

    def _find(self, spelling: Spelling) -> tuple[MarketName, str]:
        markets: tuple[MarketName, ...] = ("usdm",) if spelling.perpetual else ("usdm", "spot")
        for market in markets:
            unified = self._listed.get((market, spelling.plain))
            if unified is not None:
                return market, unified
        where = "as a linear perpetual" if spelling.perpetual else "as a linear perpetual or on spot"
        raise InvalidSymbolError(spelling.plain, f"not listed on {self.exchange_id} {where}")

    async def _fetch(
        self, exchange: Any, market: MarketName, unified: str, limit: int | None
    ) -> tuple[dict[str, Any], dict[str, BinanceError]]:
        levels = _LEVELS if limit is None else min(max(limit, _LEAST_LEVELS), _MOST_LEVELS)
        trades = _TRADES if limit is None else min(max(limit, _LEAST_TRADES), _MOST_TRADES)
        most_levels, most_trades = self._ways.most.get(market, (levels, trades))
        of_trades = dict(self._ways.trades.get(market, {}))
        calls: dict[str, tuple[str, Callable[[], Awaitable[Any]]]] = {
            "ticker": ("fetchTicker", partial(exchange.fetch_ticker, unified)),
            "orderbook": (
                "fetchOrderBook",
                partial(exchange.fetch_order_book, unified, self._ways.levels(min(levels, most_levels))),
            ),
            "trades": (
                "fetchTrades",
                partial(exchange.fetch_trades, unified, None, min(trades, most_trades), of_trades),
            ),
        }
        for name, (interval, rows) in FRAMES.items():
            calls[name] = ("fetchOHLCV", partial(exchange.fetch_ohlcv, unified, interval, None, rows))
        if market == "usdm":
            ratio, premium = "fetchLongShortRatioHistory", "fetchPremiumIndexOHLCV"
            calls |= {
                "funding": ("fetchFundingRate", partial(exchange.fetch_funding_rate, unified)),
                "oi_history": (
                    "fetchOpenInterestHistory",
                    partial(exchange.fetch_open_interest_history, unified, "5m", None, _PERIODS),
                ),
                "lsr": (ratio, partial(exchange.fetch_long_short_ratio_history, unified, "5m", None, 1)),
                "premium_index": (
                    premium,
                    partial(exchange.fetch_premium_index_ohlcv, unified, "5m", None, _PREMIUMS),
                ),
            }
        missing = [name for name, (feature, _) in calls.items() if not exchange.has.get(feature)]
        asked = {name: call for name, (_, call) in calls.items() if name not in missing}
        found = await asyncio.gather(
            *(translated(self.exchange_id, call(), name) for name, call in asked.items()), return_exceptions=True
        )
        answers: dict[str, Any] = {}
        errors: dict[str, BinanceError] = {
            name: CcxtError(f"CCXT has no {calls[name][0]} of {self.exchange_id}") for name in missing
        }
        for name, result in zip(asked, found, strict=True):
            if isinstance(result, BinanceError):
                errors[name] = result
            elif isinstance(result, BaseException):
                raise result
            else:
                answers[name] = result
        return answers, errors


def _known(
    exchange_id: str, symbol: str, market: MarketName, answers: Mapping[str, Any], errors: dict[str, str], now: int
) -> Known:
    """CCXT's answers in Virtuoso's words."""
    from virtuoso_binance.frames import premium_frame

    book: Row | None = None
    if "orderbook" in answers:
        try:
            book = ccxt_rows.order_book_row(answers["orderbook"], symbol, now)
        except BinanceError as error:
            errors["orderbook"] = str(error)
        else:
            if book is None:
                errors["orderbook"] = "one side of the order book is empty"
    # A ticker without a time of its own is as old as the book of the same moment.
    received = now if book is None else min(now, book["timestamp"])
    known = Known(exchange_id, symbol, market, ccxt_rows.ticker_row(answers["ticker"], symbol, received), book=book)
    known.errors = errors
    known.trades = ccxt_rows.trade_rows(answers.get("trades", ()), symbol, now - HOUR)
    known.candles = {name: ccxt_rows.plain_rows(answers.get(name, ())) for name in FRAMES}
    length = interval_ms(FRAMES["ltf"][0])
    known.volatility = volatility_of([row[4] for row in known.candles["ltf"] if row[0] + length <= now], now)
    if market == "spot":
        return known
    funding = ccxt_rows.funding_rows(answers["funding"], now) if "funding" in answers else None
    if funding is not None:
        known.funding, known.funding_rate = funding
        for names, value in ((("mark", "markPrice"), "markPrice"), (("index", "indexPrice"), "indexPrice")):
            price = positive(answers["funding"].get(value))
            if price is not None and names[0] not in known.ticker:
                known.ticker.update(dict.fromkeys(names, price))
        rate, due = known.funding_rate["rate"], known.funding_rate["next_funding_time"]
        known.ticker.update(fundingRate=rate, funding_rate=rate, nextFundingTime=due, next_funding_time=due)
    else:
        errors.setdefault("funding", "no funding is due")
    known.interest = ccxt_rows.interest_row(answers.get("oi_history", ()), symbol)
    if known.interest is None:
        errors.setdefault("oi_history", "fewer than two periods of open interest")
    else:
        amount = known.interest["current"]
        known.ticker.update(openInterest=amount, open_interest=amount)
    known.long_short = ccxt_rows.long_short_row(answers.get("lsr", ()), symbol)
    if known.long_short is None:
        errors.setdefault("lsr", "no ratio of this contract")
    # A premium has no volume.
    premiums = ccxt_rows.plain_rows([*row[:5], 0] for row in answers.get("premium_index", ()))
    if premiums:
        known.premium_index = premium_frame(premiums, symbol, "5", now)
    else:
        errors.setdefault("premium_index", "no premium of this contract")
    return known
