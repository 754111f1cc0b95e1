"""Turns ``name=value`` from the command line into the typed arguments of an operation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import cast

from binance_sdk.catalogue import CATALOGUE, Market, Operation, Parameter
from binance_sdk.cli.exit_codes import CommandError
from binance_sdk.cli.markets import ALL_MARKETS, market_word, which_have

Argument = int | str | bool | datetime | list[int | str | bool]

_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
_MOST_CHOICES = 16
_MOST_DIGITS = 30
_LONGEST_SHOWN = 80


def find_operation(market: Market, name: str) -> Operation[object]:
    """An operation by its name.

    Raises:
        CommandError: there is none; the message names similar ones.
    """
    operations = CATALOGUE[market].operations
    found = operations.get(name)
    if found is not None:
        return found
    missing = f"{market_word(market)} has no operation {name!r}"
    others: list[Market] = [other for other in ALL_MARKETS if name in CATALOGUE[other].operations]
    if others:
        raise CommandError(f"{missing}, but {which_have(others)}: binance-sdk call {market_word(others[0])} {name}")
    hint = did_you_mean(name, operations)
    raise CommandError(f"{missing}{hint}; `binance-sdk operations {market_word(market)}` lists all")


def read_arguments(operation: Operation[object], pairs: Sequence[str]) -> dict[str, Argument]:
    """Typed arguments by Python name.

    Args:
        operation: The operation.
        pairs: ``name=value`` each, with the Python name or the one on the wire.

    Raises:
        CommandError: one cannot be read, or a required one is missing.
    """
    arguments: dict[str, Argument] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign:
            raise CommandError(f"{pair!r} must be name=value, e.g. symbol=BTCUSDT")
        parameter = _find_parameter(operation, name)
        if parameter.name in arguments:
            hint = ": separate its values by commas" if parameter.list else ""
            raise CommandError(f"{parameter.name} is given twice{hint}")
        if not text:
            raise CommandError(f"{name}= has no value: give one, or leave the parameter out")
        arguments[parameter.name] = _list(parameter, text) if parameter.list else _scalar(parameter, text)
    for parameter in operation.parameters:
        if parameter.required and parameter.name not in arguments:
            raise CommandError(f"{operation.id}: {parameter.name} is required: add {parameter.name}={form(parameter)}")
    return arguments


def form(parameter: Parameter) -> str:
    """How a value of a parameter is written, for help and messages."""
    if parameter.choices and len(parameter.choices) <= _MOST_CHOICES:
        single = "|".join(str(choice) for choice in parameter.choices)
    else:
        single = parameter.symbol_form.example if parameter.symbol_form else _FORMS[parameter.type]
    return f"{single},..." if parameter.list else single


_FORMS: Mapping[str, str] = {
    "symbol": "BTCUSDT",
    "string": "TEXT",
    "int": "NUMBER",
    "id": "NUMBER",
    "time": "2026-01-31T12:00Z",
    "bool": "true|false",
    "enum": "NAME",
    "utc_offset": "+8:00",
}


def _find_parameter(operation: Operation[object], name: str) -> Parameter:
    found = operation.by_name.get(name) or operation.by_wire.get(name)
    if found is not None:
        return found
    if not operation.parameters:
        raise CommandError(f"{operation.id} takes no parameters, so {name!r} cannot be passed")
    known = ", ".join(operation.by_name)
    hint = did_you_mean(name, [*operation.by_wire, *operation.by_name])
    raise CommandError(f"{operation.id} has no parameter {name!r}{hint}; it takes {known}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean ...?`` if a known name is similar, otherwise an empty text."""
    # openInterest and open_interest count as the same name; the last spelling of ``known`` is offered.
    by_letters = {_letters(spelling): spelling for spelling in known}
    found = [by_letters[letters] for letters in get_close_matches(_letters(name), by_letters, n=2, cutoff=0.6)]
    return f"; did you mean {' or '.join(found)}?" if found else ""


def _letters(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _list(parameter: Parameter, text: str) -> list[int | str | bool]:
    items = text.split(",")
    if text.startswith("["):
        # A JSON array, as in Binance's documents.
        remedy = f"write {parameter.name}=A,B,C"
        try:
            read = cast("list[object]", json.loads(text))
        except (ValueError, RecursionError) as error:
            raise CommandError(f"{parameter.name}={_cut(text)} is not a list: {remedy}") from error
        items = [item for item in read if isinstance(item, str)]
        if len(items) < len(read):
            raise CommandError(f"{parameter.name}={_cut(text)} must be a list of strings: {remedy}")
    values = [_scalar(parameter, item.strip()) for item in items]
    return [value for value in values if not isinstance(value, datetime)]


def _scalar(parameter: Parameter, text: str) -> int | str | bool | datetime:
    reader = _READERS.get(parameter.type)
    return text if reader is None else reader(parameter, text)


def _integer(parameter: Parameter, text: str) -> int:
    if not _is_number(text):
        raise CommandError(f"{parameter.name}={_cut(text)} must be a whole number of at most {_MOST_DIGITS} digits")
    return int(text)


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and len(text) <= _MOST_DIGITS


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _boolean(parameter: Parameter, text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise CommandError(f"{parameter.name}={_cut(text)} must be true or false")
    return text.lower() in _TRUE


def _time(parameter: Parameter, text: str) -> int | datetime:
    if _is_number(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            f"{parameter.name}={_cut(text)} is not a time: write 2026-01-31, 2026-01-31T12:00Z or epoch milliseconds"
        ) from error
    # As UTC: Binance's days begin in UTC, and this program prints UTC.
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


_READERS: Mapping[str, Callable[[Parameter, str], int | str | bool | datetime]] = {
    "int": _integer,
    "id": _integer,
    "bool": _boolean,
    "time": _time,
}
