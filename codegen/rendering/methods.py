"""Signatures and overloads of the client methods."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.names import snake
from codegen.rendering import words
from codegen.rendering.docstrings import iterator_docstring, method_docstring, python_type
from codegen.spec_model.operations import Operation, Variant
from codegen.spec_model.parameters import AtMostOneOf, ExactlyOneOf, Parameter
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.types import parse_type


@dataclass(frozen=True)
class ArgumentView:
    """One argument of a method: ``symbol: str | None = None``."""

    name: str
    wire: str
    type: str
    required: bool

    @property
    def declaration(self) -> str:
        return f"{self.name}: {self.type}" if self.required else f"{self.name}: {self.type} = None"


@dataclass(frozen=True)
class SignatureView:
    positional: tuple[ArgumentView, ...]
    keyword: tuple[ArgumentView, ...]
    returns: str

    @property
    def parameters(self) -> str:
        parts = ["self", *(argument.declaration for argument in self.positional), "*"]
        parts += [argument.declaration for argument in self.keyword]
        return ", ".join([*parts, "options: RequestOptions | None = None"])


@dataclass(frozen=True)
class MethodView:
    name: str
    constant: str
    signature: SignatureView
    overloads: tuple[SignatureView, ...]
    arguments: tuple[ArgumentView, ...]
    docstring: str
    deprecated: str | None
    names: tuple[str, ...]
    """Every generated name the signatures mention."""


def method_view(spec: Spec, placed: Placed[Operation]) -> MethodView:
    operation = placed.value
    arguments = tuple(_argument(spec, placed, wire) for wire in operation.parameters)
    returns = " | ".join(dict.fromkeys(python_type(parse_type(v.type)) for v in operation.returns))
    overloads = tuple(_overload(spec, placed, v) for v in operation.returns) if len(operation.returns) > 1 else ()
    return MethodView(
        name=placed.name,
        constant=placed.name.upper(),
        signature=_signature(arguments, returns),
        overloads=overloads,
        arguments=arguments,
        docstring=method_docstring(spec, placed),
        deprecated=_deprecated(placed),
        names=_mentioned(operation),
    )


def _deprecated(placed: Placed[Operation]) -> str | None:
    deprecation = placed.value.deprecated
    return None if deprecation is None else words.deprecation(placed.name, deprecation)


def iterator_view(spec: Spec, placed: Placed[Operation]) -> MethodView:
    operation, paging = placed.value, placed.value.paging
    assert paging is not None
    arguments = [_argument(spec, placed, wire) for wire in operation.parameters if wire != paging.size]
    item = parse_type(operation.returns[0].type).item
    assert item is not None
    own = (
        ArgumentView("limit", "", "int | None", False),
        ArgumentView("page_size", "", "int | None", False),
    )
    return MethodView(
        name=f"iter_{placed.name}",
        constant=placed.name.upper(),
        signature=_signature((*arguments, *own), python_type(item)),
        overloads=(),
        arguments=tuple(arguments),
        docstring=iterator_docstring(spec, placed, [(a.name, a.wire) for a in (*arguments, *own)], python_type(item)),
        deprecated=_deprecated(placed),
        names=_mentioned(operation),
    )


def _signature(arguments: tuple[ArgumentView, ...], returns: str) -> SignatureView:
    # What every call needs comes first and may be passed by position; so may `symbol`, wherever it exists.
    positional = tuple(a for a in arguments if a.required or a.wire == "symbol")
    keyword = tuple(a for a in arguments if a not in positional)
    ordered = tuple(sorted(positional, key=lambda a: not a.required))
    return SignatureView(ordered, keyword, returns)


def _argument(
    spec: Spec, placed: Placed[Operation], wire: str, required: bool | None = None, type_: str | None = None
) -> ArgumentView:
    parameter = placed.value.parameters[wire]
    needed = parameter.required if required is None else required
    enum = spec.enum(placed.scope, parameter.enum) if parameter.enum else None
    text = type_ or parameter_type(parameter, is_open=enum is not None and enum.value.open)
    return ArgumentView(parameter.name or snake(wire), wire, text if needed else f"{text} | None", needed)


def parameter_type(one: Parameter, *, is_open: bool) -> str:
    if one.enum is not None:
        # Of an open list the known values stay what an editor offers.
        item = f"{one.enum} | str" if is_open else one.enum
    elif one.values is not None:
        item = f"Literal[{', '.join(str(value) for value in one.values)}]"
    elif one.type == "time":
        item = "int | datetime"
    else:
        item = {"int": "int", "id": "int", "bool": "bool"}.get(one.type, "str")
    return f"Sequence[{item}]" if one.is_list else item


def _overload(spec: Spec, placed: Placed[Operation], variant: Variant) -> SignatureView:
    operation, when = placed.value, variant.when
    assert when is not None
    excluded = _excluded_by(operation, when.given)
    arguments = []
    for wire, parameter in operation.parameters.items():
        if wire in when.given:
            arguments.append(_argument(spec, placed, wire, required=True))
        elif wire in when.absent or wire in excluded:
            # `symbol` keeps its place in front, so that the overloads differ by type and not by position.
            if wire == "symbol":
                arguments.append(ArgumentView(parameter.name or snake(wire), wire, "None", False))
        elif wire in when.equals:
            value = when.equals[wire]
            is_default = parameter.default == value
            arguments.append(_argument(spec, placed, wire, required=not is_default, type_=f'Literal["{value}"]'))
        else:
            arguments.append(_argument(spec, placed, wire))
    signature = _signature(tuple(arguments), python_type(parse_type(variant.type)))
    keyword = tuple(a for a in (*signature.positional, *signature.keyword) if a.wire != "symbol" and a.required)
    rest = tuple(a for a in signature.keyword if a not in keyword)
    positional = tuple(a for a in signature.positional if a not in keyword)
    return SignatureView(positional, (*keyword, *rest), signature.returns)


def _excluded_by(operation: Operation, given: list[str]) -> set[str]:
    excluded: set[str] = set()
    for rule in operation.rules:
        if isinstance(rule, AtMostOneOf):
            names = rule.at_most_one_of
        elif isinstance(rule, ExactlyOneOf):
            names = rule.exactly_one_of
        else:
            continue
        if any(name in names for name in given):
            excluded |= set(names) - set(given)
    return excluded


def _mentioned(operation: Operation) -> tuple[str, ...]:
    names = {p.enum for p in operation.parameters.values() if p.enum}
    for variant in operation.returns:
        leaf = parse_type(variant.type).leaf
        if leaf.kind == "name":
            names.add(leaf.name)
    return tuple(sorted(names))
