"""Whose an event is, where a stream carries those of several markets: by one rule of the spec, typed or still JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, cast

from binance_sdk._runtime.stream.operation import OwnRows


class Ownership:
    """Tells the events of the consumer's market from those of others.

    Args:
        rule: The rule of the spec.
        item: The event model, which knows how the attribute is called on the wire.
    """

    def __init__(self, rule: OwnRows, item: Any) -> None:
        self._value_of = attrgetter(rule.field)
        self._own = frozenset(rule.values)
        self._key: str = item.model_fields[rule.field].alias or rule.field

    def owns(self, event: Any) -> bool:
        """Whether it belongs to the market; one that does not say was sent before there were others."""
        value = self._value_of(event)
        return value is None or value in self._own

    def foreign(self, payload: bytes) -> frozenset[int]:
        """Places of the events of other markets in a message that cannot be read as the spec says; 0 for a lone one."""
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
