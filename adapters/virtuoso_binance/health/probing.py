"""Asking one market of Binance how it is: one request of weight 1, and what the client knows anyway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from binance_sdk import BinanceClient, RequestOptions
from binance_sdk.catalogue import Market
from binance_sdk.errors import (
    APIConnectionError,
    BinanceError,
    BudgetError,
    CircuitOpenError,
    ConfigError,
    DecodeError,
    IPBannedError,
    RateLimitError,
    RestrictedLocationError,
    ServerError,
)

__all__ = ["PROBE", "MarketProbe", "Trouble", "probe_market", "trouble_of"]

PROBE = RequestOptions(timeout=4.0, deadline=6.0, max_retries=1, priority="high")
"""Virtuoso's manager gives a health probe 15 s, twice."""

Trouble: TypeAlias = Literal[
    "maintenance", "banned", "limited", "restricted", "unreachable", "circuit_open", "server_error", "not_understood",
    "refused", "not_asked",
]  # fmt: skip

_SHUTTING_DOWN = -1016
_TROUBLES: tuple[tuple[type[BinanceError], Trouble], ...] = (
    (IPBannedError, "banned"),
    (RateLimitError, "limited"),
    (BudgetError, "limited"),
    (RestrictedLocationError, "restricted"),
    (CircuitOpenError, "circuit_open"),
    (APIConnectionError, "unreachable"),
    (ServerError, "server_error"),
    (DecodeError, "not_understood"),
    # Closed, switched off, or without this market: nothing was asked.
    (ConfigError, "not_asked"),
)


def trouble_of(error: BaseException) -> Trouble:
    """What kind of trouble an error is."""
    text = f"{error} {getattr(error, 'message', None)}".lower()
    if isinstance(error, ServerError) and (error.code == _SHUTTING_DOWN or "maintenance" in text):
        return "maintenance"
    for kind, trouble in _TROUBLES:
        if isinstance(error, kind):
            return trouble
    return "refused"


@dataclass(frozen=True, slots=True)
class MarketProbe:
    """What is known of one market.

    Attributes:
        market: Its name, e.g. ``futures``.
        trouble: Why it did not answer; None where it did.
        error: The same in words.
        server_time: What it said the time is, epoch milliseconds.
        clock_offset_ms: That time minus the local clock, at the middle of the request.
        round_trip_ms: From the question to its answer, waiting for the budget included.
        used: Request weight used in the running window.
        limit: Request weight allowed in a window.
        remaining: Request weight left in the running window.
        waiting: Calls of this process that wait for a budget.
        closed_for: Seconds for which nothing is sent, after 429, 418 or 403.
        closed_because: Why.
        breakers: State of the circuit breaker of each host.
        listed: Symbols that it lists; None where the list was not loaded.
        traded: Those of them that are traded.
    """

    market: Market
    trouble: Trouble | None = "not_asked"
    error: str = ""
    server_time: int | None = None
    clock_offset_ms: int | None = None
    round_trip_ms: int | None = None
    used: int = 0
    limit: int = 0
    remaining: int = 0
    waiting: int = 0
    closed_for: float = 0.0
    closed_because: str = ""
    breakers: Mapping[str, str] = field(default_factory=dict[str, str])
    listed: int | None = None
    traded: int | None = None

    @property
    def in_maintenance(self) -> bool:
        """It says so, or it trades nothing of what it lists."""
        return self.trouble == "maintenance" or (bool(self.listed) and self.traded == 0)


async def probe_market(
    client: BinanceClient,
    market: Market,
    now: Callable[[], float],
    options: RequestOptions = PROBE,
    symbols: tuple[int, int] | None = None,
) -> MarketProbe:
    """Ask a market for its time. Whatever goes wrong is in the answer.

    Args:
        client: Whom to ask.
        market: Which one.
        now: The local wall clock, in seconds.
        options: Of the request.
        symbols: How many symbols it lists, and how many of these are traded, where that is known.
    """
    before, facts = now(), MarketProbe(market, None)
    try:
        server_time = (await getattr(client, market).time(options=options)).server_time
    except Exception as error:  # noqa: BLE001 - a probe tells what is wrong, and raises nothing
        facts = MarketProbe(market, trouble_of(error), f"{type(error).__name__}: {error}")
    else:
        after = now()
        offset, took = round(server_time - (before + after) * 500), round((after - before) * 1000)
        facts = MarketProbe(market, None, server_time=server_time, clock_offset_ms=offset, round_trip_ms=took)
    listed, traded = symbols or (None, None)
    return replace(with_limits(facts, client), listed=listed, traded=traded)


def with_limits(facts: MarketProbe, client: BinanceClient) -> MarketProbe:
    """The same with what the client knows of the market's limits without asking."""
    try:
        view = client.limits.market(facts.market)
    except ConfigError:
        return facts
    weight = view.weight
    return replace(
        facts,
        used=weight.used,
        limit=weight.limit,
        remaining=weight.remaining,
        waiting=view.waiting,
        closed_for=view.closed_for,
        closed_because=view.closed_because,
        breakers=dict(view.breakers),
    )
