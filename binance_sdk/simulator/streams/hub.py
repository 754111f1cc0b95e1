"""Which connections have subscribed to which streams, and which events are due: one market, driven by the clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from itertools import count
from typing import Protocol

from binance_sdk.simulator.faults.streams import StreamFault, StreamFaults
from binance_sdk.simulator.streams.feed_table import feed_of
from binance_sdk.simulator.streams.feeds import Feed
from binance_sdk.simulator.streams.market_view import MarketView
from binance_sdk.simulator.streams.names import StreamName, read_name


class Subscriber(Protocol):
    """A connection, as the hub sees it."""

    def accepts(self, name: StreamName) -> bool:
        """Whether this stream can come over this connection."""
        ...

    def send_event(self, name: str, payload: bytes) -> None:
        """Send an event of a stream."""
        ...

    def inject(self, fault: StreamFault, name: str, payload: bytes) -> None:
        """Let a fault happen in place of an event."""
        ...


class Topic:
    """One stream that has subscribers."""

    def __init__(self, name: str, operation: str, market: str, feed: Feed | None) -> None:
        self.name = name
        self.operation = operation
        self.feed = feed
        self.subscribers: dict[Subscriber, None] = {}
        self.alive = True
        # The names that the pattern of a fault can match.
        self.names: tuple[str, str, str] = (name, operation, market)


class Hub:
    """The streams of one market. Lives in one thread."""

    def __init__(self, view: MarketView, faults: StreamFaults) -> None:
        self._view = view
        self._faults = faults
        self._topics: dict[str, Topic] = {}
        self._due: list[tuple[int, int, Callable[[int], int | None]]] = []
        self._order = count()
        self._paused: set[str] = set()
        self._now = 0
        # The moment whose events are being sent; earlier than the clock while events are overdue.
        self.moment: int = 0
        self.sent: int = 0

    # ------------------------------------------------------------------------------- listening

    def subscribe(self, subscriber: Subscriber, text: str, since: int) -> None:
        """Send a connection the events of a stream after this moment: none if there is no such stream."""
        topic = self._topic(text, since)
        name = read_name(self._view.market.name, text)
        # A recording may hold streams that no longer exist; any other stream must exist.
        if topic is not None and (name is None or subscriber.accepts(name)):
            topic.subscribers[subscriber] = None

    def unsubscribe(self, subscriber: Subscriber, names: Iterable[str]) -> None:
        """Stop sending these streams to a connection."""
        for name in names:
            topic = self._topics.get(name)
            if topic is None:
                continue
            topic.subscribers.pop(subscriber, None)
            if not topic.subscribers:
                topic.alive = False
                del self._topics[name]

    def _topic(self, text: str, now: int) -> Topic | None:
        topic = self._topics.get(text)
        if topic is not None:
            return topic
        name = read_name(self._view.market.name, text)
        if name is None and text not in self._paused:
            return None
        operation = "" if name is None else f"{self._view.market.name}.{name.kind}"
        feed = None if name is None or text in self._paused else feed_of(self._view, name)
        topic = self._topics[text] = Topic(text, operation, self._view.market.name, feed)
        if feed is not None:
            self._plan(feed.next(now, now), self._turn_of(topic, feed))
        return topic

    def pause_feed(self, name: str) -> None:
        """Send none of the market's own events on this stream, as a recording or a flood is sent instead."""
        self._paused.add(name)
        topic = self._topics.get(name)
        if topic is not None:
            topic.feed = None

    def resume_feed(self, name: str, now: int) -> None:
        """Send the market's own events again."""
        self._paused.discard(name)
        topic, known = self._topics.get(name), read_name(self._view.market.name, name)
        if topic is not None and known is not None and topic.feed is None:
            feed = topic.feed = feed_of(self._view, known)
            self._plan(feed.next(now, now), self._turn_of(topic, feed))

    def subscribers(self, name: str) -> list[Subscriber]:
        """The connections that get this stream."""
        topic = self._topics.get(name)
        return [] if topic is None else list(topic.subscribers)

    # ------------------------------------------------------------------------------------- time

    @property
    def next_due(self) -> int | None:
        """When there is something to do next, in milliseconds of the clock."""
        return self._due[0][0] if self._due else None

    def run(self, now: int) -> None:
        """Send everything that is due."""
        if now < self._now:
            # The clock was set back: begin anew at that time. Turns of the old feeds end by themselves, see _turn_of().
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
                self._send(topic, payload)
            return feed.next(due, self._now)

        return turn

    # ---------------------------------------------------------------------------------- sending

    def publish(self, name: str, payload: bytes) -> int:
        """Send an event that is not the market's own; the number of connections that got it."""
        topic = self._topics.get(name)
        if topic is None:
            return 0
        self._send(topic, payload)
        return len(topic.subscribers)

    def _send(self, topic: Topic, payload: bytes) -> None:
        armed = self._faults.armed
        for subscriber in list(topic.subscribers):
            fault = self._faults.draw(topic.names) if armed else None
            if fault is None:
                self.sent += 1
                subscriber.send_event(topic.name, payload)
            else:
                subscriber.inject(fault, topic.name, payload)

    def next_trade_id(self, symbol: str, now: int) -> int:
        """Id of the next aggregate trade, 0 for an unknown symbol."""
        data = self._view.live(symbol, now)
        return 0 if data is None else data.tape.count(now)
