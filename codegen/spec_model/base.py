"""What every class of the spec model is made of: the strict base, the kinds of names, and how a mistake is raised.

A class of the model raises ``wrong(message, *path)``; ``codegen.load`` turns it into file, line and message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

_WIRE = r"^[A-Za-z][A-Za-z0-9]*$"
_PYTHON = r"^[a-z][a-z0-9_]*$"
_CLASS = r"^[A-Z][A-Za-z0-9]*$"
_DURATION = r"^[1-9][0-9]{0,8}(s|m|h|d)$"
_PATH = r"^/[A-Za-z0-9/_-]+$"
_ATTRIBUTES = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"
_STREAM = r"^[A-Za-z0-9!@_{}:+]+$"
_HEADER = r"^[A-Za-z0-9-]*\{interval\}[A-Za-z0-9-]*$"
_REST_URL = r"^https?://[A-Za-z0-9.:-]+$"
_STREAM_URL = r"^wss?://[A-Za-z0-9.:-]+$"
_INTERVAL = r"^[1-9][0-9]*(s|m|h|d|w|mo|M)$"
_URL = r"^https?://[A-Za-z0-9.:-]+(/[A-Za-z0-9._-]+)*$"
_FOLDER = r"^[A-Za-z]+(/[A-Za-z]+)*$"

ENVIRONMENT = r"^[a-z][a-z0-9_]{0,30}$"
"""Of its own, so that the JSON schema for editors finds it and can put the names there."""

PATTERN_WORDS: Mapping[str, str] = {
    _WIRE: "letters and digits as Binance writes the name, such as `startTime`",
    _PYTHON: "a lower-case name with underscores, such as `start_time`",
    ENVIRONMENT: "the name of an environment, with underscores and up to 31 letters, such as `testnet`",
    _CLASS: "a name that begins with a capital, such as `OrderBook`",
    _DURATION: "a number followed by s, m, h or d, such as `5m`",
    _PATH: "a path that begins with a slash, such as `/api/v3/ping`",
    _ATTRIBUTES: "attributes of an event with dots between them, such as `kline.open_time`",
    _STREAM: "the name of a stream with its parameters in braces, such as `{symbol}@aggTrade`",
    _REST_URL: "the URL of a host without a path, such as `https://api.binance.com`",
    _STREAM_URL: "the URL of a host without a path, such as `wss://stream.binance.com:9443`",
    _INTERVAL: "the length of a bar, such as `5m`, `1M` or `1mo`",
    _URL: "an http or https URL without a slash at its end, such as `https://data.binance.vision`",
    _FOLDER: "names with slashes between them, such as `futures/um`",
    _HEADER: "the name of a header with `{interval}` in it, such as `X-MBX-USED-WEIGHT-{interval}`",
}
"""What each pattern wants, for messages."""


def wrong(message: str, *path: str | int) -> PydanticCustomError:
    """A mistake below the node that is being validated; ``path`` leads to the line to blame."""
    return PydanticCustomError("wrong", "{message}", {"message": message, "path": path})


def _text_of(pattern: str) -> tuple[StringConstraints, BeforeValidator]:
    """A text that looks so. What is no text is told what to write, as quotes alone would not make it right."""

    def check(value: Any) -> Any:
        if isinstance(value, str):
            return value
        plain = isinstance(value, (int, float, date))
        shown = f", not `{str(value).lower() if isinstance(value, bool) else value}`" if plain else ""
        raise wrong(f"must be {PATTERN_WORDS[pattern]}{shown}")

    # In this order, as a constraint around a validator is none that the JSON schema for editors knows of.
    return StringConstraints(pattern=pattern), BeforeValidator(check)


WireName = Annotated[str, *_text_of(_WIRE)]
PythonName = Annotated[str, *_text_of(_PYTHON)]
EnvironmentName = Annotated[str, *_text_of(ENVIRONMENT)]
"""One of ``environments.yaml``: whether it is, is checked when all files are read."""
ClassName = Annotated[str, *_text_of(_CLASS)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Duration = Annotated[str, *_text_of(_DURATION)]
Path = Annotated[str, *_text_of(_PATH)]
AttributePath = Annotated[str, *_text_of(_ATTRIBUTES)]
StreamPattern = Annotated[str, *_text_of(_STREAM)]
HeaderPattern = Annotated[str, *_text_of(_HEADER)]
RestUrl = Annotated[str, *_text_of(_REST_URL)]
StreamUrl = Annotated[str, *_text_of(_STREAM_URL)]
IntervalName = Annotated[str, *_text_of(_INTERVAL)]
Url = Annotated[str, *_text_of(_URL)]
Folder = Annotated[str, *_text_of(_FOLDER)]

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(duration: str) -> int:
    """``"5m"`` as 300."""
    return int(duration[:-1]) * _SECONDS[duration[-1]]


class Node(BaseModel):
    """Base of every class of the model: frozen, strict about types, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        # Before everything else: a misspelt key would also be reported as missing, and one mistake is one message.
        if isinstance(value, Mapping):
            known = [info.alias or name for name, info in cls.model_fields.items()]
            unknown = [key for key in value if key not in known]
            if unknown:
                raise PydanticCustomError("unknown_keys", "unknown keys", {"keys": unknown, "known": known})
        return value


def nodes_below(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[Node, tuple[str | int, ...]]]:
    """Every node in and below a value of the model, with its path."""
    if isinstance(value, Node):
        yield value, path
        for name, info in type(value).model_fields.items():
            yield from nodes_below(getattr(value, name), (*path, info.alias or name))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from nodes_below(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from nodes_below(inner, (*path, index))


def _plain(value: Any) -> Any:
    if not isinstance(value, (int, str, bool)):
        raise wrong("must be a whole number, a text, true or false")
    return value


Plain = Annotated[int | str | bool, BeforeValidator(_plain)]
"""One value a parameter can take; checked at once, so that a wrong one is not reported for each type it is not."""


def told_apart_by(keys: Mapping[str, str], message: str) -> Discriminator:
    """Choose the member of a union by the first of ``keys`` that is there, so that only that member complains.

    Args:
        keys: A key of the file to the tag of the member it selects; ``""`` stands for a plain number.
        message: What to write instead, where no key is there.
    """

    def choose(value: Any) -> str | None:
        if "" in keys and isinstance(value, str) and value.isdecimal():
            return keys[""]  # A number in quotes, which is told to be one.
        if isinstance(value, int) and not isinstance(value, bool):
            return keys.get("")
        if isinstance(value, Mapping):
            return next((tag for key, tag in keys.items() if key and key in value), None)
        return None

    return Discriminator(choose, custom_error_type="no_member", custom_error_message=message)


class Deprecation(Node):
    """That Binance wants something else to be asked for; whoever calls it gets a ``DeprecationWarning``."""

    since: date
    use: PythonName | None = None
    """The endpoint, or the stream, of the same market that takes its place."""
    note: Text | None = None


class Source(Node):
    """Where a fact was read, and the day that document was current."""

    document: Text
    date: date
