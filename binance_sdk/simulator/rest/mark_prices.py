"""Mark prices, funding, open interest and the statistics of the futures market."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np

from binance_sdk.simulator.market import candles as bar
from binance_sdk.simulator.market.candles import DAY, HOUR, Calendar
from binance_sdk.simulator.market.decimals import DecimalFormat
from binance_sdk.simulator.market.prices import MINUTE, minutes_between
from binance_sdk.simulator.market.randomness import Floats, Ints, bits, hashed, key
from binance_sdk.simulator.market.simulated_market import SymbolData
from binance_sdk.simulator.rest import answers as trading
from binance_sdk.simulator.rest.json_rows import Body, Json, encode
from binance_sdk.simulator.rest.served_market import ServedMarket
from binance_sdk.simulator.rest.validation import Call

FUNDING_HOURS = 8
_FUNDING = FUNDING_HOURS * HOUR
_INTEREST = 0.0001
_CLAMP = 0.0002
"""How far the interest may pull a funding rate away from the premium."""
_EIGHT, _FOUR = DecimalFormat(8), DecimalFormat(4)
_KEPT = 30 * DAY
_OPEN_INTEREST_DOLLARS = 400_000_000
_OPEN_INTEREST_OCTAVES = ((5, 0.01), (240, 0.05), (10_080, 0.2))
_CROWD_OCTAVES = ((5, 0.01), (240, 0.05), (10_080, 0.12))

Path = Callable[[Ints], Floats]


def value_at(path: Path, time: int) -> float:
    """A path at one millisecond: minutes are joined by straight lines, as they are for trades."""
    minute = time // MINUTE
    left, right = path(minutes_between(minute, minute + 1))
    return float(left + (right - left) * ((time - minute * MINUTE) / MINUTE))


def _paths(market: ServedMarket, data: SymbolData) -> tuple[Path, Path, Path]:
    """Mark price, index price and premium of a contract."""
    paths = (market.prices.mid, market.prices.index, market.prices.premium)
    mark, index, premium = (partial(path, data.instrument) for path in paths)
    return mark, index, premium


# --------------------------------------------------------------------------------- candles of paths


def mark_price_klines(market: ServedMarket, call: Call, now: int) -> Body:
    data = market.symbol_data(call.text("symbol"))
    return _path_klines(data, call, data.tape.now(now), _paths(market, data)[0])


def premium_index_klines(market: ServedMarket, call: Call, now: int) -> Body:
    data = market.symbol_data(call.text("symbol"))
    return _path_klines(data, call, data.tape.now(now), _paths(market, data)[2])


def index_price_klines(market: ServedMarket, call: Call, now: int) -> Body:
    data = _of_pair(market, call)
    return _path_klines(data, call, data.tape.now(now), _paths(market, data)[1])


def _of_pair(market: ServedMarket, call: Call) -> SymbolData:
    pair = call.text("pair")
    return market.symbol_data(
        next(instrument.symbol for instrument in market.table.instruments if instrument.pair == pair)
    )


def _path_klines(data: SymbolData, call: Call, now: int, path: Path) -> Body:
    """Candles of a path that bends only at whole minutes, so its extremes are at minutes and at the present."""
    calendar, listed = Calendar(call.text("interval")), data.tape.listed_at
    start, end, limit = call.time("startTime"), call.time("endTime"), call.number("limit")
    last = calendar.number(now if end is None else min(end, now))
    first = calendar.number(listed)
    if start is None:
        first = max(first, last - limit + 1)
    else:
        begin = calendar.number(start)
        first = max(first, begin + (int(calendar.opens(begin, 1)[0]) < start))
        last = min(last, first + limit - 1)
    if first > last:
        return []
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
    return [
        [opened, _eight(o), _eight(h), _eight(low), _eight(c), "0", closed - 1, "0", count, "0", "0", "0"]
        for opened, closed, o, h, low, c, count in zip(
            edges[:-1].tolist(),
            edges[1:].tolist(),
            opens.tolist(),
            highs.tolist(),
            lows.tolist(),
            closes.tolist(),
            samples.tolist(),
            strict=True,
        )
    ]


def _eight(value: float) -> str:
    return _EIGHT.rounded(value)


def continuous_klines(market: ServedMarket, call: Call, now: int) -> Body:
    """The exchange lists perpetuals only, so the other contract types of a pair have no candles."""
    data = market.contract(call.text("pair"), call.text("contractType"))
    return [] if data is None else trading.kline_rows(market.kline_cache, data, call, now)


# ------------------------------------------------------------------------------------------- funding


def premium_index(market: ServedMarket, call: Call, now: int) -> Body:
    def answer(data: SymbolData) -> dict[str, Json]:
        mark, index, premium = _paths(market, data)
        at = data.tape.now(now)
        settled = np.array([at // _FUNDING * _FUNDING // MINUTE], dtype=np.int64)
        hour = index(minutes_between(at // MINUTE - 59, at // MINUTE))
        return {
            "symbol": data.instrument.symbol,
            "markPrice": _eight(value_at(mark, at)),
            "indexPrice": _eight(value_at(index, at)),
            "estimatedSettlePrice": _eight(float(np.mean(hour))),
            "lastFundingRate": _eight(float(_funding_rates(premium(settled))[0])),
            "interestRate": _eight(_INTEREST),
            "nextFundingTime": (now // _FUNDING + 1) * _FUNDING if data.instrument.traded else 0,
            "time": now,
        }

    answers: list[Json] = [answer(data) for data in market.chosen(call)]
    return answers[0] if "symbol" in call.given else answers


def _funding_rates(premium: Floats) -> Floats:
    return premium + np.clip(_INTEREST - premium, -_CLAMP, _CLAMP)


def funding_rate(market: ServedMarket, call: Call, now: int) -> Body:
    start, end, limit = call.time("startTime"), call.time("endTime"), call.number("limit")
    found: list[tuple[int, int, dict[str, Json]]] = []
    for place, data in enumerate(market.chosen(call)):
        last = min(data.tape.now(now) if end is None else min(end, data.tape.now(now)), now) // _FUNDING
        first = data.tape.listed_at // _FUNDING + 1
        if start is None:
            first = max(first, last - limit + 1)
        else:
            first = max(first, start // _FUNDING)
            last = min(last, first + limit)
        found.extend((int(str(row["fundingTime"])), place, row) for row in _fundings(market, data, first, last))
    kept = [
        row for row in found if (start is None or row[0] >= start) and row[0] <= (now if end is None else min(end, now))
    ]
    kept.sort(key=lambda row: row[:2])
    return [row[2] for row in (kept[-limit:] if start is None else kept[:limit])]


def _fundings(market: ServedMarket, data: SymbolData, first: int, last: int) -> Sequence[dict[str, Json]]:
    mark, _, premium = _paths(market, data)
    numbers = np.arange(first, max(last + 1, first), dtype=np.int64)
    minutes = numbers * (_FUNDING // MINUTE)
    # Binance books a funding up to a few milliseconds late.
    late = bits(hashed(key(market.seed, data.instrument.symbol, "funding"), numbers), 0, 2)
    times = (numbers * _FUNDING + late).tolist()
    return [
        {
            "symbol": data.instrument.symbol,
            "fundingRate": _eight(rate),
            "fundingTime": time,
            "markPrice": _eight(price),
            "rateType": "Regular",
        }
        for time, rate, price in zip(times, _funding_rates(premium(minutes)), mark(minutes), strict=True)
    ]


# ------------------------------------------------------------------------ open interest and statistics


def _open_interest(market: ServedMarket, data: SymbolData, minutes: Ints) -> Floats:
    moved = market.prices.walk(f"open interest {data.instrument.symbol}", _OPEN_INTEREST_OCTAVES, minutes)
    return _OPEN_INTEREST_DOLLARS / data.instrument.dollars * (1.0 + moved)


def open_interest(market: ServedMarket, call: Call, now: int) -> Body:
    data = market.symbol_data(call.text("symbol"))
    minute = data.tape.now(now) // MINUTE
    amount = float(_open_interest(market, data, minutes_between(minute, minute))[0])
    return {
        "openInterest": data.quantity.rounded(amount),
        "symbol": data.instrument.symbol,
        "time": minute * MINUTE,
    }


def _periods(call: Call, data: SymbolData, now: int, *, whole: bool = False) -> Ints:
    """Start times of the wanted periods, oldest first; only finished ones when ``whole``."""
    length = Calendar(call.text("period")).step
    start, end, limit = call.time("startTime"), call.time("endTime"), call.number("limit")
    at = data.tape.now(now)
    last = (at if end is None else min(end, at)) // length
    if whole:
        last = min(last, at // length - 1)
    oldest = -(-max(at - _KEPT, data.tape.listed_at, start or 0) // length)
    if start is None:
        oldest = max(oldest, last - limit + 1)
    return np.arange(oldest, min(last, oldest + limit - 1) + 1, dtype=np.int64) * length


def open_interest_hist(market: ServedMarket, call: Call, now: int) -> Body:
    data = market.symbol_data(call.text("symbol"))
    times = _periods(call, data, now)
    minutes = times // MINUTE
    amounts = _open_interest(market, data, minutes)
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
    times = _periods(call, data, now)
    name = f"{call.operation.id} {data.instrument.symbol}"
    longs = 0.55 + market.prices.walk(name, _CROWD_OCTAVES, times // MINUTE)
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


def taker_long_short_ratio(market: ServedMarket, call: Call, now: int) -> Body:
    """Summed from the candles, so it agrees with their taker volumes."""
    data = market.symbol_data(call.text("symbol"))
    times = _periods(call, data, now, whole=True)
    if not len(times):
        return []
    edges = np.append(times, times[-1] + Calendar(call.text("period")).step)
    bars = bar.fold(data.candles.window(int(edges[0]), int(edges[-1]) - 1), edges)
    found = dict(zip(bars[bar.TIME].tolist(), bars[[bar.VOLUME, bar.BUY_VOLUME]].T.tolist(), strict=True))
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
    pair, kind = call.text("pair"), call.text("contractType")
    data = market.contract(pair, kind)
    if data is None:
        return []
    times = _periods(call, data, now)
    marks, indices, _ = (path(times // MINUTE).tolist() for path in _paths(market, data))
    return [
        {
            "indexPrice": _eight(index),
            "contractType": kind,
            "basisRate": _FOUR.rounded((mark - index) / index),
            "futuresPrice": _eight(mark),
            "annualizedBasisRate": "",
            "basis": _EIGHT.text(round(mark * 1e8) - round(index * 1e8)),
            "pair": pair,
            "timestamp": time,
        }
        for time, mark, index in zip(times.tolist(), marks, indices, strict=True)
    ]


def delivery_price(market: ServedMarket, call: Call, now: int) -> Body:
    """What quarterly contracts of the pair would have been settled at: 08:00 UTC on the last Friday of a quarter."""
    data = _of_pair(market, call)
    _, index, _ = _paths(market, data)
    listed = datetime.fromtimestamp(market.listed_at / 1000, UTC)
    times = [_last_friday(year, month) for year in range(listed.year, listed.year + 3) for month in (3, 6, 9, 12)]
    past = [time for time in times if market.listed_at <= time <= data.tape.now(now)]
    # The one price Binance sends as a JSON number.
    return encode([{"deliveryTime": time, "deliveryPrice": round(value_at(index, time), 6)} for time in reversed(past)])


def _last_friday(year: int, month: int) -> int:
    day = datetime(year + month // 12, month % 12 + 1, 1, 8, tzinfo=UTC) - timedelta(days=1)
    return int((day - timedelta(days=(day.weekday() - 4) % 7)).timestamp() * 1000)
