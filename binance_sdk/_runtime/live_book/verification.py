"""A book against a fresh snapshot.

A snapshot usually falls inside an event, so there is no moment at which a book has just its id. Therefore a second book
is built from it, out of the same events, and both are compared when they have come to the same id.
"""

from __future__ import annotations

from dataclasses import dataclass

from binance_sdk._runtime.book.comparison import Difference, compare_sides
from binance_sdk._runtime.book.state import BookCore
from binance_sdk._runtime.live_book.keeper import BookKeeper
from binance_sdk.errors import StreamError

_ATTEMPTS = 3
_MEETING_SECONDS = 60.0
"""For an event that covers the id of the snapshot."""


@dataclass(frozen=True, slots=True)
class Verification:
    """A book against a fresh snapshot, as far as both know the market.

    Attributes:
        update_id: At which both were compared.
        differences: Levels that are not the same, bids before asks, each the best first.
    """

    update_id: int
    differences: tuple[Difference, ...]

    @property
    def ok(self) -> bool:
        """Whether no level differs."""
        return not self.differences


async def verify(keeper: BookKeeper) -> Verification:
    """Compare a book with a fresh snapshot; one that differs is lost, and starts from another snapshot.

    Raises:
        BookNotSyncedError: it is not synced, or was lost meanwhile.
        BinanceError: no snapshot could be fetched.
    """
    found: Verification | None = None
    for _ in range(_ATTEMPTS):
        again = await _compare(keeper)
        # One snapshot that differs may be a bad one; two of them are not.
        decided = again is not None and (again.ok or found is not None)
        found = again or found
        if decided:
            break
    if found is None:
        raise StreamError(
            f"no snapshot of {keeper.market} {keeper.symbol} fits the updates of its stream; try it again"
        )
    keeper.compared(found.update_id, len(found.differences))
    return found


async def _compare(keeper: BookKeeper) -> Verification | None:
    """Compare with one snapshot; None if it does not fit the updates."""
    keeper.check_synced()
    shadow = BookCore(keeper.around.rules)
    keeper.add_shadow(shadow)
    shadow.begin()

    def begin() -> None:
        shadow.begin()

    try:
        snapshot = await keeper.around.loader.load(keeper.symbol, on_far=shadow.postpone, on_near=begin)
        assert snapshot is not None
        shadow.take_snapshot(snapshot)
        return await _meet(keeper, shadow)
    finally:
        keeper.remove_shadow(shadow)


async def _meet(keeper: BookKeeper, shadow: BookCore) -> Verification | None:
    """Compare both when they have the same update id; None if they never do."""
    core, now = keeper.core, keeper.around.clock.monotonic
    end = now() + _MEETING_SECONDS
    while shadow.synced and shadow.update_id != core.update_id:
        keeper.check_synced()
        left = end - now()
        if left <= 0:
            return None
        await keeper.wait(left)
    keeper.check_synced()
    if not shadow.synced or shadow.update_id is None:
        return None
    with keeper.lock:
        differences = compare_sides(core.bids, core.asks, shadow.bids, shadow.asks)
    return Verification(shadow.update_id, differences)
