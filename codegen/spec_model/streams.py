"""The strict model of ``spec/streams/``: what one stream may say.

A class sees one node only; what must hold between nodes is in ``codegen.checks.streams``.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from codegen.spec_model.base import (
    AttributePath,
    ClassName,
    Deprecation,
    Node,
    Plain,
    PythonName,
    Source,
    StreamPattern,
    Text,
    WireName,
    wrong,
)
from codegen.spec_model.schemas import Enum, ObjectSchema, TypeText


def _choice(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise wrong("must be a whole number or a text; put words such as true in quotes")
    return value


Choice = Annotated[int | str, BeforeValidator(_choice)]
"""One value of a choice; checked at once, so that a wrong one is not reported for each type it is not."""


class StreamParameter(Node):
    """What takes the place of ``{name}`` in the name of a stream."""

    description: Text
    type: Literal["symbol", "choice"]
    enum: ClassName | None = None
    """Values of a choice, written into the name as they are."""
    values: Annotated[list[Choice], Field(min_length=1)] | None = None
    """The same, where no enum has them."""
    texts: Annotated[dict[str, str], Field(min_length=1)] | None = None
    """Values with what each becomes in the name, where that is something else."""
    default: Choice | None = None
    pair: bool = False
    """A symbol that names a pair: what several contracts have in common."""
    listed_by: PythonName | None = None
    """Operation whose rows name, as `symbol`, what this takes; left out for what the market trades."""
    uncertain: Text | None = None
    source: Source | None = None
    """Where this was read, where that is not what the file says."""

    @model_validator(mode="after")
    def _one_kind_of_values(self) -> Self:
        for word in ("pair", "listed_by"):
            if getattr(self, word) and self.type != "symbol":
                raise wrong(f"`{word}` says which kind of symbol it is, and this is a choice", word)
        given = [name for name in ("enum", "values", "texts") if getattr(self, name) is not None]
        if self.type == "choice" and len(given) != 1:
            raise wrong("a choice has its values in one of `enum`, `values` or `texts`")
        if self.type == "symbol" and (given or self.default is not None):
            raise wrong("a symbol may be any that the exchange lists; drop its values and its default")
        if self.default is not None and self.enum is None and self.default not in [*(self.values or self.texts or ())]:
            raise wrong(f"the default `{self.default}` is none of the values", "default")
        return self


class PeriodBy(Node):
    """A period that depends on a choice."""

    by: PythonName
    values_ms: Annotated[dict[Choice, int], Field(min_length=1)]


PERIODS_OF_SILENCE = 5
"""A periodic stream is silent when so many messages in a row did not come ..."""
GRACE_MS = 2000
"""... and this much has passed besides."""


def quiet_seconds(period_ms: int) -> float:
    """The longest healthy silence of a stream with this period."""
    return (PERIODS_OF_SILENCE * period_ms + GRACE_MS) / 1000


class Quiet(Node):
    """How long a healthy stream may say nothing."""

    kind: Literal["periodic", "activity", "never"]
    period_ms: Annotated[int, Field(gt=0)] | None = None
    """Distance of two messages of a periodic stream."""
    periods: PeriodBy | None = None
    """The same, where it depends on a choice."""
    seconds: Annotated[int, Field(gt=0)] | None = None
    """For ``activity``: the least silence that is suspicious."""

    @model_validator(mode="after")
    def _fits_the_kind(self) -> Self:
        given = {name for name in ("period_ms", "periods", "seconds") if getattr(self, name) is not None}
        if self.kind == "periodic" and given not in ({"period_ms"}, {"periods"}):
            raise wrong("a periodic stream has either `period_ms` or `periods`")
        if self.kind == "activity" and given != {"seconds"}:
            raise wrong("a stream of market activity has `seconds`, and no period")
        if self.kind == "never" and given:
            raise wrong("silence of this stream says nothing; drop the times")
        return self


class Sequence(Node):
    """How the ids of a stream tell that something is missing."""

    kind: Literal["each", "range", "previous", "time"]
    first: AttributePath
    last: AttributePath
    previous: AttributePath | None = None
    interval: PythonName | None = None
    closed: AttributePath | None = None
    moment: AttributePath | None = None

    @model_validator(mode="after")
    def _fits_the_kind(self) -> Self:
        if (self.kind == "previous") != (self.previous is not None):
            raise wrong("`previous` is there for `kind: previous`, and only then")
        if (self.kind == "time") != (self.interval is not None and self.closed is not None):
            raise wrong("`interval` and `closed` are there for `kind: time`, and only then")
        if self.kind == "time" and self.moment is not None:
            raise wrong("`moment` is not there for `kind: time`: bars are numbered by their time")
        return self


class Fill(Node):
    """How missing events are had from REST, and what their rows become."""

    operation: PythonName
    """Endpoint of the same market."""
    arguments: Annotated[dict[WireName, PythonName], Field(min_length=1)]
    """REST parameter to the parameter of the stream it is taken from."""
    always: dict[WireName, Plain] = Field(default_factory=dict)
    """REST parameter to a value that every call has."""
    cursor: WireName
    end: WireName | None = None
    """Parameter for the last time wanted; where a call with a start alone would bring the newest rows."""
    size: WireName
    id: PythonName
    fields: Annotated[list[AttributePath], Field(min_length=1)]
    """Attributes of the event that the row has under the same name."""
    given: dict[AttributePath, PythonName] = Field(default_factory=dict)
    """Attribute of the event to the parameter of the stream that says it."""
    constants: dict[AttributePath, Plain] = Field(default_factory=dict)
    """Attribute of the event to what it always is."""


class StreamNode(Node):
    """One kind of stream."""

    summary: Text
    description: Text | None = None
    pattern: StreamPattern
    event: TypeText
    event_type: Text | None = None
    """Value of the key ``e``; left out where there is none or where it varies."""
    route: PythonName | None = None
    """First part of the path, where the market has routes."""
    speed: Text
    """Update speed in words."""
    parameters: dict[PythonName, StreamParameter] = Field(default_factory=dict)
    quiet: Quiet
    sequence: Sequence | None = None
    fill: Fill | None = None
    key: AttributePath | None = None
    """What tells the events of a stream of all symbols apart; left out where that is `symbol`."""
    since: date | None = None
    deprecated: Deprecation | None = None
    notes: list[Text] = Field(default_factory=list)
    observed: Text | None = None
    uncertain: list[Text] = Field(default_factory=list)
    source: Source | None = None


class OwnRows(Node):
    """Which events belong to the market, where its streams carry those of others too."""

    description: Text
    field: PythonName
    """Attribute of an event that says whose it is; one without it belongs here."""
    values: Annotated[list[Choice], Field(min_length=1)]
    """What it holds in the market's own events."""


class StreamsFile(Node):
    """One file below ``spec/streams``."""

    description: Text
    source: Source
    own_rows: OwnRows | None = None
    enums: dict[ClassName, Enum] = Field(default_factory=dict)
    schemas: dict[ClassName, ObjectSchema] = Field(default_factory=dict)
    streams: dict[PythonName, StreamNode]
