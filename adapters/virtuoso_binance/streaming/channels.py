"""What can be subscribed to under Virtuoso's names, and its events in Virtuoso's words: pure but for making streams.

A message is ``{type, symbol, timestamp, data}``, with the types that Virtuoso's base class knows and one more for
liquidations. ``data`` is what ``fetch_market_data`` has for the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from binance_sdk import BinanceClient, futures, spot
from binance_sdk.arithmetic import EXACT
from binance_sdk.errors import ParameterError, shown
from binance_sdk.futures import KlineInterval
from binance_sdk.streams import Stream
from virtuoso_binance import convert, sentiment, tickers
from virtuoso_binance.errors import InvalidSymbolError
from virtuoso_binance.scalars import Row
from virtuoso_binance.symbols import Listed
from virtuoso_binance.timeframes import kline_interval

__all__ = ["CHANNELS", "LIQUIDATION", "Channel", "read_channels", "trade_stream"]

_LEVELS: Final = 20
"""Levels a side in an order book message, the most that a stream of whole books has."""

AggTrade: TypeAlias = spot.AggTradeEvent | futures.AggTradeEvent
Depth: TypeAlias = spot.PartialDepthEvent | futures.PartialDepthEvent
KlineEvent: TypeAlias = spot.KlineEvent | futures.KlineEvent
Message: TypeAlias = Callable[[Any, str, int], tuple[int, Row] | None]


@dataclass(frozen=True, slots=True)
class Channel:
    """Something to subscribe to.

    Args:
        type: ``type`` of its messages.
        stream: Makes the stream of a symbol.
        data: Time and data of an event, of this symbol, that came at this time; None where it says nothing.
    """

    type: str
    stream: Callable[[BinanceClient, Listed], Stream[Any]]
    data: Message

    def message(self, event: Any, symbol: str, now: int) -> Row | None:
        """What a callback is called with; None where the event says nothing.

        Args:
            event: An event of the stream.
            symbol: Whose it is.
            now: The time at the exchange, in milliseconds, for events that name none.
        """
        found = self.data(event, symbol, now)
        return None if found is None else {"type": self.type, "symbol": symbol, "timestamp": found[0], "data": found[1]}


# -------------------------------------------------------------------------------------- trades


def trade_stream(client: BinanceClient, listed: Listed) -> Stream[Any]:
    """All trades of a symbol."""
    if listed.market == "spot":
        return client.spot.streams.trade(listed.symbol)
    # Futures have no stream of single trades.
    return client.futures.streams.agg_trade(listed.symbol)


def _trade(event: spot.TradeEvent | futures.AggTradeEvent, symbol: str, now: int) -> tuple[int, Row]:
    number = event.trade_id if isinstance(event, spot.TradeEvent) else event.agg_id
    cost = float(EXACT.multiply(event.price, event.qty))
    row = convert.trade_row(
        str(number), symbol, float(event.price), float(event.qty), cost, event.trade_time, event.is_buyer_maker
    )
    return event.trade_time, row


# ------------------------------------------------------------------------------- order books


def _books(client: BinanceClient, listed: Listed) -> Stream[Any]:
    return (client.spot if listed.market == "spot" else client.futures).streams.partial_depth(
        listed.symbol, levels=_LEVELS
    )


def _book(event: Depth, symbol: str, now: int) -> tuple[int, Row]:
    row = convert.order_book(event, symbol, received=now)
    return row["timestamp"], row


# ------------------------------------------------------------------------------------ tickers


def _tickers(client: BinanceClient, listed: Listed) -> Stream[Any]:
    return (client.spot if listed.market == "spot" else client.futures).streams.ticker(listed.symbol)


def _ticker(event: spot.TickerEvent | futures.TickerEvent, symbol: str, now: int) -> tuple[int, Row] | None:
    row = tickers.ticker_row(event)
    return None if row is None else (row["timestamp"], row)


# ------------------------------------------------------------------------------------ candles


def _candles(interval: KlineInterval) -> Channel:
    def stream(client: BinanceClient, listed: Listed) -> Stream[Any]:
        return (client.spot if listed.market == "spot" else client.futures).streams.kline(
            listed.symbol, interval=interval
        )

    def data(event: KlineEvent, symbol: str, now: int) -> tuple[int, Row]:
        return now if event.event_time is None else event.event_time, convert.candle_row(event.kline, symbol, interval)

    return Channel("ohlcv", stream, data)


# ------------------------------------------------------------------------------- liquidations


def _liquidations(client: BinanceClient, listed: Listed) -> Stream[Any]:
    if listed.market != "usdm":
        raise InvalidSymbolError(listed.symbol, "liquidations are of perpetuals, and this is on spot alone")
    return client.futures.streams.force_order(listed.symbol)


def _liquidation(event: futures.ForceOrderEvent, symbol: str, now: int) -> tuple[int, Row] | None:
    row = sentiment.liquidation_row(event.order)
    return None if row is None else (row["timestamp"], row)


# ------------------------------------------------------------------------------------- the table

LIQUIDATION = Channel("liquidation", _liquidations, _liquidation)

CHANNELS: Mapping[str, Channel] = {
    "trade": Channel("trade", trade_stream, _trade),
    "orderbook": Channel("orderbook", _books, _book),
    "ticker": Channel("ticker", _tickers, _ticker),
    "ohlcv": _candles("1m"),
    "liquidation": LIQUIDATION,
}
"""By the type of their messages. ``ohlcv`` may be followed by a dot and a timeframe."""
_ALSO = {"trades": "trade", "liquidations": "liquidation", "kline": "ohlcv"}
"""Other names that Virtuoso has for the same things."""
_KNOWN = f"{', '.join(CHANNELS)}; ohlcv takes a timeframe, as ohlcv.5m"


def read_channels(channels: object) -> dict[str, Channel]:
    """The channels that a caller names, each once, by name.

    Args:
        channels: One name or several, e.g. ``["trade", "ohlcv.5m"]``.

    Raises:
        ParameterError: there are none, or one that does not exist.
    """
    given, items = channels, list[object]()
    if isinstance(given, str):
        items = [given]
    elif isinstance(given, Iterable) and not isinstance(given, bytes | Mapping):
        items = list(cast("Iterable[object]", given))
    if not items:
        text = f"channels={shown(channels)} must be a list of channels, as ['trade']; there are {_KNOWN}"
        raise ParameterError(text, parameter="channels", value=channels)
    found = (_read(item) for item in items)
    return dict(found)


def _read(item: object) -> tuple[str, Channel]:
    text = item.strip() if isinstance(item, str) else ""
    word, dot, timeframe = text.partition(".")
    name = _ALSO.get(word.lower(), word.lower())
    channel = CHANNELS.get(name)
    if channel is None or (dot and name != "ohlcv"):
        raise ParameterError(f"channel {shown(item)} is unknown; there are {_KNOWN}", parameter="channels", value=item)
    if name != "ohlcv":
        return name, channel
    interval = kline_interval(timeframe) if dot else "1m"
    return f"ohlcv.{interval}", _candles(interval)
