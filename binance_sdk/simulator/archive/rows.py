"""The rows of the archive's files, computed from the same tape and the same paths as the answers of REST."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from binance_sdk.simulator.archive.files import ArchiveFile
from binance_sdk.simulator.market import candles as bar
from binance_sdk.simulator.market.candles import DAY, BarRange, Calendar
from binance_sdk.simulator.market.decimals import DecimalFormat
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.randomness import Ints
from binance_sdk.simulator.market.simulated_market import SimulatedMarket, SymbolData
from binance_sdk.simulator.market.tape import Aggregates, split_fills
from binance_sdk.simulator.rest import futures_data, mark_prices
from binance_sdk.simulator.rest.bulk_rows import BulkColumn, Texts, draw, shortest, texts_of

_MICROSECONDS_SINCE = 1_735_689_600_000
"""2025-01-01: from here on, spot writes microseconds."""
_EIGHT, _FOUR = DecimalFormat(8), DecimalFormat(4)
_FIVE_MINUTES = 5 * MINUTE
_PAGE = 10**9
_TRUTHS: Mapping[str, tuple[str, str]] = {"spot": ("False", "True")}
_METRIC_ZEROS: Mapping[str, int] = {"futures": 0, "coin_futures": 8}
"""Zeros behind the eight decimals of metrics."""


@dataclass(frozen=True, slots=True)
class Source:
    """What the rows of a file are made from."""

    file: ArchiveFile
    market: SimulatedMarket
    data: SymbolData


def rows(source: Source, start: int, end: int) -> Iterator[bytes]:
    """The lines of a span in pieces, of at most a day each where rows do not cover more.

    Args:
        source: Whose.
        start: First moment, in milliseconds.
        end: First moment after it.
    """
    make = _ROWS[source.file.kind.name]
    interval = source.file.interval
    if interval and (not Calendar(interval).step or DAY % Calendar(interval).step):
        yield make(source, start, end)
        return
    edges = [start, *range((start // DAY + 1) * DAY, end, DAY), end]
    for first, stop in pairwise(edges):
        yield make(source, first, stop)


def _lines(columns: Sequence[BulkColumn], behind: bytes = b"") -> bytes:
    texts = [b"", *[b","] * (len(columns) - 1), behind]
    return draw(texts, columns, b"\n").text


def _moments(source: Source, times: Ints) -> BulkColumn:
    """Times as the market writes them at that time."""
    micro = source.file.market == "spot" and source.file.start >= _MICROSECONDS_SINCE
    return (None, times * 1000) if micro else (None, times)


def _ends(source: Source, times: Ints) -> BulkColumn:
    """Closing times: one unit before the next opening time."""
    form, values = _moments(source, times)
    return (form, values - 1)


def _truths(source: Source, values: Ints) -> Texts:
    return texts_of(_TRUTHS.get(source.file.market, ("false", "true")), values)


# ------------------------------------------------------------------------------------------ candles


def _bars_wanted(source: Source, start: int, end: int) -> tuple[Calendar, BarRange, int]:
    """The bars that open in a span, and a moment at which all of them are over."""
    calendar = Calendar(source.file.interval)
    over = int(calendar.opens(calendar.number(end - 1), 2)[1])
    return calendar, BarRange(start, end - 1, _PAGE), over


def _klines(source: Source, start: int, end: int) -> bytes:
    data = source.data
    bars, closes = data.candles.read(*_bars_wanted(source, start, end))
    columns: list[BulkColumn] = [
        _moments(source, bars[bar.TIME]),
        *((data.price, bars[part]) for part in (bar.OPEN, bar.HIGH, bar.LOW, bar.CLOSE)),
        (data.quantity, bars[bar.VOLUME]),
        _ends(source, closes),
        (data.value, bars[bar.VALUE]),
        (None, bars[bar.COUNT]),
        (data.quantity, bars[bar.BUY_VOLUME]),
        (data.value, bars[bar.BUY_VALUE]),
    ]
    return _lines(columns, b",0")


def _path_klines(source: Source, start: int, end: int, path: mark_prices.Path) -> bytes:
    calendar, wanted, over = _bars_wanted(source, start, end)
    bars = mark_prices.path_bars(source.data, path, calendar, wanted, over)
    columns: list[BulkColumn] = [_moments(source, bars.opened)]
    texts = [b"", b","]
    for prices in bars.prices:
        columns += [texts_of(("", "-"), (prices < 0).astype(np.int64)), (_EIGHT, np.abs(prices))]
        texts += [b"", b","]
    columns += [_ends(source, bars.closed), (None, bars.samples)]
    texts[-1:] = [b",0,", b",0,", b",0,0,0"]
    return draw(texts, columns, b"\n").text


def _mark_price_klines(source: Source, start: int, end: int) -> bytes:
    return _path_klines(source, start, end, mark_prices.paths(source.market, source.data)[0])


def _index_price_klines(source: Source, start: int, end: int) -> bytes:
    return _path_klines(source, start, end, mark_prices.paths(source.market, source.data)[1])


def _premium_index_klines(source: Source, start: int, end: int) -> bytes:
    return _path_klines(source, start, end, mark_prices.paths(source.market, source.data)[2])


# ------------------------------------------------------------------------------------------- trades


def _traded(source: Source, start: int, end: int) -> Aggregates:
    tape = source.data.tape
    return tape.between(max(start, tape.listed_at), tape.now(end - 1))


def _agg_trades(source: Source, start: int, end: int) -> bytes:
    data, found = source.data, _traded(source, start, end)
    short = source.file.market == "futures"
    columns: list[BulkColumn] = [
        (None, found.id),
        shortest(data.price, found.price) if short else (data.price, found.price),
        shortest(data.quantity, found.quantity) if short else (data.quantity, found.quantity),
        (None, found.first_fill),
        (None, found.first_fill + found.fills - 1),
        _moments(source, found.time),
        _truths(source, (~found.taker_buys).astype(np.int64)),
    ]
    return _lines(columns, _best_match(source))


def _trades(source: Source, start: int, end: int) -> bytes:
    data, fills = source.data, split_fills(_traded(source, start, end))
    columns: list[BulkColumn] = [
        (None, fills.id),
        (data.price, fills.price),
        (data.quantity, fills.quantity),
        (data.value, data.worth(fills.price, fills.quantity)),
        _moments(source, fills.time),
        _truths(source, (~fills.taker_buys).astype(np.int64)),
    ]
    return _lines(columns, _best_match(source))


def _best_match(source: Source) -> bytes:
    """Spot has one column more, in which everything is true."""
    return b",True" if source.file.market == "spot" else b""


# ----------------------------------------------------------------------------- funding and metrics


def _funding_rate(source: Source, start: int, end: int) -> bytes:
    data = source.data
    first = max(start // mark_prices.FUNDING, data.tape.listed_at // mark_prices.FUNDING + 1)
    last = data.tape.now(end - 1) // mark_prices.FUNDING
    found = mark_prices.fundings(source.market, data, first, last)
    times = [(int(str(row["fundingTime"])), str(row["fundingRate"])) for row in found]
    lines = [f"{time},{mark_prices.FUNDING_HOURS},{rate}\n" for time, rate in times if start <= time < end]
    return "".join(lines).encode()


def _metrics(source: Source, start: int, end: int) -> bytes:
    """A row is labelled five minutes before its snapshots were taken; the ratio of takers is of what follows."""
    market, data, instrument = source.market, source.data, source.data.instrument
    first, last = max(start, data.tape.listed_at), data.tape.now(end - 1)
    labels = np.arange(-(-first // _FIVE_MINUTES), last // _FIVE_MINUTES + 1, dtype=np.int64) * _FIVE_MINUTES
    if not len(labels):
        return b""
    zeros = _METRIC_ZEROS[source.file.market]
    taken = (labels + _FIVE_MINUTES) // MINUTE
    amounts = futures_data.open_interest_at(market, data, taken)
    if instrument.contract_size:
        values = amounts * instrument.contract_size / market.prices.mid(instrument, taken)
        amounts = np.rint(amounts)
        # What crowds hold is told of pairs there, of all their contracts together.
        crowd = f"{instrument.pair} ALL"
    else:
        values, crowd = amounts * market.prices.mid(instrument, taken), instrument.symbol
    columns = [_padded([_EIGHT.rounded(value) for value in column.tolist()], zeros) for column in (amounts, values)]
    for operation in (
        "top_long_short_account_ratio",
        "top_long_short_position_ratio",
        "global_long_short_account_ratio",
    ):
        share = futures_data.crowd(market, f"{source.file.market}.{operation}", crowd, taken * MINUTE).tolist()
        columns.append(_padded([_FOUR.rounded(part / (1.0 - part)) for part in share], zeros + 4))
    bars = futures_data.bars_at(data, "5m", labels)
    sums = dict(zip(bars[bar.TIME].tolist(), bars[[bar.VOLUME, bar.BUY_VOLUME]].T.tolist(), strict=True))
    takers = [sums.get(label, (0, 0)) for label in labels.tolist()]
    columns.append(_padded([_FOUR.ratio(bought, total - bought) for total, bought in takers], zeros + 4))
    moments = np.datetime_as_string(labels.astype("datetime64[ms]"), unit="s").tolist()
    lines = zip(moments, *columns, strict=True)
    return "".join(
        f"{moment.replace('T', ' ')},{source.file.symbol},{','.join(cells)}\n" for moment, *cells in lines
    ).encode()


def _padded(texts: list[str], zeros: int) -> list[str]:
    return [text + "0" * zeros for text in texts]


_ROWS: Mapping[str, Callable[[Source, int, int], bytes]] = {
    "klines": _klines,
    "mark_price_klines": _mark_price_klines,
    "index_price_klines": _index_price_klines,
    "premium_index_klines": _premium_index_klines,
    "agg_trades": _agg_trades,
    "trades": _trades,
    "funding_rate": _funding_rate,
    "metrics": _metrics,
}
