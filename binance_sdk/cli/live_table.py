"""The live table of a stream, drawn when something has changed and at most four times a second."""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Literal

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from binance_sdk.cli.console import make_console
from binance_sdk.cli.formats import printable
from binance_sdk.cli.live_rows import NAMES, LiveRows, View, decimals, ordered, texts
from binance_sdk.cli.tables import fitting, make_table

INTERVAL = 0.25
"""Seconds between two drawings, at least."""
_NOTICES = 3
_FRAME = 6
"""Lines that are not rows: title, header and frame of the table, and the line below it."""


class Redrawer:
    """Draws when something has changed, and at most once in each ``INTERVAL``."""

    def __init__(self, draw: Callable[[], None], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._draw = draw
        self._sleep = sleep
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """There is something new to show."""
        self._changed.set()

    async def run(self) -> None:
        """Draw until cancelled, and sleep while nothing changes.

        Raises:
            OutputError: the terminal is closed.
        """
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._draw()
            await self._sleep(INTERVAL)


class LiveTable:
    """A table that is redrawn in the lower part of the terminal, with the latest notices below it."""

    def __init__(self, title: str, view: View, console: Console | None = None) -> None:
        self._console = console or make_console()
        self._title = printable(title)
        self._rows = LiveRows(view)
        self._notices: deque[str] = deque(maxlen=_NOTICES)
        self._told = 0
        self._live = Live(console=self._console, auto_refresh=False, transient=False)
        # Columns keep the width of their widest cell so far, until the terminal is resized.
        self._width = 0
        self._widths: dict[str, int] = {}
        self._places: dict[str, int] = {}
        self.redrawer = Redrawer(self.draw)

    def start(self) -> None:
        """Begin to draw in the lower part of the terminal."""
        self._live.start()
        self.redrawer.changed()
        resized = getattr(signal, "SIGWINCH", None)
        if resized is not None:
            asyncio.get_running_loop().add_signal_handler(resized, self.redrawer.changed)

    def stop(self) -> None:
        """Stop drawing; the last table, if there is one, stays visible."""
        self._live.transient = not self._rows.seen
        self.draw()
        self._live.stop()

    def show(self, message: object) -> None:
        """Put a message into the table."""
        self._rows.put(message)
        self.redrawer.changed()

    def tell(self, notice: object) -> None:
        """Show a notice below the table."""
        self._told += 1
        self._notices.append(printable(str(notice)))
        self.redrawer.changed()

    def draw(self) -> None:
        """Draw the current table."""
        self._live.update(self.picture(), refresh=True)

    def picture(self) -> RenderableType:
        """The table and notices as they are now."""
        width, height = self._console.size
        if width != self._width:
            self._width, self._widths = width, {}
        live_rows, by = self._rows, self._rows.view.by
        rows = live_rows.rows(max(3, height - _FRAME - len(self._notices)))
        parts: list[RenderableType] = [_line(self._title, "bold", width)]
        missing: list[str] = []
        if rows:
            columns: dict[str, list[str]] = {}
            for name in ordered(dict.fromkeys(name for row in rows for name in row), by):
                # Rows of one symbol share a tick size, so their numbers get the same decimal places.
                if by in ("message", "bar"):
                    self._places[name] = max(self._places.get(name, 0), decimals(rows, name))
                columns[name] = texts(rows, name, self._places.get(name))
            kept = fitting(columns, width, self._widths)
            missing = [name for name in columns if name not in kept]
            table = make_table()
            for name in kept:
                side: Literal["left", "right"] = "left" if name in NAMES else "right"
                table.add_column(Text(name), justify=side, no_wrap=True, min_width=self._widths[name])
            for row in zip(*(columns[name] for name in kept), strict=True):
                table.add_row(*map(Text, row))
            parts.append(table)
        parts.append(_line(self._below(len(rows), missing), "bright_black", width))
        parts += [_line(notice, "yellow", width) for notice in self._notices]
        return Group(*parts)

    def _below(self, shown: int, missing: list[str]) -> str:
        seen = self._rows.seen
        said = [f"{seen:,} message{'s' if seen != 1 else ''}" if seen else "waiting for the first message"]
        if self._rows.view.by in ("symbol", "stream") and len(self._rows) > shown:
            said.append(f"{len(self._rows) - shown:,} more symbols")
        if self._told > len(self._notices):
            said.append(f"{self._told:,} notices")
        said.append("Ctrl-C ends")
        if missing:
            said.append(f"no room for {', '.join(missing)} (--json shows all)")
        return " · ".join(said)


def _line(text: str, style: str, width: int) -> Text:
    line = Text(text, style=style, no_wrap=True, overflow="ellipsis")
    line.truncate(width, overflow="ellipsis")
    return line
