"""Feeds that say what REST answers at that moment, in the words of the stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import numpy as np

from binance_sdk.simulator.json_text import json_text
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.randomness import bits, hashed, key
from binance_sdk.simulator.streams.feeds import Feed, Periodic, book_ticker, top
from binance_sdk.simulator.streams.market_view import MarketView
from binance_sdk.simulator.streams.names import StreamName

_SECOND = 1_000
_BLOCK_EVERY = 360 * MINUTE
_LIQUIDATED = 3
"""One order in two to the power of this many is a liquidation."""
_SENT_AGAIN_AFTER = 3 * _SECOND
_NEVER_DELIVERED = 4133404800000
"""ExchangeApp time of a perpetual."""

MINI = {
    "c": "lastPrice",
    "o": "openPrice",
    "h": "highPrice",
    "l": "lowPrice",
    "v": "volume",
    "q": "quoteVolume",
}
_ROLLING = {
    "p": "priceChange",
    "P": "priceChangePercent",
    "w": "weightedAvgPrice",
    **MINI,
    "O": "openTime",
    "C": "closeTime",
    "F": "firstId",
    "L": "lastId",
    "n": "count",
}
TICKER = {**_ROLLING, "Q": "lastQty"}
SPOT_TICKER = {**TICKER, "x": "prevClosePrice", "b": "bidPrice", "B": "bidQty", "a": "askPrice", "A": "askQty"}
# The average of a few seconds is the price itself, as the path is a straight line within a minute.
_AVERAGE = {"ap": "markPrice"}
_MARK = {
    "p": "markPrice",
    "i": "indexPrice",
    "P": "estimatedSettlePrice",
    "r": "lastFundingRate",
    "T": "nextFundingTime",
}
_ASSET = {
    "i": "index",
    "b": "bidBuffer",
    "a": "askBuffer",
    "B": "bidRate",
    "A": "askRate",
    "q": "autoExchangeBidBuffer",
    "g": "autoExchangeAskBuffer",
    "Q": "autoExchangeBidRate",
    "G": "autoExchangeAskRate",
}
_TRADIFI = "TRADIFI_PERPETUAL"


class Tickers:
    """A ticker of one symbol, or of all symbols that traded since the last time."""

    def __init__(
        self, view: MarketView, name: StreamName, *, keys: Mapping[str, str], kind: str, operation: str, query: str = ""
    ) -> None:
        self._view = view
        self._symbol = name.symbol
        self._keys = keys
        self._kind = kind
        self._operation = operation
        self._query = query
        self._sent: dict[str, tuple[int | None, int]] = {}

    def __call__(self, due: int) -> Iterable[bytes]:
        if self._symbol:
            event = self._event(self._symbol, due)
            return [] if event is None else [json_text(event)]
        changed = [instrument.symbol for instrument in self._view.traded(due) if self._changed(instrument.symbol, due)]
        events = [event for symbol in changed if (event := self._event(symbol, due)) is not None]
        return [json_text(events)] if events else []

    def _changed(self, symbol: str, due: int) -> bool:
        data = self._view.live(symbol, due)
        count = None if data is None else data.tape.count(due)
        before, sent_at = self._sent.get(symbol, (None, 0))
        # Without a trade the window moves on all the same, and drops old ones.
        changed = count is not None and (before != count or due - sent_at >= _SENT_AGAIN_AFTER)
        if changed:
            self._sent[symbol] = (count, due)
        return changed

    def _event(self, symbol: str, due: int) -> dict[str, Any] | None:
        answer = self._view.ask(self._operation, due, f"symbol={quote(symbol)}{self._query}")
        if answer is None:
            return None
        event = {"e": self._kind, "E": due, "s": symbol, **{short: answer[long] for short, long in self._keys.items()}}
        return event | self._view.belongs(symbol, due)


def ticker(keys: Mapping[str, str], kind: str, period: int) -> Callable[[MarketView, StreamName], Feed]:
    def make(view: MarketView, name: StreamName) -> Feed:
        return Periodic(period, Tickers(view, name, keys=keys, kind=kind, operation="ticker_24hr"))

    return make


def rolling(view: MarketView, name: StreamName) -> Feed:
    window = name.choices["window"]
    query = f"&windowSize={window}"
    tickers = Tickers(view, name, keys=_ROLLING, kind=f"{window}Ticker", operation="ticker", query=query)
    return Periodic(_SECOND, tickers)


def avg_price(view: MarketView, name: StreamName) -> Feed:
    def render(due: int) -> Iterable[bytes]:
        answer = view.ask("avg_price", due, f"symbol={quote(name.symbol)}")
        if answer is None:
            return []
        event = {"e": "avgPrice", "E": due, "s": name.symbol, "i": f"{answer['mins']}m"}
        return [json_text({**event, "w": answer["price"], "T": answer["closeTime"]})]

    return Periodic(_SECOND, render)


def reference_price(view: MarketView, name: StreamName) -> Feed:
    def render(due: int) -> Iterable[bytes]:
        answer = view.ask("reference_price", due, f"symbol={quote(name.symbol)}")
        if answer is None:
            return []
        event = {"e": "referencePrice", "s": name.symbol, "r": answer["referencePrice"], "t": answer["timestamp"]}
        return [json_text(event)]

    return Periodic(_SECOND, render)


def block_trade(view: MarketView, name: StreamName) -> Feed:
    def render(due: int) -> Iterable[bytes]:
        data = view.live(name.symbol, due)
        if data is None:
            return []
        number = (due - data.tape.listed_at) // _BLOCK_EVERY - 1
        rows = view.ask_all("historical_block_trades", due, f"symbol={quote(name.symbol)}&fromId={number}&limit=1")
        return [
            json_text(
                {
                    "e": "blockTrade",
                    "E": due,
                    "s": name.symbol,
                    "t": row["id"],
                    "p": row["price"],
                    "q": row["qty"],
                    "T": row["time"],
                    "m": row["isBuyerMaker"],
                }
            )
            for row in rows
        ]

    return Periodic(_BLOCK_EVERY, render)


def mark_price_event(view: MarketView, symbol: str, due: int) -> dict[str, Any] | None:
    """The mark price of a contract; None where it is not listed."""
    answer = view.ask("premium_index", due, f"symbol={quote(symbol)}")
    if answer is None:
        return None
    keys = _MARK | _AVERAGE if view.market.rules.average_mark_price else _MARK
    values = {short: answer[long] for short, long in keys.items()}
    return {"e": "markPriceUpdate", "E": due, "s": symbol, **values, "st": view.market.rules.symbol_type}


def mark_price(view: MarketView, name: StreamName) -> Feed:
    def event(symbol: str, due: int) -> dict[str, Any] | None:
        return mark_price_event(view, symbol, due)

    def render(due: int) -> Iterable[bytes]:
        if name.symbol:
            single = event(name.symbol, due)
            return [] if single is None else [json_text(single)]
        listed = view.traded(due)
        # Contracts on stocks and metals come in a message of their own.
        groups = [
            [instrument.symbol for instrument in listed if (instrument.contract_type == _TRADIFI) == apart]
            for apart in (False, True)
        ]
        return [json_text([found for symbol in group if (found := event(symbol, due))]) for group in groups if group]

    return Periodic(_SECOND if "seconds" in name.choices else 3 * _SECOND, render)


def all_book_tickers(view: MarketView, name: StreamName) -> Feed:
    def render(due: int) -> Iterable[bytes]:
        for instrument in view.traded(due):
            data = view.live(instrument.symbol, due)
            if data is not None:
                yield book_ticker(data, *top(data, due), due)

    return Periodic(5 * _SECOND, render)


class Liquidations:
    """Some orders on the tape count as liquidations; of each symbol the last one in a second is sent."""

    def __init__(self, view: MarketView, name: StreamName, *, pair_in_order: bool) -> None:
        self._view = view
        self._symbol = name.symbol
        self._pair_in_order = pair_in_order

    def __call__(self, due: int) -> Iterable[bytes]:
        symbols = [self._symbol] if self._symbol else [instrument.symbol for instrument in self._view.traded(due)]
        for symbol in symbols:
            yield from self._orders(symbol, due)

    def _orders(self, symbol: str, due: int) -> Iterable[bytes]:
        data = self._view.live(symbol, due)
        if data is None:
            return
        found = data.tape.between(due - _SECOND + 1, due)
        drawn = bits(hashed(key(self._view.market.seed, symbol, "liquidation"), found.id), 0, _LIQUIDATED)
        for row in np.flatnonzero(drawn == 0)[-1:].tolist():
            quantity = data.quantity.text(int(found.quantity[row]))
            price = data.price.text(int(found.price[row]))
            order: dict[str, Any] = {
                "s": symbol,
                "S": "BUY" if found.taker_buys[row] else "SELL",
                "o": "LIMIT",
                "f": "IOC",
                "q": quantity,
                "p": price,
                "ap": price,
                "X": "FILLED",
                "l": quantity,
                "z": quantity,
                "T": int(found.time[row]),
            }
            more = self._view.belongs(symbol, due)
            if self._pair_in_order:
                order["ps"] = more.pop("ps")
            elif self._symbol:
                more = {}
            yield json_text({"e": "forceOrder", "E": due, "o": order, **more})


def force_order(view: MarketView, name: StreamName, *, pair_in_order: bool = False) -> Feed:
    """Without the pair in the order, only the stream of all contracts says pair and market."""
    return Periodic(_SECOND, Liquidations(view, name, pair_in_order=pair_in_order))


def composite_index(view: MarketView, name: StreamName) -> Feed:
    def render(due: int) -> Iterable[bytes]:
        query = f"symbol={quote(name.symbol)}"
        infos, mark = view.ask_all("index_info", due, query), view.ask("premium_index", due, query)
        if not infos or mark is None:
            return []
        info = infos[0]
        parts = [
            {
                "b": part["baseAsset"],
                "q": part["quoteAsset"],
                "w": part["weightInQuantity"],
                "W": part["weightInPercentage"],
                "i": _index_of(view, part["baseAsset"] + part["quoteAsset"], due),
            }
            for part in info["baseAssetList"]
        ]
        event = {"e": "compositeIndex", "E": due, "s": name.symbol, "p": mark["indexPrice"]}
        return [json_text({**event, "C": info["component"], "c": parts})]

    return Periodic(_SECOND, render)


def _index_of(view: MarketView, symbol: str, due: int) -> str:
    answer = view.ask("premium_index", due, f"symbol={quote(symbol)}")
    return "0.00000000" if answer is None else str(answer["indexPrice"])


class ContractChanges:
    """Contracts that were listed, or whose status changed, since the last look."""

    def __init__(self, view: MarketView) -> None:
        self._view = view
        self._known: dict[str, str] | None = None

    def __call__(self, due: int) -> Iterable[bytes]:
        self._view.market.open(due)
        now = {instrument.symbol: instrument for instrument in self._view.market.table.instruments}
        known = self._known
        self._known = {symbol: instrument.status for symbol, instrument in now.items()}
        for symbol, instrument in now.items():
            if known is not None and known.get(symbol) != instrument.status:
                data = self._view.symbol_data(symbol, due)
                event = {
                    "e": "contractInfo",
                    "E": due,
                    "s": symbol,
                    "ct": instrument.contract_type,
                }
                listed = due if data is None else data.tape.listed_at
                event |= {"dt": instrument.delivers_at or _NEVER_DELIVERED, "ot": listed, "cs": instrument.status}
                yield json_text(event | self._view.belongs(symbol, due))


def contract_info(view: MarketView, name: StreamName) -> Feed:
    return Periodic(_SECOND, ContractChanges(view))


def asset_index(view: MarketView, name: StreamName) -> Feed:
    def render(due: int) -> Iterable[bytes]:
        if name.symbol:
            single = view.ask("asset_index", due, f"symbol={quote(name.symbol)}")
            rows = [] if single is None else [single]
        else:
            rows = view.ask_all("asset_index", due)
        events: list[Any] = [
            {
                "e": "assetIndexUpdate",
                "E": due,
                "s": row["symbol"],
                **{short: row[long] for short, long in _ASSET.items()},
            }
            for row in rows
        ]
        return [json_text(events[0] if name.symbol else events)] if events else []

    return Periodic(_SECOND, render)


def trading_session(view: MarketView, name: StreamName) -> Feed:
    def render(due: int) -> Iterable[bytes]:
        answer = view.ask("trading_schedule", due)
        schedules: dict[str, Any] = {} if answer is None else answer["marketSchedules"]
        for market, schedule in schedules.items():
            for session in schedule["sessions"]:
                if session["startTime"] <= due < session["endTime"]:
                    kind = "".join(_word(part) for part in market.split("_")) + "Update"
                    times = {"t": session["startTime"], "T": session["endTime"]}
                    yield json_text({"e": kind, "E": due, **times, "S": session["type"]})

    return Periodic(_SECOND, render)


def _word(part: str) -> str:
    return part.title() if len(part) > 2 else f"{part}_"
