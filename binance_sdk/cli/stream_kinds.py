"""Which streams there are, and what each takes."""

from __future__ import annotations

from rich.text import Text

from binance_sdk import BinanceClient
from binance_sdk.catalogue import STREAMS, Market
from binance_sdk.cli.console import make_console
from binance_sdk.cli.tables import make_table


def kinds_in_one_line(market: Market) -> str:
    """Kinds with the names of their parameters, for help."""
    shown: list[str] = []
    for one in STREAMS:
        if one.market == market:
            takes = [_NAMES.get(parameter.kind, parameter.name) for parameter in one.parameters]
            shown.append(f"{one.name} ({', '.join(takes)})" if takes else one.name)
    return ", ".join(shown)


_NAMES = {"symbol": "SYMBOL"}


def list_kinds(market: Market) -> None:
    """Print the streams of a market, each with what it takes."""
    streams = BinanceClient("mainnet").spot.streams if market == "spot" else BinanceClient("mainnet").futures.streams
    table = make_table()
    for name in ("stream", "takes", "what it tells"):
        table.add_column(name, overflow="fold", no_wrap=name == "stream")
    for one in STREAMS:
        if one.market != market:
            continue
        takes: list[str] = []
        for parameter in one.parameters:
            if parameter.kind == "symbol":
                takes.append("SYMBOL..." if parameter.many else "SYMBOL")
            else:
                left_out = "" if parameter.default is None else f" ({parameter.default})"
                takes.append(f"{parameter.name}={'|'.join(map(str, parameter.texts))}{left_out}")
        # Python without docstrings (-OO) has no words.
        told = (getattr(streams, one.name).__doc__ or "").partition("\n")[0]
        table.add_row(Text(one.name), Text("\n".join(takes)), Text(told))
    console = make_console()
    console.print(table)
    console.print(
        f"binance-sdk stream {market} KIND ...; in brackets what holds where it is left out", style="bright_black"
    )
