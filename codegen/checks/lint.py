"""House rules: what a spec must say beyond what the generator needs, and which of its facts have grown old."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from codegen.documents import Document, Problem
from codegen.spec_model.base import Node, Source, nodes_below
from codegen.spec_model.schemas import ObjectSchema, UnionSchema
from codegen.spec_model.spec import Spec
from codegen.spec_model.types import parse_type

OLD_AFTER = timedelta(days=180)
"""A fact that nobody compared with its document for so long is told as old."""
_SEEN_ON = re.compile(r"\d{4}-\d{2}(-\d{2})?: ")

Key = tuple[str, str]


def broken_rules(spec: Spec, today: date) -> list[Problem]:
    """Every place that the generator could use and that the house does not want."""
    return sorted({*_future(spec, today), *_undated(spec), *_idle(spec)})


def old_facts(spec: Spec, today: date) -> list[Problem]:
    """Every source that was last read long ago."""
    return sorted(
        Problem(
            document.file,
            document.line(*path, "date"),
            f"read on {source.date}, {(today - source.date).days} days ago: "
            f"compare with {_quoted(source.document)} again and write the new date",
        )
        for document, source, path in _sources(spec)
        if today - source.date > OLD_AFTER
    )


def _future(spec: Spec, today: date) -> Iterator[Problem]:
    for document, source, path in _sources(spec):
        # Where the author's day has begun, UTC may still have yesterday's.
        if source.date > today + timedelta(days=1):
            text = f"nobody can have read {_quoted(source.document)} on {source.date}, which is to come"
            yield Problem(document.file, document.line(*path, "date"), text)


def _undated(spec: Spec) -> Iterator[Problem]:
    for document, node, path in _nodes(spec):
        observed = getattr(node, "observed", None)
        if isinstance(observed, str) and not _SEEN_ON.match(observed):
            text = "`observed` begins with the day, or the month, on which it was seen, such as `2026-10-07: ...`"
            yield Problem(document.file, document.line(*path, "observed"), text)


def _sources(spec: Spec) -> Iterator[tuple[Document, Source, tuple[str | int, ...]]]:
    return ((document, node, path) for document, node, path in _nodes(spec) if isinstance(node, Source))


def _nodes(spec: Spec) -> Iterator[tuple[Document, Node, tuple[str | int, ...]]]:
    return ((document, node, path) for document, file in spec.documents for node, path in nodes_below(file, ()))


def _quoted(document: str) -> str:
    return f"`{document}`"


# ---------------------------------------------------------------------------------- what nobody gets


def _idle(spec: Spec) -> Iterator[Problem]:
    """Schemas that no answer holds, and enums that besides no parameter takes; of events the generator knows itself."""
    used = _used(spec)
    for key, schema in spec.schemas.items():
        if key not in used:
            yield schema.problem("is part of no answer; drop it")
    for key, enum in spec.enums.items():
        if key not in used:
            yield enum.problem("holds values of no parameter and no field; drop it")


def _used(spec: Spec) -> set[Key]:
    """Scope and name of every schema and enum that can be reached from an operation or a stream."""
    todo: list[Key] = []
    for (market, _), operation in spec.operations.items():
        todo += [(market, parse_type(variant.type).leaf.name) for variant in operation.value.returns]
        todo += [(market, parameter.enum) for parameter in operation.value.parameters.values() if parameter.enum]
    for (market, _), stream in spec.streams.items():
        todo.append((market, parse_type(stream.value.event).leaf.name))
        todo += [(market, parameter.enum) for parameter in stream.value.parameters.values() if parameter.enum]
    used: set[Key] = set()
    while todo:
        scope, name = todo.pop()
        placed = spec.schema(scope, name) or spec.enum(scope, name)
        if placed is None or (placed.scope, name) in used:
            continue
        used.add((placed.scope, name))
        schema = placed.value
        if isinstance(schema, ObjectSchema):
            todo += [(scope, schema.extends)] if schema.extends else []
            todo += [(scope, parse_type(field.type).leaf.name) for field in schema.fields.values()]
        elif isinstance(schema, UnionSchema):
            todo += [(scope, member) for member in schema.members.values()]
    return used
