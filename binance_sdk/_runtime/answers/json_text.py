"""The parts of a JSON text as they stand in it, so that each can be read alone and keeps every digit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

# Numbers stay text: only where they end is of interest, and an int of 5000 digits would be refused.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_SPACE = re.compile(r"[ \t\n\r]*")


def array_items(text: str) -> Iterator[str]:
    """The text of each item of the array that ``text`` is.

    Raises:
        ValueError: it is no array, or no JSON.
        RecursionError: it is nested too deep.
    """
    at = _opened(text, "[")
    if text.startswith("]", at):
        return
    while True:
        end = _DECODER.raw_decode(text, at)[1]
        yield text[at:end]
        at = _after_comma(text, end, "]")
        if at < 0:
            return


def object_members(text: str) -> Iterator[tuple[str, str]]:
    """The key of each member of the object that ``text`` is, with the text of its value.

    Raises:
        ValueError: it is no object, or no JSON.
        RecursionError: it is nested too deep.
    """
    at = _opened(text, "{")
    if text.startswith("}", at):
        return
    while True:
        if not text.startswith('"', at):
            raise ValueError(f"no key at {at}")
        key, end = _DECODER.raw_decode(text, at)
        colon = _skipped(text, end)
        if not text.startswith(":", colon):
            raise ValueError(f"no colon at {colon}")
        at = _skipped(text, colon + 1)
        end = _DECODER.raw_decode(text, at)[1]
        yield key, text[at:end]
        at = _after_comma(text, end, "}")
        if at < 0:
            return


def _opened(text: str, bracket: str) -> int:
    at = _skipped(text, 0)
    if not text.startswith(bracket, at):
        raise ValueError(f"does not begin with {bracket}")
    return _skipped(text, at + 1)


def _after_comma(text: str, end: int, bracket: str) -> int:
    """Where the next part begins; -1 after the last one."""
    at = _skipped(text, end)
    if text.startswith(bracket, at):
        return -1
    if not text.startswith(",", at):
        raise ValueError(f"neither a comma nor {bracket} at {at}")
    return _skipped(text, at + 1)


def _skipped(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
