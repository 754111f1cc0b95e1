"""Docstrings of the client methods: what an editor shows while somebody writes a call."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import partial

from codegen.names import english_list, snake
from codegen.rendering import words
from codegen.spec_model.operations import Operation, Variant
from codegen.spec_model.parameters import Lookback
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.types import TypeRef, parse_type

LINE_LENGTH = 120
_BODY_INDENT = " " * 8

_SCALARS = {
    "int": "int",
    "id": "int",
    "time": "int",
    "time_or_digits": "int",
    "decimal": "Decimal",
    "number": "Decimal",
    "decimal_or_number": "Decimal",
    "string": "str",
    "symbol": "str",
    "bool": "bool",
    "any": "JsonValue",
}


def python_type(type_: TypeRef) -> str:
    """A type of the spec as an annotation."""
    if type_.item is not None:
        inner = python_type(type_.item)
        return f"list[{inner}]" if type_.kind == "list" else f"dict[str, {inner}]"
    return _SCALARS[type_.name] if type_.kind == "scalar" else type_.name


def method_docstring(spec: Spec, placed: Placed[Operation]) -> str:
    operation = placed.value
    arguments = [
        *(
            (parameter.name or snake(wire), words.parameter(wire, operation))
            for wire, parameter in operation.parameters.items()
        ),
        ("options", "Settings of this call alone."),
    ]
    returns = [answer_in_words(operation, variant) for variant in operation.returns]
    summary, facts = words.sentence(operation.summary), operation_facts(spec, placed)
    return _compose(spec, placed, summary, facts, arguments, ("Returns:", returns), _own_errors(operation))


def operation_facts(spec: Spec, placed: Placed[Operation]) -> list[str]:
    """What holds of every call of an operation, a sentence or two each."""
    operation = placed.value
    return [
        *_facts(spec, placed, f"Weight: {words.weight(operation.weight, operation)}."),
        *(words.rule(rule, operation) for rule in operation.rules),
        *_remarks(operation),
    ]


def iterator_docstring(spec: Spec, placed: Placed[Operation], arguments: Sequence[tuple[str, str]], item: str) -> str:
    """For the method that walks over pages; ``arguments`` are (name, wire), with no wire for its own two."""
    operation, paging = placed.value, placed.value.paging
    assert paging is not None
    size = operation.parameters[paging.size]
    starts = [name for name in (paging.start, paging.cursor) if name is not None]
    optional = not any(operation.parameters[name].required for name in starts)
    either = english_list([f"`{words.python(name, operation)}`" for name in starts], "or")
    newest = f" Without {either} the newest so many come, and it has to be given." if optional else ""
    own = {
        "limit": f"Number of rows wanted in all, by default everything from the start on.{newest}",
        "page_size": f"Rows in one request, at most {size.max}. By default the size that costs the least weight a row.",
    }
    described = [(name, words.parameter(wire, operation) if wire else own[name]) for name, wire in arguments]
    described.append(("options", "Settings of these requests alone."))
    # What a page costs when no size is given is not what a call without one costs: the cheapest size is taken.
    price = words.weight(operation.weight, operation, left_out=False)
    price = price.replace(f"`{words.python(paging.size, operation)}`", "`page_size`")
    facts = [
        *_facts(spec, placed, f"Weight of a page: {price}."),
        f"A page is a call of `{placed.name}`, whose notes hold for each of them.",
        *_where_it_begins(operation, either, optional=optional),
        f"It goes on until `limit`, {'the end time ' if paging.end else ''}or the server's time when it began is "
        "reached, or a page is empty: a page shorter than asked for is no proof of the end.",
    ]
    summary = f"{operation.summary.rstrip('.')}, page by page."
    yields = [f"Every `{item}` in order, each once. A page is fetched when its first row is needed."]
    errors = [
        *(["ParameterError: Neither a start nor `limit` is given; nothing was sent."] if optional else []),
        *_own_errors(operation),
        "DecodeError: A page repeats rows or is not in order.",
    ]
    return _compose(spec, placed, summary, facts, described, ("Yields:", yields), errors)


def _where_it_begins(operation: Operation, either: str, *, optional: bool) -> list[str]:
    if not optional:
        return []
    kept = any(isinstance(rule, Lookback) for rule in operation.rules)
    oldest = "the oldest that Binance keeps" if kept else "the oldest"
    text = f"From {either} on, oldest first; 0 begins with {oldest}. Without it the newest `limit` rows come, in the "
    return [f"{text}same order, the first of them once all are there."]


def _compose(
    spec: Spec,
    placed: Placed[Operation],
    summary: str,
    facts: Sequence[str],
    arguments: Sequence[tuple[str, str]],
    result: tuple[str, Sequence[str]],
    errors: Sequence[str],
) -> str:
    operation = placed.value
    lines = [summary]
    if operation.description:
        lines += ["", words.sentence(words.in_python(operation.description, operation))]
    lines += ["", *(f"- {fact}" for fact in facts)]
    lines += ["", "Args:", *(f"    {name}: {text}" for name, text in arguments)]
    lines += ["", result[0], *(f"    {text}" for text in result[1])]
    if errors:
        lines += ["", "Raises:", *(f"    {line}" for line in errors)]
    lines += ["", words.origin(spec.source_of(placed))]
    return "\n".join(lines)


def _facts(spec: Spec, placed: Placed[Operation], weight: str) -> list[str]:
    operation = placed.value
    hosts = english_list(spec.hosts[placed.scope, placed.name])
    facts = [words.deprecation(placed.name, operation.deprecated)] if operation.deprecated else []
    facts += [f"`GET {operation.path}`, on {hosts}.", weight]
    limits = spec.pool_of(placed.scope)
    for group in operation.groups:
        limit = limits.groups[group]
        facts.append(f"Limit `{group}`: {limit.limit} requests per {words.duration(limit.interval)}.")
    if operation.security == "api_key":
        facts.append("Needs an API key.")
    elif operation.security == "api_key_uncertain":
        facts.append("May need an API key; the documents do not settle it.")
    return facts


def _remarks(operation: Operation) -> list[str]:
    remarks = [*operation.notes, *(f"Uncertain: {note}" for note in operation.uncertain)]
    return [words.sentence(words.in_python(remark, operation)) for remark in remarks]


def answer_in_words(operation: Operation, variant: Variant) -> str:
    """What one kind of call returns."""
    text = f"`{python_type(parse_type(variant.type))}`"
    if operation.order:
        text += f", {operation.order}"
    when = variant.when
    if when:
        given = [f"`{words.python(wire, operation)}`" for wire in when.given]
        given += [f"`{words.python(wire, operation)}` {value}" for wire, value in when.equals.items()]
        absent = [f"`{words.python(wire, operation)}`" for wire in when.absent]
        parts = [f"with {english_list(given)}"] if given else []
        parts += [f"without {english_list(absent, 'or')}"] if absent else []
        text += f" {', '.join(parts)}"
    return f"{text}."


def _own_errors(operation: Operation) -> list[str]:
    """What a method raises besides what every one does, which the class says once."""
    lines = []
    if operation.security == "api_key":
        lines.append("ConfigError: The client has no API key; nothing was sent.")
    if operation.errors:
        lines.append("APIError: Codes to expect, among others:")
        for code, text in operation.errors.items():
            lines.append(f"    {code}: {words.sentence(words.in_python(text, operation))}")
    return lines


# --------------------------------------------------------------------------------------- layout

_wrap = partial(textwrap.wrap, break_long_words=False, break_on_hyphens=False)


def escaped(text: str) -> str:
    """``text`` as it must stand between triple quotes."""
    # A quote at the very end would join the closing ones.
    body, tail = (text[:-1], '\\"') if text.endswith('"') else (text, "")
    return body.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') + tail


def laid_out(text: str, indent: str = _BODY_INDENT) -> str:
    """A docstring of a method, wrapped; an entry of a list or section continues further right than it began."""
    lines: list[str] = []
    for number, line in enumerate(escaped(text).splitlines()):
        begin = line[: len(line) - len(line.lstrip())]
        following = begin + ("  " if line.startswith("- ") else "    " if begin else "")
        # The quotes in front of the first line take room as well.
        room = LINE_LENGTH - len(indent) - (3 if number == 0 else 0)
        lines += _wrap(line, room, subsequent_indent=following) or [""]
    body = "\n".join(f"{indent}{line}".rstrip() for line in lines[1:])
    return f'{indent}"""{lines[0]}\n{body}\n{indent}"""' if body else f'{indent}"""{lines[0]}"""'
