"""Many symbols kept fresh by polling: what is due, what fits into the budget, and what may still be delivered."""

from virtuoso_binance.polling.fetcher import BinanceDataFetcher, Refresh

__all__ = ["BinanceDataFetcher", "Refresh"]
