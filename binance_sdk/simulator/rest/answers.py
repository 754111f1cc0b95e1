"""Answers that both markets give alike: trades, candles, books and what is computed from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from binance_sdk.simulator.market import candles as bar
from binance_sdk.simulator.market.candles import DAY, Calendar
from binance_sdk.simulator.market.market import Desk, Venue
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.randomness import Ints
from binance_sdk.simulator.market.symbols import Instrument
from binance_sdk.simulator.market.tape import Aggregates, Tape
from binance_sdk.simulator.rest.json_rows import Body, Column, Fixed, Json, rows
from binance_sdk.simulator.rest.kline_cache import KLINE, Pages, kline_columns
from binance_sdk.simulator.rest.validation import Call, offset_minutes

Answer = Callable[[Venue, Call, int], Body]
"""How an endpoint answers a call at a time in milliseconds."""

_PERCENT = Fixed(3)


def ping(venue: Venue, call: Call, now: int) -> Body:
    return {}


def time(venue: Venue, call: Call, now: int) -> Body:
    return {"serverTime": now}


# ------------------------------------------------------------------------------------------- candles


def klines(venue: Venue, call: Call, now: int) -> Body:
    return kline_rows(venue.pages, venue.desk(call.text("symbol")), call, now)


def kline_rows(pages: Pages, desk: Desk, call: Call, now: int) -> bytes:
    """The candles a call asks for, as rows of twelve."""
    offset = (offset_minutes(call.text("timeZone")) or 0) * MINUTE if "timeZone" in call.in_force else 0
    calendar = Calendar(call.text("interval"), offset)
    wanted = (call.time("startTime"), call.time("endTime"), call.number("limit"))
    first, last = desk.candles.span(calendar, *wanted, now)
    if calendar.interval == "1m" and first <= last and (last // 1440 + 1) * DAY <= desk.tape.now(now):
        pieces = pages.rows(desk.candles, desk.forms, first, last)
        if pieces is not None:
            return b"[" + b",".join(pieces) + b"]"
    bars, closes = desk.candles.read(calendar, *wanted, now)
    return rows(KLINE, kline_columns(bars, closes, desk.forms))


# -------------------------------------------------------------------------------------------- trades


def trades(venue: Venue, call: Call, now: int) -> Body:
    return trade_rows(venue.desk(call.text("symbol")), call, now)


def trade_rows(desk: Desk, call: Call, now: int, oldest: int = 0) -> bytes:
    """Trades from ``fromId`` on, or the newest; none before the trade with number ``oldest``."""
    count = desk.tape.fill_count(desk.tape.now(now))
    limit = call.number("limit")
    first = max(call.number("fromId") if "fromId" in call.given else count - limit, oldest)
    fills = desk.tape.fills(first, min(first + limit, count))
    columns: list[Column] = [
        (None, fills.id),
        (desk.price, fills.price),
        (desk.quantity, fills.quantity),
        (desk.value, fills.price * fills.quantity),
        (None, fills.time),
        ~fills.taker_buys,
    ]
    template = '{{"id":{},"price":{},"qty":{},"quoteQty":{},"time":{},"isBuyerMaker":{}'
    if desk.instrument.market == "spot":
        return rows(template + ',"isBestMatch":true}}', columns)
    return rows(template + ',"isRPITrade":{}}}', [*columns, fills.retail])


def agg_trades(venue: Venue, call: Call, now: int) -> Body:
    desk = venue.desk(call.text("symbol"))
    found = _aggregates(desk.tape, call, desk.tape.now(now))
    columns: list[Column] = [
        (None, found.id),
        (desk.price, found.price),
        (desk.quantity, found.quantity),
        (None, found.first_fill),
        (None, found.first_fill + found.fills - 1),
        (None, found.time),
        ~found.taker_buys,
    ]
    if desk.instrument.market == "spot":
        return rows('{{"a":{},"p":{},"q":{},"f":{},"l":{},"T":{},"m":{},"M":true}}', columns)
    columns.insert(3, (desk.quantity, np.where(found.retail, 0, found.quantity)))
    return rows('{{"a":{},"p":{},"q":{},"nq":{},"f":{},"l":{},"T":{},"m":{}}}', columns)


def _aggregates(tape: Tape, call: Call, now: int) -> Aggregates:
    start, end, limit = call.time("startTime"), call.time("endTime"), call.number("limit")
    stop = tape.count(now if end is None else min(end, now))
    if "fromId" in call.given:
        first = call.number("fromId")
    elif start is not None:
        first = tape.count(start - 1)
    else:
        first = stop - limit
    return tape.numbered(first, min(first + limit, stop))


# --------------------------------------------------------------------------------------------- books


def depth_levels(desk: Desk, levels: int, now: int) -> tuple[int, int, bytes, bytes]:
    """Update id, time of the last change, bids and asks."""
    book = desk.book.at(now, levels)
    bids, asks = (
        rows("[{},{}]", [(desk.price, side.price), (desk.quantity, side.quantity)]) for side in (book.bids, book.asks)
    )
    return book.update_id, book.changed, bids, asks


def best_prices(desk: Desk, now: int) -> dict[str, Json]:
    """The top of the book, under the keys of the book tickers."""
    book = desk.book.at(now, 1)
    return {
        "bidPrice": desk.price.text(int(book.bids.price[0])),
        "bidQty": desk.quantity.text(int(book.bids.quantity[0])),
        "askPrice": desk.price.text(int(book.asks.price[0])),
        "askQty": desk.quantity.text(int(book.asks.quantity[0])),
    }


# ------------------------------------------------------------------------------------------- tickers


def statistics(desk: Desk, start: int, end: int, now: int, close_time: int) -> dict[str, Json]:
    """What a ticker says about the trades with ``start <= time <= end``: the short form."""
    tape = desk.tape
    end = min(end, tape.now(now))
    bars = desk.candles.summary(start, end)
    total = bars[:, 0] if bars.shape[1] else _standstill(tape.last(end))
    last = tape.fill_count(end) - 1
    traded = int(total[bar.COUNT])
    return {
        "symbol": desk.instrument.symbol,
        "openPrice": desk.price.text(int(total[bar.OPEN])),
        "highPrice": desk.price.text(int(total[bar.HIGH])),
        "lowPrice": desk.price.text(int(total[bar.LOW])),
        "lastPrice": desk.price.text(int(total[bar.CLOSE])),
        "volume": desk.quantity.text(int(total[bar.VOLUME])),
        "quoteVolume": desk.value.text(int(total[bar.QUOTE])),
        "openTime": start,
        "closeTime": close_time,
        # Binance numbers an empty window -1 to -1.
        "firstId": last - traded + 1 if traded else -1,
        "lastId": last if traded else -1,
        "count": traded,
    }


def _standstill(last: Aggregates) -> Ints:
    """A window without a trade: the last price, and nothing else."""
    total = np.zeros(10, dtype=np.int64)
    total[bar.OPEN : bar.CLOSE + 1] = last.price[0]
    return total


def changes(desk: Desk, short: Mapping[str, Json]) -> dict[str, Json]:
    """What the long form of a ticker adds to the short one."""
    opened, closed = (_units(short[name], desk.price) for name in ("openPrice", "lastPrice"))
    volume, value = _units(short["volume"], desk.quantity), _units(short["quoteVolume"], desk.value)
    lots = 10**desk.instrument.lot_decimals
    return {
        "priceChange": desk.price.text(closed - opened),
        "priceChangePercent": _PERCENT.ratio((closed - opened) * 100, opened),
        "weightedAvgPrice": desk.price.ratio(value * lots, volume * 10**desk.value.decimals),
    }


def _units(text: Json, form: Fixed) -> int:
    """A decimal text back in the units of its form."""
    whole, _, part = str(text).partition(".")
    return int(whole + part[: form.decimals])


def last_prices(desk: Desk, now: int) -> tuple[str, str, int]:
    """Price, quantity and time of the newest trade."""
    # In the first seconds of a new symbol, before anything was traded, the first trade stands in.
    count = max(desk.tape.fill_count(desk.tape.now(now)), 1)
    fill = desk.tape.fills(count - 1, count)
    return desk.price.text(int(fill.price[0])), desk.quantity.text(int(fill.quantity[0])), int(fill.time[0])


def traded(venue: Venue) -> Sequence[Instrument]:
    return [one for one in venue.table.instruments if one.traded]
