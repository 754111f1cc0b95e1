"""Checks that the exchange lists a symbol, so that nobody waits for a stream that never sends anything.

Binance acknowledges a subscription to any name. While the stream runs, one cheap call (weight 4 on spot, 2 on futures)
fetches all prices of the market; a symbol without a price is then asked for by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from binance_sdk import BinanceClient, RequestOptions
from binance_sdk.catalogue import CATALOGUE, Market
from binance_sdk.cli.arguments import did_you_mean
from binance_sdk.cli.exit_codes import CommandError
from binance_sdk.errors import APIError, BinanceError

_UNKNOWN_SYMBOL = -1121
_DEADLINE = 10.0


async def check_symbols(client: BinanceClient, market: Market, kind: str, symbols: Sequence[str]) -> None:
    """Return when all symbols are known to be listed, or when that cannot be found out.

    Args:
        client: An open client.
        market: Which market.
        kind: Name of the stream; if there is an endpoint with that name, it is asked.
        symbols: As typed.

    Raises:
        CommandError: the exchange does not list one of them.
    """
    if not symbols:
        return
    asking = client.with_options(RequestOptions(deadline=_DEADLINE, max_retries=0))
    try:
        if market == "spot":
            priced = {row.symbol for row in await asking.spot.ticker_price()}
        else:
            priced = {row.symbol for row in await asking.futures.ticker_price_v2()}
        for symbol in dict.fromkeys(symbol.upper() for symbol in symbols):
            if symbol not in priced and not await _is_listed(asking, market, kind, symbol):
                raise CommandError(f"{market} lists no symbol {symbol!r}{did_you_mean(symbol, sorted(priced))}")
    except BinanceError:
        # REST may be unavailable while streams work: that is no reason to end the stream.
        return


async def _is_listed(client: BinanceClient, market: Market, kind: str, symbol: str) -> bool:
    api = client.spot if market == "spot" else client.futures
    operation = CATALOGUE[market].operations.get(kind)
    if operation is None or "symbol" not in operation.by_name:
        if market == "futures":
            contracts = (await client.futures.exchange_info()).symbols
            return any(symbol in (contract.symbol, contract.pair) for contract in contracts)
        kind = "exchange_info"
    ask = cast("Callable[..., Awaitable[Any]]", getattr(api, kind))
    try:
        await ask(symbol)
    except APIError as error:
        if error.code == _UNKNOWN_SYMBOL:
            return False
        raise
    return True
