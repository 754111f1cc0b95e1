"""Binance's public market data API and archive on your own machine, over a seeded market that agrees with itself.

For demonstrations, and for tests that want a real socket but not the real exchange. Needs the extra
``simulator``.

Trades are made up from the seed; candles, tickers, averages, books, mark prices, funding, statistics and the files of
the archive are computed from the same paths, so that all answers given at one instant of the clock agree. Faults happen
only on demand: ``Simulator.faults`` damages answers and connections, ``Simulator.archive.faults`` files; other methods
change limits, weights and symbols or let others spend from the same windows, and ``Simulator.windows`` says what was
accepted and refused. ``simulator_process`` gives all of it in another process. Where it differs from Binance:

* about five trades a minute and symbol before the start, about two a second since then;
* the exact ``quoteQty`` of a futures trade, where Binance cuts it to two decimals;
* USDⓈ-M futures have perpetuals only: questions for quarterly contracts get empty lists. COIN-M futures have those of
  two quarters on bitcoin and ether, and no new ones come when they are delivered;
* one counter for all clients, as all of loopback is one address;
* answers always in milliseconds and JSON: no microsecond header, no SBE;
* the archive has klines of every kind, trades, funding and metrics, from the listing on; no book depth or tickers. Its
  microseconds of spot are whole milliseconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from binance_sdk.simulator.clock import ManualClock, OffsetClock, SimulatorClock
    from binance_sdk.simulator.control.client import SimulatorControl
    from binance_sdk.simulator.control.process import simulator_process
    from binance_sdk.simulator.errors import PortInUseError, SimulatorError
    from binance_sdk.simulator.faults.files import FileFault
    from binance_sdk.simulator.faults.requests import Fault, FaultRule, Faults
    from binance_sdk.simulator.faults.streams import StreamFault
    from binance_sdk.simulator.market.symbols import Instrument
    from binance_sdk.simulator.rest.window_stats import RequestCounts, WindowStats
    from binance_sdk.simulator.simulator import Simulator, SimulatorOptions, serve
    from binance_sdk.simulator.streams.limits import StreamLimits

__all__ = [
    "Fault",
    "FaultRule",
    "Faults",
    "FileFault",
    "Instrument",
    "ManualClock",
    "OffsetClock",
    "PortInUseError",
    "RequestCounts",
    "Simulator",
    "SimulatorClock",
    "SimulatorControl",
    "SimulatorError",
    "SimulatorOptions",
    "StreamFault",
    "StreamLimits",
    "WindowStats",
    "serve",
    "simulator_process",
]

_HOMES = {
    "Fault": "faults.requests",
    "FaultRule": "faults.requests",
    "Faults": "faults.requests",
    "FileFault": "faults.files",
    "Instrument": "market.symbols",
    "ManualClock": "clock",
    "OffsetClock": "clock",
    "PortInUseError": "errors",
    "RequestCounts": "rest.window_stats",
    "Simulator": "simulator",
    "SimulatorClock": "clock",
    "SimulatorControl": "control.client",
    "SimulatorError": "errors",
    "SimulatorOptions": "simulator",
    "StreamFault": "faults.streams",
    "StreamLimits": "streams.limits",
    "WindowStats": "rest.window_stats",
    "serve": "simulator",
    "simulator_process": "control.process",
}
_EXTRA = ("numpy", "uvicorn")


def __getattr__(name: str) -> object:
    """Load a public name when it is first used.

    Every pytest run imports this package to learn of the fixture in ``pytest_plugin``, also where the extra is not
    installed: that must neither fail nor cost the half second that numpy and uvicorn take.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name in _EXTRA:
            hint = f"the simulator needs {error.name}: pip install 'binance-market-sdk[simulator]'"
            raise ModuleNotFoundError(hint, name=error.name) from error
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
