"""What an OpenAPI file has that the spec lacks or contradicts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from codegen.importer.openapi import ApiEndpoint, ApiParameter, OpenApi, Place, Value
from codegen.importer.weights import prices, told_weight
from codegen.spec_model.operations import Operation
from codegen.spec_model.parameters import Parameter
from codegen.spec_model.schemas import ObjectSchema, RowSchema, UnionSchema
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.types import TypeRef, parse_type

_JSON_KINDS = {
    "int": {"integer"},
    "id": {"integer"},
    "time": {"integer"},
    "time_or_digits": {"integer", "string"},
    "decimal": {"string"},
    "number": {"number", "integer"},
    "decimal_or_number": {"string", "number", "integer"},
    "string": {"string"},
    "symbol": {"string"},
    "bool": {"boolean"},
}
"""Scalar of the spec to the words of JSON Schema for it; `any` is all of them."""
_ARGUMENTS = {"int": "integer", "id": "integer", "time": "integer", "bool": "boolean"}
_DEFAULT = re.compile(r"[Dd]efault:?\s*(\d+)")
_MOST = re.compile(r"[Mm]ax(?:imum)?:?\s*(\d+)")


@dataclass(frozen=True)
class Finding:
    """One thing in which file and spec differ."""

    kind: str
    """``lacks`` or ``contradicts``: what the spec does."""
    subject: str
    text: str
    there: int
    """Line of the file."""
    here: str | None
    """``file:line`` of the spec."""

    def __str__(self) -> str:
        here = f" ({self.here})" if self.here else ""
        return f"{self.kind} {self.subject}: {self.text}{here}"


def findings(spec: Spec, market: str, api: OpenApi) -> list[Finding]:
    """Everything about the paths of a market, in the order of the file."""
    begins = tuple(spec.entry(market).paths or ["/"])
    known = {placed.value.path: placed for placed in spec.of_market(market)}
    found: list[Finding] = []
    for path, endpoint in api.endpoints.items():
        if not path.startswith(begins):
            continue
        placed = known.get(path)
        if placed is None:
            line = api.line(endpoint.place)
            found.append(
                Finding(
                    "lacks",
                    path,
                    f"{endpoint.summary or 'an endpoint'}; `python -m codegen draft` begins it",
                    line,
                    None,
                )
            )
        else:
            found += _Comparison(spec, api, placed).endpoint(endpoint)
    return found


@dataclass
class _Comparison:
    spec: Spec
    api: OpenApi
    placed: Placed[Operation]

    def finding(self, kind: str, text: str, there: Place, *path: str | int, at: Placed[Any] | None = None) -> Finding:
        placed = at or self.placed
        here = f"{placed.document.file}:{placed.document.line(*placed.path, *path)}"
        subject = f"{self.placed.scope}.{self.placed.name}"
        return Finding(kind, subject, text, self.api.line(there), here)

    def endpoint(self, endpoint: ApiEndpoint) -> Iterator[Finding]:
        yield from self.weight(endpoint)
        for parameter in endpoint.parameters:
            mine = self.placed.value.parameters.get(parameter.name)
            if mine is None:
                yield self.finding("lacks", f"the parameter `{parameter.name}`", parameter.value.place, "parameters")
            else:
                yield from self.parameter(parameter, mine)
        if endpoint.answer is not None:
            types = [parse_type(variant.type) for variant in self.placed.value.returns]
            yield from self.answers(endpoint.answer, types, "the answer", frozenset())

    def weight(self, endpoint: ApiEndpoint) -> Iterator[Finding]:
        told = told_weight(endpoint.description)
        if told is None:
            return
        written = self.placed.document.value["operations"][self.placed.name]["weight"]
        theirs, ours = prices(told), prices(written)
        both = theirs.keys() & ours.keys()
        wrong = [
            f"{what} {theirs[what]}, not {ours[what]}" for what in theirs if what in both and theirs[what] != ours[what]
        ]
        if not both:
            wrong = [", ".join(f"{what} {price}" for what, price in theirs.items())]
        if wrong:
            yield self.finding("contradicts", f"the weight: {'; '.join(wrong)}", endpoint.place, "weight")

    def parameter(self, one: ApiParameter, mine: Parameter) -> Iterator[Finding]:
        at = ("parameters", one.name)
        if one.required != mine.required:
            text = f"`{one.name}` is {'' if one.required else 'not '}required"
            yield self.finding("contradicts", text, one.value.place, *at)
        kind, wanted = one.value.kind, _ARGUMENTS.get(mine.type, "string")
        if kind and kind != ("array" if mine.is_list and kind == "array" else "string" if mine.is_list else wanted):
            yield self.finding("contradicts", f"`{one.name}` is of type {kind}, not {mine.type}", one.value.place, *at)
        for word, pattern, key in (("default", _DEFAULT, "default"), ("max", _MOST, "maximum")):
            value, ours = one.value.content.get(key), getattr(mine, word)
            if value is None and mine.type == "int":
                match = pattern.search(one.description)
                value = int(match[1]) if match else None
            if isinstance(value, int) and ours is not None and value != ours:
                yield self.finding(
                    "contradicts", f"`{one.name}` has the {word} {value}, not {ours}", one.value.place, *at, word
                )
        choices = one.value.content.get("enum")
        enum = self.spec.enum(self.placed.scope, mine.enum) if mine.enum else None
        if isinstance(choices, list) and enum is not None:
            for value in choices:
                if str(value) not in enum.value.values:
                    text = f"the value `{value}` of `{one.name}`"
                    yield self.finding("lacks", text, one.value.place, "values", at=enum)

    def answers(self, value: Value, types: list[TypeRef], where: str, above: frozenset[Place]) -> Iterator[Finding]:
        """Fields that none of the types of the spec has, and values of another kind than each of them."""
        if value.place in above:
            raise self.api.problem(value.place, "it holds itself; write it out as deep as it goes")
        inside = above | {value.place}
        arrays: list[Value] = []
        objects: list[Value] = []
        for alternative in self.api.alternatives(value):
            if alternative.kind == "array" and "items" in alternative.content:
                arrays.append(self.api.part(alternative, "items"))
            elif alternative.kind == "object" or "properties" in alternative.content:
                objects.append(alternative)
        lists = [type_.item for type_ in types if type_.kind == "list" and type_.item is not None]
        singles = [type_ for type_ in types if type_.kind == "name"]
        for item in arrays:
            if lists or not singles:
                # A list whose items are rows is not taken apart: their positions have no names there.
                yield from self.answers(item, lists, f"{where}[]", inside) if lists else ()
            elif not any(self._is_row(type_) for type_ in singles):
                yield self.finding("contradicts", f"{where} is a list", item.place, "returns")
        ours = self._fields([*singles, *(lists if not arrays else [])])
        for alternative in objects:
            for name, theirs in self.api.fields(alternative).items():
                if not ours:
                    continue
                if name not in ours:
                    yield self.finding("lacks", f"`{name}` in {where}", theirs.place, "returns")
                else:
                    yield from self.field(name, theirs, ours[name], where, inside)

    def field(
        self, name: str, theirs: Value, ours: list[tuple[Placed[Any], str]], where: str, above: frozenset[Place]
    ) -> Iterator[Finding]:
        types = [parse_type(text) for _, text in ours]
        if theirs.kind and not any(self._may_be(type_, theirs.kind) for type_ in types):
            placed, text = ours[0]
            words = f"`{name}` in {where} is of type {theirs.kind}, not {text}"
            yield self.finding("contradicts", words, theirs.place, "fields", name, at=placed)
            return
        yield from self.answers(theirs, types, f"`{name}`", above)

    def _may_be(self, type_: TypeRef, kind: str) -> bool:
        if type_.kind in ("list", "map"):
            return kind == ("array" if type_.kind == "list" else "object")
        if type_.kind == "name":
            if self.spec.enum(self.placed.scope, type_.name) is not None:
                return kind == "string"
            return kind == ("array" if self._is_row(type_) else "object")
        return type_.name == "any" or kind in _JSON_KINDS[type_.name]

    def _is_row(self, type_: TypeRef) -> bool:
        placed = self.spec.schema(self.placed.scope, type_.name)
        return placed is not None and isinstance(placed.value, RowSchema)

    def _fields(self, types: list[TypeRef]) -> dict[str, list[tuple[Placed[Any], str]]]:
        """Wire names of all objects that the types name, with the schemas that have them."""
        found: dict[str, list[tuple[Placed[Any], str]]] = {}
        names = [type_.name for type_ in types if type_.kind == "name"]
        while names:
            placed = self.spec.schema(self.placed.scope, names.pop(0))
            if placed is None:
                continue
            if isinstance(placed.value, UnionSchema):
                names += placed.value.members.values()
            elif isinstance(placed.value, ObjectSchema):
                for wire, field in self.spec.fields(placed.scope, placed.value).items():
                    found.setdefault(wire, []).append((placed, field.type))
        return found
