"""An order book as a ladder: asks above, bids below, with running totals from the middle outwards."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from rich.table import Table
from rich.text import Text

from binance_sdk.cli.formats import ABSENT, exact, rounded

_EIGHTHS = " ▏▎▍▌▋▊▉"
_COLUMNS = 36
"""Width of the numbers beside the bars."""
_LEAST_BAR = 4


class Level(Protocol):
    """A price and the quantity at it."""

    @property
    def price(self) -> Decimal: ...

    @property
    def qty(self) -> Decimal: ...


def ladder(
    bids: Sequence[Level],
    asks: Sequence[Level],
    title: str,
    heads: tuple[str, str, str],
    places: tuple[int, int],
    width: int,
) -> Table:
    """The ladder of a book.

    Args:
        bids: Bids, the highest price first.
        asks: Asks, the lowest price first.
        title: Above it; empty for none.
        heads: Over prices, quantities and running totals.
        places: Decimal places of prices and of quantities, at least.
        width: Columns of the terminal.
    """
    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=None, padding=(0, 1), pad_edge=False,
        width=width,
    )  # fmt: skip
    for name in heads:
        table.add_column(name, justify="right", header_style="bright_black", no_wrap=True)
    table.add_column("", ratio=1, no_wrap=True)
    most = max(_total(asks), _total(bids))
    room = max(_LEAST_BAR, width - _COLUMNS)
    for level, total in reversed(list(zip(asks, _running(asks), strict=True))):
        table.add_row(*_row(level, total, most, room, "red", places))
    table.add_row(*_spread(asks, bids, places))
    for level, total in zip(bids, _running(bids), strict=True):
        table.add_row(*_row(level, total, most, room, "green", places))
    return table


def _total(levels: Sequence[Level]) -> Decimal:
    return sum((level.qty for level in levels), Decimal(0))


def _running(levels: Sequence[Level]) -> list[Decimal]:
    totals: list[Decimal] = []
    for level in levels:
        totals.append((totals[-1] if totals else Decimal(0)) + level.qty)
    return totals


def _row(
    level: Level, total: Decimal, most: Decimal, room: int, style: str, places: tuple[int, int]
) -> tuple[Text, str, str, Text]:
    eighths = int(total / most * room * 8) if most else 0
    bar = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    return (
        Text(exact(level.price, places[0]), style=style),
        exact(level.qty, places[1]),
        exact(total, places[1]),
        Text(bar, style=style),
    )


def _spread(asks: Sequence[Level], bids: Sequence[Level], places: tuple[int, int]) -> tuple[Text, str, str, Text]:
    if not asks or not bids:
        return Text(ABSENT), "", "", Text("one side is empty", style="bright_black")
    spread = asks[0].price - bids[0].price
    middle = (asks[0].price + bids[0].price) / 2
    relative = f"{rounded(spread / middle * 10_000, 3)} bp" if middle else ""
    return Text(exact(spread, places[0]), style="bold"), "spread", relative, Text()
