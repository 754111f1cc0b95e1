"""What a test can read and change while a simulator runs, from any thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from binance_sdk.simulator.clock import SimulatorClock
from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.faults.requests import Faults
from binance_sdk.simulator.market.symbols import Instrument, Market
from binance_sdk.simulator.rest.exchange import Exchange
from binance_sdk.simulator.rest.foreign_traffic import ForeignTraffic
from binance_sdk.simulator.rest.window_stats import RequestCounts, WindowStats

_MARKETS: tuple[Market, ...] = ("spot", "futures")


class Levers:
    """Base of ``Simulator``.

    Attributes:
        clock: Time of the exchange.
    """

    def __init__(self, exchange: Exchange, clock: SimulatorClock) -> None:
        self.clock = clock
        self._exchange = exchange

    # ---------------------------------------------------------------------------------- reading

    @property
    def requests(self) -> RequestCounts:
        """What it was asked so far."""
        return self._exchange.requests

    def used_weight(self, market: Market) -> int:
        """Request weight used in the running window."""
        return self._exchange.limiters[market].used(self.clock.now_ms())

    def windows(self, market: Market) -> list[WindowStats]:
        """What was accepted and refused, window by window, counted by the simulator's own table of weights.

        Oldest first; the last one may still be running. Windows in which nothing came are left out.
        """
        return self._exchange.limiters[market].windows(self.clock.now_ms())

    def reset_windows(self, market: Market | None = None) -> None:
        """Forget the windows of one market, or of both; what was spent stays spent."""
        for one in _chosen(market):
            self._exchange.limiters[one].clear_history()

    # ------------------------------------------------------------------------------------ faults

    @property
    def faults(self) -> Faults:
        """What goes wrong on demand: ``sim.faults.add(Fault.server_error(), probability=0.1)``."""
        return self._exchange.faults

    def maintenance(self, market: Market | None = None, *, refuse: bool = True) -> None:
        """Work on one market, or on both, until ``end_maintenance``.

        Every symbol is shown as not traded (``HALT`` on spot, ``PENDING_TRADING`` on futures).

        Args:
            market: Which one; both by default.
            refuse: Answer everything with 503. Otherwise the status is all that changes.
        """
        for one in _chosen(market):
            self._exchange.maintain(one, refuse=refuse, show=True)

    def end_maintenance(self, market: Market | None = None) -> None:
        """Back to normal. Twice does no harm."""
        for one in _chosen(market):
            self._exchange.maintain(one, refuse=False, show=False)

    # ------------------------------------------------------------------------------------ limits

    def reset_limits(self) -> None:
        """Forget all used weight, all counted requests and all bans."""
        for limiter in self._exchange.limiters.values():
            limiter.reset()

    def change_limits(
        self,
        market: Market,
        *,
        weight: int | None = None,
        window_seconds: int | None = None,
        groups: Mapping[str, int] | None = None,
    ) -> None:
        """Other limits from now on, also in what ``exchangeInfo`` says; those left out stay.

        Args:
            market: Whose.
            weight: Request weight per window.
            window_seconds: Length of the window; the running one goes on with what it had used.
            groups: Requests per five minutes of ``raw_requests`` (spot), ``funding_rate`` or ``futures_data``.

        Raises:
            SimulatorError: A limit is not positive, or the market has no such group.
        """
        limiter, changed = self._exchange.limiters[market], dict(groups or {})
        unknown = changed.keys() - limiter.groups.keys()
        if unknown:
            raise SimulatorError(
                f"{market} has no group {', '.join(sorted(unknown))}; it has {', '.join(limiter.groups)}"
            )
        for value in (weight, window_seconds, *changed.values()):
            if value is not None and value < 1:
                raise SimulatorError(f"a limit of {value}? Limits and lengths are at least 1")
        limiter.change(self.clock.now_ms(), weight, window_seconds, changed)

    def drift(self, operation: str, weight: int | None) -> None:
        """Charge another weight for an operation (``spot.klines``) than the documents say; ``None`` ends that.

        Raises:
            SimulatorError: There is no such operation, or the weight is negative.
        """
        if weight is not None and weight < 0:
            raise SimulatorError(f"a weight of {weight}? It is at least 0")
        self._exchange.drift(operation, weight)

    def foreign_traffic(self, market: Market, weight_per_second: float, weight: int = 1) -> None:
        """Let others at the same address spend from the same windows, evenly, until ``stop_foreign_traffic``.

        Takes the place of what was spent there before. Requests of theirs that do not fit are refused.

        Args:
            market: Where.
            weight_per_second: How much they spend.
            weight: What each of their requests costs.

        Raises:
            SimulatorError: A number is not positive.
        """
        now = self.clock.now_ms()
        try:
            foreign = ForeignTraffic.at_rate(weight_per_second, weight, now)
        except ValueError as error:
            raise SimulatorError(str(error)) from error
        self._exchange.limiters[market].let_in(now, foreign)

    def stop_foreign_traffic(self, market: Market | None = None) -> None:
        """Nobody else is there any more, on one market or on both."""
        for one in _chosen(market):
            self._exchange.limiters[one].let_in(self.clock.now_ms(), None)

    # ----------------------------------------------------------------------------------- symbols

    def list_symbol(self, market: Market, symbol: str | Instrument, at: int | None = None) -> None:
        """List a symbol that is not listed; it trades from the next whole minute on.

        Args:
            market: Where.
            symbol: One that was delisted, or was not among those chosen at the start; or an instrument of your own.
            at: When, in milliseconds since the epoch; now by default.

        Raises:
            SimulatorError: It is listed already, or nothing is known of it.
        """
        listings = self._exchange.markets[market].listings
        instrument = listings.known(symbol) if isinstance(symbol, str) else symbol
        if instrument.market != market:
            raise SimulatorError(f"{instrument.symbol} is an instrument of {instrument.market}, not of {market}")
        when = self._when(at)
        if instrument.symbol in listings.at(when).listings:
            raise SimulatorError(f"{market} lists {instrument.symbol} already")
        listings.add(instrument, when)

    def set_status(self, market: Market, symbol: str, status: str, at: int | None = None) -> None:
        """Give a symbol another status, now or at a time; any but ``TRADING`` stops its trades.

        ``BREAK`` pauses a symbol of spot, ``SETTLING`` is a contract that is being settled.

        Raises:
            SimulatorError: It is not listed.
        """
        self._exchange.markets[market].listings.set_status(symbol, status, self._when(at))

    def delist_symbol(self, market: Market, symbol: str, at: int | None = None) -> None:
        """Remove a symbol, now or at a time: whoever asks for it then is told that it is invalid.

        Raises:
            SimulatorError: It is not listed.
        """
        self._exchange.markets[market].listings.remove(symbol, self._when(at))

    def settle_symbol(self, symbol: str, at: int | None = None, *, removed_after: float | None = None) -> None:
        """Settle a contract as Binance does: its trades stop, it is shown as ``SETTLING``, and later removed.

        Args:
            symbol: A contract of the futures market.
            at: When, in milliseconds since the epoch; now by default.
            removed_after: Seconds until it is delisted; ``None`` leaves it there.

        Raises:
            SimulatorError: It is not listed.
        """
        when = self._when(at)
        self.set_status("futures", symbol, "SETTLING", when)
        if removed_after is not None:
            self.delist_symbol("futures", symbol, when + round(removed_after * 1000))

    def _when(self, at: int | None) -> int:
        return self.clock.now_ms() if at is None else at


def _chosen(market: Market | None) -> Iterable[Market]:
    return _MARKETS if market is None else (market,)
