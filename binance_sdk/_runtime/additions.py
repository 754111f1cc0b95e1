"""What answers and messages have that the spec does not list: noticed inside pydantic-core, free where there is none.

A field, a position of a row, a value of an enum or a kind of object that is listed never reaches Python. One that is
not is looked up here: the first time it is noted for the thread that reads, from then on the look-up is all there is.
Which place it has in the answer is found afterwards, once for each that was noted; see ``answers.shape_drift``.
"""

from __future__ import annotations

from threading import get_ident

MOST_AT_A_PLACE = 100
"""Names or values that one place may add before it is no longer watched; a million of them must not fill the memory."""

NOTED: set[int] = set()
"""Threads that have read something new since they looked last; almost always empty, so asking is cheap."""


class Known(dict[str, str]):
    """What one place was seen to have. Its ``__getitem__`` is a C function, to which only what is new is news."""

    __slots__ = ("_owner",)

    def __init__(self, owner: Additions) -> None:
        super().__init__()
        self._owner = owner

    def __missing__(self, text: str) -> str:
        if len(self) < MOST_AT_A_PLACE:
            self[text] = text
            self._owner.met = True
            NOTED.add(get_ident())
        return text


class Additions:
    """What one reader has met beyond the spec, for the watch that it reads for.

    Readers are shared by all clients, and each client wants to be told. So a reader that reads for another watch than
    before forgets what it has met, and notes it again.
    """

    __slots__ = ("_known", "met", "values", "watch")

    def __init__(self) -> None:
        self._known: dict[int, Known] = {}
        self.values: dict[tuple[str, ...], Known] = {}
        """Of enums, by the values that the spec lists."""
        self.watch: object = None
        """Mark of the watch; None where everything is to be noted again."""
        self.met: bool = False

    def at(self, place: int) -> Known:
        """What was met at a place of the schema."""
        return self._known.setdefault(place, Known(self))

    def of_enum(self, listed: tuple[str, ...]) -> Known:
        """Values that were met of an enum."""
        return self.values.setdefault(listed, Known(self))

    def note_for(self, watch: object) -> bool:
        """Note what is new to another watch; returns whether something had to be forgotten for that."""
        self.watch = watch
        return self.forget()

    def forget(self) -> bool:
        """Note everything again; returns whether there was anything."""
        if not self.met:
            return False
        self.met = False
        for known in (*self._known.values(), *self.values.values()):
            known.clear()
        return True

    def release(self) -> None:
        """The next read may be for anybody: whoever it is for is told of everything."""
        self.watch = None


def noted() -> bool:
    """Whether this thread has read something new since it was asked last."""
    if not NOTED:
        return False
    ident = get_ident()
    found = ident in NOTED
    NOTED.discard(ident)
    return found
