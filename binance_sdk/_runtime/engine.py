"""One call from arguments to typed answer: validate, price, reserve, send, settle, decode.

Written once as coroutines and used by both clients (see ``drive``). Knows operations and limits, no client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.limits import Cost, Pool
from binance_sdk._runtime.operation import Catalogue, Limit, Market, Operation, Variant
from binance_sdk._runtime.options import Headers, Plan, RequestOptions, Response
from binance_sdk._runtime.parameters import query, validate
from binance_sdk._runtime.weight import Arguments
from binance_sdk.errors import ConfigError

T = TypeVar("T")

USED_WEIGHT = "x-mbx-used-weight-1m"
API_KEY = "X-MBX-APIKEY"


@dataclass(frozen=True, slots=True)
class MarketHost:
    """Where one market is asked, and from which pool its calls are paid."""

    base_url: str
    pool: Pool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call that passed every check and knows its price; nothing is sent yet."""

    operation: Operation[Any]
    given: Arguments
    variant: Variant[Any]
    cost: Cost
    url: str


@dataclass(frozen=True)
class Engine:
    """Makes calls; shared by a client and its ``with_options`` copies."""

    catalogue: Catalogue
    environment: str
    """Name of the environment, or empty where base URLs were given."""
    hosts: Mapping[Market, MarketHost]
    transport: Callable[[], Any]
    clock: Clock
    api_key: str | None
    user_agent: str

    def prepare(self, operation: Operation[Any], arguments: Mapping[str, object]) -> Prepared:
        """Check and price a call.

        Raises:
            ParameterError: an argument is wrong.
            ConfigError: the environment does not serve the operation, or a needed key is missing.
        """
        given = validate(operation, arguments, round(self.clock.time() * 1000))
        host = self.hosts.get(operation.market)
        if host is None or (self.environment and self.environment not in operation.hosts):
            names = ", ".join(operation.hosts)
            raise ConfigError(
                f"{operation.id} is not served by environment {self.environment!r}; use one of {names}",
                operation=operation.id,
            )
        if operation.security == "api_key" and not self.api_key:
            raise ConfigError(
                f"{operation.id} needs an API key: pass api_key= or set BINANCE_API_KEY (no secret is needed)",
                operation=operation.id,
            )
        text = query(given)
        url = f"{host.base_url}{operation.path}{'?' if text else ''}{text}"
        cost = Cost(operation.price(given), operation.groups)
        return Prepared(operation, given, operation.variant_for(given), cost, url)

    def plan(self, prepared: Prepared) -> Plan:
        """What one call costs."""
        return self.plan_many(prepared.operation, [(1, prepared)])

    def plan_many(self, operation: Operation[Any], parts: Sequence[tuple[int, Prepared]]) -> Plan:
        """What several calls of one operation cost together."""
        requests = sum(count for count, _ in parts)
        weight = sum(count * prepared.cost.weight for count, prepared in parts)
        groups = dict.fromkeys(operation.groups, requests)
        limits = self.hosts[operation.market].pool.limits
        waits = [_full_windows(weight, limits.weight)]
        waits += [_full_windows(requests, limits.groups[name]) for name in groups]
        return Plan(operation.id, requests, weight, groups, max(waits))

    async def call(
        self, operation: Operation[T], arguments: Mapping[str, object], options: RequestOptions
    ) -> Response[T]:
        """Make a call.

        Raises:
            BinanceError: one of the tree in ``binance_sdk.errors``, and nothing else.
        """
        from binance_sdk._runtime.decode import decode
        from binance_sdk._runtime.failures import failed, refused
        from binance_sdk._runtime.http import PreparedRequest, TransportFailure

        prepared = self.prepare(operation, arguments)
        pool = self.hosts[operation.market].pool
        reservation = pool.reserve(prepared.cost, self.clock.time())
        while isinstance(reservation, float):
            await self.clock.sleep(max(0.0, reservation - self.clock.time()))
            reservation = pool.reserve(prepared.cost, self.clock.time())
        request = PreparedRequest(prepared.url, self._headers(operation, options), options.timeout or 10.0)
        started = self.clock.monotonic()
        reported: int | None = None
        try:
            raw = await self.transport().send(request)
            reported = used_weight(raw.headers)
        except TransportFailure as failure:
            raise failed(operation, failure, prepared.url) from (failure.__cause__ or failure)
        finally:
            trusted = reported if operation.used_weight_header == "trusted" else None
            pool.settle(reservation, trusted, self.clock.time())
        elapsed = self.clock.monotonic() - started
        error = refused(operation, raw, self.catalogue, self.environment, round(self.clock.time() * 1000))
        if error is not None:
            raise error
        return Response(
            data=decode(operation, prepared.variant, raw),
            status_code=raw.status_code,
            headers=raw.headers,
            content=raw.content,
            weight=prepared.cost.weight,
            used_weight=reported,
            url=prepared.url,
            elapsed=elapsed,
            retries=0,
        )

    def _headers(self, operation: Operation[Any], options: RequestOptions) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": self.user_agent, **(options.headers or {})}
        if self.api_key and operation.security != "none":
            headers[API_KEY] = self.api_key
        return headers


def _full_windows(amount: int, limit: Limit) -> float:
    """Seconds of whole windows that must pass before the last part fits."""
    return float(max(0, -(-amount // limit.limit) - 1) * limit.seconds)


def used_weight(headers: Headers) -> int | None:
    text = headers.get(USED_WEIGHT, "")
    return int(text) if text.isdigit() else None
