"""The catalogue of endpoints and streams as Markdown pages, for the documentation.

``mkdocs`` asks for them when it builds the site, so what stands there is what the spec says now.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from codegen.names import snake
from codegen.rendering import words
from codegen.rendering.docstrings import answer_in_words, operation_facts, python_type
from codegen.rendering.methods import method_view
from codegen.rendering.streams import about_parameter, stream_facts
from codegen.spec_model.operations import Operation, Variant
from codegen.spec_model.parameters import Parameter
from codegen.spec_model.schemas import ObjectSchema, RowSchema, Schema, SchemaField, UnionSchema
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.stream_names import texts
from codegen.spec_model.streams import StreamNode
from codegen.spec_model.types import TypeRef, parse_type

FOLDER = "catalogue"
_MOST_ITEMS = 2
"""Items of a list that an example shows."""
_LONGEST_LINE = 72


def pages(spec: Spec) -> dict[str, str]:
    """Path below ``docs/`` of each page, and its text; the first is that of contents."""
    found = {f"{FOLDER}/index.md": _contents(spec)}
    for market in spec.market_names:
        found[_page(market)] = _endpoints(spec, market)
        if spec.streams_of(market):
            found[_page(market, streams=True)] = _streams(spec, market)
    return found


def _page(market: str, *, streams: bool = False) -> str:
    return f"{FOLDER}/{market}{'_streams' if streams else ''}.md"


# ------------------------------------------------------------------------------------------ contents


def _contents(spec: Spec) -> str:
    lines = [
        "# Endpoints and streams",
        "",
        "Everything that the package knows of Binance's market data, as the spec says it.",
    ]
    for market in spec.market_names:
        title, page = spec.entry(market).title, _page(market).rpartition("/")[2]
        lines += ["", f"## {title} endpoints {{ #{market} }}", "", "| Endpoint | Weight |", "|---|---|"]
        for placed in spec.of_market(market):
            told = f"[`{placed.name}`]({page}#{placed.name})<br>{_cell(placed.value.summary)}"
            lines.append(f"| {told} | {_cell(words.weight(placed.value.weight, placed.value))} |")
        streams = spec.streams_of(market)
        if streams:
            page = _page(market, streams=True).rpartition("/")[2]
            lines += ["", f"## {title} streams {{ #{market}-streams }}", "", "| Stream | Sent |", "|---|---|"]
            for stream in streams:
                told = f"[`{stream.name}`]({page}#{stream.name})<br>{_cell(stream.value.summary)}"
                lines.append(f"| {told} | {_cell(stream.value.speed)} |")
    return "\n".join(lines) + "\n"


# ----------------------------------------------------------------------------------------- endpoints


def _endpoints(spec: Spec, market: str) -> str:
    entry, pool = spec.entry(market), spec.pool_of(market)
    limits = [f"- Weight: {pool.weight.limit} per {words.duration(pool.weight.interval)}. {pool.weight.description}"]
    limits += [
        f"- `{name}`: {limit.limit} requests per {words.duration(limit.interval)}. {limit.description}"
        for name, limit in pool.groups.items()
    ]
    lines = [
        f"# {entry.title} endpoints",
        "",
        entry.description,
        "",
        *_hosts(spec, market, "rest"),
        "",
        "Limits of one address:",
    ]
    lines += ["", *limits]
    schemas: dict[str, None] = {}
    for placed in spec.of_market(market):
        lines += ["", *_endpoint(spec, placed)]
        enums = (parameter.enum for parameter in placed.value.parameters.values() if parameter.enum)
        for text in (*(variant.type for variant in placed.value.returns), *enums):
            _collect(spec, market, parse_type(text), schemas)
    return "\n".join([*lines, "", *_described(spec, market, schemas, "Answers")]) + "\n"


def _hosts(spec: Spec, market: str, kind: str) -> Iterator[str]:
    yield "| Environment | Hosts |"
    yield "|---|---|"
    for environment in spec.serving(market):
        urls = spec.urls(environment, market)
        assert urls is not None
        shown = "<br>".join(f"`{url}`" for url in (urls.rest if kind == "rest" else urls.stream))
        yield f"| `{environment}` | {shown} |"


def _endpoint(spec: Spec, placed: Placed[Operation]) -> Iterator[str]:
    operation, market = placed.value, placed.scope
    yield f"## {placed.name} {{ #{placed.name} }}"
    yield ""
    yield words.sentence(operation.summary)
    if operation.description:
        yield ""
        yield words.sentence(words.in_python(operation.description, operation))
    yield ""
    yield from _code("python", _call(spec, placed))
    yield ""
    yield from (f"- {fact}" for fact in operation_facts(spec, placed))
    if operation.paging:
        yield f"- All of it, page by page: `client.{market}.iter_{placed.name}(...)`."
    yield from (f"- Returns {_returned(operation, variant)}" for variant in operation.returns)
    yield from (
        f"- Error {code}: {words.sentence(words.in_python(text, operation))}" for code, text in operation.errors.items()
    )
    if operation.observed:
        yield f"- Observed: {words.sentence(operation.observed)}"
    yield f"- {words.origin(spec.source_of(placed))}"
    if operation.parameters:
        yield ""
        yield "| Parameter | |"
        yield "|---|---|"
        for wire, parameter in operation.parameters.items():
            name = parameter.name or snake(wire)
            about = [_parameter_type(parameter), *(["required"] if parameter.required else [])]
            about += [f"`{wire}` on the wire"] if name != wire else []
            yield f"| `{name}` | {', '.join(about)}<br>{_cell(words.parameter(wire, operation))} |"
    for variant in operation.returns:
        for suffix in variant.fixture_suffixes:
            body = spec.fixtures[f"{market}/{placed.name}{f'.{suffix}' if suffix else ''}.json"]
            yield ""
            yield from _example(f"Answer{f' ({suffix})' if suffix else ''}", body)


def _returned(operation: Operation, variant: Variant) -> str:
    """What comes back, with a link to what it is made of."""
    type_ = parse_type(variant.type)
    shown = f"`{python_type(type_)}`"
    return answer_in_words(operation, variant).replace(shown, f"[{shown}](#{_anchor(type_.leaf.name)})", 1)


def _call(spec: Spec, placed: Placed[Operation]) -> str:
    view, example = method_view(spec, placed), placed.value.returns[0].example
    positional = [argument for argument in view.signature.positional if argument.wire in example]
    first = [repr(example[argument.wire]) for argument in positional]
    rest = [a for a in view.signature.keyword if a.wire in example]
    arguments = [*first, *(f"{argument.name}={example[argument.wire]!r}" for argument in rest)]
    return f"client.{placed.scope}.{placed.name}({', '.join(arguments)})".replace("'", '"')


def _parameter_type(one: Parameter) -> str:
    kind = {"id": "int", "symbol": "str", "string": "str", "utc_offset": "str"}.get(one.type, one.type)
    shown = f"[`{one.enum}`](#{_anchor(one.enum)})" if one.enum else f"`{kind}`"
    return f"list of {shown}" if one.is_list else shown


# ------------------------------------------------------------------------------------------- streams


def _streams(spec: Spec, market: str) -> str:
    entry = spec.entry(market)
    limits = entry.streams
    lines = [
        *(f"# {entry.title} streams", "", *_hosts(spec, market, "stream"), "", "Limits:", ""),
        f"- {limits.messages_a_second} messages a second that a client sends on one connection.",
        f"- {limits.streams_a_connection} streams on one connection.",
        f"- {limits.connections.limit} connections per {words.duration(limits.connections.interval)} of one address.",
    ]
    schemas: dict[str, None] = {}
    for placed in spec.streams_of(market):
        lines += ["", *_stream(spec, placed)]
        enums = (parameter.enum for parameter in placed.value.parameters.values() if parameter.enum)
        for text in (placed.value.event, *enums):
            _collect(spec, market, parse_type(text), schemas)
    return "\n".join([*lines, "", *_described(spec, market, schemas, "Events")]) + "\n"


def _stream(spec: Spec, placed: Placed[StreamNode]) -> Iterator[str]:
    node, market = placed.value, placed.scope
    yield f"## {placed.name} {{ #{placed.name} }}"
    yield ""
    yield words.sentence(node.summary)
    if node.description:
        yield ""
        yield words.sentence(node.description)
    yield ""
    symbols = [
        f'"{spec.example_symbol(market, pair=one.pair)}"' for one in node.parameters.values() if one.type == "symbol"
    ]
    choices = [
        f"{name}={one.default if one.default is not None else next(iter(texts(spec, market, one)))!r}"
        for name, one in node.parameters.items()
        if one.type == "choice"
    ]
    call = f"client.{market}.streams.{placed.name}({', '.join([*symbols, *choices])})"
    yield from _code("python", call.replace("'", '"'))
    yield ""
    yield from (f"- {fact}" for fact in stream_facts(spec, placed))
    yield f"- Gives {_type(spec, market, parse_type(node.event))}."
    yield f"- {words.origin(spec.source_of(placed))}"
    if node.parameters:
        yield ""
        yield "| Parameter | |"
        yield "|---|---|"
        for name, one in node.parameters.items():
            yield f"| `{name}` | {_cell(about_parameter(spec, market, one))} |"
    yield ""
    yield from _example("Message", spec.stream_fixtures[f"{market}/streams/{placed.name}.json"])


# ------------------------------------------------------------------------------------------- schemas


def _collect(spec: Spec, market: str, type_: TypeRef, found: dict[str, None]) -> None:
    """Every schema and enum that a type is made of, each once and before what it holds."""
    name = type_.leaf.name
    if type_.leaf.kind != "name" or name in found:
        return
    found[name] = None
    placed = None if spec.enum(market, name) else spec.schema(market, name)
    for inner in _inside(spec, market, placed.value) if placed is not None else ():
        _collect(spec, market, inner, found)


def _inside(spec: Spec, market: str, schema: Schema) -> Iterator[TypeRef]:
    if isinstance(schema, UnionSchema):
        yield from (TypeRef("name", member) for member in dict.fromkeys(schema.members.values()))
    for field in spec.fields(market, schema).values():
        yield parse_type(field.type)


def _described(spec: Spec, market: str, names: Iterable[str], title: str) -> Iterator[str]:
    yield f"## {title} {{ #schemas }}"
    for name in names:
        yield ""
        yield f"### {name} {{ #{_anchor(name)} }}"
        yield ""
        enum = spec.enum(market, name)
        if enum is not None:
            yield f"{words.sentence(enum.value.description)} {', '.join(f'`{value}`' for value in enum.value.values)}."
            continue
        placed = spec.schema(market, name)
        assert placed is not None
        yield words.sentence(placed.value.description)
        yield ""
        yield from _fields(spec, market, placed.value)
        yield ""
        yield words.origin(spec.source_of(placed))


def _fields(spec: Spec, market: str, schema: Schema) -> Iterator[str]:
    if isinstance(schema, UnionSchema):
        yield f"By `{schema.discriminator}`:"
        yield ""
        for value, member in schema.members.items():
            yield f"- `{value}`: [`{member}`](#{_anchor(member)})"
        return
    yield "| Field | |"
    yield "|---|---|"
    if isinstance(schema, RowSchema):
        for index, position in enumerate(schema.row):
            name = f"`{position.name}`" if position.name else "–"
            yield f"| {name} | `{position.type}`, position {index}<br>{_cell(words.sentence(position.description))} |"
        return
    for wire, field in spec.fields(market, schema).items():
        name = field.name or snake(wire)
        about = [_type(spec, market, parse_type(field.type)), *_absence(field)]
        about += [f"`{wire}` on the wire"] if name != wire else []
        yield f"| `{name}` | {', '.join(about)}<br>{_cell(words.sentence(field.description))} |"
    if isinstance(schema, ObjectSchema):
        for name, description in schema.from_name.items():
            yield f"| `{name}` | told by the name of the stream<br>{_cell(words.sentence(description))} |"


def _absence(field: SchemaField) -> Iterator[str]:
    if field.optional:
        yield "may be absent"
    if field.nullable:
        yield "may be null"
    if field.empty:
        yield 'may be `""`'
    if field.zero_means_none:
        yield "0 for none"


def _type(spec: Spec, market: str, type_: TypeRef) -> str:
    if type_.item is not None:
        return f"{type_.kind} of {_type(spec, market, type_.item)}"
    return f"`{type_.name}`" if type_.kind == "scalar" else f"[`{type_.name}`](#{_anchor(type_.name)})"


def _anchor(schema: str) -> str:
    # In small letters some are called as endpoints.
    return f"schema-{schema}"


# ------------------------------------------------------------------------------------------ markdown


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(language: str, text: str) -> Iterator[str]:
    yield f"```{language}"
    yield from text.splitlines()
    yield "```"


def _example(title: str, body: bytes) -> Iterator[str]:
    value = json.loads(body)
    short = shortened(value)
    cut = "" if short == value else f", lists cut to {_MOST_ITEMS} items"
    yield f'??? example "{title}{cut}"'
    yield ""
    yield from (f"    {line}" for line in _code("json", written(short)))


def shortened(value: Any) -> Any:
    """JSON with the first items of its lists; positional arrays stay whole."""
    if isinstance(value, Mapping):
        return {key: shortened(item) for key, item in value.items()}
    if isinstance(value, list) and any(isinstance(item, (list, Mapping)) for item in value):
        return [shortened(item) for item in value[:_MOST_ITEMS]]
    return value


def written(value: Any, indent: str = "") -> str:
    """JSON on as many lines as it needs to be read on a narrow screen."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= _LONGEST_LINE or not isinstance(value, (list, dict)) or not value:
        return line
    deeper = f"{indent} "
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {written(item, deeper)}" for key, item in value.items()]
    else:
        items = [written(item, deeper) for item in value]
        if not any(isinstance(item, (list, dict)) for item in value):
            # As many on a line as fit.
            return textwrap.fill(
                f"[{', '.join(items)}]", _LONGEST_LINE, subsequent_indent=deeper, break_long_words=False
            )
    begin, end = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return f"{begin}\n{deeper}{f',{chr(10)}{deeper}'.join(items)}\n{indent}{end}"
