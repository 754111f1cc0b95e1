"""One consumer of streams: its reader, and the connections that feed it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Literal

from binance_sdk._runtime.ending import to_the_end
from binance_sdk._runtime.fork import ProcessGuard
from binance_sdk._runtime.market import Market
from binance_sdk._runtime.stream.connection.supervisor import CLOSED, Supervisor
from binance_sdk._runtime.stream.context import StreamContext
from binance_sdk._runtime.stream.names import NamedStream
from binance_sdk._runtime.stream.options import ResolvedOptions, StreamOptions
from binance_sdk._runtime.stream.reading.latest import LatestReader
from binance_sdk._runtime.stream.reading.reader import Reader
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk.errors import ConfigError, ParameterError, StreamError, shown

Item = tuple[NamedStream, StreamOptions]
"""A stream with the options that it was asked for with."""


StreamHealth = Literal["flowing", "silent", "disconnected"]
"""``silent``: connected, and for longer without a message than the spec says is healthy."""
_WORST_FIRST: tuple[StreamHealth, ...] = ("disconnected", "silent", "flowing")
MakeReader = Callable[[StreamContext, ResolvedOptions, Callable[[bool], None]], Reader]
"""Makes what reads the messages of a consumer; its last argument stops (True) and resumes (False) the connections."""


def make_reader(context: StreamContext, options: ResolvedOptions, pause: Callable[[bool], None]) -> Reader:
    """The reader for the overflow policy."""
    kind = LatestReader if options.overflow == "latest" else Reader
    return kind(options, pause, clock=context.clock, rest=context.rest, notify=context.notify, shapes=context.shapes)


class Consumer:
    """An open stream, from the inside. ``Events`` and ``SyncEvents`` are what users hold of it.

    Args:
        context: What the streams of the client share.
        options: The options that hold for the consumer as a whole.
        on_closed: Called when it is closed.
        reader: Makes its reader.
    """

    def __init__(
        self,
        context: StreamContext,
        options: ResolvedOptions,
        on_closed: Callable[[Consumer], None],
        reader: MakeReader = make_reader,
    ) -> None:
        self.context = context
        self._options = options
        self._on_closed = on_closed
        self._supervisors: list[Supervisor] = []
        self._carried: dict[tuple[Market, str], tuple[Subscription, Supervisor]] = {}
        self.markets: frozenset[Market] = frozenset()
        """Of the streams that it was opened with."""
        self.reader: Reader = reader(context, options, self._pause)
        self.closed: bool = False
        self.process: ProcessGuard = ProcessGuard()

    def check_process(self) -> None:
        """Raise in the child of a fork, where the stream is not usable.

        Raises:
            ConfigError: we are a child of a fork.
        """
        self.process.check("an open stream", "open another one in the child")

    def _pause(self, paused: bool) -> None:
        for supervisor in self._supervisors:
            supervisor.pause(paused)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for _, name in self._carried)

    @property
    def failed_dials(self) -> int:
        """Attempts in a row to open another connection that have failed; of several connections, the most."""
        return max((supervisor.failed_dials for supervisor in list(self._supervisors)), default=0)

    def health(self) -> list[tuple[Market, StreamHealth]]:
        """How each of its streams is, for any thread."""
        now = self.context.clock.monotonic()
        carried = list(self._carried.values())
        return [(supervisor.market, _health(stream, supervisor, now)) for stream, supervisor in carried]

    def health_of(self, name: str) -> StreamHealth:
        """How the stream of this name is; of those of two markets, the one that is worse off.

        Raises:
            ParameterError: it is not listened to.
        """
        now = self.context.clock.monotonic()
        carried = [self._carried[key] for market in self.context.urls if (key := (market, name)) in self._carried]
        if not carried:
            raise ParameterError(
                f"stream={shown(name)} is not listened to; `streams` has the names of those that are",
                parameter="stream",
                value=name,
            )
        found = {_health(stream, supervisor, now) for stream, supervisor in carried}
        return next(health for health in _WORST_FIRST if health in found)

    async def add(self, items: Iterable[Item]) -> None:
        """Subscribe to these streams too, except to those that are carried already."""
        self.check_process()
        if self.closed:
            raise StreamError(CLOSED)
        added: dict[Supervisor, list[Subscription]] = {}
        seen: set[tuple[Market, str]] = set()
        for stream, options in items:
            key = _key(stream)
            if key in self._carried or key in seen:
                continue
            seen.add(key)
            supervisor = self._supervisor_for(stream, added)
            added.setdefault(supervisor, []).append(self._subscription(stream, options))
        results = await asyncio.gather(
            *(self._add_to(supervisor, subscriptions) for supervisor, subscriptions in added.items()),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def subscribe(self, items: Iterable[Item]) -> None:
        """Subscribe to these streams too, if their options agree with those of the consumer.

        Raises:
            ParameterError: an option that holds for all streams of the consumer has another value.
        """
        items = tuple(items)
        for _, options in items:
            for name, value in options.items():
                chosen = getattr(self._options, name, value)
                if name != "on_notice" and value != chosen:
                    text = f"{name}={shown(value)}: the stream was opened with {name}={shown(chosen)}"
                    remedy = "which holds for all that it is subscribed to; leave it out, or open another stream"
                    raise ParameterError(f"{text}, {remedy}", parameter=name, value=value)
        for _, options in items:
            if "on_notice" in options:
                self.reader.notices.add_listener(options["on_notice"])
        await self.add(items)

    async def _add_to(self, supervisor: Supervisor, subscriptions: list[Subscription]) -> None:
        if self.closed:
            raise StreamError(CLOSED)
        if supervisor not in self._supervisors:
            self._supervisors.append(supervisor)
        for subscription in subscriptions:
            self._carried[_key(subscription.stream)] = (subscription, supervisor)
        try:
            await supervisor.add(subscriptions)
        except BaseException:
            for subscription in subscriptions:
                self._carried.pop(_key(subscription.stream), None)
            if supervisor.empty and supervisor in self._supervisors:
                self._supervisors.remove(supervisor)
                await supervisor.aclose()
            raise

    def _supervisor_for(self, stream: NamedStream, added: dict[Supervisor, list[Subscription]]) -> Supervisor:
        operation = stream.operation
        if not self.context.urls.get(operation.market):
            raise ConfigError(
                f"{operation.id} is not served by environment {self.context.environment!r}; "
                f"choose another one or pass {operation.market}_stream_url=",
                operation=operation.id,
            )
        for supervisor in (*self._supervisors, *added):
            same = supervisor.market == operation.market and supervisor.route == operation.route
            if same and supervisor.room > len(added.get(supervisor, ())):
                return supervisor
        return Supervisor(self.context, operation.market, operation.route, self.reader, self._options)

    def _subscription(self, stream: NamedStream, options: StreamOptions) -> Subscription:
        self.context.shapes.begin(stream.operation.reader)
        return Subscription(
            stream,
            # Fetched events are older than the newest, so a consumer of the newest alone does not want them.
            fill_gaps=options.get("fill_gaps", False) and not self.reader.latest_only,
            quiet_time=options.get("quiet_time"),
            from_spec="quiet_time" not in options,
            now=self.context.clock.monotonic(),
            skip_rows=options.get("bad_rows") == "skip",
            all_markets=options.get("all_markets", False),
        )

    async def unsubscribe(self, items: Iterable[Item]) -> None:
        """Unsubscribe from these streams, and throw away what waits of them."""
        self.check_process()
        removed: dict[Supervisor, list[Subscription]] = {}
        for stream, _ in items:
            found = self._carried.pop(_key(stream), None)
            if found is not None:
                removed.setdefault(found[1], []).append(found[0])
        gone = {subscription for subscriptions in removed.values() for subscription in subscriptions}
        self.reader.forget(gone)
        # All of it at once, so that nothing is left where this is cancelled while the exchange is told.
        telling = [task for each, subscriptions in removed.items() if (task := each.remove(subscriptions)) is not None]
        idle = [supervisor for supervisor in removed if supervisor.empty]
        for supervisor in idle:
            self._supervisors.remove(supervisor)
        try:
            if telling:
                await asyncio.wait(telling)
        finally:
            await to_the_end(*(supervisor.aclose() for supervisor in idle))
        # Also what came while the exchange was told.
        self.reader.forget(gone)
        for task in telling:
            if not task.cancelled():
                # Otherwise the stream was closed meanwhile.
                task.result()

    async def aclose(self) -> None:
        self.closed = True
        self._on_closed(self)
        if self.process.is_child:
            # It goes on in the parent.
            return
        try:
            await to_the_end(*(supervisor.aclose() for supervisor in self._supervisors))
        finally:
            await self.reader.aclose()


def _health(subscription: Subscription, supervisor: Supervisor, now: float) -> StreamHealth:
    if not supervisor.connected:
        return "disconnected"
    healthy = subscription.healthy_silence()
    return "silent" if healthy is not None and now > subscription.last_good + healthy else "flowing"


def _key(stream: NamedStream) -> tuple[Market, str]:
    return stream.operation.market, stream.name
