"""Messages and snapshots into a live book: the first line names the market, each further line is one of the two."""

from __future__ import annotations

import json
from typing import Any, cast

from binance_sdk._runtime.book.messages import Snapshot
from binance_sdk._runtime.live_book.keeper import BookKeeper
from binance_sdk._runtime.live_book.snapshots import SnapshotLoader
from binance_sdk._runtime.live_book.surroundings import Surroundings
from binance_sdk._runtime.live_book.update_decoder import update_decoder
from binance_sdk._runtime.stream.connection.pacing import Backoff
from binance_sdk.catalogue import CATALOGUE
from binance_sdk.events import Event
from tests.book.rule_sets import FUTURES, SPOT
from tests.fuzz.targets.naming import split
from tests.streams.manual_clock import ManualClock

_RULES = {"spot": SPOT, "futures": FUTURES}
_SNAPSHOT = b"snapshot "


def _update(first: int, bids: list[list[str]], asks: list[list[str]]) -> bytes:
    return json.dumps({"e": "depthUpdate", "U": first, "u": first + 1, "pu": first - 1, "b": bids, "a": asks}).encode()


def seeds() -> list[bytes]:
    fields = {"bids": [["99", "1"], ["98", "2"]], "asks": [["101", "1"], ["102.50", "2"]]}
    made: list[bytes] = []
    for market in _RULES:
        whole = {"lastUpdateId": 10, **fields, **({} if market == "spot" else {"E": 1, "T": 1})}
        snapshot = _SNAPSHOT + json.dumps(whole).encode()
        updates = [
            _update(9, [["99", "3"]], []),
            snapshot,
            _update(11, [["99", "0"], ["98.5", "1"]], [["101", "0.5"]]),
            _update(13, [], [["101", "0"], ["103", "7"]]),
            _update(17, [["97", "1"]], []),
            snapshot.replace(b": 10", b": 18"),
            _update(19, [["98", "1"]], []),
        ]
        made.append(b"\n".join((market.encode(), *updates)))
    return made


def target(data: bytes) -> bool:
    """What cannot be read is said and the book is not synced; a synced one is in order and not crossed."""
    rules, below = split(data, _RULES)
    market = "spot" if rules is SPOT else "futures"
    read = CATALOGUE[market].operations["depth"].variants[0].reader.read
    told: list[Event] = []
    around = Surroundings(
        market, rules, update_decoder(rules), cast(SnapshotLoader, None), ManualClock(), told.append, Backoff
    )
    keeper = BookKeeper("BTCUSDT", around, lambda _: None)
    keeper.connection_ready()
    synced = False
    for line in below.split(b"\n"):
        if line.startswith(_SNAPSHOT):
            try:
                found: Any = read(line[len(_SNAPSHOT) :])
            except ValueError:
                # The engine makes a DecodeError of it: see the target of answers.
                continue
            sides = [[(row[0], row[1]) for row in side] for side in (found.bids, found.asks)]
            keeper.core.take_snapshot(Snapshot(found.last_update_id, 1000, *sides))
        else:
            problem = keeper.take(line, 0.0)
            assert not (problem and keeper.core.synced)
        if keeper.core.synced:
            synced = True
            _is_in_order(keeper)
    keeper.close()
    return synced


def _is_in_order(keeper: BookKeeper) -> None:
    bids = [level[0] for level in keeper.core.bids.walk()]
    asks = [level[0] for level in keeper.core.asks.walk()]
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert not bids or not asks or bids[0] < asks[0]
