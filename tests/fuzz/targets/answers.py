"""Bodies of answers into typed values: the first line names an answer, e.g. ``spot.klines``, the rest is its body."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from binance_sdk._runtime.answers.decode import decode, decode_good_rows
from binance_sdk._runtime.answers.row import Row
from binance_sdk._runtime.answers.shape_drift import ShapeWatch
from binance_sdk._runtime.numbers import numbers_written
from binance_sdk._runtime.operation import Operation, Variant
from binance_sdk._runtime.response import Headers
from binance_sdk._runtime.transport.protocol import RawResponse
from binance_sdk.catalogue import CATALOGUE, fixture
from binance_sdk.errors import DecodeError
from tests.fuzz.targets.naming import split

_ANSWERS: dict[str, tuple[Operation[Any], Variant[Any], str]] = {
    f"{operation.id}{f'.{suffix}' if suffix else ''}": (operation, variant, suffix)
    for operation in CATALOGUE.operations
    for variant in operation.variants
    for suffix in variant.fixtures
}
_WATCH = ShapeWatch()


def seeds() -> list[bytes]:
    return [
        name.encode() + b"\n" + fixture(operation.market, operation.name, suffix)
        for name, (operation, _, suffix) in _ANSWERS.items()
    ]


def target(data: bytes) -> bool:
    """What is read is written back as it came; what is refused says why, and so does what is left of its rows."""
    (operation, variant, _), body = split(data, _ANSWERS)
    answer = RawResponse(200, Headers(), body)
    try:
        value = decode(operation, variant, answer, _WATCH)
    except DecodeError as error:
        _is_told(error)
        try:
            rows, bad = decode_good_rows(operation, variant, answer, ShapeWatch())
        except DecodeError as again:
            _is_told(again)
            return False
        assert bad
        assert all(row.problem for row in bad)
        _look_at_rows(rows)
        return False
    written = numbers_written(lambda: variant.adapter.dump_json(value, by_alias=True, exclude_unset=True).decode())
    assert _read(written) == _read(body)
    _look_at_rows(value)
    return True


def _is_told(error: DecodeError) -> None:
    assert error.problems
    assert len(str(error)) < 20_000


def _read(text: bytes | str) -> Any:
    """JSON with every digit; numbers that mean the same are the same."""
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


def _look_at_rows(value: Any) -> None:
    for row in value if isinstance(value, list) else ():
        if not isinstance(row, Row):
            return
        repr(row)
        for name in row.field_names():
            try:
                getattr(row, name)
                getattr(row, f"{name}_dt", None)
            except DecodeError:
                # A time beyond the years of a datetime.
                continue
