"""That example answers and messages are what their schemas say, for the simulator and the tests believe them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from codegen.checks.operations import fixture_name
from codegen.documents import Problem, SpecError, parse, parse_json
from codegen.spec_model.explain import did_you_mean, shown
from codegen.spec_model.schemas import RowPosition, RowSchema, SchemaField, UnionSchema
from codegen.spec_model.spec import STREAMS, Spec
from codegen.spec_model.types import TypeRef, parse_type

_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_MOST = 20
"""Mistakes told of one file: one wrong field in a list of many objects is one mistake of the spec."""

Path = tuple[str | int, ...]


def types_of_answers(spec: Spec) -> dict[str, tuple[str, str]]:
    """Name of a fixture to the market and the type of the answer that it is an example of."""
    return {
        fixture_name(placed.scope, placed.name, suffix): (placed.scope, variant.type)
        for placed in spec.operations.values()
        for variant in placed.value.returns
        for suffix in variant.fixture_suffixes
    }


def check_fixtures(spec: Spec) -> Iterator[Problem]:
    """Every place where an example contradicts the type it is an example of."""
    for name, (scope, type_) in types_of_answers(spec).items():
        yield from _example(spec, scope, name, spec.fixtures[name], type_)
    for (scope, stream), placed in spec.streams.items():
        name = f"{scope}/{STREAMS}/{stream}.json"
        yield from _example(spec, scope, name, spec.stream_fixtures[name], placed.value.event, placed.value.event_type)


def _example(
    spec: Spec, scope: str, name: str, body: bytes, type_: str, event_type: str | None = None
) -> Iterator[Problem]:
    file = f"fixtures/{name}"
    try:
        value = parse_json(file, body)
    except SpecError as error:
        yield from error.problems
        return
    found = Checker(spec, scope).value(parse_type(type_), value, ())
    for path, text in islice(chain(found, _kind(value, event_type)), _MOST):
        yield Problem(file, _line(file, body, path), f"{_where(path)}: {text}")


def _kind(value: Any, event_type: str | None) -> Iterator[tuple[Path, str]]:
    """Messages that say in their key ``e`` that they are another event."""
    events: list[tuple[Path, Any]] = [((), value)]
    if isinstance(value, list):
        events = [((index,), item) for index, item in enumerate(value)]
    for at, event in events:
        kind = event.get("e") if isinstance(event, dict) else None
        if event_type is not None and isinstance(kind, str) and kind != event_type:
            yield (*at, "e"), f"is `{kind}`, and the stream has `event_type: {event_type}`; correct one of the two"


def _where(path: Path) -> str:
    """``[0].bids[1].price``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".") or "the example"


def _line(file: str, body: bytes, path: Path) -> int:
    """Line of a value; the first where only a JSON reader can read the file."""
    try:
        return parse(file, body.decode()).line(*path)
    except SpecError:
        return 1


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_decimal(value: Any) -> bool:
    return isinstance(value, str) and _DECIMAL.fullmatch(value) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_INT = (_is_int, "a whole number")
_TEXT = (_is_text, "a text")
_SCALARS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "int": _INT,
    "id": _INT,
    "time": (_is_int, "a time in milliseconds"),
    "time_or_digits": (
        lambda value: _is_int(value) or (isinstance(value, str) and value.isdecimal()),
        "a time in milliseconds, as a number or as digits in quotes",
    ),
    "decimal": (_is_decimal, 'a decimal in quotes such as "1.50"'),
    "number": (_is_number, "a number without quotes"),
    "decimal_or_number": (
        lambda value: _is_number(value) or _is_decimal(value),
        'a number, or a decimal in quotes such as "1.50"',
    ),
    "string": _TEXT,
    "symbol": _TEXT,
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "any": (lambda value: True, "anything"),
}


@dataclass(frozen=True)
class Checker:
    """Yields (path, message) for each contradiction."""

    spec: Spec
    scope: str

    def value(self, type_: TypeRef, value: Any, path: Path) -> Iterator[tuple[Path, str]]:
        if type_.item is not None:
            yield from self._container(type_, type_.item, value, path)
        elif type_.kind == "scalar":
            fits, words = _SCALARS[type_.name]
            if not fits(value):
                yield path, f"must be {words}, not {shown(value)}"
        elif self.spec.enum(self.scope, type_.name) is not None:
            # A value that is not listed is what the exchange may send tomorrow.
            if not isinstance(value, str):
                yield path, f"must be a value of {type_.name}, not {shown(value)}"
        else:
            yield from self._schema(type_.name, value, path)

    def _container(self, type_: TypeRef, item: TypeRef, value: Any, path: Path) -> Iterator[tuple[Path, str]]:
        wanted, words = (list, "a list") if type_.kind == "list" else (dict, "an object")
        if not isinstance(value, wanted):
            yield path, f"must be {words}, not {shown(value)}"
            return
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from self.value(item, inner, (*path, key))

    def _schema(self, name: str, value: Any, path: Path) -> Iterator[tuple[Path, str]]:
        placed = self.spec.schema(self.scope, name)
        if placed is None:
            return  # Whoever names it is told so.
        schema = placed.value
        if isinstance(schema, RowSchema):
            yield from self._row(name, schema, value, path)
        elif not isinstance(value, dict):
            yield path, f"must be an object, a {name}, not {shown(value)}"
        elif isinstance(schema, UnionSchema):
            yield from self._union(name, schema, value, path)
        else:
            yield from self._object(name, self.spec.fields(self.scope, schema), value, path)

    def _row(self, name: str, schema: RowSchema, value: Any, path: Path) -> Iterator[tuple[Path, str]]:
        if not isinstance(value, list) or len(value) != len(schema.row):
            given = f"a list of {len(value)}" if isinstance(value, list) else shown(value)
            yield path, f"must be a list of {len(schema.row)} values, a {name}, not {given}"
            return
        for index, (position, item) in enumerate(zip(schema.row, value, strict=True)):
            if not position.unused:
                yield from self._position(position, item, (*path, index))

    def _position(self, position: RowPosition, item: Any, path: Path) -> Iterator[tuple[Path, str]]:
        for at, text in self.value(parse_type(position.type), item, path):
            yield at, f"{text}; it is `{position.name}`"

    def _union(self, name: str, schema: UnionSchema, value: dict[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
        tag = value.get(schema.discriminator)
        if not isinstance(tag, str):
            yield path, f"has no text `{schema.discriminator}` that tells which {name} it is"
        elif tag in schema.members:
            yield from self._schema(schema.members[tag], value, path)

    def _object(
        self, name: str, fields: Mapping[str, SchemaField], value: dict[str, Any], path: Path
    ) -> Iterator[tuple[Path, str]]:
        for key, inner in value.items():
            field = fields.get(key)
            if field is None:
                yield (*path, key), f"{name} has no field `{key}`{did_you_mean(key, fields) or '; describe it there'}"
            elif not ((inner is None and field.nullable) or (inner == "" and field.empty)):
                yield from self.value(parse_type(field.type), inner, (*path, key))
        for key, field in fields.items():
            if key not in value and not field.optional:
                yield path, f"lacks `{key}` of {name}; add it, or mark it `optional: true` there"
