"""Streams of the spec as values and methods: what ``stream_operations.py`` and ``streams.py`` print."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from codegen.names import english_list
from codegen.rendering import words
from codegen.rendering.symbols import form_of
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.stream_names import attributes, last_step, texts
from codegen.spec_model.streams import OwnRows, Quiet, StreamNode, StreamParameter, quiet_seconds
from codegen.spec_model.types import TypeRef, parse_type


@dataclass(frozen=True)
class StreamView:
    """One stream, every decision already taken."""

    id: str
    name: str
    constant: str
    pattern: str
    type: str
    item: str
    parameters: tuple[str, ...]
    rest: tuple[tuple[str, str], ...]
    """Fields that differ from their defaults, as (name, expression)."""
    signature: str
    arguments: str
    docstring: str
    annotation: str
    deprecated: str | None
    names: tuple[str, ...]
    """Generated names that the signature mentions."""


def stream_views(spec: Spec, market: str) -> tuple[StreamView, ...]:
    return tuple(_view(spec, placed) for placed in spec.streams_of(market))


def stream_names(spec: Spec, market: str) -> tuple[str, ...]:
    """Classes that ``events.py`` of a market defines."""
    return tuple(sorted(name for scope, name in spec.events if scope == market))


def live_only(spec: Spec, scope: str, event: str) -> tuple[str, ...]:
    """Attribute paths of an event that one fetched over REST lacks."""
    return tuple(path for path, schema_field in attributes(spec, scope, event) if schema_field[1])


def row_key(node: StreamNode, paths: Container[str]) -> str | None:
    """Attribute that tells the events of a stream of all symbols apart; None where all are about one."""
    if any(parameter.type == "symbol" for parameter in node.parameters.values()):
        return None
    return node.key or ("symbol" if "symbol" in paths else None)


def own_rows(spec: Spec, market: str, paths: Container[str]) -> OwnRows | None:
    """The rule by which an event with these attributes belongs to the market; None where none is needed."""
    placed = spec.own_rows.get(market)
    return placed.value if placed is not None and placed.value.field in paths else None


# --------------------------------------------------------------------------------------- values


def _view(spec: Spec, placed: Placed[StreamNode]) -> StreamView:
    node, market = placed.value, placed.scope
    type_ = parse_type(node.event)
    item = f"events.{type_.leaf.name}"
    rest: list[tuple[str, str]] = []
    if node.route:
        rest.append(("route", repr(node.route)))
    if node.event_type:
        rest.append(("event_type", repr(node.event_type)))
    rest.append(("quiet", _quiet(node.quiet)))
    if node.sequence is not None:
        rest.append(("sequence", _call("Sequence", node.sequence.model_dump(exclude_defaults=True))))
    if node.fill is not None:
        fill = node.fill.model_dump(exclude_defaults=True)
        fill |= {"operation": f"{market}.{node.fill.operation}"}
        fill |= {"fields": {path: last_step(path) for path in node.fill.fields}}
        rest.append(("fill", _call("Fill", fill)))
        rest.append(("live_only", repr(live_only(spec, market, type_.leaf.name))))
    paths = dict(attributes(spec, market, type_.leaf.name))
    key = row_key(node, paths)
    if key is not None:
        rest.append(("key", repr(key)))
    own = own_rows(spec, market, paths)
    if own is not None:
        rest.append(("own_rows", f"OwnRows({own.field!r}, {tuple(own.values)!r})"))
    return StreamView(
        id=f"{market}.{placed.name}",
        name=placed.name,
        constant=placed.name.upper(),
        pattern=node.pattern,
        type=_annotation(type_, "events."),
        item=item,
        parameters=tuple(_parameter(spec, market, name, parameter) for name, parameter in node.parameters.items()),
        rest=tuple(rest),
        signature=_signature(node),
        arguments=", ".join(f"{name!r}: {_argument(name, parameter)}" for name, parameter in node.parameters.items()),
        docstring=_docstring(spec, placed),
        annotation=_annotation(type_),
        deprecated=None if node.deprecated is None else words.deprecation(placed.name, node.deprecated),
        names=(type_.leaf.name, *(parameter.enum for parameter in node.parameters.values() if parameter.enum)),
    )


def _annotation(type_: TypeRef, prefix: str = "") -> str:
    return f"list[{prefix}{type_.leaf.name}]" if type_.kind == "list" else f"{prefix}{type_.name}"


def _call(name: str, fields: Mapping[str, object]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in fields.items())})"


def _quiet(quiet: Quiet) -> str:
    fields: dict[str, object] = {"kind": quiet.kind}
    if quiet.period_ms is not None:
        fields["seconds"] = quiet_seconds(quiet.period_ms)
    elif quiet.periods is not None:
        by_value = {value: quiet_seconds(period) for value, period in quiet.periods.values_ms.items()}
        # Also without the choice at hand something true can be said: the longest of them.
        fields |= {"seconds": max(by_value.values()), "by_parameter": quiet.periods.by, "by_value": by_value}
    elif quiet.seconds is not None:
        fields["seconds"] = float(quiet.seconds)
    return _call("Quiet", fields)


def _parameter(spec: Spec, market: str, name: str, one: StreamParameter) -> str:
    fields: dict[str, object] = {"name": name, "kind": one.type}
    if one.type == "choice":
        fields["texts"] = texts(spec, market, one)
    if one.default is not None:
        fields["default"] = one.default
    if one.type == "symbol":
        fields["many"] = True
        form = form_of(spec, market, pair=one.pair)
        if form is not None:
            fields["symbol_form"] = form
    return _call("StreamParameter", fields)


# -------------------------------------------------------------------------------------- methods


def _argument(name: str, one: StreamParameter) -> str:
    return _plural(name) if one.type == "symbol" else name


def _plural(name: str) -> str:
    return f"{name}s"


def _signature(node: StreamNode) -> str:
    symbols = [f"*{_plural(name)}: str" for name, parameter in node.parameters.items() if parameter.type == "symbol"]
    choices = []
    for name, parameter in node.parameters.items():
        if parameter.type == "choice":
            default = "" if parameter.default is None else f" = {parameter.default!r}"
            choices.append(f"{name}: {_choice_type(parameter)}{default}")
    star = [] if symbols or not choices else ["*"]
    return ", ".join(["self", *symbols, *star, *choices, "**options: Unpack[StreamOptions]"])


def _choice_type(one: StreamParameter) -> str:
    if one.enum is not None:
        return one.enum
    return f"Literal[{', '.join(repr(value) for value in one.values or one.texts or ())}]"


def _docstring(spec: Spec, placed: Placed[StreamNode]) -> str:
    node = placed.value
    lines = [words.sentence(node.summary)]
    if node.description:
        lines += ["", words.sentence(node.description)]
    lines += ["", *(f"- {fact}" for fact in stream_facts(spec, placed))]
    stars = {"symbol": "*", "choice": ""}
    described = [
        (stars[parameter.type] + _argument(name, parameter), about_parameter(spec, placed.scope, parameter))
        for name, parameter in node.parameters.items()
    ]
    described.append(("**options", "Settings of the stream; see `StreamOptions`."))
    lines += ["", "Args:", *(f"    {name}: {text}" for name, text in described)]
    lines += [
        "",
        "Returns:",
        f"    A stream of `{_annotation(parse_type(node.event))}`.",
    ]
    lines += ["", words.origin(spec.source_of(placed))]
    return "\n".join(lines)


def stream_facts(spec: Spec, placed: Placed[StreamNode]) -> list[str]:
    """What holds of a stream, a sentence or two each."""
    node = placed.value
    where = f", on `/{node.route}`" if node.route else ""
    facts = [words.deprecation(placed.name, node.deprecated)] if node.deprecated else []
    facts += [f"`{node.pattern}`{where}; sent {node.speed}.", _silence(node.quiet), _gaps(node)]
    own = own_rows(spec, placed.scope, dict(attributes(spec, placed.scope, parse_type(node.event).leaf.name)))
    if own is not None:
        values = english_list([f"`{value}`" for value in own.values], "or")
        left_out = f"Events whose `{own.field}` is not {values} are left out, and counted as `other_market`"
        facts.append(f"{left_out}; `all_markets=True` gives them out.")
    if node.since is not None:
        facts.append(f"Exists since {node.since.isoformat()}.")
    facts += [words.sentence(note) for note in node.notes]
    facts += [f"Observed: {words.sentence(node.observed)}"] if node.observed else []
    return facts + [f"Uncertain: {words.sentence(note)}" for note in node.uncertain]


def about_parameter(spec: Spec, market: str, one: StreamParameter) -> str:
    """What an argument of a stream means, and what it may be."""
    text = words.sentence(one.description)
    if one.type == "symbol":
        text += " Upper or lower case."
    else:
        text += f" One of {english_list([str(value) for value in texts(spec, market, one)], 'or')}"
        text += f", by default {one.default}." if one.default is not None else "."
    return " ".join([text, *words.trust(one.uncertain, one.source)])


def _silence(quiet: Quiet) -> str:
    if quiet.kind == "never":
        return "Silence says nothing here, so it is never taken for a fault."
    if quiet.kind == "activity":
        return f"Sent when the market moves; after {quiet.seconds} s of silence the stream is asked for again."
    if quiet.period_ms is not None:
        return f"Taken for dead after {quiet_seconds(quiet.period_ms):g} s of silence."
    assert quiet.periods is not None
    times = [f"{quiet_seconds(ms):g} s with {value}" for value, ms in quiet.periods.values_ms.items()]
    return f"Taken for dead after a silence of {english_list(times, 'or')}."


def _gaps(node: StreamNode) -> str:
    sequence = node.sequence
    if sequence is None:
        return "Carries no ids: after a broken connection a `Reconnected` notice names the time that may be missing."
    if sequence.kind == "time":
        known = f"Bars follow each other by `{sequence.first}`"
    elif sequence.kind == "previous":
        known = f"Each event names in `{sequence.previous}` the `{sequence.last}` of the one before"
    elif sequence.kind == "range":
        known = f"`{sequence.first}` is one more than the `{sequence.last}` of the event before"
    else:
        known = f"`{sequence.first}` grows by one"
    missing = "what is missing becomes a `Gap` notice"
    if node.fill is None:
        return f"{known}; {missing}, which cannot be fetched later."
    return f"{known}; {missing}, or with `fill_gaps=True` is fetched with `{node.fill.operation}`."
