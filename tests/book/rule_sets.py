"""The rules of the markets, as the exchange words them."""

from __future__ import annotations

from binance_sdk._runtime.book.rules import SequenceRules

SPOT = SequenceRules(
    snapshot="order_book",
    streams=("diff_depth",),
    limits=(100, 500, 1000, 5000),
    default_limit=1000,
    first_id="U",
    last_id="u",
    previous_id=None,
    snapshot_id="lastUpdateId",
    joins_after=1,
)
FUTURES = SequenceRules(
    snapshot="order_book",
    streams=("diff_depth",),
    limits=(5, 10, 20, 50, 100, 500, 1000),
    default_limit=1000,
    first_id="U",
    last_id="u",
    previous_id="pu",
    snapshot_id="lastUpdateId",
    joins_after=0,
)
