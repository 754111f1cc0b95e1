"""A simulator that runs in another process of this machine: start one, read what it counted, inject faults.

    with simulator_process(weight_limits={"futures": 600}, weight_window_seconds=15) as control:
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
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from binance_sdk.simulator.control.client import SimulatorControl
from binance_sdk.simulator.errors import SimulatorError

if TYPE_CHECKING:
    from binance_sdk.simulator.simulator import Simulator

_END_SECONDS = 10.0


@contextmanager
def simulator_process(*, clock_offset_seconds: float | None = None, **options: Any) -> Generator[SimulatorControl]:
    """Run a simulator in a process of its own while the block lasts; it ends with this process, whatever happens.

    Args:
        clock_offset_seconds: By how much its clock is ahead of the system's.
        options: What ``Simulator`` takes and JSON can say: ``seed``, ``symbols`` (names), ``history_days``, the limits.

    Raises:
        SimulatorError: It did not start.
    """
    settings = json.dumps({"clock_offset_seconds": clock_offset_seconds, **options})
    with subprocess.Popen(
        [sys.executable, "-m", "binance_sdk.simulator.control.process", settings],
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
            # The end of its input ends it, which also comes when this process is killed.
            process.stdin.close()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _main(settings: str) -> None:
    """The other process: serve, print the address, and end when the input does."""
    from binance_sdk.simulator.clock import OffsetClock
    from binance_sdk.simulator.simulator import serve

    options = cast("dict[str, Any]", json.loads(settings))
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
