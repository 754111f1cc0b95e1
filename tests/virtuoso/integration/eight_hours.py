"""Eight hours on the injected clock with a timetable of faults, each delivery of which is judged.

The test polls every eight minutes, ``python -m benchmarks sources`` every minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.virtuoso.integration.venues import START, Venues
from tests.virtuoso.schema_facts import FACTS, problems
from virtuoso_binance import NoSourceError
from virtuoso_binance.frames import json_view
from virtuoso_binance.scalars import Row
from virtuoso_binance.sources import SourceFailed, SourceSwitched
from virtuoso_binance.sources.shape import LEAST_CANDLES, LEAST_TRADES, shape_faults

MINUTES = 8 * 60
SYMBOL = "BTCUSDT"
ORDER = ("bybit", "binance", "second")
FAILBACK = {"failback_after": 450, "failback_checks": 2}
_BACK_AFTER = FAILBACK["failback_after"] / 60
"""Minutes that a source has to be well before it is gone back to."""
_OFF = 0.0025
"""Share by which a price may differ from the true one: Bybit's lags by nothing, a ticker by a minute."""

_LEAST_ROWS = 12


@dataclass(frozen=True)
class Fault:
    """One entry of the timetable.

    Attributes:
        at: Minute in which it begins.
        until: Minute in which it is over.
        name: What goes wrong.
        bad: The sources that have nothing good meanwhile.
        words: What each failure is told with, one of them.
        begin: Makes it go wrong.
        end: Makes it good again.
    """

    at: int
    until: int
    name: str
    bad: tuple[str, ...]
    words: tuple[str, ...]
    begin: Callable[[Venues], object]
    end: Callable[[Venues], object]

    def holds(self, minute: int) -> bool:
        return self.at <= minute < self.until


@dataclass
class EightHoursReport:
    """What came of it.

    Attributes:
        polls: Polls made.
        nothing: Polls in which no source had anything, as the timetable has it.
        switches: Switches from one source to another.
        failures: Failures told, by fault.
        wrong: Everything that differs from the timetable and the truth.
        invalid: What the schema, or our own check, has against what was delivered.
    """

    polls: int = 0
    nothing: int = 0
    switches: int = 0
    failures: dict[str, int] = field(default_factory=dict[str, int])
    wrong: list[str] = field(default_factory=list[str])
    invalid: list[str] = field(default_factory=list[str])


# --------------------------------------------------------------------------------------- the timetable


def _lie(name: str, lie: Callable[[Row], Row] | None) -> Callable[[Venues], None]:
    def tell(venues: Venues) -> None:
        venues.venues[name].lie = lie

    return tell


def _with_ticker(**changes: Callable[[Row], object]) -> Callable[[Row], Row]:
    def lie(data: Row) -> Row:
        ticker: Row = data["ticker"]
        return {**data, "ticker": {**ticker, **{key: change(ticker) for key, change in changes.items()}}}

    return lie


def _stamped_anew() -> Callable[[Row], Row]:
    """The first answer again and again, with the time of the newest one."""
    first: list[Row] = []

    def lie(data: Row) -> Row:
        first.append(data)
        now, old = {"timestamp": data["timestamp"]}, first[0]
        # Seven minutes ago it hung; it is told only now.
        shifted = {name: frame.iloc[:-7] for name, frame in old["ohlcv"].items()}
        trades = [{**row, "timestamp": row["timestamp"] - 420_000} for row in old["trades"]]
        return {
            **old, **now, "ticker": {**old["ticker"], **now}, "orderbook": {**old["orderbook"], **now},
            "ohlcv": shifted, "kline": shifted, "trades": trades,
        }  # fmt: skip

    return lie


def _set(thing: Callable[[Venues], object], **values: object) -> Callable[[Venues], None]:
    def change(venues: Venues) -> None:
        for name, value in values.items():
            setattr(thing(venues), name, value)

    return change


def _both(*changes: Callable[[Venues], object]) -> Callable[[Venues], None]:
    def change(venues: Venues) -> None:
        for one in changes:
            one(venues)

    return change


def _timetable() -> Iterator[Fault]:
    def bybit(**values: object) -> Callable[[Venues], None]:
        return _set(lambda venues: venues.bybit, **values)

    def binance_clock(seconds: float) -> Callable[[Venues], None]:
        return _set(lambda venues: venues.binance_clock, offset_seconds=seconds)

    def machine(seconds: float) -> Callable[[Venues], None]:
        return _set(lambda venues: venues.machine, offset_seconds=seconds)

    def line(seconds: float) -> Callable[[Venues], None]:
        return _set(lambda venues: venues.line, delay=seconds)

    down, up = bybit(failing=True), bybit(failing=False)
    told = ("Internal System Error",)
    truthful = _lie("bybit", None)
    swapped = _with_ticker(bid=lambda ticker: ticker["ask"], ask=lambda ticker: ticker["bid"])
    one, two, three = ORDER[:1], ORDER[:2], ORDER
    entries: list[tuple[str, tuple[str, ...], tuple[str, ...], Callable[..., object], Callable[..., object]]] = [
        ("an exchange that answers errors", one, told, down, up),
        ("an exchange under maintenance", one, ("maintenance",), bybit(maintenance=True), bybit(maintenance=False)),
        ("a slow exchange", one, ("imeout", "no answer within 15 s"), bybit(delay=30.0), bybit(delay=0.0)),
        (
            "the first in errors, the second under maintenance",
            two,
            (*told, "maintenance", "no answer", "Circuit"),
            _both(down, lambda venues: venues.binance.maintenance()),
            _both(up, lambda venues: venues.binance.end_maintenance()),
        ),
        (
            "a price that is half as high again",
            one,
            ("outside of its 24 hours",),
            _lie("bybit", _with_ticker(last=lambda ticker: ticker["last"] * 1.5)),
            truthful,
        ),
        ("old data stamped as new", one, ("s ago", "s old"), _lie("bybit", _stamped_anew()), truthful),
        ("bid and ask swapped", one, ("is not below the ask",), _lie("bybit", swapped), truthful),
        ("lists that are empty", one, ("Field required",), bybit(empty=True), bybit(empty=False)),
        (
            "a symbol that is delisted",
            one,
            ("does not list the symbol", "symbol invalid"),
            lambda venues: venues.bybit.symbols.discard(SYMBOL),
            lambda venues: venues.bybit.symbols.add(SYMBOL),
        ),
        (
            "the first in errors, the clock of the second off",
            two,
            (*told, "behind", "s old"),
            _both(down, binance_clock(-900.0)),
            _both(up, binance_clock(0.0)),
        ),
        (
            "the first in errors, the second slow",
            two,
            (*told, "no answer within 15 s"),
            _both(down, line(60.0)),
            _both(up, line(0.0)),
        ),
        # Nothing is wrong with anybody but this machine.
        ("the clock of this machine behind", (), ("ahead", "behind"), machine(-900.0), machine(0.0)),
        ("the clock of this machine ahead", (), ("ahead", "behind"), machine(900.0), machine(0.0)),
    ]
    for number, (name, bad, words, begin, end) in enumerate(entries):
        yield Fault(16 + 34 * number, 24 + 34 * number, name, bad, words, begin, end)
    yield Fault(
        MINUTES - 8,
        MINUTES,
        "all down",
        three,
        (*told, "maintenance", "no answer", "Circuit"),
        _both(down, lambda venues: venues.binance.maintenance(), lambda venues: venues.second.maintenance()),
        up,
    )


# ------------------------------------------------------------------------------------------- judging


class _Judge:
    """Knows the timetable and the truth, and nothing of how sources are chosen."""

    def __init__(self, venues: Venues, every: int) -> None:
        self.report = EightHoursReport()
        self._venues, self._every = venues, every
        self._serving = ORDER[0]
        self._newest = 0
        self._well_since = dict.fromkeys(ORDER, 0)
        self.ended: Fault | None = None
        """The fault that was over when this poll began."""

    def poll(self, minute: int, faults: list[Fault], data: Row | None) -> None:
        self.report.polls += 1
        bad = {name for fault in faults for name in fault.bad}
        self._well_since.update(dict.fromkeys(bad, minute + 1))
        events = list(self._venues.events)
        self._venues.events.clear()
        self._failures(minute, faults, [event for event in events if isinstance(event, SourceFailed)])
        self.ended = None
        if data is None:
            self.report.nothing += 1
            if bad != set(ORDER):
                self._wrong(minute, "nothing was delivered")
            return
        switched = [event for event in events if isinstance(event, SourceSwitched)]
        self._served(minute, bad, str(data["metadata"]["source"]), switched)
        self._true(minute, data)
        self.report.invalid += [f"{minute}: {text}" for text in invalid(data)]

    def _wrong(self, minute: int, text: str) -> None:
        self.report.wrong.append(f"{minute}: {text}")

    def _served(self, minute: int, bad: set[str], source: str, switched: list[SourceSwitched]) -> None:
        before, self._serving = self._serving, source
        self.report.switches += len(switched)
        expected = [] if source == before else [(SYMBOL, before, source)]
        if [(event.symbol, event.before, event.after) for event in switched] != expected:
            self._wrong(minute, f"{before} to {source} was told as {switched}")
        if source in bad:
            self._wrong(minute, f"{source} serves, which is bad")
        preferred = ORDER[: ORDER.index(before)]
        # With two checks: the first at once, the second after the time, and the next poll finds it out.
        latest = 2 * _BACK_AFTER + 2 * self._every
        well = {name: minute - self._well_since[name] for name in preferred}
        if before in bad:
            # Whoever is next: the order of the configuration.
            if source != next(name for name in ORDER if name not in bad):
                self._wrong(minute, f"{source} took over")
        elif source != before:
            if source not in preferred or well[source] < _BACK_AFTER:
                self._wrong(minute, f"{source} serves in the place of {before}")
        elif any(minutes > latest for minutes in well.values()):
            self._wrong(minute, f"{before} serves although {well} minutes")

    def _true(self, minute: int, data: Row) -> None:
        true, last = self._venues.truth.price(SYMBOL), data["ticker"]["last"]
        if abs(last / true - 1) > _OFF:
            self._wrong(minute, f"the price is {last} and not {true}")
        now = self._venues.clock.now_ms()
        if not self._newest < data["timestamp"] <= now + 1000 or now - data["timestamp"] > 60_000:
            self._wrong(minute, f"time went from {self._newest} to {data['timestamp']}, and it is {now}")
        self._newest = data["timestamp"]

    def _failures(self, minute: int, faults: list[Fault], events: list[SourceFailed]) -> None:
        for event in events:
            fault = next((fault for fault in faults if event.source in fault.bad), None)
            # Where it is this machine that is wrong, each source is suspected once.
            own = [fault for fault in (*faults, self.ended) if fault is not None and not fault.bad]
            fault = fault or next(iter(own), None)
            if fault is None:
                self._wrong(minute, f"told without reason: {event}")
                continue
            self.report.failures[fault.name] = self.report.failures.get(fault.name, 0) + 1
            if not any(words in event.reason for words in fault.words):
                self._wrong(minute, f"told as {event.reason}, and it is {fault.name}")


def invalid(data: Row) -> list[str]:
    """What the schema, where it is there, and our own check have against a delivery."""
    found = shape_faults(data)
    if FACTS.is_dir():
        frames = {name: frame.tail(LEAST_CANDLES[name]) for name, frame in data["ohlcv"].items()}
        rest = {key: value for key, value in data.items() if key != "kline"}
        found += problems(
            _shortened(
                json_view({**rest, "exchange": "binance", "ohlcv": frames, "trades": data["trades"][-LEAST_TRADES:]})
            )
        )
    return found


def _shortened(view: Any) -> Any:
    """No list longer than the schema asks for: rows are made alike, and our own check has seen all of them."""
    if isinstance(view, dict):
        return {key: _shortened(value) for key, value in view.items()}
    wanted = {LEAST_TRADES, *LEAST_CANDLES.values()}
    return view[:_LEAST_ROWS] if isinstance(view, list) and len(view) not in wanted else view


# ------------------------------------------------------------------------------------------- running


async def eight_hours(venues: Venues, every: int) -> EightHoursReport:
    """Poll for eight hours.

    Args:
        venues: Whom to ask.
        every: Minutes between two polls.
    """
    judge, timetable = _Judge(venues, every), list(_timetable())
    source = venues.source(*ORDER, **FAILBACK)
    async with source:
        running: list[Fault] = []
        for minute in range(0, MINUTES, every):
            await asyncio.sleep((START - venues.clock.now_ms()) / 1000 + minute * 60)
            for fault in [fault for fault in running if not fault.holds(minute)]:
                fault.end(venues)
                running.remove(fault)
                judge.ended = fault
            for fault in timetable:
                if fault.holds(minute) and fault not in running:
                    fault.begin(venues)
                    running.append(fault)
            try:
                data = await source.fetch_market_data(SYMBOL, 100)
            except NoSourceError:
                data = None
            # What is asked beside the poll comes to its end.
            await asyncio.sleep(20)
            judge.poll(minute, running, data)
    return judge.report
