"""Ten thousand calls of which 30 % of the requests go wrong, in every way there is: what the callers see of it.

Limits are out of reach here, so that nothing but failures makes anybody wait. Each call carries its number in a header;
the exchange notes what it did to the call last, and what the caller got must agree with that.
"""

from __future__ import annotations

import asyncio
import gc
import os
import warnings
from collections import Counter
from pathlib import Path
from time import monotonic
from typing import Any

from benchmarks._figures import Figure, Target
from benchmarks._judge import Judge
from binance_sdk.simulator import Fault

_TASKS, _SHARE, _PLENTY = 50, 0.3, 10**9
_TIMEOUT = 1.0
_MINUTE = 60_000
_TRANSIENT = (
    Fault.latency(0.05, 0.3),
    Fault.server_error(500),
    Fault.server_error(503, body=False),
    Fault.page(502),
    Fault.page(200),
    Fault.truncated(),
    Fault.reset(),
    Fault.reset(in_body=True),
    Fault.silence(3.0),
    Fault.garbled(),
    Fault.bad_gzip(),
    Fault.backend_timeout(),
    Fault.maintenance(),
)
_RARE = (
    (Fault.rate_limited(1.0), 5),
    (Fault.forbidden(), 2),
    (Fault.restricted(), 5),
    (Fault.banned(3.0), 1),
)
"""These stop everybody for a while, or are no use trying again: so many of each among 10 000 calls."""
_RIGHT_ERRORS = {
    "server_error": {"ServerError"},
    "maintenance": {"ServerError"},
    "backend_timeout": {"ServerError"},
    "page": {"ServerError", "DecodeError"},
    "truncated": {"APIConnectionError"},
    "reset": {"APIConnectionError"},
    "reset_in_body": {"APIConnectionError"},
    "silence": {"APITimeoutError"},
    "garbled": {"DecodeError"},
    "bad_gzip": {"DecodeError", "APIConnectionError"},
    "rate_limited": {"RateLimitError"},
    "banned": {"IPBannedError"},
    "forbidden": {"ForbiddenError"},
    "restricted": {"RestrictedLocationError"},
}


def run(options: Any) -> list[Figure]:
    calls: int = options.calls
    with Judge(weight_limits={"spot": _PLENTY}, history_days=3, symbols=["BTCUSDT"]) as judge:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ResourceWarning)
            before = _descriptors()
            done = asyncio.run(_call(judge, calls))
            gc.collect()
            left = _descriptors() - before
        requests, last = judge.requests, judge.outcomes()
    outcomes: dict[int, str] = done["outcomes"]
    counted = Counter(outcomes.values())
    right = counted["right"]
    unfit = [
        f"{outcome} after {last.get(str(number), 'nothing')}"
        for number, outcome in outcomes.items()
        if not fits(outcome, last.get(str(number)))
    ]
    injected = sum(requests.injected.values())
    arrived = requests.total - done["before"]
    note = f"{calls} calls by {_TASKS} tasks; " + ", ".join(f"{k} {n}" for k, n in sorted(requests.injected.items()))
    errors = ", ".join(f"{kind} {count}" for kind, count in counted.most_common() if kind != "right")
    leaks = (
        done["tasks_left"] + max(0, left) + len([warning for warning in caught if warning.category is ResourceWarning])
    )
    return [
        Figure("faults", "requests that met a failure", injected / arrived, "%", note=note),
        Figure(
            "faults",
            "calls without a right result or the right error",
            calls - len(outcomes) + len(unfit),
            target=Target("=", 0),
            note=", ".join(f"{text} {count}" for text, count in Counter(unfit).most_common(8)),
        ),
        Figure("faults", "right results", right / calls, "%", target=Target("≥", 0.95), note=errors),
        Figure("faults", "requests a call", arrived / calls, target=Target("≤", 1.4)),
        Figure("faults", "slowest call", max(done["taken"]), "s", target=Target("<", 60.0)),
        Figure("faults", "time in all", done["seconds"], "s"),
        Figure("faults", "tasks, descriptors and warnings left", leaks, target=Target("=", 0)),
    ]


def fits(outcome: str, last: str | None) -> bool:
    """Whether what a call got is right, given what the exchange did to it last."""
    if outcome == "right":
        return True
    if outcome in ("CircuitOpenError", "IPBannedError"):
        # Raised for calls that were not sent at all, too: that is what they are for.
        return True
    return outcome in _RIGHT_ERRORS.get(last or "", ())


async def _call(judge: Judge, calls: int) -> dict[str, Any]:
    from binance_sdk import BinanceClient, RequestOptions
    from binance_sdk.errors import BinanceError, CircuitOpenError, IPBannedError

    outcomes: dict[int, str] = {}
    taken: list[float] = []
    tasks_before = len(asyncio.all_tasks())
    start = judge.now_ms() // _MINUTE * _MINUTE - 600 * _MINUTE
    async with BinanceClient(
        spot_base_url=judge.base_url("spot"), futures_base_url=judge.base_url("futures"), timeout=_TIMEOUT
    ) as client:

        async def ask(number: int) -> list[Any]:
            first = start + number % 500 * _MINUTE
            options = RequestOptions(headers={"X-Call": str(number)})
            return await client.spot.klines(
                "BTCUSDT", "1m", start_time=first, end_time=first + 9 * _MINUTE, options=options
            )

        await client.spot.exchange_info(symbol="BTCUSDT")
        # What is past does not change, so the right answers can be fetched before anything goes wrong.
        expected = [await ask(number) for number in range(500)]
        before = judge.requests.total
        for fault, of_ten_thousand in _RARE:
            count = round(of_ten_thousand * calls / 10_000)
            if count:
                judge.faults.add(fault, probability=count / (calls * 0.7), count=count)
        judge.faults.add(*_TRANSIENT, probability=_SHARE)
        numbers = iter(range(calls))
        clock = monotonic()

        async def worker() -> None:
            for number in numbers:
                begun = monotonic()
                try:
                    rows = await ask(number)
                    outcomes[number] = "right" if rows == expected[number % 500] else "wrong result"
                except BinanceError as error:
                    outcomes[number] = type(error).__name__
                    taken.append(monotonic() - begun)
                    if isinstance(error, (IPBannedError, CircuitOpenError)):
                        # Whoever is told that nothing will be sent for a while does not ask again at once.
                        await asyncio.sleep(getattr(error, "retry_after", None) or 1.0)
                except Exception as error:  # noqa: BLE001 - that none of these gets out is what is measured
                    outcomes[number] = f"raw {type(error).__name__}"
                else:
                    taken.append(monotonic() - begun)

        await asyncio.gather(*(worker() for _ in range(_TASKS)))
        seconds = monotonic() - clock
    await asyncio.sleep(0.1)
    return {
        "outcomes": outcomes,
        "taken": taken,
        "seconds": seconds,
        "before": before,
        "tasks_left": len(asyncio.all_tasks()) - tasks_before,
    }


def _descriptors() -> int:
    """Open files and sockets of this process, where the system tells."""
    place = Path("/proc/self/fd")
    return len(os.listdir(place)) if place.exists() else 0
