"""``market_data`` from several exchanges: which one serves, what becomes of the others, and how good each is."""

from virtuoso_binance.sources.asking import SourceStats
from virtuoso_binance.sources.ccxt_library import CcxtError
from virtuoso_binance.sources.ccxt_source import CcxtSource
from virtuoso_binance.sources.comparison import Check, Comparison, compare
from virtuoso_binance.sources.data_sources import DataSources, Mode, read_data_sources
from virtuoso_binance.sources.events import (
    ClockCorrected,
    SourceEvent,
    SourceFailed,
    SourceHook,
    SourceQuarantined,
    SourceReleased,
    SourceRests,
    SourcesDisagree,
    SourceSwitched,
)
from virtuoso_binance.sources.from_config import make_market_data_source
from virtuoso_binance.sources.market_data_source import MarketDataSource
from virtuoso_binance.sources.quality import Quality, judge

__all__ = [
    "CcxtError",
    "CcxtSource",
    "Check",
    "ClockCorrected",
    "Comparison",
    "DataSources",
    "MarketDataSource",
    "Mode",
    "Quality",
    "SourceEvent",
    "SourceFailed",
    "SourceHook",
    "SourceQuarantined",
    "SourceReleased",
    "SourceRests",
    "SourceStats",
    "SourceSwitched",
    "SourcesDisagree",
    "compare",
    "judge",
    "make_market_data_source",
    "read_data_sources",
]
