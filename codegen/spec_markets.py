"""The strict model of ``spec/markets.yaml`` and ``spec/environments.yaml``: who listens where, and to how much."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from codegen.names import english_list
from codegen.spec_base import (
    Duration,
    HeaderPattern,
    Host,
    Node,
    Path,
    PythonName,
    RestUrl,
    Source,
    StreamUrl,
    Text,
    wrong,
)
from codegen.spec_books import Book


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
    environments: dict[Host, Environment]


class Limit(Node):
    """So much in each interval."""

    limit: int = Field(gt=0)
    interval: Duration
    description: Text
    every_request: bool = False
    """A group that every request of the pool belongs to."""
    uncertain: Text | None = None


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
    hosts: dict[Host, HostUrls] = Field(min_length=1)
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
    "Pool",
    "StreamLimits",
]
