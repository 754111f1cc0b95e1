"""What Binance does otherwise than the spec says, as met in ordinary use; in the words of ``binance_sdk.verify``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["breaking", "noted"]
"""``breaking``: calls fail, or cost more than was reckoned. ``noted``: they go on, and the spec should learn of it."""

FieldKind: TypeAlias = Literal[
    "field_added", "positions_added", "field_missing", "positions_missing", "type_changed", "null", "empty_string"
]
"""What can be different about a field, or about a position of a row."""

_FIELD_WORDS: dict[FieldKind, str] = {
    "field_added": "a field that the spec does not know",
    "positions_added": "a row has more positions",
    "field_missing": "a field that is always sent is not there",
    "positions_missing": "a row has fewer positions",
    "type_changed": "a value of another type",
    "null": "null where a value is promised",
    "empty_string": '"" where a number is promised',
}


@dataclass(frozen=True, slots=True)
class WeightDrift:
    """The server charges another weight than the spec says.

    Args:
        operation: E.g. ``spot.klines``.
        spec: Weight by the spec.
        seen: Weight the server took.
        count: How often it was seen.
    """

    operation: str
    spec: int
    seen: int
    count: int

    @property
    def severity(self) -> Severity:
        """``breaking`` where a call costs more than was reckoned."""
        return "breaking" if self.seen > self.spec else "noted"

    def __str__(self) -> str:
        return f"{self.operation}: the spec says {self.spec}, the server took {self.seen}"


@dataclass(frozen=True, slots=True)
class FieldDrift:
    """A field is there that the spec does not know, or one that it promises is gone, or of another type.

    Args:
        operation: E.g. ``spot.klines``, or of a stream ``spot.agg_trade``.
        path: Place in wire names: ``symbols[].filters[].minPrice``, ``[][4]`` for a position of a row, ``bids{}`` for
            any value of a map.
        kind: What is different.
        spec: What the spec says, in words; empty for what it does not know.
        seen: The first value that was met, as JSON, shortened; empty for what is gone.
        variant: Which answer of the operation, where there are several.
    """

    operation: str
    path: str
    kind: FieldKind
    spec: str
    seen: str
    variant: str = ""

    @property
    def severity(self) -> Severity:
        """What is added is kept and breaks nothing; all else is a ``DecodeError``, or costs its row or message."""
        return "noted" if self.kind in ("field_added", "positions_added") else "breaking"

    def __str__(self) -> str:
        text = f"{_place(self.operation, self.variant, self.path)}: {_FIELD_WORDS[self.kind]}"
        if self.spec:
            text += f", should be {self.spec}"
        return f"{text}, got {self.seen}" if self.seen else text


@dataclass(frozen=True, slots=True)
class ValueDrift:
    """A value that the enum of the spec does not list, or a kind of object that its union does not list.

    It is kept as it is, as a string or as the ``Unknown`` member of the union, and breaks nothing.

    Args:
        operation: E.g. ``spot.exchange_info``, or of a stream ``futures.contract_info``.
        path: Place in wire names, e.g. ``symbols[].status``; of a kind of object that of the key that says it.
        kind: Whether it is a value of an enum or a kind of object.
        spec: The values or kinds that the spec lists.
        seen: The one that is new.
        variant: Which answer of the operation, where there are several.
    """

    operation: str
    path: str
    kind: Literal["value_added", "member_added"]
    spec: tuple[str, ...]
    seen: str
    variant: str = ""

    @property
    def severity(self) -> Severity:
        """Always ``noted``."""
        return "noted"

    def __str__(self) -> str:
        what = "a value" if self.kind == "value_added" else "a kind of object"
        return f"{_place(self.operation, self.variant, self.path)}: {what} that the spec does not list: {self.seen!r}"


Drift: TypeAlias = WeightDrift | FieldDrift | ValueDrift
"""What ``on_drift`` and ``client.drift()`` tell."""


def _place(operation: str, variant: str, path: str) -> str:
    name = f"{operation} ({variant})" if variant else operation
    return f"{name}: {path}" if path else name
