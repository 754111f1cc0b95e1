"""Arguments of ``order_book`` and ``order_books``, checked before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

from typing_extensions import Unpack

from binance_sdk._runtime.book.rules import BookRules
from binance_sdk._runtime.setting_checks import is_number
from binance_sdk._runtime.stream.names import NamedStream, name_streams
from binance_sdk._runtime.stream.operation import StreamOperation
from binance_sdk.errors import ParameterError, shown


@dataclass(frozen=True)
class BookProcedure:
    """How the books of a market are kept.

    Attributes:
        rules: Its rules.
        stream: Its events update a book.
    """

    rules: BookRules
    stream: StreamOperation[object]


@dataclass(frozen=True)
class BookSettings:
    """What was asked for.

    Attributes:
        stream: The kind of their streams.
        speed: Its speed.
        streams: The stream of each book, in the order of the symbols; each symbol once.
        limit: Levels a side of a snapshot.
        share: Part of the usable weight that snapshots may take.
        verify_every: Seconds between two comparisons of a book with a fresh snapshot; None for never.
    """

    stream: StreamOperation[object]
    speed: str
    streams: tuple[NamedStream, ...]
    limit: int
    share: float
    verify_every: float | None

    def named(self, symbols: Iterable[str]) -> tuple[NamedStream, ...]:
        """The streams of these symbols, each once.

        Raises:
            ParameterError: one of them is no symbol.
        """
        return name_streams(self.stream, {"symbol": symbols, "speed": self.speed})


class BookOptions(TypedDict):
    """Arguments of the methods, besides the symbols.

    Attributes:
        limit: Levels a side of a snapshot.
        speed: Time between two messages of the stream.
        share: Part of the usable weight that snapshots may take.
        verify_every: Seconds between two comparisons of a book with a fresh snapshot; None for never.
    """

    limit: int
    speed: str
    share: float
    verify_every: float | None


def check_settings(procedure: BookProcedure, symbols: Iterable[str], **options: Unpack[BookOptions]) -> BookSettings:
    """The settings.

    Raises:
        ParameterError: one of them is none that there is; it names the setting, its value and what it may be.
    """
    limit, share, verify_every = options["limit"], options["share"], options["verify_every"]
    what = f"{procedure.stream.market}.order_book"
    if type(limit) is not int or limit not in procedure.rules.limits:
        _refuse(what, "limit", limit, f"must be {_listed(procedure.rules)}: the levels a side of a snapshot")
    if not (is_number(share) and 0 < share <= 1):
        _refuse(what, "share", share, "must be a number above 0 and at most 1: the part of the weight for snapshots")
    if verify_every is not None and not (is_number(verify_every) and 0 < verify_every < math.inf):
        _refuse(what, "verify_every", verify_every, "must be a number of seconds above 0, or None for never")
    streams = name_streams(procedure.stream, {"symbol": symbols, "speed": options["speed"]})
    return BookSettings(procedure.stream, options["speed"], streams, limit, float(share), verify_every)


def _listed(rules: BookRules) -> str:
    limits = rules.limits
    if isinstance(limits, range):
        return f"an int from {limits[0]} to {limits[-1]}"
    return f"one of {', '.join(str(limit) for limit in limits)}"


def _refuse(what: str, name: str, value: object, remedy: str) -> None:
    raise ParameterError(f"{what}: {name}={shown(value)} {remedy}", operation=what, parameter=name, value=value)
