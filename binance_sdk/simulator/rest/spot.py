"""The answers of the spot endpoints, each a function of the venue, the call and the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from binance_sdk.simulator.errors import RejectionError
from binance_sdk.simulator.market import candles as bar
from binance_sdk.simulator.market.candles import Calendar
from binance_sdk.simulator.market.market import Desk, Venue
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.randomness import bits, hashed, key
from binance_sdk.simulator.rest import answers as trading
from binance_sdk.simulator.rest import exchange_info as listing
from binance_sdk.simulator.rest.json_rows import Body, Json, rows
from binance_sdk.simulator.rest.validation import Call, offset_minutes

_DAY = 1440 * MINUTE
_WINDOW_UNITS = {"m": MINUTE, "h": 60 * MINUTE, "d": _DAY}
_AVERAGE_MINUTES = 5
_BLOCK_EVERY = 6 * 60 * MINUTE
_BLOCK_DOLLARS = 500_000
# Symbols with a reference price, and how it comes about; the last has none at the moment.
_REFERENCE_MEAN, _REFERENCE_EXTERNAL, _REFERENCE_UNSET = "BTCUSDT", "ETHUSDT", "BNBUSDT"
_REFERENCE_BUCKETS, _REFERENCE_BUCKET_MS = 10, 1_000


def depth(venue: Venue, call: Call, now: int) -> Body:
    update_id, _, bids, asks = trading.depth_levels(venue.desk(call.text("symbol")), call.number("limit"), now)
    return b'{"lastUpdateId":%d,"bids":%s,"asks":%s}' % (update_id, bids, asks)


def block_trades(venue: Venue, call: Call, now: int) -> Body:
    """Block trades are negotiated: one every six hours, outside of the tape and of all volumes."""
    desk = venue.desk(call.text("symbol"))
    first, limit = call.number("fromId"), call.number("limit")
    count = max((desk.tape.now(now) - desk.tape.listing) // _BLOCK_EVERY, 0)
    numbers = np.arange(first, max(min(first + limit, count), first), dtype=np.int64)
    minutes = desk.tape.listing // MINUTE + (numbers + 1) * (_BLOCK_EVERY // MINUTE)
    mid = venue.prices.mid(desk.instrument, minutes) * 10.0**desk.instrument.price_decimals
    prices = np.maximum(np.rint(mid).astype(np.int64), 1)
    drawn = hashed(key(venue.seed, desk.instrument.symbol, "block"), numbers)
    quantities = int(_BLOCK_DOLLARS / desk.instrument.dollars * 10**desk.instrument.lot_decimals) + bits(drawn, 0, 20)
    return rows(
        '{{"id":{},"price":{},"qty":{},"quoteQty":{},"time":{},"isBuyerMaker":{}}}',
        [
            (None, numbers),
            (desk.price, prices),
            (desk.quantity, quantities),
            (desk.value, prices * quantities),
            (None, minutes * MINUTE - 1),
            bits(drawn, 20, 1) == 1,
        ],
    )


def avg_price(venue: Venue, call: Call, now: int) -> Body:
    desk = venue.desk(call.text("symbol"))
    end = desk.tape.now(now)
    bars = desk.candles.summary(end - _AVERAGE_MINUTES * MINUTE + 1, end)
    price, _, time = trading.last_prices(desk, now)
    if bars.shape[1]:
        value, volume = int(bars[bar.QUOTE, 0]), int(bars[bar.VOLUME, 0])
        lots = 10**desk.instrument.lot_decimals
        price = desk.price.ratio(value * lots, volume * 10**desk.value.decimals)
    return {"mins": _AVERAGE_MINUTES, "price": price, "closeTime": time}


def _each(venue: Venue, call: Call, answer: Callable[[Desk], dict[str, Json]]) -> Body:
    """An object for ``symbol``, a list for everything else."""
    answers = [answer(desk) for desk in venue.chosen(call)]
    return answers[0] if "symbol" in call.given else answers


def ticker_24hr(venue: Venue, call: Call, now: int) -> Body:
    def ticker(desk: Desk) -> dict[str, Json]:
        end = desk.tape.now(now)
        short = trading.statistics(desk, end - _DAY, end, now, end)
        if call.text("type") == "MINI":
            return short
        _, last_quantity, _ = trading.last_prices(desk, now)
        before = desk.price.text(int(desk.tape.last(end - _DAY - 1).price[0]))
        return {
            **short,
            **trading.changes(desk, short),
            **trading.best_prices(desk, now),
            "prevClosePrice": before,
            "lastQty": last_quantity,
        }

    return _each(venue, call, ticker)


def _window_ticker(desk: Desk, call: Call, start: int, end: int, now: int, close_time: int) -> dict[str, Json]:
    short = trading.statistics(desk, start, end, now, close_time)
    return short if call.text("type") == "MINI" else {**short, **trading.changes(desk, short)}


def ticker(venue: Venue, call: Call, now: int) -> Body:
    size = call.text("windowSize")
    length = int(size[:-1]) * _WINDOW_UNITS[size[-1]]

    def rolling(desk: Desk) -> dict[str, Json]:
        end = desk.tape.now(now)
        start = (end - length) // MINUTE * MINUTE
        return _window_ticker(desk, call, start, end, now, end)

    return _each(venue, call, rolling)


def ticker_trading_day(venue: Venue, call: Call, now: int) -> Body:
    calendar = Calendar("1d", (offset_minutes(call.text("timeZone")) or 0) * MINUTE)

    def trading_day(desk: Desk) -> dict[str, Json]:
        start, stop = calendar.opens(calendar.number(desk.tape.now(now)), 2).tolist()
        return _window_ticker(desk, call, start, stop - 1, now, stop - 1)

    return _each(venue, call, trading_day)


def ticker_price(venue: Venue, call: Call, now: int) -> Body:
    return _each(
        venue,
        call,
        lambda desk: {"symbol": desk.instrument.symbol, "price": trading.last_prices(desk, now)[0]},
    )


def ticker_book(venue: Venue, call: Call, now: int) -> Body:
    return _each(venue, call, lambda desk: {"symbol": desk.instrument.symbol, **trading.best_prices(desk, now)})


def _no_reference_price() -> RejectionError:
    return RejectionError(-2043, "This symbol doesn't have a reference price.")


def reference_price(venue: Venue, call: Call, now: int) -> Body:
    symbol = call.text("symbol")
    if symbol not in (_REFERENCE_MEAN, _REFERENCE_EXTERNAL, _REFERENCE_UNSET):
        raise _no_reference_price()
    desk = venue.desk(symbol)
    valid = now // _REFERENCE_BUCKET_MS * _REFERENCE_BUCKET_MS
    buckets = [int(desk.tape.last(valid - back * _REFERENCE_BUCKET_MS).price[0]) for back in range(_REFERENCE_BUCKETS)]
    price = desk.price.text(sum(buckets) // len(buckets)) if symbol != _REFERENCE_UNSET else None
    return {"symbol": symbol, "referencePrice": price, "timestamp": valid}


def reference_price_calculation(venue: Venue, call: Call, now: int) -> Body:
    symbol = call.text("symbol")
    if symbol == _REFERENCE_MEAN:
        return {
            "symbol": symbol,
            "calculationType": "ARITHMETIC_MEAN",
            "bucketCount": _REFERENCE_BUCKETS,
            "bucketWidthMs": _REFERENCE_BUCKET_MS,
        }
    if symbol == _REFERENCE_EXTERNAL:
        return {"symbol": symbol, "calculationType": "EXTERNAL", "externalCalculationId": 7}
    raise _no_reference_price()


ANSWERS: Mapping[str, trading.Answer] = {
    "ping": trading.ping,
    "time": trading.time,
    "exchange_info": listing.spot_exchange_info,
    "execution_rules": listing.execution_rules,
    "depth": depth,
    "trades": trading.trades,
    "historical_trades": trading.trades,
    "historical_block_trades": block_trades,
    "agg_trades": trading.agg_trades,
    "klines": trading.klines,
    "ui_klines": trading.klines,
    "avg_price": avg_price,
    "ticker_24hr": ticker_24hr,
    "ticker_trading_day": ticker_trading_day,
    "ticker_price": ticker_price,
    "ticker_book_ticker": ticker_book,
    "ticker": ticker,
    "reference_price": reference_price,
    "reference_price_calculation": reference_price_calculation,
}
