"""The live table of a stream."""

from __future__ import annotations

from collections import deque
from typing import Literal

from rich.console import Console, Group, RenderableType
from rich.text import Text

from binance_sdk.cli.formats import printable
from binance_sdk.cli.live_rows import NAMES, LiveRows, View, decimals, ordered, texts
from binance_sdk.cli.live_screen import LiveScreen, one_line
from binance_sdk.cli.tables import fitting, make_table

_NOTICES = 3
_FRAME = 6
"""Lines that are not rows: title, header and frame of the table, and the line below it."""


class LiveTable(LiveScreen):
    """A table that is redrawn in the lower part of the terminal, with the latest notices below it."""

    def __init__(self, title: str, view: View, console: Console | None = None) -> None:
        super().__init__(console)
        self._title = printable(title)
        self._rows = LiveRows(view)
        self._notices: deque[str] = deque(maxlen=_NOTICES)
        self._told = 0
        # Columns keep the width of their widest cell so far, until the terminal is resized.
        self._width = 0
        self._widths: dict[str, int] = {}
        self._places: dict[str, int] = {}

    @property
    def empty(self) -> bool:
        """Whether no message came."""
        return not self._rows.seen

    def show(self, message: object) -> None:
        """Put a message into the table."""
        self._rows.put(message)
        self.redrawer.changed()

    def tell(self, notice: object) -> None:
        """Show a notice below the table."""
        self._told += 1
        self._notices.append(printable(str(notice)))
        self.redrawer.changed()

    def picture(self) -> RenderableType:
        """The table and notices as they are now."""
        width, height = self.console.size
        if width != self._width:
            self._width, self._widths = width, {}
        live_rows, by = self._rows, self._rows.view.by
        rows = live_rows.rows(max(3, height - _FRAME - len(self._notices)))
        parts: list[RenderableType] = [one_line(self._title, "bold", width)]
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
        parts.append(one_line(self._below(len(rows), missing), "bright_black", width))
        parts += [one_line(notice, "yellow", width) for notice in self._notices]
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
