"""The part of the spec model that says what an answer or an event looks like: objects, rows, unions, enums."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, Tag, model_validator

from codegen.spec_model.base import ClassName, Node, PythonName, Source, Text, WireName, told_apart_by, wrong
from codegen.spec_model.types import parse_type


def _type(text: str) -> str:
    try:
        parse_type(text)
    except ValueError as error:
        raise wrong(str(error)) from None
    return text


TypeText = Annotated[Text, AfterValidator(_type)]
"""A type expression that ``parse_type`` understands; whether its names exist is checked later."""


class SchemaField(Node):
    """One key of a JSON object, or one position of a row."""

    type: TypeText
    """A scalar, an enum, a schema, ``list<...>`` or ``map<...>``; see CONTRIBUTING."""
    description: Text
    name: PythonName | None = None
    optional: bool = False
    """The key may be absent."""
    nullable: bool = False
    empty: bool = False
    """The wire may send ``""`` for "none"; read as ``None`` and written back as ``""``."""
    zero_means_none: bool = False
    """A time of 0 says "never": its ``_dt`` view is ``None``."""
    live_only: bool = False
    """Of stream events: sent always, but unset in an event that was fetched over REST."""
    unused: bool = False
    """Kept, but documented as to be ignored: not the fact that its key tells elsewhere, and not called so."""
    uncertain: Text | None = None
    source: Source | None = None
    """Where this was read, where that is not what the file says."""


class RowPosition(Node):
    """One position of a positional array; ``unused`` positions are kept but neither named nor checked."""

    name: PythonName | None = None
    type: Literal["int", "id", "time", "decimal", "string", "symbol", "any"] = "any"
    description: Text
    unused: bool = False
    uncertain: Text | None = None
    source: Source | None = None
    """Where this was read, where that is not what the file says."""

    @model_validator(mode="after")
    def _named_or_unused(self) -> Self:
        if self.unused == (self.name is not None):
            raise wrong("a position has either a `name` or `unused: true`")
        return self


class ObjectSchema(Node):
    """A JSON object."""

    description: Text
    fields: dict[WireName, SchemaField]
    extends: ClassName | None = None
    """Takes over the fields of another object and adds its own."""
    from_name: dict[PythonName, Text] = Field(default_factory=dict)
    """Of stream events: parameters that only the stream's name tells, each a property with this description."""
    source: Source | None = None
    """Where this was read, where that is not what the file says."""


class RowSchema(Node):
    """A positional array."""

    description: Text
    row: list[RowPosition] = Field(min_length=1)
    replaces_shared: bool = False
    """The market's own, where the shared one of this name has other units."""
    source: Source | None = None
    """Where this was read, where that is not what the file says."""


class UnionSchema(Node):
    """One of several objects, told apart by a key whose value the server chooses."""

    description: Text
    discriminator: WireName
    members: dict[str, ClassName] = Field(min_length=1)
    unknown: ClassName
    """Name of the member that keeps every value not listed; made by the generator."""
    source: Source | None = None
    """Where this was read, where that is not what the file says."""


Schema: TypeAlias = Annotated[
    Annotated[ObjectSchema, Tag("<object>")]
    | Annotated[RowSchema, Tag("<row>")]
    | Annotated[UnionSchema, Tag("<union>")],
    told_apart_by(
        {"row": "<row>", "discriminator": "<union>", "members": "<union>", "fields": "<object>"},
        "a schema has `fields` (an object), `row` (a positional array), or `discriminator` and `members` (a union)",
    ),
]


class Enum(Node):
    """Texts that a parameter takes or a field holds."""

    description: Text
    values: list[str] = Field(min_length=1)
    open: bool = False
    """As a parameter: the exchange adds to these as it goes, so a value that is not among them is sent all the same."""
    uncertain: Text | None = None
    source: Source | None = None
    """Where this was read, where that is not what the file says."""
