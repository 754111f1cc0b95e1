"""Which files there are and what their columns are called, written by hand from what is known of the archive.

The spec is not read here: where it is wrong, the two must differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from binance_sdk.simulator.market.symbols import Market

Period = Literal["daily", "monthly"]

FOLDERS: Mapping[str, Market] = {"spot": "spot", "futures/um": "futures", "futures/cm": "coin_futures"}
"""The market of each folder."""

SPELLINGS: Mapping[str, str] = {"1M": "1mo"}
"""Intervals that are spelled otherwise than over REST, as some file systems take M and m for the same."""

# The text of the header is that of the futures; on COIN-M it says quote where base is meant.
_KLINE = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
_AGG_TRADE = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
_TRADE = "id,price,qty,quote_qty,time,is_buyer_maker"
_FUNDING = "calc_time,funding_interval_hours,last_funding_rate"
_METRICS = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio"
)
_HEADERS_SINCE = date(2022, 6, 1)
"""Files of USDⓈ-M futures have a header from about here on, if they are of a kind that has not always one."""

_DAILY_INTERVALS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d")
_LONG_INTERVALS = ("3d", "1w", "1M")
_BOTH: tuple[Period, ...] = ("daily", "monthly")


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of file.

    Attributes:
        name: What the operation of REST is called that answers the same; ``metrics`` has several.
        folder: The name in paths.
        header: The names of the columns.
        periods: What a file covers.
        intervals: Whether there are files for each interval.
        header_always: Whether every file begins with the header.
        times: Columns that say when.
        key: Column in which no two rows are alike.
        may_be_blank: Columns in which blank cells are seen.
    """

    name: str
    folder: str
    header: str
    periods: tuple[Period, ...] = _BOTH
    intervals: bool = False
    header_always: bool = False
    times: tuple[int, ...] = (0,)
    key: int = 0
    may_be_blank: tuple[int, ...] = (1,)


_KLINES = FileKind("klines", "klines", _KLINE, intervals=True, times=(0, 6))
_AGG_TRADES = FileKind("agg_trades", "aggTrades", _AGG_TRADE, times=(5,))
_TRADES = FileKind("trades", "trades", _TRADE, times=(4,))
_OF_TRADES = (_AGG_TRADES, _TRADES)
# What spot calls its last column is nowhere written, as its files have no header.
_OF_SPOT_TRADES = (
    replace(_AGG_TRADES, header=f"{_AGG_TRADE},is_best_match"),
    replace(_TRADES, header=f"{_TRADE},is_best_match"),
)
_OF_CONTRACTS = (
    FileKind("mark_price_klines", "markPriceKlines", _KLINE, intervals=True, times=(0, 6)),
    FileKind("index_price_klines", "indexPriceKlines", _KLINE, intervals=True, times=(0, 6)),
    FileKind("premium_index_klines", "premiumIndexKlines", _KLINE, intervals=True, times=(0, 6)),
    FileKind("funding_rate", "fundingRate", _FUNDING, ("monthly",), header_always=True),
    FileKind("metrics", "metrics", _METRICS, ("daily",), header_always=True, may_be_blank=(4, 5, 6, 7)),
)
KINDS: Mapping[Market, Mapping[str, FileKind]] = {
    "spot": {kind.folder: kind for kind in (_KLINES, *_OF_SPOT_TRADES)},
    "futures": {kind.folder: kind for kind in (_KLINES, *_OF_TRADES, *_OF_CONTRACTS)},
    "coin_futures": {kind.folder: kind for kind in (_KLINES, *_OF_TRADES, *_OF_CONTRACTS)},
}
"""The kinds of each market, by their folder."""


def intervals_of(market: Market, kind: FileKind, period: Period) -> tuple[str, ...]:
    """The intervals of which there are files, as REST spells them; none for a kind without intervals."""
    if not kind.intervals:
        return ()
    short = ("1s", *_DAILY_INTERVALS) if market == "spot" else _DAILY_INTERVALS
    return short if period == "daily" else (*short, *_LONG_INTERVALS)


def has_header(market: Market, kind: FileKind, day: date) -> bool:
    """Whether a file of this day begins with the names of its columns: a habit, and no promise."""
    return kind.header_always or (market == "futures" and day >= _HEADERS_SINCE)
