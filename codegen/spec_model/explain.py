"""Pydantic's findings in the words of the spec: one message for one mistake, with what to write instead."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from codegen.documents import Document, Problem
from codegen.names import english_list
from codegen.spec_model.base import PATTERN_WORDS

_EXAMPLES = {
    "bands": "bands: [{min: 1, max: 100, weight: 5}, {min: 101, weight: 10}]",
    "by": "by: limit",
    "cache": "cache: {ttl: 1s}",
    "date": "date: 2026-07-21",
    "description": "description: Number of rows.",
    "discriminator": "discriminator: filterType",
    "document": "document: Binance spot API docs",
    "each": "each: 2",
    "example": "example: {symbol: BTCUSDT}",
    "fields": "fields: {}",
    "members": "members: {EXTERNAL: ExternalCalculation}",
    "path": "path: /api/v3/ping",
    "returns": "returns: [{type: OrderBook, example: {symbol: BTCUSDT}}]",
    "source": "source: {document: Binance spot API docs, date: 2026-07-21}",
    "summary": "summary: Order book of a symbol.",
    "ttl": "ttl: 1s",
    "unknown": "unknown: UnknownFilter",
    "values": "values: [ONE, TWO]",
    "weight": "weight: 1",
}
"""What a missing key can look like."""

_KINDS = {
    "bool_type": "true or false",
    "date_type": "a day such as 2026-07-21",
    "dict_type": "a mapping of keys to values",
    "int_type": "a whole number",
    "list_type": "a list such as [one, two]",
    "model_type": "a mapping of keys to values",
    "string_type": "a text",
}


def explain(document: Document, error: ValidationError) -> Iterator[Problem]:
    """One problem for each mistake."""
    for item in error.errors(include_url=False):
        path = _path(item["loc"])
        context = item.get("ctx", {})
        if item["type"] == "unknown_keys":
            for key in context["keys"]:
                line = document.line(*path, key)
                yield Problem(document.file, line, f"{where(path)}: {_unknown(key, context['known'])}")
        elif item["type"] == "missing":
            yield _problem(document, path[:-1], _missing(str(path[-1])))
        elif item["type"] == "wrong":
            yield _problem(document, (*path, *context["path"]), context["message"])
        else:
            yield _problem(document, path, _words(item))


def _problem(document: Document, path: Sequence[str | int], message: str) -> Problem:
    return Problem(document.file, document.line(*path), f"{where(path)}: {message}")


def where(path: Sequence[str | int]) -> str:
    """``operations.depth.weight.bands[0]``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.lstrip(".") or "the file"


def _path(loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """``loc`` without what pydantic puts in for itself: tags of unions, and the mark of a key."""
    return tuple(step for step in loc if not (isinstance(step, str) and step[:1] + step[-1:] in ("<>", "[]")))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean `limit`?`` where something close is known, else nothing."""
    table = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), table, n=2, cutoff=0.7)
    return f"; did you mean {english_list([f'`{table[name]}`' for name in near], 'or')}?" if near else ""


def _unknown(key: object, known: list[str]) -> str:
    hint = did_you_mean(str(key), known)
    return f"`{key}` is no key here{hint or f'; the keys are {english_list(known)}'}"


def _missing(name: str) -> str:
    example = _EXAMPLES.get(name)
    return f"`{name}` is missing" + (f"; write for example `{example}`" if example else "")


def _words(item: ErrorDetails) -> str:
    kind, context = item["type"], item.get("ctx", {})
    given = shown(item["input"])
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}, not {given}{_quotes(kind, item['input'])}"
    if kind == "literal_error":
        allowed = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
        return f"{given} is none of {english_list(allowed, 'or')}{did_you_mean(str(item['input']), allowed)}"
    if kind == "string_pattern_mismatch":
        return f"{given} must be {PATTERN_WORDS[context['pattern']]}"
    if kind == "string_too_short":
        return "the text is empty"
    if kind == "too_short":
        return f"needs at least {context['min_length']} {'entry' if context['min_length'] == 1 else 'entries'}"
    if kind == "too_long":
        return f"takes at most {context['max_length']} entries"
    if kind in ("greater_than", "greater_than_equal"):
        bound = f"above {context['gt']}" if kind == "greater_than" else f"at least {context['ge']}"
        return f"must be {bound}, not {given}"
    if kind == "no_member":
        return str(item["msg"])
    return f"{item['msg'][0].lower()}{item['msg'][1:]}, but this is {given}"


_IN_QUOTES = {
    "bool_type": r"true|false",
    # Of days that no calendar has: those come as a text without quotes too.
    "date_type": r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])",
    "int_type": r"-?\d+",
}
"""What a text looks like that is a value of another kind as soon as it has no quotes."""


def _quotes(kind: str, value: object) -> str:
    """What quotes have to do with it."""
    if kind == "string_type":
        return "; put it in quotes" if isinstance(value, (int, float, date)) else ""
    is_one = isinstance(value, str) and re.fullmatch(_IN_QUOTES.get(kind, r"(?!)"), value)
    return "; drop the quotes" if is_one else ""


def shown(value: Any) -> str:
    """A value of a file as a message quotes it."""
    if isinstance(value, dict):
        return "a mapping of keys to values"
    if value is None:
        return "nothing"
    if isinstance(value, date):
        return f"`{value}`"
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"
