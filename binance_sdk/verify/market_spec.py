"""The spec of one market as ``verify`` compares it: everything of the YAML but its prose.

It is read from the ``verify.json`` that the generator writes beside the code of each market, or from the same facts
taken straight from a changed YAML. Nothing but ``verify`` loads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, JsonValue

from binance_sdk._runtime import weight as rules
from binance_sdk._runtime.market import Market
from binance_sdk._runtime.operation import Variant
from binance_sdk._runtime.weight import Arguments, ArgumentValue, WeightRule

Remarks: TypeAlias = tuple[str, ...]
"""What the spec itself is not sure of: what contradicts it is noted, and breaks nothing."""


class Fact(BaseModel):
    """Base of everything that was read."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")


# -------------------------------------------------------------------------------------- shapes


class FieldSpec(Fact):
    """One key of an object."""

    type: str
    optional: bool = False
    nullable: bool = False
    empty: bool = False
    uncertain: Remarks = ()


class PositionSpec(Fact):
    """One position of a row."""

    type: str = "any"
    name: str | None = None
    unused: bool = False
    uncertain: Remarks = ()


class ObjectSpec(Fact):
    """A JSON object."""

    fields: Mapping[str, FieldSpec]


class RowSpec(Fact):
    """A positional array."""

    row: tuple[PositionSpec, ...]


class UnionSpec(Fact):
    """One of several objects, told apart by a key."""

    discriminator: str
    members: Mapping[str, str]


class EnumSpec(Fact):
    """Texts that a field may hold."""

    values: tuple[str, ...]
    uncertain: Remarks = ()


# ---------------------------------------------------------------------------------- operations


class ParameterSpec(Fact):
    """One query parameter."""

    type: Literal["symbol", "string", "int", "id", "time", "bool", "enum", "utc_offset"]
    required: bool = False
    list: bool = False
    enum: str | None = None
    choices: tuple[int | str, ...] = ()
    open: bool = False
    default: int | str | bool | None = None
    min: int | None = None
    max: int | None = None
    max_items: int | None = None
    clamp: bool = False
    pair: bool = False
    uncertain: Remarks = ()


class VariantSpec(Fact):
    """One shape of the answer, and a call that gets it."""

    type: str
    variant: str = ""
    given: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    equals: Mapping[str, str] = {}
    example: Mapping[str, JsonValue]


class OrderSpec(Fact):
    """How rows are sorted."""

    by: int | str
    descending: bool = False
    list: str | None = None


class PagingSpec(Fact):
    """How more rows are had than one answer holds."""

    key: int | str
    size: str
    cursor: str
    start: str | None = None
    end: str | None = None
    unique: bool = False
    window: bool = False
    first: int | None = None


class OperationSpec(Fact):
    """One endpoint."""

    path: str
    weight: JsonValue
    hosts: tuple[str, ...]
    parameters: Mapping[str, ParameterSpec]
    returns: tuple[VariantSpec, ...]
    groups: tuple[str, ...] = ()
    security: Literal["none", "api_key", "api_key_uncertain"] = "none"
    used_weight_header: Literal["trusted", "untrusted", "absent"] = "trusted"
    exclusive: tuple[tuple[str, ...], ...] = ()
    looks_back: bool = False
    sorted: tuple[OrderSpec, ...] = ()
    paging: PagingSpec | None = None
    limits: str | None = None
    time: str | None = None
    errors: tuple[int, ...] = ()
    uncertain: Remarks = ()

    @cached_property
    def rule(self) -> WeightRule:
        """What a call costs."""
        return weight_rule(self.weight)

    def price(self, given: Arguments) -> int:
        """Weight of a call with these arguments."""
        return self.rule.weight(given, self._in_force(given))

    def variant_for(self, given: Arguments) -> int:
        """Number of the variant that answers a call with these arguments."""
        in_force = self._in_force(given)
        for index, variant in enumerate(self.returns):
            selected: Variant[object] = Variant(
                object, given=variant.given, absent=variant.absent, equals=variant.equals
            )
            if selected.matches(given, in_force):
                return index
        return 0

    def _in_force(self, given: Arguments) -> Arguments:
        in_force: dict[str, ArgumentValue] = {
            name: parameter.default for name, parameter in self.parameters.items() if parameter.default is not None
        }
        in_force |= given
        for name, parameter in self.parameters.items():
            value = in_force.get(name)
            if parameter.clamp and parameter.max is not None and isinstance(value, int):
                in_force[name] = min(value, parameter.max)
        return in_force

    @property
    def size(self) -> str | None:
        """Parameter with the number of rows, where the answer is a list of so many."""
        if self.paging is not None:
            return self.paging.size
        sized = [name for name, parameter in self.parameters.items() if parameter.type == "int" and parameter.max]
        return sized[0] if len(sized) == 1 and self.returns[0].type.startswith("list<") else None


def weight_rule(value: JsonValue) -> WeightRule:
    """The rule that the spec writes as a number or as an object.

    Raises:
        LookupError: it is neither of those that are known.
    """
    if isinstance(value, int):
        return rules.Fixed(value)
    read = _Weight.model_validate(value)
    steps = tuple((band.max, band.weight) for band in read.bands if band.max is not None)
    if read.cases:
        return rules.Cases(tuple((case.given, weight_rule(case.weight)) for case in read.cases))
    if read.per_item_of is not None:
        return rules.PerItem(read.per_item_of, read.each, read.cap)
    if read.count_of is not None:
        return rules.Counts(read.count_of, steps, read.bands[-1].weight)
    if read.by is not None and read.values:
        return rules.Values(read.by, {int(key) if key.isdecimal() else key: cost for key, cost in read.values.items()})
    if read.by is not None and read.bands:
        return rules.Bands(read.by, steps, read.bands[-1].weight)
    raise LookupError(f"no rule of weight: {value!r}")


class _Band(Fact):
    min: int
    max: int | None = None
    weight: int


class _Case(Fact):
    given: str | None = None
    weight: JsonValue


class _Weight(Fact):
    by: str | None = None
    bands: tuple[_Band, ...] = ()
    values: Mapping[str, int] = {}
    count_of: str | None = None
    per_item_of: str | None = None
    each: int = 0
    cap: int | None = None
    cases: tuple[_Case, ...] = ()


# -------------------------------------------------------------------------------------- streams


class StreamParameterSpec(Fact):
    """What takes the place of a name in braces."""

    type: Literal["symbol", "choice"]
    pair: bool = False
    listed_by: str | None = None
    texts: Mapping[str, str] = {}
    default: int | str | None = None


class QuietSpec(Fact):
    """How often a stream sends."""

    kind: Literal["periodic", "activity", "never"]
    period_ms: int | None = None
    by: str | None = None
    values_ms: Mapping[str, int] = {}


class SequenceSpec(Fact):
    """How ids follow each other; keys of the wire with dots between them."""

    kind: Literal["each", "range", "previous"]
    first: str
    last: str
    previous: str | None = None


class OwnRowsSpec(Fact):
    """Which events belong to the market."""

    key: str
    values: tuple[int | str, ...]


class StreamSpec(Fact):
    """One kind of stream."""

    pattern: str
    event: str
    parameters: Mapping[str, StreamParameterSpec]
    event_type: str | None = None
    route: str = ""
    quiet: QuietSpec
    sequence: SequenceSpec | None = None
    moment: str | None = None
    own_rows: OwnRowsSpec | None = None
    uncertain: Remarks = ()


# --------------------------------------------------------------------------------------- market


class LimitSpec(Fact):
    """So much in so many seconds."""

    limit: int
    seconds: int
    every_request: bool = False
    uncertain: Remarks = ()


class PoolSpec(Fact):
    """What the requests of the market count into."""

    name: str
    used_weight_header: str
    limits: Mapping[str, LimitSpec]


class SymbolsSpec(Fact):
    """What symbols look like, and where it stands which of them trade."""

    example: str
    pattern: str
    pair_example: str
    described_by: str
    status: str
    traded: str
    pair: str | None = None
    uncertain: Remarks = ()


class MistakeSpec(Fact):
    """What a wrong request is refused with."""

    codes: tuple[int, ...]
    uncertain: Remarks = ()


class MarketSpec(Fact):
    """Everything that can be compared of a market."""

    market: Market
    pool: PoolSpec
    symbols: SymbolsSpec | None = None
    mistakes: Mapping[str, MistakeSpec]
    enums: Mapping[str, EnumSpec]
    schemas: Mapping[str, ObjectSpec | RowSpec | UnionSpec]
    operations: Mapping[str, OperationSpec]
    streams: Mapping[str, StreamSpec]


@cache
def installed_spec(market: Market) -> MarketSpec:
    """The spec that this version of the package was generated from."""
    content = files("binance_sdk._generated").joinpath(market, "verify.json").read_bytes()
    return MarketSpec.model_validate_json(content)
