"""The check of a market that a user names."""

from __future__ import annotations

from binance_sdk._generated.markets import MARKETS
from binance_sdk.errors import ParameterError, shown


def check_market(name: object) -> str:
    """``name``, if it is that of a market.

    Raises:
        ParameterError: it is not.
    """
    if isinstance(name, str) and name in MARKETS:
        return name
    text = f"market={shown(name)} must be one of {', '.join(map(repr, MARKETS))}"
    raise ParameterError(text, parameter="market", value=name)
