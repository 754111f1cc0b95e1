"""Asks the further hosts of a market whether they are still there: a client goes to them where the first one fails."""

from __future__ import annotations

from typing import Any

from binance_sdk._arguments import Arguments
from binance_sdk._core import AsyncCore
from binance_sdk._runtime.market import Market
from binance_sdk._runtime.options import RequestOptions
from binance_sdk._settings import read_settings
from binance_sdk.verify.asking import Asker, NoReply
from binance_sdk.verify.compare import Difference
from binance_sdk.verify.market_spec import MarketSpec
from binance_sdk.verify.report import Collector, Subject

_OPTIONS = RequestOptions(max_retries=0, timeout=10.0, deadline=30.0)


async def check_host(spec: MarketSpec, url: str, collector: Collector) -> int:
    """Ask one host for the time; the number of requests that it took.

    Args:
        spec: The market that is served there.
        url: Its base URL.
        collector: Gets what is found.
    """
    known = next(((name, one) for name, one in spec.operations.items() if one.time is not None), None)
    if known is None:
        return 0
    name, operation = known
    subject = Subject(about="operation", market=spec.market, name=name)
    core = _core(spec.market, url)
    try:
        asker = Asker(core.engine, spec.market, _OPTIONS)
        reply = await asker.ask(name, operation, {}, operation.price({}))
    finally:
        await core.close()
    if isinstance(reply, NoReply):
        collector.skip(subject, f"the host {url}", reply.because)
    elif reply.refused:
        # Where it sends callers, or what it says instead.
        seen = reply.headers.get("location") or reply.status
        collector.add(subject.finding(Difference("host_moved", url, "", url, seen), "host"))
    return 1


def _core(market: Market, url: str) -> AsyncCore:
    """A client of that host alone."""
    given: dict[str, Any] = {f"{market}_base_url": url}
    return AsyncCore(read_settings(Arguments(**given)), None)
