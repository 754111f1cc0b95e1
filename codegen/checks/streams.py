"""What must hold between a stream and the other nodes of the spec."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codegen.checks.references import enum_exists
from codegen.documents import Problem
from codegen.names import english_list, field_refusal, shadowing, snake
from codegen.spec_model.explain import did_you_mean
from codegen.spec_model.schemas import ObjectSchema, RowSchema, Schema
from codegen.spec_model.spec import STREAMS, Placed, Spec
from codegen.spec_model.stream_names import attributes, last_step, texts
from codegen.spec_model.streams import Fill, StreamNode
from codegen.spec_model.types import parse_type

_TAKEN_METHODS = frozenset({"combine"})
_TAKEN_ARGUMENTS = frozenset({"options", "self"})
_TAKEN_FIELDS = frozenset({"stream", "filled"})
_PLACE = re.compile(r"\{(\w*)\}")


Paths = dict[str, tuple[bool, bool]]
"""Attribute paths of an event with (whether it may be absent, whether it is live only)."""


def check_streams(spec: Spec) -> Iterator[Problem]:
    """Every mistake in ``spec/streams`` that no single node can see."""
    endless = list(_endless(spec))
    if endless:
        # The other checks walk down the attributes of events.
        yield from endless
        return
    patterns: dict[tuple[str, str], Placed[StreamNode]] = {}
    for placed in spec.streams.values():
        yield from _stream(spec, placed)
        other = patterns.setdefault((placed.scope, placed.value.pattern), placed)
        if other is not placed:
            yield placed.problem(f"{other.name} has this pattern too; drop one of the two", "pattern")
    yield from _events(spec)
    yield from _own_rows(spec)
    yield from _fixtures(spec)


# --------------------------------------------------------------------------------------- events


def _events(spec: Spec) -> Iterator[Problem]:
    for schema in spec.schemas.values():
        if isinstance(schema.value, ObjectSchema) and schema.value.from_name:
            yield schema.problem("an answer has no stream whose name could tell something; drop it", "from_name")
        for wire, field in spec.fields(schema.scope, schema.value).items():
            if field.live_only:
                text = f"`{wire}`: `live_only` is about events of streams; drop it"
                yield schema.problem(text, "fields", wire, "live_only")
    sent: dict[tuple[str, str], bool] = {}
    for stream in spec.streams.values():
        for name in _reached(spec, stream.scope, parse_type(stream.value.event).leaf.name):
            filled = stream.value.fill is not None
            sent[stream.scope, name] = sent.get((stream.scope, name), False) or filled
    # Whoever misspelt an event is told so, and not that nobody sends it as well.
    lost = {s.scope for s in spec.streams.values() if (s.scope, parse_type(s.value.event).leaf.name) not in spec.events}
    for key, event in spec.events.items():
        if key not in sent and event.scope not in lost:
            yield event.problem("no stream sends it; name it in an `event:`, or drop it")
        yield from _fields(event, sent.get(key, True))


def _endless(spec: Spec) -> Iterator[Problem]:
    for event in spec.events.values():
        inside = [parse_type(field.type).leaf.name for field in spec.fields(event.scope, event.value).values()]
        if any(event.name in _reached(spec, event.scope, name) for name in inside):
            yield event.problem("holds itself, and a message has an end; give one of its fields another type")


def _reached(spec: Spec, scope: str, name: str) -> set[str]:
    """An event and the objects in it."""
    seen: set[str] = set()
    todo = [name]
    while todo:
        found = todo.pop()
        event = spec.events.get((scope, found))
        if event is not None and found not in seen:
            seen.add(found)
            todo += [parse_type(field.type).leaf.name for field in spec.fields(scope, event.value).values()]
    return seen


def _fields(event: Placed[Schema], filled: bool) -> Iterator[Problem]:
    assert isinstance(event.value, ObjectSchema)
    for wire, field in event.value.fields.items():
        name = field.name or snake(wire)
        if len(wire) == 1 and field.name is None:
            yield event.problem(f"`{wire}` says nothing to a reader; give it a full `name:`", "fields", wire)
        if name in _TAKEN_FIELDS:
            text = f"the Python name `{name}` of `{wire}` is what every event has already; give it another `name:`"
            yield event.problem(text, "fields", wire)
        if field.live_only and not filled:
            text = f"`{wire}`: no stream of this event has a `fill`, so every event is live; drop `live_only`"
            yield event.problem(text, "fields", wire, "live_only")


# -------------------------------------------------------------------------------------- streams


def _route(spec: Spec, placed: Placed[StreamNode]) -> Iterator[Problem]:
    route, routes = placed.value.route, spec.entry(placed.scope).streams.routes
    known = english_list([f"{name} for {what}" for name, what in routes.items()])
    if route is None and routes:
        yield placed.problem(f"a stream of {placed.scope} needs a `route`: {known}")
    elif route is not None and not routes:
        yield placed.problem(f"markets.yaml has no routes for {placed.scope}; drop it", "route")
    elif route is not None and route not in routes:
        yield placed.problem(f"markets.yaml has no route `{route}` for {placed.scope}; it has {known}", "route")


def _stream(spec: Spec, placed: Placed[StreamNode]) -> Iterator[Problem]:
    node = placed.value
    reason = shadowing(placed.name)
    if reason is not None or placed.name in _TAKEN_METHODS:
        yield placed.problem(f"the name {reason or 'is a method of every client'}; choose another name")
    yield from _route(spec, placed)
    yield from _parameters(spec, placed)
    yield from _pattern(placed)
    type_ = parse_type(node.event)
    event = spec.events.get((placed.scope, type_.leaf.name))
    if event is None or (type_ != type_.leaf and (type_.kind != "list" or type_.item != type_.leaf)):
        known = [name for scope, name in spec.events if scope == placed.scope]
        hint = did_you_mean(type_.leaf.name, known) or "; write an event of streams/, or list<...> of one"
        yield placed.problem(f"`{node.event}` is no event of {placed.scope}{hint}", "event")
        return
    if node.event_type is not None and "e" not in spec.fields(placed.scope, event.value):
        yield placed.problem(f"{event.name} has no key `e` that could hold this; drop it", "event_type")
    yield from _quiet(spec, placed)
    paths = dict(attributes(spec, placed.scope, event.name))
    yield from _said_by_name(placed, event, paths)
    yield from _sequence(placed, paths)
    yield from _key(placed, paths)
    if node.fill is not None:
        yield from _fill(spec, placed, node.fill, paths)


def _said_by_name(placed: Placed[StreamNode], event: Placed[Schema], paths: Paths) -> Iterator[Problem]:
    """What an event does not say of itself: its symbol, and what it takes from the name of its stream."""
    assert isinstance(event.value, ObjectSchema)
    from_name, parameters = event.value.from_name, placed.value.parameters
    told = {path.rpartition(".")[2] for path in paths}
    symbols = [name for name, parameter in parameters.items() if parameter.type == "symbol"]
    # That a stream has more than one symbol is told by itself.
    for name in symbols if len(symbols) == 1 else ():
        if name not in told and name not in from_name:
            text = f"{event.name} does not say its `{name}`; add `from_name: {{{name}: ...}}` there"
            yield placed.problem(text, "event")
    for name in from_name:
        at = ("from_name", name)
        parameter = parameters.get(name)
        reason = field_refusal(name) or ("is what every event has already" if name in _TAKEN_FIELDS else None)
        if parameter is None:
            text = f"{placed.name} has no parameter `{name}` that its name could tell{did_you_mean(name, parameters)}"
            yield event.problem(text, *at)
        elif parameter.texts is not None:
            yield event.problem(f"`{name}` stands in the name as another text than its value; drop it", *at)
        elif name in paths:
            yield event.problem(f"a field is called `{name}` already; drop one of the two", *at)
        elif reason is not None:
            yield event.problem(f"`{name}` {reason}; rename the parameter", *at)


def _parameters(spec: Spec, placed: Placed[StreamNode]) -> Iterator[Problem]:
    symbols = [name for name, parameter in placed.value.parameters.items() if parameter.type == "symbol"]
    if len(symbols) > 1:
        yield placed.problem(f"{english_list(symbols)} are symbols; a stream has one", "parameters")
    for name, parameter in placed.value.parameters.items():
        at = ("parameters", name)
        reason = shadowing(name) or ("is an argument of every stream" if name in _TAKEN_ARGUMENTS else None)
        if reason is not None:
            yield placed.problem(f"`{name}` {reason}; choose another name", *at)
        if parameter.enum is not None:
            yield from enum_exists(spec, placed, parameter.enum, *at, "enum")
            values = texts(spec, placed.scope, parameter)
            if values and parameter.default is not None and parameter.default not in values:
                yield placed.problem(
                    f"the default `{parameter.default}` is no value of {parameter.enum}", *at, "default"
                )


def _pattern(placed: Placed[StreamNode]) -> Iterator[Problem]:
    used = _PLACE.findall(placed.value.pattern)
    known = placed.value.parameters
    for name in used:
        if name not in known:
            hint = did_you_mean(name, known) or "; define it under `parameters:`"
            yield placed.problem(f"`{{{name}}}` is no parameter of this stream{hint}", "pattern")
    for name in known:
        if name not in used:
            yield placed.problem(
                f"the pattern has no `{{{name}}}`; add it there or drop the parameter", "parameters", name
            )
    rest = _PLACE.sub("", placed.value.pattern)
    if "{" in rest or "}" in rest:
        yield placed.problem("a brace of the pattern has no partner", "pattern")


def _choice(placed: Placed[StreamNode], name: str, *path: str | int) -> Iterator[Problem]:
    parameter = placed.value.parameters.get(name)
    if parameter is None or parameter.type != "choice":
        choices = [other for other, candidate in placed.value.parameters.items() if candidate.type == "choice"]
        hint = did_you_mean(name, choices)
        yield placed.problem(f"`{name}` is no choice of this stream{hint}", *path)


def _quiet(spec: Spec, placed: Placed[StreamNode]) -> Iterator[Problem]:
    periods = placed.value.quiet.periods
    if periods is None:
        return
    mistakes = list(_choice(placed, periods.by, "quiet", "periods", "by"))
    yield from mistakes
    if not mistakes:
        values = texts(spec, placed.scope, placed.value.parameters[periods.by])
        for value in values.keys() ^ periods.values_ms.keys():
            what = "has no period" if value in values else f"is no value of `{periods.by}`"
            yield placed.problem(f"`{value}` {what}", "quiet", "periods", "values_ms")


def _known(placed: Placed[StreamNode], path: str, paths: Paths, *at: str | int) -> Iterator[Problem]:
    if path not in paths:
        event = parse_type(placed.value.event).leaf.name
        yield placed.problem(f"{event} has no attribute `{path}`{did_you_mean(path, paths)}", *at)


def _sequence(placed: Placed[StreamNode], paths: Paths) -> Iterator[Problem]:
    sequence = placed.value.sequence
    if sequence is None:
        return
    for key in ("first", "last", "previous", "closed", "moment"):
        path = getattr(sequence, key)
        if path is not None:
            yield from _known(placed, path, paths, "sequence", key)
    if sequence.interval is not None:
        yield from _choice(placed, sequence.interval, "sequence", "interval")


def _key(placed: Placed[StreamNode], paths: Paths) -> Iterator[Problem]:
    key = placed.value.key
    if key is None:
        return
    if any(parameter.type == "symbol" for parameter in placed.value.parameters.values()):
        yield placed.problem("all events of it are about one symbol, so nothing tells them apart; drop it", "key")
    yield from _known(placed, key, paths, "key")


def _own_rows(spec: Spec) -> Iterator[Problem]:
    for market, rule in spec.own_rows.items():
        types: set[str] = set()
        names: set[str] = set()
        for stream in spec.streams_of(market):
            event = spec.events.get((market, parse_type(stream.value.event).leaf.name))
            fields = spec.fields(market, event.value) if event is not None else {}
            named = {field.name or snake(wire): field.type for wire, field in fields.items()}
            names |= named.keys()
            types |= {named[rule.value.field]} if rule.value.field in named else set()
        if not types:
            hint = did_you_mean(rule.value.field, names)
            yield rule.problem(f"no event of {market} has an attribute `{rule.value.field}`{hint}", "field")
        for value in rule.value.values:
            for type_ in sorted(type_ for type_ in types if isinstance(value, int) != (type_ == "int")):
                text = f"`{value}` is no {type_}, which is the type of `{rule.value.field}`"
                yield rule.problem(f"{text}; write a value that events have", "values")


# ----------------------------------------------------------------------------------------- fill


def _fill(spec: Spec, placed: Placed[StreamNode], fill: Fill, paths: Paths) -> Iterator[Problem]:
    if placed.value.sequence is None:
        yield placed.problem("only a stream with a `sequence` knows what is missing; add one or drop this", "fill")
    operation = spec.operations.get((placed.scope, fill.operation))
    if operation is None:
        known = [name for scope, name in spec.operations if scope == placed.scope]
        hint = did_you_mean(fill.operation, known)
        yield placed.problem(f"{placed.scope} has no endpoint `{fill.operation}`{hint}", "fill", "operation")
        return
    row = parse_type(operation.value.returns[0].type)
    if row.leaf.kind == "name" and spec.schema(placed.scope, row.leaf.name) is None:
        return  # The endpoint itself is wrong, and its own check says so.
    columns = _columns(spec, placed.scope, row.leaf.name) if row.kind == "list" else {}
    if not columns:
        yield placed.problem(f"{fill.operation} answers with no list of rows", "fill", "operation")
        return
    wires = operation.value.parameters
    sent: list[tuple[str, tuple[str, ...]]] = [(wire, ("fill", "arguments", wire)) for wire in fill.arguments]
    sent += [(wire, ("fill", "always", wire)) for wire in fill.always]
    sent += [(fill.cursor, ("fill", "cursor")), (fill.size, ("fill", "size"))]
    if fill.end is not None:
        sent.append((fill.end, ("fill", "end")))
        if placed.value.sequence is not None and placed.value.sequence.kind != "time":
            yield placed.problem("ends a page of bars; this stream's sequence has no times", "fill", "end")
    for wire, at in sent:
        if wire not in wires:
            hint = did_you_mean(wire, wires)
            yield placed.problem(f"`{wire}` is no parameter of {fill.operation}{hint}", *at)
    for wire, parameter in wires.items():
        if parameter.required and wire not in fill.arguments and wire not in fill.always:
            yield placed.problem(f"{fill.operation} needs `{wire}`; say where it comes from", "fill", "arguments")
    for section, named in (("arguments", fill.arguments), ("given", fill.given)):
        for key, name in named.items():
            if name not in placed.value.parameters:
                hint = did_you_mean(name, placed.value.parameters)
                yield placed.problem(f"`{name}` is no parameter of this stream{hint}", "fill", section, key)
    for name, where in (
        (fill.id, ("fill", "id")),
        *((last_step(path), ("fill", "fields", index)) for index, path in enumerate(fill.fields)),
    ):
        if name not in columns:
            yield placed.problem(f"{row.leaf.name} has no `{name}`{did_you_mean(name, columns)}", *where)
    yield from _covered(placed, fill, paths, columns)


def _columns(spec: Spec, scope: str, name: str) -> dict[str, bool]:
    """Attributes of a REST row with whether each may be absent."""
    placed = spec.schema(scope, name)
    if placed is not None and isinstance(placed.value, RowSchema):
        return {position.name: False for position in placed.value.row if position.name}
    fields = spec.fields(scope, placed.value) if placed is not None else {}
    return {field.name or snake(wire): field.optional for wire, field in fields.items()}


def _covered(placed: Placed[StreamNode], fill: Fill, paths: Paths, columns: dict[str, bool]) -> Iterator[Problem]:
    """A filled event must have everything that a live one has, except what is marked."""
    places: list[tuple[str, tuple[str | int, ...]]] = [
        *((path, ("fill", "fields", index)) for index, path in enumerate(fill.fields)),
        *((path, ("fill", "given", path)) for path in fill.given),
        *((path, ("fill", "constants", path)) for path in fill.constants),
    ]
    filled: set[str] = set()
    for path, at in places:
        yield from _known(placed, path, paths, *at)
        if path in filled:
            yield placed.problem(f"`{path}` is filled twice; drop one of the two", *at)
        filled.add(path)
        if path in paths and paths[path][1]:
            yield placed.problem(f"`{path}` is marked `live_only`; drop one of the two", *at)
    for index, path in enumerate(fill.fields):
        column = last_step(path)
        if columns.get(column) and path in paths and not paths[path][0]:
            text = f"`{column}` may be absent in a row of REST, and `{path}` is never"
            yield placed.problem(f"{text}; make that optional", "fill", "fields", index)
    parents = {path.rsplit(".", 1)[0] for path in paths if "." in path}
    for path, (optional, live_only) in paths.items():
        if not (optional or live_only or path in filled or path in parents):
            text = f"nothing fills `{path}`; add it to `fields`, `given` or `constants`, or mark it `live_only`"
            yield placed.problem(text, "fill")


# ------------------------------------------------------------------------------------- fixtures


def _fixtures(spec: Spec) -> Iterator[Problem]:
    wanted = {f"{placed.scope}/{STREAMS}/{placed.name}.json": placed for placed in spec.streams.values()}
    for name, placed in wanted.items():
        if name not in spec.stream_fixtures:
            yield placed.problem(f"fixtures/{name} is missing; write an example message there")
    for name in sorted(set(spec.stream_fixtures).difference(wanted)):
        yield Problem(f"fixtures/{name}", 1, "no stream has this name; rename or delete it")
