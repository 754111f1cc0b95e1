"""Where each fact was read, as ``sources.py`` prints it: a module of its own, which no call has to load."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codegen.names import snake
from codegen.spec_model.base import Source
from codegen.spec_model.markets import Pool
from codegen.spec_model.operations import Operation
from codegen.spec_model.schemas import ObjectSchema, RowSchema, UnionSchema
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.streams import StreamNode
from codegen.spec_model.types import parse_type

Line = tuple[str, str]
"""A key and the expression of its ``Provenance``."""


@dataclass(frozen=True)
class _Part:
    """A parameter, a field, an enum or a limit, and what it has of its own."""

    name: str
    uncertain: str | None
    source: Source | None


def source_tables(spec: Spec) -> dict[str, list[Line]]:
    """Lines of each table of ``sources.py``, by its name."""
    operations = sorted(spec.operations.values(), key=lambda placed: (placed.scope, placed.name))
    streams = sorted(spec.streams.values(), key=lambda placed: (placed.scope, placed.name))
    return {
        "OPERATIONS": [(f"{placed.scope}.{placed.name}", _operation(spec, placed)) for placed in operations],
        "STREAMS": [(f"{placed.scope}.{placed.name}", _stream(spec, placed)) for placed in streams],
        "MARKETS": [(market, _market(spec, market)) for market in spec.market_names],
        "POOLS": [(name, _pool(spec, pool)) for name, pool in spec.markets.pools.items()],
    }


def _operation(spec: Spec, placed: Placed[Operation]) -> str:
    operation = placed.value
    parts = [_Part(it.name or snake(wire), it.uncertain, it.source) for wire, it in operation.parameters.items()]
    names = [parse_type(variant.type).leaf.name for variant in operation.returns]
    names += [parameter.enum for parameter in operation.parameters.values() if parameter.enum]
    parts += _reached(spec, placed.scope, names)
    return _expression(spec.source_of(placed), operation.observed, operation.uncertain, parts)


def _stream(spec: Spec, placed: Placed[StreamNode]) -> str:
    node = placed.value
    parts = [_Part(name, it.uncertain, it.source) for name, it in node.parameters.items()]
    names = [parse_type(node.event).leaf.name]
    names += [parameter.enum for parameter in node.parameters.values() if parameter.enum]
    parts += _reached(spec, placed.scope, names)
    return _expression(spec.source_of(placed), node.observed, node.uncertain, parts)


def _market(spec: Spec, market: str) -> str:
    entry = spec.entry(market)
    connections = entry.streams.connections
    parts = [_Part("connections", connections.uncertain, connections.source)]
    for name, names in (("symbols", entry.symbols), ("pairs", entry.symbols and entry.symbols.pairs)):
        parts += [_Part(name, names.uncertain, None)] if names else []
    for name in spec.serving(market):
        urls = spec.urls(name, market)
        parts.append(_Part(name, spec.environments.environments[name].uncertain, None))
        parts.append(_Part(f"hosts of {name}", urls.uncertain if urls else None, None))
    parts += [_Part("book", None, entry.book.source)] if entry.book else []
    return _expression(spec.markets.source, None, [], parts)


def _pool(spec: Spec, pool: Pool) -> str:
    limits = {"weight": pool.weight, **pool.groups}
    parts = [_Part(name, limit.uncertain, limit.source) for name, limit in limits.items()]
    return _expression(spec.markets.source, None, [], parts)


def _reached(spec: Spec, scope: str, names: list[str]) -> Iterator[_Part]:
    """All that can be met in an answer or an event: schemas with what they hold, and enums."""
    todo, seen = list(names), set[str]()
    while todo:
        name = todo.pop(0)
        if name in seen:
            continue
        seen.add(name)
        enum, placed = spec.enum(scope, name), spec.schema(scope, name)
        if enum is not None:
            yield _Part(name, enum.value.uncertain, enum.value.source)
        if placed is None:
            continue
        schema = placed.value
        yield _Part(name, None, schema.source)
        if isinstance(schema, ObjectSchema):
            for wire, field in spec.fields(scope, schema).items():
                yield _Part(f"{name}.{field.name or snake(wire)}", field.uncertain, field.source)
                todo.append(parse_type(field.type).leaf.name)
        elif isinstance(schema, RowSchema):
            for index, position in enumerate(schema.row):
                yield _Part(f"{name}.{position.name or index}", position.uncertain, position.source)
        elif isinstance(schema, UnionSchema):
            todo += schema.members.values()


def _expression(source: Source, observed: str | None, uncertain: list[str], parts: list[_Part]) -> str:
    unsure = [*uncertain, *(f"`{part.name}`: {part.uncertain}" for part in parts if part.uncertain)]
    words = [_read(source)]
    words += [f"observed={observed!r}"] if observed else []
    words += [f"uncertain={tuple(dict.fromkeys(unsure))!r}"] if unsure else []
    own = {part.name: part.source for part in parts if part.source is not None}
    lines = [f"({name!r}, Provenance({_read(its)}))" for name, its in own.items()]
    words += [f"parts=({', '.join(lines)},)"] if lines else []
    return f"Provenance({', '.join(words)})"


def _read(source: Source) -> str:
    day = source.date
    return f"{source.document!r}, date({day.year}, {day.month}, {day.day})"
