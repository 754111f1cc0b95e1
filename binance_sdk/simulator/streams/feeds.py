"""When a stream has something to say, and what: each feed is a function of time over one market."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from binance_sdk.simulator.market import candles as bar
from binance_sdk.simulator.market.candles import DAY, BarRange, Calendar
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.simulated_market import SymbolData
from binance_sdk.simulator.market.tape import Aggregates, split_fills
from binance_sdk.simulator.streams.book_changes import levels
from binance_sdk.simulator.streams.market_view import MarketView, next_trade
from binance_sdk.simulator.streams.names import StreamName

LEAP = 120
"""Periods that are sent one by one after a leap of the clock; of a longer leap only the last ones are."""
_TOP_PERIOD = 100


class Feed(Protocol):
    """Events of one stream."""

    def next(self, after: int, now: int) -> int:
        """When to ask next: the first moment after ``after`` at which there may be an event."""
        ...

    def at(self, due: int) -> Iterable[bytes]:
        """The events of that moment. Asked in ascending order of time."""
        ...


class Periodic:
    """Something that is sent at fixed times."""

    def __init__(self, period: int, render: Callable[[int], Iterable[bytes]]) -> None:
        self._period = period
        self._render = render

    def next(self, after: int, now: int) -> int:
        return grid(after, now, self._period)

    def at(self, due: int) -> Iterable[bytes]:
        return self._render(due)


def grid(after: int, now: int, period: int) -> int:
    """The next multiple of the period, not too far back."""
    due = (after // period + 1) * period
    return due if now - due <= LEAP * period else (now // period - LEAP + 1) * period


class Trades:
    """Trades of the tape, one by one (``aggregate`` False) or by taker order."""

    def __init__(self, view: MarketView, name: StreamName, *, aggregate: bool) -> None:
        self._view = view
        self._symbol = name.symbol
        self._aggregate = aggregate

    def next(self, after: int, now: int) -> int:
        data = self._view.live(self._symbol, after)
        time = None if data is None else next_trade(data.tape, after)
        # Nothing in sight: look again later.
        return (after // MINUTE + 1) * MINUTE if time is None else time

    def at(self, due: int) -> Iterable[bytes]:
        data = self._view.live(self._symbol, due)
        if data is None:
            return []
        found = data.tape.between(due, due)
        if not len(found):
            return []
        return (_orders if self._aggregate else _fills)(data, found, due)


def symbol_type(data: SymbolData) -> str:
    """The end of an event: to which of two markets with common streams it belongs, where there are two."""
    return f',"st":{data.rules.symbol_type}}}' if data.rules.symbol_type else "}"


def _orders(data: SymbolData, found: Aggregates, due: int) -> list[bytes]:
    end, rendered = _end_of_trade(data), list[bytes]()
    for row in range(len(found)):
        quantity = int(found.quantity[row])
        normal = ""
        if data.rules.trade_mark == "retail":
            normal = f'"nq":"{data.quantity.text(0 if found.retail[row] else quantity)}",'
        rendered.append(
            (
                f'{{"e":"aggTrade","E":{due},"s":"{data.instrument.symbol}","a":{found.id[row]},'
                f'"p":"{data.price.text(int(found.price[row]))}","q":"{data.quantity.text(quantity)}",'
                f'{normal}"f":{found.first_fill[row]},"l":{found.first_fill[row] + found.fills[row] - 1},'
                f'"T":{found.time[row]},"m":{_boolean(not found.taker_buys[row])}{end}'
            ).encode()
        )
    return rendered


def _end_of_trade(data: SymbolData) -> str:
    return (',"M":true' if data.rules.trade_mark == "best_match" else "") + symbol_type(data)


def _fills(data: SymbolData, found: Aggregates, due: int) -> list[bytes]:
    fills, end = split_fills(found), _end_of_trade(data)
    return [
        (
            f'{{"e":"trade","E":{due},"s":"{data.instrument.symbol}","t":{fills.id[row]},'
            f'"p":"{data.price.text(int(fills.price[row]))}","q":"{data.quantity.text(int(fills.quantity[row]))}",'
            f'"T":{fills.time[row]},"m":{_boolean(not fills.taker_buys[row])}{end}'
        ).encode()
        for row in range(len(fills.id))
    ]


def _boolean(value: object) -> str:
    return "true" if value else "false"


class BookTicker:
    """The top of the book, whenever it changes."""

    def __init__(self, view: MarketView, name: StreamName) -> None:
        self._view = view
        self._symbol = name.symbol
        self._last = ""

    def next(self, after: int, now: int) -> int:
        due = grid(after, now, _TOP_PERIOD)
        data = self._view.live(self._symbol, after)
        trade = None if data is None else next_trade(data.tape, after)
        return due if trade is None or now - after > LEAP * _TOP_PERIOD else min(due, trade)

    def at(self, due: int) -> Iterable[bytes]:
        data = self._view.live(self._symbol, due)
        if data is None:
            return []
        update_id, changed, best = top(data, due)
        if best == self._last:
            return []
        self._last = best
        return [book_ticker(data, update_id, changed, best, due)]


def top(data: SymbolData, at: int) -> tuple[int, int, str]:
    """Update id, time of the last change, and the best levels as JSON."""
    book = data.book.at(at, 1)
    best = ",".join(
        f'"{low}":"{data.price.text(int(side.price[0]))}","{high}":"{data.quantity.text(int(side.quantity[0]))}"'
        for low, high, side in (("b", "B", book.bids), ("a", "A", book.asks))
    )
    return book.update_id, book.changed, best


def book_ticker(data: SymbolData, update_id: int, changed: int, best: str, at: int) -> bytes:
    """An event of the top of the book."""
    instrument = data.instrument
    if not data.rules.contracts:
        return f'{{"u":{update_id},"s":"{instrument.symbol}",{best}}}'.encode()
    return (
        f'{{"e":"bookTicker","u":{update_id},"s":"{instrument.symbol}","ps":"{instrument.pair}",{best},'
        f'"T":{changed},"E":{at}{symbol_type(data)}'
    ).encode()


class Depth:
    """Changes of the book, or its best levels, at fixed times."""

    def __init__(self, view: MarketView, name: StreamName) -> None:
        self._period = int(name.choices.get("speed", "250" if view.market.rules.contracts else "1000"))
        self._levels = int(name.choices.get("levels", "0"))
        self._view = view
        self._symbol = name.symbol
        self._previous = 0

    def next(self, after: int, now: int) -> int:
        return grid(after, now, self._period)

    def at(self, due: int) -> Iterable[bytes]:
        data = self._view.live(self._symbol, due)
        if data is None:
            return []
        # Without an event before this one, it covers one period; after a leap of the clock, all of it.
        previous = self._previous or due - self._period
        self._previous = due
        first, last = data.book.update_id(previous), data.book.update_id(due)
        if self._levels:
            book = data.book.at(due, self._levels)
            sides = [(side.price, side.quantity) for side in (book.bids, book.asks)]
        else:
            change = self._view.changes(data, previous).between(previous, due)
            sides = [change.bids, change.asks]
        bids, asks = (levels(*side, data.price, data.quantity) for side in sides)
        instrument = data.instrument
        if not data.rules.contracts and self._levels:
            return [f'{{"lastUpdateId":{last},"bids":{bids},"asks":{asks}}}'.encode()]
        if not data.rules.contracts:
            head = f'"s":"{instrument.symbol}","U":{first + 1},"u":{last}'
            return [f'{{"e":"depthUpdate","E":{due},{head},"b":{bids},"a":{asks}}}'.encode()]
        # The ids in between went to other symbols: only ``pu`` shows that nothing is missing.
        names = f'"s":"{instrument.symbol}","ps":"{instrument.pair}"'
        head = f'{names},"U":{first + data.rules.ids_per_ms - 1},"u":{last},"pu":{first}'
        tail = f'"b":{bids},"a":{asks}{symbol_type(data)}'
        return [f'{{"e":"depthUpdate","E":{due},"T":{due},{head},{tail}'.encode()]


def next_look_at_a_bar(calendar: Calendar, period: int, after: int, now: int) -> int:
    """The next multiple of the period; after a leap of the clock only moments at which bars end, until it is over."""
    if now - after <= LEAP * period:
        return (after // period + 1) * period
    # A leap leaves out what bars looked like on their way, never how they ended.
    closing = int(calendar.opens(calendar.number(after) + 1, 1)[0])
    return closing if now - closing > LEAP * period else min(closing, grid(after, now, period))


class Klines:
    """The bar that is running, at fixed times; and each bar once more when it is closed."""

    def __init__(self, view: MarketView, name: StreamName) -> None:
        self._view = view
        self._name = name
        self._calendar = Calendar(name.choices["interval"], DAY // 3 if name.kind == "kline_utc8" else 0)
        spot_period = 1_000 if self._calendar.interval == "1s" else 2_000
        self._period = 250 if view.market.rules.contracts else spot_period
        # The text of the bar stays the same until the next trade or bar.
        self._bar_text = ""
        self._valid_until = 0

    def next(self, after: int, now: int) -> int:
        return next_look_at_a_bar(self._calendar, self._period, after, now)

    def at(self, due: int) -> Iterable[bytes]:
        data = self._data(due)
        if data is None or due <= data.tape.first_time:
            return []
        number = self._calendar.number(due)
        opened, closing = self._calendar.opens(number, 2).tolist()
        if opened == due:
            # The very moment at which the next one opens.
            self._valid_until = 0
            return [self._event(due, self._bar(data, int(self._calendar.opens(number - 1, 1)[0]), due, due - 1))]
        if due >= self._valid_until:
            self._bar_text = self._bar(data, opened, closing, due)
            trade = next_trade(data.tape, due)
            self._valid_until = min(closing, due + MINUTE if trade is None else trade)
        return [self._event(due, self._bar_text)]

    def _data(self, due: int) -> SymbolData | None:
        kind = self._name.choices.get("contract")
        if kind is None:
            return self._view.live(self._name.symbol, due)
        self._view.market.open(due)
        found = self._view.market.contract(self._name.symbol, kind.upper())
        return None if found is None else self._view.live(found.instrument.symbol, due)

    def _event(self, due: int, bar_text: str) -> bytes:
        kind = self._name.choices.get("contract")
        if kind is None:
            return f'{{"e":"kline","E":{due},"s":"{self._name.symbol}","k":{bar_text}}}'.encode()
        head = f'"ps":"{self._name.symbol}","ct":"{kind.upper()}"'
        return f'{{"e":"continuous_kline","E":{due},{head},"k":{bar_text}}}'.encode()

    def _bar(self, data: SymbolData, opened: int, closing: int, now: int) -> str:
        bars, _ = data.candles.read(self._calendar, BarRange(opened, opened, 1), now)
        row = bars[:, 0].tolist()
        price, quantity, value = data.formats
        count = row[bar.COUNT]
        last = data.tape.fill_count(data.tape.now(now)) - 1
        ids = (last - count + 1, last) if count else (-1, -1)
        symbol = "" if "contract" in self._name.choices else f'"s":"{data.instrument.symbol}",'
        return (
            f'{{"t":{opened},"T":{closing - 1},{symbol}"i":"{self._calendar.interval}","f":{ids[0]},"L":{ids[1]},'
            f'"o":"{price.text(row[bar.OPEN])}","c":"{price.text(row[bar.CLOSE])}",'
            f'"h":"{price.text(row[bar.HIGH])}","l":"{price.text(row[bar.LOW])}",'
            f'"v":"{quantity.text(row[bar.VOLUME])}","n":{count},"x":{_boolean(now == closing - 1)},'
            f'"q":"{value.text(row[bar.VALUE])}","V":"{quantity.text(row[bar.BUY_VOLUME])}",'
            f'"Q":"{value.text(row[bar.BUY_VALUE])}","B":"0"}}'
        )
