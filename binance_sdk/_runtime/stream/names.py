"""Arguments of a stream method into names of streams, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from binance_sdk._runtime.calls.parameters import foreign_character, lower, upper
from binance_sdk._runtime.stream.operation import StreamOperation, StreamParameter
from binance_sdk.errors import ParameterError, shown

_FORBIDDEN = frozenset("/@!?&#=%\\\"'<>{}[]|^`,;:")
_LONGEST_SYMBOL = 64


@dataclass(frozen=True)
class NamedStream:
    """One stream: its kind, its name on the wire, and the arguments that the name was made of."""

    operation: StreamOperation[Any]
    name: str
    arguments: Mapping[str, str | int]


def name_streams(operation: StreamOperation[Any], arguments: Mapping[str, object]) -> tuple[NamedStream, ...]:
    """The streams that a call asks for, each once.

    Raises:
        ParameterError: an argument is missing, unknown or of the wrong form.
    """
    known = {parameter.name for parameter in operation.parameters}
    for name in arguments:
        if name not in known:
            raise ParameterError(
                f"{operation.id}: unknown parameter {shown(name)}", operation=operation.id, parameter=name
            )
    combinations: list[dict[str, str | int]] = [{}]
    texts: list[dict[str, str]] = [{}]
    for parameter in operation.parameters:
        values = _values(operation, parameter, arguments.get(parameter.name))
        combinations = [{**given, parameter.name: value} for given in combinations for value, _ in values]
        texts = [{**given, parameter.name: text} for given in texts for _, text in values]
    found = {
        (name := operation.pattern.format_map(text)): NamedStream(operation, name, given)
        for text, given in zip(texts, combinations, strict=True)
    }
    return tuple(found.values())


def _values(operation: StreamOperation[Any], parameter: StreamParameter, given: object) -> list[tuple[str | int, str]]:
    if given is None:
        given = parameter.default
    asked = given
    many: Iterable[object] = (given,)
    if parameter.many and not isinstance(given, str):
        many = cast("Iterable[object]", given) if isinstance(given, Iterable) else ()
    values = [_value(operation, parameter, item) for item in many]
    if not values:
        raise ParameterError(
            f"{operation.id}: {parameter.name}: name at least one, e.g. 'BTCUSDT'",
            operation=operation.id,
            parameter=parameter.name,
            value=asked,
        )
    return values


def _value(operation: StreamOperation[Any], parameter: StreamParameter, value: object) -> tuple[str | int, str]:
    if parameter.kind == "symbol":
        return _symbol(operation, parameter, value)
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value not in parameter.texts:
        choices = ", ".join(repr(choice) for choice in parameter.texts)
        raise ParameterError(
            f"{operation.id}: {parameter.name}={shown(value)} must be one of {choices}",
            operation=operation.id,
            parameter=parameter.name,
            value=value,
        )
    return value, parameter.texts[value]


def _symbol(operation: StreamOperation[Any], parameter: StreamParameter, value: object) -> tuple[str, str]:
    if not isinstance(value, str) or not value or len(value) > _LONGEST_SYMBOL:
        raise ParameterError(
            f"{operation.id}: {parameter.name}={shown(value)} must be a symbol such as 'BTCUSDT'",
            operation=operation.id,
            parameter=parameter.name,
            value=value,
        )
    for character in value:
        if character in _FORBIDDEN or character.isspace() or not character.isprintable():
            why = foreign_character(character, value, parameter.symbol_form)
            raise ParameterError(
                f"{operation.id}: {parameter.name}={shown(value)} {why}",
                operation=operation.id,
                parameter=parameter.name,
                value=value,
            )
    plain = str.__str__(value)
    form = parameter.symbol_form
    if form is not None and not form.fits(upper(plain)):
        raise ParameterError(
            f"{operation.id}: {parameter.name}={shown(value)} {form.refusal(upper(plain))}",
            operation=operation.id,
            parameter=parameter.name,
            value=value,
        )
    # The exchange acknowledges a name in upper case too, but never sends anything of it.
    return upper(plain), lower(plain)
