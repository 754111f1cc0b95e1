"""Decodes answers into models, or raises one ``DecodeError`` that says what differs from the spec."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from binance_sdk._runtime.answers.good_rows import BadRow, good_rows
from binance_sdk._runtime.answers.problems import AND_MORE, NOT_JSON, problems_of
from binance_sdk._runtime.answers.shape_drift import ShapeWatch
from binance_sdk._runtime.operation import Operation, Variant
from binance_sdk._runtime.transport.protocol import RawResponse
from binance_sdk.errors import DecodeError

T = TypeVar("T")

_MOST_SHOWN = 12
_EXCERPT = 80
_LARGE = 16 * 1024
_COLLECTS_WHILE_DECODING = sys.version_info < (3, 12)
"""Later interpreters collect garbage only between Python instructions, and so not inside one call of pydantic."""


def decode(operation: Operation[T], variant: Variant[T], response: RawResponse, watch: ShapeWatch) -> T:
    """The typed answer; what the spec does not list goes to the watch.

    Raises:
        DecodeError: naming operation, row and every field that is missing or of the wrong type.
    """
    try:
        return _watched(operation, variant, response.content, watch)
    except ValidationError as error:
        raise _failed(operation, response, problems_of(variant.type, response.content, error)) from error


def decode_good_rows(
    operation: Operation[T], variant: Variant[T], response: RawResponse, watch: ShapeWatch
) -> tuple[T, tuple[BadRow, ...]]:
    """The typed answer without its bad rows, and those rows.

    Raises:
        DecodeError: something else is wrong, or too many rows are bad.
    """
    try:
        return _watched(operation, variant, response.content, watch), ()
    except ValidationError as error:
        found = good_rows(variant.type, response.content)
        if found is None:
            raise _failed(operation, response, problems_of(variant.type, response.content, error)) from error
        return found


def looks_whole(content: bytes) -> bool:
    """Whether it begins and ends as an object or an array of JSON in which each bracket is closed.

    What is HTML, empty or torn is not; what is not JSON in another way, or has brackets in its texts, may be either.
    """
    if (content[:1], content[-1:]) not in ((b"[", b"]"), (b"{", b"}")):
        return False
    return content.count(b"[") == content.count(b"]") and content.count(b"{") == content.count(b"}")


def _watched(operation: Operation[T], variant: Variant[T], content: bytes, watch: ShapeWatch) -> T:
    reader = variant.reader
    watch.begin(reader)
    try:
        value = validated(variant, content)
    except ValidationError:
        watch.look_at_broken(operation.id, variant.name, variant.type, reader, content)
        raise
    watch.look(operation.id, variant.name, variant.type, reader, value)
    return value


def validated(variant: Variant[T], content: bytes) -> T:
    """The typed answer, or pydantic's own error."""
    read = variant.reader.read
    return cast("T", read(content) if len(content) < _LARGE else undisturbed(read, content))


def undisturbed(read: Callable[[bytes], T], content: bytes) -> T:
    """What ``read`` makes of the content, without a collection of garbage meanwhile."""
    if len(content) < _LARGE or not _COLLECTS_WHILE_DECODING or not gc.isenabled():
        return read(content)
    # Everything created here is kept and has no reference cycles, so collecting while it grows only costs time.
    gc.disable()
    try:
        return read(content)
    finally:
        gc.enable()


def _failed(operation: Operation[Any], response: RawResponse, problems: tuple[str, ...]) -> DecodeError:
    content = response.content
    garbled = len(problems) == 1 and problems[0].startswith(NOT_JSON)
    if not content.strip():
        problems = ("the body is empty",)
    elif content.startswith(b"\xef\xbb\xbf"):
        problems = ("the body begins with a byte order mark, which JSON forbids",)
    elif content.lstrip()[:1] == b"<":
        shown = " ".join(content[:_EXCERPT].decode("utf-8", "replace").split())
        whence = "it may be of a proxy or a login page on the way, or of another host than Binance's"
        problems = (f"the body is HTML, not JSON: {shown!r}; {whence}",)
    shown_problems = list(problems[:_MOST_SHOWN])
    if len(problems) > _MOST_SHOWN:
        all_known = problems[-1] != AND_MORE
        shown_problems.append(f"and {len(problems) - _MOST_SHOWN} more" if all_known else AND_MORE)
    text = f"{operation.id}: the answer is not what the spec says: {'; '.join(shown_problems)}"
    return DecodeError(
        text,
        operation=operation.id,
        problems=problems,
        body=content,
        status_code=response.status_code,
        headers=dict(response.headers),
        garbled=garbled,
    )
