"""Wire scalars as exact Python values that are written back as they came.

Each name is a plain type to a type checker (``Decimal``, ``int``) and carries its own core schema for pydantic.
Decimals are built from the JSON string by ``decimal.Decimal`` itself after the pattern was checked inside
pydantic-core; measured, that is faster than pydantic's decimal schema and refuses ``"1e5"``, ``" 1"`` and ``"NaN"``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

DECIMAL_PATTERN = r"^-?[0-9]+(\.[0-9]+)?$"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


_NONE_FOR: Mapping[str, None] = {"": None}
"""Its ``get`` is a function of C: one of Python would let the garbage collector in at every row."""


def plain(value: Decimal) -> str:
    """Without exponent and with every trailing zero: ``0E-8`` as ``0.00000000``."""
    return format(value, "f")


def decimal_text_schema() -> CoreSchema:
    return core_schema.str_schema(pattern=DECIMAL_PATTERN, strict=True)


class _Schema:
    """Annotation that hands pydantic a ready core schema."""

    __slots__ = ("_build",)

    def __init__(self, build: Callable[[], CoreSchema]) -> None:
        self._build = build

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return self._build()


def _written(serialise: Callable[[Decimal], object]) -> core_schema.SerSchema:
    return core_schema.plain_serializer_function_ser_schema(serialise, when_used="json")


def _decimal() -> CoreSchema:
    wire = core_schema.no_info_after_validator_function(Decimal, decimal_text_schema())
    python = core_schema.union_schema([core_schema.is_instance_schema(Decimal), wire])
    return core_schema.json_or_python_schema(wire, python, serialization=_written(plain))


def _empty_decimal() -> CoreSchema:
    wire = core_schema.union_schema(
        [
            core_schema.no_info_after_validator_function(Decimal, decimal_text_schema()),
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


def _from_number(value: int | float) -> Decimal:
    # repr of a float is its shortest text, so 27103.1 becomes Decimal("27103.1") and not its binary expansion.
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value))


def _to_number(value: Decimal) -> int | float:
    # JSON integers are read with exponent 0; everything else came from a number with a point or an exponent.
    return int(value) if _exponent(value) == 0 else float(value)


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _json_number() -> CoreSchema:
    number = core_schema.union_schema(
        [core_schema.int_schema(strict=True), core_schema.float_schema(strict=True, allow_inf_nan=False)],
        mode="left_to_right",
    )
    wire = core_schema.no_info_after_validator_function(_from_number, number)
    python = core_schema.union_schema([core_schema.is_instance_schema(Decimal), wire])
    return core_schema.json_or_python_schema(wire, python, serialization=_written(_to_number))


class _WireNumber(Decimal):
    """A decimal that came as a JSON number where a string is usual; written back as a number."""

    __slots__ = ()


def _decimal_or_number() -> CoreSchema:
    number = core_schema.union_schema(
        [core_schema.int_schema(strict=True), core_schema.float_schema(strict=True, allow_inf_nan=False)],
        mode="left_to_right",
    )
    wire = core_schema.union_schema(
        [
            core_schema.no_info_after_validator_function(Decimal, decimal_text_schema()),
            core_schema.no_info_after_validator_function(lambda v: _WireNumber(_from_number(v)), number),
        ],
        mode="left_to_right",
    )
    python = core_schema.union_schema([core_schema.is_instance_schema(Decimal), wire])
    return core_schema.json_or_python_schema(
        wire, python, serialization=_written(lambda v: _to_number(v) if isinstance(v, _WireNumber) else plain(v))
    )


class _DigitString(int):
    """An integer that came as a string of digits; written back as one."""


def _digits(text: str) -> int:
    value = _DigitString(text)
    if str(int(value)) != text:
        raise PydanticCustomError("digits", "digits with leading zeros")
    return value


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


DecimalString = Annotated[Decimal, _Schema(_decimal)]
"""JSON string holding a decimal."""
EmptyDecimalString = Annotated[Decimal | None, _Schema(_empty_decimal)]
"""The same, with ``""`` for none."""
JsonNumber = Annotated[Decimal, _Schema(_json_number)]
"""JSON number, read through its shortest text."""
DecimalOrNumber = Annotated[Decimal, _Schema(_decimal_or_number)]
"""Either of the two."""
TimeOrDigits = Annotated[int, _Schema(_time_or_digits)]
"""Epoch milliseconds as integer, or as digits in older answers."""


def to_datetime(milliseconds: int) -> datetime:
    """Epoch milliseconds as an aware UTC datetime, exactly."""
    return EPOCH + timedelta(milliseconds=milliseconds)
