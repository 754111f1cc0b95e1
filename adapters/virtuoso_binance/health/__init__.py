"""How the data are: their freshness and accuracy by kind, the markets of Binance, and the sources of market data.

What is seen is counted as it passes by; how that is judged is a pure function of it and of the time.
"""

from virtuoso_binance.health.judging import (
    ExchangeHealth,
    HealthState,
    KindHealth,
    MarketHealth,
    judge_exchange,
    judge_kind,
    judge_market,
)
from virtuoso_binance.health.judging_sources import (
    SourceFacts,
    SourceHealth,
    SourcesHealth,
    judge_source,
    judge_sources,
)
from virtuoso_binance.health.listing_changes import ListingChange
from virtuoso_binance.health.observations import KindFacts
from virtuoso_binance.health.probing import MarketProbe, Trouble, probe_market
from virtuoso_binance.health.streams import StreamsFacts, StreamsHealth

__all__ = [
    "ExchangeHealth",
    "HealthState",
    "KindFacts",
    "KindHealth",
    "ListingChange",
    "MarketHealth",
    "MarketProbe",
    "SourceFacts",
    "SourceHealth",
    "SourcesHealth",
    "StreamsFacts",
    "StreamsHealth",
    "Trouble",
    "judge_exchange",
    "judge_kind",
    "judge_market",
    "judge_source",
    "judge_sources",
    "probe_market",
]
