"""Models, rows and values of the USDⓈ-M futures market."""

from binance_sdk._generated.futures import *
from binance_sdk._generated.futures import __all__ as __all__
