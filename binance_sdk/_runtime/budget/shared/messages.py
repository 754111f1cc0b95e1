"""The reply of the script, checked value by value: whatever can write to the store can write what is read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

Table = dict[str, dict[int, int]]
"""Limits by kind (weight, or the name of a group) and length in seconds."""

_MOST = 10**15
_WORDS: Mapping[bytes, Literal["stale", "unknown"]] = {b'{"stale":true}': "stale", b'{"unknown":true}': "unknown"}

Count = Annotated[int, Field(ge=0, le=_MOST)]
Index = Annotated[int, Field(ge=-1, le=_MOST)]
Seconds = Annotated[float, Field(ge=0, le=_MOST, allow_inf_nan=False)]
ShortText = Annotated[str, Field(max_length=200, pattern=r"^[^\p{C}\p{Zl}\p{Zp}]*$")]
_Least = Annotated[int, Field(ge=1, le=_MOST)]


class ReplyError(Exception):
    """The store answered something that the script never answers."""


@with_config(ConfigDict(strict=True))
@dataclass(frozen=True, slots=True)
class Reply:
    """What the store says to one message. Its time is a text, so that it comes back with all of its digits."""

    granted: Annotated[str, Field(pattern="^[01]*$")]
    """For each want, in order: 1 or 0."""
    short: dict[str, tuple[Annotated[float, Field(ge=-1, le=_MOST)], Count]]
    """Windows without room: seconds until there may be some, -1 if nobody knows, and the amount that was refused."""
    taken: dict[str, tuple[Index, Index, Index, Index, bool]]
    """What the store knew of a window when it gave out an amount: see ``Snapshot``."""
    used: dict[str, Count]
    version: ShortText
    """Of the limits in force."""
    settled: Count
    """Number of the last ending that counts."""
    doubted: bool
    """It does not know what was spent in a running window."""
    live: Count
    """Processes."""
    shares: Annotated[float, Field(gt=0, le=_MOST, allow_inf_nan=False)]
    """Of all of them."""
    now: Annotated[str, Field(pattern=r"^[0-9]{1,14}\.[0-9]{6}$")]
    """Time of the store."""
    closed: Seconds
    """Seconds from then for which nothing may be sent, and for which the address is banned."""
    banned: Seconds
    reason: ShortText
    in_a_row: tuple[Count, Count, Count]
    """Refusals since a request of anybody passed: 429, 403 and 418."""
    table: (
        dict[str, tuple[Literal["fixed", "sliding"], Annotated[list[tuple[_Least, _Least]], Field(min_length=1)]]]
        | None
    ) = None
    """Limits in force, where the message named others; by kind, with lengths in seconds."""

    @property
    def limits(self) -> Table:
        """Those of ``table``."""
        return {kind: dict(pairs) for kind, (_, pairs) in (self.table or {}).items()}


@cache
def _adapter() -> TypeAdapter[Reply]:
    return TypeAdapter(Reply)


def read_reply(text: bytes | str) -> Reply | Literal["stale", "unknown"]:
    """A reply, or its only word: ``stale`` (overtaken by a later message) or ``unknown`` (limits are to be told).

    Raises:
        ReplyError: it is neither.
    """
    word = _WORDS.get(text if isinstance(text, bytes) else text.encode())
    if word is not None:
        return word
    try:
        return _adapter().validate_json(text)
    except ValidationError as error:
        raise reply_error(error) from None


def reply_error(error: ValidationError) -> ReplyError:
    """Says which value is wrong, and shows nothing of it."""
    first = error.errors(include_url=False, include_input=False)[0]
    return ReplyError(f"{'.'.join(map(str, first['loc'])) or 'reply'}: {first['msg']}")
