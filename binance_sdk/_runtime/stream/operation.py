"""A stream as a value: everything that the runtime needs to know about it.

The generator writes one ``StreamOperation`` for each stream of the spec; the engine, the simulator and the contract
tests read them. Nothing depends on the name of a stream: what differs between streams is a field here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from pydantic import TypeAdapter

from binance_sdk._runtime.json_validator import JsonReader
from binance_sdk._runtime.locks import IMPORT_LOCK, cached_property
from binance_sdk._runtime.market import Market, SymbolForm
from binance_sdk._runtime.type_adapter import type_adapter

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class StreamParameter:
    """What takes the place of ``{name}`` in the pattern of stream names.

    Attributes:
        name: Argument of the method, and the word in braces.
        kind: ``symbol`` (any name the exchange lists, sent in lower case) or ``choice`` (one of ``texts``).
        texts: For a choice: each accepted value with what it becomes in the stream's name, e.g.
            ``{"100ms": "@100ms"}``.
        default: Value of a choice that is left out; None where it must be given.
        many: The method takes any number of values, and makes one stream of each.
        symbol_form: For a symbol: what those of the market look like.
    """

    name: str
    kind: Literal["symbol", "choice"]
    texts: Mapping[str | int, str] = field(default_factory=dict[str | int, str])
    default: str | int | None = None
    many: bool = False
    symbol_form: SymbolForm | None = None


@dataclass(frozen=True, slots=True)
class Quiet:
    """How long a healthy stream may say nothing.

    Attributes:
        kind: ``periodic`` streams send at fixed times; those of ``activity`` when the market moves; ``never`` means
            that silence says nothing (liquidations, listings).
        seconds: For ``periodic`` the longest healthy silence; for ``activity`` the least one that is suspicious.
        by_parameter: Name of the choice on which the time depends, if it does.
        by_value: Seconds for values of that choice.
    """

    kind: Literal["periodic", "activity", "never"]
    seconds: float = 0.0
    by_parameter: str = ""
    by_value: Mapping[str | int, float] = field(default_factory=dict[str | int, float])


@dataclass(frozen=True, slots=True)
class Sequence:
    """How the ids of a stream tell that something is missing. Names are attribute paths of the event.

    Attributes:
        kind: ``each``: ids rise by one (trades). ``range``: an event covers ``first`` to ``last``, and the next one
            starts at ``last + 1`` (spot depth). ``previous``: an event names the last id of the one before it (futures
            depth). ``time``: bars that follow each other by the length of the interval; several events tell of one bar.
        first: First id of the event.
        last: Last id of the event; the same as ``first`` where an event has one id.
        previous: For ``previous``: last id of the event before.
        interval: For ``time``: the parameter that holds the length of a bar.
        closed: For ``time``: attribute that says the bar is final.
        moment: When the event came about, by the exchange. An id that falls while it rises began anew.
    """

    kind: Literal["each", "range", "previous", "time"]
    first: str
    last: str
    previous: str = ""
    interval: str = ""
    closed: str = ""
    moment: str = ""


@dataclass(frozen=True, slots=True)
class Fill:
    """How missing events are fetched from REST.

    Attributes:
        operation: Id of the endpoint, e.g. ``spot.agg_trades``.
        arguments: REST parameter (wire name) with the stream's parameter it is taken from.
        cursor: REST parameter for the first missing id or time.
        size: REST parameter for the number of rows.
        end: REST parameter for the last time wanted, where a call with a start alone would bring the newest rows.
        id: Attribute of a REST row that holds its id.
        fields: Attribute path of the event with the attribute of the row.
        constants: Attribute path of the event with a value that is always the same.
        given: Attribute path of the event with the parameter of the stream that says it; symbols in upper case.
        always: REST parameter (wire name) with a value that every call has.
    """

    operation: str
    arguments: Mapping[str, str]
    cursor: str
    size: str
    id: str
    fields: Mapping[str, str]
    constants: Mapping[str, str | int | bool] = field(default_factory=dict[str, "str | int | bool"])
    given: Mapping[str, str] = field(default_factory=dict[str, str])
    always: Mapping[str, str | int | bool] = field(default_factory=dict[str, "str | int | bool"])
    end: str | None = None


@dataclass(frozen=True, slots=True)
class OwnRows:
    """Which events belong to the market, where its streams carry those of others too.

    Attributes:
        field: Attribute of an event that says which market it belongs to. Events without it are the market's own.
        values: Its values in the market's own events.
    """

    field: str
    values: tuple[int | str, ...]


@dataclass(frozen=True)
class StreamOperation(Generic[T_co]):
    """One kind of stream.

    Attributes:
        id: Market and name, e.g. ``spot.agg_trade``.
        pattern: Stream name with parameters in braces, e.g. ``{symbol}@depth{levels}{speed}``.
        type: Type of what a message holds: an event model or a list of them.
        item: The event model itself.
        route: First part of the path, where the market has several kinds of connection; otherwise empty.
        event_type: Value of the key ``e``; None where the payload has none, or where the value varies.
        key: Attribute path that tells the events of a stream of all symbols apart; None where all are about one.
        own_rows: The rule that tells which events belong to the market; None if all do.
        live_only: Attributes that every live event has and a filled one may lack.
    """

    id: str
    market: Market
    name: str
    pattern: str
    type: object
    item: object
    parameters: tuple[StreamParameter, ...] = ()
    route: str = ""
    event_type: str | None = None
    quiet: Quiet = Quiet("never")
    sequence: Sequence | None = None
    fill: Fill | None = None
    live_only: tuple[str, ...] = ()
    key: str | None = None
    own_rows: OwnRows | None = None

    @cached_property
    def adapter(self) -> TypeAdapter[T_co]:
        """Built at the first message."""
        return type_adapter(self.type)

    @cached_property
    def reader(self) -> JsonReader:
        """Reads the payload of a message."""
        with IMPORT_LOCK:
            return JsonReader(self.adapter)
