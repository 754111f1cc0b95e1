"""What a request costs, and what a market may spend, by the spec: where the tables written by hand have no line.

It makes an endpoint or a market of tomorrow usable before somebody wrote its lines; what is counted so agrees with the
client by construction and proves nothing. ``Simulator.from_spec`` says where that is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from binance_sdk._runtime.operation import MarketCatalogue, Operation, Parameter
from binance_sdk.simulator.rest.pools import Pool

_REFUSED = 1
"""What a request costs that the server cannot make sense of."""


def price_by_spec(operation: Operation[object], query: Mapping[str, str]) -> int:
    """The weight of a raw query; nobody has checked it, because a refused request costs weight too."""
    try:
        given = {name: _read(operation.by_wire[name], value) for name, value in query.items()}
        return operation.price(given)
    except (LookupError, TypeError, ValueError):
        return _REFUSED


def _read(parameter: Parameter, value: str) -> Any:
    if parameter.list:
        return json.loads(value) if value.startswith("[") else [value]
    return int(value) if parameter.type in ("int", "id", "time") else value


def pool_by_spec(market: MarketCatalogue) -> Pool:
    """What the addresses of a market may spend; refused in the words of the futures hosts."""
    groups = market.limits.groups
    own = [(operation.path, group) for operation in market for group in operation.groups]
    of_all = [("/", name) for name, limit in groups.items() if limit.every_request]
    return Pool(
        weight_limit=market.limits.weight.limit,
        groups={name: (limit.limit, limit.seconds) for name, limit in groups.items()},
        groups_by_path=(*own, *of_all),
        too_much_weight="Too many requests",
        way_too_much="Way too many requests",
        advice="the websocket",
    )
