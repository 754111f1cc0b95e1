"""The levers over HTTP, for whoever runs the simulator in another process of the same machine.

``POST /_simulator/<name>`` with the arguments as one JSON object; what only reads can also be asked for by GET, with
the arguments as a query. The answer is JSON. ``binance_sdk.simulator.control.client`` is a client for it.
"""

from __future__ import annotations

import ipaddress
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from pydantic import TypeAdapter, ValidationError, validate_call
from pydantic_core import to_json
from starlette.types import Receive, Scope, Send

from binance_sdk.simulator.clock import ManualClock, OffsetClock
from binance_sdk.simulator.control.commands import Levers
from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.faults.requests import Fault, FaultKind, FaultRule
from binance_sdk.simulator.faults.streams import StreamFaultRule
from binance_sdk.simulator.rest.window_stats import RequestCounts

PREFIX = "/_simulator/"
_LONGEST_BODY = 1_000_000

_USUAL: Mapping[FaultKind, Fault] = {
    "latency": Fault.latency(0.1),
    "server_error": Fault.server_error(),
    "page": Fault.page(),
    "truncated": Fault.truncated(),
    "reset": Fault.reset(),
    "reset_in_body": Fault.reset(in_body=True),
    "silence": Fault.silence(),
    "garbled": Fault.garbled(),
    "bad_gzip": Fault.bad_gzip(),
    "rate_limited": Fault.rate_limited(),
    "banned": Fault.banned(),
    "forbidden": Fault.forbidden(),
    "backend_timeout": Fault.backend_timeout(),
    "restricted": Fault.restricted(),
    "maintenance": Fault.maintenance(),
    "country_blocked": Fault.country_blocked(),
    "redirect": Fault.redirect(),
    "slow_body": Fault.slow_body(),
    "short_page": Fault.short_page(),
    "newest_first": Fault.newest_first(),
    "bad_row": Fault.bad_row(),
}
_FAULT = TypeAdapter(Fault)
_ARGUMENTS: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


class Simulated(Levers, ABC):
    """A simulator, as far as it is changed from elsewhere."""

    @abstractmethod
    def add_fault(self, text: str) -> FaultRule | StreamFaultRule:
        """Inject a fault that is written in a line."""


class _RefusedError(Exception):
    """An error answer; ``args`` are status and words."""


class Remote:
    """Answers requests about one simulator."""

    def __init__(self, levers: Simulated) -> None:
        self._levers = levers
        self._add_fault = levers.add_fault
        self._rules: dict[int, FaultRule | StreamFaultRule] = {}
        self._made = 0
        reading: list[Callable[..., object]] = [
            levers.used_weight,
            levers.windows,
            self.requests,
            self.injected,
            self.now,
        ]
        changing: list[Callable[..., object]] = [
            levers.reset_windows,
            levers.maintenance,
            levers.end_maintenance,
            levers.reset_limits,
            levers.change_limits,
            levers.drift,
            levers.foreign_traffic,
            levers.stop_foreign_traffic,
            levers.list_symbol,
            levers.set_status,
            levers.delist_symbol,
            levers.settle_symbol,
            self.add_faults,
            self.add_fault,
            self.remove_faults,
            self.clear_faults,
            self.advance,
            self.set_clock,
        ]
        self._reading = {one.__name__ for one in reading}
        self._calls: Mapping[str, Callable[..., object]] = {
            one.__name__: validate_call(one) for one in (*reading, *changing)
        }

    # ------------------------------------------------------------------------- what levers do not have

    def requests(self) -> RequestCounts:
        return self._levers.requests

    def injected(self) -> Mapping[str, int]:
        return self._levers.faults.injected

    def now(self) -> int:
        return self._levers.clock.now_ms()

    def add_faults(
        self,
        faults: list[dict[str, Any]],
        where: str | list[str] = "*",
        probability: float = 1.0,
        count: int | None = None,
        seed: int | None = None,
    ) -> int:
        """Make a rule and give its number; of each fault, what is left out is as its class method has it."""
        read = [_fault(one) for one in faults]
        rule = self._levers.faults.add(*read, where=where, probability=probability, count=count, seed=seed)
        return self._numbered(rule)

    def add_fault(self, fault: str) -> int:
        """Make a rule of one line and give its number; see ``Simulator.add_fault``."""
        return self._numbered(self._add_fault(fault))

    def _numbered(self, rule: FaultRule | StreamFaultRule) -> int:
        self._made += 1
        self._rules[self._made] = rule
        return self._made

    def remove_faults(self, rule: int) -> None:
        found = self._rules.pop(rule, None)
        if found is not None:
            found.remove()

    def clear_faults(self) -> None:
        self._rules.clear()
        self._levers.faults.clear()

    def advance(self, seconds: float) -> int:
        """Move a clock that stands still, or lead one that runs further ahead; gives the new time."""
        match self._levers.clock:
            case ManualClock() as clock:
                clock.advance(seconds)
            case OffsetClock() as clock:
                clock.offset_seconds += seconds
            case _:
                raise SimulatorError("the system's clock cannot be moved; start the simulator with another one")
        return self.now()

    def set_clock(self, now_ms: int) -> int:
        """Jump to a time, forward or back; gives that time."""
        match self._levers.clock:
            case ManualClock() as clock:
                clock.set(now_ms)
            case OffsetClock() as clock:
                clock.offset_seconds += (now_ms - clock.now_ms()) / 1000
            case _:
                raise SimulatorError("the system's clock cannot be set; start the simulator with another one")
        return self.now()

    # -------------------------------------------------------------------------------------- answering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, answer = 200, None
        try:
            _check_origin(scope)
            answer = self._answer(scope, await _body(receive))
        except _RefusedError as refused:
            status, answer = refused.args[0], {"error": refused.args[1]}
        except (SimulatorError, ValueError) as error:
            status, answer = 400, {"error": _words(error)}
        body = to_json(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, scope: Scope, body: bytes) -> object:
        name = cast("str", scope["path"]).removeprefix(PREFIX)
        call = self._calls.get(name)
        if call is None:
            raise _RefusedError(404, f"there is no {name!r}; there are {', '.join(sorted(self._calls))}")
        method: str = scope["method"]
        if method == "GET" and name in self._reading:
            return call(**dict(parse_qsl(scope["query_string"].decode("latin-1"))))
        if method != "POST":
            raise _RefusedError(405, f"{name} takes POST" + (" or GET" if name in self._reading else ""))
        return call(**_ARGUMENTS.validate_json(body or b"{}"))


def _check_origin(scope: Scope) -> None:
    """This machine only, and no web page in its browser: those cannot send JSON elsewhere without asking first."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    host = urlsplit(f"//{headers.get(b'host', b'').decode('latin-1')}").hostname or ""
    if not (_is_loopback(scope["client"][0]) and (host == "localhost" or _is_loopback(host))):
        raise _RefusedError(403, "only for this machine")
    if scope["method"] == "POST" and headers.get(b"content-type", b"") != b"application/json":
        raise _RefusedError(415, "send application/json")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > _LONGEST_BODY:
            raise _RefusedError(413, "that is too much")
    return body


def _fault(given: Mapping[str, Any]) -> Fault:
    usual = _USUAL.get(given.get("kind", ""))
    if usual is None:
        raise SimulatorError(f"kind must be one of {', '.join(_USUAL)}")
    unknown = given.keys() - {one.name for one in fields(Fault)}
    if unknown:
        raise SimulatorError(f"a fault has no {', '.join(sorted(unknown))}")
    whole = {one.name: getattr(usual, one.name) for one in fields(Fault)} | dict(given)
    return _FAULT.validate_python(whole)


def _words(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    found = ((".".join(map(str, one["loc"])), one["msg"]) for one in error.errors(include_url=False))
    return "; ".join(f"{place}: {message}" if place else message for place, message in found)
