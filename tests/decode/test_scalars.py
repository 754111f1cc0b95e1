"""Numbers and times: exact when read, unchanged when written back."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from functools import cache
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from binance_sdk._runtime.answers.model import Model
from binance_sdk._runtime.answers.scalars import (
    DecimalOrNumber,
    DecimalString,
    EmptyDecimalString,
    JsonNumber,
    TimeOrDigits,
    plain,
    to_datetime,
)


class Quote(Model):
    """One field of each kind."""

    price: Annotated[DecimalString, Field(alias="p")]
    rate: Annotated[EmptyDecimalString, Field(alias="r")]
    settled: Annotated[JsonNumber, Field(alias="s")]
    digits: Annotated[DecimalOrNumber, Field(alias="d")]
    time: Annotated[TimeOrDigits, Field(alias="T")]
    limit: Annotated[DecimalString | None, Field(alias="l")] = None


WIRE = {"p": "0.00000000", "r": "", "s": 27103.1, "d": 4, "T": 1_764_000_000_000}


adapter = cache(TypeAdapter[Any])


def read(text: str, type_: Any) -> Any:
    return adapter(type_).validate_json(text)


def there_and_back(text: str, type_: Any) -> str:
    return adapter(type_).dump_json(read(text, type_)).decode()


decimal_texts = st.from_regex(r"\A-?[0-9]{1,25}(\.[0-9]{1,25})?\Z")
finite = st.floats(allow_nan=False, allow_infinity=False)

# ------------------------------------------------------------------------------------- decimal strings

NO_DECIMALS = [
    *('"NaN"', '"sNaN"', '"Infinity"', '"-Infinity"', '"1e5"', '"1E5"', '" 1"', '"1 "', '"1\\n"', '"\\t1"'),
    *('"+1"', '".5"', '"5."', '"1_000"', '"1,000"', '"0x1"', '"--1"', '"-"', '"٣"', '"１"'),
    *("null", "true", "[]", "{}"),
]


@pytest.mark.parametrize(
    "text",
    ["0", "0.0", "0.00000000", "-0.00000000", "1.10", "100", "0.00000001", "92233720368.54775807", "-7.5", "007.50"],
)
def test_decimals_keep_every_digit(text: str) -> None:
    value = read(f'"{text}"', DecimalString)
    assert type(value) is Decimal
    assert value.as_tuple() == Decimal(text).as_tuple()
    if text != "007.50":  # leading zeros are the one thing a Decimal does not keep; Binance sends none
        assert there_and_back(f'"{text}"', DecimalString) == f'"{text}"'
        assert plain(value) == text


@pytest.mark.parametrize("text", [*NO_DECIMALS, '""', "1", "1.5"])
def test_what_is_no_decimal_string_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        read(text, DecimalString)


@given(decimal_texts)
def test_any_decimal_text_is_kept(text: str) -> None:
    value = read(f'"{text}"', DecimalString)
    assert value == Decimal(text)
    written = json.loads(there_and_back(f'"{text}"', DecimalString))
    assert "e" not in written.lower()
    assert Decimal(written).as_tuple() == Decimal(text).as_tuple()


@given(decimal_texts)
def test_the_context_of_the_user_rounds_nothing(text: str) -> None:
    with localcontext() as context:
        context.prec = 3
        value = read(f'"{text}"', DecimalString)
    assert value.as_tuple() == Decimal(text).as_tuple()


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_plain_has_no_exponent(value: Decimal) -> None:
    assert "E" not in plain(value)
    assert Decimal(plain(value)) == value


# --------------------------------------------------------------------------------------- empty decimals


def test_an_empty_string_is_none() -> None:
    assert read('""', EmptyDecimalString) is None
    assert there_and_back('""', EmptyDecimalString) == '""'
    assert read('"0.00010000"', EmptyDecimalString) == Decimal("0.0001")
    assert there_and_back('"0.00010000"', EmptyDecimalString) == '"0.00010000"'


@pytest.mark.parametrize("text", [*NO_DECIMALS, '" "', "1", "1.5"])
def test_what_is_neither_empty_nor_a_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        read(text, EmptyDecimalString)


# ---------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("27103.1", "27103.1"),
        ("0.1", "0.1"),
        ("4", "4"),
        ("0", "0"),
        ("-0.0001", "-0.0001"),
        ("1e-7", "1E-7"),
        ("2.0", "2.0"),
    ],
)
def test_a_number_is_read_by_its_shortest_text(text: str, value: str) -> None:
    for type_ in (JsonNumber, DecimalOrNumber):
        found = read(text, type_)
        assert isinstance(found, Decimal)
        assert found.as_tuple() == Decimal(value).as_tuple()
        written = there_and_back(text, type_)
        assert Decimal(written) == Decimal(text)
        assert type(json.loads(written)) is type(json.loads(text))


@given(finite)
def test_any_number_is_exact_and_stays_a_number(value: float) -> None:
    for type_ in (JsonNumber, DecimalOrNumber):
        text = json.dumps(value)
        assert float(read(text, type_)) == value
        assert json.loads(there_and_back(text, type_)) == value


@given(st.integers(-(2**63), 2**80))
def test_any_integer_is_exact(value: int) -> None:
    for type_ in (JsonNumber, DecimalOrNumber):
        assert read(str(value), type_) == value
        assert there_and_back(str(value), type_) == str(value)


@pytest.mark.parametrize("text", ['"1"', '"1.5"', '""', "NaN", "Infinity", "-Infinity", "1e999", "true", "null", "[]"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        read(text, JsonNumber)


# ------------------------------------------------------------------------------------ strings or numbers


@given(decimal_texts)
def test_a_string_stays_a_string(text: str) -> None:
    written = json.loads(there_and_back(f'"{text}"', DecimalOrNumber))
    assert isinstance(written, str)
    assert Decimal(written).as_tuple() == Decimal(text).as_tuple()


@pytest.mark.parametrize("text", ["4", '"4"', "4.5", '"4.50"'])
def test_either_spelling_gives_a_decimal_and_is_kept(text: str) -> None:
    value = read(text, DecimalOrNumber)
    assert isinstance(value, Decimal)
    assert value == Decimal(text.strip('"'))
    assert there_and_back(text, DecimalOrNumber) == text
    # Pickling forgets neither.
    again = pickle.loads(pickle.dumps(value))
    assert adapter(DecimalOrNumber).dump_json(again).decode() == text


@pytest.mark.parametrize("text", [*NO_DECIMALS, '""', "NaN", "Infinity"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        read(text, DecimalOrNumber)


# ------------------------------------------------------------------------------------------------ times


@pytest.mark.parametrize("text", ["1764000000000", '"1764000000000"', "0", '"0"'])
def test_a_time_as_number_or_digits(text: str) -> None:
    value = read(text, TimeOrDigits)
    assert isinstance(value, int)
    assert value == int(text.strip('"'))
    assert there_and_back(text, TimeOrDigits) == text
    assert adapter(TimeOrDigits).dump_json(pickle.loads(pickle.dumps(value))).decode() == text


@pytest.mark.parametrize(
    "text", ['"1.5"', "1.5", "1.0", '"-1"', '"+1"', '" 1"', '"1 "', '""', '"007"', '"٣"', "true", "null", "[]"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        read(text, TimeOrDigits)


@given(st.integers(0, 2**63 - 1))
def test_any_digits_are_kept(value: int) -> None:
    assert there_and_back(f'"{value}"', TimeOrDigits) == f'"{value}"'
    assert there_and_back(str(value), TimeOrDigits) == str(value)


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_a_time_is_exact_to_the_millisecond(milliseconds: int) -> None:
    moment = to_datetime(milliseconds)
    assert moment.tzinfo is UTC
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) == timedelta(milliseconds=milliseconds)


# --------------------------------------------------------------------------------- models of user code


def test_a_model_reads_and_writes_the_wire() -> None:
    quote = Quote.model_validate_json(json.dumps(WIRE))
    assert (quote.price, quote.rate, quote.settled, quote.digits) == (0, None, Decimal("27103.1"), 4)
    assert quote.model_dump_json(by_alias=True, exclude_unset=True) == json.dumps(WIRE, separators=(",", ":"))
    assert quote.model_fields_set == {"price", "rate", "settled", "digits", "time"}


def test_a_model_is_made_by_python_names() -> None:
    quote = Quote(price=Decimal("1.50"), rate=None, settled=Decimal("2.5"), digits=Decimal(4), time=1)
    by_alias = {"p": "1.50", "r": "", "s": 2.5, "d": "4", "T": 1}
    by_name = {"price": "1.50", "rate": "", "settled": 2.5, "digits": "4", "time": 1, "limit": None}
    assert json.loads(quote.model_dump_json(by_alias=True, exclude_unset=True)) == by_alias
    assert json.loads(quote.model_dump_json()) == by_name
    assert Quote(price="1.50", rate="", settled=2.5, digits="4", time=1) == quote  # type: ignore[arg-type]
    assert Quote(p="1.50", r="", s=2.5, d="4", T=1) == quote  # type: ignore[call-arg]


@pytest.mark.parametrize("field", ["price", "rate", "settled", "digits"])
@pytest.mark.parametrize("wrong", [1.5j, b"1", "1e5", "NaN", [], True])
def test_user_code_cannot_make_a_wrong_number(field: str, wrong: Any) -> None:
    given_ = {"price": "1", "rate": "", "settled": 1, "digits": 1, "time": 1, field: wrong}
    with pytest.raises(ValidationError):
        Quote(**given_)


def test_values_in_python_stay_python_values() -> None:
    quote = Quote.model_validate_json(json.dumps({**WIRE, "p": "1.50"}))
    dumped = quote.model_dump()
    assert dumped["price"].as_tuple() == Decimal("1.50").as_tuple()
    assert dumped["settled"] == Decimal("27103.1")
    assert dumped["rate"] is None
    assert Quote(**dumped) == quote


def test_a_null_is_told_from_an_absent_field() -> None:
    absent = Quote.model_validate_json(json.dumps(WIRE))
    null = Quote.model_validate_json(json.dumps({**WIRE, "l": None}))
    assert absent.limit is null.limit is None
    assert "l" not in json.loads(absent.model_dump_json(by_alias=True, exclude_unset=True))
    assert json.loads(null.model_dump_json(by_alias=True, exclude_unset=True))["l"] is None


def test_models_are_frozen_and_hashable() -> None:
    quote = Quote.model_validate_json(json.dumps(WIRE))
    with pytest.raises(ValidationError, match="frozen"):
        quote.price = Decimal(1)
    with pytest.raises(ValidationError, match="frozen"):
        del quote.price
    assert hash(quote) == hash(Quote.model_validate_json(json.dumps(WIRE)))
    changed = quote.model_copy(update={"price": Decimal(2)})
    assert (changed.price, quote.price) == (2, 0)


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_json_schema_of_every_scalar(mode: Any) -> None:
    properties = Quote.model_json_schema(mode=mode)["properties"]
    assert properties["p"]["type"] == "string"
    assert set(properties) == {"p", "r", "s", "d", "T", "l"}
