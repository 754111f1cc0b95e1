"""A live order book in the terminal: how the snapshot comes along, then the ladder with what is known about it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from decimal import Decimal

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from binance_sdk.books import BookLevel, LiveBook
from binance_sdk.cli.formats import ABSENT, duration, exact, percent, places_of, printable, rounded
from binance_sdk.cli.ladder import ladder
from binance_sdk.cli.live_screen import LiveScreen, one_line
from binance_sdk.cli.panels import facts

BAND = Decimal("0.001")
"""Distance from the middle within which depth and imbalance are shown."""
_EVENTS = 3
_FRAME = 8
"""Lines that are not levels: title, header, spread, facts, the line below."""


class BookBoard(LiveScreen):
    """The picture of one book.

    Args:
        book: The book, which may still wait for its snapshot.
        levels: Levels a side, where the terminal has room for them.
        contract_size: What one contract is worth, where the book counts contracts; None shows no depth of such a book.
    """

    def __init__(
        self, book: LiveBook, levels: int, contract_size: Decimal | None = None, console: Console | None = None
    ) -> None:
        super().__init__(console)
        self._book = book
        self._contract_size = contract_size
        self._levels = levels
        self._events: deque[str] = deque(maxlen=_EVENTS)
        self._places = [0, 0]
        self._updates = 0
        self._longest_wait = 0.0
        self.seconds_left: float = 0.0
        """Until the turn of the book's snapshot."""

    @property
    def empty(self) -> bool:
        """Whether the book was never there."""
        return self._book.last_known.update_id is None

    def count(self, updates: int) -> None:
        """So many messages have changed the book."""
        self._updates += updates
        self.redrawer.changed()

    def tell(self, event: object) -> None:
        """Show what happened below the book."""
        self._events.append(printable(str(event)))
        self.redrawer.changed()

    def picture(self) -> RenderableType:
        """The book as it is now."""
        width, height = self.console.size
        parts: list[RenderableType] = [one_line(f"{self._book.market} {self._book.symbol}", "bold", width)]
        parts += [self._waiting(width)] if self.empty else self._ladder(width, height)
        parts += [one_line(event, "yellow", width) for event in self._events]
        return Group(*parts)

    def _waiting(self, width: int) -> RenderableType:
        """How far the turn of the first snapshot is off."""
        self._longest_wait = max(self._longest_wait, self.seconds_left)
        if not self.seconds_left:
            return one_line("the snapshot is under way", "bright_black", width)
        passed = self._longest_wait - self.seconds_left
        table = Table.grid(padding=(0, 1))
        table.add_row(
            ProgressBar(total=self._longest_wait, completed=passed, width=min(40, width // 2)),
            Text(f"snapshot in {duration(math.ceil(self.seconds_left))}", style="bright_black", no_wrap=True),
        )
        return table

    def _ladder(self, width: int, height: int) -> list[RenderableType]:
        book = self._book.last_known
        rows = min(self._levels, max(1, (height - _FRAME - len(self._events)) // 2))
        bids, asks = book.bids(rows), book.asks(rows)
        self._widen(0, (level.price for level in (*bids, *asks)))
        self._widen(1, (level.qty for level in (*bids, *asks)))
        state = Text("synced", style="green") if book.synced else Text(f"not synced: {book.reason}", style="bold red")
        table = ladder(bids, asks, "", ("price", "qty", "Σ qty"), (self._places[0], self._places[1]), width)
        below = Text.assemble(state, (f" · {self._updates:,} updates · Ctrl-C ends", "bright_black"))
        return [table, facts(self._facts(bids, asks), width), below]

    def _widen(self, column: int, values: Iterable[Decimal]) -> None:
        """Columns keep the decimal places that they once had."""
        self._places[column] = max(self._places[column], *(places_of(value) for value in values), 0)

    def _facts(self, bids: list[BookLevel], asks: list[BookLevel]) -> list[tuple[str, str]]:
        book = self._book.last_known
        imbalance, depth = book.imbalance(within=BAND), None
        if self._contract_size is not None or not book.counts_contracts:
            depth = book.depth(within=BAND, contract_size=self._contract_size)
        complete = "" if depth is None or depth.complete else " at least"
        band = f"±{exact(BAND * 100)}%"
        return [
            ("mid", ABSENT if book.mid is None else exact(book.mid, self._places[0])),
            ("spread", ABSENT if book.spread is None else f"{rounded(book.spread.bps, 3)} bp"),
            (f"imbalance {band}", ABSENT if imbalance is None else percent(_rounded(imbalance), 1)),
            ("lag", f"{book.lag_ms:.1f} ms"),
            ("update", str(book.update_id)),
            ("age", f"{book.age:.1f} s"),
            (f"depth {band}{complete}", ABSENT if depth is None else _sides(depth.bid_quote, depth.ask_quote)),
            ("resyncs", str(book.resyncs)),
        ]


def _sides(bids: Decimal, asks: Decimal) -> str:
    from binance_sdk.cli.formats import compact

    return f"{compact(bids)} / {compact(asks)}"


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.001"))
