"""The simulator from the command line; imported where it is used, as it needs its own extra."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING

from binance_sdk.cli.exits import EXTRA, CommandError

if TYPE_CHECKING:
    from binance_sdk.simulator import Simulator


@contextlib.contextmanager
def _installed() -> Generator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "a package").partition(".")[0]
        raise CommandError(f"{name} is not installed; the simulator needs an extra: {EXTRA}") from error


@contextlib.contextmanager
def simulator(seed: int) -> Generator[Simulator]:
    """A running simulator.

    Raises:
        CommandError: it is not installed or cannot run.
    """
    with _installed():
        from binance_sdk.simulator import Simulator, SimulatorError
    try:
        running = Simulator(seed=seed).start()
    except SimulatorError as error:
        raise CommandError(str(error)) from error
    try:
        yield running
    finally:
        running.stop()


def run_simulator(host: str, port: int, seed: int) -> None:
    """Serve until Ctrl-C.

    Raises:
        CommandError: it is not installed, or the port is taken.
    """
    with _installed():
        from binance_sdk.simulator import SimulatorError, serve

    def announce(running: Simulator) -> None:
        _tell(
            f"Simulated spot and futures market, seed {seed}; Ctrl-C ends it.\n"
            "Point a client of this SDK at it from another terminal:\n\n"
            f"export BINANCE_SDK_SIMULATOR={running.url}\n\n"
            "binance-sdk call spot klines symbol=BTCUSDT interval=1h limit=5\n"
            "binance-sdk stream spot agg_trade BTCUSDT"
        )

    try:
        serve(host, port, seed=seed, on_start=announce)
    except SimulatorError as error:
        raise CommandError(str(error)) from error
    _tell("\nThe simulator has stopped.")


def _tell(text: str) -> None:
    # At once, also into a pipe: whoever waits for the address reads it from there.
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
