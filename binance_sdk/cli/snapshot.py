"""``binance-sdk snapshot``: the market data that the Virtuoso adapter gives to an analysis, as tables or as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from binance_sdk import BinanceClient, RequestOptions
from binance_sdk.cli.console import make_console
from binance_sdk.cli.event_loop import run
from binance_sdk.cli.exit_codes import CommandError
from binance_sdk.cli.listed_symbol import find_listed
from binance_sdk.cli.snapshot_panels import snapshot_views
from binance_sdk.errors import BinanceError

EXTRA = 'pip install "binance-market-sdk[adapter,cli]"'


@dataclass(frozen=True)
class Snapshot:
    """The market of one symbol.

    Attributes:
        market_data: The dict that the adapter returns.
        liquidity: Turnover, spread, depth, imbalance and slippage.
        failure: The first call that failed.
    """

    market_data: Mapping[str, Any]
    liquidity: Mapping[str, Any]
    failure: BinanceError | None


def run_snapshot(symbol: str, *, as_json: bool, environment: str | None, deadline: float) -> BinanceError | None:
    """Fetch the snapshot and print it.

    Args:
        symbol: In any spelling, e.g. ``BTCUSDT`` or ``BTC/USDT:USDT``.
        as_json: Print JSON that is valid against ``market_data.schema.json``.
        environment: Where to ask.
        deadline: Seconds in all for each call.

    Returns:
        The error of a part that is missing, or None.

    Raises:
        CommandError: pandas is not installed.
        BinanceError: the symbol is unknown, or there is no ticker.
    """
    try:
        from virtuoso_binance.frames import json_view
    except ModuleNotFoundError as error:
        raise CommandError(f"snapshot needs {error.name}: {EXTRA}") from error
    found = run(lambda: _ask(symbol, environment, deadline))
    if as_json:
        # NaN or infinity would be a bug of ours and must not be printed.
        sys.stdout.write(json.dumps(json_view(found.market_data), allow_nan=False, ensure_ascii=False) + "\n")
        return found.failure
    console = make_console()
    by_shape = console.no_color or console.color_system is None
    for part in snapshot_views(found.market_data, found.liquidity, console.width, by_shape=by_shape):
        console.print(part)
    return found.failure


async def _ask(symbol: str, environment: str | None, deadline: float) -> Snapshot:
    from virtuoso_binance.liquidity import liquidity_row
    from virtuoso_binance.market_data import assemble, fetch_parts
    from virtuoso_binance.parts import ORDER_BOOK, TICKER

    options = RequestOptions(deadline=deadline)
    async with BinanceClient(cast(Any, environment)).with_options(options) as client:
        listed = await find_listed(client, symbol)
        parts = await fetch_parts(client, listed)
        limits = client.limits.spot if listed.market == "spot" else client.limits.futures
        now = round((time.time() + limits.clock_skew) * 1000)
    data = assemble(parts, now)
    # A book that was refused above has no liquidity to show.
    book = parts.get(ORDER_BOOK) if data["metadata"]["orderbook_success"] else None
    liquidity = liquidity_row(book, parts.get(TICKER))
    return Snapshot(data, liquidity, next(iter(parts.errors.values()), None))
