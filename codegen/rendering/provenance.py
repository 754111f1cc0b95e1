"""Where each fact was read, as ``sources.py`` prints it: a module of its own, which no call has to load."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.names import snake
from codegen.spec_model.base import Source
from codegen.spec_model.markets import Pool
from codegen.spec_model.operations import Operation
from codegen.spec_model.schemas import ObjectSchema
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.streams import StreamNode
from codegen.spec_model.types import parse_type

Line = tuple[str, str]
"""A key and the expression of its ``Provenance``."""


def source_tables(spec: Spec) -> dict[str, list[Line]]:
    """Lines of each table of ``sources.py``, by its name."""
    operations = sorted(spec.operations.values(), key=lambda placed: (placed.scope, placed.name))
    streams = sorted(spec.streams.values(), key=lambda placed: (placed.scope, placed.name))
    return {
        "OPERATIONS": [(f"{placed.scope}.{placed.name}", _operation(spec, placed)) for placed in operations],
        "STREAMS": [(f"{placed.scope}.{placed.name}", _stream(spec, placed)) for placed in streams],
        "POOLS": [(name, _pool(spec, name, pool)) for name, pool in spec.markets.pools.items()],
    }


def _operation(spec: Spec, placed: Placed[Operation]) -> str:
    operation = placed.value
    unsure = list(operation.uncertain)
    unsure += [
        f"`{parameter.name or snake(wire)}`: {parameter.uncertain}"
        for wire, parameter in operation.parameters.items()
        if parameter.uncertain
    ]
    for variant in operation.returns:
        unsure += _fields(spec, placed.scope, variant.type)
    return _expression(spec.sources[placed.scope, placed.name], operation.observed, unsure)


def _stream(spec: Spec, placed: Placed[StreamNode]) -> str:
    node = placed.value
    unsure = [*node.uncertain, *_fields(spec, placed.scope, node.event)]
    return _expression(spec.stream_sources[placed.scope, placed.name], node.observed, unsure)


def _pool(spec: Spec, name: str, pool: Pool) -> str:
    limits = {"weight": pool.weight, **pool.groups}
    unsure = [f"`{limit}`: {entry.uncertain}" for limit, entry in limits.items() if entry.uncertain]
    return _expression(spec.markets.source, None, unsure)


def _fields(spec: Spec, scope: str, type_: str) -> Iterator[str]:
    """Fields of an answer, or of an event, that are not settled."""
    name = parse_type(type_).leaf.name
    placed = spec.schema(scope, name)
    if placed is not None and isinstance(placed.value, ObjectSchema):
        for wire, field in spec.fields(scope, placed.value).items():
            if field.uncertain:
                yield f"`{name}.{field.name or snake(wire)}`: {field.uncertain}"


def _expression(source: Source, observed: str | None, uncertain: list[str]) -> str:
    day = source.date
    parts = [repr(source.document), f"date({day.year}, {day.month}, {day.day})"]
    parts += [f"observed={observed!r}"] if observed else []
    parts += [f"uncertain={tuple(dict.fromkeys(uncertain))!r}"] if uncertain else []
    return f"Provenance({', '.join(parts)})"
