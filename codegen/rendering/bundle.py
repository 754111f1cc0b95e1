"""One closed JSON Schema a scope, already named and normalised, for datamodel-code-generator.

Scalars, enums, rows, unions and everything of another module appear as definitions that ``overrides`` replaces by
an import: the generator never gets to name or type them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from codegen.names import snake
from codegen.rendering import words
from codegen.rendering.docstrings import laid_out
from codegen.spec_model.schemas import ObjectSchema, RowSchema, Schema, SchemaField, UnionSchema
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.stream_names import name_pattern
from codegen.spec_model.types import TypeRef, parse_type

GENERATED = "binance_sdk._generated"
SCALARS = "binance_sdk._runtime.answers.scalars"
_INDENT = " " * 4
EVENT_BASE = "binance_sdk._runtime.stream.stream_event.StreamEvent"

_SCALAR_IMPORTS = {
    "decimal": f"{SCALARS}.DecimalString",
    "empty_decimal": f"{SCALARS}.EmptyDecimalString",
    "number": f"{SCALARS}.JsonNumber",
    "decimal_or_number": f"{SCALARS}.DecimalOrNumber",
    "time": f"{SCALARS}.Time",
    "time_or_zero": f"{SCALARS}.TimeOrZero",
    "time_or_digits": f"{SCALARS}.TimeOrDigits",
    "any": f"{SCALARS}.AnyJson",
}
_PLAIN = {
    "int": "integer",
    "id": "integer",
    "string": "string",
    "symbol": "string",
    "bool": "boolean",
}


@dataclass(frozen=True)
class TimeView:
    name: str
    optional: bool
    zero: bool


@dataclass(frozen=True)
class NameView:
    """A property whose value is a part of the name of the event's stream."""

    name: str
    type: str
    upper: bool
    description: str
    patterns: tuple[str, ...]
    """Regular expressions of such names; the group of the property's name is the value."""


@dataclass
class Bundle:
    """Input of one run of datamodel-code-generator."""

    definitions: dict[str, Any] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)
    time_views: dict[str, list[TimeView]] = field(default_factory=dict)
    name_views: dict[str, list[NameView]] = field(default_factory=dict)
    bases: dict[str, str | list[str]] = field(default_factory=dict)
    """Base class of an object where it is not the usual one."""
    docstrings: dict[str, str] = field(default_factory=dict)
    """Of each object, laid out."""


def members_of(spec: Spec, scope: str) -> set[str]:
    """Names of the object schemas that are members of a union of this scope."""
    unions = (p.value for (s, _), p in spec.schemas.items() if s == scope and isinstance(p.value, UnionSchema))
    return {name for union in unions for name in union.members.values()}


def module_of(spec: Spec, scope: str, name: str) -> str:
    """Module (below ``_generated``) that defines an enum or schema seen from ``scope``."""
    enum = spec.enum(scope, name)
    if enum is not None:
        return f"{enum.scope}.literals"
    placed = spec.schema(scope, name)
    if placed is None:
        raise LookupError(name)
    if (placed.scope, name) in spec.events:
        return f"{placed.scope}.events"
    if isinstance(placed.value, RowSchema):
        return f"{placed.scope}.rows"
    if isinstance(placed.value, UnionSchema):
        return f"{placed.scope}.unions"
    return f"{placed.scope}.{'members' if name in members_of(spec, placed.scope) else 'models'}"


def bundle(spec: Spec, scope: str, module: str) -> Bundle:
    """Everything that ``<scope>.<module>`` (``models``, ``members`` or ``events``) defines."""
    out = Bundle()
    for name, placed in sorted(_objects(spec, scope), key=lambda item: item[0]):
        if module_of(spec, scope, name) == f"{scope}.{module}":
            assert isinstance(placed.value, ObjectSchema)
            out.definitions[name] = _Writer(spec, scope, module, out).object(name, placed.value)
            out.docstrings[name] = laid_out(
                f"{placed.value.description}\n\n{words.origin(spec.source_of(placed))}", _INDENT
            )
    if module == "events":
        out.name_views = _name_views(spec, scope)
        tops = {parse_type(stream.value.event).leaf.name for stream in spec.streams_of(scope)}
        out.bases = dict.fromkeys(sorted(tops), EVENT_BASE)
    if module == "members":
        for (found, _), placed in sorted(spec.schemas.items(), key=lambda item: item[0]):
            if found == scope and isinstance(placed.value, UnionSchema):
                _unknown_member(out, placed.value)
    return out


def _name_views(spec: Spec, scope: str) -> dict[str, list[NameView]]:
    found: dict[str, list[NameView]] = {}
    for (market, name), event in sorted(spec.events.items(), key=lambda item: item[0]):
        if market != scope or not isinstance(event.value, ObjectSchema) or not event.value.from_name:
            continue
        streams = [
            placed.value for placed in spec.streams_of(scope) if parse_type(placed.value.event).leaf.name == name
        ]
        found[name] = [
            NameView(
                part,
                "int" if any(isinstance(value, int) for value in streams[0].parameters[part].values or ()) else "str",
                streams[0].parameters[part].type == "symbol",
                description,
                tuple(name_pattern(spec, scope, node) for node in streams),
            )
            for part, description in event.value.from_name.items()
        ]
    return found


def _objects(spec: Spec, scope: str) -> Iterator[tuple[str, Placed[Schema]]]:
    for (found, name), placed in (*spec.schemas.items(), *spec.events.items()):
        if found == scope and isinstance(placed.value, ObjectSchema):
            yield name, placed


def _unknown_member(out: Bundle, union: UnionSchema) -> None:
    text = f"A value of `{union.discriminator}` that the spec does not list; `model_extra` has its fields."
    out.docstrings[union.unknown] = laid_out(text, _INDENT)
    out.definitions[union.unknown] = {
        "type": "object",
        "required": [union.discriminator],
        "properties": {union.discriminator: {"type": "string", "description": "What Binance sent."}},
    }
    out.aliases[f"{union.unknown}.{union.discriminator}"] = snake(union.discriminator)


@dataclass
class _Writer:
    spec: Spec
    scope: str
    module: str
    out: Bundle

    def object(self, name: str, schema: ObjectSchema) -> dict[str, Any]:
        # Written out and not inherited: the other object may be one of another module.
        fields = self.spec.fields(self.scope, schema)
        return {
            "type": "object",
            "required": [wire for wire, field in fields.items() if not (field.optional or field.live_only)],
            "properties": {wire: self._property(name, wire, field) for wire, field in fields.items()},
        }

    def _property(self, owner: str, wire: str, field: SchemaField) -> dict[str, Any]:
        name = field.name or snake(wire)
        if name != wire:
            self.out.aliases[f"{owner}.{wire}"] = name
        type_ = parse_type(field.type)
        if type_.kind == "scalar" and type_.name in ("time", "time_or_digits"):
            optional = field.optional or field.nullable or field.live_only
            view = TimeView(name, optional, field.zero_means_none)
            self.out.time_views.setdefault(owner, []).append(view)
        if field.empty:
            type_ = TypeRef("scalar", "empty_decimal")
        elif field.zero_means_none:
            type_ = TypeRef("scalar", "time_or_zero")
        schema = self._type(type_)
        if field.nullable:
            schema = {"anyOf": [schema, {"type": "null"}]}
        # "Symbol." below `symbol` says nothing.
        parts = [] if field.description.rstrip(".").casefold() == name.replace("_", " ") else [field.description]
        if field.live_only:
            parts.append("None in an event fetched over REST.")
        parts += words.trust(field.uncertain, field.source)
        return {**schema, "description": " ".join(parts)} if parts else schema

    def _type(self, type_: TypeRef) -> dict[str, Any]:
        if type_.kind == "list" and type_.item is not None:
            return {"type": "array", "items": self._type(type_.item)}
        if type_.kind == "map" and type_.item is not None:
            return {"type": "object", "additionalProperties": self._type(type_.item)}
        if type_.kind == "scalar":
            if type_.name in _PLAIN:
                return {"type": _PLAIN[type_.name]}
            imported = _SCALAR_IMPORTS[type_.name]
            return self._override(imported.rsplit(".", 1)[1], imported)
        if self.spec.enum(self.scope, type_.name):
            # Open: a value that Binance adds tomorrow is a plain string, not an error.
            return {"anyOf": [self._reference(type_.name), {"type": "string"}]}
        return self._reference(type_.name)

    def _reference(self, name: str) -> dict[str, Any]:
        home = module_of(self.spec, self.scope, name)
        if home == f"{self.scope}.{self.module}":
            return {"$ref": f"#/$defs/{name}"}
        return self._override(name, f"{GENERATED}.{home}.{name}")

    def _override(self, name: str, imported: str) -> dict[str, Any]:
        self.out.overrides[name] = imported
        self.out.definitions.setdefault(name, {"type": "string"})
        return {"$ref": f"#/$defs/{name}"}
