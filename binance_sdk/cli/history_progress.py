"""How far a run of history is: a bar on a terminal, and what to say when it is interrupted."""

from __future__ import annotations

from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from binance_sdk.cli.formats import ABSENT, compact, duration, printable

if TYPE_CHECKING:
    from binance_sdk.history import Progress

_STEPS = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1000


class RunProgress:
    """Shows a run while it lasts; in a pipe nothing is shown."""

    def __init__(self, console: Console) -> None:
        self._bar = Bar(
            TextColumn("{task.fields[what]}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            console=console,
            disable=not console.is_terminal,
            transient=True,
            refresh_per_second=4,
        )
        self._task: TaskID | None = None
        self._last: Progress | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the bar off the terminal. Twice does no harm."""
        self._bar.stop()

    def show(self, progress: Progress) -> None:
        """Show how far it is."""
        self._last = progress
        what = "" if progress.piece is None else printable(f"{progress.piece.series.symbol} {progress.piece.name}")
        if self._task is None:
            self._task = self._bar.add_task("", total=progress.pieces, what=what, told=told(progress))
        self._bar.update(self._task, completed=progress.done, total=progress.pieces, what=what, told=told(progress))

    def so_far(self) -> str:
        """How far it came, for whoever ended it: ``" after 12 of 40 pieces"``, or nothing before the first one."""
        return "" if self._last is None else f" after {self._last.done} of {self._last.pieces} pieces"


def told(progress: Progress) -> str:
    """Pieces, rows, weight, bytes and the time that is left, in one line."""
    left = ABSENT if progress.seconds_left is None else duration(progress.seconds_left)
    return (
        f"{progress.done}/{progress.pieces} pieces, {compact(Decimal(progress.rows))} rows, "
        f"weight {progress.weight:,}, {size_of(progress.bytes)}, {left} left"
    )


def size_of(count: float) -> str:
    """Bytes in a unit that leaves at most three digits before the point: ``41.2 MB``."""
    size = float(count)
    for step in _STEPS[:-1]:
        if size < _THOUSAND:
            return f"{size:.0f} {step}" if step == "B" else f"{size:.1f} {step}"
        size /= _THOUSAND
    return f"{size:.1f} {_STEPS[-1]}"
