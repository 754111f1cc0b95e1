"""What the book of the simulator is after an update id, read from the market itself and not from what it sends."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from binance_sdk.simulator import Simulator

Levels = dict[Decimal, Decimal]
DEEP = 1200


class Truth:
    """The book of one symbol."""

    def __init__(self, simulator: Simulator, market: Any, symbol: str) -> None:
        self._data = simulator._exchange.markets[market].symbol_data(symbol)

    def after(self, update_id: int) -> tuple[Levels, Levels]:
        """Bids and asks, deeper than any book of a test."""
        found = self._data.book.snapshot(update_id, DEEP)
        return self._levels(found.bids), self._levels(found.asks)

    def _levels(self, side: Any) -> Levels:
        price, qty = self._data.price, self._data.quantity
        return {
            Decimal(price.text(at)): Decimal(qty.text(amount))
            for at, amount in zip(side.price.tolist(), side.quantity.tolist(), strict=True)
        }

    def differences(self, book: Any) -> list[str]:
        """Levels of a synced book, a blocking one too, that are not those of the exchange after its update id."""
        assert book.synced
        while True:
            update_id, (low, high) = book.update_id, book.complete_to
            seen = {level.price: level.qty for level in book.bids()}, {level.price: level.qty for level in book.asks()}
            # A blocking book may go on between two of its readings; then they are taken again.
            if book.update_id == update_id:
                break
        bids, asks = self.after(update_id)
        true = (
            {price: qty for price, qty in bids.items() if low is None or price >= low},
            {price: qty for price, qty in asks.items() if high is None or price <= high},
        )
        assert list(seen[0]) == sorted(seen[0], reverse=True)
        assert list(seen[1]) == sorted(seen[1])
        return [
            f"{update_id} {name} {price}: {mine.get(price)} is {other.get(price)}"
            for name, mine, other in zip(("bid", "ask"), seen, true, strict=True)
            for price in sorted(mine.keys() | other.keys())
            if mine.get(price) != other.get(price)
        ]
