"""Checks that the exchange lists a symbol, so that nobody waits for a stream that never sends anything.

Binance acknowledges a subscription to any name. While the stream runs, one cheap call (weight 2 to 4) fetches all
prices of the market; a symbol without a price is then asked for by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from binance_sdk import BinanceClient, RequestOptions
from binance_sdk.catalogue import CATALOGUE, MARKETS, Market
from binance_sdk.cli.arguments import did_you_mean
from binance_sdk.cli.exit_codes import CommandError
from binance_sdk.cli.markets import market_word
from binance_sdk.errors import APIError, BinanceError

_UNKNOWN_SYMBOL = -1121
_DEADLINE = 10.0


async def check_symbols(client: BinanceClient, market: Market, kind: str, symbols: Sequence[str]) -> None:
    """Return when all symbols are known to be listed, or when that cannot be found out.

    Args:
        client: An open client.
        market: Which market.
        kind: Name of the stream; if there is an endpoint with that name, it is asked.
        symbols: Symbols or pairs, as typed.

    Raises:
        CommandError: the exchange does not list one of them.
    """
    facts = MARKETS[market].symbols
    if not symbols or facts is None:
        return
    asking = client.with_options(RequestOptions(deadline=_DEADLINE, max_retries=0))
    try:
        priced = _names(await _call(asking, market, facts.listed_by))
        for symbol in dict.fromkeys(symbol.upper() for symbol in symbols):
            if symbol not in priced and not await _is_listed(asking, market, kind, symbol):
                raise CommandError(
                    f"{market_word(market)} lists no symbol {symbol!r}{did_you_mean(symbol, sorted(priced))}"
                )
    except BinanceError:
        # REST may be unavailable while streams work: that is no reason to end the stream.
        return


async def _is_listed(client: BinanceClient, market: Market, kind: str, symbol: str) -> bool:
    """Ask for it by itself, or for all symbols where there is no such question."""
    operations = CATALOGUE[market].operations
    for name in (kind, "exchange_info"):
        if name in operations and "symbol" in operations[name].by_name:
            try:
                await _call(client, market, name, symbol)
            except APIError as error:
                if error.code == _UNKNOWN_SYMBOL:
                    return False
                raise
            return True
    return symbol in _names((await _call(client, market, "exchange_info")).symbols)


async def _call(client: BinanceClient, market: Market, operation: str, *arguments: str) -> Any:
    return await cast("Callable[..., Awaitable[Any]]", getattr(client.market(market), operation))(*arguments)


def _names(rows: Sequence[Any]) -> set[str]:
    """Symbols of the rows, and pairs where the market has them."""
    return {name for row in rows for name in (row.symbol, getattr(row, "pair", None)) if name}
