"""The exchange without its sockets: a request goes in, a reply comes out, and only the clock is asked for the time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial

from binance_sdk._runtime.operation import Catalogue, Operation
from binance_sdk.simulator import fallback, futures, spot
from binance_sdk.simulator.candles import DAY
from binance_sdk.simulator.clock import SimulatorClock
from binance_sdk.simulator.errors import RejectionError
from binance_sdk.simulator.judge import Judge
from binance_sdk.simulator.limits import Interval, Limiter, RefusalError, Window
from binance_sdk.simulator.render import encode
from binance_sdk.simulator.symbols import Instrument, Market
from binance_sdk.simulator.venue import Venue
from binance_sdk.simulator.weights import STALE_HEADER, WEIGHT_LIMITS, WEIGHTS, WITHOUT_HEADER, raw_query

_JSON = "application/json;charset=UTF-8"
_ANSWERS = {"spot": spot.ANSWERS, "futures": futures.ANSWERS}


@dataclass(frozen=True, slots=True)
class Settings:
    """How the exchange behaves; see ``Simulator`` for the meaning of each."""

    seed: int
    history_days: int
    weight_limits: Mapping[Market, int | None]
    weight_window_seconds: int
    ban_after: int
    api_key_required: bool


@dataclass(frozen=True, slots=True)
class Request:
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


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """What a simulator was asked since it exists.

    Attributes:
        total: All requests, those with an unknown path too.
        by_operation: By operation id, e.g. ``spot.klines``; refused and rejected requests count.
        by_status: By HTTP status of the answer.
    """

    total: int
    by_operation: Mapping[str, int]
    by_status: Mapping[int, int]


class Exchange:
    """Both markets behind one address."""

    def __init__(
        self,
        catalogue: Catalogue,
        instruments: Iterable[Instrument],
        clock: SimulatorClock,
        settings: Settings,
        fixture: fallback.Fixture,
    ) -> None:
        self._clock = clock
        self._fixture = fixture
        self._operations = {operation.path: operation for operation in catalogue}
        listing = (clock.now_ms() // DAY - settings.history_days) * DAY
        listed = tuple(instruments)
        markets: tuple[Market, ...] = ("spot", "futures")
        self.limiters: Mapping[Market, Limiter] = {
            market: Limiter(
                market,
                Window(settings.weight_limits[market] or WEIGHT_LIMITS[market], settings.weight_window_seconds),
                patience=settings.ban_after,
            )
            for market in markets
        }
        self.venues: Mapping[Market, Venue] = {
            market: Venue(market, listed, settings.seed, listing, self.limiters[market]) for market in markets
        }
        self._judges = {
            market: Judge(partial(getattr, venue, "table"), api_key_required=settings.api_key_required)
            for market, venue in self.venues.items()
        }
        self._asked: Counter[str] = Counter()
        self._answered: Counter[int] = Counter()
        self._lock = threading.Lock()

    @property
    def requests(self) -> RequestCounts:
        with self._lock:
            return RequestCounts(self._answered.total(), dict(self._asked), dict(self._answered))

    def answer(self, request: Request) -> Reply:
        """Answer one request as Binance would at this moment."""
        now = self._clock.now_ms()
        operation = self._operations.get(request.path)
        if operation is None:
            reply = self._unknown_path(request, now)
        elif request.method != "GET":
            reply = Reply(405, {"content-type": _JSON, "allow": "GET", "date": _date(now)}, b"")
        else:
            reply = self._known_path(operation, request, now)
        with self._lock:
            self._answered[reply.status] += 1
            if operation is not None:
                self._asked[operation.id] += 1
        return reply

    def _unknown_path(self, request: Request, now: int) -> Reply:
        """Binance shows a web page to whoever looks like a browser; neither form has ``code`` and ``msg``."""
        if "text/html" in request.accept:
            page = "<html><head><title>404 Not found</title></head><body><h1>Not found</h1></body></html>"
            return Reply(404, {"content-type": "text/html;charset=UTF-8", "date": _date(now)}, page.encode())
        body = encode({"timestamp": now, "status": 404, "error": "Not Found", "path": request.path})
        return Reply(404, {"content-type": _JSON, "date": _date(now)}, body)

    def _known_path(self, operation: Operation[object], request: Request, now: int) -> Reply:
        headers = {"content-type": _JSON, "date": _date(now)}
        limiter, judge = self.limiters[operation.market], self._judges[operation.market]
        self.venues[operation.market].open(now)
        price = WEIGHTS.get(request.path)
        # An endpoint only the catalogue knows costs 1: the hand-written table is not to be filled from the spec.
        weight = 1 if price is None else price(raw_query(request.query))
        try:
            used = limiter.spend(request.path, weight, now)
            headers |= self._used_weight(operation, limiter, used, weight)
            judge.key(operation, request.api_key)
            call = judge.call(operation, request.query, now)
            answer = _ANSWERS[operation.market].get(operation.name)
            if answer is None:
                body = encode(fallback.answer(call, now, self._fixture))
            else:
                body = encode(answer(self.venues[operation.market], call, now))
            return Reply(200, headers, body)
        except RefusalError as refusal:
            headers |= self._used_weight(operation, limiter, limiter.used(now), weight)
            headers["retry-after"] = str(refusal.retry_after)
            return Reply(refusal.status, headers, encode(refusal.body))
        except RejectionError as rejection:
            return Reply(rejection.status, headers, encode(rejection.body))

    @staticmethod
    def _used_weight(operation: Operation[object], limiter: Limiter, used: int, weight: int) -> dict[str, str]:
        if operation.path in WITHOUT_HEADER:
            return {}
        shown = str(max(used - weight, 0) if operation.path in STALE_HEADER else used)
        named = {f"x-mbx-used-weight-{Interval(limiter.weight.seconds).label}": shown}
        return {"x-mbx-used-weight": shown, **named} if operation.market == "spot" else named


def _date(now: int) -> str:
    return formatdate(now / 1000, usegmt=True)
