"""What a request costs by the spec, for endpoints that the table written by hand does not have.

It makes an endpoint of tomorrow usable before somebody wrote its line; what is charged so agrees with the client by
construction and proves nothing. ``Simulator.from_spec`` says for which endpoints that is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from binance_sdk._runtime.operation import Operation, Parameter

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
