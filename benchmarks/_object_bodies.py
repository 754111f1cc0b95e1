"""Answers made of objects, of full size: an example of the spec many times over, with other names and digits."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any, Literal

from binance_sdk.catalogue import fixture

_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+")
_PERMISSIONS = [*("SPOT", "MARGIN"), *(f"TRD_GRP_{number:03}" for number in range(2, 62))]


def rows(market: Literal["spot", "futures"], operation: str, count: int, suffix: str = "") -> bytes:
    """A list of ``count`` rows like the first one of the example."""
    random = Random(5)
    example = json.loads(fixture(market, operation, suffix))[0]
    return _written(
        [{key: _varied(value, number, random) for key, value in example.items()} for number in range(count)]
    )


def _varied(value: Any, number: int, random: Random) -> Any:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        places = len(value.partition(".")[2])
        return f"{10 ** random.uniform(-1, 4):.{places}f}"
    if isinstance(value, str):
        return f"{value}{number}"
    return value + number if type(value) is int else value


def exchange_info(symbols: int = 1600) -> bytes:
    """The rules of as many symbols as trade on spot; the same few steps, limits and permissions again and again."""
    random = Random(6)
    body = json.loads(fixture("spot", "exchange_info"))
    example = body["symbols"][0]
    body["symbols"] = []
    for number in range(symbols):
        step = f"{10.0 ** -random.randrange(0, 8):.8f}"
        filters = [
            {
                key: step if key in ("tickSize", "stepSize", "minPrice", "minQty") else value
                for key, value in filter_.items()
            }
            for filter_ in example["filters"]
        ]
        sets = [random.sample(_PERMISSIONS, random.randrange(3, len(_PERMISSIONS)))]
        name = f"A{number}"
        changed = {"symbol": f"{name}USDT", "baseAsset": name, "filters": filters, "permissionSets": sets}
        body["symbols"].append({**example, **changed})
    return _written(body)


def _written(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
