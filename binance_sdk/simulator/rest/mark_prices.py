"""Mark prices, index prices and premiums of contracts, their candles, and the funding that follows from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from binance_sdk.simulator.market.candles import HOUR, BarRange, Calendar
from binance_sdk.simulator.market.decimals import DecimalFormat
from binance_sdk.simulator.market.prices import MINUTE, minutes_between
from binance_sdk.simulator.market.randomness import Floats, Ints, bits, hashed, key
from binance_sdk.simulator.market.simulated_market import SimulatedMarket, SymbolData
from binance_sdk.simulator.rest import answers
from binance_sdk.simulator.rest.json_rows import Body, Json
from binance_sdk.simulator.rest.served_market import ServedMarket
from binance_sdk.simulator.rest.validation import Call

FUNDING_HOURS = 8
FUNDING = FUNDING_HOURS * HOUR
"""Milliseconds from one funding to the next."""
_INTEREST = 0.0001
_CLAMP = 0.0002
"""How far the interest may pull a funding rate away from the premium."""
_EIGHT = DecimalFormat(8)

Path = Callable[[Ints], Floats]


def value_at(path: Path, time: int) -> float:
    """A path at one millisecond: minutes are joined by straight lines, as they are for trades."""
    minute = time // MINUTE
    left, right = path(minutes_between(minute, minute + 1))
    return float(left + (right - left) * ((time - minute * MINUTE) / MINUTE))


def paths(market: SimulatedMarket, data: SymbolData) -> tuple[Path, Path, Path]:
    """Mark price, index price and premium of a contract."""
    prices, instrument = market.prices, data.instrument
    return partial(prices.mid, instrument), partial(prices.index, instrument), partial(prices.premium, instrument)


# --------------------------------------------------------------------------------- candles of paths


def mark_price_klines(market: ServedMarket, call: Call, now: int) -> Body:
    data = market.symbol_data(call.text("symbol"))
    return _path_klines(market, data, call, now, paths(market, data)[0])


def premium_index_klines(market: ServedMarket, call: Call, now: int) -> Body:
    data = market.symbol_data(call.text("symbol"))
    return _path_klines(market, data, call, now, paths(market, data)[2])


def index_price_klines(market: ServedMarket, call: Call, now: int) -> Body:
    data = symbol_of_pair(market, call)
    return _path_klines(market, data, call, now, paths(market, data)[1])


def symbol_of_pair(market: ServedMarket, call: Call) -> SymbolData:
    pair = call.text("pair")
    return market.symbol_data(
        next(instrument.symbol for instrument in market.table.instruments if instrument.pair == pair)
    )


@dataclass(frozen=True, slots=True)
class PathBars:
    """Candles of a path as columns; times in milliseconds, prices in units of ten to the minus eight."""

    opened: Ints
    closed: Ints
    """When the next one opens."""
    samples: Ints
    """How many prices a candle is made of."""
    prices: tuple[Ints, Ints, Ints, Ints]
    """Open, high, low and close."""


def path_bars(data: SymbolData, path: Path, calendar: Calendar, wanted: BarRange, now: int) -> PathBars:
    """Candles of a path that bends only at whole minutes, so its extremes are at minutes and at the present."""
    listed, now = data.tape.listed_at, data.tape.now(now)
    first, last = wanted.span(calendar, calendar.number(listed), now)
    if first > last:
        none = np.empty(0, dtype=np.int64)
        return PathBars(none, none, none, (none, none, none, none))
    edges = calendar.opens(first, last - first + 2)
    begin, stop = max(int(edges[0]), listed) // MINUTE, min(int(edges[-1]), now) // MINUTE
    values = path(minutes_between(begin, stop))
    if edges[-1] > now:
        values = np.append(values, value_at(path, now))
    places = np.clip(edges // MINUTE - begin, 0, len(values) - 1)
    opens, closes = values[places[:-1]], values[places[1:]]
    highs = np.maximum(np.maximum.reduceat(values, places[:-1]), closes)
    lows = np.minimum(np.minimum.reduceat(values, places[:-1]), closes)
    # The last bar's reduceat runs to the end of the values, which is exactly where that bar ends.
    samples = np.maximum(places[1:] - places[:-1], 1) * 60
    units = [np.rint(values * 1e8).astype(np.int64) for values in (opens, highs, lows, closes)]
    return PathBars(edges[:-1], edges[1:], samples, (units[0], units[1], units[2], units[3]))


def _path_klines(market: ServedMarket, data: SymbolData, call: Call, now: int, path: Path) -> Body:
    bars = path_bars(data, path, Calendar(call.text("interval")), answers.bars_wanted(market, call), now)
    columns = (bars.opened, bars.closed, bars.samples, *bars.prices)
    return [
        [opened, *map(_EIGHT.text, ohlc), "0", closed - 1, "0", count, "0", "0", "0"]
        for opened, closed, count, *ohlc in zip(*(column.tolist() for column in columns), strict=True)
    ]


def eight_decimals(value: float) -> str:
    return _EIGHT.rounded(value)


def continuous_klines(market: ServedMarket, call: Call, now: int) -> Body:
    """No candles where no contract of the pair is listed that has this type."""
    data = market.contract(call.text("pair"), call.text("contractType"))
    return [] if data is None else answers.kline_rows(market, data, call, now)


# ------------------------------------------------------------------------------------------- funding


def premium_index(market: ServedMarket, call: Call, now: int) -> Body:
    rows: list[Json] = [premium_row(market, data, now) for data in market.chosen(call)]
    return rows[0] if "symbol" in call.given else rows


def premium_row(market: ServedMarket, data: SymbolData, now: int) -> dict[str, Json]:
    """Mark price, index price and funding of a contract; one that is delivered has no funding."""
    mark, index, premium = paths(market, data)
    at, funded = data.tape.now(now), not data.instrument.delivers_at
    settled = np.array([at // FUNDING * FUNDING // MINUTE], dtype=np.int64)
    hour = index(minutes_between(at // MINUTE - 59, at // MINUTE))
    return {
        "symbol": data.instrument.symbol,
        "markPrice": eight_decimals(value_at(mark, at)),
        "indexPrice": eight_decimals(value_at(index, at)),
        "estimatedSettlePrice": eight_decimals(float(np.mean(hour))),
        "lastFundingRate": eight_decimals(float(_funding_rates(premium(settled))[0])) if funded else "",
        "interestRate": eight_decimals(_INTEREST) if funded else "",
        "nextFundingTime": (now // FUNDING + 1) * FUNDING if funded and data.instrument.traded else 0,
        "time": now,
    }


def _funding_rates(premium: Floats) -> Floats:
    return premium + np.clip(_INTEREST - premium, -_CLAMP, _CLAMP)


def funding_rate(market: ServedMarket, call: Call, now: int) -> Body:
    return funding_rows(market, call, now)


def funding_rows(market: ServedMarket, call: Call, now: int) -> list[dict[str, Json]]:
    """Past fundings of the contracts that a call selects."""
    start, end, limit = call.time("startTime"), call.time("endTime"), call.number("limit")
    found: list[tuple[int, int, dict[str, Json]]] = []
    for place, data in enumerate(market.chosen(call)):
        if data.instrument.delivers_at:
            continue
        last = min(data.tape.now(now) if end is None else min(end, data.tape.now(now)), now) // FUNDING
        first = data.tape.listed_at // FUNDING + 1
        if start is None:
            first = max(first, last - limit + 1)
        else:
            first = max(first, start // FUNDING)
            last = min(last, first + limit)
        found.extend((int(str(row["fundingTime"])), place, row) for row in fundings(market, data, first, last))
    kept = [
        row for row in found if (start is None or row[0] >= start) and row[0] <= (now if end is None else min(end, now))
    ]
    kept.sort(key=lambda row: row[:2])
    return [row[2] for row in (kept[-limit:] if start is None else kept[:limit])]


def fundings(market: SimulatedMarket, data: SymbolData, first: int, last: int) -> Sequence[dict[str, Json]]:
    """The fundings of a perpetual with these numbers: how many lengths of ``FUNDING`` after the epoch."""
    mark, _, premium = paths(market, data)
    numbers = np.arange(first, max(last + 1, first), dtype=np.int64)
    minutes = numbers * (FUNDING // MINUTE)
    # Binance books a funding up to a few milliseconds late.
    late = bits(hashed(key(market.seed, data.instrument.symbol, "funding"), numbers), 0, 2)
    times = (numbers * FUNDING + late).tolist()
    return [
        {
            "symbol": data.instrument.symbol,
            "fundingRate": eight_decimals(rate),
            "fundingTime": time,
            "markPrice": eight_decimals(price),
            "rateType": "Regular",
        }
        for time, rate, price in zip(times, _funding_rates(premium(minutes)), mark(minutes), strict=True)
    ]
