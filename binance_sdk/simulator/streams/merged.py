"""Streams that several markets have in common: one name, and the rows of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from binance_sdk.simulator.streams.feeds import Feed
from binance_sdk.simulator.streams.market_view import MarketView


class Merged:
    """The events of a market, and those of other markets at the same moments."""

    def __init__(self, view: MarketView, own: Feed, others: Sequence[Feed]) -> None:
        """``view`` is the market that is asked; whether it carries the others may change at any time."""
        self._view = view
        self._own = own
        self._others = others

    def next(self, after: int, now: int) -> int:
        return min(feed.next(after, now) for feed in (self._own, *self._others))

    def at(self, due: int) -> Iterable[bytes]:
        own = list(self._own.at(due))
        others = list(chain.from_iterable(feed.at(due) for feed in self._others))
        if not self._view.carries_others:
            return own
        if own and others and own[0].startswith(b"[") and others[0].startswith(b"["):
            # Rows of a list come in one message with those of the others.
            return [b"[%s,%s]" % (own[0][1:-1], others[0][1:-1]), *own[1:], *others[1:]]
        return [*own, *others]
