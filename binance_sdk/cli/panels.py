"""The views of the demonstration: typed answers as something that rich can print."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from binance_sdk.cli.chart import Line, candle_chart, candle_columns
from binance_sdk.cli.demo_data import Contract, DemoData, Rules
from binance_sdk.cli.formats import (
    ABSENT,
    compact,
    duration,
    exact,
    percent,
    places_of,
    printable,
    rounded,
    signed,
    utc,
)
from binance_sdk.cli.ladder import ladder
from binance_sdk.spot import Kline, OrderBook, Ticker24hr, Trade

_STYLES = {"up": "green", "down": "red", "axis": "bright_black", "grid": "bright_black", "": ""}
SIDE_BY_SIDE = 90
"""Width from which two views are shown side by side."""
GAP = 2
_RANGE = 30
_WIDE = 98


def header(data: DemoData, source: str, width: int) -> RenderableType:
    """Symbol, source, server time and the rules for orders."""
    rules = data.rules
    told = [
        ("server time", utc(data.server_time)),
        ("tick", exact(rules.tick)),
        ("step", exact(rules.step)),
        ("status", rules.status),
        ("source", source),
        ("min notional", f"{exact(rules.min_notional)} {rules.quote}" if rules.min_notional else ABSENT),
        ("min qty", exact(rules.min_qty)),
        ("pair", f"{rules.base}/{rules.quote}"),
    ]
    return panel(facts(told, width), Text(rules.symbol, style="bold default"))


def facts(facts: Sequence[tuple[str, str]], width: int) -> Table:
    """Names and values, four in a line, or two where there is less room."""
    in_line = 4 if width >= _WIDE else 2
    table = Table.grid(padding=(0, 2))
    for _ in range(in_line):
        table.add_column(style="bright_black", no_wrap=True)
        table.add_column(no_wrap=True)
    for begin in range(0, len(facts), in_line):
        table.add_row(*(Text(printable(text)) for fact in facts[begin : begin + in_line] for text in fact))
    return table


def panel(body: RenderableType, title: Text) -> Panel:
    """A panel with its title at the left."""
    return Panel(body, title=title, title_align="left", border_style="bright_black")


def ticker(symbol: Ticker24hr, rules: Rules, width: int) -> RenderableType:
    """The last 24 hours."""
    places = places_of(rules.tick)
    style = "green" if symbol.price_change >= 0 else "red"
    line = Text()
    line.append(f"{exact(symbol.last_price, places)} {rules.quote}", style=f"bold {style}")
    arrow = "▲" if symbol.price_change >= 0 else "▼"
    change = f"{signed(symbol.price_change, places)}  {signed(symbol.price_change_percent, 2)}%"
    line.append(f"   {arrow} {change}", style=style)
    spread = Text()
    spread.append(exact(symbol.low_price, places), style="red")
    spread.append(f"  {_position(symbol)}  ")
    spread.append(exact(symbol.high_price, places), style="green")
    told = [
        ("open", exact(symbol.open_price, places)),
        ("average", rounded(symbol.weighted_avg_price, places)),
        ("volume", f"{compact(symbol.volume)} {rules.base}"),
        ("trades", f"{symbol.trade_count:,}"),
        ("bid", exact(symbol.bid_price, places)),
        ("ask", exact(symbol.ask_price, places)),
        ("turnover", f"{compact(symbol.quote_volume)} {rules.quote}"),
        ("until", utc(symbol.close_time_dt)[11:19]),
    ]
    parts: list[RenderableType] = [line, spread]
    if width >= _WIDE:
        top = Table.grid(expand=True)
        top.add_column(ratio=1)
        top.add_column(justify="right")
        top.add_row(line, spread)
        parts = [top]
    return panel(Group(*parts, facts(told, width)), Text("24 hours", style="default"))


def _position(symbol: Ticker24hr) -> str:
    """Where the last price stands between the lowest and the highest."""
    span = symbol.high_price - symbol.low_price
    place = int((symbol.last_price - symbol.low_price) / span * (_RANGE - 1)) if span else _RANGE // 2
    place = min(_RANGE - 1, max(0, place))
    return "─" * place + "●" + "─" * (_RANGE - 1 - place)


def chart(
    candles: Sequence[Kline], interval: str, width: int, height: int, rules: Rules, *, by_shape: bool
) -> RenderableType:
    """One chart under its title."""
    places = places_of(rules.tick)
    lines = candle_chart(candles, width, height, places=places, by_shape=by_shape)
    title = Text(f"{rules.symbol} {interval}", style="bold")
    if candles:
        shown = candles[-candle_columns(candles, width, places) :]
        first, last = shown[0], shown[-1]
        title.append(f"  {exact(last.close, places)}", style=_STYLES[_trend(last)])
        if width > 60:
            title.append("  ┃ rising ", style="green").append(f"{'█' if by_shape else '┃'} falling", style="red")
            title.append(f"  {len(shown)} candles since {utc(first.open_time_dt)[:16]} UTC", style="bright_black")
    title.truncate(width)
    return Group(title, *(as_text(line) for line in lines))


def _trend(candle: Kline) -> str:
    return "up" if candle.close >= candle.open else "down"


def as_text(line: Line) -> Text:
    """A line of a chart in its colours."""
    return Text.assemble(*((span.text, _STYLES[span.style]) for span in line), no_wrap=True, end="\n")


def beside(parts: Sequence[RenderableType], width: int) -> RenderableType:
    """Side by side, or below each other where there is less room."""
    if width < SIDE_BY_SIDE:
        return Group(*(line for part in parts for line in (part, Text())))
    grid = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
    grid.add_row(*parts)
    return grid


def order_book(book: OrderBook, rules: Rules, depth: int, width: int) -> RenderableType:
    """Asks above and bids below, with running totals from the middle outwards."""
    heads = (f"price {rules.quote}", f"qty {rules.base}", f"Σ {rules.base}")
    places = (places_of(rules.tick), places_of(rules.step))
    return ladder(book.bids[:depth], book.asks[:depth], "Order book", heads, places, width)


def last_trades(trades: Sequence[Trade], rules: Rules, width: int) -> RenderableType:
    """Latest trade first; the side is the taker's."""
    table = Table(
        title="Last trades", title_justify="left", title_style="bold", box=None, padding=(0, 1), pad_edge=False,
        width=width,
    )  # fmt: skip
    for name in ("time UTC", f"price {rules.quote}", f"qty {rules.base}"):
        table.add_column(name, justify="right", header_style="bright_black", no_wrap=True)
    table.add_column("taker", header_style="bright_black", no_wrap=True)
    for trade in sorted(trades, key=lambda trade: trade.trade_id, reverse=True):
        style, side = ("red", "sold") if trade.is_buyer_maker else ("green", "bought")
        table.add_row(
            trade.trade_time_dt.strftime("%H:%M:%S.") + f"{trade.trade_time % 1000:03d}",
            Text(exact(trade.price, places_of(rules.tick)), style=style),
            exact(trade.qty, places_of(rules.step)),
            Text(side, style=style),
        )
    if not trades:
        table.add_row(ABSENT, ABSENT, ABSENT, ABSENT)
    return table


def futures(contract: Contract, rules: Rules, absent: str, width: int) -> RenderableType:
    """Premium, open interest and the funding that was paid."""
    if absent:
        body: RenderableType = Text(f"{ABSENT}  {printable(absent)}")
    elif width < _WIDE:
        body = Group(_premium(contract, rules), Text(), _funding(contract, rules))
    else:
        body = Table.grid(expand=True, padding=(0, 3))
        body.add_column()
        body.add_column(ratio=1)
        body.add_row(_premium(contract, rules), _funding(contract, rules))
    title = Text(f"{rules.symbol} perpetual futures", style="default")
    return panel(body, title)


def _premium(contract: Contract, rules: Rules) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bright_black", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    premium, interest = contract.premium, contract.open_interest
    places = places_of(rules.tick)
    if premium is not None:
        gap = premium.mark_price - premium.index_price
        relative = f" ({gap / premium.index_price * 100:+.4f}%)" if premium.index_price else ""
        due = premium.next_funding_time_dt
        table.add_row("mark price", rounded(premium.mark_price, places))
        table.add_row("index price", rounded(premium.index_price, places))
        table.add_row("premium", f"{gap:+,.{places}f}{relative}")
        rate = premium.funding_rate
        table.add_row("funding rate now", ABSENT if rate is None else percent(rate))
        table.add_row("next funding", f"{utc(due)[:16]}Z" if due else ABSENT)
        table.add_row("  due in", duration((due - premium.time_dt).total_seconds()) if due else ABSENT)
    if interest is not None:
        table.add_row("open interest", f"{exact(interest.open_interest)} {rules.base}")
        worth = interest.open_interest * premium.mark_price if premium else None
        table.add_row("  at mark price", f"{compact(worth)} {rules.quote}")
    return table


def _funding(contract: Contract, rules: Rules) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    for name in ("funding paid (UTC)", "rate", f"mark price {rules.quote}"):
        table.add_column(name, justify="right", header_style="bright_black", no_wrap=True)
    places = places_of(rules.tick)
    for event in sorted(contract.funding, key=lambda event: event.funding_time, reverse=True):
        style = "green" if event.funding_rate >= 0 else "red"
        mark = ABSENT if event.mark_price is None else rounded(event.mark_price, places)
        rate = Text(percent(event.funding_rate), style=style)
        table.add_row(event.funding_time_dt.strftime("%Y-%m-%d %H:%M"), rate, mark)
    if not contract.funding:
        table.add_row(ABSENT, ABSENT, ABSENT)
    return table
