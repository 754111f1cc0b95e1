"""The strict model of ``spec/markets.yaml`` and ``spec/environments.yaml``: who listens where, and to how much."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from codegen.names import english_list
from codegen.spec_model.base import (
    Duration,
    EnvironmentName,
    HeaderPattern,
    Node,
    Path,
    PythonName,
    RestUrl,
    Source,
    StreamUrl,
    Text,
    wrong,
)
from codegen.spec_model.books import Book


class Environment(Node):
    """One exchange: the real one or one for tests."""

    description: Text
    pool: PythonName
    """Environments with the same pool are taken to share one weight counter."""
    uncertain: Text | None = None


class EnvironmentsFile(Node):
    """``spec/environments.yaml``."""

    description: Text
    source: Source
    environments: dict[EnvironmentName, Environment] = Field(min_length=1)
    """The first is the one that a client takes where none is named."""


class Limit(Node):
    """So much in each interval."""

    limit: int = Field(gt=0)
    interval: Duration
    description: Text
    every_request: bool = False
    """A group that every request of the pool belongs to."""
    uncertain: Text | None = None
    source: Source | None = None
    """Where this was read, where that is not what the file says."""


class Pool(Node):
    """What one address may ask of the hosts that count together."""

    weight: Limit
    used_weight_header: HeaderPattern
    """Header in which an answer tells what is used of a window, ``{interval}`` standing for its length."""
    groups: dict[PythonName, Limit] = Field(default_factory=dict)


class HostUrls(Node):
    """Where a market of one environment listens."""

    rest: list[RestUrl] = Field(min_length=1)
    """The first is used; the others serve the same data."""
    stream: list[StreamUrl] = Field(min_length=1)
    uncertain: Text | None = None


class StreamLimits(Node):
    """What one address may ask of the stream hosts of a market."""

    messages_a_second: int = Field(gt=0)
    """Messages that a client may send on one connection: requests, pings and pongs."""
    streams_a_connection: int = Field(gt=0)
    connections: Limit
    """Connections that may be opened."""
    routes: dict[PythonName, Text] = Field(default_factory=dict)
    """First part of the path to what is sent there; a market without has one kind of connection."""


class Names(Node):
    """What symbols or pairs look like."""

    example: Text
    pattern: Text
    """Regular expression that each of them matches in capitals; those of other markets where that is certain do not."""
    uncertain: Text | None = None

    @model_validator(mode="after")
    def _reads_its_example(self) -> Self:
        try:
            found = re.fullmatch(self.pattern, self.example)
        except (re.error, OverflowError, RecursionError) as error:
            raise wrong(f"`pattern` is not a regular expression: {error}", "pattern") from None
        if found is None:
            raise wrong(f"the example `{self.example}` does not match the pattern", "example")
        return self


class Symbols(Names):
    """What the symbols of a market look like, and where their rules are told."""

    pairs: Names | None = None
    """What several contracts of a symbol have in common, where that is not a symbol itself."""
    listed_by: PythonName
    """The cheapest operation whose rows name every symbol that is traded."""
    traded: Text
    """What ``status`` says of a symbol that trades now."""
    prices_from: Literal["zero", "least"]
    """Where the ticks of prices are counted from: 0, or the least price."""
    contract_size: PythonName | None = None
    """The field of exchange information that says what a contract is worth, where quantities are contracts."""


class MarketEntry(Node):
    """One market: a name, where it listens, and the pool that its requests draw from."""

    title: Text
    """Its name in prose."""
    description: Text
    paths: Annotated[list[Path], Field(min_length=1)] | None = None
    """How the paths of its endpoints begin; a market without takes any."""
    pool: PythonName
    probe: PythonName | None = None
    """Its cheapest endpoint, which asks a host that was down whether it is back."""
    streams: StreamLimits
    book: Book | None = None
    """A market without has no live order books."""
    symbols: Symbols | None = None
    """A market without has no `symbols()`, and takes any symbol."""
    hosts: dict[EnvironmentName, HostUrls] = Field(min_length=1)
    """An environment that is left out does not have this market."""


class MarketsFile(Node):
    """``spec/markets.yaml``."""

    description: Text
    source: Source
    pools: dict[PythonName, Pool]
    markets: dict[PythonName, MarketEntry] = Field(min_length=1)
    """Their order is that of everything that is generated for each market."""

    @model_validator(mode="after")
    def _pools(self) -> Self:
        for name, market in self.markets.items():
            if market.pool not in self.pools:
                there = english_list(sorted(self.pools)) if self.pools else "none"
                text = f"there is no pool `{market.pool}`; there are {there}"
                raise wrong(text, "markets", name, "pool")
        used = {market.pool for market in self.markets.values()}
        for pool in self.pools:
            if pool not in used:
                text = f"no market draws from the pool `{pool}`; name it as the `pool` of one, or drop it"
                raise wrong(text, "pools", pool)
        return self


__all__ = [
    "Environment",
    "EnvironmentsFile",
    "HostUrls",
    "Limit",
    "MarketEntry",
    "MarketsFile",
    "Names",
    "Pool",
    "StreamLimits",
    "Symbols",
]
