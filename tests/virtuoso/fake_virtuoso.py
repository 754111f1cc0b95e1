"""A stand-in for Virtuoso's base module, factory and manager, written after the contract, defects included.

What the contract says the real ones do to an exchange, these do: the base's health checks ask for paths that Binance
does not have, its ``close`` empties everything, its ``recover_connection`` never calls ``initialize``, and the manager
closes every aiohttp session of the process when it is done.
"""

from __future__ import annotations

import gc
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp


class ExchangeError(Exception):
    """Base of the errors."""


class NetworkError(ExchangeError):
    """No connection."""


class TimeoutError(NetworkError):  # noqa: A001 - the name is Virtuoso's
    """Too late."""


class AuthenticationError(ExchangeError):
    """Not allowed."""


class RateLimitError(ExchangeError):
    """Too much."""

    def __init__(self, message: str, retry_after: float = 60) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass
class Ticker:
    symbol: str
    timestamp: datetime
    high: float
    low: float
    rest: dict[str, float]


@dataclass
class OrderBook:
    symbol: str
    timestamp: datetime
    bids: list[list[float]]
    asks: list[list[float]]
    info: dict[str, Any] = field(default_factory=dict)


_NUMERIC = [
    "bid",
    "bidVolume",
    "ask",
    "askVolume",
    "vwap",
    "open",
    "close",
    "last",
    "previousClose",
    "change",
    "percentage",
    "average",
    "baseVolume",
    "quoteVolume",
]


class BaseExchange(ABC):
    def __init__(self, config: dict[str, Any], error_handler: Any = None) -> None:
        self.config = config
        self.error_handler = error_handler
        market_data = config.get("market_data", {})
        self.update_interval = market_data.get("update_interval", 1.0)
        self.exchange_id = None
        self.initialized = False
        self.markets: dict[str, Any] = {}
        self.symbols: set[str] = set()
        self.timeframes: dict[str, Any] = {}
        self.api_urls: dict[str, str] = {}
        self.ws_endpoints: dict[str, str] = {}
        self.options = {"timeout": 30000, "rateLimit": 100}
        self.session: Any = None
        self.ws = None
        self._is_healthy = False
        self._last_health_check = 0
        self._health_check_interval = 60
        self.min_required_candles = {"1": 1000, "5": 200, "30": 200, "240": 200}
        self.pagination_limits = {"trades": 1000, "orders": 500, "positions": 200, "ohlcv": 1000}
        self.waits: list[int] = []

    @abstractmethod
    async def initialize(self) -> bool: ...

    @abstractmethod
    async def health_check(self) -> bool: ...

    @abstractmethod
    def sign(self, method: Any, path: Any, params: Any = None, headers: Any = None, body: Any = None) -> Any: ...

    @abstractmethod
    def parse_trades(self, response: Any) -> Any: ...

    @abstractmethod
    def parse_orderbook(self, response: Any) -> Any: ...

    @abstractmethod
    def parse_ticker(self, response: Any) -> Any: ...

    @abstractmethod
    def parse_ohlcv(self, response: Any) -> Any: ...

    @abstractmethod
    def parse_balance(self, response: Any) -> Any: ...

    @abstractmethod
    def parse_order(self, response: Any) -> Any: ...

    @abstractmethod
    async def connect_ws(self) -> bool: ...

    @abstractmethod
    async def subscribe_ws(self, channels: Any, symbols: Any, callback: Any) -> bool: ...

    @abstractmethod
    async def get_markets(self) -> Any: ...

    @abstractmethod
    async def fetch_market_data(self, symbol: str) -> Any: ...

    async def is_healthy(self) -> bool:
        return bool(await self.public_request(f"{self.api_urls['public']}/time"))

    async def check_health(self) -> bool:
        return bool(await self.public_request("/v5/market/time"))

    async def public_request(self, path: str) -> Any:
        raise AssertionError(f"the base asked for {path}, which Binance does not have")

    async def init(self) -> bool:
        raise AssertionError("the base opens an aiohttp session here")

    async def close(self) -> None:
        raise AssertionError("the base closes its session and forgets everything here")

    async def recover_connection(self) -> bool:
        for attempt in range(3):
            await self.close()
            self.waits.append(5 * (attempt + 1))
            await self.init()
            if await self.health_check():
                return True
        return False

    def validate_symbol(self, symbol: str) -> None:
        if symbol not in self.symbols:
            raise ValueError(f"unknown symbol {symbol}")

    def validate_timeframe(self, timeframe: str) -> None:
        if timeframe not in self.timeframes:
            raise ValueError(f"unknown timeframe {timeframe}")

    def validate_market_data(self, market_data: Any) -> None:
        raise AssertionError("the base only warns, about layouts that are right")

    async def fetch_timeframe_data(self, symbol: str, interval: str) -> Any:
        limit = self.min_required_candles[interval]
        rows = await self.fetch_ohlcv(symbol=symbol, timeframe=interval, limit=limit)  # type: ignore[attr-defined]
        return rows if len(rows) >= limit else None

    def standardize_response(self, response: Any, kind: str) -> Any:
        parsers: dict[str, Callable[[Any], Any]] = {
            "trades": self.parse_trades,
            "orderbook": self.parse_orderbook,
            "ticker": self.parse_ticker,
            "ohlcv": self.parse_ohlcv,
        }
        if kind not in parsers:
            raise ValueError(f"unknown kind {kind}")
        return convert(parsers[kind](response), kind)


def convert(parsed: Any, kind: str) -> Any:
    if kind == "ticker":
        rest = {name: parsed[name] for name in _NUMERIC if name in parsed}
        if parsed["high"] < parsed["low"] or not all(isinstance(value, float) for value in rest.values()):
            raise ValueError(f"bad ticker {parsed}")
        return Ticker(parsed["symbol"], _time(parsed), parsed["high"], parsed["low"], rest)
    if kind == "orderbook":
        for side in ("bids", "asks"):
            if not parsed[side] or not all(len(level) == 2 and min(level) > 0 for level in parsed[side]):
                raise ValueError(f"bad {side}")
        return OrderBook(parsed["symbol"], _time(parsed), parsed["bids"], parsed["asks"])
    raise ValueError(f"the converter does not know {kind}")


def _time(parsed: Any) -> datetime:
    return datetime.fromtimestamp(parsed["timestamp"] / 1000)


class TheirBinance(BaseExchange):
    """Whatever Virtuoso builds without us."""

    async def initialize(self) -> bool:
        return True


for _name in BaseExchange.__abstractmethods__ - {"initialize"}:
    setattr(TheirBinance, _name, lambda self, *args, **kwargs: None)
TheirBinance.__abstractmethods__ = frozenset()


class ExchangeFactory:
    @staticmethod
    async def create_exchange(exchange_id: str, section: dict[str, Any]) -> BaseExchange | None:
        websocket = section.get("websocket")
        if websocket is not None:
            websocket.setdefault("mainnet_endpoint", websocket.get("public"))
            websocket.setdefault("testnet_endpoint", section.get("testnet_endpoint"))
        exchange = TheirBinance({"exchanges": {exchange_id: section}})
        exchange.exchange_id = "ccxt" if section.get("use_ccxt") else exchange_id  # type: ignore[assignment]
        return exchange if await exchange.initialize() else None


async def close_every_session() -> None:
    """Close what the manager finds, its own or not."""
    for found in gc.get_objects():
        # isinstance() would ask a weak proxy for its class, and fail where its object is gone.
        if issubclass(type(found), aiohttp.ClientSession | aiohttp.TCPConnector):
            await found.close()


class ExchangeManager:
    """The parts of the manager that touch an exchange."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.exchanges: dict[str, Any] = {}

    async def initialize(self) -> bool:
        for exchange_id, section in self.config["exchanges"].items():
            if section.get("enabled"):
                exchange = await ExchangeFactory.create_exchange(exchange_id, section)
                if exchange is not None:
                    self.exchanges[exchange_id] = exchange
        await close_every_session()
        return bool(self.exchanges)

    async def get_market_data(self, symbol: str, exchange_id: str, limit: int | None = None) -> dict[str, Any]:
        try:
            return {exchange_id: await self.exchanges[exchange_id].fetch_market_data(symbol, limit)}
        except Exception as error:  # noqa: BLE001 - as the real one does it
            return {exchange_id: {"error": str(error)}}

    async def healthy(self, exchange_id: str) -> bool:
        status = await self.exchanges[exchange_id].fetch_status()
        return bool(status.get("online", False)) if isinstance(status, dict) else True

    async def ping(self, exchange_id: str) -> str:
        return "healthy" if await self.exchanges[exchange_id].is_healthy() else "degraded"

    async def close(self) -> None:
        for exchange in self.exchanges.values():
            for name in ("ccxt", "ccxt_exchange", "integrated_client", "futures_client"):
                if hasattr(exchange, name):
                    await getattr(exchange, name).close()
            await exchange.close()
