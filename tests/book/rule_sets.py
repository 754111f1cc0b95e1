"""The rules of the markets, as the exchange words them."""

from __future__ import annotations

from binance_sdk._runtime.book.rules import BookRules

SPOT = BookRules(
    snapshot="depth",
    stream="diff_depth",
    limits=(100, 500, 1000, 5000),
    default_limit=1000,
    first_id="U",
    last_id="u",
    previous_id=None,
    bids="b",
    asks="a",
    joins_after=1,
)
FUTURES = BookRules(
    snapshot="depth",
    stream="diff_depth",
    limits=(5, 10, 20, 50, 100, 500, 1000),
    default_limit=1000,
    first_id="U",
    last_id="u",
    previous_id="pu",
    bids="b",
    asks="a",
    joins_after=0,
)
