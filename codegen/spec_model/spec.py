"""Everything the folder ``spec/`` says, as one value that checks and views read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from codegen.documents import Document, Problem
from codegen.names import snake
from codegen.spec_model.archive import ArchiveFile
from codegen.spec_model.base import Node, Source
from codegen.spec_model.dictionary import NamesFile
from codegen.spec_model.errors import ErrorsFile
from codegen.spec_model.markets import EnvironmentsFile, HostUrls, MarketEntry, MarketsFile, Names, Pool
from codegen.spec_model.operations import Operation
from codegen.spec_model.schemas import Enum, ObjectSchema, Schema, SchemaField
from codegen.spec_model.streams import OwnRows, StreamNode
from codegen.spec_model.types import parse_type

NodeT = TypeVar("NodeT")

SHARED = "shared"
"""Scope of what several markets answer with."""
STREAMS = "streams"


@dataclass(frozen=True)
class Placed(Generic[NodeT]):
    """A node of the spec together with where it was written."""

    name: str
    scope: str
    value: NodeT
    document: Document
    path: tuple[str | int, ...]

    def problem(self, message: str, *path: str | int) -> Problem:
        return Problem(self.document.file, self.document.line(*self.path, *path), f"{self.name}: {message}")


@dataclass
class Spec:
    """All files together. ``scope`` of a node is ``shared`` or the name of a market."""

    folder: Path
    environments: EnvironmentsFile
    markets: MarketsFile
    errors: ErrorsFile
    names: NamesFile
    names_document: Document
    archive: ArchiveFile
    enums: dict[tuple[str, str], Placed[Enum]] = field(default_factory=dict)
    schemas: dict[tuple[str, str], Placed[Schema]] = field(default_factory=dict)
    operations: dict[tuple[str, str], Placed[Operation]] = field(default_factory=dict)
    hosts: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    fixtures: dict[str, bytes] = field(default_factory=dict)
    """File name below ``fixtures/`` to its bytes; those of streams are kept apart."""
    events: dict[tuple[str, str], Placed[Schema]] = field(default_factory=dict)
    """Schemas of stream events: as those of answers, but in a module of their own."""
    streams: dict[tuple[str, str], Placed[StreamNode]] = field(default_factory=dict)
    own_rows: dict[str, Placed[OwnRows]] = field(default_factory=dict)
    """By market: the rule that tells its own events of streams from those of other markets."""
    stream_fixtures: dict[str, bytes] = field(default_factory=dict)
    documents: list[tuple[Document, Node]] = field(default_factory=list)
    """Every file as it was read, with its lines."""

    def source_of(self, placed: Placed[Any]) -> Source:
        """Where a node was read: what it says itself, or what its file does."""
        own: Source | None = getattr(placed.value, "source", None)
        return own or self._source_of_file[placed.document.file]

    @cached_property
    def _source_of_file(self) -> dict[str, Source]:
        sources = ((document.file, getattr(node, "source", None)) for document, node in self.documents)
        return {file: source for file, source in sources if source is not None}

    @property
    def market_names(self) -> tuple[str, ...]:
        """Every market, in the order of ``markets.yaml``."""
        return tuple(self.markets.markets)

    @property
    def scopes(self) -> tuple[str, ...]:
        """Everything that has a package of its own below ``_generated``."""
        return (SHARED, *self.market_names)

    def entry(self, market: str) -> MarketEntry:
        """What ``markets.yaml`` says about a market."""
        return self.markets.markets[market]

    def pool_of(self, market: str) -> Pool:
        """What the requests of a market count into."""
        return self.markets.pools[self.entry(market).pool]

    def urls(self, environment: str, market: str) -> HostUrls | None:
        """Where a market listens, or None where the environment does not have it."""
        return next((urls for host, urls in self.entry(market).hosts.items() if host == environment), None)

    def serving(self, market: str) -> list[str]:
        """Environments that have a market."""
        return [name for name in self.environments.environments if self.urls(name, market) is not None]

    def enum(self, scope: str, name: str) -> Placed[Enum] | None:
        return self.enums.get((scope, name)) or self.enums.get(("shared", name))

    def schema(self, scope: str, name: str) -> Placed[Schema] | None:
        own = self.schemas.get((scope, name)) or self.events.get((scope, name))
        return own or self.schemas.get(("shared", name))

    def fields(self, scope: str, schema: Schema) -> dict[str, SchemaField]:
        """All fields of an object, those it takes over included; of anything else none."""
        if not isinstance(schema, ObjectSchema):
            return {}
        base = self.schema(scope, schema.extends) if schema.extends else None
        inherited = base.value.fields if base is not None and isinstance(base.value, ObjectSchema) else {}
        return {**inherited, **schema.fields}

    def of_market(self, market: str) -> Iterator[Placed[Operation]]:
        return (placed for (scope, _), placed in self.operations.items() if scope == market)

    def streams_of(self, market: str) -> list[Placed[StreamNode]]:
        found = (placed for (scope, _), placed in self.streams.items() if scope == market)
        return sorted(found, key=lambda placed: placed.name)

    def symbol_names(self, market: str, *, pair: bool) -> Names | None:
        """What the symbols of a market, or its pairs, look like; None where any text will do."""
        symbols = self.entry(market).symbols
        return symbols and (symbols.pairs if pair else symbols)

    def example_symbol(self, market: str, *, pair: bool = False) -> str:
        """A symbol of the market, or a pair, for examples."""
        names = self.symbol_names(market, pair=pair) or self.symbol_names(market, pair=False)
        return "BTCUSDT" if names is None else names.example

    def wire_keys(self, market: str, event: str) -> dict[str, str]:
        """Fields of an event, from the name that they have in Python to their key on the wire."""
        placed = self.schema(market, parse_type(event).leaf.name)
        fields = {} if placed is None else self.fields(market, placed.value)
        return {field.name or snake(wire): wire for wire, field in fields.items()}
