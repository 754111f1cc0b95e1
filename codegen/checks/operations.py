"""What must hold between an operation and the rest of the spec, so that no generated call can go wrong by design."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from codegen.checks.references import enum_exists, parameter_exists, type_exists
from codegen.checks.weights import check_weight
from codegen.documents import Problem
from codegen.names import english_list, shadowing, snake
from codegen.spec_model.explain import did_you_mean
from codegen.spec_model.operations import Operation, Variant
from codegen.spec_model.parameters import (
    AtMostOneOf,
    ExactlyOneOf,
    Lookback,
    MaxSpan,
    Ordered,
    Parameter,
    ParameterRule,
)
from codegen.spec_model.schemas import RowSchema, Schema
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.types import parse_type

_METHODS = frozenset({"plan", "with_raw_response", "streams", "order_book"})
"""What a market namespace of the client has besides its endpoints."""

_ARGUMENTS = frozenset({"self", "options", "operations"})
"""Names that the body of every generated method uses."""


def check_operation(spec: Spec, placed: Placed[Operation]) -> Iterator[Problem]:
    operation = placed.value
    reason = "is a part of the client" if placed.name in _METHODS else shadowing(placed.name)
    if reason is not None:
        yield placed.problem(f"`{placed.name}` {reason}; give the operation another name")
    yield from _path(spec, placed)
    unsound = list(_parameters(spec, placed))
    yield from unsound
    groups = spec.pool_of(placed.scope).groups
    for index, group in enumerate(operation.groups):
        if group not in groups:
            there = f"it has {english_list(sorted(groups))}" if groups else "it has none"
            yield placed.problem(
                f"the pool of {placed.scope} in markets.yaml has no group `{group}`; {there}", "groups", index
            )
    yield from check_weight(spec, placed)
    yield from _rules(placed)
    yield from _variants(spec, placed, sound=not unsound)
    yield from _cache(placed)
    yield from _paging(spec, placed)


def _path(spec: Spec, placed: Placed[Operation]) -> Iterator[Problem]:
    """An endpoint in the file of another market would be asked for at the wrong host, and charged to its budget."""
    path = placed.value.path
    paths: Mapping[str, list[str]] = {name: entry.paths for name, entry in spec.markets.markets.items() if entry.paths}
    known = paths.get(placed.scope)
    if known is None or path.startswith(tuple(known)):
        return
    owner = next((market for market, begins in paths.items() if path.startswith(tuple(begins))), None)
    remedy = f"it belongs to {owner}: move it below {owner}/" if owner else "correct it, or add it to markets.yaml"
    text = f"paths of {placed.scope} begin with {english_list(known, 'or')}, and `{path}` does not; {remedy}"
    yield placed.problem(text, "path")


# ----------------------------------------------------------------------------------- parameters


def _parameters(spec: Spec, placed: Placed[Operation]) -> Iterator[Problem]:
    paging = placed.value.paging
    size = placed.value.parameters.get(paging.size) if paging else None
    names: dict[str, str] = {}
    for wire, parameter in placed.value.parameters.items():
        at = ("parameters", wire)
        name = parameter.name or snake(wire)
        if parameter.name is not None and parameter.name == snake(wire):
            yield placed.problem(f"`name: {name}` is what `{wire}` becomes anyway; drop it", *at, "name")
        reason = "is taken in every method" if name in _ARGUMENTS else shadowing(name)
        if reason is None and size is not None and size.type == "int" and parameter is not size:
            reason = "is an argument of the iterator" if name in ("limit", "page_size") else None
        if reason is not None:
            yield placed.problem(f"the Python name `{name}` of `{wire}` {reason}; give it another `name:`", *at)
        if name in names:
            text = f"`{wire}` and `{names[name]}` both become `{name}` in Python; give one of them a `name:`"
            yield placed.problem(text, *at)
        names[name] = wire
        if parameter.enum is not None:
            yield from _enum_parameter(spec, placed, wire, parameter)


def _enum_parameter(spec: Spec, placed: Placed[Operation], wire: str, parameter: Parameter) -> Iterator[Problem]:
    at = ("parameters", wire)
    enum = spec.enum(placed.scope, str(parameter.enum))
    yield from enum_exists(spec, placed, str(parameter.enum), *at, "enum")
    if enum is not None and parameter.default is not None and parameter.default not in enum.value.values:
        values = english_list(enum.value.values, "or")
        text = f"the default `{parameter.default}` is no value of {parameter.enum}; write {values}"
        yield placed.problem(text, *at, "default")


def _rules(placed: Placed[Operation]) -> Iterator[Problem]:
    for index, rule in enumerate(placed.value.rules):
        for wire in rule_names(rule):
            yield from parameter_exists(placed, wire, "rules", index)
            parameter = placed.value.parameters.get(wire)
            if parameter is not None and parameter.type != "time" and isinstance(rule, (MaxSpan, Lookback)):
                yield placed.problem(
                    f"this rule is about times, and `{wire}` is of type {parameter.type}", "rules", index
                )


def rule_names(rule: ParameterRule) -> list[str]:
    """The parameters a rule speaks of."""
    if isinstance(rule, AtMostOneOf):
        return rule.at_most_one_of
    if isinstance(rule, ExactlyOneOf):
        return rule.exactly_one_of
    if isinstance(rule, Ordered):
        return rule.ordered
    return rule.parameters if isinstance(rule, Lookback) else [rule.start, rule.end]


# ------------------------------------------------------------------------------------- variants


def _variants(spec: Spec, placed: Placed[Operation], *, sound: bool) -> Iterator[Problem]:
    operation = placed.value
    several = len(operation.returns) > 1
    before = Counter[str | None]()
    for index, variant in enumerate(operation.returns):
        at = ("returns", index)
        problems = list(_variant(spec, placed, variant, at, several=several))
        if variant.variant in before and variant.variant is not None:
            problems.append(
                placed.problem(f"another answer is called `{variant.variant}` too; rename one", *at, "variant")
            )
        before[variant.variant] += 1
        sound = sound and not problems
        yield from problems
        for suffix in variant.fixture_suffixes:
            name = fixture_name(placed.scope, placed.name, suffix)
            if name not in spec.fixtures:
                yield placed.problem(f"fixtures/{name} is missing; write an example answer there", *at)
    if several and sound:
        yield from _selection(spec, placed)


def _variant(
    spec: Spec, placed: Placed[Operation], variant: Variant, at: tuple[str | int, ...], *, several: bool
) -> Iterator[Problem]:
    operation = placed.value
    yield from type_exists(spec, placed, variant.type, *at, "type")
    if several and variant.variant is None:
        yield placed.problem("one of several answers needs a name; write for example `variant: single`", *at)
    if several and variant.when is None:
        text = "one of several answers says which call gets it; write for example `when: {given: [symbol]}`"
        yield placed.problem(text, *at)
    when = variant.when
    for wire in (*when.given, *when.absent, *when.equals) if when else ():
        yield from parameter_exists(placed, wire, *at, "when")
    for wire, value in when.equals.items() if when else ():
        parameter = operation.parameters.get(wire)
        enum = spec.enum(placed.scope, parameter.enum) if parameter and parameter.enum else None
        if enum is not None and enum.value.open:
            text = f"{parameter.enum if parameter else wire} is open, so a value of tomorrow would get no answer"
            yield placed.problem(text, *at, "when", "equals", wire)
        if parameter is not None and (enum is None or value not in enum.value.values):
            takes = f"takes {english_list(enum.value.values, 'or')}" if enum else "is no enum"
            yield placed.problem(f"`{wire}` cannot equal `{value}`: it {takes}", *at, "when", "equals", wire)
    for wire, argument in variant.example.items():
        yield from parameter_exists(placed, wire, *at, "example", wire)
        if wire in operation.parameters:
            reason = _misfit(spec, placed, operation.parameters[wire], argument)
            if reason is not None:
                yield placed.problem(f"the example of `{wire}`: {reason}", *at, "example", wire)
    for wire, parameter in operation.parameters.items():
        if parameter.required and wire not in variant.example:
            yield placed.problem(f"the example lacks `{wire}`, which every call needs", *at, "example")


def _misfit(spec: Spec, placed: Placed[Operation], parameter: Parameter, value: object) -> str | None:
    enum = spec.enum(placed.scope, parameter.enum) if parameter.enum else None
    if enum is not None:
        strange = [v for v in (value if isinstance(value, list) else [value]) if v not in enum.value.values]
        if strange:
            return f"`{strange[0]}` is no value of {parameter.enum}; write {english_list(enum.value.values, 'or')}"
    names = spec.symbol_names(placed.scope, pair=parameter.pair) if parameter.type == "symbol" else None
    if names is not None:
        for symbol in value if isinstance(value, list) else [value]:
            if isinstance(symbol, str) and not re.fullmatch(names.pattern, symbol.upper()):
                what = "pair" if parameter.pair else "symbol"
                return f"`{symbol}` is no {what} of {placed.scope} by markets.yaml; write one such as `{names.example}`"
    return parameter.misfit(value)


def _selection(spec: Spec, placed: Placed[Operation]) -> Iterator[Problem]:
    """Every call gets an answer, and each example gets the answer it stands with."""
    operation = placed.value
    found = False
    for index, variant in enumerate(operation.returns):
        chosen = _chosen(operation, variant.example)
        if chosen is not variant:
            found = True
            gets = f"gets `{chosen.variant}`" if chosen else "gets no answer at all"
            text = f"the example of `{variant.variant}` {gets}; correct it or `when`"
            yield placed.problem(text, "returns", index, "example")
    if found:
        return
    named: dict[str, list[Any]] = {}
    for variant in operation.returns:
        when = variant.when
        assert when is not None
        for wire in (*when.given, *when.absent, *when.equals):
            parameter = operation.parameters[wire]
            enum = spec.enum(placed.scope, parameter.enum) if parameter.enum else None
            values: list[Any] = list(enum.value.values) if enum and wire in when.equals else [True]
            named[wire] = max(named.get(wire, []), [*values, *([] if parameter.required else [None])], key=len)
    for combination in product(*named.values()):
        call = {wire: value for wire, value in zip(named, combination, strict=True) if value is not None}
        if _chosen(operation, call) is None and not _refused(operation, call, set(named)):
            given = [wire if value is True else f"{wire}={value}" for wire, value in call.items()]
            absent = [wire for wire in named if wire not in call]
            parts = [f"with {english_list(given)}"] if given else []
            parts += [f"without {english_list(absent, 'or')}"] if absent else []
            text = f"no answer is given for a call {' and '.join(parts)}; let a `when` select it"
            yield placed.problem(text, "returns")
            return


def _chosen(operation: Operation, call: dict[str, Any]) -> Variant | None:
    in_force = {
        wire: parameter.default for wire, parameter in operation.parameters.items() if parameter.default is not None
    } | call
    for variant in operation.returns:
        when = variant.when
        if when is None:
            continue
        fits = all(wire in call for wire in when.given) and not any(wire in call for wire in when.absent)
        if fits and all(in_force.get(wire) == value for wire, value in when.equals.items()):
            return variant
    return None


def _refused(operation: Operation, call: dict[str, Any], known: set[str]) -> bool:
    """Whether the rules turn this call down; a rule that names other parameters as well is taken to."""
    for rule in operation.rules:
        if isinstance(rule, (AtMostOneOf, ExactlyOneOf)):
            names = rule_names(rule)
            given = sum(wire in call for wire in names)
            if given > 1 or (given == 0 and isinstance(rule, ExactlyOneOf) and known.issuperset(names)):
                return True
    return False


def fixture_name(scope: str, operation: str, suffix: str) -> str:
    """Path of a fixture below ``spec/fixtures``."""
    return f"{scope}/{operation}{'.' if suffix else ''}{suffix}.json"


# ----------------------------------------------------------------------------- paging and cache


def _cache(placed: Placed[Operation]) -> Iterator[Problem]:
    until = placed.value.cache.until_close_of
    if until is not None:
        yield from parameter_exists(placed, until, "cache", "until_close_of")


def _paging(spec: Spec, placed: Placed[Operation]) -> Iterator[Problem]:
    operation, paging = placed.value, placed.value.paging
    if paging is None:
        return
    for word in ("cursor", "size", "start", "end", "step"):
        wire = getattr(paging, word)
        if wire is not None:
            yield from parameter_exists(placed, wire, "paging", word)
    size = operation.parameters.get(paging.size)
    if size is not None and (size.type != "int" or size.max is None):
        yield placed.problem(
            f"`{paging.size}` must be an int with a `max`, the rows of the largest page", "paging", "size"
        )
    step = operation.parameters.get(paging.step) if paging.step else None
    steps = spec.enum(placed.scope, step.enum) if step is not None and step.enum else None
    if step is not None and (step.type != "enum" or (steps is not None and steps.value.open)):
        yield placed.problem(f"`{paging.step}` must be a closed enum of durations such as 1h", "paging", "step")
    if paging.window:
        missing = [word for word in ("step", "end") if getattr(paging, word) is None]
        if missing:
            text = f"a window is so many steps with both ends given; say which parameter is the `{missing[0]}`"
            yield placed.problem(text, "paging", "window")
    elif paging.keeps is not None:
        text = "says which rows of a window come, so it needs `window: true`"
        yield placed.problem(text, "paging", "keeps")
    item = parse_type(operation.returns[0].type)
    if len(operation.returns) > 1 or item.kind != "list" or item.item is None:
        yield placed.problem("only an operation that answers one kind of list can page", "paging")
        return
    schema = spec.schema(placed.scope, item.item.name)
    known = _attributes(spec, placed.scope, schema.value) if schema is not None else []
    for word in ("key", "time"):
        attribute = getattr(paging, word)
        if schema is not None and attribute is not None and attribute not in known:
            hint = did_you_mean(attribute, known) or f"; it has {english_list(known)}"
            yield placed.problem(f"{item.item.name} has no field `{attribute}`{hint}", "paging", word)


def _attributes(spec: Spec, scope: str, schema: Schema) -> list[str]:
    """Python names of the fields of an object or row."""
    if isinstance(schema, RowSchema):
        return [position.name for position in schema.row if position.name]
    return [field.name or snake(wire) for wire, field in spec.fields(scope, schema).items()]
