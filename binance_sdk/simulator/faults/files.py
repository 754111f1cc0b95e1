"""Faults of the archive's files: which kinds there are, and which file has one."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.faults.rules import Rule, Rules, matches, may_be_below

FileFaultKind = Literal[
    "missing_file",
    "late_file",
    "replaced_file",
    "wrong_checksum",
    "missing_checksum",
    "broken_zip",
    "missing_rows",
    "doubled_rows",
    "unsorted_rows",
    "neighbour_rows",
    "other_values",
    "blank_cells",
    "frozen_rows",
    "other_header",
]

_OUTSIDE = frozenset({"missing_file", "late_file", "wrong_checksum", "missing_checksum", "broken_zip"})
"""Faults that leave the rows of a file as they are."""


@dataclass(frozen=True, slots=True)
class FileFault:
    """One thing that can be wrong with a file of the archive. Made by the class methods, each of which is a kind.

    A file has its fault for everyone and every time it is asked for, until the rule is removed; its checksum fits what
    is in it, unless that is the fault.

    Attributes:
        kind: What is wrong.
        days: For how many days after it should have come.
        share: Part of the zip that there is.
        first: Part of the rows before those that are missing.
        last: The same, with the missing ones.
        every: One row in so many is hit.
        rows: How many rows.
        quoted: Whether blank cells are written as two quotes.
    """

    kind: FileFaultKind
    days: float = 0.0
    share: float = 0.5
    first: float = 0.0
    last: float = 0.0
    every: int = 1
    rows: int = 0
    quoted: bool = False

    @classmethod
    def missing_file(cls) -> FileFault:
        """There is no such file: a 404, and nothing in the listing."""
        return cls("missing_file")

    @classmethod
    def late_file(cls, days: float = 2.0) -> FileFault:
        """The file comes so many days late."""
        return cls("late_file", days=_days("late_file", days))

    @classmethod
    def replaced_file(cls, days: float = 3.0) -> FileFault:
        """The second half of its rows is missing, until it is replaced by a whole one so many days later."""
        return cls("replaced_file", days=_days("replaced_file", days), first=0.5, last=1.0)

    @classmethod
    def wrong_checksum(cls) -> FileFault:
        """The checksum is that of another file."""
        return cls("wrong_checksum")

    @classmethod
    def missing_checksum(cls) -> FileFault:
        """There is a zip, and no checksum beside it."""
        return cls("missing_checksum")

    @classmethod
    def broken_zip(cls, share: float = 0.5) -> FileFault:
        """The zip ends after this part of it."""
        if not 0.0 <= share < 1.0:
            raise ValueError(f"broken_zip({share}): the part that is left is from 0 to less than 1")
        return cls("broken_zip", share=share)

    @classmethod
    def missing_rows(cls, first: float = 0.25, last: float = 0.5) -> FileFault:
        """The rows between these two parts of the file are missing."""
        if not 0.0 <= first < last <= 1.0:
            raise ValueError(f"missing_rows({first}, {last}): both are from 0 to 1, the smaller one first")
        return cls("missing_rows", first=first, last=last)

    @classmethod
    def doubled_rows(cls, every: int = 10) -> FileFault:
        """One row in so many stands twice."""
        return cls("doubled_rows", every=_every("doubled_rows", every))

    @classmethod
    def unsorted_rows(cls) -> FileFault:
        """The rows of the second half stand between those of the first."""
        return cls("unsorted_rows")

    @classmethod
    def neighbour_rows(cls, rows: int = 3) -> FileFault:
        """So many rows of the time before stand in front, and as many of the time after behind."""
        if rows < 1:
            raise ValueError(f"neighbour_rows({rows}): at least one")
        return cls("neighbour_rows", rows=rows)

    @classmethod
    def other_values(cls, every: int = 10) -> FileFault:
        """One row in so many says another number than REST does."""
        return cls("other_values", every=_every("other_values", every))

    @classmethod
    def blank_cells(cls, every: int = 10, *, quoted: bool = False) -> FileFault:
        """One row in so many has blank cells: nothing at all, or two quotes."""
        return cls("blank_cells", every=_every("blank_cells", every), quoted=quoted)

    @classmethod
    def frozen_rows(cls) -> FileFault:
        """From the middle on all rows say the same, at their own times."""
        return cls("frozen_rows")

    @classmethod
    def other_header(cls) -> FileFault:
        """A header where there is none usually, or none where there is one."""
        return cls("other_header")

    @property
    def changes_rows(self) -> bool:
        """Whether other lines are in the file."""
        return self.kind not in _OUTSIDE


FileFaultRule = Rule[FileFault]
"""For some files, as ``FileFaults.add`` made it; ``where`` has kinds such as ``archive.spot.klines``, or paths."""


class FileFaults(Rules[FileFault]):
    """The faults of the archive's files. Rules can be added and removed at any time, from any thread.

    Which file is hit follows from its path, not from when it is asked for; only ``count`` goes by the order.
    """

    def __init__(self, names: Iterable[str], folders: Iterable[str], seed: int) -> None:
        """``names`` are all kinds of files, ``folders`` all paths above them, to find patterns that match nothing."""
        super().__init__(f"{seed}/files", "FileFault.broken_zip()")
        self._names, self._folders = frozenset(names), tuple(folders)
        self._seeds: dict[int, str] = {}
        self._found: dict[int, dict[str, FileFault | None]] = {}

    def _insert(
        self,
        faults: tuple[FileFault, ...],
        where: tuple[str, ...],
        probability: float,
        count: int | None,
        seed: int | None,
    ) -> FileFaultRule:
        for pattern in where:
            if not (matches(self._names, (pattern,)) or may_be_below(self._folders, pattern)):
                raise SimulatorError(
                    f"where={pattern!r} matches no file; write a kind like archive.spot.klines, or a path like "
                    "*/daily/klines/*"
                )
        rule = super()._insert(faults, where, probability, count, seed)
        with self._lock:
            self._seeds[rule.number] = f"{self._seed}/{self._made}" if seed is None else str(seed)
        return rule

    def remove(self, rule: FileFaultRule) -> None:
        """Stop a rule: what it hit is as it should be. Twice does no harm."""
        super().remove(rule)
        with self._lock:
            self._found.pop(rule.number, None)

    def clear(self) -> None:
        """Nothing is wrong any more; what was injected stays counted."""
        super().clear()
        with self._lock:
            self._found.clear()

    def of_file(self, names: tuple[str, ...], path: str) -> tuple[FileFault, ...]:
        """What is wrong with a file.

        Args:
            names: Its kind, and what that belongs to.
            path: Its path.
        """
        if not self._rules:
            return ()
        with self._lock:
            found = [self._fault(rule, path) for rule in self._rules if matches((*names, path), rule.where)]
        return tuple(fault for fault in found if fault is not None)

    def _fault(self, rule: FileFaultRule, path: str) -> FileFault | None:
        decided = self._found.setdefault(rule.number, {})
        if path not in decided:
            generator = random.Random(f"{self._seeds[rule.number]}/{path}")
            hit, choice = generator.random(), generator.random()
            fault = None
            if hit < rule.probability and rule.left != 0:
                fault = rule.faults[int(choice * len(rule.faults))]
                rule.left = None if rule.left is None else rule.left - 1
                rule.injected += 1
                self._injected[fault.kind] += 1
            decided[path] = fault
        return decided[path]


def _days(name: str, days: float) -> float:
    if days <= 0:
        raise ValueError(f"{name}({days}): a time above 0")
    return days


def _every(name: str, every: int) -> int:
    if every < 1:
        raise ValueError(f"{name}({every}): one row in at least 1")
    return every
