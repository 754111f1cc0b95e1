"""What was seen lately of one exchange, kind by kind: counted in slots of time, so that memory does not grow."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from virtuoso_binance.kinds import Kind

__all__ = ["WINDOW_SECONDS", "KindFacts", "Observations", "Tally"]

WINDOW_SECONDS = 300
"""Seconds that count."""
_SLOT = 30_000
_SLOTS = WINDOW_SECONDS * 1000 // _SLOT


@dataclass(frozen=True, slots=True)
class KindFacts:
    """What was seen of one kind of data in the last five minutes.

    Attributes:
        asked: Questions for it.
        failed: Those that brought none.
        faulty: Those that brought some that are stale or wrong.
        checked: Comparisons with other sources.
        disagreed: Those in which the other one said something else.
        data_time: What the newest data are about, epoch milliseconds, however long ago; None where that is not known.
        reason: The newest failure or fault, in words.
    """

    asked: int = 0
    failed: int = 0
    faulty: int = 0
    checked: int = 0
    disagreed: int = 0
    data_time: int | None = None
    reason: str = ""


@dataclass(slots=True)
class _Slot:
    number: int
    asked: int = 0
    failed: int = 0
    faulty: int = 0
    checked: int = 0
    disagreed: int = 0


@dataclass(slots=True)
class Tally:
    """Counts of one kind, or of answers as a whole. Times are epoch milliseconds."""

    data_time: int | None = None
    reason: str = ""
    _slots: deque[_Slot] = field(default_factory=lambda: deque(maxlen=_SLOTS))

    def note(self, now: int, *, data_time: int | None = None, failure: str = "", fault: str = "") -> None:
        """One more answer.

        Args:
            now: When it came.
            data_time: What its data are about.
            failure: Why it brought none; empty where it did.
            fault: Why they are stale or wrong; empty where they are not.
        """
        slot = self._slot(now)
        slot.asked += 1
        if failure:
            slot.failed += 1
        elif fault:
            slot.faulty += 1
        self.reason = failure or fault or self.reason
        if data_time is not None and (self.data_time is None or data_time > self.data_time):
            self.data_time = data_time

    def note_check(self, now: int, agrees: bool) -> None:
        """One more comparison with another source."""
        slot = self._slot(now)
        slot.checked += 1
        slot.disagreed += not agrees

    def _slot(self, now: int) -> _Slot:
        number = now // _SLOT
        # A clock that was set back goes on counting where it was.
        if not self._slots or number > self._slots[-1].number:
            self._slots.append(_Slot(number))
        return self._slots[-1]

    def facts(self, now: int) -> KindFacts:
        """The counts of the slots that are not over for longer than the window."""
        oldest = now // _SLOT - _SLOTS
        # Copied first: a scrape of metrics reads in a thread of its own.
        slots = [slot for slot in list(self._slots) if slot.number > oldest]
        return KindFacts(
            asked=sum(slot.asked for slot in slots),
            failed=sum(slot.failed for slot in slots),
            faulty=sum(slot.faulty for slot in slots),
            checked=sum(slot.checked for slot in slots),
            disagreed=sum(slot.disagreed for slot in slots),
            data_time=self.data_time,
            reason=self.reason,
        )


class Observations:
    """The tallies of one exchange."""

    def __init__(self) -> None:
        self.answers: Tally = Tally()
        """Of ``market_data`` as a whole."""
        self._kinds: dict[Kind, Tally] = {}

    def of(self, kind: Kind) -> Tally:
        """The tally of a kind."""
        found = self._kinds.get(kind)
        if found is None:
            found = self._kinds[kind] = Tally()
        return found

    def facts(self, now: int) -> dict[Kind, KindFacts]:
        """What was seen of each kind that was ever asked for."""
        return {kind: tally.facts(now) for kind, tally in list(self._kinds.items())}

    def forget(self) -> None:
        """Begin anew."""
        self.answers = Tally()
        self._kinds.clear()
