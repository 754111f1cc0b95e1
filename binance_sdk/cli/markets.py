"""Markets as words of the command line: ``coin-futures`` is the market ``coin_futures``."""

from __future__ import annotations

from typing import get_args

import typer

from binance_sdk.catalogue import Market

ALL_MARKETS: tuple[Market, ...] = get_args(Market)
CHOICES = ", ".join(name.replace("_", "-") for name in ALL_MARKETS)
"""For the help, whose column of names has no room for them."""


def market_word(market: Market) -> str:
    """How a market is typed."""
    return market.replace("_", "-")


def read_market(text: str) -> Market:
    """The market that a word names; its name in Python does too.

    Raises:
        typer.BadParameter: there is no such market.
    """
    for market in ALL_MARKETS:
        if text.lower().replace("-", "_") == market:
            return market
    raise typer.BadParameter(f"{text!r} must be one of {', '.join(map(market_word, ALL_MARKETS))}")


def complete_market(incomplete: str) -> list[str]:
    """Words that begin so."""
    return [name for name in map(market_word, ALL_MARKETS) if name.startswith(incomplete)]


def which_have(markets: list[Market]) -> str:
    """``futures has`` or ``futures and coin-futures have``."""
    *others, last = map(market_word, markets)
    return f"{', '.join(others)} and {last} have" if others else f"{last} has"
