"""One list of rows behind the real parameter checks, answered as Binance would: for the tests of paging."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from binance_sdk._runtime.calls.parameters import validate
from binance_sdk._runtime.calls.received_answer import ReceivedAnswer
from binance_sdk._runtime.operation import Operation
from binance_sdk._runtime.response import Headers, Response

from .support import NOW_MS


@dataclass(frozen=True)
class Candle:
    open_time: int


@dataclass(frozen=True)
class AggTrade:
    agg_id: int
    trade_time: int


@dataclass(frozen=True)
class Statistic:
    time: int


@dataclass(frozen=True)
class Funding:
    symbol: str
    funding_time: int


@dataclass(frozen=True)
class Trade:
    trade_id: int
    trade_time: int = 0


@dataclass
class Exchange:
    """Binance's answers for one list of rows, oldest first; the arguments go through the real checks."""

    operation: Operation[Any]
    rows: Sequence[Any]
    time: str | None = None
    newest_within: bool = False
    """Which end of a range with both times is cut off; for statistics no document says."""
    most: Callable[[], int] | None = None
    """Most rows of the next page, where that is less than the documents say."""
    requests: list[Mapping[str, Any]] = field(default_factory=list)

    async def __call__(self, arguments: Mapping[str, object]) -> list[Any]:
        asked = validate(self.operation, arguments, NOW_MS)
        self.requests.append(asked)
        limit: Any = asked.get("limit", self.operation.by_wire["limit"].default)
        if self.most is not None:
            limit = min(limit, self.most())
        from_id, start, end = (asked.get(name) for name in ("fromId", "startTime", "endTime"))
        rows = self.rows
        if from_id is not None:
            key = self.operation.paging.key if self.operation.paging else ""
            return [row for row in rows if getattr(row, key) >= from_id][:limit]
        if self.time is not None:
            rows = [row for row in rows if (start is None or getattr(row, self.time) >= start)]
            rows = [row for row in rows if (end is None or getattr(row, self.time) <= end)]
        newest = start is None or (self.newest_within and end is not None)
        return list(rows[-limit:] if newest else rows[:limit])

    async def fetch(self, arguments: Mapping[str, object]) -> Response[list[Any]]:
        """The same in an envelope, as the walk wants it."""
        rows = await self(arguments)
        answer = ReceivedAnswer("", object, b"", data=rows)
        return Response(answer, 200, Headers(), repr(rows).encode(), 0, None, "", 0.0, 0)
