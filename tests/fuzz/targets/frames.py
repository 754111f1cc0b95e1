"""Bodies of answers into frames: the same inputs as those of answers, read without making rows."""

from __future__ import annotations

from typing import Any

from binance_sdk._runtime.answers.decode import decode
from binance_sdk._runtime.answers.shape_drift import ShapeWatch
from binance_sdk._runtime.response import Headers
from binance_sdk._runtime.transport.protocol import RawResponse
from binance_sdk.errors import DecodeError
from tests.frames.answers import FLAT
from tests.fuzz.targets.naming import split

_EXAMPLES = {example.name: example for example in FLAT}
_WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("polars", {}),
    ("polars", {"prices": "decimal"}),
    ("numpy", {}),
    ("pandas", {"prices": "decimal"}),
)


def seeds() -> list[bytes]:
    return [name.encode() + b"\n" + example.content for name, example in _EXAMPLES.items()]


def target(data: bytes) -> bool:
    """A frame has the rows that decoding has; where decoding refuses the answer, every frame does."""
    example, body = split(data, _EXAMPLES)

    def read() -> Any:
        return decode(example.operation, example.variant, RawResponse(200, Headers(), body), ShapeWatch())

    try:
        rows = read()
    except DecodeError:
        rows = None
    for library, options in _WAYS:
        try:
            frame = type(example)(example.operation, example.variant, body, example.name).frame(
                library, read, **options
            )
        except DecodeError as error:
            assert error.problems
            continue
        assert rows is not None, f"{library} takes what decoding refuses"
        height = len(next(iter(frame.values()))) if isinstance(frame, dict) else len(frame)
        assert height == (len(rows) if example.many else 1)
    return rows is not None
