"""Reads what others wrote about Binance's endpoints: ``python -m codegen import`` and ``draft``."""
