"""A market that is made up change by change, and remembered as plain dicts: what a book must equal."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from binance_sdk._runtime.book.messages import Snapshot, Update
from binance_sdk._runtime.book.rules import BookRules
from binance_sdk._runtime.book.state import BookCore

Book = dict[str, dict[Decimal, Decimal]]


def written(number: Decimal, rng: Random) -> str:
    """The number with some zeros behind it, as another tick size writes it."""
    return f"{number:f}" + ("" if number == number.to_integral_value() else "0" * rng.randrange(3))


@dataclass
class Market:
    """Every moment of one symbol's book."""

    rules: BookRules
    rng: Random
    tick: Decimal = Decimal("0.01")
    middle: Decimal = Decimal(1)
    now: Book = field(default_factory=lambda: {"bids": {}, "asks": {}})
    ids: list[int] = field(default_factory=lambda: [100])
    past: dict[int, Book] = field(default_factory=dict[int, Book])
    last_event: int = 100

    def __post_init__(self) -> None:
        for step in range(1, 9):
            self.now["bids"][self.middle - step * self.tick] = Decimal(step)
            self.now["asks"][self.middle + step * self.tick] = Decimal(step)
        self._remember(100)

    def _remember(self, at: int) -> None:
        self.past[at] = {side: dict(levels) for side, levels in self.now.items()}

    def _change(self) -> tuple[str, Decimal, Decimal]:
        side = self.rng.choice(["bids", "asks"])
        levels = self.now[side]
        best = max(self.now["bids"]) if side == "bids" else min(self.now["asks"])
        other = min(self.now["asks"]) if side == "bids" else max(self.now["bids"])
        price = best + self.tick * self.rng.randrange(-6, 7)
        crosses = price >= other if side == "bids" else price <= other
        qty = Decimal(self.rng.choice([0, 0, 1, 2, 5])) / 10
        if crosses or price <= 0 or (not qty and set(levels) <= {price}):
            return self._change()
        levels.pop(price, None)
        if qty:
            levels[price] = qty
        self.ids.append(self.ids[-1] + (1 if self.rules.previous_id is None else self.rng.randrange(1, 4)))
        self._remember(self.ids[-1])
        return side, price, qty

    def event(self) -> Update:
        """The next event: the outcome of some changes."""
        first = len(self.ids)
        changed: dict[tuple[str, Decimal], Decimal] = {}
        for _ in range(self.rng.randrange(1, 5)):
            side, price, qty = self._change()
            changed[side, price] = qty
        sides: dict[str, list[tuple[str, str]]] = {"bids": [], "asks": []}
        for (side, price), qty in changed.items():
            sides[side].append((written(price, self.rng), written(qty, self.rng)))
        previous = None if self.rules.previous_id is None else self.last_event
        self.last_event = self.ids[-1]
        return Update(self.ids[first], self.ids[-1], previous, sides["bids"], sides["asks"])

    def snapshot(self, at: int, limit: int) -> Snapshot:
        """What the exchange answered when ``at`` was the newest id."""
        book = self.past[at]
        bids, asks = (
            [(written(price, self.rng), written(book[side][price], self.rng)) for price in order[:limit]]
            for side, order in (("bids", sorted(book["bids"], reverse=True)), ("asks", sorted(book["asks"])))
        )
        return Snapshot(at, limit, bids, asks)

    def check(self, core: BookCore) -> None:
        """A book that says it is synced is the truth of its id, as far as it claims to know it."""
        if not core.synced:
            assert core.reason is not None
            return
        assert core.reason is None
        assert core.update_id is not None
        truth = self.past[max(known for known in self.ids if known <= core.update_id)]
        bids_end, asks_end = core.complete_to
        bids = [(price, truth["bids"][price]) for price in sorted(truth["bids"], reverse=True)]
        asks = [(price, truth["asks"][price]) for price in sorted(truth["asks"])]
        assert core.bids.levels() == [level for level in bids if bids_end is None or level[0] >= bids_end]
        assert core.asks.levels() == [level for level in asks if asks_end is None or level[0] <= asks_end]
        assert core.bids.levels(1) + core.asks.levels(1) == [bids[0], asks[0]]
