"""``binance-sdk demo``: everything about one symbol, and what it cost."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator

from rich.console import Console, RenderableType
from rich.text import Text

from binance_sdk import BinanceClient, RequestOptions
from binance_sdk.cli import panels
from binance_sdk.cli.console import make_console
from binance_sdk.cli.cost_report import CostReport, RemainingLimit, cost_report_view, remaining_limits
from binance_sdk.cli.demo_data import DEPTH, DemoData, fetch
from binance_sdk.cli.event_loop import run
from binance_sdk.cli.simulate import simulator
from binance_sdk.spot import KlineInterval

MAIN_INTERVAL: KlineInterval = "1h"
SMALL_INTERVALS: tuple[KlineInterval, ...] = ("5m", "4h", "1d")
_MAIN_HEIGHT, _SMALL_HEIGHT = 14, 8
_TRADES_WIDTH = 56
_DEADLINE = 15.0
_NARROWEST, _WIDEST = 60, 200


def run_demo(symbol: str, *, live: bool, seed: int) -> DemoData:
    """Fetch the data and print it.

    Args:
        symbol: Symbol, on spot and on futures.
        live: Ask Binance, or what ``BINANCE_SDK_*`` names, instead of a simulator.
        seed: Seed of the simulated market.

    Raises:
        BinanceError: spot could not be asked.
    """
    console = make_console()
    width = min(_WIDEST, max(_NARROWEST, console.width))
    if width != console.width:
        console = make_console(width)
    progress = make_console(stderr=True)
    report = CostReport()
    waiting = progress.status("asking ...") if progress.is_terminal else contextlib.nullcontext()
    with waiting, _client(live, seed) as client:
        data, left = run(lambda: _ask(client, symbol.upper(), width, report))
    source = f"live, {report.host}" if live else f"simulated market, seed {seed}"
    for part in _parts(data, source, report, left, console):
        console.print(part)
    return data


@contextlib.contextmanager
def _client(live: bool, seed: int) -> Generator[BinanceClient]:
    # The same client and the same calls in both cases; only the URL differs.
    if live:
        yield BinanceClient()
        return
    with simulator(seed=seed) as running:
        yield running.client()


async def _ask(
    client: BinanceClient, symbol: str, width: int, report: CostReport
) -> tuple[DemoData, list[RemainingLimit]]:
    # As many candles as columns, more than a chart can show; the weight is the same.
    candles: dict[KlineInterval, int] = dict.fromkeys(SMALL_INTERVALS, _small_width(width))
    candles[MAIN_INTERVAL] = width
    async with client.with_options(RequestOptions(deadline=_DEADLINE)) as client:
        data = await fetch(client, symbol, candles, report)
        return data, remaining_limits(client)


def _small_width(width: int) -> int:
    charts = len(SMALL_INTERVALS) if width >= panels.SIDE_BY_SIDE else 1
    return (width - panels.GAP * (charts - 1)) // charts


def _parts(
    data: DemoData, source: str, report: CostReport, left: list[RemainingLimit], console: Console
) -> Iterator[RenderableType]:
    rules, width = data.rules, console.width
    by_shape = console.no_color or console.color_system is None

    def chart(interval: KlineInterval, width: int, height: int) -> RenderableType:
        return panels.chart(data.candles[interval], interval, width, height, rules, by_shape=by_shape)

    yield panels.header(data, source, width)
    yield panels.ticker(data.ticker, rules, width)
    yield Text()
    yield chart(MAIN_INTERVAL, width, _MAIN_HEIGHT)
    yield Text()
    small = _small_width(width)
    charts = [chart(interval, small, _SMALL_HEIGHT) for interval in SMALL_INTERVALS]
    yield panels.beside(charts, width)
    yield Text()
    half = (width - panels.GAP) // 2 if width >= panels.SIDE_BY_SIDE else width
    yield panels.beside(
        [
            panels.order_book(data.book, rules, DEPTH, half),
            panels.last_trades(data.trades, rules, min(half, _TRADES_WIDTH)),
        ],
        width,
    )
    yield Text()
    yield panels.futures(data.contract, rules, data.absent, width)
    yield Text()
    yield cost_report_view(report, left)
