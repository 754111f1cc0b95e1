"""What a change of each word of the spec is for callers.

Every word of the model stands here, and a test says which is missing; one that is not is told as behavioural, never
passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from codegen.diff.kinds import Kind
from codegen.rendering.docstrings import python_type
from codegen.spec_model.archive import (
    ArchiveColumn,
    ArchiveFile,
    ArchiveKind,
    ArchiveMarket,
    ArchiveTerms,
    ArchiveTwin,
)
from codegen.spec_model.base import Deprecation, Node, Source
from codegen.spec_model.books import Book
from codegen.spec_model.dictionary import Fact, NamesFile
from codegen.spec_model.errors import ErrorCode, ErrorsFile, ErrorStatus, StatusOverride
from codegen.spec_model.markets import (
    Environment,
    EnvironmentsFile,
    HostUrls,
    Limit,
    MarketEntry,
    MarketsFile,
    Names,
    Pool,
    StreamLimits,
    Symbols,
)
from codegen.spec_model.operations import Cache, Operation, Paging, SpecFile, Teaches, Variant, When
from codegen.spec_model.parameters import Parameter
from codegen.spec_model.schemas import Enum, ObjectSchema, RowPosition, RowSchema, SchemaField, UnionSchema
from codegen.spec_model.streams import (
    Fill,
    OwnRows,
    PeriodBy,
    Quiet,
    Sequence,
    StreamNode,
    StreamParameter,
    StreamsFile,
)
from codegen.spec_model.types import parse_type

IsEnum = Callable[[str], bool]
"""Whether a name is that of an enum, where the change is."""
Judge = Callable[[Any, Any, IsEnum], Kind]


@dataclass(frozen=True)
class Rule:
    """The kind of a change by what happened to a word, or to an entry of it."""

    added: Kind
    removed: Kind
    changed: Kind | Judge
    whole: bool = False
    """Compared as one value, whatever it holds."""

    @property
    def is_prose(self) -> bool:
        """A record of a release keeps only the digest."""
        return self.whole and {self.added, self.removed, self.changed} == {Kind.DOCS}


def _flag(on: Kind, off: Kind) -> Rule:
    return Rule(on, off, lambda _, new, __: on if new else off)


DOCS = Rule(Kind.DOCS, Kind.DOCS, Kind.DOCS, whole=True)
BEHAVIOURAL = Rule(Kind.BEHAVIOURAL, Kind.BEHAVIOURAL, Kind.BEHAVIOURAL)
VALUE = replace(BEHAVIOURAL, whole=True)
NAMED = Rule(Kind.ADDITIVE, Kind.BREAKING, Kind.BREAKING)
"""What callers write: a name, or something with one."""
OPTION = Rule(Kind.ADDITIVE, Kind.BREAKING, Kind.BEHAVIOURAL)
"""What can be had, and how it works."""
TEXTS = Rule(Kind.ADDITIVE, Kind.BREAKING, Kind.DOCS)
"""Names with what they mean."""
UNKNOWN = BEHAVIOURAL


def _field_type(old: str, new: str, is_enum: IsEnum) -> Kind:
    """The type of a value that callers read."""
    was, now = _annotation(old, is_enum), _annotation(new, is_enum)
    if was.replace("<enum>", "str") != now.replace("<enum>", "str"):
        return Kind.BREAKING
    if "time" in old and "time" not in new:
        return Kind.BREAKING  # Its `_dt` view is gone.
    more = "time" in new and "time" not in old
    return Kind.ADDITIVE if more or now.count("<enum>") > was.count("<enum>") else Kind.BEHAVIOURAL


def _annotation(text: str, is_enum: IsEnum) -> str:
    try:
        type_ = parse_type(text)
    except ValueError:
        return text
    name = type_.leaf.name
    whole = python_type(type_)
    return whole.replace(name, "<enum>") if type_.leaf.kind == "name" and is_enum(name) else whole


_WIDER = {("int", "time"), ("id", "time"), ("enum", "string"), ("enum", "symbol")}
_ALIKE = ({"int", "id"}, {"string", "symbol", "utc_offset"})


def _parameter_type(old: str, new: str, _: IsEnum) -> Kind:
    """The type of a value that callers write."""
    if (old, new) in _WIDER:
        return Kind.ADDITIVE
    return Kind.BEHAVIOURAL if any({old, new} <= group for group in _ALIKE) else Kind.BREAKING


def _security(old: str, new: str, _: IsEnum) -> Kind:
    if new == "api_key":
        return Kind.BREAKING  # A client without a key is refused by itself.
    return Kind.ADDITIVE if old == "api_key" else Kind.BEHAVIOURAL


Words = Mapping[str, Rule]

RULES: Mapping[type[Node], Words] = {
    Operation: {
        "summary": DOCS,
        "description": DOCS,
        "path": VALUE,
        "method": VALUE,
        "security": Rule(Kind.BREAKING, Kind.ADDITIVE, _security),
        "weight": VALUE,
        "groups": BEHAVIOURAL,
        "used_weight_header": VALUE,
        "parameters": NAMED,
        "rules": BEHAVIOURAL,
        "returns": NAMED,
        "paging": OPTION,
        "cache": BEHAVIOURAL,
        "hosts": NAMED,
        "order": VALUE,
        "sorted": DOCS,  # `order` says the same.
        "since": DOCS,
        "deprecated": BEHAVIOURAL,
        "teaches": BEHAVIOURAL,
        "errors": Rule(Kind.BEHAVIOURAL, Kind.BEHAVIOURAL, Kind.DOCS),
        "notes": DOCS,
        "observed": DOCS,
        "uncertain": DOCS,
        "source": DOCS,
    },
    Parameter: {
        "type": Rule(Kind.BREAKING, Kind.BREAKING, _parameter_type),
        "pair": VALUE,
        "description": DOCS,
        "name": Rule(Kind.BREAKING, Kind.BREAKING, Kind.BREAKING),
        "required": _flag(Kind.BREAKING, Kind.ADDITIVE),
        "list": _flag(Kind.BREAKING, Kind.BREAKING),
        "enum": Rule(Kind.BREAKING, Kind.ADDITIVE, Kind.BREAKING),
        "default": VALUE,
        "default_note": VALUE,
        "min": VALUE,
        "max": VALUE,
        "above": VALUE,
        "values": NAMED,
        "max_items": VALUE,
        "pattern": VALUE,
        "pattern_note": DOCS,
        "uncertain": DOCS,
        "source": DOCS,
    },
    Variant: {
        "type": Rule(Kind.BREAKING, Kind.BREAKING, _field_type),
        "variant": Rule(Kind.DOCS, Kind.DOCS, Kind.DOCS),  # Only what two specs are compared by.
        "when": Rule(Kind.BREAKING, Kind.BREAKING, Kind.BREAKING, whole=True),
        "example": DOCS,
        "fixtures": DOCS,
    },
    When: dict.fromkeys(("given", "absent", "equals"), Rule(Kind.BREAKING, Kind.BREAKING, Kind.BREAKING)),
    Paging: dict.fromkeys(Paging.model_fields, VALUE),
    Cache: {"ttl": VALUE, "until_close_of": VALUE},
    Teaches: {"time": VALUE, "limits": VALUE},
    SchemaField: {
        "type": Rule(Kind.BREAKING, Kind.BREAKING, _field_type),
        "description": DOCS,
        "name": Rule(Kind.BREAKING, Kind.BREAKING, Kind.BREAKING),
        "optional": _flag(Kind.BREAKING, Kind.BEHAVIOURAL),
        "nullable": _flag(Kind.BREAKING, Kind.BEHAVIOURAL),
        "empty": _flag(Kind.BREAKING, Kind.BEHAVIOURAL),
        "zero_means_none": _flag(Kind.BREAKING, Kind.BEHAVIOURAL),
        "live_only": _flag(Kind.BREAKING, Kind.BEHAVIOURAL),
        "unused": DOCS,
        "uncertain": DOCS,
        "source": DOCS,
    },
    ObjectSchema: {"description": DOCS, "fields": NAMED, "extends": NAMED, "from_name": TEXTS, "source": DOCS},
    RowPosition: {
        "name": Rule(Kind.ADDITIVE, Kind.BREAKING, Kind.BREAKING),
        "type": Rule(Kind.BREAKING, Kind.BREAKING, _field_type),
        "description": DOCS,
        "unused": DOCS,  # `name` says the same.
        "uncertain": DOCS,
        "source": DOCS,
    },
    RowSchema: {
        "description": DOCS,
        "row": NAMED,
        "replaces_shared": Rule(Kind.BREAKING, Kind.BREAKING, Kind.BREAKING),
        "source": DOCS,
    },
    UnionSchema: {
        "description": DOCS,
        "discriminator": NAMED,
        "members": NAMED,
        "unknown": NAMED,
        "source": DOCS,
    },
    Enum: {
        "description": DOCS,
        "values": Rule(Kind.ADDITIVE, Kind.BREAKING, Kind.DOCS),
        "open": _flag(Kind.ADDITIVE, Kind.BREAKING),
        "uncertain": DOCS,
        "source": DOCS,
    },
    StreamNode: {
        "summary": DOCS,
        "description": DOCS,
        "pattern": VALUE,
        "event": Rule(Kind.BREAKING, Kind.BREAKING, _field_type),
        "event_type": VALUE,
        "route": VALUE,
        "speed": VALUE,
        "parameters": NAMED,
        "quiet": VALUE,
        "sequence": BEHAVIOURAL,
        "fill": OPTION,
        "key": VALUE,
        "since": DOCS,
        "deprecated": BEHAVIOURAL,
        "notes": DOCS,
        "observed": DOCS,
        "uncertain": DOCS,
        "source": DOCS,
    },
    Deprecation: {"since": DOCS, "use": VALUE, "note": DOCS},
    StreamParameter: {
        "description": DOCS,
        "pair": VALUE,
        "type": NAMED,
        "enum": NAMED,
        "values": NAMED,
        "listed_by": DOCS,  # Only what compares the exchange with the spec reads it.
        "texts": Rule(Kind.ADDITIVE, Kind.BREAKING, Kind.BEHAVIOURAL),
        "default": VALUE,
        "uncertain": DOCS,
        "source": DOCS,
    },
    Quiet: dict.fromkeys(Quiet.model_fields, VALUE),
    PeriodBy: dict.fromkeys(PeriodBy.model_fields, VALUE),
    Sequence: dict.fromkeys(Sequence.model_fields, VALUE),
    Fill: dict.fromkeys(Fill.model_fields, VALUE),
    OwnRows: {"description": DOCS, "field": VALUE, "values": BEHAVIOURAL},
    Environment: {"description": DOCS, "pool": VALUE, "uncertain": DOCS},
    Limit: {
        "limit": VALUE,
        "interval": VALUE,
        "description": DOCS,
        "every_request": VALUE,
        "uncertain": DOCS,
        "source": DOCS,
    },
    Pool: {"used_weight_header": VALUE, "weight": BEHAVIOURAL, "groups": BEHAVIOURAL},
    HostUrls: {"rest": BEHAVIOURAL, "stream": BEHAVIOURAL, "uncertain": DOCS},
    MarketEntry: {
        "title": DOCS,
        "description": DOCS,
        "paths": DOCS,  # Only the checks of the spec read it.
        "pool": VALUE,
        "probe": VALUE,
        "streams": BEHAVIOURAL,
        "symbols": OPTION,
        "book": OPTION,
        "hosts": NAMED,
    },
    Symbols: {
        "example": DOCS,
        "pattern": VALUE,
        "uncertain": DOCS,
        "pairs": BEHAVIOURAL,
        "listed_by": VALUE,
        "traded": DOCS,  # Only what compares the exchange with the spec reads it.
        "prices_from": VALUE,
        "contract_size": VALUE,
    },
    Names: {"example": DOCS, "pattern": VALUE, "uncertain": DOCS},
    Book: {
        "description": DOCS,
        "snapshot": VALUE,
        "stream": VALUE,
        "limit": VALUE,
        "speed": VALUE,
        "joins_after": VALUE,
        "source": DOCS,
    },
    StreamLimits: {
        "messages_a_second": VALUE,
        "streams_a_connection": VALUE,
        "connections": BEHAVIOURAL,
        "routes": Rule(Kind.BEHAVIOURAL, Kind.BEHAVIOURAL, Kind.DOCS),
    },
    ErrorCode: {"name": VALUE, "meaning": DOCS, "means": VALUE},
    ErrorStatus: {"meaning": DOCS, "remedy": DOCS},
    StatusOverride: {"status": VALUE, "says": VALUE, "means": VALUE},
    ArchiveKind: {
        "description": DOCS,
        "columns": NAMED,
        **dict.fromkeys(("folder", "key", "time", "cadence", "sequence", "frozen_after"), VALUE),
        "markets": NAMED,
        "notes": DOCS,
        "source": DOCS,
    },
    ArchiveMarket: {
        "periods": OPTION,
        "intervals": NAMED,
        "columns": NAMED,
        "by": VALUE,
        "rest": OPTION,
        "first": VALUE,
        "ended": VALUE,
        "notes": DOCS,
        "uncertain": DOCS,
        "source": DOCS,
    },
    ArchiveColumn: {
        "wire": VALUE,
        "name": Rule(Kind.BREAKING, Kind.BREAKING, Kind.BREAKING),
        "type": Rule(Kind.ADDITIVE, Kind.BREAKING, Kind.BREAKING),
        "description": DOCS,
        "unused": DOCS,  # `type` says the same.
        "scale": Rule(Kind.BREAKING, Kind.BREAKING, Kind.BREAKING),  # Data that was kept has another type.
        "nullable": _flag(Kind.BREAKING, Kind.BEHAVIOURAL),
        "milliseconds": VALUE,
        "above_zero": VALUE,
        "uncertain": DOCS,
        "source": DOCS,
    },
    # What is uncertain, a remark of each piece says.
    ArchiveTwin: dict.fromkeys(ArchiveTwin.model_fields, BEHAVIOURAL),
    ArchiveTerms: dict.fromkeys(ArchiveTerms.model_fields, VALUE),
    ArchiveFile: {
        "description": DOCS,
        "source": DOCS,
        **dict.fromkeys(("url", "listing_url", "terms", "folders", "spellings", "unpadded_until"), BEHAVIOURAL),
    },
    Fact: dict.fromkeys(Fact.model_fields, DOCS),
    Source: {"document": DOCS, "date": DOCS},
    SpecFile: {"description": DOCS, "source": DOCS, "hosts": DOCS},
    StreamsFile: {"description": DOCS, "source": DOCS, "own_rows": BEHAVIOURAL},
    MarketsFile: {"description": DOCS, "source": DOCS},
    EnvironmentsFile: {"description": DOCS, "source": DOCS},
    ErrorsFile: {
        "description": DOCS,
        "source": DOCS,
        "bodies": BEHAVIOURAL,
        "mistakes": DOCS,  # Only what compares the exchange with the spec reads it.
    },
    NamesFile: {"description": DOCS},
}
"""By class of the model and key of the YAML. What holds things with names is in ``codegen.diff.sides.TABLES``."""

THINGS: Mapping[str, Rule] = {
    "operation": NAMED,
    "stream": NAMED,
    "schema": NAMED,
    "enum": NAMED,
    "market": NAMED,
    "environment": NAMED,
    "pool": BEHAVIOURAL,
    "status": BEHAVIOURAL,
    "code": BEHAVIOURAL,
    "fact": DOCS,
    "archive": NAMED,
    "file": DOCS,
}
"""What it is that a thing is there, or gone, by its kind."""
