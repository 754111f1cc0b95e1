"""Books replayed from what was recorded of the exchange in 2021: snapshots and updates that no simulator made.

The judge is the exchange itself: its best prices, sent on another stream, name the update id that they belong to.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from binance_sdk._generated.futures.book import BOOK as FUTURES
from binance_sdk._generated.spot.book import BOOK as SPOT
from binance_sdk._runtime.book.messages import Snapshot
from binance_sdk._runtime.book.state import BookCore, NeedsSnapshot, Outcome, Synced
from binance_sdk._runtime.live_book.update_decoder import update_decoder
from tests.shared_facts import FACTS, found, needs_facts

BOOKS = {"spot": SPOT, "futures": FUTURES}
LIMIT = 1000


def recordings() -> list[tuple[str, str]]:
    return [(path.parent.name, path.stem.removeprefix("depth.")) for path in found("recorded/*/depth.*.json")]


def recorded(market: str, symbol: str) -> tuple[float, Snapshot, list[tuple[float, bytes]], dict[int, Any]]:
    """When the snapshot came, the snapshot, the updates with their times, and the best prices by update id."""
    folder = FACTS / "recorded"
    rest = json.loads((folder / "manifest.json").read_bytes())["rest"]
    name = f"recorded/{market}/depth.{symbol}.json"
    (at,) = (entry["received_at"] for entry in rest if entry["file"] == name)
    answer = json.loads((FACTS / name).read_bytes())
    sides = ([(level[0], level[1]) for level in answer[side]] for side in ("bids", "asks"))
    updates: list[tuple[float, bytes]] = []
    best: dict[int, Any] = {}
    for line in (folder / market / "ws.jsonl").read_bytes().splitlines():
        one = json.loads(line)
        stream, data = one["message"]["stream"], one["message"]["data"]
        if stream == f"{symbol.lower()}@depth@100ms":
            updates.append((one["received_at"], json.dumps(data).encode()))
        elif stream == f"{symbol.lower()}@bookTicker":
            best[data["u"]] = tuple(Decimal(data[key]) for key in ("b", "B", "a", "A"))
    return at, Snapshot(answer["lastUpdateId"], LIMIT, *sides), updates, best


@needs_facts
@pytest.mark.parametrize(("market", "symbol"), recordings() or [("spot", "NONE")])
def test_a_recorded_book_follows_the_exchange(market: str, symbol: str) -> None:
    rules = BOOKS[market].rules
    at, snapshot, updates, best = recorded(market, symbol)
    decode = update_decoder(rules)
    core = BookCore(rules)
    core.begin()
    for came, payload in updates:
        if came < at:
            assert core.take_update(decode(payload)) is Outcome.KEPT
    assert isinstance(core.take_snapshot(snapshot), Synced)
    compared = applied = 0
    for came, payload in updates:
        if came < at:
            continue
        outcome = core.take_update(decode(payload))
        assert not isinstance(outcome, NeedsSnapshot), outcome
        applied += outcome is Outcome.APPLIED
        if core.update_id in best:
            compared += 1
            assert core.best_bid is not None
            assert core.best_ask is not None
            assert (*core.best_bid, *core.best_ask) == best[core.update_id]
    assert applied > 0
    assert compared > 0 or len(best) < 30
