"""What each request costs, written by hand from Binance's documents and from nothing else.

The client computes the same numbers from the spec. This table must not be generated from it: a test compares the
two, and a wrong weight is found only as long as they were written down twice.

A price is given for the raw query, before anyone checked it, because a refused request costs weight too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import parse_qsl

Query = Mapping[str, str]
Price = Callable[[Query], int]


def _flat(weight: int) -> Price:
    return lambda query: weight


def _one_or_all(one: int, everything: int) -> Price:
    """``symbol`` given or not."""
    return lambda query: one if "symbol" in query else everything


def _one_some_or_all(one: int, some: int) -> Price:
    """``symbol`` given; or ``symbols`` or neither, however many there are."""
    return lambda query: one if "symbol" in query else some


def _each(weight: int, cap: int) -> Price:
    """So much for each of the ``symbols``, up to a cap; the cap too when nothing is named."""

    def price(query: Query) -> int:
        if "symbol" in query:
            return weight
        if "symbols" in query:
            return min(weight * _count(query["symbols"]), cap)
        return cap

    return price


def _limit_up_to(default: int, *bands: tuple[int, int], above: int) -> Price:
    """Each band is an inclusive upper bound of ``limit`` and the weight up to there."""

    def price(query: Query) -> int:
        try:
            limit = int(query.get("limit", default))
        except ValueError:
            limit = 0
        return next((weight for bound, weight in bands if limit <= bound), above)

    return price


def _limit_is(default: int, table: Mapping[int, int]) -> Price:
    """A ``limit`` that is not on the list is refused, and was seen to cost 1."""

    def price(query: Query) -> int:
        limit = query.get("limit", str(default))
        return table.get(int(limit), 1) if limit.isascii() and limit.isdigit() else 1

    return price


def _ticker_24hr(query: Query) -> int:
    if "symbol" in query:
        return 2
    if "symbols" not in query:
        return 80
    count = _count(query["symbols"])
    return 2 if count <= 20 else 40 if count <= 100 else 80


def _count(symbols: str) -> int:
    """Items of a JSON array; what cannot be read counts as one."""
    try:
        parsed: object = json.loads(symbols)
    except ValueError:
        return 1
    return max(len(cast("list[object]", parsed)), 1) if isinstance(parsed, list) else 1


_FUTURES_KLINES = _limit_up_to(500, (99, 1), (499, 2), (1000, 5), above=10)

_SPOT: Mapping[str, Price] = {
    "/api/v3/ping": _flat(1),
    "/api/v3/time": _flat(1),
    "/api/v3/exchangeInfo": _flat(20),
    "/api/v3/executionRules": _each(2, cap=40),
    "/api/v3/depth": _limit_up_to(100, (100, 5), (500, 25), (1000, 50), above=250),
    "/api/v3/trades": _flat(25),
    "/api/v3/historicalTrades": _flat(25),
    "/api/v3/historicalBlockTrades": _flat(25),
    "/api/v3/aggTrades": _flat(4),
    "/api/v3/klines": _flat(2),
    "/api/v3/uiKlines": _flat(2),
    "/api/v3/avgPrice": _flat(2),
    "/api/v3/ticker/24hr": _ticker_24hr,
    "/api/v3/ticker/tradingDay": _each(4, cap=200),
    "/api/v3/ticker/price": _one_some_or_all(2, 4),
    "/api/v3/ticker/bookTicker": _one_some_or_all(2, 4),
    "/api/v3/ticker": _each(4, cap=200),
    "/api/v3/referencePrice": _flat(2),
    "/api/v3/referencePrice/calculation": _flat(2),
}

_FUTURES: Mapping[str, Price] = {
    "/fapi/v1/ping": _flat(1),
    "/fapi/v1/time": _flat(1),
    "/fapi/v1/exchangeInfo": _flat(1),
    "/fapi/v1/depth": _limit_is(500, {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}),
    "/fapi/v1/rpiDepth": _limit_is(1000, {1000: 20}),
    "/fapi/v1/trades": _flat(5),
    "/fapi/v1/historicalTrades": _flat(200),
    "/fapi/v1/aggTrades": _flat(20),
    "/fapi/v1/klines": _FUTURES_KLINES,
    "/fapi/v1/continuousKlines": _FUTURES_KLINES,
    "/fapi/v1/indexPriceKlines": _FUTURES_KLINES,
    "/fapi/v1/markPriceKlines": _FUTURES_KLINES,
    "/fapi/v1/premiumIndexKlines": _FUTURES_KLINES,
    "/fapi/v1/premiumIndex": _one_or_all(1, 10),
    "/fapi/v1/fundingRate": _flat(0),
    "/fapi/v1/fundingInfo": _flat(0),
    "/fapi/v1/ticker/24hr": _one_or_all(1, 40),
    "/fapi/v1/ticker/price": _one_or_all(1, 2),
    "/fapi/v2/ticker/price": _one_or_all(1, 2),
    "/fapi/v1/ticker/bookTicker": _one_or_all(2, 5),
    "/fapi/v1/openInterest": _flat(1),
    "/fapi/v1/indexInfo": _flat(1),
    "/fapi/v1/assetIndex": _one_or_all(1, 10),
    "/fapi/v1/constituents": _flat(2),
    "/fapi/v1/insuranceBalance": _flat(1),
    "/fapi/v1/symbolAdlRisk": _flat(1),
    "/fapi/v1/tradingSchedule": _flat(5),
    "/futures/data/delivery-price": _flat(0),
    "/futures/data/openInterestHist": _flat(0),
    "/futures/data/topLongShortPositionRatio": _flat(0),
    "/futures/data/topLongShortAccountRatio": _flat(0),
    "/futures/data/globalLongShortAccountRatio": _flat(0),
    "/futures/data/takerlongshortRatio": _flat(0),
    "/futures/data/basis": _flat(0),
}

_COIN_FUTURES: Mapping[str, Price] = {
    "/dapi/v1/ping": _flat(1),
    "/dapi/v1/time": _flat(1),
    "/dapi/v1/exchangeInfo": _flat(1),
    "/dapi/v1/depth": _limit_is(500, {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}),
    "/dapi/v1/trades": _flat(5),
    "/dapi/v1/historicalTrades": _flat(200),
    "/dapi/v1/aggTrades": _flat(20),
    "/dapi/v1/klines": _FUTURES_KLINES,
    "/dapi/v1/continuousKlines": _FUTURES_KLINES,
    "/dapi/v1/indexPriceKlines": _FUTURES_KLINES,
    "/dapi/v1/markPriceKlines": _FUTURES_KLINES,
    "/dapi/v1/premiumIndexKlines": _FUTURES_KLINES,
    "/dapi/v1/premiumIndex": _flat(10),
    "/dapi/v1/fundingRate": _flat(1),
    "/dapi/v1/fundingInfo": _flat(0),
    # A pair counts as all symbols.
    "/dapi/v1/ticker/24hr": _one_or_all(1, 40),
    "/dapi/v1/ticker/price": _one_or_all(1, 2),
    "/dapi/v1/ticker/bookTicker": _one_or_all(2, 5),
    "/dapi/v1/openInterest": _flat(1),
    "/dapi/v1/constituents": _flat(1),
    # The same paths cost nothing at the hosts of USDⓈ-M futures.
    "/futures/data/openInterestHist": _flat(1),
    "/futures/data/topLongShortPositionRatio": _flat(1),
    "/futures/data/topLongShortAccountRatio": _flat(1),
    "/futures/data/globalLongShortAccountRatio": _flat(1),
    "/futures/data/takerBuySellVol": _flat(1),
    "/futures/data/basis": _flat(1),
}

WEIGHTS: Mapping[str, Mapping[str, Price]] = {"spot": _SPOT, "futures": _FUTURES, "coin_futures": _COIN_FUTURES}
"""By market and path: the same path can have another price at the hosts of another market."""

# fundingRate and fundingInfo answer without the used-weight header.
WITHOUT_HEADER = frozenset({"/fapi/v1/fundingRate", "/fapi/v1/fundingInfo"})
# Documented as inaccurate: here it lags one request behind.
STALE_HEADER = frozenset({"/fapi/v2/ticker/price", "/fapi/v1/ticker/bookTicker"})


def raw_query(query: str) -> Query:
    """The parameters of a query string, whatever they are worth."""
    return dict(parse_qsl(query, keep_blank_values=True))
