"""Turns ``spec/`` into ``binance_sdk/_generated``; nothing at run time imports it."""
