"""What a pool and its callers ask of the store that its budget may be in; ``shared/`` holds the one there is."""

from __future__ import annotations

from typing import Protocol

from binance_sdk._runtime.budget.fixed_window import FixedWindow
from binance_sdk._runtime.budget.gate import Gate
from binance_sdk._runtime.budget.ledger import Reservation, Ticket
from binance_sdk._runtime.budget.shared.status import StoreStatus
from binance_sdk._runtime.budget.sliding_window import SlidingWindow


class StoreView(Protocol):
    """What users and callers read of the store."""

    changes: int

    @property
    def status(self) -> StoreStatus: ...


class StoreLink(Protocol):
    """One pool's side of the store."""

    store: StoreView

    def gate(self, name: str) -> Gate: ...

    def fixed_window(self, name: str, limit: int, seconds: int) -> FixedWindow: ...

    def sliding_window(self, name: str, limit: int, seconds: int, kind: str) -> SlidingWindow: ...

    def forget_windows(self) -> None:
        """The pool has other windows than before."""

    def ask(self, ticket: Ticket, may_block: float) -> None:
        """The next message asks for what this call needs; its thread may be blocked for so many seconds."""

    def check_fits(self, reservation: Reservation, now: float) -> None:
        """Refuse what never fits into this process's own part while the store is away."""

    def look(self) -> None:
        """There may be calls to ask for."""
