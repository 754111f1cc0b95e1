"""Compares JSON with the shape that the spec promises. Pure: no IO, no clock.

Many answers are one look: what differs is told once for each place, with one value that shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from binance_sdk.verify.finding import Kind
from binance_sdk.verify.market_spec import FieldSpec, MarketSpec, ObjectSpec, PositionSpec, Remarks, RowSpec, UnionSpec

_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_MOST_CHARACTERS, _MOST_ITEMS, _MOST_KEYS = 400, 20, 60
"""What stands of a text, a list or an object in a finding."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; the fields are those of ``Finding``.

    Attributes:
        read: The SDK reads it all the same, as it does a null in the place of a field that may be absent.
    """

    kind: Kind
    path: str
    owner: str
    spec: JsonValue
    seen: JsonValue
    uncertain: Remarks = ()
    read: bool = False


def _is_int(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_decimal(value: JsonValue) -> bool:
    return isinstance(value, str) and _DECIMAL.fullmatch(value) is not None


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str)


_SCALARS: Mapping[str, Callable[[JsonValue], bool]] = {
    "int": _is_int,
    "id": _is_int,
    "time": _is_int,
    "time_or_digits": lambda value: _is_int(value) or (isinstance(value, str) and value.isdecimal()),
    "decimal": _is_decimal,
    "number": _is_number,
    "decimal_or_number": lambda value: _is_number(value) or _is_decimal(value),
    "string": _is_text,
    "symbol": lambda value: isinstance(value, str) and value != "",
    "bool": lambda value: isinstance(value, bool),
    "any": lambda value: True,
}


def item_of(type_: str, container: str) -> str | None:
    """``decimal`` for ``list<decimal>``; None where the type is no such container."""
    return type_[len(container) + 1 : -1] if type_.startswith(f"{container}<") else None


def fits(spec: MarketSpec, type_: str, value: JsonValue) -> bool:
    """Whether a value could be one of this type, as far as that shows at its surface."""
    check = _SCALARS.get(type_)
    if check is not None:
        return check(value)
    if type_.startswith("list<") or isinstance(spec.schemas.get(type_), RowSpec):
        return isinstance(value, list)
    return isinstance(value, str) if type_ in spec.enums else isinstance(value, dict)


@dataclass
class _Objects:
    """All objects of one schema that were met at one place."""

    count: int = 0
    missing: dict[str, int] = field(default_factory=dict[str, int])
    added: dict[str, tuple[int, JsonValue]] = field(default_factory=dict[str, tuple[int, JsonValue]])


@dataclass
class Comparison:
    """Collects the differences of any number of values of one type."""

    spec: MarketSpec
    _objects: dict[tuple[str, str], _Objects] = field(default_factory=dict[tuple[str, str], _Objects])
    _told: dict[tuple[str, ...], Difference] = field(default_factory=dict[tuple[str, ...], Difference])

    def add(self, type_: str, value: JsonValue, path: str = "") -> None:
        """Look at one value."""
        self._value(FieldSpec(type=type_), value, path, "")

    def differences(self) -> Iterator[Difference]:
        """Everything that was found so far."""
        yield from self._told.values()
        for (path, owner), met in self._objects.items():
            yield from self._fields(path, owner, met)

    # ----------------------------------------------------------------------------------- values

    def _value(self, field: FieldSpec, value: JsonValue, path: str, owner: str) -> None:
        type_ = field.type
        check = _SCALARS.get(type_)
        if check is not None and check(value):
            return
        if value is None:
            if not field.nullable and type_ != "any":
                self._tell("null", path, owner, type_, None, field.uncertain, read=field.optional)
            return
        if value == "" and (check is not None or type_ in self.spec.enums):
            if not field.empty and "" not in self._values_of(type_):
                read = type_ == "symbol" or type_ in self.spec.enums
                self._tell("empty_string", path, owner, type_, "", field.uncertain, read=read)
            return
        item = item_of(type_, "list")
        if item is not None and isinstance(value, list):
            inner = FieldSpec(type=item, uncertain=field.uncertain)
            for one in value:
                self._value(inner, one, f"{path}[]", owner)
            return
        item = item_of(type_, "map")
        if item is not None and isinstance(value, dict):
            inner = FieldSpec(type=item, uncertain=field.uncertain)
            for one in value.values():
                self._value(inner, one, f"{path}{{}}", owner)
            return
        if not fits(self.spec, type_, value) or type_ not in (*self.spec.enums, *self.spec.schemas):
            self._tell("type_changed", path, owner, type_, value, field.uncertain)
        elif type_ in self.spec.enums:
            self._choice(type_, value, path)
        else:
            self._schema(type_, value, path)

    def _values_of(self, type_: str) -> tuple[str, ...]:
        enum = self.spec.enums.get(type_)
        return () if enum is None else enum.values

    def _choice(self, name: str, value: JsonValue, path: str) -> None:
        enum = self.spec.enums[name]
        if value not in enum.values:
            self._tell("value_added", path, name, list(enum.values), value, enum.uncertain, str(value))

    def _schema(self, name: str, value: JsonValue, path: str) -> None:
        schema = self.spec.schemas[name]
        if isinstance(schema, RowSpec) and isinstance(value, list):
            self._row(name, schema, value, path)
        elif isinstance(schema, UnionSpec) and isinstance(value, dict):
            self._union(name, schema, value, path)
        elif isinstance(schema, ObjectSpec) and isinstance(value, dict):
            self._object(name, schema, value, path)

    def _row(self, name: str, schema: RowSpec, value: list[JsonValue], path: str) -> None:
        wanted = len(schema.row)
        if len(value) != wanted:
            # Behind a position that came or went all others would be called wrong as well.
            self._tell("positions_added" if len(value) > wanted else "positions_missing", path, name, wanted, value)
            return
        for index, (position, one) in enumerate(zip(schema.row, value, strict=True)):
            if not position.unused:
                self._position(position, one, f"{path}[{index}]", name)

    def _position(self, position: PositionSpec, value: JsonValue, path: str, owner: str) -> None:
        check = _SCALARS[position.type]
        if not check(value):
            self._value(FieldSpec(type=position.type, uncertain=position.uncertain), value, path, owner)

    def _union(self, name: str, schema: UnionSpec, value: dict[str, JsonValue], path: str) -> None:
        tag = value.get(schema.discriminator)
        place = f"{path}.{schema.discriminator}".lstrip(".")
        if not isinstance(tag, str):
            kind: Kind = "type_changed" if schema.discriminator in value else "field_missing"
            self._tell(kind, place, name, "string", tag)
        elif tag not in schema.members:
            self._tell("member_added", place, name, list(schema.members), value, (), tag)
        else:
            self._schema(schema.members[tag], value, path)

    def _object(self, name: str, schema: ObjectSpec, value: dict[str, JsonValue], path: str) -> None:
        met = self._objects.setdefault((path, name), _Objects())
        met.count += 1
        fields = schema.fields
        for key, inner in value.items():
            known = fields.get(key)
            if known is None:
                count, sample = met.added.get(key, (0, inner))
                met.added[key] = count + 1, sample
            else:
                self._value(known, inner, f"{path}.{key}" if path else key, name)
        for key, known in fields.items():
            if key not in value and not known.optional:
                met.missing[key] = met.missing.get(key, 0) + 1

    # ----------------------------------------------------------------------------------- fields

    def _fields(self, path: str, owner: str, met: _Objects) -> Iterator[Difference]:
        schema = self.spec.schemas[owner]
        assert isinstance(schema, ObjectSpec)
        renamed = dict(self._renamed(schema, met))
        for key, count in met.missing.items():
            known = schema.fields[key]
            place = f"{path}.{key}" if path else key
            if key in renamed:
                sample = shown({renamed[key]: met.added[renamed[key]][1]})
                yield Difference("field_renamed", place, owner, known.type, sample, known.uncertain)
            else:
                seen: JsonValue = {"objects": met.count, "without": count}
                yield Difference("field_missing", place, owner, known.type, seen, known.uncertain)
        for key, (_, sample) in met.added.items():
            if key not in renamed.values():
                yield Difference("field_added", f"{path}.{key}" if path else key, owner, None, shown(sample))

    def _renamed(self, schema: ObjectSpec, met: _Objects) -> Iterator[tuple[str, str]]:
        """A field that no object has any more with the only new one, of the same type, that all have."""
        gone = [key for key, count in met.missing.items() if count == met.count]
        come = [key for key, (count, _) in met.added.items() if count == met.count]
        for key in gone:
            like = [new for new in come if fits(self.spec, schema.fields[key].type, met.added[new][1])]
            rivals = [old for old in gone if like and fits(self.spec, schema.fields[old].type, met.added[like[0]][1])]
            if len(like) == 1 and len(rivals) == 1:
                yield key, like[0]

    def _tell(
        self,
        kind: Kind,
        path: str,
        owner: str,
        spec: JsonValue,
        seen: JsonValue,
        uncertain: Remarks = (),
        apart: str = "",
        *,
        read: bool = False,
    ) -> None:
        key = (kind, path, owner, apart)
        if key not in self._told:
            self._told[key] = Difference(kind, path, owner, spec, shown(seen), uncertain, read)


def shown(value: JsonValue) -> JsonValue:
    """The value, without what makes it too long to read: long texts, and all but the first of many items."""
    if isinstance(value, str):
        return value if len(value) <= _MOST_CHARACTERS else f"{value[:_MOST_CHARACTERS]}…"
    if isinstance(value, list):
        return [shown(one) for one in value[:_MOST_ITEMS]]
    if isinstance(value, dict):
        return {key: shown(one) for key, one in list(value.items())[:_MOST_KEYS]}
    return value


def compare(spec: MarketSpec, type_: str, values: Iterable[JsonValue]) -> list[Difference]:
    """Every difference between values and the type that the spec gives them."""
    comparison = Comparison(spec)
    for value in values:
        comparison.add(type_, value)
    return list(comparison.differences())
