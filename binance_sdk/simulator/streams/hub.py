"""Who listens to what, and what is due: the streams of one market, driven by the clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from itertools import count
from typing import Protocol

from binance_sdk.simulator.faults.streams import StreamFault, StreamFaults
from binance_sdk.simulator.streams.coin_m import CARRIERS, with_coin_m
from binance_sdk.simulator.streams.feeds import Feed
from binance_sdk.simulator.streams.market_view import MarketView
from binance_sdk.simulator.streams.names import StreamName, read_name
from binance_sdk.simulator.streams.rest_feeds import feed_of


class Listener(Protocol):
    """A connection, as the hub sees it."""

    def takes(self, name: StreamName) -> bool:
        """Whether this stream can come over this connection."""
        ...

    def send_event(self, name: str, payload: bytes) -> None:
        """Send an event of a stream."""
        ...

    def suffer(self, fault: StreamFault, name: str, payload: bytes) -> None:
        """Meet a fault in place of an event."""
        ...


class Topic:
    """One stream that somebody listens to."""

    def __init__(self, name: str, operation: str, market: str, feed: Feed | None) -> None:
        self.name = name
        self.operation = operation
        self.feed = feed
        self.listeners: dict[Listener, None] = {}
        self.alive = True
        # What patterns of faults can name it by.
        self.known_as = (name, operation, market)


class Hub:
    """The streams of one market. Lives in one thread."""

    def __init__(self, view: MarketView, faults: StreamFaults) -> None:
        self._view = view
        self._faults = faults
        self._topics: dict[str, Topic] = {}
        self._due: list[tuple[int, int, Callable[[int], int | None]]] = []
        self._order = count()
        self._taken: set[str] = set()
        self._now = 0
        self.coin_m = False
        """Whether the streams of all contracts carry COIN-M rows too."""
        # The moment whose events are being sent; behind the clock while it is caught up with.
        self.moment = 0
        self.sent = 0

    # ------------------------------------------------------------------------------- listening

    def listen(self, listener: Listener, text: str, since: int) -> None:
        """Send a connection what a stream says after this moment: nothing where there is no such stream."""
        topic = self._topic(text, since)
        name = read_name(self._view.market.name, text)
        # A recording may hold streams that are not there any more; everything else has to exist.
        if topic is not None and (name is None or listener.takes(name)):
            topic.listeners[listener] = None

    def leave(self, listener: Listener, names: Iterable[str]) -> None:
        """Send these streams no longer to a connection."""
        for name in names:
            topic = self._topics.get(name)
            if topic is None:
                continue
            topic.listeners.pop(listener, None)
            if not topic.listeners:
                topic.alive = False
                del self._topics[name]

    def _topic(self, text: str, now: int) -> Topic | None:
        topic = self._topics.get(text)
        if topic is not None:
            return topic
        name = read_name(self._view.market.name, text)
        if name is None and text not in self._taken:
            return None
        operation = "" if name is None else f"{self._view.market.name}.{name.kind}"
        feed = None if name is None or text in self._taken else feed_of(self._view, name)
        topic = self._topics[text] = Topic(text, operation, self._view.market.name, feed)
        if feed is not None:
            self._plan(feed.next(now, now), self._turn_of(topic, feed))
        return topic

    def take(self, name: str) -> None:
        """Send nothing of the market's own on this stream: a recording or a flood does."""
        self._taken.add(name)
        topic = self._topics.get(name)
        if topic is not None:
            topic.feed = None

    def give_back(self, name: str, now: int) -> None:
        """The market's own events again."""
        self._taken.discard(name)
        topic, known = self._topics.get(name), read_name(self._view.market.name, name)
        if topic is not None and known is not None and topic.feed is None:
            feed = topic.feed = feed_of(self._view, known)
            self._plan(feed.next(now, now), self._turn_of(topic, feed))

    def listeners(self, name: str) -> list[Listener]:
        """Who gets this stream."""
        topic = self._topics.get(name)
        return [] if topic is None else list(topic.listeners)

    # ------------------------------------------------------------------------------------- time

    @property
    def next_due(self) -> int | None:
        """When there is something to do next, in milliseconds of the clock."""
        return self._due[0][0] if self._due else None

    def run(self, now: int) -> None:
        """Send everything that is due."""
        if now < self._now:
            # The clock went back: start anew from there. What was planned for the old feeds ends by itself.
            for text, topic in self._topics.items():
                name = read_name(self._view.market.name, text)
                if topic.feed is not None and name is not None:
                    topic.feed = feed_of(self._view, name)
                    self._plan(topic.feed.next(now, now), self._turn_of(topic, topic.feed))
        self._now = now
        while self._due and self._due[0][0] <= now:
            due, _, turn = heapq.heappop(self._due)
            self.moment = due
            again = turn(due)
            if again is not None:
                self._plan(again, turn)
        self.moment = now

    def later(self, due: int, action: Callable[[], None]) -> None:
        """Do something when the clock gets there."""

        def turn(_: int) -> None:
            action()

        self._plan(due, turn)

    def _plan(self, due: int, turn: Callable[[int], int | None]) -> None:
        heapq.heappush(self._due, (due, next(self._order), turn))

    def _turn_of(self, topic: Topic, feed: Feed) -> Callable[[int], int | None]:
        def turn(due: int) -> int | None:
            if not topic.alive or topic.feed is not feed:
                return None
            for payload in feed.at(due):
                for one in with_coin_m(payload) if self.coin_m and topic.operation in CARRIERS else (payload,):
                    self._send(topic, one)
            return feed.next(due, self._now)

        return turn

    # ---------------------------------------------------------------------------------- sending

    def publish(self, name: str, payload: bytes) -> int:
        """Send an event of somebody else's making; the number of connections that got it."""
        topic = self._topics.get(name)
        if topic is None:
            return 0
        self._send(topic, payload)
        return len(topic.listeners)

    def _send(self, topic: Topic, payload: bytes) -> None:
        armed = self._faults.armed
        for listener in list(topic.listeners):
            fault = self._faults.draw(topic.known_as) if armed else None
            if fault is None:
                self.sent += 1
                listener.send_event(topic.name, payload)
            else:
                listener.suffer(fault, topic.name, payload)

    def next_trade_id(self, symbol: str, now: int) -> int:
        """Id of the next aggregate trade, 0 for an unknown symbol."""
        data = self._view.live(symbol, now)
        return 0 if data is None else data.tape.count(now)
