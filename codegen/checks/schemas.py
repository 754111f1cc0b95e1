"""What must hold between an enum or a schema and the rest of the spec."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from codegen.checks.references import type_exists
from codegen.documents import Problem
from codegen.names import RESERVED_CLASSES, class_names, field_refusal, position_refusal, snake
from codegen.spec_model.schemas import Enum, ObjectSchema, RowSchema, Schema, UnionSchema
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.types import parse_type


def check_schemas(spec: Spec) -> Iterator[Problem]:
    """Every mistake of an enum or a schema; names of facts are compared in ``checks.facts``."""
    for enum in spec.enums.values():
        yield from _names(spec, enum)
        yield from _enum(enum)
    for schema in (*spec.schemas.values(), *spec.events.values()):
        yield from _names(spec, schema)
        yield from _schema(spec, schema)


def _names(spec: Spec, placed: Placed[Any]) -> Iterator[Problem]:
    key = (placed.scope, placed.name)
    if placed.name in RESERVED_CLASSES or any(placed.name in class_names(market) for market in spec.market_names):
        yield placed.problem("the generated code uses this name itself; choose another name")
    shared = placed.scope != "shared" and bool(spec.schema("shared", placed.name) or spec.enum("shared", placed.name))
    replaces = isinstance(placed.value, RowSchema) and placed.value.replaces_shared
    if shared and not replaces:
        yield placed.problem("schemas/ defines this name for every market; use that or choose another name")
    if replaces and not shared:
        yield placed.problem("schemas/ has nothing of this name to replace; drop it", "replaces_shared")
    if isinstance(placed.value, Enum) and (key in spec.schemas or key in spec.events):
        yield placed.problem("is an enum and a schema; choose another name for one of the two")
    if key in spec.events and spec.events[key] is placed and key in spec.schemas:
        yield placed.problem("is an event and a schema of answers; choose another name for one of the two")


def _enum(placed: Placed[Enum]) -> Iterator[Problem]:
    for value, count in Counter(placed.value.values).items():
        if count > 1:
            yield placed.problem(f"the value `{value}` stands here {count} times; drop one", "values")


def _schema(spec: Spec, placed: Placed[Schema]) -> Iterator[Problem]:
    schema = placed.value
    if isinstance(schema, ObjectSchema):
        yield from _object(spec, placed, schema)
    elif isinstance(schema, RowSchema):
        yield from _row(placed, schema)
    else:
        yield from _union(spec, placed, schema)


def _row(placed: Placed[Schema], schema: RowSchema) -> Iterator[Problem]:
    taken: set[str] = set()
    for index, position in enumerate(schema.row):
        if position.name is None:
            continue
        reason = position_refusal(position.name)
        if reason is not None:
            text = f"`{position.name}` {reason}; choose another name, such as `trade_{position.name}`"
            yield placed.problem(text, "row", index)
        if position.name in taken:
            yield placed.problem(f"a second position is named `{position.name}`; choose another name", "row", index)
        taken.add(position.name)
        if position.type == "time" and any(other.name == f"{position.name}_dt" for other in schema.row):
            yield placed.problem(
                f"`{position.name}` gets a view `{position.name}_dt`, which is a position too; rename one", "row", index
            )
    if not taken:
        yield placed.problem("no position has a name; name at least one", "row")


def _object(spec: Spec, placed: Placed[Schema], schema: ObjectSchema) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    if schema.extends is not None:
        base = spec.schema(placed.scope, schema.extends)
        if base is None or not isinstance(base.value, ObjectSchema):
            yield placed.problem(f"extends `{schema.extends}`, which is no object schema", "extends")
        elif base.value.extends is not None:
            yield placed.problem(f"{schema.extends} extends another schema itself; one step is all there is", "extends")
        else:
            for wire, inherited in base.value.fields.items():
                taken[inherited.name or snake(wire)] = wire
                if wire in schema.fields:
                    yield placed.problem(f"`{wire}` is already in {schema.extends}; drop it here", "fields", wire)
    for wire, field in schema.fields.items():
        at = ("fields", wire)
        name = field.name or snake(wire)
        if field.name is not None and field.name == snake(wire):
            yield placed.problem(f"`name: {name}` is what `{wire}` becomes anyway; drop it", *at, "name")
        reason = field_refusal(name)
        if reason is not None:
            yield placed.problem(f"the Python name `{name}` of `{wire}` {reason}; give it another `name:`", *at)
        if taken.get(name, wire) != wire:
            text = f"`{wire}` and `{taken[name]}` both become `{name}` in Python; give one of them a `name:`"
            yield placed.problem(text, *at)
        taken[name] = wire
        yield from type_exists(spec, placed, field.type, *at, "type")
        if field.empty and field.type != "decimal":
            text = f"`empty: true` is understood for decimal only, not for {field.type}; drop it"
            yield placed.problem(text, *at, "empty")
        if field.empty and field.nullable:
            text = 'a field is `empty` ("" means none) or `nullable` (null does), not both; drop one of the two'
            yield placed.problem(text, *at)
        if field.zero_means_none and field.type != "time":
            text = f"`zero_means_none: true` is about a time, not {field.type}; drop it"
            yield placed.problem(text, *at, "zero_means_none")
    for wire, field in schema.fields.items():
        view = f"{field.name or snake(wire)}_dt"
        if field.type in ("time", "time_or_digits") and view in taken:
            text = f"`{wire}` gets a view `{view}`, which `{taken[view]}` becomes too; give one of them a `name:`"
            yield placed.problem(text, "fields", wire)


def _union(spec: Spec, placed: Placed[Schema], schema: UnionSchema) -> Iterator[Problem]:
    for tag, name in schema.members.items():
        member = spec.schemas.get((placed.scope, name))
        if member is None or not isinstance(member.value, ObjectSchema):
            yield placed.problem(f"`{name}` is no object schema of {placed.scope}; define it there", "members", tag)
            continue
        fields = spec.fields(placed.scope, member.value)
        key = fields.get(schema.discriminator)
        if key is None:
            text = f"{name} has no field `{schema.discriminator}` to be told apart by; add it there"
            yield placed.problem(text, "members", tag)
        elif key.name is not None:
            text = f"{placed.name} tells its members apart by `{schema.discriminator}`; drop this `name:`"
            yield member.problem(text, "fields", schema.discriminator, "name")
        for wire, field in fields.items():
            leaf = parse_type(field.type).leaf
            other = spec.schema(placed.scope, leaf.name) if leaf.kind == "name" else None
            if other is not None and not isinstance(other.value, RowSchema):
                text = f"`{wire}`: a member of a union holds scalars, enums and rows only, and {leaf.name} is none"
                yield member.problem(text, "fields", wire)
    if spec.schema(placed.scope, schema.unknown) or spec.enum(placed.scope, schema.unknown):
        yield placed.problem(f"`{schema.unknown}` is made by the generator; drop its schema or rename", "unknown")
    for (scope, name), other in spec.schemas.items():
        same_scope = scope == placed.scope and name < placed.name
        if same_scope and isinstance(other.value, UnionSchema) and other.value.unknown == schema.unknown:
            yield placed.problem(f"{name} has `unknown: {schema.unknown}` too; choose another name", "unknown")
