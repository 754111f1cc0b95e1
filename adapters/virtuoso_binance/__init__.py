"""Binance's public market data as an exchange of Virtuoso.

``register`` puts it into Virtuoso's factory, ``make_exchange_class`` makes the class alone; neither needs Virtuoso to
be imported. The page ``docs/virtuoso.md`` says how it is installed, configured, and switched off again.
"""

from virtuoso_binance.base_exchange import BaseExchange
from virtuoso_binance.config import Settings, Validation, load_config, load_settings, validate
from virtuoso_binance.errors import InvalidSymbolError, NoSourceError, OutOfScopeError
from virtuoso_binance.exchange import make_exchange_class
from virtuoso_binance.large_trades import LargeTradeMonitor, LargeTradeWatch, Thresholds
from virtuoso_binance.polling import BinanceDataFetcher
from virtuoso_binance.positioning import fetch_positioning
from virtuoso_binance.registration import register, unregister
from virtuoso_binance.sources import CcxtSource, MarketDataSource, make_market_data_source

__all__ = [
    "BaseExchange",
    "BinanceDataFetcher",
    "CcxtSource",
    "InvalidSymbolError",
    "LargeTradeMonitor",
    "LargeTradeWatch",
    "MarketDataSource",
    "NoSourceError",
    "OutOfScopeError",
    "Settings",
    "Thresholds",
    "Validation",
    "fetch_positioning",
    "load_config",
    "load_settings",
    "make_exchange_class",
    "make_market_data_source",
    "register",
    "unregister",
    "validate",
]
