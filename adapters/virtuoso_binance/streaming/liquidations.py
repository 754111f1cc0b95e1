"""Liquidations as a stream leaves them, by symbol, of which only the newest are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from binance_sdk import BinanceClient
from virtuoso_binance.scalars import Row
from virtuoso_binance.streaming.channels import LIQUIDATION
from virtuoso_binance.streaming.open_streams import Handler, OpenStreams, Wanted
from virtuoso_binance.symbols import Listed

__all__ = ["KEPT", "Liquidations", "LiquidationsBySymbol"]

LiquidationsBySymbol: TypeAlias = dict[str, list[Row]]
KEPT = 1000
"""Of each symbol. Binance tells of one a second at most, so these are a quarter of an hour at the very least."""


class Liquidations:
    """Fills a table of liquidations from streams.

    Args:
        client: Makes the streams.
        streams: Carries them.
        table: What is filled; others may add rows to it too.
    """

    def __init__(self, client: BinanceClient, streams: OpenStreams, table: LiquidationsBySymbol) -> None:
        self._client = client
        self._streams = streams
        self._table = table
        self._handlers: dict[str, Handler] = {}

    async def follow(self, symbols: Iterable[Listed]) -> None:
        """Keep the liquidations of these symbols from now on.

        Raises:
            InvalidSymbolError: a symbol is on spot alone.
            BinanceError: the exchange has not acknowledged all; then none was added.
        """
        wanted: dict[str, Wanted] = {}
        for listed in symbols:
            if listed.symbol not in self._handlers:
                handler = self._handler(listed.symbol)
                wanted[listed.symbol] = (LIQUIDATION.stream(self._client, listed), handler)
        if wanted:
            await self._streams.market("usdm").add(list(wanted.values()))
            self._handlers |= {symbol: handler for symbol, (_, handler) in wanted.items()}

    @property
    def symbols(self) -> Sequence[str]:
        """Those that are followed."""
        return tuple(self._handlers)

    def _handler(self, symbol: str) -> Handler:
        def keep(event: Any) -> None:
            message = LIQUIDATION.message(event, symbol, event.event_time)
            if message is not None:
                rows = self._table.setdefault(symbol, [])
                rows.append(message["data"])
                del rows[:-KEPT]

        return keep
