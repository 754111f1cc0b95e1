"""Makes single calls for ``verify``, through the engine of a client: its budget, its gate, its retries.

What comes back is the answer as it is on the wire, or why there is none that says anything about the spec.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from binance_sdk._runtime.calls.engine import Engine
from binance_sdk._runtime.calls.parameters import text
from binance_sdk._runtime.market import Market
from binance_sdk._runtime.operation import Cache, Operation, Parameter, Variant
from binance_sdk._runtime.options import RequestOptions
from binance_sdk._runtime.response import Headers
from binance_sdk._runtime.weight import ArgumentValue, Fixed
from binance_sdk.errors import (
    APIError,
    BinanceError,
    DecodeError,
    ForbiddenError,
    IPBannedError,
    RateLimitError,
    RestrictedLocationError,
    ServerError,
)
from binance_sdk.verify.market_spec import OperationSpec

_ABOUT_US = (RestrictedLocationError, ForbiddenError, IPBannedError, RateLimitError)
"""Refusals that say something about who asks, and nothing about the endpoint."""
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came.

    Attributes:
        status: HTTP status.
        headers: Its headers.
        body: Its body, decompressed.
        refused: Whether it is an error.
        code: The code of an error; None where the body has none.
        message: The message of an error.
    """

    status: int
    headers: Headers
    body: bytes
    refused: bool = False
    code: int | None = None
    message: str = ""

    def json(self) -> JsonValue:
        """The body.

        Raises:
            ValueError: it is no JSON.
        """
        return cast("JsonValue", json.loads(self.body))


@dataclass(frozen=True, slots=True)
class NoReply:
    """Why there is nothing to compare.

    Attributes:
        because: In words.
        for_all: It holds for whatever is asked of that host.
    """

    because: str
    for_all: bool = False


class Asker:
    """Asks the endpoints of one market."""

    def __init__(self, engine: Engine, market: Market, options: RequestOptions) -> None:
        self._engine = engine
        self._market = market
        self._options = options

    async def ask(
        self, name: str, operation: OperationSpec, arguments: Mapping[str, ArgumentValue], weight: int
    ) -> Reply | NoReply:
        """One call.

        Args:
            name: Name of the operation.
            operation: What the spec says of it.
            arguments: What is sent, also what the operation would refuse unsent.
            weight: What the budget is charged.
        """
        given = {wire: text(value) for wire, value in arguments.items()}
        called = _anything(self._market, name, operation, tuple(given), weight)
        try:
            response = await self._engine.call(called, given, self._options)
        except _ABOUT_US as error:
            return NoReply(_reason(error), for_all=True)
        except ServerError as error:
            return NoReply(_reason(error))
        except APIError as error:
            return Reply(error.status_code, Headers(error.headers), error.body, True, error.code, error.message)
        except DecodeError as error:
            if error.body.lstrip()[:1] == b"<":
                return NoReply("the answer is a web page, as in maintenance")
            return Reply(error.status_code or 200, Headers(error.headers), error.body)
        except BinanceError as error:
            return NoReply(_reason(error))
        return Reply(response.status_code, response.headers, response.content)


def _reason(error: BinanceError) -> str:
    words = str(error).removeprefix(f"{error.operation}: ")
    return words if len(words) <= _LONGEST_REASON else f"{words[:_LONGEST_REASON]}…"


def _anything(
    market: Market, name: str, operation: OperationSpec, wires: tuple[str, ...], weight: int
) -> Operation[object]:
    """The endpoint, as one that takes any text and answers any JSON: what is wrong about either is for us to find."""
    return Operation(
        id=f"{market}.{name}",
        market=market,
        name=name,
        path=operation.path,
        weight=Fixed(weight),
        variants=(Variant(object),),
        cache=Cache(0),
        hosts=operation.hosts,
        parameters=tuple(Parameter(wire=wire, name=wire, type="string") for wire in wires),
        groups=operation.groups,
        security=operation.security,
        used_weight_header=operation.used_weight_header,
    )
