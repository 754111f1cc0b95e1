"""``binance-sdk health``: is the exchange well, for people, Nagios and Kubernetes; judged as the adapter judges it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from rich import box
from rich.console import RenderableType
from rich.table import Table

from binance_sdk import BinanceClient, RequestOptions
from binance_sdk.catalogue import Market
from binance_sdk.cli.console import make_console
from binance_sdk.cli.event_loop import run
from binance_sdk.cli.exit_codes import CommandError, error_line, print_error
from binance_sdk.cli.formats import ABSENT, printable
from binance_sdk.cli.listed_symbol import find_listed
from binance_sdk.cli.markets import ALL_MARKETS, market_word
from binance_sdk.errors import BinanceError, ConfigError, ParameterError
from binance_sdk.events import Event, RequestSent

if TYPE_CHECKING:
    from virtuoso_binance.health import ExchangeHealth
    from virtuoso_binance.health.observations import Observations

CODES = {"healthy": 0, "degraded": 1, "down": 2, "unknown": 3}
"""Those of monitoring plugins: OK, WARNING, CRITICAL, UNKNOWN."""


@dataclass(frozen=True)
class HealthCall:
    """What the command line asks for."""

    symbol: str | None
    markets: Sequence[Market]
    environment: str | None
    timeout: float
    as_json: bool


@dataclass
class _Spent:
    """Requests and weight by market, counted as they are sent."""

    requests: int = 0
    weight: Counter[str] = field(default_factory=Counter[str])

    def count(self, event: Event) -> None:
        if isinstance(event, RequestSent):
            self.requests += 1
            self.weight[event.operation.partition(".")[0]] += event.weight


def run_health(call: HealthCall) -> int:
    """Ask and print.

    Returns:
        The exit code.
    """
    spent = _Spent()
    try:
        found = run(lambda: _ask(call, spent))
    except (BinanceError, CommandError) as error:
        # Nothing was asked, or the symbol is none: that says nothing about the exchange.
        print_error(f"cannot tell: {error_line(error)}")
        if call.as_json:
            sys.stdout.write(json.dumps({"state": "unknown", "reasons": [error_line(error)]}) + "\n")
        return CODES["unknown"]
    if call.as_json:
        cost = {"requests": spent.requests, "weight": dict(spent.weight)}
        row = {"state": found.state, "symbol": call.symbol, "cost": cost, **found.as_row()}
        sys.stdout.write(json.dumps(row, allow_nan=False, indent=2) + "\n")
        return CODES[found.state]
    console = make_console()
    for part in _views(found, spent):
        console.print(part)
    return CODES[found.state]


async def _ask(call: HealthCall, spent: _Spent) -> ExchangeHealth:
    from virtuoso_binance.health import judge_exchange, probe_market
    from virtuoso_binance.health.observations import Observations

    options = RequestOptions(timeout=call.timeout, deadline=call.timeout, max_retries=1, priority="high")
    async with BinanceClient(cast(Any, call.environment), hooks=[spent.count]) as client:
        wanted: Sequence[Market] = call.markets or ALL_MARKETS
        markets: list[Market] = [name for name in wanted if _has(client, name)]
        missing: list[Market] = [name for name in call.markets if name not in markets]
        if missing:
            there = ", ".join(map(market_word, (name for name in ALL_MARKETS if _has(client, name))))
            gone = ", ".join(map(market_word, missing))
            raise ConfigError(f"the environment has no market {gone}, only {there}: leave it out")
        probes = list(await asyncio.gather(*(probe_market(client, name, time.time, options) for name in markets)))
        seen, needed = Observations(), len(probes)
        if call.symbol is not None and any(probe.trouble is None for probe in probes):
            home = await _observe(client.with_options(options), call.symbol, markets, seen)
            # Whoever asks for a symbol needs the market that it is on.
            probes.sort(key=lambda probe: probe.market != home)
            needed = 1
        now = _now(client, markets)
        return judge_exchange(probes, seen.facts(now), now, needed=needed, down_after=1)


async def _observe(client: BinanceClient, symbol: str, markets: Sequence[Market], seen: Observations) -> str:
    """Ask for each kind of data of a symbol, in as few rows as there can be, and note what comes.

    Returns:
        The market that it is on.
    """
    from virtuoso_binance.calls import gather
    from virtuoso_binance.health.observing import observe_parts
    from virtuoso_binance.parts import CANDLES, ORDER_BOOK, PREMIUM_KLINES, Parts, parts_of

    try:
        listed = await find_listed(client, symbol, markets)
    except (ParameterError, ConfigError):
        raise
    except BinanceError as error:
        seen.of("price").note(_now(client, markets), failure=f"the symbols could not be had: {error}")
        return ""
    home: Market = "spot" if listed.market == "spot" else "futures"
    if not listed.active:
        told = f"{listed.symbol} is not traded: its status is {listed.rules.status}"
        seen.of("price").note(_now(client, [home]), failure=told)
        return home
    left_out = {PREMIUM_KLINES, *CANDLES.values()} - {CANDLES["base"]}
    rows = {ORDER_BOOK: 5, CANDLES["base"]: 2}
    wanted = [part for part in parts_of(listed.market) if part not in left_out]
    values, errors = await gather({part: part.request(client, listed, rows.get(part, 1)).send() for part in wanted})
    now = _now(client, [home])
    observe_parts(seen, Parts(listed, values, errors), now)
    return home


def _now(client: BinanceClient, markets: Iterable[Market]) -> int:
    """The time at the exchange, epoch milliseconds."""
    skew = max((client.limits.market(name).clock_skew for name in markets), key=abs)
    return round((time.time() + skew) * 1000)


def _has(client: BinanceClient, market: Market) -> bool:
    try:
        client.limits.market(market)
    except ConfigError:
        return False
    return True


# ------------------------------------------------------------------------------------- for people


def _views(found: ExchangeHealth, spent: _Spent) -> list[RenderableType]:
    headline = f"{found.state}: {'; '.join(found.reasons)}" if found.reasons else found.state
    views: list[RenderableType] = [printable(headline), _markets(found)]
    if found.kinds:
        views.append(_kinds(found))
    weights = ", ".join(f"{weight} on {name.replace('_', '-')}" for name, weight in sorted(spent.weight.items()))
    return [*views, f"cost: {spent.requests} requests of weight {weights or 0}"]


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table


def _markets(found: ExchangeHealth) -> Table:
    table = _table("market", "state", "answer", "clock", "weight", "gate")
    for name, market in found.markets.items():
        facts = market.facts
        table.add_row(
            name.replace("_", "-"),
            market.state,
            _milliseconds(facts.round_trip_ms),
            _milliseconds(facts.clock_offset_ms),
            f"{facts.used} of {facts.limit}",
            f"closed for {facts.closed_for:.0f} s" if facts.closed_for else "open",
        )
    return table


def _kinds(found: ExchangeHealth) -> Table:
    table = _table("kind", "state", "age", "reason")
    for kind, health in found.kinds.items():
        age = ABSENT if health.age_ms is None else f"{health.age_ms / 1000:.1f} s"
        table.add_row(kind, health.state, age, printable(health.reason))
    return table


def _milliseconds(value: int | None) -> str:
    return ABSENT if value is None else f"{value} ms"
