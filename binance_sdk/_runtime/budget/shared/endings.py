"""What has ended and is not counted in the store yet; every part of a request has a number, by which it counts once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from binance_sdk._runtime.budget.shared.leased_windows import LeasedCharge

_MOST = 500
"""Of one message; more would keep the store busy for too long at a time."""
_REMEMBERED = 4 * _MOST
_UNKNOWN = (-1, 0, 0, 0, "0")
"""Of a request that was sent without the store, for the window of which nothing is known."""


@dataclass
class Endings:
    """Rows of number, whether an answer came, window, amount, the store's snapshot, and the exchange's count."""

    settled: int = 0
    """Number of the last one that the store has counted."""
    _last: int = 0
    _rows: list[list[Any]] = field(default_factory=list[list[Any]])

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, name: str, charge: LeasedCharge, reported: int | None, answered: bool) -> None:
        known = charge.snapshot
        told = (known.index, known.unreported, known.reported, known.resets, known.at) if known else _UNKNOWN
        self._append(answered, name, charge.amount, told, reported)
        if len(self._rows) > _REMEMBERED:
            self._merge()

    def _append(self, answered: bool, name: str, amount: int, told: tuple[Any, ...], reported: int | None) -> None:
        self._last += 1
        self._rows.append([self._last, answered, name, amount, *told, reported])

    def _merge(self) -> None:
        """The store has been away for long: what was spent matters, and no longer by which requests."""
        sums: dict[tuple[str, bool], int] = {}
        for _, answered, name, amount, *_ in self._rows:
            sums[name, answered] = sums.get((name, answered), 0) + amount
        self._rows.clear()
        for (name, answered), amount in sums.items():
            self._append(answered, name, amount, _UNKNOWN, None)

    def first(self) -> list[list[Any]]:
        """Those for the next message."""
        return self._rows[:_MOST]

    def left(self) -> dict[str, int]:
        """Amounts by window of all that is not in the next message."""
        sums: dict[str, int] = {}
        for _, _, name, amount, *_ in self._rows[_MOST:]:
            sums[name] = sums.get(name, 0) + amount
        return sums

    def counted(self, settled: int) -> None:
        """The store has counted all up to this number."""
        self.settled = max(self.settled, settled)
        self._rows = [row for row in self._rows if row[0] > self.settled]
