"""What the SDK knows about Binance, as data: operations, limits, hosts, error codes, examples and the archive."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from pydantic import JsonValue, TypeAdapter

from binance_sdk._generated.catalogue import CATALOGUE
from binance_sdk._generated.markets import MARKETS, Market
from binance_sdk._runtime.market import Environment, HostUrls, Limit, MarketFacts, PoolLimits, StreamFacts
from binance_sdk._runtime.operation import Catalogue, MarketCatalogue, Operation, Parameter, Variant

if TYPE_CHECKING:
    from binance_sdk._runtime.archive import Archive, ArchiveColumn, ArchiveKind, ArchiveTerms, RestTwin
    from binance_sdk._runtime.provenance import Provenance
    from binance_sdk._runtime.stream.operation import StreamOperation

    STREAMS: tuple[StreamOperation[object], ...]
    """Every stream of every market, by market and name."""
    ARCHIVE: Archive
    """Binance's archive of bulk files: where it is, under which terms, and what its files hold."""

__all__ = [
    "ARCHIVE",
    "CATALOGUE",
    "MARKETS",
    "STREAMS",
    "Archive",
    "ArchiveColumn",
    "ArchiveKind",
    "ArchiveTerms",
    "Catalogue",
    "Environment",
    "HostUrls",
    "Limit",
    "Market",
    "MarketCatalogue",
    "MarketFacts",
    "Operation",
    "Parameter",
    "PoolLimits",
    "Provenance",
    "RestTwin",
    "StreamFacts",
    "StreamOperation",
    "Variant",
    "fixture",
    "source_of",
    "stream",
    "stream_fixture",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # Whoever only calls endpoints does not pay for the events of streams.
        if name == "STREAMS":
            return tuple(_streams().values())
        if name == "ARCHIVE":
            from binance_sdk._generated.archive import ARCHIVE

            return ARCHIVE
        if name in ("Archive", "ArchiveColumn", "ArchiveKind", "ArchiveTerms", "RestTwin"):
            from binance_sdk._runtime import archive

            return getattr(archive, name)
        if name == "Provenance":
            from binance_sdk._runtime.provenance import Provenance

            return Provenance
        if name == "StreamOperation":
            from binance_sdk._runtime.stream.operation import StreamOperation

            return StreamOperation
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def stream(stream_id: str) -> StreamOperation[object]:
    """The stream with this id.

    Args:
        stream_id: Market and name, e.g. ``spot.agg_trade``.

    Raises:
        LookupError: there is no such stream.
    """
    found = _streams().get(stream_id)
    if found is None:
        raise LookupError(f"no stream {stream_id!r}; there are {', '.join(_streams())}")
    return found


def source_of(fact: Operation[object] | StreamOperation[object] | MarketCatalogue | PoolLimits) -> Provenance:
    """Where an endpoint, a stream, the limits of a pool or what holds for a whole market were read, and when.

    Raises:
        LookupError: It is of another catalogue than this one, and nobody wrote that down.
    """
    from binance_sdk._generated import sources

    if isinstance(fact, PoolLimits):
        key, table = fact.name, sources.POOLS
    elif isinstance(fact, MarketCatalogue):
        key, table = fact.facts.name, sources.MARKETS
    else:
        key, table = fact.id, sources.OPERATIONS if isinstance(fact, Operation) else sources.STREAMS
    if key not in table:
        raise LookupError(f"nothing tells where {key!r} was read: only what this catalogue has can be asked for")
    return table[key]


def stream_fixture(market: str, name: str) -> bytes:
    """An example message of a stream, as Binance would send it, without the wrapper of combined streams.

    Args:
        market: Name of the market, e.g. ``spot``.
        name: Name of the stream, e.g. ``agg_trade``.

    Raises:
        LookupError: there is no such market or stream.
    """
    fixtures = _fixtures(market, "stream_fixtures.json")
    if name not in fixtures:
        raise LookupError(f"no stream fixture {name!r} for {market}; there are {', '.join(sorted(fixtures))}")
    return _written(fixtures[name])


@cache
def _streams() -> dict[str, StreamOperation[object]]:
    from importlib import import_module

    found: dict[str, StreamOperation[object]] = {}
    for market in MARKETS:
        module = import_module(f"binance_sdk._generated.{market}.stream_operations")
        found |= {stream.id: stream for stream in module.STREAMS}
    return found


def fixture(market: str, operation: str, suffix: str = "") -> bytes:
    """The example answer of an operation, as Binance would send it.

    Args:
        market: Name of the market, e.g. ``spot``.
        operation: Name of the operation, e.g. ``klines``.
        suffix: Which answer, where there are several; see ``Variant.fixtures``.

    Raises:
        LookupError: there is no such market or fixture.
    """
    name = f"{operation}.{suffix}" if suffix else operation
    fixtures = _fixtures(market, "fixtures.json")
    body = fixtures.get(name)
    if body is None:
        raise LookupError(f"no fixture {name!r} for {market}; there are {', '.join(sorted(fixtures))}")
    return _written(body)


def _written(body: JsonValue) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _fixtures(market: str, file: str) -> dict[str, JsonValue]:
    from importlib.resources import files

    if market not in MARKETS:
        raise LookupError(f"no market {market!r}; there are {', '.join(MARKETS)}")
    content = files("binance_sdk._generated").joinpath(market, file).read_bytes()
    return TypeAdapter(dict[str, JsonValue]).validate_json(content)
