"""The part of the spec model that describes query parameters and the rules between them."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, Tag, model_validator

from codegen.spec_model.base import (
    ClassName,
    Duration,
    Node,
    Plain,
    PythonName,
    Source,
    Text,
    WireName,
    told_apart_by,
    wrong,
)

ParameterType = Literal["symbol", "string", "int", "id", "time", "bool", "enum", "utc_offset"]


class Parameter(Node):
    """One query parameter, under its wire name."""

    type: ParameterType
    description: Text
    name: PythonName | None = None
    """Python name, where the snake_case of the wire name would not do."""
    required: bool = False
    is_list: bool = Field(default=False, alias="list")
    """Takes several values, sent as one JSON array."""
    enum: ClassName | None = None
    default: Plain | None = None
    """What the server assumes when the parameter is not sent. Never sent by us."""
    default_note: Text | None = None
    """The default in words, where it is not one plain value."""
    min: int | None = None
    max: int | None = None
    above: Literal["reject", "clamp"] = "reject"
    """What the server does with a value above ``max``: refuse it, or serve and charge ``max``."""
    values: Annotated[list[int], Field(min_length=1)] | None = None
    """The only values an int may take."""
    max_items: Annotated[int, Field(ge=1)] | None = None
    pair: bool = False
    """A symbol that names a pair: what several contracts have in common."""
    pattern: Text | None = None
    pattern_note: Text | None = None
    uncertain: Text | None = None
    source: Source | None = None
    """Where this was read, where that is not what the file says."""

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.type == "enum" and self.enum is None:
            raise wrong("`type: enum` needs `enum: <Name>` to say which")
        if self.type != "enum" and self.enum is not None:
            raise wrong(f"`enum` goes with `type: enum`, not with {self.type}", "enum")
        if self.values is not None and (self.type != "int" or self.min is not None or self.max is not None):
            raise wrong("`values` lists what an int may be; it stands without `min` and `max`", "values")
        if self.type not in ("int", "id"):
            for word in ("min", "max"):
                if getattr(self, word) is not None:
                    raise wrong(f"`min` and `max` bound an int or id, not a {self.type}", word)
        if self.min is not None and self.max is not None and self.max < self.min:
            raise wrong(f"`max` {self.max} is below `min` {self.min}", "max")
        if self.above == "clamp" and self.max is None:
            raise wrong("`above: clamp` needs a `max` to clamp to", "above")
        if self.pair and self.type != "symbol":
            raise wrong(f"`pair` says which kind of symbol it is, and this is of type {self.type}", "pair")
        if self.max_items is not None and not self.is_list:
            raise wrong("`max_items` goes with `list: true`", "max_items")
        if self.pattern_note is not None and self.pattern is None:
            raise wrong("`pattern_note` says in words what a `pattern` wants, and there is none", "pattern_note")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except (re.error, OverflowError, RecursionError) as error:
                raise wrong(f"`pattern` is not a regular expression: {error}", "pattern") from None
        return self

    @model_validator(mode="after")
    def _default_fits(self) -> Self:
        if self.default is None:
            return self
        if self.required:
            raise wrong("a required parameter has no default: drop one of the two", "default")
        if self.default_note is not None:
            raise wrong("`default` already says it; drop `default_note`", "default_note")
        reason = self.misfit(self.default)
        if reason is not None:
            raise wrong(f"the default {reason}", "default")
        return self

    def misfit(self, value: object) -> str | None:
        """Why ``value`` cannot be passed, or None where it can. The values of an enum are not known here."""
        if self.is_list:
            return None if isinstance(value, list) else f"`{value}` must be a list"
        if isinstance(value, list):
            return "must be one value, not a list"
        wanted: type = {"int": int, "id": int, "time": int, "bool": bool}.get(self.type, str)
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            kind = {int: "a whole number", bool: "true or false"}.get(wanted, "a text; write it in quotes")
            return f"`{str(value).lower() if isinstance(value, bool) else value}` must be {kind}"
        if isinstance(value, int):
            if self.values is not None and value not in self.values:
                return f"{value} is none of `values`: {', '.join(map(str, self.values))}"
            if self.min is not None and value < self.min:
                return f"{value} is below `min` {self.min}"
            if self.max is not None and value > self.max:
                return f"{value} is above `max` {self.max}"
        if isinstance(value, str) and self.pattern is not None and not re.search(self.pattern, value):
            return f"`{value}` does not match `pattern`"
        return None


class AtMostOneOf(Node):
    """No two of these in one call."""

    at_most_one_of: list[WireName] = Field(min_length=2)


class ExactlyOneOf(Node):
    """One of these in every call, and no second."""

    exactly_one_of: list[WireName] = Field(min_length=2)


class Ordered(Node):
    """The first must not be later than the second."""

    ordered: Annotated[list[WireName], Field(min_length=2, max_length=2)]


class MaxSpan(Node):
    """From ``start`` to ``end`` must be less than ``span`` when both are given; ``inclusive`` lets them be as much."""

    start: WireName
    end: WireName
    span: Duration
    inclusive: bool = False


class Lookback(Node):
    """Data older than this is not served: earlier times in ``parameters`` are refused."""

    lookback: Duration
    parameters: list[WireName] = Field(min_length=1)


ParameterRule: TypeAlias = Annotated[
    Annotated[AtMostOneOf, Tag("<at most one>")]
    | Annotated[ExactlyOneOf, Tag("<exactly one>")]
    | Annotated[Ordered, Tag("<ordered>")]
    | Annotated[MaxSpan, Tag("<span>")]
    | Annotated[Lookback, Tag("<lookback>")],
    told_apart_by(
        {
            "at_most_one_of": "<at most one>",
            "exactly_one_of": "<exactly one>",
            "ordered": "<ordered>",
            "span": "<span>",
            "lookback": "<lookback>",
        },
        "a rule is `at_most_one_of`, `exactly_one_of`, `ordered`, `span` with `start` and `end`, "
        "or `lookback` with `parameters`",
    ),
]
