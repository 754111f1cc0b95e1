"""What the name of a stream says: its kind, its symbol and its choices. Written by hand from Binance's pages.

The generated stream operations are not asked: a wrong pattern there must not be wrong on both sides. Only of a stream
that has no line here the name is what the spec says, so that a stream of tomorrow is served before somebody wrote its
line; ``Simulator.from_spec`` tells which those are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from binance_sdk.catalogue import MARKETS
from binance_sdk.simulator.market.symbols import Market

if TYPE_CHECKING:
    from binance_sdk.catalogue import StreamOperation

_SYMBOL = r"(?P<symbol>[^@!]+)"
_MINUTES = "1m|3m|5m|15m|30m|1h|2h|4h|6h|8h|12h|1d|3d|1w|1M"
_INTERVAL = f"(?P<interval>{_MINUTES})"
_INTERVAL_1S = f"(?P<interval>1s|{_MINUTES})"
_WINDOW = "(?P<window>1h|4h|1d)"
_LEVELS = "(?P<levels>5|10|20)"
_CONTRACT = "(?P<contract>perpetual|current_quarter|next_quarter|tradifi_perpetual)"

_SPOT = {
    "agg_trade": f"{_SYMBOL}@aggTrade",
    "trade": f"{_SYMBOL}@trade",
    "block_trade": f"{_SYMBOL}@blockTrade",
    "kline": f"{_SYMBOL}@kline_{_INTERVAL_1S}",
    "kline_utc8": rf"{_SYMBOL}@kline_{_INTERVAL_1S}@\+08:00",
    "mini_ticker": f"{_SYMBOL}@miniTicker",
    "all_mini_tickers": "!miniTicker@arr",
    "ticker": f"{_SYMBOL}@ticker",
    "rolling_ticker": f"{_SYMBOL}@ticker_{_WINDOW}",
    "all_rolling_tickers": f"!ticker_{_WINDOW}@arr",
    "book_ticker": f"{_SYMBOL}@bookTicker",
    "avg_price": f"{_SYMBOL}@avgPrice",
    "reference_price": f"{_SYMBOL}@referencePrice",
    "partial_depth": f"{_SYMBOL}@depth{_LEVELS}(?:@(?P<speed>100)ms)?",
    "diff_depth": f"{_SYMBOL}@depth(?:@(?P<speed>100)ms)?",
}
_FUTURES_PUBLIC = {
    "book_ticker": f"{_SYMBOL}@bookTicker",
    "all_book_tickers": "!bookTicker",
    # A period of 250 ms is what the bare name means; spelled out it is acknowledged and silent.
    "partial_depth": f"{_SYMBOL}@depth{_LEVELS}(?:@(?P<speed>500|100)ms)?",
    "diff_depth": f"{_SYMBOL}@depth(?:@(?P<speed>500|100)ms)?",
    "rpi_diff_depth": f"{_SYMBOL}@rpiDepth@(?P<speed>500)ms",
}
_FUTURES_MARKET = {
    "agg_trade": f"{_SYMBOL}@aggTrade",
    "mark_price": f"{_SYMBOL}@markPrice(?:@(?P<seconds>1)s)?",
    "all_mark_prices": "!markPrice@arr(?:@(?P<seconds>1)s)?",
    "kline": f"{_SYMBOL}@kline_{_INTERVAL}",
    "continuous_kline": f"(?P<symbol>[^@!_]+)_{_CONTRACT}@continuousKline_{_INTERVAL_1S}",
    "mini_ticker": f"{_SYMBOL}@miniTicker",
    "all_mini_tickers": "!miniTicker@arr",
    "ticker": f"{_SYMBOL}@ticker",
    "all_tickers": "!ticker@arr",
    "force_order": f"{_SYMBOL}@forceOrder",
    "all_force_orders": "!forceOrder@arr",
    "composite_index": f"{_SYMBOL}@compositeIndex",
    "contract_info": "!contractInfo",
    "asset_index": f"{_SYMBOL}@assetIndex",
    "all_asset_indexes": "!assetIndex@arr",
    "trading_session": "tradingSession",
}


_PAIR = r"(?P<symbol>[^@!_]+)"
_COIN_CONTRACT = r"(?P<symbol>[^@!_]+_[^@!]+)"
_COIN_FUTURES = {
    "agg_trade": f"{_COIN_CONTRACT}@aggTrade",
    "index_price": f"{_PAIR}@indexPrice(?:@(?P<seconds>1)s)?",
    "mark_price": f"{_COIN_CONTRACT}@markPrice(?:@(?P<seconds>1)s)?",
    "mark_price_of_pair": f"{_PAIR}@markPrice(?:@(?P<seconds>1)s)?",
    "all_mark_prices": "!markPrice@arr(?:@(?P<seconds>1)s)?",
    "kline": f"{_COIN_CONTRACT}@kline_{_INTERVAL}",
    "continuous_kline": f"{_PAIR}_(?P<contract>perpetual|current_quarter|next_quarter)@continuousKline_{_INTERVAL}",
    "index_price_kline": f"{_PAIR}@indexPriceKline_{_INTERVAL}",
    "mark_price_kline": f"{_COIN_CONTRACT}@markPriceKline_{_INTERVAL}",
    "mini_ticker": f"{_COIN_CONTRACT}@miniTicker",
    "all_mini_tickers": "!miniTicker@arr",
    "ticker": f"{_COIN_CONTRACT}@ticker",
    "all_tickers": "!ticker@arr",
    "book_ticker": f"{_COIN_CONTRACT}@bookTicker",
    "all_book_tickers": "!bookTicker",
    "force_order": f"{_COIN_CONTRACT}@forceOrder",
    "all_force_orders": "!forceOrder@arr",
    "contract_info": "!contractInfo",
    "partial_depth": f"{_COIN_CONTRACT}@depth{_LEVELS}(?:@(?P<speed>500|100)ms)?",
    "diff_depth": f"{_COIN_CONTRACT}@depth(?:@(?P<speed>500|100)ms)?",
}


Kinds = list[tuple[str, str, re.Pattern[str]]]
"""Route, kind and names of streams."""


def _kinds(**routes: Mapping[str, str]) -> Kinds:
    return [(route, kind, re.compile(text)) for route, kinds in routes.items() for kind, text in kinds.items()]


_KINDS: Mapping[str, Kinds] = {
    "spot": _kinds(**{"": _SPOT}),
    "futures": _kinds(public=_FUTURES_PUBLIC, market=_FUTURES_MARKET),
    "coin_futures": _kinds(**{"": _COIN_FUTURES}),
}


def names_from_spec() -> tuple[str, ...]:
    """Ids of the streams whose name stands in no table written by hand."""
    return tuple(sorted(f"{market}.{kind}" for market in MARKETS for _, kind, _ in _kinds_of_spec(market)))


@cache
def _kinds_of_spec(market: Market) -> Kinds:
    # Imported when the first unknown name is met: the events of all streams come with it.
    from binance_sdk.catalogue import STREAMS

    written = {kind for _, kind, _ in _KINDS.get(market, [])}
    unwritten = [stream for stream in STREAMS if stream.market == market and stream.name not in written]
    return [(stream.route, stream.name, _pattern(stream)) for stream in unwritten]


def _pattern(operation: StreamOperation[object]) -> re.Pattern[str]:
    pattern = re.escape(operation.pattern)
    for parameter in operation.parameters:
        texts = "|".join(map(re.escape, parameter.texts.values()))
        form = parameter.symbol_form
        # Of a contract and of its pair the rest of the name may be the same.
        symbol = _SYMBOL if form is None else f"(?P<symbol>(?i:{form.pattern}))"
        part = f"(?P<{parameter.name}>{texts})" if parameter.kind == "choice" else symbol
        pattern = pattern.replace(re.escape(f"{{{parameter.name}}}"), part)
    return re.compile(pattern)


@dataclass(frozen=True, slots=True)
class StreamName:
    """A name that the exchange knows.

    Attributes:
        text: The name itself.
        market: Whose.
        kind: Name of the stream's operation, e.g. ``agg_trade``.
        route: First part of the path of its connections, e.g. ``public``; empty where its market has no routes.
        symbol: In upper case, as REST has it; empty where the stream is about all symbols.
        choices: The other parts by name: ``interval``, ``window``, ``levels``, ``speed``, ``seconds``, ``contract``;
            of a stream that only the spec knows, its parameters.
    """

    text: str
    market: Market
    kind: str
    route: str
    symbol: str
    choices: Mapping[str, str]


@lru_cache(maxsize=8192)
def read_name(market: Market, text: str) -> StreamName | None:
    """The stream of this name; None where there is no such stream, as with a symbol in upper case."""
    return _read(market, text, _KINDS.get(market, [])) or _read(market, text, _kinds_of_spec(market))


def _read(market: Market, text: str, kinds: Kinds) -> StreamName | None:
    for route, kind, pattern in kinds:
        match = pattern.fullmatch(text)
        if match is not None:
            parts = {name: part for name, part in match.groupdict().items() if part is not None}
            symbol = parts.pop("symbol", "")
            if symbol != symbol.lower():
                return None
            return StreamName(text, market, kind, route, symbol.upper(), parts)
    return None
