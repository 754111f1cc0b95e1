"""The first row at or after a moment, where an endpoint finds rows by their ids alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from binance_sdk._runtime.calls.paging import paging_of
from binance_sdk._runtime.operation import Operation
from binance_sdk._runtime.response import Response

Fetch = Callable[[Mapping[str, object]], Awaitable[Response[list[Any]]]]

_FIRST_STEP = 1000
"""How far back the first search goes."""
_FARTHEST_GUESS = 0.1, 0.9
"""A guess by the distance of times stays away from the ends of what is left: trades come in bursts."""


@dataclass(frozen=True)
class _Row:
    """The id of a row, and its time in milliseconds."""

    id: int
    time: int


async def first_id_at(operation: Operation[Any], arguments: Mapping[str, object], at: int, fetch: Fetch) -> int | None:
    """The least id whose time is not before ``at``; None where no row is that late.

    Args:
        operation: An endpoint that pages by ids.
        arguments: What else is passed, by wire name.
        at: The moment, in milliseconds.
        fetch: Makes one call.
    """
    paging = paging_of(operation)

    async def row_from(first: int | None) -> _Row | None:
        """The first row with this id or a greater one; the newest for None."""
        asked = {**arguments, paging.size: 1, **({} if first is None else {paging.cursor: first})}
        rows = (await fetch(asked)).data
        return _Row(getattr(rows[0], paging.key), getattr(rows[0], paging.time or paging.key)) if rows else None

    newest = await row_from(None)
    if newest is None or newest.time < at:
        return None
    before, after = await _around(newest, at, row_from)
    went_slowly = False
    while (distance := after.id - before.id) > 1:
        # Where a guess by time left more than half, the middle is next: two calls always halve what is left.
        guess = before.id + distance // 2 if went_slowly else _guess(before, after, at)
        found = await row_from(guess)
        if found is None or found.time < at:
            before = _Row(guess, at - 1 if found is None else found.time)
        else:
            # The row of a guess may be missing, then the next one comes.
            after = _Row(guess, found.time)
        went_slowly = after.id - before.id > distance // 2 + 1
    return after.id


async def _around(newest: _Row, at: int, row_from: Callable[[int], Awaitable[_Row | None]]) -> tuple[_Row, _Row]:
    """A row before the moment and one after, the step back growing until there is one before, or none at all."""
    after, step = newest, _FIRST_STEP
    while True:
        guess = after.id - step
        if guess <= 0:
            return _Row(-1, min(at - 1, after.time)), after
        found = await row_from(guess)
        if found is None or found.time < at:
            return found or _Row(guess, at - 1), after
        # As far again as the times say, and a little more.
        pace = (newest.id - found.id) / max(1, newest.time - found.time)
        step = max(step * 2, int(pace * (found.time - at) * 1.2))
        after = found


def _guess(before: _Row, after: _Row, at: int) -> int:
    """Where the moment would be if rows came evenly, between the two."""
    least, most = _FARTHEST_GUESS
    part = (at - before.time) / max(1, after.time - before.time)
    distance = after.id - before.id
    return before.id + max(1, min(int(distance * min(max(part, least), most)), distance - 1))
