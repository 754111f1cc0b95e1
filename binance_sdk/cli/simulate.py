"""``binance-sdk simulate``; the simulator is imported where it is used, as it needs an extra."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.text import Text

from binance_sdk.catalogue import MARKETS
from binance_sdk.cli.console import make_console
from binance_sdk.cli.exit_codes import EXTRA, CommandError
from binance_sdk.cli.tables import make_table

if TYPE_CHECKING:
    from binance_sdk.simulator import Simulator

_MONTH = timedelta(days=30)
_FROM_ELSEWHERE = (
    "It listens at every address of this machine: on another machine, or in another container, write the name of this\n"
    "one instead of the address of loopback.\n\n"
)


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


def run_simulator(host: str, port: int, seed: int, faults: Sequence[str] = ()) -> None:
    """Serve until Ctrl-C.

    Args:
        host: Address to listen at.
        port: The first port; see ``Simulator``.
        seed: Seed of the market.
        faults: Faults to inject, each as written on the command line.

    Raises:
        CommandError: the simulator is not installed, the port is in use, or a fault is unknown.
    """
    with _installed():
        from binance_sdk.simulator import SimulatorError, serve
        from binance_sdk.simulator.sockets import listens_everywhere

    def announce(running: Simulator) -> None:
        for fault in faults:
            running.add_fault(fault)
        _tell(
            f"Simulated markets: {', '.join(MARKETS)}; seed {seed}; Ctrl-C ends it.\n"
            "Point a client of this SDK at it from another terminal:\n\n"
            f"export BINANCE_SDK_SIMULATOR={running.url}\n\n"
            f"{_FROM_ELSEWHERE if listens_everywhere(host) else ''}"
            "binance-sdk call spot klines symbol=BTCUSDT interval=1h limit=5\n"
            "binance-sdk stream spot agg_trade BTCUSDT\n"
            "binance-sdk history BTCUSDT -i 1h --since "
            f"{datetime.now(UTC) - _MONTH:%Y-%m-%d} --out data/\n\n"
            f"Archive of files: {running.archive_url}, listing: {running.archive_listing_url}"
        )

    try:
        serve(host, port, seed=seed, on_start=announce)
    except SimulatorError as error:
        raise CommandError(str(error)) from error
    _tell("\nThe simulator has stopped.")


def print_faults() -> None:
    """Print the faults that ``--fault`` knows.

    Raises:
        CommandError: the simulator is not installed.
    """
    with _installed():
        from binance_sdk.simulator.faults.parsing import describe_faults
    console = make_console()
    for about in ("requests", "streams", "files"):
        table = make_table()
        table.title, table.title_justify, table.title_style = f"faults of {about}", "left", "bold"
        for name in ("fault", "takes", "what happens"):
            table.add_column(name, overflow="fold", no_wrap=name == "fault")
        for word in describe_faults():
            if word.about == about:
                table.add_row(Text(word.name), Text(", ".join(word.arguments)), Text(word.meaning.replace("``", "")))
        console.print(table)
    console.print(
        "All take where (patterns like spot.klines, futures, btcusdt@*, separated by |), probability, count and seed.",
        style="bright_black",
    )


def _tell(text: str) -> None:
    # Flushed at once, as scripts read the address from a pipe.
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
