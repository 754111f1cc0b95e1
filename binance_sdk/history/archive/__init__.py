"""Binance's public archive: its addresses, its listing, its files, and what is wrong with some of them."""
