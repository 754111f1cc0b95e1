"""Many symbols kept up to date by polling: what is due, what fits the budget, what may still be delivered."""

from virtuoso_binance.polling.fetcher import BinanceDataFetcher, Refresh

__all__ = ["BinanceDataFetcher", "Refresh"]
