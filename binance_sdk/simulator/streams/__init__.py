"""Market streams of the simulator: real WebSockets over the market that REST shows.

``Simulator.streams`` is a ``Streams``. Where it differs from Binance, or Binance's pages say nothing:

* trades are sent the moment they happen, on futures too, and ``E`` is that moment;
* every message over the limit of a second closes the connection, where Binance is lenient at first;
* a 301st connection within five minutes is answered with 429, on futures too;
* a connection that grows too old is closed with 1001;
* the streams of all contracts carry the rows of both futures markets, as Binance's do, until
  ``carry_other_markets(False)``;
* retail orders are not simulated apart, so ``rpiDepth`` equals ``depth``;
* after a long leap of the clock, streams with fixed times send only the last two minutes' worth of their periods;
  trades, closed bars and the ids of books stay complete.
"""

from binance_sdk.simulator.faults.streams import StreamFault, StreamFaultRule, StreamFaults
from binance_sdk.simulator.streams.limits import StreamLimits
from binance_sdk.simulator.streams.replay import Playback
from binance_sdk.simulator.streams.streams import StreamCounts, Streams

__all__ = [
    "Playback",
    "StreamCounts",
    "StreamFault",
    "StreamFaultRule",
    "StreamFaults",
    "StreamLimits",
    "Streams",
]
