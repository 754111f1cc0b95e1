"""How a shared budget looks in a terminal: each pool with its windows, its gate, and who uses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from binance_sdk.cli.formats import ABSENT, duration, printable
from binance_sdk.cli.live_screen import LiveScreen, one_line
from binance_sdk.errors import StoreError, plain_number
from binance_sdk.shared_limits import Consumer, SharedLimits, SharedPool, SharedWindow

_NARROW = 70
"""Width below which there is no room for what is in flight."""
_WIDE = 110
"""Width from which a bar shows how full each window is."""
_BAR = 24
_FULL, _HIGH = 1.0, 0.8
_NEW = "new: the store does not know what was spent before it came up, so it gives out 3 % until the window is over"
_GONE = 30.0
"""Seconds of silence after which a store takes a process that holds anything for dead."""
_SHORTEST_NAME, _LONGEST_NAME = 12, 42
_FIGURES = 54
"""Columns that the figures of a process take."""


class LimitsBoard(LiveScreen):
    """The picture of all pools, and of a store that is away."""

    def __init__(self, limits: SharedLimits, pools: Sequence[SharedPool], console: Console | None = None) -> None:
        super().__init__(console)
        self._limits = limits
        self._pools = pools
        self._failure = ""

    def show(self, pools: Sequence[SharedPool]) -> None:
        """These are the pools now."""
        self._pools, self._failure = pools, ""
        self.redrawer.changed()

    def tell(self, error: StoreError) -> None:
        """The store is away."""
        self._failure = printable(str(error))
        self.redrawer.changed()

    def picture(self) -> RenderableType:
        """What was read last."""
        width = self.console.width
        parts = list(pictures(self._limits, self._pools, width))
        if self._failure:
            parts.append(one_line(f"what is shown is old: {self._failure}", "bold red", width))
        parts.append(one_line("Ctrl-C ends", "bright_black", width))
        return Group(*parts)


def pictures(limits: SharedLimits, pools: Sequence[SharedPool], width: int) -> Iterator[RenderableType]:
    """One picture after the other: the store, then each pool."""
    budget = "all budgets" if limits.limits_key is None else f"budget {printable(limits.limits_key)}"
    yield one_line(f"{limits.url} · {limits.store_version} · {budget}", "bold", width)
    if not pools:
        yield one_line("nobody has used it so far", "bright_black", width)
    for pool in pools:
        yield Text()
        yield _title(pool, width)
        yield _windows(pool, width)
        if pool.consumers:
            yield _consumers(pool, width)
        else:
            yield one_line("  no process uses it at the moment", "bright_black", width)
    if any(window.doubted for pool in pools for window in pool.windows.values()):
        yield Text()
        yield Text(_NEW, style="bright_black")


def _title(pool: SharedPool, width: int) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(printable(pool.name), style="bold")
    if pool.limits_key != "default":
        line.append(f"  budget {printable(pool.limits_key)}")
    if pool.banned_for:
        line.append(f"  banned for {duration(pool.banned_for)}", style="bold red")
    elif pool.closed_for:
        line.append(f"  closed for {duration(pool.closed_for)}", style="bold red")
    else:
        line.append("  open", style="green")
    if pool.closed_for:
        line.append(f": {printable(pool.reason)}", style="red")
    wants = sum(consumer.wants for consumer in pool.consumers)
    if wants:
        line.append(f"  {wants:,} wanted by calls that wait", style="yellow")
    if pool.clock_offset is not None:
        told = f"  clock {pool.clock_offset:+.3f} s ±{pool.clock_uncertainty:.3f}"
        line.append(told, style="bright_black")
    line.truncate(width, overflow="ellipsis")
    return line


def _windows(pool: SharedPool, width: int) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    table.add_column("  limit", header_style="bright_black", no_wrap=True, overflow="ellipsis")
    narrow, wide = width < _NARROW, width >= _WIDE
    for name in ("used", "of", "left", *(() if narrow else ("in flight",)), "free in"):
        table.add_column(name, justify="right", header_style="bright_black", no_wrap=True)
    if wide:
        table.add_column("", width=_BAR)
    table.add_column("", no_wrap=True, overflow="ellipsis")
    weight_first = sorted(pool.windows.values(), key=lambda row: (row.kind != "weight", row.kind, row.seconds))
    for window in weight_first:
        style = _style(window)
        cells: list[RenderableType] = [
            Text(f"  {printable(window.kind)} {window.seconds} s"),
            Text(f"{window.used:,}", style=style),
            f"{window.limit:,}",
            Text(f"{max(0, window.limit - window.used):,}", style=style),
            *(() if narrow else (f"{window.in_flight:,}",)),
            duration(window.resets_in) if window.used or window.kind == "weight" else ABSENT,
        ]
        if wide:
            total = max(1, window.limit)
            cells.append(ProgressBar(total=total, completed=min(total, window.used), width=_BAR, complete_style=style))
        table.add_row(*cells, Text("new" if window.doubted else "", style="yellow"))
    return table


def _style(window: SharedWindow) -> str:
    part = window.used / max(1, window.limit)
    return "red" if part >= _FULL else "yellow" if part >= _HIGH else "green"


def _consumers(pool: SharedPool, width: int) -> Table:
    """Processes, the one that used most first."""
    weights = sorted(
        (row for row in pool.windows.values() if row.kind == "weight"), key=lambda row: (row.seconds != 60, row.seconds)
    )
    key = f"weight/{weights[0].seconds}" if weights else ""
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    longest = min(_LONGEST_NAME, max(_SHORTEST_NAME, width - _FIGURES))
    table.add_column("  process", header_style="bright_black", no_wrap=True, overflow="ellipsis", max_width=longest)
    for name in ("share", "used", "in flight", "wants", "waits", "heard"):
        table.add_column(name, justify="right", header_style="bright_black", no_wrap=True)
    wide = width >= _WIDE
    if wide:
        table.add_column("holds", header_style="bright_black", no_wrap=True, overflow="ellipsis")
    for consumer in sorted(pool.consumers, key=lambda each: (-each.used.get(key, 0), each.id)):
        cells = [
            Text(f"  {_name(consumer)}"),
            Text(plain_number(consumer.share)),
            Text(f"{consumer.used.get(key, 0):,}"),
            Text(f"{consumer.in_flight.get(key, 0):,}"),
            Text(f"{consumer.wants:,}" if consumer.wants else ABSENT),
            Text(ABSENT if consumer.waits_for is None else duration(consumer.waits_for)),
            _heard(consumer),
        ]
        if wide:
            held = (f"{amount:,} {name}" for name, amount in sorted(consumer.in_flight.items()) if amount)
            cells.append(Text(printable(", ".join(held))))
        table.add_row(*cells)
    return table


def _name(consumer: Consumer) -> str:
    """Host and process; the random part behind them is of no use to people."""
    return printable(consumer.id.rpartition("/")[0] or consumer.id)


def _heard(consumer: Consumer) -> Text:
    if consumer.lapsed:
        return Text("gone", style="red")
    silent = consumer.silent_for
    return Text(
        f"{silent:.1f} s ago" if silent < 10 else f"{duration(silent)} ago", style="" if silent < _GONE else "yellow"
    )
