"""What the templates print: frozen values, every decision already taken."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.names import snake
from codegen.rendering import words
from codegen.rendering.bundle import members_of, module_of
from codegen.rendering.docstrings import laid_out
from codegen.rendering.methods import MethodView, iterator_view, method_view
from codegen.rendering.streams import stream_names
from codegen.spec_model.operations import Operation
from codegen.spec_model.schemas import Enum, RowSchema, Schema, UnionSchema
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.types import parse_type

_ROW_KINDS = {
    "int": "int",
    "id": "int",
    "time": "time",
    "decimal": "decimal",
    "string": "string",
    "symbol": "string",
    "any": "any",
}
_INDENT = " " * 4
_ELEMENT = {"int": "int", "time": "int", "decimal": "str", "string": "str", "any": "object"}


@dataclass(frozen=True)
class PositionView:
    index: int
    name: str | None
    kind: str
    description: str

    @property
    def element(self) -> str:
        return _ELEMENT[self.kind]


@dataclass(frozen=True)
class RowView:
    name: str
    docstring: str
    positions: tuple[PositionView, ...]
    counts_contracts: bool
    """Whether it is a price level of a market whose quantities are contracts."""

    @property
    def named(self) -> tuple[PositionView, ...]:
        return tuple(position for position in self.positions if position.name)


@dataclass(frozen=True)
class LiteralView:
    name: str
    docstring: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class UnionView:
    name: str
    docstring: str
    discriminator: str
    attribute: str
    members: tuple[tuple[str, str], ...]
    unknown: str


@dataclass(frozen=True)
class ScopeView:
    """One package below ``_generated``."""

    scope: str
    rows: tuple[RowView, ...]
    literals: tuple[LiteralView, ...]
    unions: tuple[UnionView, ...]
    models: tuple[str, ...]
    members: tuple[str, ...]
    methods: tuple[MethodView, ...] = ()
    iterators: tuple[MethodView, ...] = ()
    shared: tuple[tuple[str, str], ...] = ()
    """(module, name) of what a market takes over from ``shared``."""
    events: tuple[str, ...] = ()
    """Stream events and their parts; imported when the first is asked for."""

    @property
    def names(self) -> list[str]:
        own = [*(r.name for r in self.rows), *(x.name for x in self.literals), *(u.name for u in self.unions)]
        return sorted([*own, *self.models, *self.members, *self.events, *(name for _, name in self.shared)])


def scope_view(spec: Spec, scope: str) -> ScopeView:
    members = members_of(spec, scope)
    unions = []
    rows = []
    models = []
    for (found, name), placed in sorted(spec.schemas.items()):
        if found != scope:
            continue
        if isinstance(placed.value, RowSchema):
            rows.append(_row(spec, placed, placed.value))
        elif isinstance(placed.value, UnionSchema):
            unions.append(_union(spec, placed, placed.value))
        elif name not in members:
            models.append(name)
    literals = [
        LiteralView(name, _docstring(spec, placed), tuple(placed.value.values))
        for (found, name), placed in sorted(spec.enums.items())
        if found == scope
    ]
    operations = sorted(spec.of_market(scope), key=lambda placed: placed.name)
    return ScopeView(
        scope=scope,
        rows=tuple(rows),
        literals=tuple(literals),
        unions=tuple(unions),
        models=tuple(models),
        members=tuple(sorted({*members, *(union.unknown for union in unions)})),
        methods=tuple(method_view(spec, placed) for placed in operations),
        iterators=tuple(iterator_view(spec, placed) for placed in operations if placed.value.paging),
        shared=_taken_over(spec, scope, operations),
        events=stream_names(spec, scope),
    )


def _docstring(spec: Spec, placed: Placed[Enum] | Placed[Schema], *more: str, indent: str = "") -> str:
    uncertain = placed.value.uncertain if isinstance(placed.value, Enum) else None
    facts = " ".join(words.trust(uncertain, spec.source_of(placed)))
    return laid_out("\n\n".join([placed.value.description, *more, facts]), indent)


def _row(spec: Spec, placed: Placed[Schema], schema: RowSchema) -> RowView:
    positions = []
    for index, position in enumerate(schema.row):
        kind = "any" if position.unused else _ROW_KINDS[position.type]
        described = " ".join([position.description, *words.trust(position.uncertain, position.source)])
        positions.append(PositionView(index, position.name, kind, described))
    what = "The exchange's own array; elements are the wire values, properties their exact meaning."
    level = {"price", "qty"} <= {position.name for position in positions}
    # The rows of all markets are of the base asset.
    symbols = None if placed.scope == "shared" else spec.entry(placed.scope).symbols
    contracts = level and symbols is not None and symbols.contract_size is not None
    return RowView(placed.name, _docstring(spec, placed, what, indent=_INDENT), tuple(positions), contracts)


def _union(spec: Spec, placed: Placed[Schema], schema: UnionSchema) -> UnionView:
    attribute = snake(schema.discriminator)
    members = tuple(sorted(schema.members.items()))
    docstring = _docstring(spec, placed)
    return UnionView(placed.name, docstring, schema.discriminator, attribute, members, schema.unknown)


def _taken_over(spec: Spec, scope: str, operations: list[Placed[Operation]]) -> tuple[tuple[str, str], ...]:
    """Shared names a market can meet in its answers, so that users import them from the market."""
    if scope == "shared":
        return ()
    found: set[tuple[str, str]] = set()
    todo = [variant.type for placed in operations for variant in placed.value.returns]
    todo += [
        parameter.enum for placed in operations for parameter in placed.value.parameters.values() if parameter.enum
    ]
    for (home, _), schema in (*spec.schemas.items(), *spec.events.items()):
        if home == scope:
            todo += [field.type for field in spec.fields(scope, schema.value).values()]
    while todo:
        key = ("shared", parse_type(todo.pop()).leaf.name)
        if (key not in spec.schemas and key not in spec.enums) or (scope, key[1]) in spec.schemas:
            continue
        entry = (module_of(spec, *key).removeprefix("shared."), key[1])
        if entry in found:
            continue
        found.add(entry)
        if key in spec.schemas:
            schema = spec.schemas[key]
            todo += [field.type for field in spec.fields("shared", schema.value).values()]
            if isinstance(schema.value, UnionSchema):
                todo += schema.value.members.values()
                found.add(("members", schema.value.unknown))
    return tuple(sorted(found))
