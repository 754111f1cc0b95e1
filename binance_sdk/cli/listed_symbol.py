"""Which instrument a symbol means, in as few requests as that takes."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from binance_sdk import BinanceClient
from binance_sdk.errors import APIError, ConfigError

if TYPE_CHECKING:
    from virtuoso_binance.symbols import Listed

_UNKNOWN_SYMBOL = -1121


async def find_listed(client: BinanceClient, symbol: str, markets: Collection[str] = ("futures", "spot")) -> Listed:
    """The perpetual contract if there is one, otherwise the spot symbol.

    Args:
        client: Whom to ask.
        symbol: In any spelling.
        markets: Where it may be.

    Raises:
        InvalidSymbolError: it cannot be read, or is listed on none of them.
        BinanceError: the symbols could not be had.
    """
    from virtuoso_binance.errors import InvalidSymbolError
    from virtuoso_binance.symbols import Listing, plain_symbol

    plain = plain_symbol(symbol)
    try:
        usdm = await client.futures.exchange_info() if "futures" in markets else None
    except ConfigError:
        # An environment without futures.
        usdm = None
    try:
        found = Listing(usdm, None).resolve(symbol)
    except InvalidSymbolError:
        if ":" in symbol:
            # A symbol with a settlement asset can only be a perpetual contract.
            raise
    else:
        if found.active:
            return found
    try:
        spot = await client.spot.exchange_info(plain) if "spot" in markets else None
    except APIError as error:
        if error.code != _UNKNOWN_SYMBOL:
            raise
        spot = None
    return Listing(usdm, spot).resolve(symbol)
