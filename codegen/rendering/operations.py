"""Operations of the spec as Python expressions over ``binance_sdk._runtime``."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.names import snake
from codegen.rendering import words
from codegen.rendering.docstrings import python_type
from codegen.rendering.symbols import form_of
from codegen.spec_model.base import seconds
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
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.types import TypeRef, parse_type
from codegen.spec_model.weights import Band, BandWeight, CountWeight, ItemWeight, ValueWeight, WeightRule


@dataclass(frozen=True)
class OperationView:
    id: str
    name: str
    constant: str
    path: str
    returns: str
    weight: str
    cache: str
    hosts: tuple[str, ...]
    variants: tuple[str, ...]
    parameters: tuple[str, ...]
    rest: tuple[tuple[str, str], ...]
    """Fields that differ from their defaults, as (name, expression)."""


def operation_view(spec: Spec, placed: Placed[Operation]) -> OperationView:
    operation, scope = placed.value, placed.scope
    several = [_qualified(spec, scope, parse_type(v.type)) for v in operation.returns]
    rest: list[tuple[str, str]] = []
    if operation.rules:
        rest.append(("rules", _tuple([_rule(rule) for rule in operation.rules])))
    if operation.groups:
        rest.append(("groups", repr(tuple(operation.groups))))
    if operation.security != "none":
        rest.append(("security", repr(operation.security)))
    if operation.used_weight_header != "trusted":
        rest.append(("used_weight_header", repr(operation.used_weight_header)))
    if operation.paging is not None:
        rest.append(("paging", _call("op.Paging", **operation.paging.model_dump(exclude_defaults=True))))
    if operation.teaches is not None:
        rest.append(("teaches", _call("op.Teaches", **operation.teaches.model_dump(exclude_none=True))))
    if operation.deprecated:
        rest.append(("deprecated", repr(words.deprecation(placed.name, operation.deprecated))))
    if operation.errors:
        rest.append(("error_codes", repr(tuple(operation.errors))))
    cache = {"seconds": seconds(operation.cache.ttl), "until_close_of": operation.cache.until_close_of}
    return OperationView(
        id=f"{scope}.{placed.name}",
        name=placed.name,
        constant=placed.name.upper(),
        path=operation.path,
        returns=" | ".join(dict.fromkeys(several)),
        weight=_weight(operation.weight),
        cache=_call("op.Cache", **{k: v for k, v in cache.items() if v is not None}),
        hosts=tuple(spec.hosts[scope, placed.name]),
        variants=tuple(_variant(v, t) for v, t in zip(operation.returns, several, strict=True)),
        parameters=tuple(_parameter(spec, scope, wire, parameter) for wire, parameter in operation.parameters.items()),
        rest=tuple(rest),
    )


def _qualified(spec: Spec, scope: str, type_: TypeRef) -> str:
    """The type as seen from ``operations.py``, where models are attributes of their package."""
    if type_.item is not None:
        inner = _qualified(spec, scope, type_.item)
        return f"list[{inner}]" if type_.kind == "list" else f"dict[str, {inner}]"
    return f"{scope}_types.{type_.name}" if type_.kind == "name" else python_type(type_)


def _call(name: str, /, *positional: str, **fields: object) -> str:
    return f"{name}({', '.join([*positional, *(f'{key}={value!r}' for key, value in fields.items())])})"


def _tuple(items: list[str]) -> str:
    return f"({', '.join(items)},)"


def _weight(rule: WeightRule) -> str:
    if isinstance(rule, int):
        return f"w.Fixed({rule})"
    if isinstance(rule, BandWeight):
        return _call("w.Bands", repr(rule.by), *_steps(rule.bands))
    if isinstance(rule, ValueWeight):
        return _call("w.Values", repr(rule.by), repr(rule.values))
    if isinstance(rule, CountWeight):
        return _call("w.Counts", repr(rule.count_of), *_steps(rule.bands))
    if isinstance(rule, ItemWeight):
        return _call("w.PerItem", repr(rule.per_item_of), repr(rule.each), repr(rule.cap))
    cases = [f"({case.given!r}, {_weight(case.weight)})" for case in rule.cases]
    return f"w.Cases({_tuple(cases)})"


def _steps(bands: list[Band]) -> tuple[str, str]:
    steps = tuple((band.max, band.weight) for band in bands if band.max is not None)
    return repr(steps), repr(bands[-1].weight)


def _rule(rule: ParameterRule) -> str:
    if isinstance(rule, AtMostOneOf):
        return _call("op.OneOf", repr(tuple(rule.at_most_one_of)))
    if isinstance(rule, ExactlyOneOf):
        return _call("op.OneOf", repr(tuple(rule.exactly_one_of)), required=True)
    if isinstance(rule, Ordered):
        return _call("op.Ordered", repr(rule.ordered[0]), repr(rule.ordered[1]))
    if isinstance(rule, MaxSpan):
        inclusive = {"inclusive": True} if rule.inclusive else {}
        return _call("op.MaxSpan", repr(rule.start), repr(rule.end), repr(seconds(rule.span)), **inclusive)
    if isinstance(rule, Lookback):
        return _call("op.Lookback", repr(tuple(rule.parameters)), repr(seconds(rule.lookback)))
    raise TypeError(type(rule).__name__)


def _parameter(spec: Spec, scope: str, wire: str, one: Parameter) -> str:
    fields: dict[str, object] = {}
    if one.required:
        fields["required"] = True
    if one.is_list:
        fields["list"] = True
    enum = spec.enum(scope, one.enum) if one.enum else None
    if enum is not None:
        fields["choices"] = tuple(enum.value.values)
        if enum.value.open:
            fields["open"] = True
    elif one.values is not None:
        fields["choices"] = tuple(one.values)
    for name in ("default", "min", "max"):
        if getattr(one, name) is not None:
            fields[name] = getattr(one, name)
    if one.above == "clamp":
        fields["clamp"] = True
    for name in ("max_items", "pattern", "pattern_note"):
        if getattr(one, name) is not None:
            fields[name] = getattr(one, name)
    form = form_of(spec, scope, pair=one.pair) if one.type == "symbol" else None
    if form is not None:
        fields["symbol_form"] = form
    return _call("Parameter", repr(wire), repr(one.name or snake(wire)), repr(one.type), **fields)


def _variant(variant: Variant, type_: str) -> str:
    fields: dict[str, object] = {}
    if variant.variant:
        fields["name"] = variant.variant
    if variant.when:
        if variant.when.given:
            fields["given"] = tuple(variant.when.given)
        if variant.when.absent:
            fields["absent"] = tuple(variant.when.absent)
        if variant.when.equals:
            fields["equals"] = dict(variant.when.equals)
    fields["example"] = dict(variant.example)
    if variant.fixture_suffixes != [""]:
        fields["fixtures"] = tuple(variant.fixture_suffixes)
    return _call("Variant", type_, **fields)
