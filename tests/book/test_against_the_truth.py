"""Whatever is lost, repeated, late or torn, a book that says it is synced equals the market that was made up."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_sdk._runtime.book.comparison import compare
from binance_sdk._runtime.book.messages import LevelText, Update
from binance_sdk._runtime.book.rules import BookRules
from binance_sdk._runtime.book.state import BookCore, BookState, NeedsSnapshot, Reason
from tests.book.rule_sets import FUTURES, SPOT
from tests.book.truth import Market

# Of the second, neighbouring prices are the same float.
PRICES = {
    "short": (Decimal("0.01"), Decimal(1)),
    "long": (Decimal("0.00000001"), Decimal("90071992.54740992")),
}

SEEDS = st.integers(0, 2**32 - 1)


def torn(events: list[Update], rng: Random) -> list[Update]:
    """What the line makes of events: some are lost, come twice, late, out of order or with the one before."""
    out: list[Update] = []
    late: list[Update] = []
    for event in events:
        fate = rng.randrange(12)
        if fate == 0:
            continue
        if fate == 1:
            late.append(event)
            continue
        if fate == 2 and out:
            out.append(rng.choice(out))
        out.append(event)
        if fate == 3:
            out.append(event)
        if late and fate > 8:
            out.append(late.pop(rng.randrange(len(late))))
    if rng.randrange(3) == 0:
        at = rng.randrange(len(out) + 1)
        part = out[at : at + 4]
        rng.shuffle(part)
        out[at : at + 4] = part
    return out


def joined(left: Update, right: Update) -> Update:
    """Two events as one, as another connection may cut them."""

    def newest(old: Sequence[LevelText], new: Sequence[LevelText]) -> list[LevelText]:
        return list({Decimal(level[0]): level for level in (*old, *new)}.values())

    bids, asks = newest(left.bids, right.bids), newest(left.asks, right.asks)
    return Update(left.first_id, right.last_id, left.previous_id, bids, asks)


@pytest.mark.parametrize("prices", PRICES.values(), ids=PRICES.keys())
@pytest.mark.parametrize("rules", [SPOT, FUTURES], ids=["spot", "futures"])
@given(seed=SEEDS, limit=st.sampled_from([3, 8, 100]), most_kept=st.sampled_from([2, 1000]))
@settings(max_examples=120, deadline=None)
def test_a_synced_book_equals_the_truth(
    rules: BookRules, prices: tuple[Decimal, Decimal], seed: int, limit: int, most_kept: int
) -> None:
    rng = Random(seed)
    market = Market(rules, rng, *prices)
    core = BookCore(rules, most_kept=most_kept)
    events = torn([market.event() for _ in range(30)], rng)
    core.begin()
    for event in events:
        core.take_update(event)
        market.check(core)
        if not core.synced and rng.randrange(2):
            near = [known for known in market.ids if abs(known - event.last_id) < 12]
            core.take_snapshot(market.snapshot(rng.choice(near), limit))
            market.check(core)
        fate = rng.randrange(40)
        if fate == 0:
            core.lose(rng.choice(list(Reason)))
        elif fate == 1:
            core.postpone()
        elif fate == 2:
            core.replace_connection()
        elif fate > 20:
            core.begin()
        market.check(core)
    # Once the line is good, one snapshot that is new enough is all it takes.
    core.begin()
    good = [market.event() for _ in range(6)]
    for event in good:
        core.take_update(event)
    core.take_snapshot(market.snapshot(good[-1].last_id, 100))
    assert core.synced
    assert core.update_id == good[-1].last_id
    market.check(core)
    assert compare(core.bids, core.asks, market.snapshot(good[-1].last_id, 3)) == ()


@pytest.mark.parametrize("rules", [SPOT, FUTURES], ids=["spot", "futures"])
@given(seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_a_good_line_never_needs_a_second_snapshot(rules: BookRules, seed: int) -> None:
    """From whichever moment the snapshot is, as long as the kept updates reach back to it."""
    rng = Random(seed)
    market, core = Market(rules, rng), BookCore(rules)
    core.begin()
    for _ in range(5):
        core.take_update(market.event())
    core.take_snapshot(market.snapshot(rng.choice(market.ids), 100))
    assert core.synced
    assert core.update_id == market.ids[-1]
    market.check(core)
    for _ in range(10):
        event = market.event()
        if rng.randrange(4) == 0:
            core.replace_connection()
            event = joined(event, market.event())
        assert not isinstance(core.take_update(event), NeedsSnapshot)
        market.check(core)


@pytest.mark.parametrize("rules", [SPOT, FUTURES], ids=["spot", "futures"])
@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_a_connection_that_overlaps_may_cut_events_differently(rules: BookRules, seed: int) -> None:
    rng = Random(seed)
    market, core = Market(rules, rng), BookCore(rules)
    core.begin()
    first, second, third = market.event(), market.event(), market.event()
    core.take_snapshot(market.snapshot(100, 100))
    core.take_update(first)
    core.replace_connection()
    assert not isinstance(core.take_update(joined(first, second)), NeedsSnapshot)
    market.check(core)
    assert core.update_id == second.last_id
    core.take_update(third)
    assert core.state is BookState.SYNCED
    market.check(core)
