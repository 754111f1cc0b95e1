"""What differs between the markets in how they are traded, written by hand.

A market that has no rules here has no symbols of the simulator's own: it answers with examples, for any symbol. Symbols
that the user hands in are traded by the rules of spot there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class MarketRules:
    """How the symbols of a market are traded, and how its numbers are written.

    Attributes:
        contracts: What is traded are contracts, whose price moves around that of an index.
        ids_per_ms: Update ids of books in a millisecond. With more than one, all symbols share them, and only the first
            belongs to a book.
        book_levels: Levels of the deepest book of REST; changes below it are not sent.
        trade_mark: What trades are marked as: all of them as the best match, or those of retail orders as such.
        symbol_type: What ``st`` of stream events says; 0 where they have no such key.
        eight_decimals: Amounts are written with eight decimals, whatever the tick and the lot.
        average_mark_price: Events of mark prices have their average too.
        newest_bars: Of a range with more bars than ``limit`` the newest come, and not the oldest.
        longest_bar_range: Milliseconds from a start to the last bar that is given; 0 for no such bound.
        shown_in_maintenance: Status of every symbol while the exchange is under maintenance.
        examples_only: The market knows nothing but examples.
    """

    contracts: bool = False
    ids_per_ms: int = 1
    book_levels: int = 5000
    trade_mark: Literal["best_match", "retail", ""] = ""
    symbol_type: int = 0
    eight_decimals: bool = True
    average_mark_price: bool = False
    newest_bars: bool = False
    longest_bar_range: int = 0
    shown_in_maintenance: str = "HALT"
    examples_only: bool = False


_SPOT = MarketRules(trade_mark="best_match")
_FUTURES = MarketRules(
    contracts=True,
    ids_per_ms=3,
    book_levels=1000,
    trade_mark="retail",
    symbol_type=1,
    average_mark_price=True,
    eight_decimals=False,
    shown_in_maintenance="PENDING_TRADING",
)
_COIN_FUTURES = replace(
    _FUTURES,
    trade_mark="",
    symbol_type=2,
    average_mark_price=False,
    newest_bars=True,
    longest_bar_range=200 * 86_400_000,
)
_UNWRITTEN = MarketRules(examples_only=True)
_RULES: Mapping[str, MarketRules] = {"spot": _SPOT, "futures": _FUTURES, "coin_futures": _COIN_FUTURES}


def rules_of(market: str) -> MarketRules:
    """The rules of a market."""
    return _RULES.get(market, _UNWRITTEN)
