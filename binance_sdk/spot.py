"""Models, rows and values of the spot market."""

from binance_sdk._generated.spot import *
from binance_sdk._generated.spot import __all__ as __all__
