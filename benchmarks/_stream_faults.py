"""A thousand faults on the line of one stream: what is lost, what is repeated, what is named."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any, cast

from benchmarks._figures import Figure, Target

_FAULTS = 1000
_BREAKING = 200


async def figures() -> list[Figure]:
    filled = await _injured(fill=True)
    named = await _injured(fill=False)
    name = f"{_FAULTS} faults, {_BREAKING} of them breaking"
    none = Target("=", 0)
    return [
        Figure("streams", f"{name}: lost with fill", filled["lost"], "", target=none),
        Figure("streams", f"{name}: repeated with fill", filled["repeated"], "", target=none),
        Figure("streams", f"{name}: missing but not named, without fill", named["lost"], "", target=none),
        Figure("streams", f"{name}: named but not missing, without fill", named["repeated"], "", target=none),
    ]


async def _injured(*, fill: bool) -> dict[str, int]:
    """Ids from 1 on; every few of them a fault: a message dropped, doubled, swapped or garbled, or a broken line."""
    from benchmarks._stream_server import Rows, context, serving
    from binance_sdk._generated.spot.streams import AsyncSpotStreams
    from binance_sdk._runtime.stream.connection.pacing import Backoff, ConnectionLimiter
    from binance_sdk._runtime.stream.manager import StreamManager
    from binance_sdk.streams import Gap

    plan = [
        *["break"] * _BREAKING,
        *random.Random(7).choices(("drop", "double", "swap", "garble"), k=_FAULTS - _BREAKING),
    ]
    random.Random(8).shuffle(plan)
    last = len(plan) * 5 + 10
    seen: list[int] = []
    async with serving(plan, last) as url:
        usual = context(url, Rows())
        made = replace(
            usual,
            backoff=lambda: Backoff(first=0.001, longest=0.01),
            limits={"spot": replace(usual.limits["spot"], connections=10_000)},
            limiter=ConnectionLimiter(),
            max_dials=10_000,
        )
        manager = StreamManager(lambda: made)
        async with AsyncSpotStreams(manager).agg_trade("BTCUSDT", fill_gaps=fill, quiet_time=None) as events:
            async for event in events.with_notices():
                if isinstance(event, Gap):
                    seen += range(event.last_id + 1, event.first_id)
                else:
                    number = cast("Any", event).agg_id
                    seen.append(number)
                    if number >= last:
                        break
        await manager.aclose()
    wanted = range(seen[0], last + 1)
    return {"lost": len(set(wanted) - set(seen)), "repeated": len(seen) - len(set(seen)) + (seen != sorted(seen))}
