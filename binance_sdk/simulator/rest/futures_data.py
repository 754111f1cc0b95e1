"""Open interest, ratios of longs and shorts, basis and delivery prices: what Binance serves as data of its futures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from binance_sdk.simulator.market import candles
from binance_sdk.simulator.market.candles import DAY, Calendar
from binance_sdk.simulator.market.decimals import DecimalFormat
from binance_sdk.simulator.market.deliveries import deliveries
from binance_sdk.simulator.market.prices import MINUTE, minutes_between
from binance_sdk.simulator.market.randomness import Floats, Ints
from binance_sdk.simulator.market.simulated_market import SimulatedMarket, SymbolData
from binance_sdk.simulator.rest.json_rows import Body, Json, encode
from binance_sdk.simulator.rest.mark_prices import eight_decimals, paths, symbol_of_pair, value_at
from binance_sdk.simulator.rest.served_market import ServedMarket
from binance_sdk.simulator.rest.validation import Call

_EIGHT, _FOUR = DecimalFormat(8), DecimalFormat(4)
_HISTORY = 30 * DAY
_OPEN_INTEREST_DOLLARS = 400_000_000
_OPEN_INTEREST_OCTAVES = ((5, 0.01), (240, 0.05), (10_080, 0.2))
_CROWD_OCTAVES = ((5, 0.01), (240, 0.05), (10_080, 0.12))


def open_interest_at(market: SimulatedMarket, data: SymbolData, minutes: Ints) -> Floats:
    moved = market.prices.walk(f"open interest {data.instrument.symbol}", _OPEN_INTEREST_OCTAVES, minutes)
    return _OPEN_INTEREST_DOLLARS / data.instrument.dollars * (1.0 + moved)


def open_interest(market: ServedMarket, call: Call, now: int) -> Body:
    return open_interest_row(market, market.symbol_data(call.text("symbol")), now)


def open_interest_row(market: ServedMarket, data: SymbolData, now: int) -> dict[str, Json]:
    """Open interest of a contract now."""
    minute = data.tape.now(now) // MINUTE
    amount = float(open_interest_at(market, data, minutes_between(minute, minute))[0])
    return {
        "openInterest": data.quantity.rounded(amount),
        "symbol": data.instrument.symbol,
        "time": minute * MINUTE,
    }


def periods(call: Call, data: SymbolData, now: int, *, whole: bool = False) -> Ints:
    """Start times of the wanted periods, oldest first; only finished ones when ``whole``."""
    length = Calendar(call.text("period")).step
    start, end, limit = call.time("startTime"), call.time("endTime"), call.number("limit")
    at = data.tape.now(now)
    last = (at if end is None else min(end, at)) // length
    if whole:
        last = min(last, at // length - 1)
    oldest = -(-max(at - _HISTORY, data.tape.listed_at, start or 0) // length)
    if start is None:
        oldest = max(oldest, last - limit + 1)
    return np.arange(oldest, min(last, oldest + limit - 1) + 1, dtype=np.int64) * length


def open_interest_hist(market: ServedMarket, call: Call, now: int) -> Body:
    data = market.symbol_data(call.text("symbol"))
    times = periods(call, data, now)
    minutes = times // MINUTE
    amounts = open_interest_at(market, data, minutes)
    values = amounts * market.prices.mid(data.instrument, minutes)
    supply = _EIGHT.rounded(50 * _OPEN_INTEREST_DOLLARS / data.instrument.dollars)
    return [
        {
            "symbol": data.instrument.symbol,
            "sumOpenInterest": _EIGHT.rounded(amount),
            "sumOpenInterestValue": _EIGHT.rounded(value),
            "CMCCirculatingSupply": supply,
            "timestamp": time,
        }
        for time, amount, value in zip(times.tolist(), amounts.tolist(), values.tolist(), strict=True)
    ]


def long_short_ratio(market: ServedMarket, call: Call, now: int) -> Body:
    """One answer for the three ratios: each has a crowd of its own, named by its operation."""
    data = market.symbol_data(call.text("symbol"))
    times = periods(call, data, now)
    longs = crowd(market, call.operation.id, data.instrument.symbol, times)
    return [
        {
            "symbol": data.instrument.symbol,
            "longShortRatio": _FOUR.rounded(share / (1.0 - share)),
            "longAccount": _FOUR.rounded(share),
            "shortAccount": _FOUR.text(10_000 - round(share * 10_000)),
            "timestamp": time,
        }
        for time, share in zip(times.tolist(), longs.tolist(), strict=True)
    ]


def crowd(market: SimulatedMarket, operation: str, name: str, times: Ints) -> Floats:
    """Share of those who are long, by the id of the operation that says so, and the name of what they hold."""
    return 0.55 + market.prices.walk(f"{operation} {name}", _CROWD_OCTAVES, times // MINUTE)


def bars_at(data: SymbolData, period: str, times: Ints) -> Ints:
    """The periods that begin at these times as bars; those without a trade are left out."""
    if not len(times):
        return np.empty((10, 0), dtype=np.int64)
    edges = np.append(times, times[-1] + Calendar(period).step)
    return candles.fold(data.candles.window(int(edges[0]), int(edges[-1]) - 1), edges)


def taker_long_short_ratio(market: ServedMarket, call: Call, now: int) -> Body:
    """Summed from the candles, so it agrees with their taker volumes."""
    data = market.symbol_data(call.text("symbol"))
    times = periods(call, data, now, whole=True)
    bars = bars_at(data, call.text("period"), times)
    found = dict(zip(bars[candles.TIME].tolist(), bars[[candles.VOLUME, candles.BUY_VOLUME]].T.tolist(), strict=True))
    answers: list[Json] = []
    for time in times.tolist():
        total, bought = found.get(time, (0, 0))
        answers.append(
            {
                "buySellRatio": _FOUR.ratio(bought, total - bought),
                "buyVol": data.quantity.text(bought),
                "sellVol": data.quantity.text(total - bought),
                "timestamp": time,
            }
        )
    return answers


def basis(market: ServedMarket, call: Call, now: int) -> Body:
    return basis_rows(market, call, now, lambda data, rate, time: "")


def basis_rows(
    market: ServedMarket, call: Call, now: int, annualized: Callable[[SymbolData, float, int], str]
) -> list[Json]:
    """What the contract of a pair and a type is away from its index; ``annualized`` takes the rate and its time."""
    pair, kind = call.text("pair"), call.text("contractType")
    data = market.contract(pair, kind)
    if data is None:
        return []
    times = periods(call, data, now)
    marks, indices, _ = (path(times // MINUTE).tolist() for path in paths(market, data))
    return [
        {
            "indexPrice": eight_decimals(index),
            "contractType": kind,
            "basisRate": _FOUR.rounded((mark - index) / index),
            "futuresPrice": eight_decimals(mark),
            "annualizedBasisRate": annualized(data, (mark - index) / index, time),
            "basis": _EIGHT.text(round(mark * 1e8) - round(index * 1e8)),
            "pair": pair,
            "timestamp": time,
        }
        for time, mark, index in zip(times.tolist(), marks, indices, strict=True)
    ]


def delivery_price(market: ServedMarket, call: Call, now: int) -> Body:
    """What quarterly contracts of the pair would have been settled at."""
    data = symbol_of_pair(market, call)
    _, index, _ = paths(market, data)
    past = deliveries(market.listed_at, data.tape.now(now))
    # The one price Binance sends as a JSON number.
    return encode([{"deliveryTime": time, "deliveryPrice": round(value_at(index, time), 6)} for time in reversed(past)])
