"""Wire scalars as exact Python values that are written back as they came.

To a type checker each name is a plain type (``Decimal``, ``int``); for pydantic it carries a core schema of its own.
Pydantic-core checks the pattern of a decimal string, and a C function makes the Decimal: measured, that is faster than
pydantic's decimal schema, and ``"1e5"``, ``" 1"`` and ``"NaN"`` are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import GetCoreSchemaHandler, JsonValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from binance_sdk._runtime.json_validator import REPEATS
from binance_sdk._runtime.numbers import WireNumber, anything_schema, dumped_number, number_schema
from binance_sdk.errors import DecodeError

DECIMAL_PATTERN = r"^-?[0-9]+(\.[0-9]+)?$"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_decimal_of: Callable[[str], Decimal] = Context(
    prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[InvalidOperation]
).create_decimal
"""``Decimal(text)``, exactly; a tenth faster, as it does not look up the context of the thread."""
_decimal_again: Callable[[str], Decimal] = lru_cache(maxsize=4096)(_decimal_of)
"""The same for texts that are often repeated, such as those of filters; a Decimal is immutable, so it can be shared."""

_NONE_FOR: Mapping[str, None] = {"": None}
"""Its ``get`` is a C function: after a Python function the garbage collector could run, at every row."""


def plain(value: Decimal) -> str:
    """The value without exponent and with every trailing zero: ``0E-8`` as ``0.00000000``."""
    return format(value, "f")


def decimal_text_schema() -> CoreSchema:
    return core_schema.str_schema(pattern=DECIMAL_PATTERN, strict=True)


ScalarKind = Literal[
    "decimal", "decimal_or_empty", "number", "decimal_or_number", "time", "time_or_zero", "time_or_digits", "any"
]


class Scalar:
    """Annotation that gives pydantic a ready core schema, and tells others what the value is.

    Args:
        kind: What it is; times are in epoch milliseconds, and what ``or_zero`` and ``or_empty`` name stands for none.
        build: Makes the schema.
    """

    __slots__ = ("_build", "kind")

    def __init__(self, kind: ScalarKind, build: Callable[[], CoreSchema]) -> None:
        self.kind: ScalarKind = kind
        self._build = build

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return self._build()


def _written(serialise: Callable[[Decimal], object]) -> core_schema.SerSchema:
    return core_schema.plain_serializer_function_ser_schema(serialise, when_used="json")


def _decimal() -> CoreSchema:
    wire = core_schema.no_info_after_validator_function(
        _decimal_of, decimal_text_schema(), metadata={REPEATS: _decimal_again}
    )
    python = core_schema.union_schema([core_schema.is_instance_schema(Decimal), wire])
    return core_schema.json_or_python_schema(wire, python, serialization=_written(plain))


def _empty_decimal() -> CoreSchema:
    wire = core_schema.union_schema(
        [
            core_schema.no_info_after_validator_function(_decimal_of, decimal_text_schema()),
            core_schema.no_info_after_validator_function(_NONE_FOR.get, core_schema.literal_schema([""])),
        ],
        mode="left_to_right",
    )
    python = core_schema.union_schema([core_schema.is_instance_schema(Decimal), core_schema.none_schema(), wire])
    return core_schema.json_or_python_schema(
        wire,
        python,
        serialization=core_schema.plain_serializer_function_ser_schema(
            lambda value: "" if value is None else plain(value), when_used="json"
        ),
    )


def _from_number(value: int | float | str) -> Decimal:
    # The repr of a float is its shortest text, so 27103.1 becomes Decimal("27103.1") and not its binary expansion.
    return Decimal(repr(value) if isinstance(value, float) else value)


def _json_number() -> CoreSchema:
    wire = number_schema(_from_number)
    python = core_schema.union_schema([core_schema.is_instance_schema(Decimal), wire])
    return core_schema.json_or_python_schema(wire, python, serialization=_written(dumped_number))


def _decimal_or_number() -> CoreSchema:
    wire = core_schema.union_schema(
        [
            core_schema.no_info_after_validator_function(_decimal_of, decimal_text_schema()),
            number_schema(lambda value: WireNumber(_from_number(value))),
        ],
        mode="left_to_right",
    )
    python = core_schema.union_schema([core_schema.is_instance_schema(Decimal), wire])
    return core_schema.json_or_python_schema(
        wire, python, serialization=_written(lambda v: dumped_number(v) if isinstance(v, WireNumber) else plain(v))
    )


class _DigitString(int):
    """An integer that came as a string of digits, and is written back as one."""


def _digits(text: str) -> int:
    value = _DigitString(text)
    if str(int(value)) != text:
        raise PydanticCustomError("digits", "digits with leading zeros")
    return value


def _time() -> CoreSchema:
    return core_schema.int_schema(strict=True)


def _time_or_digits() -> CoreSchema:
    return core_schema.union_schema(
        [
            core_schema.int_schema(strict=True),
            core_schema.no_info_after_validator_function(
                _digits, core_schema.str_schema(pattern=r"^[0-9]+$", strict=True)
            ),
        ],
        mode="left_to_right",
        serialization=core_schema.plain_serializer_function_ser_schema(
            lambda value: str(int(value)) if isinstance(value, _DigitString) else value, when_used="json"
        ),
    )


DecimalString = Annotated[Decimal, Scalar("decimal", _decimal)]
"""JSON string holding a decimal."""
EmptyDecimalString = Annotated[Decimal | None, Scalar("decimal_or_empty", _empty_decimal)]
"""The same, where ``""`` means none."""
JsonNumber = Annotated[Decimal, Scalar("number", _json_number)]
"""JSON number, read through its shortest text."""
DecimalOrNumber = Annotated[Decimal, Scalar("decimal_or_number", _decimal_or_number)]
"""JSON string or number; written back as it came."""
AnyJson = Annotated[JsonValue, Scalar("any", anything_schema)]
"""Any JSON value; a number that no double can hold is a Decimal."""
Time = Annotated[int, Scalar("time", _time)]
"""Epoch milliseconds."""
TimeOrZero = Annotated[int, Scalar("time_or_zero", _time)]
"""The same, where 0 means none."""
TimeOrDigits = Annotated[int, Scalar("time_or_digits", _time_or_digits)]
"""Epoch milliseconds as integer, or as digits in older answers."""


def to_datetime(milliseconds: int) -> datetime:
    """Epoch milliseconds as an aware UTC datetime, exactly.

    Raises:
        DecodeError: the time is outside the years 1 to 9999; the field without ``_dt`` holds the integer itself.
    """
    try:
        return EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        pass
    size = abs(milliseconds).bit_length()
    shown = str(milliseconds) if size < 100 else f"a number of {size * 30103 // 100_000 + 1} digits"
    text = f"{shown} in milliseconds is outside the years 1 to 9999 of a datetime"
    for unit, factor in (("microseconds", 1000), ("nanoseconds", 1_000_000)):
        if _FIRST_LIKELY <= milliseconds // factor < _LAST_LIKELY:
            moment = EPOCH + timedelta(milliseconds=milliseconds // factor)
            text += f"; in {unit} it would be {moment:%Y-%m-%d %H:%M:%S} UTC"
    raise DecodeError(f"{text}; the field without _dt holds the integer", problems=(text,))


_FIRST_LIKELY, _LAST_LIKELY = 946_684_800_000, 4_102_444_800_000
"""The years 2000 and 2100: a number that lies between them after the division was meant in the finer unit."""
