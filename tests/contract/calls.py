"""Every example answer of the catalogue as a case, and real clients that are answered with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import httpx
import respx

from binance_sdk import BinanceClient, SyncBinanceClient
from binance_sdk._limits import MarketLimitsView
from binance_sdk.catalogue import CATALOGUE, Operation, Variant, fixture

Kind = Literal["async", "sync"]
KINDS: tuple[Kind, ...] = get_args(Kind)
API_KEY = "an-api-key-of-a-test"
NOW_MS = 1_767_225_615_250
"""2026-01-01 00:00:15.25 UTC: inside a minute, so the clock can move without a window ending."""


@dataclass(frozen=True)
class Case:
    """One example answer, and the call that gets it."""

    operation: Operation[Any]
    variant: Variant[Any]
    suffix: str

    @property
    def id(self) -> str:
        return f"{self.operation.id}.{self.suffix}" if self.suffix else self.operation.id

    @property
    def body(self) -> bytes:
        return fixture(self.operation.market, self.operation.name, self.suffix)

    @property
    def wire(self) -> dict[str, Any]:
        """The arguments by wire name."""
        return dict(self.variant.example)

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments by Python name."""
        return {self.operation.by_wire[name].name: value for name, value in self.wire.items()}


CASES = [
    Case(operation, variant, suffix)
    for operation in CATALOGUE.operations
    for variant in operation.variants
    for suffix in variant.fixtures
]
OPERATIONS = list(CATALOGUE.operations)


@dataclass(frozen=True)
class Called:
    """What a call brought, what was sent for it, and what it cost."""

    result: Any
    requests: list[httpx.Request]
    limits: MarketLimitsView

    @property
    def request(self) -> httpx.Request:
        (only,) = self.requests
        return only


def answering(
    operation: Operation[Any], body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> respx.MockRouter:
    """A server that knows one path of one host and nothing else."""
    router = respx.MockRouter(assert_all_called=False)
    host = CATALOGUE.environments["mainnet"].hosts[operation.market].rest[0].removeprefix("https://")
    sent = {"content-type": "application/json;charset=UTF-8", **(headers or {})}
    router.get(scheme="https", host=host, path=operation.path).respond(status, content=body, headers=sent)
    return router


async def call(
    kind: Kind,
    operation: Operation[Any],
    arguments: Mapping[str, Any],
    body: bytes,
    *,
    view: Literal["", "with_raw_response", "plan"] = "",
    api_key: str | None = API_KEY,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Called:
    """Call the method of a real client; only the socket below httpx is replaced."""
    router = answering(operation, body, status=status, headers=headers)
    result: Any
    if kind == "async":
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(router.async_handler)) as over,
            BinanceClient(api_key=api_key, http_client=over) as client,
        ):
            result = _method(getattr(client, operation.market), view, operation)(**arguments)
            result = result if view == "plan" else await result
            limits = getattr(client.limits, operation.market)
    else:
        with (
            httpx.Client(transport=httpx.MockTransport(router.handler)) as below,
            SyncBinanceClient(api_key=api_key, http_client=below) as blocking,
        ):
            result = _method(getattr(blocking, operation.market), view, operation)(**arguments)
            limits = getattr(blocking.limits, operation.market)
    return Called(result, [made.request for made in router.calls], limits)


def _method(api: Any, view: str, operation: Operation[Any]) -> Any:
    return getattr(getattr(api, view) if view else api, operation.name)


def canonical(content: bytes | str) -> str:
    """JSON as one text that two documents share only where they hold the same, ``1``, ``1.0`` and ``"1"`` apart."""
    parsed = json.loads(content, parse_float=lambda text: {"float": text}, parse_int=lambda text: {"int": text})
    return json.dumps(parsed, sort_keys=True, ensure_ascii=False)


def written(variant: Variant[Any], data: object) -> bytes:
    """An answer written back as JSON."""
    return variant.adapter.dump_json(data, by_alias=True, exclude_unset=True)
