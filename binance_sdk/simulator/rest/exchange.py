"""The exchange without its sockets: a request goes in, a reply comes out, and only the clock is asked for the time."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import partial

from binance_sdk.catalogue import MARKETS, Catalogue, Operation
from binance_sdk.simulator.clock import SimulatorClock
from binance_sdk.simulator.errors import RejectionError, SimulatorError
from binance_sdk.simulator.faults.damage import bad_row, newest_first
from binance_sdk.simulator.faults.requests import NO_FAULT, Fault, Faults, Injected
from binance_sdk.simulator.market.candles import DAY
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.symbols import Instrument, Market
from binance_sdk.simulator.rest import fixture_answers
from binance_sdk.simulator.rest.answers_by_market import answers_of
from binance_sdk.simulator.rest.by_spec import pool_by_spec, price_by_spec
from binance_sdk.simulator.rest.json_rows import encode
from binance_sdk.simulator.rest.pools import POOL_OF, POOLS
from binance_sdk.simulator.rest.rate_limits import Interval, Limiter, RefusalError, Window
from binance_sdk.simulator.rest.served_market import ServedMarket
from binance_sdk.simulator.rest.validation import Call, RequestValidator
from binance_sdk.simulator.rest.weights import STALE_HEADER, WEIGHTS, WITHOUT_HEADER, raw_query
from binance_sdk.simulator.rest.window_stats import RequestCounts, WindowHistory
from binance_sdk.simulator_url import REST_PORTS, SIMULATOR_VARIABLE

_JSON = "application/json;charset=UTF-8"
_PAGE = "text/html;charset=UTF-8"
_DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {"newest_first": newest_first, "bad_row": bad_row}
_MAINTENANCE = Injected(fault=Fault.maintenance())


@dataclass(frozen=True, slots=True)
class Settings:
    """How the exchange behaves; see ``Simulator`` for the meaning of each."""

    seed: int
    history_days: int
    weight_limits: Mapping[Market, int]
    weight_window_seconds: int
    ban_after: int
    api_key_required: bool
    grace_seconds: float
    lively: bool


@dataclass(frozen=True, slots=True)
class Request:
    """What came in at the port of a market."""

    market: Market
    port: int
    method: str
    path: str
    query: str = ""
    accept: str = ""
    api_key: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes
    compress: bool = True
    """Whether the body is sent compressed to whoever takes that."""


class Exchange:
    """All markets, each with paths of its own."""

    def __init__(
        self,
        catalogue: Catalogue,
        instruments: Iterable[Instrument],
        clock: SimulatorClock,
        settings: Settings,
        fixture: fixture_answers.Fixture,
    ) -> None:
        self._clock = clock
        self._fixture = fixture
        self._operations = {(operation.market, operation.path): operation for operation in catalogue.operations}
        now = clock.now_ms()
        listed_at = (now // DAY - settings.history_days) * DAY
        lively_from = now // MINUTE * MINUTE if settings.lively else None
        listed = tuple(instruments)
        _check_weight_limits(settings.weight_limits)
        self.limiters: Mapping[Market, Limiter] = _limiters(catalogue, settings)
        self.markets: Mapping[Market, ServedMarket] = {
            name: ServedMarket(name, listed, settings.seed, listed_at, self.limiters[name], lively_from)
            for name in MARKETS
        }
        self._validators = {
            name: RequestValidator(partial(getattr, market, "table"), api_key_required=settings.api_key_required)
            for name, market in self.markets.items()
        }
        names = {name for operation in catalogue.operations for name in _names(operation)}
        self.faults: Faults = Faults(names, settings.seed)
        # Weights that differ from the table, by operation, and markets under maintenance.
        self._drifted: dict[str, int] = {}
        self._refusing: frozenset[Market] = frozenset()
        self._asked: Counter[str] = Counter()
        self._answered: Counter[int] = Counter()
        self._lock = threading.Lock()

    @property
    def requests(self) -> RequestCounts:
        with self._lock:
            answered, asked = dict(self._answered), dict(self._asked)
        return RequestCounts(sum(answered.values()), asked, answered, self.faults.injected)

    @property
    def pools_from_spec(self) -> tuple[str, ...]:
        """Markets whose limits stand in no table written by hand."""
        return tuple(market for market in self.markets if POOL_OF.get(market) not in POOLS)

    @property
    def weights_from_spec(self) -> tuple[str, ...]:
        """Ids of the endpoints whose price stands in no table written by hand."""
        return tuple(
            sorted(
                operation.id
                for operation in self._operations.values()
                if operation.path not in WEIGHTS.get(operation.market, {})
            )
        )

    def drift(self, operation_id: str, weight: int | None) -> None:
        """Charge another weight than the table's; ``None`` charges that of the table again."""
        if all(operation.id != operation_id for operation in self._operations.values()):
            raise SimulatorError(f"there is no operation {operation_id!r}; write it like spot.klines")
        if weight is None:
            self._drifted.pop(operation_id, None)
        else:
            self._drifted[operation_id] = weight

    def maintain(self, market: Market, *, refuse: bool, show: bool) -> None:
        """Refuse everything, or not; and show every symbol as not traded, or not."""
        with self._lock:
            others = self._refusing - {market}
            self._refusing = frozenset((*others, market)) if refuse else others
        served = self.markets[market]
        served.listings.show_all_as(served.rules.shown_in_maintenance if show else None)

    def draw(self, market: Market, path: str) -> Injected:
        """What goes wrong with the next request to this path of a market."""
        if not self._refusing and not self.faults.armed:
            return NO_FAULT
        operation = self._operations.get((market, path))
        if operation is None:
            return NO_FAULT
        return _MAINTENANCE if operation.market in self._refusing else self.faults.draw(_names(operation))

    def answer(self, request: Request, injected: Injected = NO_FAULT) -> Reply:
        """Answer one request as Binance would at this moment, or as the injected fault has it."""
        now = self._clock.now_ms()
        operation = self._operations.get((request.market, request.path))
        if operation is None:
            reply = self._unknown_path(request, now)
        elif request.method != "GET":
            reply = Reply(405, {"content-type": _JSON, "allow": "GET", "date": _date(now)}, b"")
        else:
            reply = self._known_path(operation, request, now, injected)
        silent = injected.fault is not None and injected.fault.kind in ("reset", "silence")
        with self._lock:
            self._answered[0 if silent else reply.status] += 1
            if operation is not None:
                self._asked[operation.id] += 1
        return reply

    def _unknown_path(self, request: Request, now: int) -> Reply:
        """Binance sends a web page to a browser and JSON to others; neither has ``code`` and ``msg``.

        A path of another market is the mistake of someone who knows one port only, so that answer says more.
        """
        headers = {"content-type": _JSON, "date": _date(now)}
        owners = [market for market in self.markets if (market, request.path) in self._operations]
        if owners:
            told = f"Path {request.path}, Method {request.method} is invalid: {self._elsewhere(request, owners)}"
            return Reply(404, headers, encode({"code": -5000, "msg": told}))
        if "text/html" in request.accept:
            page = "<html><head><title>404 Not found</title></head><body><h1>Not found</h1></body></html>"
            return Reply(404, {"content-type": _PAGE, "date": _date(now)}, page.encode())
        body = encode({"timestamp": now, "status": 404, "error": "Not Found", "path": request.path})
        return Reply(404, headers, body)

    @staticmethod
    def _elsewhere(request: Request, owners: Sequence[Market]) -> str:
        """Where a path is that belongs to other markets."""
        first = request.port - REST_PORTS[request.market]
        found = ", ".join(f"{owner} is at port {first + REST_PORTS[owner]}" for owner in owners)
        return (
            f"port {request.port} of this simulator serves {request.market}, {found}. "
            f"{SIMULATOR_VARIABLE}=http://HOST:{first} points a client at all markets"
        )

    def _known_path(self, operation: Operation[object], request: Request, now: int, injected: Injected) -> Reply:
        headers = {"content-type": _JSON, "date": _date(now)}
        limiter, validator = self.limiters[operation.market], self._validators[operation.market]
        self.markets[operation.market].open(now)
        fault, answered_at = injected.fault, now + round(injected.after * 1000)
        if fault is not None and not fault.counted:
            limiter.notice(now)
            return fault_answer(fault, headers)
        weight = self._weight(operation, request)
        try:
            if fault is not None and fault.kind == "banned":
                limiter.ban(now, fault.seconds, answered_at)
            used = limiter.spend(request.path, weight, now, answered_at)
            headers |= self._used_weight(operation, limiter, used, weight)
            if fault is not None and fault.replaces_answer:
                if fault.kind == "rate_limited":
                    limiter.ask_for_quiet(answered_at, now + math.ceil(fault.seconds) * 1000)
                return fault_answer(fault, headers)
            validator.check_api_key(operation, request.api_key)
            call = validator.read(operation, request.query, now)
            if fault is not None and fault.kind == "short_page":
                call = _shortened(call, fault.rows)
            answer = answers_of(operation.market).get(operation.name)
            if answer is None:
                body = encode(fixture_answers.answer(call, now, self._fixture))
            else:
                body = encode(answer(self.markets[operation.market], call, now))
            return Reply(200, headers, body if fault is None else _DAMAGES.get(fault.kind, bytes)(body))
        except RefusalError as refusal:
            headers |= self._used_weight(operation, limiter, limiter.used(now), weight)
            headers["retry-after"] = str(refusal.retry_after)
            return Reply(refusal.status, headers, encode(refusal.body))
        except RejectionError as rejection:
            return Reply(rejection.status, headers, encode(rejection.body))

    def _weight(self, operation: Operation[object], request: Request) -> int:
        drifted = self._drifted.get(operation.id)
        if drifted is not None:
            return drifted
        price = WEIGHTS.get(operation.market, {}).get(request.path)
        query = raw_query(request.query)
        return price_by_spec(operation, query) if price is None else price(query)

    @staticmethod
    def _used_weight(operation: Operation[object], limiter: Limiter, used: int, weight: int) -> dict[str, str]:
        if operation.path in WITHOUT_HEADER:
            return {}
        shown = str(max(used - weight, 0) if operation.path in STALE_HEADER else used)
        named = {f"x-mbx-used-weight-{Interval(limiter.weight.seconds).label}": shown}
        return {"x-mbx-used-weight": shown, **named} if limiter.pool.bare_header else named


def _check_weight_limits(limits: Mapping[Market, int]) -> None:
    for market, limit in limits.items():
        if market not in MARKETS:
            raise SimulatorError(f"weight_limits: there is no market {market!r}; there are {', '.join(MARKETS)}")
        if limit < 1:
            raise SimulatorError(f"weight_limits: {limit} of {market} is too low: at least 1")


def _limiters(catalogue: Catalogue, settings: Settings) -> Mapping[Market, Limiter]:
    """The counters of each market; markets of one pool have the same."""
    pools = {market: POOL_OF.get(market, facts.pool) for market, facts in MARKETS.items()}
    limiters: dict[str, Limiter] = {}
    for market, name in pools.items():
        if name in limiters:
            continue
        pool = POOLS.get(name) or pool_by_spec(catalogue[market])
        # A limit of one's own for one market of a pool is one for all of them.
        own = [limit for limited, limit in settings.weight_limits.items() if pools[limited] == name]
        limiters[name] = Limiter(
            pool,
            Window(min(own, default=pool.weight_limit), settings.weight_window_seconds),
            ban_after=settings.ban_after,
            history=WindowHistory(round(settings.grace_seconds * 1000)),
        )
    return {market: limiters[name] for market, name in pools.items()}


def _names(operation: Operation[object]) -> tuple[str, str, str]:
    """The names that the pattern of a fault can match."""
    return operation.id, operation.market, operation.path


def fault_answer(fault: Fault, headers: Mapping[str, str]) -> Reply:
    """The answer that a fault gives in place of the true one."""
    seconds = fault.seconds if fault.kind == "rate_limited" else fault.retry_after
    after = {} if seconds is None else {"retry-after": str(math.ceil(seconds))}
    if fault.location:
        after["location"] = fault.location
    if fault.code is not None:
        return Reply(fault.status, {**headers, **after}, encode({"code": fault.code, "msg": fault.message}))
    kind = {"content-type": _PAGE} if fault.message else {}
    bare = {name: value for name, value in headers.items() if name == "date"}
    return Reply(fault.status, bare | kind | after, fault.message.encode())


def _shortened(call: Call, rows: int) -> Call:
    """The call as a server would read it whose pages have fewer rows."""
    limit = call.in_force.get("limit")
    return replace(call, in_force={**call.in_force, "limit": min(limit, rows)}) if isinstance(limit, int) else call


def _date(now: int) -> str:
    return formatdate(now / 1000, usegmt=True)
