"""Lists over all symbols: markets, market rows and bulk tickers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from binance_sdk import BinanceClient
from virtuoso_binance import calls, market_data, tickers
from virtuoso_binance.errors import InvalidSymbolError
from virtuoso_binance.health.observing import observe_tickers
from virtuoso_binance.parts import PREMIUM, QUOTES, TICKER, TICKER_PARTS
from virtuoso_binance.scalars import Row
from virtuoso_binance.session import Session
from virtuoso_binance.symbols import Listed, MarketName
from virtuoso_binance.tickers import TickerTable

__all__ = ["bulk_tickers", "market_entry", "market_rows", "tickers_of"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

_ONE_BY_ONE = 8
"""Up to so many symbols, single calls (weight 5 each) are cheaper than the bulk of both markets (55 and 80)."""


def market_entry(listed: Listed) -> Row:
    """One entry of ``markets``, named as CCXT names them; None stands for a rule that does not exist."""
    rules, perpetual = listed.rules, listed.market == "usdm"

    def number(value: Any) -> float | None:
        return None if not value else float(value)

    return {
        "id": listed.symbol,
        "symbol": listed.symbol,
        "unified": listed.unified,
        "base": rules.base_asset,
        "quote": rules.quote_asset,
        **({"settle": rules.quote_asset} if perpetual else {}),
        "active": listed.active,
        "status": rules.status,
        "type": "swap" if perpetual else "spot",
        "spot": not perpetual,
        "swap": perpetual,
        "linear": perpetual,
        "contract": perpetual,
        "precision": {"price": number(rules.tick_size), "amount": number(rules.step_size)},
        "limits": {
            "amount": {"min": number(rules.min_qty), "max": number(rules.max_qty)},
            "price": {"min": number(rules.min_price), "max": number(rules.max_price)},
            "cost": {"min": number(rules.min_notional), "max": None},
        },
    }


async def bulk_tickers(session: Session, market: MarketName | None = None) -> TickerTable:
    """Tickers of every symbol that the configuration wants listed.

    Costs three requests of weight 55 for futures, and one of weight 80 for spot.

    Args:
        session: Where to ask.
        market: Of one market only.
    """
    listing = await session.listing()
    volume = session.settings.section.data_preferences.min_24h_volume
    chosen = [
        listed for listed in listing.preferred().values() if market in (None, listed.market) and session.wanted(listed)
    ]
    rows = await _rows(session, chosen)
    return TickerTable(row for row in rows if row["quoteVolume"] >= volume)


async def tickers_of(session: Session, symbols: Iterable[object]) -> TickerTable:
    """Tickers of the named symbols, excluded and small ones too; those that are not listed are left out."""
    chosen: dict[str, Listed] = {}
    for symbol in symbols:
        try:
            listed = await session.resolve(symbol)
        except InvalidSymbolError as error:
            logger.warning("left out of the tickers: %s", error)
        else:
            chosen[listed.symbol] = listed
    if len(chosen) > _ONE_BY_ONE:
        return TickerTable(await _rows(session, list(chosen.values())))
    client = await session.client()
    rows, failures = await calls.gather(
        {symbol: market_data.fetch_ticker_row(client, listed) for symbol, listed in chosen.items()}
    )
    for symbol, failure in failures.items():
        logger.warning("left out of the tickers: %s: %s", symbol, failure)
    if failures and not rows:
        # Not one could be had: an empty answer would hide that.
        raise next(iter(failures.values()))
    return TickerTable(rows.values())


async def market_rows(session: Session) -> list[Row]:
    """Rows of ``get_markets()``, of symbols that the configuration wants listed."""
    table = await bulk_tickers(session)
    known = (await session.listing()).preferred()
    return [tickers.market_row(row, known[row["symbol"]]) for row in table]


async def _rows(session: Session, chosen: Sequence[Listed]) -> list[Row]:
    client = await session.client()
    markets: set[MarketName] = {listed.market for listed in chosen}
    found = dict(zip(markets, await asyncio.gather(*(_bulk_rows(client, name) for name in markets)), strict=True))
    rows = [row for listed in chosen if (row := found[listed.market].get(listed.symbol)) is not None]
    observe_tickers(session.observations, rows, session.now_ms())
    return rows


async def _bulk_rows(client: BinanceClient, market: MarketName) -> dict[str, Row]:
    """The tickers of all symbols of a market, without open interest: Binance gives that of one symbol at a time.

    Raises:
        BinanceError: the 24 h statistics could not be had; what else is missing is absent from the rows.
    """
    answers, errors = await calls.gather(
        {
            part: part.request_all(client, market).send()
            for part in TICKER_PARTS
            if market in part.markets and part.request_all is not None
        }
    )
    if TICKER in errors:
        raise errors[TICKER]
    for part, reason in errors.items():
        logger.warning("bulk tickers are without %s: %s", part.name, reason)

    # A symbol that never traded has no price, and one such row would make Virtuoso drop all.
    rows = {row["symbol"]: row for ticker in answers[TICKER] if (row := tickers.ticker_row(ticker)) is not None}
    for quotes in answers.get(QUOTES, ()):
        if quotes.symbol in rows:
            tickers.add_book(rows[quotes.symbol], quotes)
    for premium in answers.get(PREMIUM, ()):
        if premium.symbol in rows:
            tickers.add_premium(rows[premium.symbol], premium)
    return rows
