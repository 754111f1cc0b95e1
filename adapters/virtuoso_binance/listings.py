"""Lists over all symbols: markets, market rows and bulk tickers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, TypeVar

from binance_sdk import BinanceClient
from binance_sdk.errors import BinanceError
from virtuoso_binance import calls, market_data, tickers
from virtuoso_binance.errors import InvalidSymbolError
from virtuoso_binance.scalars import Row
from virtuoso_binance.session import Session
from virtuoso_binance.symbols import Listed, MarketName
from virtuoso_binance.tickers import TickerTable

__all__ = ["bulk_tickers", "market_entry", "market_rows", "tickers_of"]

logger = logging.getLogger("virtuoso_binance")

T = TypeVar("T")

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
    chosen = [one for one in listing.preferred().values() if market in (None, one.market) and session.wanted(one)]
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
    wanted = {symbol: market_data.fetch_ticker_row(client, listed) for symbol, listed in chosen.items()}
    results = await asyncio.gather(*wanted.values(), return_exceptions=True)
    rows: list[Row] = []
    failures: list[BinanceError] = []
    for symbol, result in zip(wanted, results, strict=True):
        if isinstance(result, BinanceError):
            logger.warning("left out of the tickers: %s: %s", symbol, result)
            failures.append(result)
        elif isinstance(result, BaseException):
            raise result
        else:
            rows.append(result)
    if failures and not rows:
        # Not one could be had: an empty answer would hide that.
        raise failures[0]
    return TickerTable(rows)


async def market_rows(session: Session) -> list[Row]:
    """Rows of ``get_markets()``, of symbols that the configuration wants listed."""
    table = await bulk_tickers(session)
    known = (await session.listing()).preferred()
    return [tickers.market_row(row, known[row["symbol"]]) for row in table]


async def _rows(session: Session, chosen: list[Listed]) -> list[Row]:
    client = await session.client()
    parts: dict[MarketName, list[Listed]] = {"usdm": [], "spot": []}
    for one in chosen:
        parts[one.market].append(one)
    usdm, spot = await asyncio.gather(
        _usdm_rows(client) if parts["usdm"] else _none(), _spot_rows(client) if parts["spot"] else _none()
    )
    found: Mapping[MarketName, Mapping[str, Row]] = {"usdm": usdm, "spot": spot}
    return [row for one in chosen if (row := found[one.market].get(one.symbol)) is not None]


async def _usdm_rows(client: BinanceClient) -> dict[str, Row]:
    statistics, quotes, premiums = await asyncio.gather(
        client.futures.ticker_24hr(options=calls.SKIP_BAD_ROWS),
        _or_nothing("quotes", client.futures.ticker_book_ticker(options=calls.SKIP_BAD_ROWS)),
        _or_nothing("premium", client.futures.premium_index(options=calls.SKIP_BAD_ROWS)),
    )
    rows = _by_symbol(statistics)
    for quote in quotes:
        if quote.symbol in rows:
            tickers.add_book(rows[quote.symbol], quote)
    for premium in premiums:
        if premium.symbol in rows:
            tickers.add_premium(rows[premium.symbol], premium)
    return rows


async def _spot_rows(client: BinanceClient) -> dict[str, Row]:
    return _by_symbol(await client.spot.ticker_24hr(options=calls.SKIP_BAD_ROWS))


def _by_symbol(statistics: Iterable[Any]) -> dict[str, Row]:
    # A symbol that never traded has no price, and one such row would make Virtuoso drop all.
    return {row["symbol"]: row for one in statistics if (row := tickers.ticker_row(one)) is not None}


async def _or_nothing(what: str, call: Coroutine[Any, Any, list[T]]) -> list[T]:
    """What a ticker can do without is absent from its row when it fails."""
    try:
        return await call
    except BinanceError as error:
        logger.warning("bulk tickers are without %s: %s", what, error)
        return []


async def _none() -> dict[str, Row]:
    return {}
