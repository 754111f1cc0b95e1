"""The parts of a JSON text as text, so that each can be read alone and keeps every digit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

# Numbers stay text: only where they end matters, and Python refuses to read an int of 5000 digits.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_SPACE = re.compile(r"[ \t\n\r]*")


def array_items(text: str) -> Iterator[str]:
    """The text of each item of an array.

    Raises:
        ValueError: ``text`` is not an array, or not JSON.
        RecursionError: it is nested too deeply.
    """
    at = _after_opening(text, "[")
    if text.startswith("]", at):
        _expect_end(text, at + 1)
        return
    while True:
        end = _DECODER.raw_decode(text, at)[1]
        yield text[at:end]
        at = _after_comma(text, end, "]")
        if at < 0:
            return


def object_members(text: str) -> Iterator[tuple[str, str]]:
    """The key of each member of an object, with the text of its value.

    Raises:
        ValueError: ``text`` is not an object, or not JSON.
        RecursionError: it is nested too deeply.
    """
    at = _after_opening(text, "{")
    if text.startswith("}", at):
        _expect_end(text, at + 1)
        return
    while True:
        if not text.startswith('"', at):
            raise ValueError(f"no key at {at}")
        key, end = _DECODER.raw_decode(text, at)
        colon = _after_space(text, end)
        if not text.startswith(":", colon):
            raise ValueError(f"no colon at {colon}")
        at = _after_space(text, colon + 1)
        end = _DECODER.raw_decode(text, at)[1]
        yield key, text[at:end]
        at = _after_comma(text, end, "}")
        if at < 0:
            return


def _after_opening(text: str, bracket: str) -> int:
    at = _after_space(text, 0)
    if not text.startswith(bracket, at):
        raise ValueError(f"does not begin with {bracket}")
    return _after_space(text, at + 1)


def _after_comma(text: str, end: int, bracket: str) -> int:
    """Index at which the next part begins; -1 after the last one."""
    at = _after_space(text, end)
    if text.startswith(bracket, at):
        _expect_end(text, at + 1)
        return -1
    if not text.startswith(",", at):
        raise ValueError(f"neither a comma nor {bracket} at {at}")
    return _after_space(text, at + 1)


def _expect_end(text: str, at: int) -> None:
    # What stands behind the last bracket may be the rest of another answer, and then neither can be trusted.
    if _after_space(text, at) != len(text):
        raise ValueError(f"more than one value at {at}")


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
