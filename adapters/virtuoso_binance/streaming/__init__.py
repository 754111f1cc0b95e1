"""What comes over WebSockets: callbacks, liquidations, and market data that need not be asked for."""

from virtuoso_binance.health.streams import PartCounts
from virtuoso_binance.streaming.changes import PartStreamed, PartUnstreamed, StreamChange
from virtuoso_binance.streaming.streaming import Streaming

__all__ = ["PartCounts", "PartStreamed", "PartUnstreamed", "StreamChange", "Streaming"]
