"""The schema of an example answer, as far as values tell it; what they do not tell is a mark."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from codegen.checks.facts import Dictionary, best
from codegen.checks.fixtures import Checker
from codegen.documents import FILL, is_mark
from codegen.names import RESERVED_CLASSES, field_refusal, pascal, singular, snake
from codegen.spec_model.schemas import ObjectSchema, RowSchema
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.types import parse_type

_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
_TIMES = range(10**12, 10**14)
"""Milliseconds from 2001 on."""
_SYMBOLS = ("symbol", "pair")
_UNKNOWN = object()


@dataclass
class Shapes:
    """The schemas that an answer needs, new ones written out."""

    spec: Spec
    market: str
    lines: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.dictionary = Dictionary(self.spec.names_document, self.spec.names.names)

    def type_of(self, name: str, values: Sequence[Any]) -> str:
        """The type of a value called ``name``, by examples of it."""
        seen = [value for value in values if value is not None and value != "" and not _is_mark(value)]
        if not seen:
            return FILL
        if all(isinstance(value, list) for value in seen):
            items = [item for value in seen for item in value]
            name = singular(name)
            if items and all(isinstance(item, list) for item in items):
                return f"list<{self._row(name, items)}>"
            inner = self.type_of(name, items)
            return FILL if inner == FILL else f"list<{inner}>"
        if all(isinstance(value, dict) for value in seen):
            return self._object(name, seen)
        return _scalar(name, seen)

    def _object(self, name: str, values: Sequence[Mapping[str, Any]]) -> str:
        keys = list(dict.fromkeys(key for value in values for key in value))
        if not keys:
            # It would fit every schema of which all may be absent.
            return FILL
        there = next((placed for placed in self._known(ObjectSchema) if self._fits(placed, values)), None)
        if there is not None:
            return there.name
        schema = self._name(name)
        # Schemas of what it holds come first.
        fields = [self._field(key, keys, [value.get(key, _UNKNOWN) for value in values]) for key in keys]
        self.lines += [f"  {schema}:", f"    description: {FILL} in what one of it is", "    fields:", *fields]
        return schema

    def _field(self, wire: str, keys: Sequence[str], values: Sequence[Any]) -> str:
        words = self.words(wire, keys, values)
        return f"      {wire}: {{{', '.join(f'{key}: {value}' for key, value in words.items())}}}"

    def words(self, wire: str, keys: Sequence[str], values: Sequence[Any]) -> dict[str, str]:
        """What the spec says of a field called ``wire`` beside ``keys``, as YAML, by examples of its values."""
        given = [value for value in values if value is not _UNKNOWN]
        known = best(self.dictionary.by_key.get(wire, ()), frozenset(keys))
        fact = self.dictionary.facts[known] if known else None
        type_ = self.type_of(wire, given)
        if fact is not None and fact.type in ("time", "id", "bool", "symbol", "string", "int"):
            type_ = fact.type
        name = known or (snake(wire) if len(wire) > 1 and field_refusal(snake(wire)) is None else FILL)
        words = {"type": type_} if name == snake(wire) else {"name": name, "type": type_}
        if len(given) < len(values):
            words["optional"] = "true"
        if any(value is None for value in given):
            words["nullable"] = "true"
        if type_ == "decimal" and "" in given:
            words["empty"] = "true"
        text = fact.means if fact is not None else f"{FILL} in what it is, with its unit"
        words["description"] = json.dumps(text, ensure_ascii=False)
        return words

    def _row(self, name: str, rows: Sequence[Sequence[Any]]) -> str:
        length = max(map(len, rows))
        columns = [[row[index] for row in rows if index < len(row)] for index in range(length)]
        types = [_scalar("", column) for column in columns]
        for placed in self._known(RowSchema):
            row = placed.value.row
            if len(row) == length and all(
                _fits_position(position.type, type_) for position, type_ in zip(row, types, strict=True)
            ):
                return placed.name
        schema = self._name(name)
        self.lines += [f"  {schema}:", f"    description: {FILL} in what one row is", "    row:"]
        self.lines += [
            f'      - {{name: {FILL}, type: {type_}, description: "{FILL} in what it is, with its unit"}}'
            for type_ in types
        ]
        return schema

    def _known(self, kind: type[Any]) -> Iterator[Placed[Any]]:
        for (scope, _), placed in self.spec.schemas.items():
            if scope in (self.market, "shared") and isinstance(placed.value, kind):
                yield placed

    def _fits(self, placed: Placed[Any], values: Sequence[Mapping[str, Any]]) -> bool:
        fields = self.spec.fields(placed.scope, placed.value)
        needed = {wire for wire, schema_field in fields.items() if not schema_field.optional}
        if len(fields) < 2 or not all(needed <= value.keys() <= fields.keys() for value in values):
            return False
        checker, type_ = Checker(self.spec, self.market), parse_type(placed.name)
        wrong = (text for value in values for _, text in checker.value(type_, value, ()))
        # What is still to be filled in speaks against nothing.
        return all(FILL in text for text in wrong)

    def _is_taken(self, schema: str) -> bool:
        known = self.spec.schema(self.market, schema) or self.spec.enum(self.market, schema)
        return schema in self.taken or schema in RESERVED_CLASSES or known is not None

    def _name(self, name: str) -> str:
        """A name for a new schema that nothing else has."""
        base = pascal(snake(name)) if re.match(r"[A-Za-z]", name) else "Answer"
        schema, count = base, 1
        while self._is_taken(schema):
            count += 1
            schema = f"{base}{count}"
        self.taken.add(schema)
        return schema


def _scalar(name: str, values: Sequence[Any]) -> str:
    kinds = {_one(name, value) for value in values if value is not None and not _is_mark(value)}
    if len(kinds) == 1:
        return kinds.pop()
    if kinds <= {"int", "id", "time"}:
        return "time" if kinds == {"time", "int"} and 0 in values else "int"
    if kinds <= {"int", "number"}:
        return "number"
    return "string" if kinds <= {"decimal", "string", "symbol"} and kinds else FILL


def _one(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "time" if value in _TIMES else "id" if re.search(r"(^|[a-z])I[dD]$|^id$", name) else "int"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "decimal" if _DECIMAL.fullmatch(value) else "symbol" if name in _SYMBOLS else "string"
    return FILL


def _fits_position(type_: str, found: str) -> bool:
    return type_ in ("any", found) or {type_, found} <= {"int", "id", "time"} or {type_, found} <= {"string", "symbol"}


def _is_mark(value: Any) -> bool:
    return isinstance(value, str) and is_mark(value)
