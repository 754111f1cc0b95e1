"""Is this query what the endpoint takes? If not, answer as Binance does.

The catalogue says which parameters exist and what they may be; this module adds what no spec says: which code and
message each kind of mistake earns. Where Binance's behaviour is not known, the choices are:

* only a parameter marked ``clamp`` is clamped; any other number outside its bounds earns -1130, on all markets;
* a start after the end earns -1128 on spot, which has no code of its own for it, and -1023 elsewhere;
* spot times before 2017 or in the future, and microseconds, are taken as Binance documents it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from pydantic import TypeAdapter, ValidationError

from binance_sdk._runtime.operation import Lookback, MaxSpan, OneOf, Operation, Ordered, Parameter
from binance_sdk.simulator.errors import RejectionError
from binance_sdk.simulator.market.symbols import SymbolTable

Value = int | str | bool | Sequence[str]

_SYMBOL_RANGE = "^[A-Z0-9-_.]{1,20}$"
_NUMBER_RANGE = "^[0-9]{1,20}$"
_ILLEGAL_IN_SYMBOL = re.compile(r"[a-z\s\x00-\x1f\x7f/?&#%@\"\[\],]")
_LONGEST_SYMBOL = 40
_LARGEST_INT64 = 2**63 - 1
_MICROSECONDS = 10**14
"""A time above this is in microseconds: in milliseconds it would be the year 5138."""
_OFFSET = re.compile(r"^([+-]?)(\d{1,2})(?::(\d{2}))?$")
_API_KEY = re.compile(r"^[A-Za-z0-9_-]{1,128}$")
_NEW_CHOICE = re.compile("[A-Za-z0-9_]+")
_TEXTS = TypeAdapter(list[str])
_EMPTY: Sequence[str] = ()


def _symbols(table: SymbolTable) -> Container[str]:
    return table.by_symbol


def _pairs(table: SymbolTable) -> Container[str]:
    return table.pairs


def _dollar_assets(table: SymbolTable) -> Container[str]:
    return table.dollar_assets


_CALLED_SYMBOL: Mapping[str, Callable[[SymbolTable], Container[str]]] = {
    "futures.asset_index": _dollar_assets,
    "coin_futures.constituents": _pairs,
}
"""What ``symbol`` is a name of, where it is not one of a contract."""

# Most enums share one code; these have their own.
_ENUM_ERRORS = {
    "interval": (-1120, "Invalid interval."),
    "type": (-1139, "Invalid ticker type."),
    "symbolStatus": (-1122, "Invalid symbolStatus."),
}


@dataclass(frozen=True, slots=True)
class Manners:
    """How the server of a market takes values, and which errors it knows; written by hand.

    Attributes:
        any_case: A symbol may be written in any case of its ASCII letters; otherwise other letters are illegal.
        microseconds: Times may be in microseconds.
        overflow: Error for a number above 64 bits, where there is one of its own.
        depth_limit: Error for a depth that is none of those offered, where there is one of its own.
        start_after_end: Error for times in the wrong order.
    """

    any_case: bool
    microseconds: bool
    overflow: tuple[int, str] | None
    depth_limit: tuple[int, str] | None
    start_after_end: tuple[int, str]


_SPOT = Manners(
    any_case=False,
    microseconds=True,
    overflow=(-1108, "Parameter '{name}' overflow."),
    depth_limit=None,
    start_after_end=(-1128, "Combination of optional parameters invalid."),
)
_FUTURES = Manners(
    any_case=True,
    microseconds=False,
    overflow=None,
    depth_limit=(-4021, "{value} is not valid depth limit"),
    start_after_end=(-1023, "Start time is greater than end time."),
)
_MANNERS: Mapping[str, Manners] = {"spot": _SPOT}
"""Of every other market they are those of futures."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed: its arguments by wire name, defaults filled in."""

    operation: Operation[object]
    given: Mapping[str, Value]
    in_force: Mapping[str, Value]

    def text(self, name: str) -> str:
        return str(self.in_force[name])

    def number(self, name: str) -> int:
        return int(str(self.in_force[name]))

    def time(self, name: str) -> int | None:
        """Milliseconds, or ``None`` when the parameter was not sent."""
        return int(str(self.given[name])) if name in self.given else None

    def names(self, name: str) -> Sequence[str]:
        """Items of a list parameter; none when it was not sent."""
        value = self.given.get(name, _EMPTY)
        return (value,) if isinstance(value, str) else value if isinstance(value, Sequence) else ()


class RequestValidator:
    """Reads queries to one market."""

    def __init__(self, table: Callable[[], SymbolTable], *, api_key_required: bool = True) -> None:
        """``table`` gives the symbols of the moment, which come and go."""
        self._read_table = table
        self._manners = _MANNERS.get(table().market, _FUTURES)
        self._key_required = api_key_required

    @property
    def _table(self) -> SymbolTable:
        return self._read_table()

    def check_api_key(self, operation: Operation[object], key: str | None) -> None:
        """Refuse a MARKET_DATA request without a usable API key.

        The endpoints of which it is not known whether they want one answer without.
        """
        if operation.security == "none" or not self._key_required:
            return
        if key is None and operation.security == "api_key_uncertain":
            return
        if key is None or not _API_KEY.match(key):
            raise RejectionError(-2014, "API-key format invalid.", status=401)

    def read(self, operation: Operation[object], query: str, now: int) -> Call:
        """Read a query string.

        Raises:
            RejectionError: It is not acceptable.
        """
        try:
            pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
        except UnicodeDecodeError:
            raise RejectionError(-1100, "Illegal characters found in a parameter.") from None
        raw = dict(pairs)
        if len(raw) < len(pairs):
            raise RejectionError(-1101, "Duplicate values for a parameter detected.")
        for parameter in operation.parameters:
            if parameter.required and not raw.get(parameter.wire):
                raise self._missing(parameter.wire)
        read = [name for name in raw if name in operation.by_wire]
        if len(read) < len(raw):
            raise RejectionError(
                -1104, f"Not all sent parameters were read; read '{len(read)}' parameter(s) but was sent '{len(raw)}'."
            )
        given = {name: self._value(operation, operation.by_wire[name], text) for name, text in raw.items()}
        self._rules(operation, given, now)
        self._status(given)
        return Call(operation, given, dict(operation.in_force(given)))

    @staticmethod
    def _missing(name: str) -> RejectionError:
        return RejectionError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")

    @staticmethod
    def _illegal(name: str, legal: str) -> RejectionError:
        return RejectionError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")

    @staticmethod
    def _invalid(name: str) -> RejectionError:
        return RejectionError(-1130, f"Data sent for parameter '{name}' is not valid.")

    def _own(self, error: tuple[int, str] | None, name: str, value: int) -> RejectionError:
        """The error that a market has of its own for a number, or the one of all."""
        return RejectionError(error[0], error[1].format(name=name, value=value)) if error else self._invalid(name)

    # ---------------------------------------------------------------------------------- values

    def _value(self, operation: Operation[object], parameter: Parameter, text: str) -> Value:
        if not text:
            raise RejectionError(-1105, f"Parameter '{parameter.wire}' was empty.")
        if parameter.list:
            items = self._items(parameter, text)
            return [str(self._scalar(operation, parameter, item)) for item in items]
        return self._scalar(operation, parameter, text)

    def _items(self, parameter: Parameter, text: str) -> Sequence[str]:
        name = parameter.wire
        if parameter.type == "enum" and not text.startswith("["):
            return [text]
        if re.search(r"\s", text):
            raise self._illegal(name, r'^\["[^ "]*"(,"[^ "]*")*\]$')
        try:
            items = _TEXTS.validate_json(text, strict=True)
        except ValidationError:
            raise RejectionError(-1135, f"Invalid JSON sent for parameter '{name}'.") from None
        if not items:
            raise RejectionError(-1105, f"Parameter '{name}' was empty.")
        if parameter.max_items is not None and len(items) > parameter.max_items:
            maximum = parameter.max_items
            raise RejectionError(
                -1101, f"Too many values sent for parameter '{name}', maximum allowed up to {maximum}."
            )
        if parameter.type == "symbol" and len(set(items)) < len(items):
            raise RejectionError(-1151, "Symbol is present multiple times in the list.")
        return items

    def _scalar(self, operation: Operation[object], parameter: Parameter, text: str) -> Value:
        name = parameter.wire
        match parameter.type:
            case "symbol":
                return self._symbol(operation, name, text)
            case "int" | "id" | "time":
                return self._number(parameter, text)
            case "bool":
                if text not in ("true", "false"):
                    raise self._illegal(name, "^(true|false)$")
                return text == "true"
            case "enum":
                # A symbol may have any of what is listed, and a list of them may name some that none has.
                is_new = parameter.open and parameter.list and _NEW_CHOICE.fullmatch(text)
                if parameter.choices is not None and text not in parameter.choices and not is_new:
                    code, message = _ENUM_ERRORS.get(name, (0, ""))
                    raise RejectionError(code, message) if code else self._invalid(name)
                return text
            case "utc_offset":
                if offset_minutes(text) is None:
                    raise self._illegal(name, _OFFSET.pattern)
                return text
            case "string":
                if parameter.pattern is not None and not re.search(parameter.pattern, text):
                    raise self._illegal(name, parameter.pattern)
                return text

    def _symbol(self, operation: Operation[object], name: str, text: str) -> str:
        if self._manners.any_case:
            text = re.sub("[a-z]", lambda found: found.group().upper(), text)
        elif _ILLEGAL_IN_SYMBOL.search(text) or len(text) > _LONGEST_SYMBOL:
            raise self._illegal(name, _SYMBOL_RANGE)
        table = self._table
        known = _CALLED_SYMBOL.get(operation.id) if name == "symbol" else None
        if known is None:
            known = _pairs if name == "pair" else _symbols
        if not table.knows_any and text not in known(table):
            raise RejectionError(-1121, "Invalid symbol.")
        return text

    def _number(self, parameter: Parameter, text: str) -> int:
        name = parameter.wire
        if not (text.isascii() and text.isdigit() and len(text) <= 20):
            raise self._illegal(name, _NUMBER_RANGE)
        value = int(text)
        if value > _LARGEST_INT64:
            raise self._own(self._manners.overflow, name, value)
        if parameter.type == "time":
            value = value // 1000 if self._manners.microseconds and value >= _MICROSECONDS else value
            return min(value, _MICROSECONDS)
        if parameter.choices is not None and value not in parameter.choices:
            raise self._own(self._manners.depth_limit if name == "limit" else None, name, value)
        above = parameter.max is not None and value > parameter.max and not parameter.clamp
        if above or (parameter.min is not None and value < parameter.min):
            raise self._invalid(name)
        return value

    # ----------------------------------------------------------------------------------- rules

    def _rules(self, operation: Operation[object], given: Mapping[str, Value], now: int) -> None:
        for rule in operation.rules:
            match rule:
                case OneOf(names, required):
                    present = [name for name in names if name in given]
                    if len(present) > 1:
                        raise RejectionError(-1128, "Combination of optional parameters invalid.")
                    if required and not present:
                        raise self._missing(names[0])
                case Ordered(first, second):
                    if first in given and second in given and _int(given[first]) > _int(given[second]):
                        raise RejectionError(*self._manners.start_after_end)
                case MaxSpan(start, end, seconds):
                    if start in given and end in given and _int(given[end]) - _int(given[start]) > rule.most_ms:
                        raise RejectionError(-1127, f"More than {seconds // 3600} hours between startTime and endTime.")
                case Lookback(names, seconds):
                    for name in names:
                        if name in given and _int(given[name]) < now - seconds * 1000:
                            raise self._too_old(operation, name, seconds)

    @staticmethod
    def _too_old(operation: Operation[object], name: str, seconds: int) -> RejectionError:
        if -4166 in operation.error_codes:
            return RejectionError(-4166, f"Search window is restricted to recent {seconds // 86_400} days only.")
        return RejectionError(-1130, f"parameter '{name}' is invalid.")

    def _status(self, given: Mapping[str, Value]) -> None:
        """One symbol in another state than asked for is an error; of several, the misfits are just left out."""
        symbol, status = given.get("symbol"), given.get("symbolStatus")
        listed = self._table.by_symbol.get(symbol) if isinstance(symbol, str) else None
        if listed is not None and status is not None and listed.status != status:
            raise RejectionError(-1220, "The symbol's status does not match the requested symbolStatus.")


def offset_minutes(text: str) -> int | None:
    """Minutes that ``"-1:00"``, ``"05:45"`` or ``"8"`` are ahead of UTC; ``None`` when it is no such offset."""
    found = _OFFSET.match(text)
    if found is None:
        return None
    sign, hours, minutes = found.groups()
    if int(minutes or 0) > 59:
        return None
    offset = int(hours) * 60 + int(minutes or 0)
    offset = -offset if sign == "-" else offset
    return offset if -12 * 60 <= offset <= 14 * 60 else None


def _int(value: Value) -> int:
    return value if isinstance(value, int) else 0
