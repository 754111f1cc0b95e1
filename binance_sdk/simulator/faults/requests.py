"""Faults of requests: which kinds there are, and which request meets one; drawn from a seed, so it can be repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.faults.rules import Rule, Rules, matches, may_be_below

FaultKind = Literal[
    "latency",
    "server_error",
    "page",
    "truncated",
    "reset",
    "reset_in_body",
    "silence",
    "garbled",
    "bad_gzip",
    "rate_limited",
    "banned",
    "forbidden",
    "backend_timeout",
    "restricted",
    "maintenance",
    "country_blocked",
    "redirect",
    "slow_body",
    "short_page",
    "newest_first",
    "bad_row",
]

_CHANGE_ROWS = frozenset({"short_page", "newest_first", "bad_row"})
"""Answers of status 200 with well-formed JSON, whose rows are wrong."""
_REASONS = {
    200: "Please wait",
    403: "Forbidden",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong with a request. Made by the class methods, each of which is a kind.

    Attributes:
        kind: What happens.
        status: HTTP status of the answer, where the fault is an answer.
        code: ``code`` of the JSON body; ``None`` for a body that is not JSON, or empty.
        message: ``msg`` of the JSON body, or the whole of another one.
        seconds: How long: the delay, the ban, the silence, or ``Retry-After``.
        longest: Upper end of a random delay; ``None`` for one that is always the same.
        share: Part of the body that is sent before it breaks off; of a delay, the part before the request is counted.
        counted: Whether the request costs its weight all the same.
        rows: Most rows of a page.
        location: Where a redirect points.
        retry_after: Seconds of the header of that name, where a fault has it of its own accord.
    """

    kind: FaultKind
    status: int = 0
    code: int | None = None
    message: str = ""
    seconds: float = 0.0
    longest: float | None = None
    share: float = 0.5
    counted: bool = True
    rows: int = 0
    location: str = ""
    retry_after: float | None = None

    @classmethod
    def latency(cls, seconds: float, longest: float | None = None, *, upstream: float = 0.5) -> Fault:
        """A slow line, always by ``seconds`` or by a random time up to ``longest``.

        Args:
            seconds: Delay, or the shortest one.
            longest: The longest delay.
            upstream: Part of the delay that passes before the exchange counts the request.
        """
        if seconds < 0 or (longest is not None and longest < seconds):
            raise ValueError(
                f"latency({seconds}, {longest}): delays must not be negative, and the longest comes second"
            )
        return cls("latency", seconds=seconds, longest=longest, share=_share("upstream", upstream))

    @classmethod
    def server_error(cls, status: int = 503, *, body: bool = True, retry_after: float | None = None) -> Fault:
        """A 5xx, with ``code`` and ``msg`` or without any body, and with ``Retry-After`` where it is given."""
        if not 500 <= status <= 599:
            raise ValueError(f"server_error({status}): the status of a server error is 500 to 599")
        if not body:
            return cls("server_error", status, retry_after=retry_after)
        message = "Internal error; the request was not processed. Please try again."
        return cls("server_error", status, -1001, message, retry_after=retry_after)

    @classmethod
    def page(cls, status: int = 502) -> Fault:
        """A web page in place of JSON, from a proxy in front of the exchange, which counts nothing."""
        reason = _REASONS.get(status, "Error")
        return cls("page", status, message=_page(f"{status} {reason}"), counted=False)

    @classmethod
    def truncated(cls, share: float = 0.5) -> Fault:
        """The connection is closed before the announced length of the body was sent."""
        return cls("truncated", share=_share("share", share))

    @classmethod
    def reset(cls, *, in_body: bool = False) -> Fault:
        """The connection is reset: before anything was answered, or in the middle of the body."""
        return cls("reset_in_body" if in_body else "reset")

    @classmethod
    def silence(cls, seconds: float = 60.0) -> Fault:
        """No answer until the client gives up; after ``seconds`` the connection is closed."""
        return cls("silence", seconds=seconds)

    @classmethod
    def garbled(cls) -> Fault:
        """A body of the right length that ends in the middle of its JSON."""
        return cls("garbled")

    @classmethod
    def bad_gzip(cls) -> Fault:
        """A body said to be gzip that is not."""
        return cls("bad_gzip")

    @classmethod
    def rate_limited(cls, retry_after: float = 1.0) -> Fault:
        """A 429 although nothing is used up; the market is expected to be left alone for so many seconds."""
        return cls("rate_limited", 429, -1003, "Too many requests; please wait.", seconds=retry_after)

    @classmethod
    def banned(cls, seconds: float = 120.0) -> Fault:
        """A 418 for this and for every other request to the market until the ban is over."""
        return cls("banned", 418, seconds=seconds)

    @classmethod
    def forbidden(cls) -> Fault:
        """The firewall's 403, which is a web page."""
        return cls("forbidden", 403, message=_page("403 Forbidden"), counted=False)

    @classmethod
    def backend_timeout(cls) -> Fault:
        """A 408: a server inside the exchange did not answer."""
        return cls("backend_timeout", 408, -1007, "The backend did not answer in time.")

    @classmethod
    def restricted(cls) -> Fault:
        """A 451: not served at this place."""
        return cls("restricted", 451, 0, "Service unavailable from a restricted location.", counted=False)

    @classmethod
    def maintenance(cls) -> Fault:
        """The 503 of an exchange under maintenance."""
        return cls("maintenance", 503, -1000, "The system is under maintenance.", counted=False)

    @classmethod
    def country_blocked(cls) -> Fault:
        """The 403 of the proxy in front of the exchange, which serves nobody in this country: a web page."""
        text = _page("403 Forbidden").replace(
            "</body>",
            "<p>Access from your country is blocked: the distribution is "
            "configured to block access from your country.</p></body>",
        )
        return cls("country_blocked", 403, message=text, counted=False)

    @classmethod
    def redirect(cls, status: int = 302, location: str = "http://127.0.0.1:9/") -> Fault:
        """An answer that points elsewhere."""
        if not 300 <= status <= 399:
            raise ValueError(f"redirect({status}): the status of a redirect is 300 to 399")
        return cls("redirect", status, location=location, counted=False)

    @classmethod
    def slow_body(cls, seconds: float = 60.0) -> Fault:
        """The body comes in pieces, over so many seconds."""
        return cls("slow_body", seconds=seconds)

    @classmethod
    def short_page(cls, rows: int = 100) -> Fault:
        """A page holds at most so many rows, whatever was asked for: as if a maximum had been lowered."""
        if rows < 1:
            raise ValueError(f"short_page({rows}): a page has at least one row")
        return cls("short_page", rows=rows)

    @classmethod
    def newest_first(cls) -> Fault:
        """The rows of a list come in the wrong order."""
        return cls("newest_first")

    @classmethod
    def bad_row(cls) -> Fault:
        """One row of a list has ``""`` where a number should be."""
        return cls("bad_row")

    @classmethod
    def transient(cls) -> tuple[Fault, ...]:
        """Every kind after which the same request may succeed at once, and which keeps nobody from sending."""
        return (
            cls.server_error(500),
            cls.server_error(503, body=False),
            cls.page(502),
            cls.page(200),
            cls.truncated(),
            cls.reset(),
            cls.reset(in_body=True),
            cls.silence(1.0),
            cls.garbled(),
            cls.bad_gzip(),
            cls.backend_timeout(),
        )

    @property
    def replaces_answer(self) -> bool:
        """Whether it replaces the true answer instead of damaging it."""
        return bool(self.status)

    @property
    def changes_rows(self) -> bool:
        """Whether the answer is a whole one, and only what it says is wrong."""
        return self.kind in _CHANGE_ROWS

    def delay(self, drawn: float) -> float:
        """Seconds of a latency, for a random number from 0 to 1."""
        return self.seconds if self.longest is None else self.seconds + (self.longest - self.seconds) * drawn


@dataclass(frozen=True, slots=True)
class Injected:
    """What was drawn for one request: seconds before and after it is counted, and at most one fault."""

    before: float = 0.0
    after: float = 0.0
    fault: Fault | None = None


NO_FAULT = Injected()


FaultRule = Rule[Fault]
"""Faults for some requests, as ``Faults.add`` made it; ``where`` holds operations, markets or paths."""


class Faults(Rules[Fault]):
    """The faults of one simulator's requests. Rules can be added and removed at any time, from any thread."""

    def __init__(self, names: Iterable[str], seed: int) -> None:
        """``names`` are all operations, markets and paths there are, to find patterns that match nothing."""
        super().__init__(str(seed), "Fault.server_error()")
        self._names = frozenset(names)
        self._folders: tuple[str, ...] = ()

    def know(self, names: Iterable[str], folders: Iterable[str]) -> None:
        """More names there are, and what paths can begin with."""
        self._names |= frozenset(names)
        self._folders += tuple(folders)

    def _insert(
        self, faults: tuple[Fault, ...], where: tuple[str, ...], probability: float, count: int | None, seed: int | None
    ) -> FaultRule:
        for pattern in where:
            if not (matches(self._names, (pattern,)) or may_be_below(self._folders, pattern)):
                raise SimulatorError(
                    f"where={pattern!r} matches nothing; write an operation like spot.klines, a market, a kind "
                    "of files like archive.spot.klines, or a path"
                )
        return super()._insert(faults, where, probability, count, seed)

    def draw(self, names: Iterable[str]) -> Injected:
        """What happens to a request that has these names: its path, and operation and market if it has any."""
        return self._draw(names, lambda rule: True)

    def draw_for_file(self, names: Iterable[str]) -> Injected:
        """The same of a request to the archive, whose answers have no rows that could be wrong."""
        return self._draw(names, lambda rule: not any(fault.changes_rows for fault in rule.faults))

    def _draw(self, names: Iterable[str], fits: Callable[[FaultRule], bool]) -> Injected:
        if not self._rules:
            return NO_FAULT
        before = after = 0.0
        chosen: Fault | None = None
        known = tuple(names)
        with self._lock:
            for rule in list(self._rules):
                only_delays = all(fault.kind == "latency" for fault in rule.faults)
                if (chosen is not None and not only_delays) or not matches(known, rule.where) or not fits(rule):
                    continue
                # The spread is always drawn too, so that later draws do not depend on whether this one hit.
                fault, spread = self._draw_from(rule), rule.generator.random()
                if fault is None:
                    continue
                if fault.kind == "latency":
                    delay = fault.delay(spread)
                    before += delay * fault.share
                    after += delay * (1.0 - fault.share)
                else:
                    chosen = fault
        return Injected(before, after, chosen)


def _share(name: str, value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name}={value} must be from 0 to 1")
    return value


def _page(title: str) -> str:
    return f"<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center></body></html>"
