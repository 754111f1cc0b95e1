"""Wire names into Python names. Names are decided here, never by a tool downstream."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator, Sequence

from pydantic import BaseModel

_ACRONYM = re.compile(r"([A-Z]+)([A-Z][a-z])")
_BOUNDARY = re.compile(r"([a-z0-9])([A-Z])")

# Parameters and fields that shadow a builtin but are what everybody calls these things.
_ACCEPTED = frozenset({"type", "id"})
# A class body of a model calls no builtin, and a price named `open` is what the documents call it.
_ACCEPTED_FIELDS = frozenset({"open"})

_ROW_METHODS = frozenset({"count", "index", "values", "model_dump", "model_dump_json", "from_wire", "field_names"})

_IMPORTED_IN_BODIES = frozenset({"datetime", "to_datetime"})
"""Names that the annotations of a generated class body use; a field of that name would hide them there."""

RESERVED_CLASSES = frozenset(
    {
        "Annotated",
        "AsyncCaller",
        "BookProcedure",
        "BookRules",
        "AsyncIterator",
        "AsyncStreams",
        "Decimal",
        "DecimalOrNumber",
        "DecimalString",
        "Discriminator",
        "EmptyDecimalString",
        "Field",
        "Iterator",
        "JsonNumber",
        "AnyJson",
        "JsonValue",
        "Literal",
        "Model",
        "RequestOptions",
        "Row",
        "Sequence",
        "Stream",
        "StreamEvent",
        "StreamOperation",
        "StreamOptions",
        "SyncCaller",
        "SyncStream",
        "SyncStreams",
        "TYPE_CHECKING",
        "Tag",
        "ClassVar",
        "NamePartKind",
        "Time",
        "TimeOrDigits",
        "TimeOrZero",
        "TypeAlias",
        "ByTag",
        "UNKNOWN_TAG",
        "Unpack",
    }
)
"""Names that modules with schemas in them import or define for themselves, beside those of ``class_names``."""

RESERVED_MARKETS = frozenset(
    {
        # Folders of the spec, and what lies beside the packages of the markets in ``_generated``.
        *("archive", "schemas", "fixtures", "shared", "spec", "environments", "markets", "sources"),
        # Modules of the package, where a market has one of its name.
        *("adapters", "arithmetic", "base_urls", "batch", "book", "books", "catalogue", "cli", "client", "errors"),
        *("events", "frames", "history", "metrics", "shared_limits", "simulator", "simulator_url", "streams"),
        *("symbols", "verify"),
        # Attributes of a client and of its limits.
        *("aclose", "cache", "close", "drift", "limits", "market", "store", "with_options"),
    }
)
"""Names that a market cannot have: something else that is found by name has them."""
_SUFFIXES = ("", "Raw", "Plan", "Streams", "Market")


def snake(wire: str) -> str:
    """``CMCCirculatingSupply`` as ``cmc_circulating_supply``, ``isRPITrade`` as ``is_rpi_trade``."""
    spaced = _ACRONYM.sub(r"\1_\2", wire)
    return _BOUNDARY.sub(r"\1_\2", spaced).lower()


def pascal(name: str) -> str:
    """``ticker_24hr`` as ``Ticker24hr``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def singular(name: str) -> str:
    """``block_trades`` as ``block_trade``, ``indexes`` as ``index``: one of what a list is called after."""
    if re.search(r"(?:ss|us|is|series|news)$", name):
        return name
    for ending, one in ((r"ies$", "y"), (r"(?<=s|x)es$", ""), (r"(?<=ch|sh)es$", ""), (r"s$", "")):
        if re.search(ending, name):
            return re.sub(ending, one, name)
    return name


def class_names(market: str) -> Iterator[str]:
    """The classes that are generated for a market."""
    yield from (f"{kind}{pascal(market)}{suffix}" for kind in ("Async", "Sync") for suffix in _SUFFIXES)


def shadowing(name: str) -> str | None:
    """Why ``name`` cannot be an argument or a method, or None where it can."""
    if keyword.iskeyword(name):
        return "is a Python keyword"
    if name not in _ACCEPTED and hasattr(builtins, name):
        return "shadows a Python builtin"
    return None


def field_refusal(name: str) -> str | None:
    """Why ``name`` cannot be a field of a model, or None where it can."""
    reason = None if name in _ACCEPTED_FIELDS else shadowing(name)
    if reason is not None:
        return reason
    if hasattr(BaseModel, name):
        return "is a method of every pydantic model"
    if name in ("count", "index"):
        return "is a method of every row, and a fact has one name in models and rows"
    if name.startswith("model_"):
        return "begins with pydantic's own prefix `model_`"
    return "hides what the generated class needs" if name in _IMPORTED_IN_BODIES else None


def position_refusal(name: str) -> str | None:
    """Why ``name`` cannot be a position of a row, or None where it can."""
    if keyword.iskeyword(name):
        return "is a Python keyword"
    if name in _ROW_METHODS:
        return "is a method of every row"
    # `open` is a position of every candle; nothing in the body of a row calls that builtin.
    return "hides what the generated class needs" if name in {*_IMPORTED_IN_BODIES, "property", "int", "str"} else None


def english_list(words: Sequence[str], conjunction: str = "and") -> str:
    """``["a", "b", "c"]`` as ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
