"""Binance's archive of files, from the same market as REST and streams."""
