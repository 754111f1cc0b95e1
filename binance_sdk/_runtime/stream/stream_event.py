"""The base of every stream event: a model that also knows where it came from."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self, TypeVar, cast

from binance_sdk._runtime.answers.model import Model

EventT = TypeVar("EventT", bound="StreamEvent")
NamePartKind = Literal["int", "string"]


class StreamEvent(Model):
    """One message of a stream, as the exchange sent it.

    ``stream`` and ``filled`` are not fields: they are never dumped, and two events with the same fields are equal
    whatever connection brought them.
    """

    # Slots and not private attributes of pydantic, which would cost a function call for every message.
    __slots__ = ("_filled", "_stream")

    _told_by_name: ClassVar[tuple[tuple[str, NamePartKind], ...]] = ()
    """Name and kind of each property that the name of the stream tells."""

    @property
    def stream(self) -> str:
        """Name of the stream as subscribed, e.g. ``btcusdt@aggTrade``; empty for an event made by hand."""
        return cast(str, getattr(self, "_stream", ""))

    @property
    def filled(self) -> bool:
        """Whether it was fetched over REST after a gap; what REST does not know is unset then."""
        return cast(bool, getattr(self, "_filled", False))

    def __getstate__(self) -> dict[Any, Any]:
        return {**super().__getstate__(), "__origin__": (self.stream, self.filled)}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        stream, filled = state.pop("__origin__", ("", False))
        super().__setstate__(state)
        mark_stream(self, stream)
        mark_filled(self, filled)

    def __copy__(self) -> Self:
        return _with_origin(super().__copy__(), self)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return _with_origin(super().__deepcopy__(memo), self)


# The setters of the slots themselves: a frozen model refuses every other way, and they are the fastest.
mark_stream = cast("Callable[[StreamEvent, str], None]", StreamEvent.__dict__["_stream"].__set__)
mark_filled = cast("Callable[[StreamEvent, bool], None]", StreamEvent.__dict__["_filled"].__set__)


def part_of_name(event: StreamEvent, part: str, *patterns: str) -> str:
    """What the name of an event's stream says of ``part``, a group of the ``patterns``; empty where it says nothing."""
    for pattern in patterns:
        found = re.fullmatch(pattern, event.stream)
        if found is not None:
            return found[part]
    return ""


def _with_origin(copy: EventT, original: StreamEvent) -> EventT:
    mark_stream(copy, original.stream)
    mark_filled(copy, original.filled)
    return copy
