"""What a test can read and change while a simulator runs: each command is written once, with its types and its text.

``Simulator`` runs a command itself. ``SimulatorControl`` has the same methods, and sends the command to the process
that runs the simulator; nothing of the simulated market is loaded here, so that it need not be loaded there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from binance_sdk.catalogue import MARKETS, Market
from binance_sdk.errors import shown
from binance_sdk.simulator.clock import ManualClock, OffsetClock, SimulatorClock
from binance_sdk.simulator.control.registry import Command, command
from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.faults.files import FileFault, FileFaultRule
from binance_sdk.simulator.faults.parsing import parse_fault, usual_faults
from binance_sdk.simulator.faults.requests import Fault, FaultRule
from binance_sdk.simulator.faults.streams import StreamFault, StreamFaultRule, StreamFaults
from binance_sdk.simulator.market.symbols import Instrument
from binance_sdk.simulator.rest.foreign_traffic import ForeignTraffic
from binance_sdk.simulator.rest.window_stats import RequestCounts, WindowStats

if TYPE_CHECKING:
    from binance_sdk.simulator.archive.archive import SimulatedArchive
    from binance_sdk.simulator.rest.exchange import Exchange
    from binance_sdk.simulator.rest.rate_limits import Limiter

_FAULT = TypeAdapter(Fault)


class SimulatorCommands:
    """Base of ``Simulator`` and of every control of a simulator elsewhere."""

    # What the commands of a simulator change. A control has none of it: it runs no command itself.
    _exchange: Exchange
    _clock: SimulatorClock
    _stream_faults: StreamFaults
    _archive: SimulatedArchive

    def _run(self, command: Command, *args: object, **kwargs: object) -> object:
        return command.body(self, *args, **kwargs)

    def _limiter(self, market: str) -> Limiter:
        found = self._exchange.limiters.get(market)
        if found is None:
            raise SimulatorError(f"there is no market {market!r}; there are {', '.join(self._exchange.limiters)}")
        return found

    # ---------------------------------------------------------------------------------- reading

    @property
    def requests(self) -> RequestCounts:
        """What the simulator was asked so far; commands do not count."""
        return self._requests()

    @command(read_only=True)
    def _requests(self) -> RequestCounts:
        return self._exchange.requests

    @command(read_only=True)
    def archive_requests(self) -> Mapping[str, int]:
        """How often each path of the archive was asked for so far; a listing with its query."""
        return self._archive.requests

    @command(read_only=True)
    def now_ms(self) -> int:
        """Time of the exchange, milliseconds since the epoch."""
        return self._clock.now_ms()

    @command(read_only=True)
    def used_weight(self, market: Market) -> int:
        """Request weight used in the running window."""
        return self._limiter(market).used(self._clock.now_ms())

    @command(read_only=True)
    def windows(self, market: Market) -> list[WindowStats]:
        """What was accepted and refused, window by window, counted by the simulator's own table of weights.

        Oldest first; the last one may still be running. Windows in which nothing came are left out.
        """
        return self._limiter(market).windows(self._clock.now_ms())

    @command()
    def reset_windows(self, market: Market | None = None) -> None:
        """Forget the windows of one market, or of all; what was spent stays spent."""
        for name in _chosen(market):
            self._limiter(name).clear_history()

    # ------------------------------------------------------------------------------------ faults

    @command()
    def _add_faults(
        self,
        faults: list[dict[str, Any]],
        where: str | list[str] = "*",
        probability: float = 1.0,
        count: int | None = None,
        seed: int | None = None,
    ) -> int:
        """Add a rule and return its number; what a fault leaves out is as its class method has it."""
        read = [_read_fault(given) for given in faults]
        return self._exchange.faults.add(*read, where=where, probability=probability, count=count, seed=seed).number

    @command()
    def _add_fault(self, text: str) -> int:
        """Add the rule that a line describes and return its number; see ``Simulator.add_fault``."""
        return self._add_parsed_fault(text).number

    def _add_parsed_fault(self, text: str) -> FaultRule | StreamFaultRule | FileFaultRule:
        parsed = parse_fault(text)
        how: dict[str, Any] = {
            "where": parsed.where,
            "probability": parsed.probability,
            "count": parsed.count,
            "seed": parsed.seed,
        }
        if isinstance(parsed.fault, StreamFault):
            return self._stream_faults.add(parsed.fault, **how)
        if isinstance(parsed.fault, FileFault):
            return self._archive.faults.add(parsed.fault, **how)
        return self._exchange.faults.add(parsed.fault, **how)

    @command()
    def _remove_faults(self, rule: int) -> None:
        """Remove the rule of this number, if it is in force."""
        rules: list[FaultRule | StreamFaultRule | FileFaultRule] = [
            *self._exchange.faults.rules,
            *self._stream_faults.rules,
            *self._archive.faults.rules,
        ]
        for known in rules:
            if known.number == rule:
                known.remove()

    @command()
    def _clear_faults(self) -> None:
        self._exchange.faults.clear()

    @command(read_only=True)
    def _injected(self) -> Mapping[str, int]:
        return self._exchange.faults.injected

    @command()
    def maintenance(self, market: Market | None = None, *, refuse: bool = True) -> None:
        """Put one market, or all, under maintenance until ``end_maintenance``.

        Every symbol is shown as not traded (``HALT`` on spot, ``PENDING_TRADING`` on futures).

        Args:
            market: Which one; all by default.
            refuse: Answer everything with 503. Otherwise the status is all that changes.
        """
        for name in _chosen(market):
            self._exchange.maintain(name, refuse=refuse, show=True)

    @command()
    def end_maintenance(self, market: Market | None = None) -> None:
        """End the maintenance. Twice does no harm."""
        for name in _chosen(market):
            self._exchange.maintain(name, refuse=False, show=False)

    # ------------------------------------------------------------------------------------ limits

    @command()
    def reset_limits(self) -> None:
        """Forget all used weight, all counted requests and all bans."""
        for limiter in self._exchange.limiters.values():
            limiter.reset()

    @command()
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
        limiter, changed = self._limiter(market), dict(groups or {})
        unknown = changed.keys() - limiter.groups.keys()
        if unknown:
            raise SimulatorError(
                f"{market} has no group {', '.join(sorted(unknown))}; it has {', '.join(limiter.groups)}"
            )
        for name, value in {"weight": weight, "window_seconds": window_seconds, **changed}.items():
            if value is not None and value < 1:
                raise SimulatorError(f"{name}={value} must be at least 1")
        limiter.change(self._clock.now_ms(), weight, window_seconds, changed)

    @command()
    def drift(self, operation: str, weight: int | None) -> None:
        """Charge another weight for an operation (``spot.klines``) than the documents say; ``None`` ends that.

        Raises:
            SimulatorError: There is no such operation, or the weight is negative.
        """
        if weight is not None and weight < 0:
            raise SimulatorError(f"weight={weight} must be at least 0")
        self._exchange.drift(operation, weight)

    @command()
    def foreign_traffic(self, market: Market, weight_per_second: float, weight: int = 1) -> None:
        """Let other clients at the same address spend from the same windows, evenly, until ``stop_foreign_traffic``.

        Replaces earlier foreign traffic there. Their requests over the limit are refused.

        Args:
            market: Where.
            weight_per_second: How much they spend.
            weight: What each of their requests costs.

        Raises:
            SimulatorError: A number is not positive.
        """
        now = self._clock.now_ms()
        try:
            foreign = ForeignTraffic.at_rate(weight_per_second, weight, now)
        except ValueError as error:
            raise SimulatorError(str(error)) from error
        self._limiter(market).let_in(now, foreign)

    @command()
    def stop_foreign_traffic(self, market: Market | None = None) -> None:
        """End the traffic of others, on one market or on all."""
        for name in _chosen(market):
            self._limiter(name).let_in(self._clock.now_ms(), None)

    # ----------------------------------------------------------------------------------- symbols

    @command()
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

    @command()
    def set_status(self, market: Market, symbol: str, status: str, at: int | None = None) -> None:
        """Give a symbol another status, now or at a time; any but ``TRADING`` stops its trades.

        ``BREAK`` pauses a symbol of spot, ``SETTLING`` is a contract that is being settled.

        Raises:
            SimulatorError: It is not listed.
        """
        self._exchange.markets[market].listings.set_status(symbol, status, self._when(at))

    @command()
    def delist_symbol(self, market: Market, symbol: str, at: int | None = None) -> None:
        """Remove a symbol, now or at a time: requests for it are then refused as invalid.

        Raises:
            SimulatorError: It is not listed.
        """
        self._exchange.markets[market].listings.remove(symbol, self._when(at))

    @command()
    def settle_symbol(self, symbol: str, at: int | None = None, *, removed_after: float | None = None) -> None:
        """Settle a contract as Binance does: its trades stop, it is shown as ``SETTLING``, and later removed.

        Args:
            symbol: A contract, of whatever market.
            at: When, in milliseconds since the epoch; now by default.
            removed_after: Seconds until it is delisted; ``None`` leaves it there.

        Raises:
            SimulatorError: It is not listed.
        """
        when = self._when(at)
        listings = next(
            (
                market.listings
                for market in self._exchange.markets.values()
                if symbol in market.listings.at(when).contracts
            ),
            None,
        )
        if listings is None:
            raise SimulatorError(f"no market of contracts lists the symbol {symbol} at that time")
        listings.set_status(symbol, "SETTLING", when)
        if removed_after is not None:
            listings.remove(symbol, when + round(removed_after * 1000))

    # ------------------------------------------------------------------------------------- clock

    @command()
    def advance(self, seconds: float) -> int:
        """Move a ``ManualClock`` or an ``OffsetClock`` forward; gives the new time, milliseconds since the epoch.

        Raises:
            SimulatorError: The clock is the system's, or ``seconds`` is negative and the clock a ``ManualClock``.
        """
        match self._clock:
            case ManualClock() as clock:
                clock.advance(seconds)
            case OffsetClock() as clock:
                clock.offset_seconds += seconds
            case _:
                raise SimulatorError(
                    "the system's clock cannot be moved: make it with clock=ManualClock(...) or OffsetClock()"
                )
        return self._clock.now_ms()

    @command()
    def set_clock(self, now_ms: int) -> int:
        """Set a ``ManualClock`` or an ``OffsetClock``, forward or back; gives that time.

        Raises:
            SimulatorError: The clock is the system's.
        """
        match self._clock:
            case ManualClock() as clock:
                clock.set(now_ms)
            case OffsetClock() as clock:
                clock.offset_seconds += (now_ms - clock.now_ms()) / 1000
            case _:
                raise SimulatorError("the system's clock cannot be set; start the simulator with another one")
        return self._clock.now_ms()

    def _when(self, at: int | None) -> int:
        return self._clock.now_ms() if at is None else at


def _chosen(market: Market | None) -> Iterable[str]:
    return MARKETS if market is None else (market,)


def _read_fault(given: Mapping[str, Any]) -> Fault:
    usual = usual_faults().get(given.get("kind", ""))
    if usual is None:
        raise SimulatorError(f"kind={shown(given.get('kind'))} must be one of {', '.join(usual_faults())}")
    names = [field.name for field in fields(Fault)]
    unknown = given.keys() - set(names)
    if unknown:
        raise SimulatorError(f"a fault has no {', '.join(sorted(unknown))}; it has {', '.join(names)}")
    return _FAULT.validate_python({name: getattr(usual, name) for name in names} | dict(given))
