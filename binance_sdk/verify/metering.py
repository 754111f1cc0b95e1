"""Measures what a call costs: the server's count before and after it, each told by a call of its cheapest endpoint.

Others behind the same address spend from the same count, and a window may end in between. So a difference is only
believed when the same comes several times.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from binance_sdk._runtime.weight import ArgumentValue
from binance_sdk.verify.asking import NoReply, Reply
from binance_sdk.verify.market_spec import MarketSpec, OperationSpec
from binance_sdk.verify.plan import Call
from binance_sdk.verify.promises import used_weight

Ask: TypeAlias = Callable[[str, OperationSpec, Mapping[str, ArgumentValue], int], Awaitable[Reply | NoReply]]

_AGREEING = 3
"""Measurements that must agree on a weight other than the spec's."""
_MOST = 5
"""Measurements of one call."""
_BUSY = "somebody else seems to spend from the same address"


@dataclass(frozen=True, slots=True)
class _Reading:
    """The server's count at a moment, and the window it belongs to."""

    used: int
    window: int


class Meter:
    """Measures calls of one market, one after the other."""

    def __init__(self, spec: MarketSpec, ask: Ask) -> None:
        self._spec = spec
        self._ask = ask
        self._time = next(
            ((name, operation) for name, operation in spec.operations.items() if operation.time is not None), None
        )
        self._last: _Reading | None = None
        self._price: int | None = None
        """What the call between two measured ones costs; measured too, as the spec may be wrong about it."""

    def forget(self) -> None:
        """Something else is about to be asked: the count that was read last says nothing any more."""
        self._last = None

    async def answers(self) -> bool:
        """Whether the cheapest endpoint answers."""
        if self._time is None:
            return False
        name, operation = self._time
        return isinstance(await self._ask(name, operation, {}, operation.price({})), Reply)

    async def ask(self, call: Call) -> tuple[Reply | NoReply, int | str]:
        """The answer to a call, and the weight it took or why that is not known."""
        reply, taken = await self._once(call)
        seen: list[int] = []
        for _ in range(_MOST):
            if isinstance(taken, str):
                return reply, taken
            if taken is not None:
                seen.append(taken)
                if taken == call.weight:
                    return reply, taken
            if len(seen) >= _AGREEING and len(set(seen[-_AGREEING:])) == 1 and seen[-1] >= 0:
                return reply, seen[-1]
            _, taken = await self._once(call)
        return reply, _BUSY

    async def _once(self, call: Call) -> tuple[Reply | NoReply, int | str | None]:
        """One measurement; None for the weight where the window ended in between."""
        before = self._last or await self._read()
        price = await self._between() if not isinstance(before, str) else 0
        before = self._last or before
        reply = await self._ask(call.name, call.operation, call.arguments, call.weight)
        if isinstance(reply, NoReply) or reply.refused:
            self._last = None
            return reply, _BUSY
        if isinstance(before, str):
            return reply, before
        after = await self._read()
        if isinstance(after, str):
            return reply, after
        return reply, after.used - before.used - price if after.window == before.window else None

    async def _between(self) -> int:
        """What one call of the cheapest endpoint costs: the least of some that follow each other."""
        if self._price is None:
            costs: list[int] = []
            before = self._last
            for _ in range(_MOST):
                reading = await self._read()
                if isinstance(reading, str):
                    break
                if before is not None and reading.window == before.window:
                    costs.append(reading.used - before.used)
                before = reading
                if len(costs) >= _AGREEING:
                    break
            self._price = max(0, min(costs, default=1))
        return self._price

    async def _read(self) -> _Reading | str:
        """The count now, or why it is not known."""
        self._last = None
        if self._time is None:
            return "no endpoint of the market tells the time"
        name, operation = self._time
        reply = await self._ask(name, operation, {}, operation.price({}))
        if isinstance(reply, NoReply):
            return reply.because
        used = None if reply.refused else used_weight(self._spec.pool, reply.headers)
        if used is None:
            return "the server does not tell the used weight"
        try:
            body = reply.json()
        except ValueError:
            body = None
        told = body.get(operation.time or "") if isinstance(body, dict) else None
        if not isinstance(told, int):
            return "the server does not tell the time"
        window = told // (self._spec.pool.limits["weight"].seconds * 1000)
        self._last = _Reading(used, window)
        return self._last
