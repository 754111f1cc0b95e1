"""What ledger, gate and hooks cost a call: a client with and one without them, over a transport that only answers."""

from __future__ import annotations

import asyncio
import json
from email.utils import formatdate
from typing import Any

from benchmarks._figures import Figure, Target
from benchmarks._timing import awaited, interleaved

_CALLS = 400
_ROUNDS = 15
_PLENTY = 10**9


def run(options: object) -> list[Figure]:
    import httpx

    from binance_sdk import BinanceClient
    from binance_sdk.catalogue import fixture
    from binance_sdk.events import Event

    body = json.loads(fixture("spot", "exchange_info"))
    body["rateLimits"] = [
        {"rateLimitType": kind, "interval": "MINUTE", "intervalNum": number, "limit": _PLENTY}
        for kind, number in (("REQUEST_WEIGHT", 1), ("RAW_REQUESTS", 5))
    ]
    limits = json.dumps(body).encode()
    used = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal used
        used += 1
        headers = {"date": formatdate(usegmt=True), "x-mbx-used-weight-1m": str(used), "x-mbx-used-weight": str(used)}
        content = limits if request.url.path.endswith("exchangeInfo") else b"{}"
        return httpx.Response(200, headers={**headers, "content-type": "application/json"}, content=content)

    seen = 0

    def hook(event: Event) -> None:
        nonlocal seen
        seen += 1

    loop = asyncio.new_event_loop()
    opened: list[Any] = []

    def client(host: str, **settings: Any) -> BinanceClient:
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        made = BinanceClient(spot_base_url=f"http://{host}.invalid", http_client=http, **settings)
        opened.extend((http, made))
        loop.run_until_complete(made.spot.exchange_info())
        return made

    variants = {
        "off": client("off", budget=False),
        "budget": client("budget"),
        "hooks": client("hooks", hooks=[hook]),
    }
    try:
        samplers = {name: awaited(loop.run_until_complete, made.spot.ping, _CALLS) for name, made in variants.items()}
        timed = interleaved(samplers, _ROUNDS)
    finally:
        for resource in reversed(opened):
            loop.run_until_complete(resource.aclose())
        loop.close()
    off = timed.seconds("off") * 1e6
    note = f"µs CPU beside budget=False, median of {_ROUNDS} rounds of {_CALLS} calls; a call without them in 'floor'"
    return [
        Figure(
            "call",
            name,
            timed.difference(key, "off") * 1e6,
            "µs CPU",
            off,
            timed.ratio(key, "off"),
            Target("<", 60.0) if key == "hooks" else None,
            note,
        )
        for key, name in (("budget", "ledger and gate, added to a call"), ("hooks", "ledger, gate and a hook, added"))
    ]
