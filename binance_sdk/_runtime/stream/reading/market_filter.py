"""Tells the events of the consumer's market from those of other markets that the same stream carries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, cast

from binance_sdk._runtime.stream.operation import OwnRows


class MarketFilter:
    """Applies the rule ``own_rows`` of the spec, to typed events and to JSON that could not be decoded.

    Args:
        rule: The rule of the spec.
        item: The event model, which knows the name of the rule's field on the wire.
    """

    def __init__(self, rule: OwnRows, item: Any) -> None:
        self._value_of = attrgetter(rule.field)
        self._own = frozenset(rule.values)
        self._key: str = item.model_fields[rule.field].alias or rule.field

    def is_own(self, event: Any) -> bool:
        """Whether it belongs to the market. An event without the field dates from before streams were shared."""
        value = self._value_of(event)
        return value is None or value in self._own

    def foreign_rows(self, payload: bytes) -> frozenset[int]:
        """Places of the events of other markets in a message that could not be decoded; 0 if it is a single event."""
        try:
            found: object = json.loads(payload)
        except (ValueError, RecursionError):
            return frozenset()
        rows = cast("list[object]", found) if isinstance(found, list) else [found]
        return frozenset(at for at, row in enumerate(rows) if self._is_foreign(row))

    def _is_foreign(self, row: object) -> bool:
        if not isinstance(row, dict):
            return False
        value = cast("Mapping[str, object]", row).get(self._key)
        return isinstance(value, (int, str)) and value not in self._own
