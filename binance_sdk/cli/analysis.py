"""``binance-sdk snapshot``: what the Virtuoso adapter hands to an analysis, as tables or as its JSON view.

The module ``snapshot`` beside this one serves the demonstration; this one stands on the adapter.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, cast

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from binance_sdk import BinanceClient, RequestOptions
from binance_sdk.cli.console import make_console
from binance_sdk.cli.exits import CommandError
from binance_sdk.cli.formats import moment, printable, utc
from binance_sdk.cli.loop import run
from binance_sdk.errors import APIError, BinanceError, ConfigError

if TYPE_CHECKING:
    from virtuoso_binance.symbols import Listed

EXTRA = 'pip install "binance-market-sdk[adapter,cli]"'
_UNKNOWN_SYMBOL = -1121


@dataclass(frozen=True)
class Analysis:
    """The market of one symbol.

    Attributes:
        market_data: The dict of the contract.
        liquidity: Turnover, spread, depth, imbalance and slippage.
        failure: The first call that failed.
    """

    market_data: Mapping[str, Any]
    liquidity: Mapping[str, Any]
    failure: BinanceError | None


def run_snapshot(symbol: str, *, as_json: bool, environment: str | None, deadline: float) -> BinanceError | None:
    """Fetch and print.

    Args:
        symbol: In any spelling, e.g. ``BTCUSDT`` or ``BTC/USDT:USDT``.
        as_json: Print JSON that is valid against ``market_data.schema.json``.
        environment: Where to ask.
        deadline: Seconds in all for each call.

    Returns:
        What went wrong with a part that is missing, or None.

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
        # A number that JSON has no word for would be a mistake of ours, not something to print.
        sys.stdout.write(json.dumps(json_view(found.market_data), allow_nan=False, ensure_ascii=False) + "\n")
        return found.failure
    console = make_console()
    for part in _parts(found):
        console.print(part)
    return found.failure


async def _ask(symbol: str, environment: str | None, deadline: float) -> Analysis:
    from virtuoso_binance.liquidity import liquidity_row
    from virtuoso_binance.market_data import assemble, fetch_parts

    options = RequestOptions(deadline=deadline)
    async with BinanceClient(cast(Any, environment)).with_options(options) as client:
        listed = await _find(client, symbol)
        parts = await fetch_parts(client, listed)
        limits = client.limits.spot if listed.market == "spot" else client.limits.futures
        now = round((time.time() + limits.clock_skew) * 1000)
    data = assemble(parts, now)
    # A book that was refused above has no liquidity to tell of.
    book = parts.get("orderbook") if data["metadata"]["orderbook_success"] else None
    liquidity = liquidity_row(book, parts.get("ticker"))
    return Analysis(data, liquidity, next(iter(parts.errors.values()), None))


async def _find(client: BinanceClient, symbol: str) -> Listed:
    """The perpetual where there is one, else spot."""
    from virtuoso_binance.errors import InvalidSymbolError
    from virtuoso_binance.symbols import Listing, plain_symbol

    plain = plain_symbol(symbol)
    try:
        usdm = await client.futures.exchange_info()
    except ConfigError:
        # An environment without futures.
        usdm = None
    try:
        found = Listing(usdm, None).resolve(symbol)
    except InvalidSymbolError:
        if ":" in symbol:
            # Written with its settlement asset it can only be the perpetual.
            raise
    else:
        if found.active:
            return found
    try:
        spot = await client.spot.exchange_info(plain)
    except APIError as error:
        if error.code != _UNKNOWN_SYMBOL:
            raise
        spot = None
    return Listing(usdm, spot).resolve(symbol)


# ------------------------------------------------------------------------------------- tables


def _parts(found: Analysis) -> list[RenderableType]:
    data = found.market_data
    market = {"usdm": "USDⓈ-M perpetual", "spot": "spot"}[data["metadata"]["market"]]
    title = Text(f"{data['symbol']}", style="bold")
    title.append(f"  {market} · {utc(moment(data['timestamp']))}", style="bright_black")
    tables = [
        _table("ticker", ("figure", "value", "unit"), _ticker(data["ticker"])),
        _table("candles", ("frame", "rows", "from", "to", "close"), _frames(data["ohlcv"])),
        _table("sentiment", ("figure", "value", "unit"), _sentiment(data)),
        _table("liquidity", ("figure", "value", "unit"), _liquidity(found.liquidity)),
        _table("parts", ("part", "there", "why not"), _flags(data["metadata"])),
    ]
    return [title, *(part for table in tables for part in (Text(), table))]


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(
            column, justify="right" if column in ("value", "rows", "close") else "left", no_wrap=number == 0
        )
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def _number(value: float) -> str:
    text = f"{value:,.2f}" if abs(value) >= 1000 else f"{value:.6g}"
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


Rows = list[tuple[str, ...]]


def _known(row: Mapping[str, Any], names: Sequence[tuple[str, str, str]]) -> Rows:
    return [(shown, _number(float(row[name])), unit) for name, shown, unit in names if name in row]


def _ticker(ticker: Mapping[str, Any]) -> Rows:
    return _known(
        ticker,
        (
            ("last", "last", "quote"),
            ("bid", "bid", "quote"),
            ("ask", "ask", "quote"),
            ("high", "high of 24 h", "quote"),
            ("low", "low of 24 h", "quote"),
            ("percentage", "change in 24 h", "%"),
            ("baseVolume", "volume of 24 h", "base"),
            ("quoteVolume", "turnover of 24 h", "quote"),
            ("markPrice", "mark price", "quote"),
            ("indexPrice", "index price", "quote"),
            ("openInterest", "open interest", "base"),
            ("openInterestValue", "open interest", "quote"),
        ),
    )


def _frames(frames: Mapping[str, Any]) -> Rows:
    rows: Rows = []
    for name, frame in frames.items():
        if len(frame):
            # The index is naive, and UTC.
            first, last = (utc(frame.index[at].to_pydatetime().replace(tzinfo=UTC)) for at in (0, -1))
            rows.append((name, str(len(frame)), first, last, _number(float(frame["close"].iloc[-1]))))
        else:
            rows.append((name, "0", "", "", ""))
    return rows


def _sentiment(data: Mapping[str, Any]) -> Rows:
    feeling = data["sentiment"]
    funding, interest = feeling.get("funding_rate", {}), feeling.get("open_interest", {})
    rows: Rows = []
    if funding:
        rows.append(("funding rate", _number(funding["rate"] * 100), "%"))
        rows.append(("next funding", utc(moment(funding["next_funding_time"])), ""))
    rows += _known(interest, (("current", "open interest", "base"), ("change", "change in 5 min", "base")))
    rows += _known(interest, (("change_24h", "change in 24 h", "base"),))
    rows += _known(
        feeling.get("long_short_ratio", {}), (("long", "long accounts", "%"), ("short", "short accounts", "%"))
    )
    rows += _known(feeling.get("volume_sentiment", {}), (("buy_volume", "bought by takers", "base"),))
    rows += _known(feeling.get("volume_sentiment", {}), (("sell_volume", "sold by takers", "base"),))
    rows += _known(feeling.get("volatility", {}), (("value", "volatility, annualised", "fraction"),))
    signal = data.get("premium_index", {}).get("signal", {})
    return rows + _known(signal, (("current_premium_pct", "premium", "%"), ("z_score", "its z-score", "")))


def _liquidity(row: Mapping[str, Any]) -> Rows:
    rows: Rows = []
    rows += _known(row.get("spread", {}), (("absolute", "spread", "quote"), ("bps", "spread", "bps")))
    rows += _known(row, (("imbalance", "imbalance of the book", "-1 to 1"),))
    for band in row.get("depth", ()):
        # A book that ends within the band shows the least there is.
        least = "" if band["complete"] else "≥ "
        name = f"within {_number(band['bps'])} bps"
        rows.append((f"bids {name}", least + _number(band["bid_quote"]), "quote"))
        rows.append((f"asks {name}", least + _number(band["ask_quote"]), "quote"))
    for side, fill in row.get("slippage", {}).items():
        whole = "" if fill["complete"] else ", not all filled"
        rows.append(
            (f"{side} for {_number(fill['order_quote'])}", _number(fill["cost_bps"]), f"bps of the middle{whole}")
        )
    return rows


def _flags(metadata: Mapping[str, Any]) -> Rows:
    errors = metadata["errors"]
    rows: Rows = []
    for flag, good in metadata.items():
        if flag.endswith("_success"):
            part = flag.removesuffix("_success")
            rows.append((part, "yes" if good else "no", "" if good else str(errors.get(part, ""))))
    return rows
