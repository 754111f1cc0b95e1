"""What must hold between nodes of the spec: names that exist, weights that fit, fixtures that are there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from codegen.load import SCOPES, Placed, Problem, Spec
from codegen.names import english_list, refusal, snake
from codegen.spec_model import (
    AtMostOneOf,
    Band,
    BandWeight,
    CaseWeight,
    CountWeight,
    ExactlyOneOf,
    ItemWeight,
    Lookback,
    MaxSpan,
    ObjectSchema,
    Operation,
    Ordered,
    Parameter,
    RowSchema,
    Schema,
    UnionSchema,
    ValueWeight,
    Variant,
    WeightRule,
)
from codegen.types import parse_type


def check(spec: Spec) -> list[Problem]:
    """Every mistake that no single node can see."""
    problems: list[Problem] = []
    for placed_schema in spec.schemas.values():
        problems += _schema(spec, placed_schema)
    for placed in spec.operations.values():
        problems += _operation(spec, placed)
    problems += _shared_names(spec)
    problems += _stray_fixtures(spec)
    return problems


def _shared_names(spec: Spec) -> Iterator[Problem]:
    for (scope, name), placed in {**spec.enums, **spec.schemas}.items():
        if scope != "shared" and spec.schema("shared", name):
            yield placed.problem("spec/schemas defines this name for both markets; use that or choose another name")
        if (scope, name) in spec.enums and (scope, name) in spec.schemas:
            yield placed.problem("is an enum and a schema; choose another name for one of the two")


# -------------------------------------------------------------------------------------- schemas


def _schema(spec: Spec, placed: Placed[Schema]) -> Iterator[Problem]:
    schema = placed.value
    if isinstance(schema, ObjectSchema):
        yield from _object(spec, placed, schema)
    elif isinstance(schema, RowSchema):
        names = Counter(position.name for position in schema.row if position.name)
        for index, position in enumerate(schema.row):
            yield from _type_exists(spec, placed, position.type, "row", index, "type")
            if position.name and names[position.name] > 1:
                yield placed.problem(f"two positions are named `{position.name}`", "row", index)
    else:
        yield from _union(spec, placed, schema)


def _object(spec: Spec, placed: Placed[Schema], schema: ObjectSchema) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    fields = dict(schema.fields)
    if schema.extends is not None:
        base = spec.schema(placed.scope, schema.extends)
        if base is None or not isinstance(base.value, ObjectSchema):
            yield placed.problem(f"extends `{schema.extends}`, which is no object schema", "extends")
        else:
            for wire, inherited in base.value.fields.items():
                taken[inherited.name or snake(wire)] = wire
                if wire in fields:
                    yield placed.problem(f"`{wire}` is already in {schema.extends}; drop it here", "fields", wire)
    for wire, field in schema.fields.items():
        name = field.name or snake(wire)
        if field.name is not None and field.name == snake(wire):
            yield placed.problem(f"`name: {name}` is what `{wire}` becomes anyway; drop it", "fields", wire, "name")
        reason = refusal(name)
        if reason is not None:
            text = f"the Python name `{name}` of `{wire}` {reason}; give the field another `name:`"
            yield placed.problem(text, "fields", wire)
        if name in taken:
            text = f"`{wire}` and `{taken[name]}` both become `{name}`; give one of them a `name:`"
            yield placed.problem(text, "fields", wire)
        taken[name] = wire
        yield from _type_exists(spec, placed, field.type, "fields", wire, "type")
        if field.empty and field.type != "decimal":
            yield placed.problem("`empty: true` is understood for decimals only", "fields", wire, "empty")
        if field.empty and field.nullable:
            yield placed.problem(
                "a field cannot be both `empty` and `nullable`: null and '' would both read as None", "fields", wire
            )
        if field.zero_means_none and field.type != "time":
            yield placed.problem("`zero_means_none` is about times", "fields", wire, "zero_means_none")


def _union(spec: Spec, placed: Placed[Schema], schema: UnionSchema) -> Iterator[Problem]:
    for tag, name in schema.members.items():
        member = spec.schemas.get((placed.scope, name))
        if member is None or not isinstance(member.value, ObjectSchema):
            yield placed.problem(f"`{name}` is no object schema of {placed.scope}", "members", tag)
            continue
        if schema.discriminator not in member.value.fields:
            yield placed.problem(f"{name} has no field `{schema.discriminator}` to be told apart by", "members", tag)
        for wire, field in member.value.fields.items():
            leaf = parse_type(field.type).leaf
            other = spec.schema(placed.scope, leaf.name) if leaf.kind == "name" else None
            if other is not None and not isinstance(other.value, RowSchema):
                yield member.problem("a member of a union holds scalars, enums and rows only", "fields", wire)
    if spec.schema(placed.scope, schema.unknown) is not None:
        yield placed.problem(f"`{schema.unknown}` is made by the generator; drop its schema or rename", "unknown")


def _type_exists(spec: Spec, placed: Placed[Any], text: str, *path: str | int) -> Iterator[Problem]:
    try:
        leaf = parse_type(text).leaf
    except ValueError as error:
        yield placed.problem(str(error), *path)
        return
    if leaf.kind == "name" and not spec.schema(placed.scope, leaf.name) and not spec.enum(placed.scope, leaf.name):
        known = sorted({n for s, n in (*spec.schemas, *spec.enums) if s in (placed.scope, "shared")})
        near = [name for name in known if name.lower()[:4] == leaf.name.lower()[:4]]
        hint = f"; did you mean {english_list(near, 'or')}?" if near else ""
        yield placed.problem(f"no schema or enum is called `{leaf.name}`{hint}", *path)


# ----------------------------------------------------------------------------------- operations


def _operation(spec: Spec, placed: Placed[Operation]) -> Iterator[Problem]:
    operation = placed.value
    names: dict[str, str] = {}
    for wire, parameter in operation.parameters.items():
        name = parameter.name or snake(wire)
        reason = refusal(name)
        if reason is not None or name in ("options", "self"):
            text = f"the Python name `{name}` of `{wire}` {reason or 'is taken by every method'}; give it a `name:`"
            yield placed.problem(text, "parameters", wire)
        if name in names:
            yield placed.problem(f"`{wire}` and `{names[name]}` both become `{name}`", "parameters", wire)
        names[name] = wire
        yield from _parameter(spec, placed, wire, parameter)
    groups = (spec.limits.spot if placed.scope == "spot" else spec.limits.futures).groups
    for index, group in enumerate(operation.groups):
        if group not in groups:
            text = f"limits.yaml has no group `{group}` for {placed.scope}; it has {english_list(sorted(groups))}"
            yield placed.problem(text, "groups", index)
    exactly = any(isinstance(rule, ExactlyOneOf) for rule in operation.rules)
    yield from _weight(placed, operation.weight, ("weight",), rest_needed=not exactly)
    yield from _rules(placed)
    yield from _variants(spec, placed)
    yield from _paging_and_cache(spec, placed)


def _parameter(spec: Spec, placed: Placed[Operation], wire: str, parameter: Parameter) -> Iterator[Problem]:
    at = ("parameters", wire)
    if parameter.enum is not None:
        enum = spec.enum(placed.scope, parameter.enum)
        if enum is None:
            yield placed.problem(f"no enum is called `{parameter.enum}`", *at, "enum")
        elif isinstance(parameter.default, str) and parameter.default not in enum.value.values:
            yield placed.problem(f"the default `{parameter.default}` is no value of {parameter.enum}", *at, "default")
    if isinstance(parameter.default, int) and not isinstance(parameter.default, bool):
        low, high = parameter.min, parameter.max
        if (low is not None and parameter.default < low) or (high is not None and parameter.default > high):
            yield placed.problem(f"the default {parameter.default} is outside {low}..{high}", *at, "default")
        if parameter.values is not None and parameter.default not in parameter.values:
            yield placed.problem(f"the default {parameter.default} is not among `values`", *at, "default")


def _weight(
    placed: Placed[Operation], rule: WeightRule, path: tuple[str | int, ...], *, rest_needed: bool
) -> Iterator[Problem]:
    parameters = placed.value.parameters
    if isinstance(rule, int):
        if rule < 0:
            yield placed.problem("a weight is not negative", *path)
    elif isinstance(rule, (BandWeight, ValueWeight)):
        parameter = parameters.get(rule.by)
        if parameter is None:
            yield placed.problem(f"the weight is by `{rule.by}`, which is no parameter of this operation", *path, "by")
            return
        if parameter.default is None and not parameter.required:
            text = (
                f"the weight is by `{rule.by}`, which is optional and has no `default`: "
                "nobody could tell the cost of a call without it; add the server's default"
            )
            yield placed.problem(text, *path, "by")
        if isinstance(rule, BandWeight):
            yield from _bands(placed, rule.bands, path, parameter.min, parameter.max, rule.by)
        else:
            wanted = set(parameter.values or ())
            if wanted != set(rule.values):
                text = f"`values` prices {sorted(rule.values, key=str)}, but `{rule.by}` takes {sorted(wanted)}"
                yield placed.problem(text, *path, "values")
    elif isinstance(rule, (CountWeight, ItemWeight)):
        name = rule.count_of if isinstance(rule, CountWeight) else rule.per_item_of
        parameter = parameters.get(name)
        if parameter is None or not parameter.is_list:
            yield placed.problem(f"the weight counts `{name}`, which is no list parameter of this operation", *path)
        elif isinstance(rule, CountWeight):
            yield from _bands(placed, rule.bands, path, 1, parameter.max_items, f"number of {name}")
    elif isinstance(rule, CaseWeight):
        for index, case in enumerate(rule.cases):
            if case.given is not None and case.given not in parameters:
                yield placed.problem(
                    f"`{case.given}` is no parameter of this operation", *path, "cases", index, "given"
                )
            yield from _weight(placed, case.weight, (*path, "cases", index, "weight"), rest_needed=False)
        if rest_needed and rule.cases[-1].given is not None:
            yield placed.problem(
                "nothing prices a call without these parameters; add a last case without `given`", *path
            )


def _bands(
    placed: Placed[Operation],
    bands: list[Band],
    path: tuple[str | int, ...],
    low: int | None,
    high: int | None,
    what: str,
) -> Iterator[Problem]:
    first, last = bands[0], bands[-1]
    if low is not None and first.min > low:
        yield placed.problem(
            f"hole in the weight: {what} may be {low}, but the first band starts at {first.min}", *path
        )
    if last.max is not None and (high is None or last.max < high):
        allowed = "any size" if high is None else str(high)
        yield placed.problem(
            f"hole in the weight: {what} may be {allowed}, but the last band ends at {last.max}", *path
        )


def _rules(placed: Placed[Operation]) -> Iterator[Problem]:
    for index, rule in enumerate(placed.value.rules):
        if isinstance(rule, AtMostOneOf):
            names = rule.at_most_one_of
        elif isinstance(rule, ExactlyOneOf):
            names = rule.exactly_one_of
        elif isinstance(rule, Ordered):
            names = rule.ordered
        elif isinstance(rule, MaxSpan):
            names = [rule.start, rule.end]
        elif isinstance(rule, Lookback):
            names = rule.parameters
        for name in names:
            if name not in placed.value.parameters:
                yield placed.problem(f"`{name}` is no parameter of this operation", "rules", index)


def _variants(spec: Spec, placed: Placed[Operation]) -> Iterator[Problem]:
    operation = placed.value
    several = len(operation.returns) > 1
    for index, variant in enumerate(operation.returns):
        at = ("returns", index)
        yield from _type_exists(spec, placed, variant.type, *at, "type")
        if several and variant.variant is None:
            yield placed.problem("one of several answers needs a `variant:` name", *at)
        if several and variant.when is None:
            yield placed.problem("one of several answers needs a `when:` that says which call gets it", *at)
        when = variant.when
        named = [*when.given, *when.absent, *when.equals] if when else []
        for name in [*named, *variant.example]:
            if name not in operation.parameters:
                yield placed.problem(f"`{name}` is no parameter of this operation", *at)
        for wire, parameter in operation.parameters.items():
            if parameter.required and wire not in variant.example:
                yield placed.problem(f"the example lacks the required `{wire}`", *at, "example")
        yield from _fixtures(spec, placed, variant, at)


def _fixtures(spec: Spec, placed: Placed[Operation], variant: Variant, at: tuple[str | int, ...]) -> Iterator[Problem]:
    for suffix in variant.fixture_suffixes:
        name = fixture_name(placed.scope, placed.name, suffix)
        body = spec.fixtures.get(name)
        if body is None:
            yield placed.problem(f"fixtures/{name} is missing; write an example answer", *at)
            continue
        try:
            json.loads(body)
        except ValueError as error:
            yield Problem(f"fixtures/{name}", getattr(error, "lineno", 1), f"not JSON: {error}")


def fixture_name(scope: str, operation: str, suffix: str) -> str:
    return f"{scope}/{operation}{'.' if suffix else ''}{suffix}.json"


def _stray_fixtures(spec: Spec) -> Iterator[Problem]:
    wanted = {
        fixture_name(placed.scope, placed.name, suffix)
        for placed in spec.operations.values()
        for variant in placed.value.returns
        for suffix in variant.fixture_suffixes
    }
    for name in sorted(set(spec.fixtures) - wanted):
        yield Problem(f"fixtures/{name}", 1, "no operation uses this fixture; rename or delete it")


def _paging_and_cache(spec: Spec, placed: Placed[Operation]) -> Iterator[Problem]:
    operation = placed.value
    until = operation.cache.until_close_of
    if until is not None and until not in operation.parameters:
        yield placed.problem(f"`{until}` is no parameter of this operation", "cache", "until_close_of")
    paging = operation.paging
    if paging is None:
        return
    for word in ("cursor", "size", "start", "end", "step"):
        name = getattr(paging, word)
        if name is not None and name not in operation.parameters:
            yield placed.problem(f"`{name}` is no parameter of this operation", "paging", word)
    item = parse_type(operation.returns[0].type)
    if len(operation.returns) > 1 or item.kind != "list" or item.item is None:
        yield placed.problem("only an operation that answers one kind of list can page", "paging")
        return
    schema = spec.schema(placed.scope, item.item.name)
    if schema is None:
        return
    for word in ("key", "time"):
        attribute = getattr(paging, word)
        if attribute is not None and attribute not in attributes(spec, placed.scope, schema.value):
            yield placed.problem(f"{item.item.name} has no field `{attribute}`", "paging", word)
    if paging.window and paging.step is None:
        yield placed.problem("`window` counts in steps: name the `step` parameter", "paging", "window")


def attributes(spec: Spec, scope: str, schema: Schema) -> set[str]:
    """Python names of the fields of an object or row."""
    if isinstance(schema, RowSchema):
        return {position.name for position in schema.row if position.name}
    if isinstance(schema, ObjectSchema):
        base = spec.schema(scope, schema.extends) if schema.extends else None
        inherited = attributes(spec, scope, base.value) if base else set()
        return inherited | {field.name or snake(wire) for wire, field in schema.fields.items()}
    return set()


__all__ = ["SCOPES", "attributes", "check", "fixture_name"]
