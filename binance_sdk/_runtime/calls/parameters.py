"""Turns Python arguments into a query string, or raises ``ParameterError`` before anything is sent.

Everything is decided from the operation's parameters and rules; the current time is an argument.
"""

from __future__ import annotations

import json
import logging
import operator
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Any, NoReturn, SupportsIndex, cast
from urllib.parse import quote

from binance_sdk._runtime.answers.scalars import EPOCH, to_datetime
from binance_sdk._runtime.market import SymbolForm
from binance_sdk._runtime.operation import Lookback, MaxSpan, OneOf, Operation, Ordered, Parameter
from binance_sdk._runtime.weight import Arguments, ArgumentValue
from binance_sdk.errors import ParameterError, plain_number, shown

_FORBIDDEN_IN_SYMBOL = frozenset('/?&#%@"[],')
_LONGEST_SYMBOL = 40
_MOST_ITEMS = 10_000
_LONGEST_QUERY = 60_000
"""Characters. HTTP libraries and servers refuse much longer ones without saying why."""
_NEW_CHOICE = re.compile("[A-Za-z0-9_]{1,64}")
"""Form of a value that Binance may have added to an open list of choices."""
_LOGGER = logging.getLogger("binance_sdk")
_NEEDS_NO_QUOTING = re.compile("[A-Za-z0-9_.~-]+")
_LARGEST_ID = 2**63 - 1
_UTC_OFFSET = re.compile(r"([+-]?)([0-9]{1,2})(?::([0-9]{2}))?")
_EARLIEST_OFFSET, _LATEST_OFFSET = -12 * 60, 14 * 60
_SEPARATORS = re.compile(r"[/\s]")
_PLAIN_SYMBOL = re.compile(f"[A-Za-z0-9_-]{{1,{_LONGEST_SYMBOL}}}")
_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LOWER = {large: small for small, large in _UPPER.items()}

# Seconds read as milliseconds are a time before 1974, and microseconds one after the year 5000.
EARLIEST_MS, LATEST_MS = 10**11, 10**14


class InvalidValue(Exception):
    """Why a value cannot be sent; becomes a ``ParameterError`` that names operation and argument."""


def validate(operation: Operation[Any], arguments: Mapping[str, object], now_ms: int) -> Arguments:
    """The given arguments in wire form, by wire name, in the order of the spec.

    Args:
        operation: The endpoint.
        arguments: Values by wire name; None means not given.
        now_ms: Current server time, for look-back limits.

    Raises:
        ParameterError: naming the argument, its value and the remedy.
    """
    given: dict[str, ArgumentValue] = {}
    for parameter in operation.parameters:
        value = arguments.get(parameter.wire)
        if value is None:
            if parameter.required:
                _refuse(operation, parameter, None, "is required")
            continue
        given[parameter.wire] = validate_one(operation, parameter.wire, value)
    for rule in operation.rules:
        if isinstance(rule, OneOf):
            _check_one_of(operation, rule, given)
        elif isinstance(rule, Ordered):
            _check_order(operation, rule, given)
        elif isinstance(rule, MaxSpan):
            _check_span(operation, rule, given)
        else:
            check_lookback(operation, rule, given, now_ms)
    return given


def validate_one(operation: Operation[Any], wire: str, value: object) -> ArgumentValue:
    """One argument in wire form.

    Raises:
        ParameterError: naming it, its value and the remedy.
    """
    parameter = operation.by_wire[wire]
    try:
        return _list(parameter, value) if parameter.list else _scalar(parameter, value)
    except InvalidValue as reason:
        _refuse(operation, parameter, value, str(reason))


def query(operation: Operation[Any], given: Arguments) -> str:
    """The query string, percent-encoded as UTF-8; lists as one JSON array without spaces.

    Raises:
        ParameterError: it would be too long for a URL.
    """
    parts = {name: f"{_quoted(name)}={_quoted(text(value))}" for name, value in given.items()}
    query = "&".join(parts.values())
    if len(query) > _LONGEST_QUERY:
        longest = max(parts, key=lambda name: len(parts[name]))
        value = given[longest]
        many = f"has {len(value)} items, which make" if isinstance(value, tuple) else "makes"
        reason = f"{many} a query of {len(query)} characters, at most {_LONGEST_QUERY} can be sent: split the call"
        _refuse(operation, operation.by_wire[longest], value, reason)
    return query


def _quoted(value: str) -> str:
    return value if _NEEDS_NO_QUOTING.fullmatch(value) else quote(value, safe="")


def text(value: ArgumentValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, str)):
        return str(value)
    return json.dumps(list(value), ensure_ascii=False, separators=(",", ":"))


def _refuse(operation: Operation[Any], parameter: Parameter, value: object, reason: str) -> NoReturn:
    given = "" if value is None else f"={shown(value)}"
    raise ParameterError(
        f"{operation.id}: {parameter.name}{given} {reason}",
        operation=operation.id,
        parameter=parameter.name,
        value=value,
    )


# ------------------------------------------------------------------------------------ one value


def _scalar(parameter: Parameter, value: object) -> int | str | bool:
    return _READERS[parameter.type](parameter, value)


def _list(parameter: Parameter, value: object) -> tuple[str, ...]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable) or isinstance(value, Mapping):
        is_plain = isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_SYMBOL
        hint = f'{parameter.name}=["{value}"]' if is_plain else f"{parameter.name}=[...]"
        raise InvalidValue(f"takes a list: write {hint}")
    try:
        # One more than can be sent, as the iterable may be endless.
        given = tuple(islice(cast("Iterable[object]", value), _MOST_ITEMS + 1))
    except Exception as error:
        raise InvalidValue(f"cannot be read as a list: {type(error).__name__}") from error
    items = tuple(str(_scalar(parameter, item)) for item in given)
    if not items:
        raise InvalidValue("is empty: name at least one, or leave it out")
    if parameter.max_items is not None and len(items) > parameter.max_items:
        count = len(items) if len(items) <= _MOST_ITEMS else f"more than {_MOST_ITEMS}"
        raise InvalidValue(f"has {count} items, at most {parameter.max_items} are allowed: split the call")
    if len(items) > _MOST_ITEMS:
        raise InvalidValue(f"has more than {_MOST_ITEMS} items, too many for a URL: split the call")
    seen: set[str] = set()
    for item in items:
        if item in seen:
            raise InvalidValue(f"names {item!r} twice: drop one")
        seen.add(item)
    return items


def _symbol(parameter: Parameter, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValue("must be a string such as 'BTCUSDT'")
    # The plain text, in case the caller passed a member of a str enum.
    value = str.__str__(value)
    if _PLAIN_SYMBOL.fullmatch(value):
        return _of_the_market(parameter, value.upper())
    if not 1 <= len(value) <= _LONGEST_SYMBOL:
        raise InvalidValue(f"must have 1 to {_LONGEST_SYMBOL} characters")
    for character in value:
        if character in _FORBIDDEN_IN_SYMBOL or character.isspace() or unicodedata.category(character)[0] == "C":
            raise InvalidValue(foreign_character(character, value, parameter.symbol_form))
    return _of_the_market(parameter, upper(value))


def foreign_character(character: str, value: str, form: SymbolForm | None) -> str:
    """Why a symbol with such a character is refused, and how it may have been meant: ``BTC/USDT:USDT`` is BTCUSDT."""
    text = f"contains {character!r}, which no symbol has"
    if character == ",":
        return f"{text}: several symbols go into a list"
    meant = upper("".join(_SEPARATORS.split(value.strip().partition(":")[0])))
    fits = _PLAIN_SYMBOL.fullmatch(meant) and (form is None or form.fits(meant))
    return f"{text}: write {meant!r}" if fits else text


def _of_the_market(parameter: Parameter, symbol: str) -> str:
    form = parameter.symbol_form
    if form is not None and not form.fits(symbol):
        raise InvalidValue(form.refusal(symbol))
    return symbol


def upper(symbol: str) -> str:
    """The symbol in upper case; only ASCII letters change, as the upper case of others may be another symbol."""
    return symbol.translate(_UPPER)


def lower(symbol: str) -> str:
    """The symbol in lower case; only ASCII letters change."""
    return symbol.translate(_LOWER)


def _string(parameter: Parameter, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidValue("must be a non-empty string")
    value = str.__str__(value)
    if parameter.pattern is not None and not re.fullmatch(parameter.pattern, value):
        raise InvalidValue(f"must match: {parameter.pattern_note or parameter.pattern}")
    return value


def _index(value: object) -> int | None:
    """``value`` as an int if it is one (numpy's included), else None."""
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        return None
    try:
        # Before its version 2.3, numpy's bool has an __index__.
        return None if getattr(getattr(value, "dtype", None), "kind", None) == "b" else operator.index(value)
    except Exception:  # noqa: BLE001 - classes and arrays have an __index__ too, and a foreign one may raise anything
        return None


def _integer(parameter: Parameter, value: object) -> int:
    number = _index(value)
    if number is None:
        raise InvalidValue("must be an int")
    if parameter.choices is not None and number not in parameter.choices:
        raise InvalidValue(f"must be one of {', '.join(str(choice) for choice in parameter.choices)}")
    low = parameter.min if parameter.min is not None else (0 if parameter.type == "id" else None)
    if low is not None and number < low:
        raise InvalidValue(f"is below {low}, the least allowed")
    if parameter.type == "id" and number > _LARGEST_ID:
        raise InvalidValue("must be an id of at most 64 bits")
    if parameter.max is not None and number > parameter.max and not parameter.clamp:
        raise InvalidValue(f"is above {parameter.max}, the most allowed")
    if not -_LARGEST_ID <= number <= _LARGEST_ID:
        raise InvalidValue("has more than 64 bits")
    return number


def _boolean(parameter: Parameter, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue("must be True or False")
    return value


def _choice(parameter: Parameter, value: object) -> str:
    choices = [str(choice) for choice in parameter.choices or ()]
    # The plain text, in case the caller passed a member of a str enum.
    given = str.__str__(value) if isinstance(value, str) else ""
    if given in choices:
        return given
    near = [choice for choice in choices if choice.lower() == given.lower()]
    if parameter.open and not near and _NEW_CHOICE.fullmatch(given):
        _warn_of(parameter.name, given)
        return given
    near = near or get_close_matches(given[:_LONGEST_SYMBOL], choices, n=2, cutoff=0.5)
    hint = f"; did you mean {' or '.join(repr(choice) for choice in near)}?" if near else ""
    raise InvalidValue(f"must be one of {', '.join(choices)}{' or a newer one' if parameter.open else ''}{hint}")


@lru_cache(maxsize=256)
def _warn_of(name: str, given: str) -> None:
    """Warn once for each value: Binance may have added it, or it may be a typing error."""
    _LOGGER.warning("%s=%r is not among the values known to this version; sent anyway", name, given)


def milliseconds(value: object) -> int:
    """Epoch milliseconds from an int or an aware datetime.

    Raises:
        InvalidValue: it is a naive datetime, a float, or a number in another unit.
    """
    if isinstance(value, datetime):
        try:
            passed = None if value.tzinfo is None or value.utcoffset() is None else value - EPOCH
        except Exception as error:
            raise InvalidValue(f"has a time zone that cannot be read: {type(error).__name__}") from error
        if passed is None:
            raise InvalidValue("has no time zone: pass an aware datetime, e.g. datetime(2026, 1, 1, tzinfo=UTC)")
        exact = (passed.days * 86_400 + passed.seconds) * 1000 + passed.microseconds // 1000
        if exact < 0:
            raise InvalidValue("is before 1970")
        return exact
    number = _index(value)
    if number is None:
        raise InvalidValue("must be epoch milliseconds (int) or an aware datetime")
    if number < 0:
        raise InvalidValue("is negative: times are milliseconds since 1970")
    if 0 < number < EARLIEST_MS:
        raise InvalidValue("looks like seconds: times are milliseconds since 1970, multiply by 1000")
    if number >= LATEST_MS:
        raise InvalidValue("looks like micro- or nanoseconds: times are milliseconds since 1970")
    return number


def _time(parameter: Parameter, value: object) -> int:
    return milliseconds(value)


def _utc_offset(parameter: Parameter, value: object) -> str:
    match = _UTC_OFFSET.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InvalidValue("must be hours or hours:minutes, such as '8', '-1:00' or '+05:45'")
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    signed = -minutes if match[1] == "-" else minutes
    if int(match[3] or 0) > 59 or not _EARLIEST_OFFSET <= signed <= _LATEST_OFFSET:
        raise InvalidValue("must be between -12:00 and +14:00")
    return match[0]


_READERS: Mapping[str, Callable[[Parameter, object], int | str | bool]] = {
    "symbol": _symbol,
    "string": _string,
    "int": _integer,
    "id": _integer,
    "time": _time,
    "bool": _boolean,
    "enum": _choice,
    "utc_offset": _utc_offset,
}


# ---------------------------------------------------------------------------------------- rules


def _names(operation: Operation[Any], wires: Iterable[str], conjunction: str = "and") -> str:
    names = [operation.by_wire[wire].name for wire in wires]
    return f" {conjunction} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _check_one_of(operation: Operation[Any], rule: OneOf, given: Arguments) -> None:
    found = [name for name in rule.names if name in given]
    if len(found) > 1:
        first = operation.by_wire[found[1]]
        raise ParameterError(
            f"{operation.id}: {_names(operation, found)} exclude each other: drop one of them",
            operation=operation.id,
            parameter=first.name,
            value=given[found[1]],
        )
    if rule.required and not found:
        raise ParameterError(
            f"{operation.id}: one of {_names(operation, rule.names, 'or')} is required",
            operation=operation.id,
            parameter=operation.by_wire[rule.names[0]].name,
        )


def _check_order(operation: Operation[Any], rule: Ordered, given: Arguments) -> None:
    first, second = given.get(rule.first), given.get(rule.second)
    if isinstance(first, int) and isinstance(second, int) and first > second:
        later = operation.by_wire[rule.second].name
        _refuse(operation, operation.by_wire[rule.first], first, f"is later than {later}={second}: swap the two")


def _check_span(operation: Operation[Any], rule: MaxSpan, given: Arguments) -> None:
    start, end = given.get(rule.start), given.get(rule.end)
    if isinstance(start, int) and isinstance(end, int) and end - start > rule.most_ms:
        apart = end - start
        reason = f"is {plain_number(apart / 1000)} s ({_span(apart // 1000)}) after "
        reason += f"{operation.by_wire[rule.start].name}, it must be "
        reason += f"{'at most' if rule.inclusive else 'less than'} {rule.seconds} s ({_span(rule.seconds)})"
        hint = f"; use iter_{operation.name} for longer spans" if operation.paging else ""
        _refuse(operation, operation.by_wire[rule.end], end, f"{reason}{hint}")


def check_lookback(operation: Operation[Any], rule: Lookback, given: Arguments, now_ms: int) -> None:
    """Refuse times that Binance no longer has data for; ``given`` is by wire name."""
    earliest = now_ms - rule.seconds * 1000
    for name in rule.names:
        value = given.get(name)
        if isinstance(value, int) and value < earliest:
            reason = (
                f"({to_datetime(value).isoformat(timespec='seconds')}) is older than the {_span(rule.seconds)} "
                f"that Binance keeps here: pass {earliest} or later"
            )
            _refuse(operation, operation.by_wire[name], value, reason)


def _span(seconds: int) -> str:
    """Seconds in the two largest units that they fill: ``19675 days 22 hours``."""
    parts: list[str] = []
    for length, unit in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count} {unit}" if count == 1 else f"{count} {unit}s")
    return " ".join(parts[:2])
