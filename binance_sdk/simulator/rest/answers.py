"""Answers that several markets give alike: trades, candles, books and what is computed from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from binance_sdk.simulator.market import candles as bar
from binance_sdk.simulator.market.candles import DAY, BarRange, Calendar
from binance_sdk.simulator.market.decimals import DecimalFormat
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.randomness import Ints
from binance_sdk.simulator.market.simulated_market import SymbolData
from binance_sdk.simulator.market.symbols import Instrument
from binance_sdk.simulator.market.tape import Aggregates, Tape
from binance_sdk.simulator.rest.json_rows import Body, Column, Json, rows
from binance_sdk.simulator.rest.kline_cache import KLINE, kline_columns
from binance_sdk.simulator.rest.served_market import ServedMarket
from binance_sdk.simulator.rest.validation import Call, offset_minutes

Answer = Callable[[ServedMarket, Call, int], Body]
"""How an endpoint answers a call at a time in milliseconds."""

_PERCENT = DecimalFormat(3)


def ping(market: ServedMarket, call: Call, now: int) -> Body:
    return {}


def time(market: ServedMarket, call: Call, now: int) -> Body:
    return {"serverTime": now}


# ------------------------------------------------------------------------------------------- candles


def klines(market: ServedMarket, call: Call, now: int) -> Body:
    return kline_rows(market, market.symbol_data(call.text("symbol")), call, now)


def bars_wanted(market: ServedMarket, call: Call) -> BarRange:
    """The bars a call asks for, as its market understands times and ``limit``."""
    times = call.time("startTime"), call.time("endTime")
    return BarRange(*times, call.number("limit"), market.rules.newest_bars, market.rules.longest_bar_range)


def kline_rows(market: ServedMarket, data: SymbolData, call: Call, now: int) -> bytes:
    """The candles a call asks for, as rows of twelve."""
    offset = (offset_minutes(call.text("timeZone")) or 0) * MINUTE if "timeZone" in call.in_force else 0
    calendar = Calendar(call.text("interval"), offset)
    wanted = bars_wanted(market, call)
    first, last = data.candles.span(calendar, wanted, now)
    if calendar.interval == "1m" and first <= last and (last // 1440 + 1) * DAY <= data.tape.now(now):
        pieces = market.kline_cache.rows(data.candles, data.formats, first, last)
        if pieces is not None:
            return b"[" + b",".join(pieces) + b"]"
    bars, closes = data.candles.read(calendar, wanted, now)
    return rows(KLINE, kline_columns(bars, closes, data.formats))


# -------------------------------------------------------------------------------------------- trades


def trades(market: ServedMarket, call: Call, now: int) -> Body:
    return trade_rows(market.symbol_data(call.text("symbol")), call, now)


def trade_rows(data: SymbolData, call: Call, now: int, oldest: int = 0) -> bytes:
    """Trades from ``fromId`` on, or the newest; none before the trade with number ``oldest``."""
    count = data.tape.fill_count(data.tape.now(now))
    limit = call.number("limit")
    first = max(call.number("fromId") if "fromId" in call.given else count - limit, oldest)
    fills = data.tape.fills(first, min(first + limit, count))
    columns: list[Column] = [
        (None, fills.id),
        (data.price, fills.price),
        (data.quantity, fills.quantity),
        (data.value, data.worth(fills.price, fills.quantity)),
        (None, fills.time),
        ~fills.taker_buys,
    ]
    worth = f'"{data.instrument.valued_in}Qty"'
    template = '{{"id":{},"price":{},"qty":{},' + worth + ':{},"time":{},"isBuyerMaker":{}'
    if data.rules.trade_mark == "retail":
        return rows(template + ',"isRPITrade":{}}}', [*columns, fills.retail])
    return rows(template + (',"isBestMatch":true}}' if data.rules.trade_mark else "}}"), columns)


def agg_trades(market: ServedMarket, call: Call, now: int) -> Body:
    data = market.symbol_data(call.text("symbol"))
    found = _aggregates(data.tape, call, data.tape.now(now))
    columns: list[Column] = [
        (None, found.id),
        (data.price, found.price),
        (data.quantity, found.quantity),
        (None, found.first_fill),
        (None, found.first_fill + found.fills - 1),
        (None, found.time),
        ~found.taker_buys,
    ]
    if data.rules.trade_mark == "retail":
        columns.insert(3, (data.quantity, np.where(found.retail, 0, found.quantity)))
        return rows('{{"a":{},"p":{},"q":{},"nq":{},"f":{},"l":{},"T":{},"m":{}}}', columns)
    mark = ',"M":true}}' if data.rules.trade_mark else "}}"
    return rows('{{"a":{},"p":{},"q":{},"f":{},"l":{},"T":{},"m":{}' + mark, columns)


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


def depth_levels(data: SymbolData, levels: int, now: int) -> tuple[int, int, bytes, bytes]:
    """Update id, time of the last change, bids and asks."""
    book = data.book.at(now, levels)
    bids, asks = (
        rows("[{},{}]", [(data.price, side.price), (data.quantity, side.quantity)]) for side in (book.bids, book.asks)
    )
    return book.update_id, book.changed, bids, asks


def best_prices(data: SymbolData, now: int) -> dict[str, Json]:
    """The top of the book, under the keys of the book tickers."""
    book = data.book.at(now, 1)
    return {
        "bidPrice": data.price.text(int(book.bids.price[0])),
        "bidQty": data.quantity.text(int(book.bids.quantity[0])),
        "askPrice": data.price.text(int(book.asks.price[0])),
        "askQty": data.quantity.text(int(book.asks.quantity[0])),
    }


# ------------------------------------------------------------------------------------------- tickers


def statistics(data: SymbolData, start: int, end: int, now: int, close_time: int) -> dict[str, Json]:
    """What a ticker says about the trades with ``start <= time <= end``: the short form."""
    tape = data.tape
    end = min(end, tape.now(now))
    bars = data.candles.summary(start, end)
    total = bars[:, 0] if bars.shape[1] else _standstill(tape.last(end))
    last = tape.fill_count(end) - 1
    traded = int(total[bar.COUNT])
    return {
        "symbol": data.instrument.symbol,
        "openPrice": data.price.text(int(total[bar.OPEN])),
        "highPrice": data.price.text(int(total[bar.HIGH])),
        "lowPrice": data.price.text(int(total[bar.LOW])),
        "lastPrice": data.price.text(int(total[bar.CLOSE])),
        "volume": data.quantity.text(int(total[bar.VOLUME])),
        f"{data.instrument.valued_in}Volume": data.value.text(int(total[bar.VALUE])),
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


def changes(data: SymbolData, short: Mapping[str, Json]) -> dict[str, Json]:
    """What the long form of a ticker adds to the short one."""
    opened, closed = (_units(short[name], data.price) for name in ("openPrice", "lastPrice"))
    volume = _units(short["volume"], data.quantity)
    value = _units(short[f"{data.instrument.valued_in}Volume"], data.value)
    return {
        "priceChange": data.price.text(closed - opened),
        "priceChangePercent": _PERCENT.ratio((closed - opened) * 100, opened),
        "weightedAvgPrice": data.average_price(volume, value),
    }


def _units(text: Json, form: DecimalFormat) -> int:
    """A decimal text back in the units of its form."""
    whole, _, part = str(text).partition(".")
    return int(whole + part[: form.decimals])


def last_prices(data: SymbolData, now: int) -> tuple[str, str, int]:
    """Price, quantity and time of the newest trade."""
    # In the first seconds of a new symbol, before anything was traded, the first trade stands in.
    count = max(data.tape.fill_count(data.tape.now(now)), 1)
    fill = data.tape.fills(count - 1, count)
    return data.price.text(int(fill.price[0])), data.quantity.text(int(fill.quantity[0])), int(fill.time[0])


def traded(market: ServedMarket) -> Sequence[Instrument]:
    return [instrument for instrument in market.table.instruments if instrument.traded]
