"""A base class with the abstract surface of Virtuoso's ``BaseExchange``, for use without Virtuoso.

    BinanceExchange = make_exchange_class(BaseExchange, {})
    exchange = BinanceExchange()
    await exchange.initialize()

Only what the adapter and its callers need is here: the attributes, the thirteen abstract methods and three checks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from virtuoso_binance.scalars import Row

__all__ = ["ABSTRACT", "BaseExchange"]


class BaseExchange(ABC):
    """What every exchange of Virtuoso has.

    Args:
        config: ``{"exchanges": {"binance": {...}}}``.
        error_handler: Kept for whoever looks for it.
    """

    def __init__(self, config: Mapping[str, Any], error_handler: Any = None) -> None:
        self.config = config
        self.error_handler = error_handler
        self.exchange_id: str | None = None
        self.initialized = False
        self.markets: dict[str, Row] = {}
        self.symbols: set[str] = set()
        self.timeframes: dict[str, str] = {}
        self.api_key = ""
        self.api_urls: dict[str, str] = {}
        self.ws_endpoints: dict[str, str] = {}
        self.options: dict[str, Any] = {}
        self.min_required_candles: dict[str, int] = {"1": 1000, "5": 200, "30": 200, "240": 200}
        self._is_healthy = False
        self._last_health_check = 0.0

    @abstractmethod
    async def initialize(self) -> bool:
        """Make it ready; False where that did not work."""

    @abstractmethod
    async def health_check(self) -> bool:
        """Whether the exchange answers."""

    @abstractmethod
    def sign(
        self, method: str, path: str, params: Any = None, headers: Any = None, body: Any = None
    ) -> tuple[str, Any, Any, Any]:
        """Sign a request."""

    @abstractmethod
    def parse_trades(self, response: Any) -> list[Row]:
        """A raw answer in Virtuoso's words."""

    @abstractmethod
    def parse_orderbook(self, response: Any) -> Row:
        """A raw answer in Virtuoso's words."""

    @abstractmethod
    def parse_ticker(self, response: Any) -> Row:
        """A raw answer in Virtuoso's words."""

    @abstractmethod
    def parse_ohlcv(self, response: Any) -> list[list[int | float]]:
        """A raw answer in Virtuoso's words."""

    @abstractmethod
    def parse_balance(self, response: Any) -> Row:
        """A raw answer in Virtuoso's words."""

    @abstractmethod
    def parse_order(self, response: Any) -> Row:
        """A raw answer in Virtuoso's words."""

    @abstractmethod
    def connect_ws(self) -> Coroutine[Any, Any, bool]:
        """Open the WebSocket; False where there is none."""

    @abstractmethod
    def subscribe_ws(
        self, channels: Any, symbols: Any = None, callback: Callable[..., Any] | None = None
    ) -> Coroutine[Any, Any, bool]:
        """Subscribe; True only where it really happened."""

    @abstractmethod
    def get_markets(self) -> Coroutine[Any, Any, list[Row]]:
        """One row for each symbol."""

    @abstractmethod
    def fetch_market_data(self, symbol: Any, limit: int | None = None) -> Coroutine[Any, Any, Row]:
        """Everything about one symbol."""

    def validate_timeframe(self, timeframe: str) -> None:
        """Raises:
        ValueError: it is unknown.
        """
        if timeframe not in self.timeframes:
            raise ValueError(f"timeframe {timeframe!r} is unknown; use one of {', '.join(self.timeframes)}")

    def validate_limit(self, limit: int | None, max_limit: int = 1000) -> None:
        """Raises:
        ValueError: it is not an int from 1 to ``max_limit``.
        """
        if limit is not None and (isinstance(limit, bool) or not 0 < limit <= max_limit):
            raise ValueError(f"limit={limit!r} must be from 1 to {max_limit}")


ABSTRACT = frozenset(BaseExchange.__abstractmethods__)
"""Names of the thirteen."""
