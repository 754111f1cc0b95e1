"""What the SDK knows about Binance, as data: operations, limits, hosts, error codes and example answers."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from pydantic import JsonValue, TypeAdapter

from binance_sdk._generated.catalogue import CATALOGUE
from binance_sdk._runtime.operation import (
    Catalogue,
    Environment,
    Limit,
    Market,
    MarketCatalogue,
    MarketLimits,
    Operation,
    Parameter,
    Variant,
)

__all__ = [
    "CATALOGUE",
    "Catalogue",
    "Environment",
    "Limit",
    "Market",
    "MarketCatalogue",
    "MarketLimits",
    "Operation",
    "Parameter",
    "Variant",
    "fixture",
]


def fixture(market: Market, operation: str, suffix: str = "") -> bytes:
    """The example answer of an operation, as Binance would send it.

    Args:
        market: ``spot`` or ``futures``.
        operation: Name of the operation, e.g. ``klines``.
        suffix: Which answer, where there are several; see ``Variant.fixtures``.

    Raises:
        LookupError: there is no such fixture.
    """
    name = f"{operation}.{suffix}" if suffix else operation
    body = _fixtures(market).get(name)
    if body is None:
        raise LookupError(f"no fixture {name!r} for {market}; there are {', '.join(sorted(_fixtures(market)))}")
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _fixtures(market: Market) -> dict[str, JsonValue]:
    content = files("binance_sdk._generated").joinpath(market, "fixtures.json").read_bytes()
    return TypeAdapter(dict[str, JsonValue]).validate_json(content)
