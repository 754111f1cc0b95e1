"""The part of the spec model that describes an endpoint, and the files in which endpoints stand.

Every class forbids unknown keys, so a typing error in a spec file is reported instead of ignored.
Checks that need more than one node (a weight that names a parameter, a fixture that must exist) are
in ``codegen.checks``; this room says only what one node may look like.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from codegen.spec_model.base import (
    ClassName,
    Deprecation,
    Duration,
    EnvironmentName,
    Node,
    Path,
    PythonName,
    Source,
    Text,
    WireName,
    wrong,
)
from codegen.spec_model.parameters import Parameter, ParameterRule
from codegen.spec_model.schemas import Enum, Schema, TypeText
from codegen.spec_model.weights import WeightRule


class When(Node):
    """The arguments that select a response variant."""

    given: list[WireName] = Field(default_factory=list)
    absent: list[WireName] = Field(default_factory=list)
    equals: dict[WireName, str] = Field(default_factory=dict)


def _argument(value: Any) -> Any:
    is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
    if not is_list and not isinstance(value, (int, str, bool)):
        raise wrong("must be a whole number, a text, true or false, or a list of texts")
    return value


Argument: TypeAlias = Annotated[int | str | bool | list[str], BeforeValidator(_argument)]


class Variant(Node):
    """One shape of the answer, and an example call that gets it."""

    type: TypeText
    variant: PythonName | None = None
    when: When | None = None
    example: dict[WireName, Argument]
    fixtures: Annotated[list[str], Field(min_length=1)] | None = None
    """Suffixes of the fixture files; by default the variant's own name."""

    @property
    def fixture_suffixes(self) -> list[str]:
        return self.fixtures if self.fixtures is not None else [self.variant or ""]


class Paging(Node):
    """How an iterator walks through more rows than one answer holds."""

    key: PythonName
    """Field of a row that grows: the next page asks for ``key + 1``."""
    cursor: WireName
    """Parameter that takes it."""
    size: WireName
    """Parameter with the number of rows."""
    start: WireName | None = None
    """Parameter of the first page where the cursor itself is not a time."""
    end: WireName | None = None
    time: PythonName | None = None
    """Field compared with ``end``, or with the present, where ``key`` is no time."""
    send_end: bool = True
    """Send ``end`` with every page; otherwise the rows themselves tell when to stop."""
    step: WireName | None = None
    """Enum parameter whose value is the distance of two rows (``1h``)."""
    window: bool = False
    """Ask for windows of ``size`` steps with both ends given, none longer than a ``span`` of the rules."""
    keeps: Literal["newest"] | None = None
    """Which rows of a window come where it holds more than ``size``; left out where no document says."""
    first: int | None = None
    """Key of the very first row, where that is known: a search for older ones ends there."""
    unique: bool = True
    """False: several rows may share a key, so a page begins at the last key and known rows are dropped."""
    newest_up_to_end: bool = False
    """With ``end`` alone the newest rows up to it come; so the pages before them can be asked for."""


class SortedBy(Node):
    """The order of the rows of an answer, for whoever compares it with what comes."""

    by: PythonName
    """Attribute of a row."""
    descending: bool = False
    list: WireName | None = None
    """Field that holds the rows, where they are not the answer itself."""


class Cache(Node):
    """How long an answer may be used again."""

    ttl: Duration
    until_close_of: WireName | None = None
    """At most to the end of the running candle of this interval parameter."""


class Teaches(Node):
    """What an answer tells about the server itself, as Python names of fields of the answer."""

    time: PythonName | None = None
    """Its clock in epoch milliseconds, read while answering."""
    limits: PythonName | None = None
    """List of the limits in force, with `rate_limit_type`, `interval`, `interval_num` and `limit`."""


class Operation(Node):
    """One endpoint."""

    summary: Text
    description: Text | None = None
    path: Path
    method: Literal["GET"] = "GET"
    security: Literal["none", "api_key", "api_key_uncertain"] = "none"
    weight: WeightRule
    groups: list[PythonName] = Field(default_factory=list)
    used_weight_header: Literal["trusted", "untrusted", "absent"] = "trusted"
    parameters: dict[WireName, Parameter] = Field(default_factory=dict)
    rules: list[ParameterRule] = Field(default_factory=list)
    returns: list[Variant] = Field(min_length=1)
    paging: Paging | None = None
    cache: Cache
    hosts: Annotated[list[EnvironmentName], Field(min_length=1)] | None = None
    order: Text | None = None
    """Order of the rows in words."""
    sorted: list[SortedBy] = Field(default_factory=list[SortedBy])
    """The same for programs, where it is not that of the key of `paging`."""
    since: date | None = None
    deprecated: Deprecation | None = None
    teaches: Teaches | None = None
    errors: dict[int, Text] = Field(default_factory=dict)
    notes: list[Text] = Field(default_factory=list)
    observed: Text | None = None
    """What third parties measured, where it differs from the documents."""
    uncertain: list[Text] = Field(default_factory=list)
    source: Source | None = None


class SpecFile(Node):
    """One file below the folder of a market, or below ``spec/schemas``."""

    description: Text
    source: Source
    hosts: Annotated[list[EnvironmentName], Field(min_length=1)] | None = None
    enums: dict[ClassName, Enum] = Field(default_factory=dict)
    schemas: dict[ClassName, Schema] = Field(default_factory=dict)
    operations: dict[PythonName, Operation] = Field(default_factory=dict)
