"""``Finding``: one place where the exchange is not what the spec says, and the closed list of what that can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, get_args

from pydantic import JsonValue

Kind: TypeAlias = Literal[
    # The shape of an answer or of a message.
    "field_added",
    "field_missing",
    "field_renamed",
    "type_changed",
    "null",
    "empty_string",
    "value_added",
    "member_added",
    "positions_added",
    "positions_missing",
    "not_json",
    # What an endpoint promises.
    "order_changed",
    "page_size_changed",
    "page_start_changed",
    "bound_changed",
    "weight_changed",
    "header_missing",
    "limit_changed",
    "limit_missing",
    "error_code_changed",
    "error_form_changed",
    "not_refused",
    "refused",
    "endpoint_gone",
    "host_moved",
    "symbol_form_changed",
    # What a stream promises.
    "event_type_changed",
    "wrapper_changed",
    "interval_changed",
    "sequence_changed",
    "stream_refused",
]
"""What can be different; ``KINDS`` says it in words."""

Severity: TypeAlias = Literal["breaking", "noted"]
"""``breaking``: programs get errors, wrong values or bans. ``noted``: they go on, and the spec should learn of it."""

Where: TypeAlias = Literal["answer", "headers", "error", "request", "host", "message", "connection"]
"""What of a call (``answer`` to ``host``) or of a stream (``message``, ``connection``) is different."""


@dataclass(frozen=True, slots=True)
class KindFacts:
    """What a kind means.

    Attributes:
        meaning: In words, for tables.
        remedy: What to do about it.
        spec: What ``Finding.spec`` holds.
        seen: What ``Finding.seen`` holds.
    """

    meaning: str
    remedy: str
    spec: str
    seen: str


_NOTED: frozenset[Kind] = frozenset(
    {
        "field_added",
        "value_added",
        "member_added",
        "positions_added",
        "page_size_changed",
        "error_code_changed",
        "not_refused",
    }
)
"""What the SDK takes as it comes."""
_WORSE_WHEN_MORE: frozenset[Kind] = frozenset({"weight_changed", "interval_changed"})
_WORSE_WHEN_LESS: frozenset[Kind] = frozenset({"limit_changed"})


def severity_of(kind: Kind, spec: JsonValue, seen: JsonValue, *, uncertain: bool = False) -> Severity:
    """How bad a difference is for programs.

    Args:
        kind: What is different.
        spec: As in ``Finding``.
        seen: As in ``Finding``.
        uncertain: The spec itself is not sure of the fact, or the SDK reads both.
    """
    if uncertain or kind in _NOTED:
        return "noted"
    if isinstance(spec, (int, float)) and isinstance(seen, (int, float)):
        if kind in _WORSE_WHEN_MORE:
            return "breaking" if seen > spec else "noted"
        if kind in _WORSE_WHEN_LESS:
            return "breaking" if seen < spec else "noted"
    return "breaking"


_TYPE, _SAMPLE = "the type, as the spec writes it", "the value"
_DESCRIBE = "describe it in the schema, then generate"

KINDS: Mapping[Kind, KindFacts] = {
    "field_added": KindFacts("a field that the spec does not know", _DESCRIBE, "null", _SAMPLE),
    "field_missing": KindFacts(
        "a field that is always sent is not there",
        "mark it `optional`, or drop it where it is gone",
        _TYPE,
        "`objects` there were, and `without` it",
    ),
    "field_renamed": KindFacts(
        "a field is gone and another of the same type has come",
        "give the field its new wire name and keep `name`",
        _TYPE,
        "an object of the new name and the value",
    ),
    "type_changed": KindFacts("a value of another type", "change its `type`", _TYPE, _SAMPLE),
    "null": KindFacts("null where a value is promised", "mark it `nullable`", _TYPE, "null"),
    "empty_string": KindFacts('"" where a number is promised', "mark it `empty`", _TYPE, '""'),
    "value_added": KindFacts(
        "a value that the enum does not list", "add it to the enum", "the values of the enum", "the new value"
    ),
    "member_added": KindFacts(
        "a kind of object that the union does not list",
        "add a member with a schema to the union",
        "the kinds of the union",
        "the object",
    ),
    "positions_added": KindFacts(
        "a row has more positions", "name them in the row", "the number of positions", "the row"
    ),
    "positions_missing": KindFacts(
        "a row has fewer positions", "drop them from the row", "the number of positions", "the row"
    ),
    "not_json": KindFacts("an answer or message that is no JSON", "look at it by hand", "null", "how it begins"),
    "order_changed": KindFacts(
        "rows in another order than promised",
        "correct `order`, and `paging` with it",
        "the field that rises, and `rises`",
        "the first values of the field that do not rise",
    ),
    "page_size_changed": KindFacts(
        "a page with other than as many rows as asked for",
        "correct `max` of the parameter that sizes a page",
        "the number of rows asked for",
        "the number of rows that came",
    ),
    "page_start_changed": KindFacts(
        "a page does not begin at the row that was asked for",
        "correct `paging`",
        "the key of that row",
        "the key of the first row",
    ),
    "bound_changed": KindFacts(
        "a value that a parameter may have is refused",
        "correct `min`, `max` or `values` of the parameter",
        "the value",
        "code and message of the error",
    ),
    "weight_changed": KindFacts(
        "a call costs another weight", "correct `weight`, and the tables written by hand", "the weight", "the weight"
    ),
    "header_missing": KindFacts(
        "the header with the used weight is not there",
        "correct `used_weight_header`",
        "the name of the header",
        "names of headers like it",
    ),
    "limit_changed": KindFacts(
        "the exchange states another limit", "correct the limit in markets.yaml", "the limit", "the limit"
    ),
    "limit_missing": KindFacts(
        "the exchange states a limit no more, or counts it in another interval",
        "correct the limits in markets.yaml",
        "the limit",
        "the limits that are stated",
    ),
    "error_code_changed": KindFacts(
        "a wrong request is refused with another code", "add the code to errors.yaml", "the codes", "the code"
    ),
    "error_form_changed": KindFacts(
        "an error is no object of `code` and `msg`", "look at it by hand", '"code" and "msg"', "the body"
    ),
    "not_refused": KindFacts(
        "a wrong request is answered", "correct the parameters of the endpoint", "the codes", "the status"
    ),
    "refused": KindFacts(
        "a call that the spec allows is refused",
        "correct the parameters of the endpoint",
        "null",
        "code and message of the error",
    ),
    "endpoint_gone": KindFacts(
        "the path is not served any more", "correct `path`, or mark the endpoint `deprecated`", "the path", "the status"
    ),
    "host_moved": KindFacts(
        "the host sends callers elsewhere", "correct `hosts` in markets.yaml", "the URL", "where it sends them"
    ),
    "symbol_form_changed": KindFacts(
        "a symbol does not look as those of the market do",
        "correct `symbols` in markets.yaml",
        "the pattern",
        "the symbol",
    ),
    "event_type_changed": KindFacts(
        "the key `e` of an event says another kind", "correct `event_type`", "the kind", "the kind"
    ),
    "wrapper_changed": KindFacts(
        "a message of a combined connection is no object of `stream` and `data`",
        "the wrapper is read by hand-written code: look at it there",
        '"stream" and "data"',
        "the message",
    ),
    "interval_changed": KindFacts(
        "messages come at another distance", "correct `quiet`", "milliseconds", "milliseconds"
    ),
    "sequence_changed": KindFacts(
        "ids of messages do not follow each other as promised",
        "correct `sequence`",
        "the rule",
        "ids of two messages that follow each other",
    ),
    "stream_refused": KindFacts(
        "the exchange refuses to send the stream",
        "correct `pattern`, or mark the stream `deprecated`",
        "the name of the stream",
        "what it says",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference, once for each shape however often it was met.

    Attributes:
        kind: What is different.
        severity: Whether programs break.
        about: Whether it is an operation or a stream.
        subject: Its id, e.g. ``spot.klines``.
        market: Its market.
        variant: Name of the answer's variant; empty where there is one.
        arguments: The call that met it, by wire name; of a stream, its parameters.
        where: What of the call or stream is different.
        path: Place in wire names: ``symbols[].filters[].minPrice``, ``[][4]`` for a position of a row, ``bids{}`` for
            any value of a map. Of other kinds the parameter, the header or the limit that is meant.
        owner: What the fact belongs to in the spec: the schema, the enum, or for a limit the pool; empty where that is
            the subject itself.
        spec: What the spec says; see ``KINDS``.
        seen: What was met; see ``KINDS``.
        uncertain: Why the spec is not sure of it; what contradicts a fact like that is no more than noted.
    """

    kind: Kind
    severity: Severity
    about: Literal["operation", "stream"]
    subject: str
    market: str
    where: Where
    variant: str = ""
    arguments: Mapping[str, JsonValue]
    path: str = ""
    owner: str = ""
    spec: JsonValue = None
    seen: JsonValue = None
    uncertain: tuple[str, ...] = ()

    @property
    def meaning(self) -> str:
        """What is different, in words."""
        return KINDS[self.kind].meaning

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return KINDS[self.kind].remedy

    def as_json(self) -> dict[str, JsonValue]:
        """All of it, for programs."""
        return {**asdict(self), "arguments": dict(self.arguments), "meaning": self.meaning, "remedy": self.remedy}


@dataclass(frozen=True, slots=True, kw_only=True)
class NotJudged:
    """What could not be compared, and why. That is never drift.

    Attributes:
        about: Whether it is an operation or a stream.
        subject: Its id.
        variant: Name of the answer's variant; empty where there is one, or where none could be asked for.
        what: What was to be compared, e.g. ``the answer``, ``the weight`` or ``the order``.
        because: Why it was not.
    """

    about: Literal["operation", "stream"]
    subject: str
    variant: str = ""
    what: str
    because: str

    def as_json(self) -> dict[str, JsonValue]:
        """All of it, for programs."""
        return asdict(self)


def worst(findings: tuple[Finding, ...]) -> Severity | None:
    """The worst severity among them; None where there are none."""
    met = {finding.severity for finding in findings}
    return next((severity for severity in get_args(Severity) if severity in met), None)
