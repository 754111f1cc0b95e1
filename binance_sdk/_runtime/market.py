"""A market as a value: its name, where it listens, what its streams allow, and what its pool allows.

The generator writes these from ``spec/markets.yaml`` and ``spec/environments.yaml``; no code of the runtime knows the
name of a market.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeAlias

from binance_sdk._runtime.locks import cached_property

Market: TypeAlias = str
"""Name of a market. Those that exist are a ``Literal`` in generated code."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So much in so many seconds."""

    limit: int
    seconds: int
    every_request: bool = False


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Limits of one IP address on all markets of one pool.

    Attributes:
        name: Name of the pool.
        weight: Limit on the weight of requests.
        groups: Limits on the number of requests, by group.
        used_weight_header: Name of the header with the server's count, in small letters and with ``{interval}`` for the
            length of a window, such as ``1m``.
    """

    name: str
    weight: Limit
    groups: Mapping[str, Limit]
    used_weight_header: str


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """Limits of the stream hosts of one market.

    Attributes:
        messages_a_second: Requests, pings and pongs that a client may send on one connection.
        streams_a_connection: Streams that one connection may carry.
        connections: Connections that one IP address may open in ``connections_seconds``.
        connections_seconds: Length of that window.
        routes: First part of the path, where a market has several kinds of connection; empty where it has one.
    """

    messages_a_second: int
    streams_a_connection: int
    connections: int
    connections_seconds: int
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SymbolForm:
    """What the symbols of a market look like, or its pairs, so that one of another market is refused unsent.

    Attributes:
        what: ``symbol`` or ``pair``.
        market: Whose.
        example: One of them.
        pattern: Regular expression that each of them matches, in capitals.
        pairs: The same of the market's pairs, where its symbols are more than those; empty where they are not.
        elsewhere: The same of the symbols of every other market.
    """

    what: Literal["symbol", "pair"]
    market: Market
    example: str
    pattern: str
    pairs: str = ""
    elsewhere: Mapping[Market, str] = field(default_factory=dict[Market, str])

    @cached_property
    def fits(self) -> Callable[[str], object]:
        """True, or what counts as that, for what can be a symbol of this market."""
        # Most callers ask for the same symbols again and again.
        return lru_cache(maxsize=4096)(re.compile(self.pattern).fullmatch)

    def refusal(self, symbol: str) -> str:
        """Why it is refused, and where it is asked for."""
        text = f"must be a {self.what} of client.{self.market} such as {self.example!r}"
        if self.pairs and re.fullmatch(self.pairs, symbol):
            return f"{text}; this looks like a pair, which may have several contracts"
        places = [f"client.{market}" for market, pattern in self.elsewhere.items() if re.fullmatch(pattern, symbol)]
        return f"{text}; this looks like one of {' or '.join(places)}" if places else text


@dataclass(frozen=True, slots=True)
class SymbolFacts:
    """What is known about the symbols of a market.

    Attributes:
        form: What they look like.
        listed_by: The cheapest operation whose rows name every symbol that is traded.
        prices_from: Where the ticks of prices are counted from: ``zero``, or the ``least`` price.
        contract_size: Attribute of a symbol's exchange information that says what one contract is worth, where
            quantities are contracts; empty where they are of the base asset.
    """

    form: SymbolForm
    listed_by: str
    prices_from: Literal["zero", "least"]
    contract_size: str = ""


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """What is known about a market, its operations and streams left out.

    Attributes:
        name: As code writes it, e.g. ``spot``.
        title: As prose writes it.
        pool: Name of the pool that its requests count into; see ``PoolLimits``.
        streams: Limits of its streams.
        probe: Name of its cheapest operation, which needs no argument: it asks a host that was down whether it is back.
            None: the next call finds out.
        symbols: What is known about its symbols; None for a market that has none.
    """

    name: Market
    title: str
    pool: str
    streams: StreamFacts
    probe: str | None = None
    symbols: SymbolFacts | None = None


@dataclass(frozen=True, slots=True)
class HostUrls:
    """Hosts of one market in one environment; the first is used, the others are alternatives."""

    rest: tuple[str, ...]
    stream: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Environment:
    """One exchange: the hosts of the markets it has, and the name under which their requests are counted.

    Attributes:
        name: E.g. ``mainnet``.
        pool: Environments with the same one count together.
        hosts: By market; one that is missing is not there.
    """

    name: str
    pool: str
    hosts: Mapping[Market, HostUrls]
