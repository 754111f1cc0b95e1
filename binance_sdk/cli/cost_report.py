"""The cost report of a run: the planned weight of each call, and the weight that the server counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from binance_sdk import BinanceClient, Plan, Response
from binance_sdk.catalogue import MARKETS, Market
from binance_sdk.cli.formats import ABSENT, duration, printable
from binance_sdk.cli.markets import ALL_MARKETS
from binance_sdk.errors import BinanceError, ConfigError

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """One call, and how it ended."""

    plan: Plan
    arguments: str = ""
    used_weight: int | None = None
    elapsed: float | None = None
    host: str = ""
    failure: str = ""


@dataclass(frozen=True)
class RemainingLimit:
    """What is left of one limit after the run."""

    name: str
    used: int
    limit: int
    seconds: int
    resets_in: float


@dataclass
class CostReport:
    """The calls of a run, in the order in which their answers came."""

    entries: list[Entry] = field(default_factory=list[Entry])

    async def call(self, plan: Plan, send: Callable[[], Awaitable[Response[T]]]) -> T:
        """Make a call and enter it.

        Args:
            plan: What it costs, planned before.
            send: Makes the call; a function, so that no coroutine stays unawaited when the run is cancelled.

        Raises:
            BinanceError: what sending raised.
        """
        try:
            answer = await send()
        except BinanceError as error:
            self.entries.append(Entry(plan, failure=type(error).__name__))
            raise
        url = urlsplit(answer.url)
        # The symbol is the same in every call and is shown in the header.
        asked = " ".join(part for part in url.query.split("&") if not part.startswith("symbol="))
        self.entries.append(Entry(plan, unquote(asked), answer.used_weight, answer.elapsed, url.netloc))
        return answer.data

    @property
    def host(self) -> str:
        """The first host that answered."""
        return next((entry.host for entry in self.entries if entry.host), ABSENT)


def remaining_limits(client: BinanceClient) -> list[RemainingLimit]:
    """Every limit of the environment; markets that draw from one pool have one limit."""
    left: dict[str, RemainingLimit] = {}
    for market in ALL_MARKETS:
        try:
            view = client.limits.market(market)
        except ConfigError:
            continue
        for kind, usage in {"weight": view.weight, **view.groups}.items():
            name = f"{MARKETS[market].pool} {kind}"
            left[name] = RemainingLimit(name, usage.used, usage.limit, usage.seconds, usage.resets_in)
    return list(left.values())


def cost_report_view(report: CostReport, left: list[RemainingLimit]) -> RenderableType:
    """The report and what is left of the limits, as tables."""
    return Group(_entries(report), Text(), _left(left))


def _entries(report: CostReport) -> Table:
    table = _table("What it cost", show_footer=True)
    table.caption = "planned: known before the call · counted: used weight as the server's header said after it"
    table.caption_justify, table.caption_style = "left", "bright_black"
    asked: list[Market] = [market for market in ALL_MARKETS if any(_of(entry, market) for entry in report.entries)]
    table.add_column("operation", no_wrap=True, footer="\n".join(f"all of {market}" for market in asked))
    table.add_column("arguments", ratio=1, no_wrap=True)
    table.add_column("planned", justify="right", footer="\n".join(str(_planned(report, market)) for market in asked))
    table.add_column("counted", justify="right", footer="\n".join(_counted(report, market) for market in asked))
    table.add_column("took", justify="right", no_wrap=True)
    for entry in report.entries:
        took = Text(entry.failure, style="red")
        if entry.elapsed is not None:
            took = Text(f"{entry.elapsed * 1000:,.0f} ms")
        table.add_row(
            Text(entry.plan.operation),
            _asked(entry),
            str(entry.plan.weight),
            ABSENT if entry.used_weight is None else str(entry.used_weight),
            took,
        )
    return table


def _asked(entry: Entry) -> Text:
    """The arguments, and the groups that the call counts into besides its weight."""
    asked = Text(printable(entry.arguments), style="bright_black")
    for name, count in entry.plan.groups.items():
        asked.append(f"{' ' if asked else ''}+{count} {name}", style="default")
    return asked


def _table(title: str, *, show_footer: bool = False) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        expand=True,
        show_footer=show_footer,
        box=box.ROUNDED,
        border_style="bright_black",
    )


def _planned(report: CostReport, market: Market) -> int:
    return sum(entry.plan.weight for entry in report.entries if _of(entry, market))


def _counted(report: CostReport, market: Market) -> str:
    counts = [entry.used_weight for entry in report.entries if _of(entry, market) and entry.used_weight is not None]
    if not counts:
        return ABSENT
    return f"{max(counts)} ✓" if max(counts) == _planned(report, market) else str(max(counts))


def _of(entry: Entry, market: Market) -> bool:
    return entry.plan.operation.startswith(f"{market}.")


def _left(left: list[RemainingLimit]) -> Table:
    table = _table("What is left")
    table.add_column("limit", ratio=1, no_wrap=True)
    for name in ("used", "allowed", "per", "left", "resets in"):
        table.add_column(name, justify="right", no_wrap=True)
    for limit in left:
        table.add_row(
            Text(limit.name),
            f"{limit.used:,}",
            f"{limit.limit:,}",
            duration(limit.seconds),
            Text(f"{max(0, limit.limit - limit.used):,}", style="bold"),
            duration(limit.resets_in),
        )
    return table
