"""Endpoints as values: everything the runtime needs to know about them.

The generator writes one ``Operation`` for each endpoint; the engine, the simulator and the contract tests read them. No
code asks for a path or a name: what differs between endpoints is a field here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from pydantic import TypeAdapter

from binance_sdk._runtime.json_validator import JsonReader
from binance_sdk._runtime.locks import IMPORT_LOCK, cached_property
from binance_sdk._runtime.market import Environment, Market, MarketFacts, PoolLimits, SymbolForm
from binance_sdk._runtime.type_adapter import type_adapter
from binance_sdk._runtime.weight import Arguments, ArgumentValue, WeightRule

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

ParameterType = Literal["symbol", "string", "int", "id", "time", "bool", "enum", "utc_offset"]
Security = Literal["none", "api_key", "api_key_uncertain"]
HeaderTrust = Literal["trusted", "untrusted", "absent"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter; see ``codegen.spec_model.parameters.Parameter`` for the meaning of each field."""

    wire: str
    name: str
    type: ParameterType
    required: bool = False
    list: bool = False
    choices: tuple[str, ...] | tuple[int, ...] | None = None
    open: bool = False
    default: int | str | bool | None = None
    min: int | None = None
    max: int | None = None
    clamp: bool = False
    max_items: int | None = None
    pattern: str | None = None
    pattern_note: str | None = None
    symbol_form: SymbolForm | None = None


@dataclass(frozen=True, slots=True)
class OneOf:
    """At most one of these parameters may be passed; exactly one, if ``required``."""

    names: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Ordered:
    """``first`` must not be greater than ``second``."""

    first: str
    second: str


@dataclass(frozen=True, slots=True)
class MaxSpan:
    """``end`` must be less than so many seconds after ``start``."""

    start: str
    end: str
    seconds: int
    inclusive: bool = False

    @property
    def most_ms(self) -> int:
        """The greatest distance of the two."""
        return self.seconds * 1000 - (0 if self.inclusive else 1)


@dataclass(frozen=True, slots=True)
class Lookback:
    """These times must be at most so many seconds ago."""

    names: tuple[str, ...]
    seconds: int


Rule = OneOf | Ordered | MaxSpan | Lookback


@dataclass(frozen=True)
class Variant(Generic[T_co]):
    """One shape of the answer and the arguments that select it."""

    type: object
    name: str = ""
    given: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    equals: Mapping[str, str] = field(default_factory=dict[str, str])
    example: Mapping[str, int | str | bool | list[str]] = field(default_factory=dict[str, int | str | bool | list[str]])
    fixtures: tuple[str, ...] = ("",)

    def matches(self, given: Arguments, in_force: Arguments) -> bool:
        """Whether a call is answered in this form.

        Args:
            given: Arguments that were passed, by wire name.
            in_force: The same with the defaults of what was not passed.
        """
        if self._always:
            return True
        return (
            all(name in given for name in self.given)
            and not any(name in given for name in self.absent)
            and all(in_force.get(name) == value for name, value in self.equals.items())
        )

    @cached_property
    def _always(self) -> bool:
        return not (self.given or self.absent or self.equals)

    @cached_property
    def adapter(self) -> TypeAdapter[T_co]:
        """Built at the first answer, which takes 150 us once."""
        return type_adapter(self.type)

    @cached_property
    def reader(self) -> JsonReader:
        """Reads the body of an answer."""
        with IMPORT_LOCK:
            return JsonReader(self.adapter)


@dataclass(frozen=True, slots=True)
class Paging:
    """How an iterator pages; names are wire names, ``key`` and ``time`` are attributes of a row."""

    key: str
    cursor: str
    size: str
    start: str | None = None
    end: str | None = None
    time: str | None = None
    send_end: bool = True
    step: str | None = None
    window: bool = False
    keeps: str | None = None
    first: int | None = None
    unique: bool = True
    newest_up_to_end: bool = False


@dataclass(frozen=True, slots=True)
class Cache:
    """How long an answer stays valid, at most until the candle of the interval in ``until_close_of`` closes."""

    seconds: int
    until_close_of: str | None = None


@dataclass(frozen=True, slots=True)
class Teaches:
    """Attributes of the answer that hold the server time and the limits in force."""

    time: str | None = None
    limits: str | None = None


@dataclass(frozen=True)
class Operation(Generic[T_co]):
    """One endpoint of one market."""

    id: str
    market: Market
    name: str
    path: str
    weight: WeightRule
    variants: tuple[Variant[T_co], ...]
    cache: Cache
    hosts: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()
    rules: tuple[Rule, ...] = ()
    groups: tuple[str, ...] = ()
    security: Security = "none"
    used_weight_header: HeaderTrust = "trusted"
    paging: Paging | None = None
    deprecated: str | None = None
    error_codes: tuple[int, ...] = ()
    teaches: Teaches | None = None

    @cached_property
    def by_name(self) -> Mapping[str, Parameter]:
        """Its parameters by their names in Python."""
        return {parameter.name: parameter for parameter in self.parameters}

    @cached_property
    def by_wire(self) -> Mapping[str, Parameter]:
        """Its parameters by their wire names."""
        return {parameter.wire: parameter for parameter in self.parameters}

    @cached_property
    def defaults(self) -> Mapping[str, int | str | bool]:
        """What Binance takes for a parameter that is not sent, by wire name."""
        return {p.wire: p.default for p in self.parameters if p.default is not None}

    @cached_property
    def looks_back(self) -> bool:
        """Whether the time decides what may be passed."""
        return any(isinstance(rule, Lookback) for rule in self.rules)

    def in_force(self, given: Arguments) -> Arguments:
        """The passed arguments and the defaults of the others; values that the server clamps are clamped."""
        merged: dict[str, ArgumentValue] = {**self.defaults, **given}
        for wire, most in self._clamped:
            value = merged.get(wire)
            if isinstance(value, int):
                merged[wire] = min(value, most)
        return merged

    @cached_property
    def _clamped(self) -> tuple[tuple[str, int], ...]:
        return tuple((p.wire, p.max) for p in self.parameters if p.clamp and p.max is not None)

    def price(self, given: Arguments) -> int:
        """Request weight of a call with these (validated) arguments, by wire name."""
        return self.weight.weight(given, self.in_force(given))

    def variant_for(self, given: Arguments) -> Variant[T_co]:
        """The form in which a call is answered.

        Args:
            given: Arguments that were passed, by wire name.

        Raises:
            LookupError: none of its forms is meant by them.
        """
        in_force = self.in_force(given)
        for variant in self.variants:
            if variant.matches(given, in_force):
                return variant
        raise LookupError(f"{self.id}: no response variant for {dict(given)!r}")


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """What a code in an error answer means."""

    name: str
    meaning: str
    means: int | None = None
    """The status that an error with this code and status 200 stands for."""


@dataclass(frozen=True, slots=True)
class StatusOverride:
    """Words in the body of an error that give its status another meaning."""

    status: int
    says: str
    means: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "says", plain_text(self.says))

    def fits(self, status: int, text: str) -> bool:
        """Whether it applies to an answer with that status and ``plain_text``."""
        return status == self.status and self.says in text


def plain_text(text: str) -> str:
    """The text in lower case, with single spaces."""
    return " ".join(text.lower().split())


class LateOperations(Mapping[str, "Operation[object]"]):
    """Operations by name, loaded at the first access: a market that is not used is not loaded."""

    def __init__(self, load: Callable[[], Mapping[str, Operation[object]]]) -> None:
        self._load = load

    @cached_property
    def _loaded(self) -> Mapping[str, Operation[object]]:
        with IMPORT_LOCK:
            return self._load()

    def __getitem__(self, name: str) -> Operation[object]:
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded)

    def __len__(self) -> int:
        return len(self._loaded)


@dataclass(frozen=True)
class MarketCatalogue:
    """All operations of one market, with what is known about it and the limits of its pool."""

    facts: MarketFacts
    operations: Mapping[str, Operation[object]]
    limits: PoolLimits

    def __iter__(self) -> Iterator[Operation[object]]:
        return iter(self.operations.values())


@dataclass(frozen=True, eq=False)
class Catalogue(Mapping[Market, MarketCatalogue]):
    """Everything that the SDK knows about Binance, by market: generated, or loaded from a changed spec."""

    markets: Mapping[Market, MarketCatalogue]
    environments: Mapping[str, Environment]
    error_codes: Mapping[int, ErrorCode]
    status_remedies: Mapping[int, tuple[str, str]]
    spec_hash: str
    status_overrides: tuple[StatusOverride, ...] = ()

    def __getitem__(self, market: Market) -> MarketCatalogue:
        return self.markets[market]

    def __iter__(self) -> Iterator[Market]:
        return iter(self.markets)

    def __len__(self) -> int:
        return len(self.markets)

    @property
    def operations(self) -> Iterator[Operation[object]]:
        """Every operation, market by market."""
        for market in self.markets.values():
            yield from market
