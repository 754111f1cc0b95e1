"""What is drawn again and again in the lower part of a terminal, when it has changed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from binance_sdk.cli.console import make_console

INTERVAL = 0.25
"""Seconds between two drawings, at least."""


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


class LiveScreen:
    """The base of live views."""

    def __init__(self, console: Console | None = None) -> None:
        self.console: Console = console or make_console()
        self._live = Live(console=self.console, auto_refresh=False, transient=False)
        self.redrawer: Redrawer = Redrawer(self.draw)

    @property
    def empty(self) -> bool:
        """Whether nothing worth keeping was shown."""
        return False

    def picture(self) -> RenderableType:
        """What is to be seen now."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin to draw in the lower part of the terminal."""
        self._live.start()
        self.redrawer.changed()
        resized = getattr(signal, "SIGWINCH", None)
        if resized is not None:
            asyncio.get_running_loop().add_signal_handler(resized, self.redrawer.changed)

    def stop(self) -> None:
        """Stop drawing; the last picture stays visible, if it was worth it."""
        self._live.transient = self.empty
        self.draw()
        self._live.stop()

    def draw(self) -> None:
        """Draw it as it is now."""
        self._live.update(self.picture(), refresh=True)


def one_line(text: str, style: str, width: int) -> Text:
    """A text that is cut where the terminal ends."""
    line = Text(text, style=style, no_wrap=True, overflow="ellipsis")
    line.truncate(width, overflow="ellipsis")
    return line
