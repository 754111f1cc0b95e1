"""A message with a COIN-M row in it, on demand: also where no such contract is listed."""

from __future__ import annotations

import json
from typing import Any, cast

from binance_sdk.simulator.json_text import json_text

_RENAMED = {"s": "BTCUSD_PERP", "ps": "BTCUSD", "st": 2}


def as_coin_m(payload: bytes) -> bytes:
    """The message as one of a COIN-M contract on bitcoin; of a list, the list with such a row at its end."""
    message: object = json.loads(payload)
    if isinstance(message, list):
        rows = cast("list[dict[str, Any]]", message)
        return json_text([*rows, *map(_renamed, rows[:1])])
    return json_text(_renamed(cast("dict[str, Any]", message)))


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    order = row.get("o")
    if isinstance(order, dict):
        # A liquidation names its symbol in the order.
        market = {name: _RENAMED[name] for name in ("ps", "st")}
        return {**row, "o": {**cast("dict[str, Any]", order), **_RENAMED}, **market}
    return {**row, **_RENAMED}
