"""Binance's public market data, typed: spot, USDⓈ-M and COIN-M futures.

``BinanceClient`` for asyncio, ``SyncBinanceClient`` for everything else; models in ``binance_sdk.spot``,
``binance_sdk.futures`` and ``binance_sdk.coin_futures``, errors in ``binance_sdk.errors``.
"""

from binance_sdk import errors
from binance_sdk._caps import Caps
from binance_sdk._runtime.options import RequestOptions
from binance_sdk._runtime.response import Headers, Plan, Response
from binance_sdk._version import __version__
from binance_sdk.client import BinanceClient, SyncBinanceClient

__all__ = [
    "BinanceClient",
    "Caps",
    "Headers",
    "Plan",
    "RequestOptions",
    "Response",
    "SyncBinanceClient",
    "__version__",
    "errors",
]
