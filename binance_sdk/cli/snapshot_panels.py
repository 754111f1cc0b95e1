"""The views of ``binance-sdk snapshot``, from the data of the Virtuoso adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from binance_sdk.cli.chart import candle_chart
from binance_sdk.cli.formats import moment, places_of, printable, utc
from binance_sdk.cli.panels import GAP, SIDE_BY_SIDE, as_text, beside, facts, panel
from binance_sdk.cli.tables import make_table
from binance_sdk.spot import Kline

CHARTED = "mtf"
_HEIGHT = 12
_MARKETS = {"usdm": "USDⓈ-M perpetual", "spot": "spot"}
Rows = list[tuple[str, str, str]]


def snapshot_views(
    data: Mapping[str, Any], liquidity: Mapping[str, Any], width: int, *, by_shape: bool
) -> list[RenderableType]:
    """Everything, from the whole to its parts.

    Args:
        data: The ``market_data`` of the adapter.
        liquidity: Its row of liquidity.
        width: Columns there are.
        by_shape: Whether rising and falling candles differ in shape too.
    """
    half = (width - GAP) // 2 if width >= SIDE_BY_SIDE else width
    figures = [_figures("sentiment", _sentiment(data), half), _figures("liquidity", _liquidity(liquidity), half)]
    return [
        _header(data, width),
        _ticker(data["ticker"], width),
        Text(),
        _chart(data, width, by_shape=by_shape),
        Text(),
        beside(figures, width),
        Text(),
        beside([_frames(data["ohlcv"]), _flags(data["metadata"])], width if width >= 150 else 0),
    ]


def _header(data: Mapping[str, Any], width: int) -> RenderableType:
    ticker, metadata = data["ticker"], data["metadata"]
    missing = [
        name.removesuffix("_success") for name, good in metadata.items() if name.endswith("_success") and not good
    ]
    told = [
        ("market", _MARKETS[metadata["market"]]),
        ("time", utc(moment(data["timestamp"]))),
        ("bid", number(ticker["bid"]) if "bid" in ticker else ""),
        ("ask", number(ticker["ask"]) if "ask" in ticker else ""),
        ("missing", ", ".join(missing) or "nothing"),
    ]
    return panel(facts([fact for fact in told if fact[1]], width), Text(str(data["symbol"]), style="bold default"))


def _ticker(ticker: Mapping[str, Any], width: int) -> RenderableType:
    change = float(ticker.get("percentage", 0.0))
    style, arrow = ("green", "▲") if change >= 0 else ("red", "▼")
    line = Text(number(ticker["last"]), style=f"bold {style}")
    line.append(f"   {arrow} {change:+,.2f}%", style=style)
    told = (
        ("low", "low"), ("high", "high"), ("volume", "baseVolume"), ("turnover", "quoteVolume"),
        ("mark price", "markPrice"), ("index price", "indexPrice"),
        ("open interest", "openInterest"), ("its value", "openInterestValue"),
    )  # fmt: skip
    values = [(shown, number(float(ticker[name]))) for shown, name in told if name in ticker]
    return panel(Group(line, facts(values, width)), Text("24 hours", style="default"))


def _chart(data: Mapping[str, Any], width: int, *, by_shape: bool) -> RenderableType:
    frame = data["ohlcv"].get(CHARTED)
    if frame is None or not len(frame):
        return Text(f"{CHARTED}: no candles", style="bright_black")
    candles = candles_of(frame.iloc[-width:])
    places = max(places_of(Decimal(str(value))) for value in frame["close"].iloc[-width:])
    lines = candle_chart(candles, width, _HEIGHT, places=places, by_shape=by_shape)
    title = Text(f"{data['symbol']} {CHARTED}", style="bold")
    title.append(f"  {len(frame)} candles since {utc(_time(frame, 0))[:16]} UTC", style="bright_black")
    title.truncate(width)
    return Group(title, *map(as_text, lines))


def candles_of(frame: Any) -> list[Kline]:
    """Rows of a frame as the candles that the chart draws."""
    columns = [frame[name] for name in ("open", "high", "low", "close", "volume")]
    times = [round(index.to_pydatetime().replace(tzinfo=UTC).timestamp() * 1000) for index in frame.index]
    step = times[1] - times[0] if len(times) > 1 else 60_000
    return [
        Kline.from_wire([time, *(_plain(value) for value in values), time + step - 1, "0", 0, "0", "0", "0"])
        for time, *values in zip(times, *columns, strict=True)
    ]


def _plain(value: float) -> str:
    return format(Decimal(repr(float(value))), "f")


def number(value: float) -> str:
    """A figure as people read it: two decimals from a thousand on, six digits below."""
    text = f"{value:,.2f}" if abs(value) >= 1000 else f"{value:.6g}"
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def _figures(title: str, rows: Rows, width: int) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bright_black", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="bright_black")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    view = panel(table, Text(title, style="default"))
    view.width = width
    return view


def _known(row: Mapping[str, Any], names: Sequence[tuple[str, str, str]]) -> Rows:
    return [(shown, number(float(row[name])), unit) for name, shown, unit in names if name in row]


def _sentiment(data: Mapping[str, Any]) -> Rows:
    feeling = data["sentiment"]
    funding, interest = feeling.get("funding_rate", {}), feeling.get("open_interest", {})
    rows: Rows = []
    if funding:
        rows.append(("funding rate", number(funding["rate"] * 100), "%"))
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
        name = f"within {number(band['bps'])} bps"
        rows.append((f"bids {name}", least + number(band["bid_quote"]), "quote"))
        rows.append((f"asks {name}", least + number(band["ask_quote"]), "quote"))
    for side, fill in row.get("slippage", {}).items():
        whole = "" if fill["complete"] else ", not all filled"
        rows.append((f"{side} for {number(fill['order_quote'])}", number(fill["cost_bps"]), f"bps{whole}"))
    return rows


def _frames(frames: Mapping[str, Any]) -> RenderableType:
    table = make_table()
    table.title, table.title_justify, table.title_style = "Candles", "left", "bold"
    for name in ("frame", "rows", "from", "to", "close"):
        table.add_column(name, justify="right" if name in ("rows", "close") else "left", no_wrap=True)
    for name, frame in frames.items():
        if len(frame):
            first, last = (utc(_time(frame, at))[:16] for at in (0, -1))
            table.add_row(name, str(len(frame)), first, last, number(float(frame["close"].iloc[-1])))
        else:
            table.add_row(name, "0", "", "", "")
    return table


def _time(frame: Any, at: int) -> Any:
    # The index is naive, and UTC.
    return frame.index[at].to_pydatetime().replace(tzinfo=UTC)


def _flags(metadata: Mapping[str, Any]) -> RenderableType:
    table = make_table()
    table.title, table.title_justify, table.title_style = "Parts", "left", "bold"
    for name in ("part", "there", "why not"):
        table.add_column(name, overflow="fold", no_wrap=name != "why not")
    for flag, good in metadata.items():
        if flag.endswith("_success"):
            part = flag.removesuffix("_success")
            there = Text("✓", style="green") if good else Text("no", style="red")
            table.add_row(Text(part), there, Text("" if good else printable(str(metadata["errors"].get(part, "")))))
    return table
