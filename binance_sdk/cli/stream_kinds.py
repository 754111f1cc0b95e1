"""Lists the kinds of streams, with their parameters."""

from __future__ import annotations

from rich.text import Text

from binance_sdk import BinanceClient
from binance_sdk.catalogue import STREAMS, Market
from binance_sdk.cli.console import make_console
from binance_sdk.cli.markets import market_word
from binance_sdk.cli.tables import make_table


def kinds_in_one_line(market: Market) -> str:
    """The kinds of streams with their parameters, for the help text."""
    shown: list[str] = []
    for stream in STREAMS:
        if stream.market == market:
            takes = [_NAMES.get(parameter.kind, parameter.name) for parameter in stream.parameters]
            shown.append(f"{stream.name} ({', '.join(takes)})" if takes else stream.name)
    return ", ".join(shown)


_NAMES = {"symbol": "SYMBOL"}


def list_kinds(market: Market) -> None:
    """Print the streams of a market with their parameters."""
    streams = BinanceClient("mainnet").market(market).streams
    table = make_table()
    for name in ("stream", "takes", "what it sends"):
        table.add_column(name, overflow="fold", no_wrap=name == "stream")
    for stream in STREAMS:
        if stream.market != market:
            continue
        takes: list[str] = []
        for parameter in stream.parameters:
            if parameter.kind == "symbol":
                takes.append("SYMBOL..." if parameter.many else "SYMBOL")
            else:
                left_out = "" if parameter.default is None else f" ({parameter.default})"
                takes.append(f"{parameter.name}={'|'.join(map(str, parameter.texts))}{left_out}")
        # With python -OO there are no docstrings.
        told = (getattr(streams, stream.name).__doc__ or "").partition("\n")[0]
        table.add_row(Text(stream.name), Text("\n".join(takes)), Text(told))
    console = make_console()
    console.print(table)
    console.print(f"binance-sdk stream {market_word(market)} KIND ...; in brackets the default", style="bright_black")
