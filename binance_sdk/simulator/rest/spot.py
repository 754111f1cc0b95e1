"""The answers of the spot endpoints, each a function of the market, the call and the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from binance_sdk.simulator.errors import RejectionError
from binance_sdk.simulator.market import candles as bar
from binance_sdk.simulator.market.candles import Calendar
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.randomness import bits, hashed, key
from binance_sdk.simulator.market.simulated_market import SymbolData
from binance_sdk.simulator.rest import answers, exchange_info
from binance_sdk.simulator.rest.json_rows import Body, Json, rows
from binance_sdk.simulator.rest.served_market import ServedMarket
from binance_sdk.simulator.rest.validation import Call, offset_minutes

_DAY = 1440 * MINUTE
_WINDOW_UNITS = {"m": MINUTE, "h": 60 * MINUTE, "d": _DAY}
_AVERAGE_MINUTES = 5
_BLOCK_EVERY = 6 * 60 * MINUTE
_BLOCK_DOLLARS = 500_000
# Symbols with a reference price, and how it comes about; the last has none at the moment.
_REFERENCE_MEAN, _REFERENCE_EXTERNAL, _REFERENCE_UNSET = "BTCUSDT", "ETHUSDT", "BNBUSDT"
_REFERENCE_BUCKETS, _REFERENCE_BUCKET_MS = 10, 1_000


def depth(market: ServedMarket, call: Call, now: int) -> Body:
    update_id, _, bids, asks = answers.depth_levels(market.symbol_data(call.text("symbol")), call.number("limit"), now)
    return b'{"lastUpdateId":%d,"bids":%s,"asks":%s}' % (update_id, bids, asks)


def block_trades(market: ServedMarket, call: Call, now: int) -> Body:
    """Block trades are negotiated: one every six hours, outside of the tape and of all volumes."""
    data = market.symbol_data(call.text("symbol"))
    first, limit = call.number("fromId"), call.number("limit")
    count = max((data.tape.now(now) - data.tape.listed_at) // _BLOCK_EVERY, 0)
    numbers = np.arange(first, max(min(first + limit, count), first), dtype=np.int64)
    minutes = data.tape.listed_at // MINUTE + (numbers + 1) * (_BLOCK_EVERY // MINUTE)
    mid = market.prices.mid(data.instrument, minutes) * 10.0**data.instrument.price_decimals
    prices = np.maximum(np.rint(mid).astype(np.int64), 1)
    drawn = hashed(key(market.seed, data.instrument.symbol, "block"), numbers)
    quantities = int(_BLOCK_DOLLARS / data.instrument.dollars * 10**data.instrument.lot_decimals) + bits(drawn, 0, 20)
    return rows(
        '{{"id":{},"price":{},"qty":{},"quoteQty":{},"time":{},"isBuyerMaker":{}}}',
        [
            (None, numbers),
            (data.price, prices),
            (data.quantity, quantities),
            (data.value, prices * quantities),
            (None, minutes * MINUTE - 1),
            bits(drawn, 20, 1) == 1,
        ],
    )


def avg_price(market: ServedMarket, call: Call, now: int) -> Body:
    data = market.symbol_data(call.text("symbol"))
    end = data.tape.now(now)
    bars = data.candles.summary(end - _AVERAGE_MINUTES * MINUTE + 1, end)
    price, _, time = answers.last_prices(data, now)
    if bars.shape[1]:
        value, volume = int(bars[bar.VALUE, 0]), int(bars[bar.VOLUME, 0])
        price = data.average_price(volume, value)
    return {"mins": _AVERAGE_MINUTES, "price": price, "closeTime": time}


def _each(market: ServedMarket, call: Call, answer: Callable[[SymbolData], dict[str, Json]]) -> Body:
    """An object for ``symbol``, a list for everything else."""
    found = [answer(data) for data in market.chosen(call)]
    return found[0] if "symbol" in call.given else found


def ticker_24hr(market: ServedMarket, call: Call, now: int) -> Body:
    def ticker(data: SymbolData) -> dict[str, Json]:
        end = data.tape.now(now)
        short = answers.statistics(data, end - _DAY, end, now, end)
        if call.text("type") == "MINI":
            return short
        _, last_quantity, _ = answers.last_prices(data, now)
        before = data.price.text(int(data.tape.last(end - _DAY - 1).price[0]))
        return {
            **short,
            **answers.changes(data, short),
            **answers.best_prices(data, now),
            "prevClosePrice": before,
            "lastQty": last_quantity,
        }

    return _each(market, call, ticker)


def _window_ticker(data: SymbolData, call: Call, start: int, end: int, now: int, close_time: int) -> dict[str, Json]:
    short = answers.statistics(data, start, end, now, close_time)
    return short if call.text("type") == "MINI" else {**short, **answers.changes(data, short)}


def ticker(market: ServedMarket, call: Call, now: int) -> Body:
    size = call.text("windowSize")
    length = int(size[:-1]) * _WINDOW_UNITS[size[-1]]

    def rolling(data: SymbolData) -> dict[str, Json]:
        end = data.tape.now(now)
        start = (end - length) // MINUTE * MINUTE
        return _window_ticker(data, call, start, end, now, end)

    return _each(market, call, rolling)


def ticker_trading_day(market: ServedMarket, call: Call, now: int) -> Body:
    calendar = Calendar("1d", (offset_minutes(call.text("timeZone")) or 0) * MINUTE)

    def trading_day(data: SymbolData) -> dict[str, Json]:
        start, stop = calendar.opens(calendar.number(data.tape.now(now)), 2).tolist()
        return _window_ticker(data, call, start, stop - 1, now, stop - 1)

    return _each(market, call, trading_day)


def ticker_price(market: ServedMarket, call: Call, now: int) -> Body:
    return _each(
        market,
        call,
        lambda data: {"symbol": data.instrument.symbol, "price": answers.last_prices(data, now)[0]},
    )


def ticker_book(market: ServedMarket, call: Call, now: int) -> Body:
    return _each(market, call, lambda data: {"symbol": data.instrument.symbol, **answers.best_prices(data, now)})


def _no_reference_price() -> RejectionError:
    return RejectionError(-2043, "This symbol doesn't have a reference price.")


def reference_price(market: ServedMarket, call: Call, now: int) -> Body:
    symbol = call.text("symbol")
    if symbol not in (_REFERENCE_MEAN, _REFERENCE_EXTERNAL, _REFERENCE_UNSET):
        raise _no_reference_price()
    data = market.symbol_data(symbol)
    valid = now // _REFERENCE_BUCKET_MS * _REFERENCE_BUCKET_MS
    buckets = [int(data.tape.last(valid - back * _REFERENCE_BUCKET_MS).price[0]) for back in range(_REFERENCE_BUCKETS)]
    price = data.price.text(sum(buckets) // len(buckets)) if symbol != _REFERENCE_UNSET else None
    return {"symbol": symbol, "referencePrice": price, "timestamp": valid}


def reference_price_calculation(market: ServedMarket, call: Call, now: int) -> Body:
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


ANSWERS: Mapping[str, answers.Answer] = {
    "ping": answers.ping,
    "time": answers.time,
    "exchange_info": exchange_info.spot_exchange_info,
    "execution_rules": exchange_info.execution_rules,
    "depth": depth,
    "trades": answers.trades,
    "historical_trades": answers.trades,
    "historical_block_trades": block_trades,
    "agg_trades": answers.agg_trades,
    "klines": answers.klines,
    "ui_klines": answers.klines,
    "avg_price": avg_price,
    "ticker_24hr": ticker_24hr,
    "ticker_trading_day": ticker_trading_day,
    "ticker_price": ticker_price,
    "ticker_book_ticker": ticker_book,
    "ticker": ticker,
    "reference_price": reference_price,
    "reference_price_calculation": reference_price_calculation,
}
