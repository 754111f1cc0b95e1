"""A simulator that runs in another process of this machine: start one, read its record, make things go wrong in it.

::

    with simulator_process(futures_weight_limit=600, weight_window_seconds=15) as control:
        client = control.sync_client()
        control.faults.add(Fault.server_error(), probability=0.1)
        ...
        assert all(window.over_limit == 0 for window in control.windows("futures"))

Nothing of the simulated market is loaded in the process that holds a ``SimulatorControl``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from binance_sdk.simulator.clients import Clients
from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.faults.requests import Fault
from binance_sdk.simulator.rest.window_stats import RequestCounts, WindowStats

if TYPE_CHECKING:
    from binance_sdk.simulator.market.symbols import Instrument, Market
    from binance_sdk.simulator.simulator import Simulator

_TIMEOUT = 30.0
_END_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class RemoteRule:
    """Faults that were added to a simulator in another process."""

    number: int
    _control: SimulatorControl

    def remove(self) -> None:
        """Stop injecting. Twice does no harm."""
        self._control.ask("remove_faults", rule=self.number)


class RemoteFaults:
    """``Simulator.faults`` of another process."""

    def __init__(self, control: SimulatorControl) -> None:
        self._control = control

    def add(
        self,
        *faults: Fault,
        where: str | Iterable[str] = "*",
        probability: float = 1.0,
        count: int | None = None,
        seed: int | None = None,
    ) -> RemoteRule:
        """Inject faults from now on; see ``Faults.add``."""
        patterns = where if isinstance(where, str) else list(where)
        number = self._control.ask(
            "add_faults",
            faults=[asdict(one) for one in faults],
            where=patterns,
            probability=probability,
            count=count,
            seed=seed,
        )
        return RemoteRule(cast("int", number), self._control)

    def next(self, count: int, *faults: Fault, where: str | Iterable[str] = "*") -> RemoteRule:
        """Inject faults into the next so many requests."""
        return self.add(*faults, where=where, count=count)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._control.ask("clear_faults")

    @property
    def injected(self) -> Mapping[str, int]:
        """How many faults were injected, by kind."""
        return cast("dict[str, int]", self._control.ask("injected"))


class SimulatorControl(Clients):
    """The levers of ``Simulator(control=True)`` from another process; each method is that of ``Simulator``.

    Raises:
        SimulatorError: By every method, when the simulator does not take the arguments or cannot be reached.
    """

    def __init__(self, url: str) -> None:
        """``url`` is the address of the simulator, e.g. ``http://127.0.0.1:8765``."""
        self._url = url.rstrip("/")
        self.faults = RemoteFaults(self)

    @property
    def url(self) -> str:
        """The address of the simulator: what ``BINANCE_SDK_SIMULATOR`` takes."""
        return self._url

    # ---------------------------------------------------------------------------------- reading

    @property
    def requests(self) -> RequestCounts:
        """What it was asked so far; these questions do not count."""
        given = cast("dict[str, Any]", self.ask("requests"))
        by_status = {int(status): count for status, count in given.pop("by_status").items()}
        return RequestCounts(by_status=by_status, **given)

    def now_ms(self) -> int:
        """Time of the exchange, milliseconds since the epoch."""
        return cast("int", self.ask("now"))

    def used_weight(self, market: Market) -> int:
        """Request weight used in the running window."""
        return cast("int", self.ask("used_weight", market=market))

    def windows(self, market: Market) -> list[WindowStats]:
        """What was accepted and refused, window by window."""
        return [WindowStats(**one) for one in cast("list[dict[str, int]]", self.ask("windows", market=market))]

    def reset_windows(self, market: Market | None = None) -> None:
        """Forget the windows; what was spent stays spent."""
        self.ask("reset_windows", market=market)

    # --------------------------------------------------------------------------------- changing

    def maintenance(self, market: Market | None = None, *, refuse: bool = True) -> None:
        """Work on one market, or on both, until ``end_maintenance``."""
        self.ask("maintenance", market=market, refuse=refuse)

    def end_maintenance(self, market: Market | None = None) -> None:
        """Back to normal."""
        self.ask("end_maintenance", market=market)

    def reset_limits(self) -> None:
        """Forget all used weight, all counted requests and all bans."""
        self.ask("reset_limits")

    def change_limits(
        self,
        market: Market,
        *,
        weight: int | None = None,
        window_seconds: int | None = None,
        groups: Mapping[str, int] | None = None,
    ) -> None:
        """Other limits from now on; those left out stay."""
        changed = dict(groups or {})
        self.ask("change_limits", market=market, weight=weight, window_seconds=window_seconds, groups=changed)

    def drift(self, operation: str, weight: int | None) -> None:
        """Charge another weight for an operation; ``None`` ends that."""
        self.ask("drift", operation=operation, weight=weight)

    def foreign_traffic(self, market: Market, weight_per_second: float, weight: int = 1) -> None:
        """Let others at the same address spend from the same windows."""
        self.ask("foreign_traffic", market=market, weight_per_second=weight_per_second, weight=weight)

    def stop_foreign_traffic(self, market: Market | None = None) -> None:
        """Nobody else is there any more."""
        self.ask("stop_foreign_traffic", market=market)

    def add_fault(self, text: str) -> RemoteRule:
        """Inject a fault that is written in a line, also one of streams; see ``Simulator.add_fault``."""
        return RemoteRule(cast("int", self.ask("add_fault", fault=text)), self)

    def list_symbol(self, market: Market, symbol: str | Instrument, at: int | None = None) -> None:
        """List a symbol that is not listed."""
        self.ask("list_symbol", market=market, symbol=symbol if isinstance(symbol, str) else asdict(symbol), at=at)

    def set_status(self, market: Market, symbol: str, status: str, at: int | None = None) -> None:
        """Give a symbol another status."""
        self.ask("set_status", market=market, symbol=symbol, status=status, at=at)

    def delist_symbol(self, market: Market, symbol: str, at: int | None = None) -> None:
        """Remove a symbol."""
        self.ask("delist_symbol", market=market, symbol=symbol, at=at)

    def settle_symbol(self, symbol: str, at: int | None = None, *, removed_after: float | None = None) -> None:
        """Settle a contract."""
        self.ask("settle_symbol", symbol=symbol, at=at, removed_after=removed_after)

    def advance(self, seconds: float) -> int:
        """Move the simulator's clock, if it is a ``ManualClock`` or an ``OffsetClock``; gives the new time."""
        return cast("int", self.ask("advance", seconds=seconds))

    def set_clock(self, now_ms: int) -> int:
        """Let its clock jump; gives the new time."""
        return cast("int", self.ask("set_clock", now_ms=now_ms))

    def ask(self, name: str, **arguments: Any) -> object:
        """Send one request to the control surface and return what it answers."""
        parts = urlsplit(self.url)
        line = HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT)
        try:
            line.request(
                "POST", f"/_simulator/{name}", json.dumps(arguments), headers={"Content-Type": "application/json"}
            )
            response = line.getresponse()
            answer: object = json.loads(response.read())
        except (OSError, ValueError) as error:
            raise SimulatorError(f"no simulator answers at {self.url}: {error}") from error
        finally:
            line.close()
        if response.status != 200:
            told = cast("dict[str, object]", answer) if isinstance(answer, dict) else {}
            # The exchange behind it has an "error" of its own for paths it does not know, with more beside it.
            if told.keys() != {"error"}:
                raise SimulatorError(f"{self.url} is no simulator, or one that was started without control=True")
            raise SimulatorError(str(told["error"]))
        return answer


@contextmanager
def simulator_process(*, clock_offset_seconds: float | None = None, **options: Any) -> Generator[SimulatorControl]:
    """Run a simulator in a process of its own while the block lasts; it ends with this process, whatever happens.

    Args:
        clock_offset_seconds: By how much its clock is ahead of the system's.
        options: What ``Simulator`` takes and JSON can say: ``seed``, ``symbols`` (names), ``history_days``, the limits.

    Raises:
        SimulatorError: It did not start.
    """
    told = json.dumps({"clock_offset_seconds": clock_offset_seconds, **options})
    with subprocess.Popen(
        [sys.executable, "-m", "binance_sdk.simulator.control.client", told],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            if not url:
                raise SimulatorError("the simulator's process did not start; its error output says why")
            yield SimulatorControl(url)
        finally:
            # It waits for the end of its input, which also comes when this process is killed.
            process.stdin.close()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _main(told: str) -> None:
    """The other process: serve, say the address, and end with the input."""
    from binance_sdk.simulator.clock import OffsetClock
    from binance_sdk.simulator.simulator import serve

    options = cast("dict[str, Any]", json.loads(told))
    offset = options.pop("clock_offset_seconds", None)
    if offset is not None:
        options["clock"] = OffsetClock(offset)

    def watch() -> None:
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGTERM)

    def started(simulator: Simulator) -> None:
        sys.stdout.write(f"{simulator.url}\n")
        sys.stdout.flush()
        threading.Thread(target=watch, daemon=True).start()

    options = cast("dict[str, Any]", {"port": 0, "control": True, **options})
    serve(on_start=started, **options)


if __name__ == "__main__":
    _main(sys.argv[1])
