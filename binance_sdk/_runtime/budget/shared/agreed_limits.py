"""Which limits of a pool one process and the store agree on, and what the one tells the other of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from binance_sdk._runtime.budget.shared.leased_windows import WEIGHT
from binance_sdk._runtime.budget.shared.messages import Table


@dataclass
class AgreedLimits:
    """Kept by their version, a name that the store gives to a table of limits."""

    agreed: Table
    """As the store and we know them."""
    version: str = ""
    """Empty until the store has named one, and after it has forgotten them."""
    told: Table = field(default_factory=dict[str, dict[int, int]])
    """As they were when the last message was made."""

    def news(self, limits: Table) -> dict[str, Any]:
        """What a message says of the limits of this process."""
        self.told = limits
        news: dict[str, Any] = {"version": self.version}
        if limits != self.agreed:
            news["learned"] = True
        if limits != self.agreed or not self.version:
            news["table"] = {
                kind: ["fixed" if kind == WEIGHT else "sliding", [[seconds, limit] for seconds, limit in row.items()]]
                for kind, row in limits.items()
            }
        return news
