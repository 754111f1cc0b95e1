"""``market_data`` of one symbol: everything Virtuoso's analysis reads, fetched at once.

A perpetual costs 13 requests of weight 27 and two requests of the ``/futures/data`` group (``limit=None``); a symbol
that is on spot alone costs 7 requests of weight 40.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from binance_sdk import BinanceClient
from binance_sdk.errors import BinanceError
from virtuoso_binance import calls, convert, sentiment, tickers
from virtuoso_binance.assembling import HOUR, Known, market_data_of, warn_incomplete
from virtuoso_binance.parts import (
    CANDLES,
    LONG_SHORT_RATIO,
    OPEN_INTEREST,
    OPEN_INTEREST_HISTORY,
    ORDER_BOOK,
    PREMIUM,
    PREMIUM_KLINES,
    QUOTES,
    TICKER,
    TICKER_PARTS,
    TRADES,
    Part,
    Parts,
    Streamed,
    parts_of,
)
from virtuoso_binance.scalars import Row
from virtuoso_binance.symbols import Listed

__all__ = ["Asking", "PartFeed", "assemble", "fetch_parts", "fetch_ticker_parts", "fetch_ticker_row", "ticker_row"]

_PERIODS_DELIVERED = 200


# ------------------------------------------------------------------------------------- fetching


Asking: TypeAlias = Mapping[Part[Any], int]
"""Parts that go on from an answer, each with what its feed has lost so far."""


class PartFeed(Protocol):
    """Where parts come from without being asked for over REST; ``streaming.feed`` has the one there is."""

    def follow(self, listed: Listed) -> None:
        """Begin with a symbol, if that was not done."""

    def parts(self, listed: Listed, limit: int | None = None) -> Mapping[Part[Any], Any]:
        """What is known to be true now, order books with as many levels as that limit wishes for."""
        ...

    def asking(self, listed: Listed) -> Asking:
        """Parts that go on from an answer that is asked for now."""
        ...

    def answered(self, listed: Listed, part: Part[Any], value: Any, asking: Asking) -> None:
        """The answer has come."""

    def stalled(self, listed: Listed) -> Mapping[str, str]:
        """Why parts that were streamed are not, by name."""
        ...


async def fetch_parts(
    client: BinanceClient, listed: Listed, limit: int | None = None, feed: PartFeed | None = None
) -> Parts:
    """Everything ``assemble`` needs.

    Args:
        client: Where to ask.
        listed: The instrument.
        limit: Trades and book levels wished for; never below what the analysis needs.
        feed: What it has is not asked for.

    Raises:
        BinanceError: there is no ticker.
    """
    if feed is None:
        return await _fetch(client, listed, parts_of(listed.market), limit)
    feed.follow(listed)
    asking, before, stalled = feed.asking(listed), feed.parts(listed, limit), feed.stalled(listed)
    missing = [part for part in parts_of(listed.market) if part not in before]
    # What a stream goes on from has to be whole.
    rows = {part: part.rows if part in asking else part.rows_for(limit) for part in missing}
    answers, errors = await calls.gather(
        {part: part.request(client, listed, count).send() for part, count in rows.items()}
    )
    for part, answer in answers.items():
        feed.answered(listed, part, answer, asking)
    # What has changed while REST was asked.
    values: dict[Part[Any], Any] = {**before, **answers, **feed.parts(listed, limit)}
    if TICKER not in values:
        raise errors[TICKER]
    if TRADES in values:
        # A stream keeps all of them.
        values[TRADES] = values[TRADES][-TRADES.rows_for(limit) :]
    streamed = tuple(part.name for part in values if part not in answers)
    left = {part: error for part, error in errors.items() if part not in values}
    return Parts(listed, values, left, Streamed(streamed, stalled))


async def fetch_ticker_row(client: BinanceClient, listed: Listed) -> Row:
    """The ticker alone: 4 requests of weight 5 for a perpetual, one of weight 2 on spot.

    Raises:
        BinanceError: the 24 h statistics could not be had; what else is missing is absent from the row.
    """
    return ticker_row(await fetch_ticker_parts(client, listed))


async def fetch_ticker_parts(client: BinanceClient, listed: Listed) -> Parts:
    """What the ticker is made of.

    Raises:
        BinanceError: the 24 h statistics could not be had.
    """
    return await _fetch(client, listed, [part for part in TICKER_PARTS if listed.market in part.markets])


def ticker_row(parts: Parts) -> Row:
    """The ticker; what is missing of it is logged.

    Raises:
        BinanceError: the symbol has no price.
    """
    warn_incomplete(parts.listed.symbol, parts.listed.market, _reasons(parts))
    return ticker_of(parts)


async def _fetch(client: BinanceClient, listed: Listed, wanted: Sequence[Part[Any]], limit: int | None = None) -> Parts:
    answers, errors = await calls.gather(
        {part: part.request(client, listed, part.rows_for(limit)).send() for part in wanted}
    )
    if TICKER in errors:
        raise errors[TICKER]
    return Parts(listed, answers, errors)


# ------------------------------------------------------------------------------------- assembling


def ticker_of(parts: Parts) -> Row:
    """The ticker with quotes, mark price, funding and open interest.

    Raises:
        BinanceError: the symbol has no ticker, or no price in it.
    """
    ticker = parts.get(TICKER)
    if ticker is None:
        raise BinanceError(f"{parts.listed.symbol} has no ticker")
    row = tickers.full_ticker_row(ticker, parts.get(QUOTES), parts.get(PREMIUM), parts.get(OPEN_INTEREST))
    if row is None:
        raise BinanceError(f"{parts.listed.symbol} has no price: it was not traded yet, or not for long")
    return row


def assemble(parts: Parts, now: int, *, streamed_liquidations: object = None, limit: int | None = None) -> Row:
    """The dict of the contract's section 3. A part that is missing is absent or empty, and its flag says so.

    Args:
        parts: What there is.
        now: The time at the exchange, in milliseconds.
        streamed_liquidations: What a stream has left of this symbol.
        limit: As asked for.

    Raises:
        BinanceError: there is no ticker, or no price in it.
    """
    listed, symbol = parts.listed, parts.listed.symbol
    errors = _reasons(parts)
    known = Known("binance", symbol, listed.market, ticker_of(parts), errors=errors)
    candles = {name: parts.rows(part) for name, part in CANDLES.items()}
    known.candles = candles
    known.volatility = sentiment.volatility(parts.rows(CANDLES["ltf"]), now)
    known.book = _order_book(parts, now, errors, limit)
    known.trades = convert.trade_rows(parts.rows(TRADES), symbol, since=now - HOUR)
    known.liquidations = sentiment.liquidation_rows(streamed_liquidations, symbol, now - HOUR)
    if listed.market == "usdm":
        _know_funding(known, parts)
        _know_statistics(known, parts, now)
    out = market_data_of(known, now)
    if parts.streamed is not None:
        out["metadata"].update(streamed=list(parts.streamed.parts), stalled=dict(parts.streamed.stalled))
    return out


def _order_book(parts: Parts, now: int, errors: dict[str, str], limit: int | None) -> Row | None:
    """None where no price in it can be known; ``errors`` then says why."""
    answer = parts.get(ORDER_BOOK)
    if answer is not None:
        levels = None if limit is None else ORDER_BOOK.rows_for(limit)
        try:
            book = convert.order_book(answer, parts.listed.symbol, received=now, limit=levels)
        except BinanceError as error:
            errors[ORDER_BOOK.name] = str(error)
        else:
            if book["bids"] and book["asks"]:
                return book
            errors[ORDER_BOOK.name] = "one side of the order book is empty"
    return None


def _know_funding(known: Known, parts: Parts) -> None:
    premium, errors = parts.get(PREMIUM), known.errors
    if premium is None:
        if PREMIUM.name in errors:
            errors["funding"] = errors[PREMIUM.name]
        return
    known.funding_rate = sentiment.funding_sentiment(premium)
    known.funding = sentiment.funding(premium, parts.get(OPEN_INTEREST))
    if known.funding is None:
        errors["funding"] = "Binance gave no funding rate" if premium.next_funding_time else "no funding is due"


def _know_statistics(known: Known, parts: Parts, now: int) -> None:
    from virtuoso_binance.frames import premium_frame

    ratios, interest, premiums = parts.rows(LONG_SHORT_RATIO), parts.get(OPEN_INTEREST), parts.rows(PREMIUM_KLINES)
    if ratios:
        known.long_short = sentiment.long_short(ratios[-1])
    else:
        known.errors.setdefault(LONG_SHORT_RATIO.name, "no ratio of this contract")
    known.interest = sentiment.open_interest_series(parts.rows(OPEN_INTEREST_HISTORY), _PERIODS_DELIVERED)
    if known.interest is None:
        known.errors.setdefault(OPEN_INTEREST_HISTORY.name, "fewer than two periods of open interest")
        known.interest_now = None if interest is None else sentiment.open_interest_now(interest)
    if premiums:
        known.premium_index = premium_frame(premiums, known.symbol, "5", now)
    else:
        known.errors.setdefault(PREMIUM_KLINES.name, "no premium of this contract")


def _reasons(parts: Parts) -> dict[str, str]:
    return {part.name: str(error) for part, error in parts.errors.items()}
