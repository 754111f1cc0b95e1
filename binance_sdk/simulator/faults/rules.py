"""Rules that say what a fault hits, how often and until when; draws come from a seed, so that they can be repeated.

The faults of requests and of streams have this in common.
"""

from __future__ import annotations

import itertools
import random
import re
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Generic, Protocol, TypeVar

from binance_sdk.simulator.errors import SimulatorError


class HasKind(Protocol):
    """What can be injected."""

    @property
    def kind(self) -> str: ...


FaultT = TypeVar("FaultT", bound=HasKind)
RuleT = TypeVar("RuleT")
_NUMBERS = itertools.count(1)


def matches(names: Iterable[str], patterns: Iterable[str]) -> bool:
    """Whether one of the names fits one of the patterns."""
    known = tuple(names)
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in known)


def may_be_below(folders: Iterable[str], pattern: str) -> bool:
    """Whether a pattern of paths can match something below one of these folders."""
    head = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    looks_so = "/" in pattern or pattern.endswith((".zip", ".CHECKSUM"))
    return looks_so and any(folder.startswith(head) or head.startswith(folder) for folder in folders)


@dataclass(eq=False)
class Rule(Generic[FaultT]):
    """Faults for some of what happens, as ``add`` made it.

    Attributes:
        number: Its number, of which there is one in the process.
        faults: One of them is drawn each time.
        where: Patterns of names.
        probability: Share of what matches that meets one.
        left: How many more are injected; ``None`` for no end.
        injected: How many were.
    """

    number: int
    faults: tuple[FaultT, ...]
    where: tuple[str, ...]
    probability: float
    left: int | None
    generator: random.Random = field(repr=False)
    rules: Rules[FaultT] = field(repr=False)
    injected: int = 0

    def remove(self) -> None:
        """Stop injecting. Twice does no harm."""
        self.rules.remove(self)

    def draw(self) -> FaultT | None:
        """A fault, or nothing this time."""
        # Always two draws, so that what is hit does not depend on the draws before it.
        hit, choice = self.generator.random(), self.generator.random()
        if hit >= self.probability or self.left == 0:
            return None
        if self.left is not None:
            self.left -= 1
        self.injected += 1
        return self.faults[int(choice * len(self.faults))]


class RuleBook(ABC, Generic[FaultT, RuleT]):
    """Takes rules: of the simulator in this process, or of one in another process."""

    @abstractmethod
    def _insert(
        self,
        faults: tuple[FaultT, ...],
        where: tuple[str, ...],
        probability: float,
        count: int | None,
        seed: int | None,
    ) -> RuleT:
        """Put a rule in force."""

    def add(
        self,
        *faults: FaultT,
        where: str | Iterable[str] = "*",
        probability: float = 1.0,
        count: int | None = None,
        seed: int | None = None,
    ) -> RuleT:
        """Inject faults from now on. Where several rules match, the first that hits decides.

        Delays of requests are an exception: those of several rules add up. Each event of a stream counts once for each
        connection that gets it.

        Args:
            faults: One of them is drawn for each request (or event, or new connection) that is hit.
            where: What is to be hit: operations (``spot.klines``, ``*.depth``), markets (``futures``), and for
                requests paths (``/fapi/*``), for events the names of streams (``btcusdt@aggTrade``). ``*`` and ``?``
                stand for anything. New connections go by market only.
            probability: Share of what matches that is hit.
            count: How many to hit at most: ``count=3`` is the next three.
            seed: For draws of their own; otherwise they follow from the seed of the simulator and the number of the
                rule, so that the same rules hit the same requests again.

        Raises:
            SimulatorError: There is no fault, a probability is out of range, or a pattern matches nothing.
        """
        return self._insert(faults, (where,) if isinstance(where, str) else tuple(where), probability, count, seed)

    def next(self, count: int, *faults: FaultT, where: str | Iterable[str] = "*") -> RuleT:
        """Inject faults into the next so many requests or events."""
        return self.add(*faults, where=where, count=count)


class Rules(RuleBook[FaultT, Rule[FaultT]]):
    """Rules that can be added and removed at any time, from any thread."""

    def __init__(self, seed: str, example: str) -> None:
        """``seed`` is where draws come from; ``example`` is shown to a caller who names no fault."""
        self._seed = seed
        self._example = example
        self._rules: list[Rule[FaultT]] = []
        self._made = 0
        self._injected: Counter[str] = Counter()
        self._lock = threading.Lock()

    def _insert(
        self,
        faults: tuple[FaultT, ...],
        where: tuple[str, ...],
        probability: float,
        count: int | None,
        seed: int | None,
    ) -> Rule[FaultT]:
        if not faults:
            raise SimulatorError(f"which fault? add({self._example}, ...)")
        if not 0.0 <= probability <= 1.0:
            raise SimulatorError(f"probability={probability} must be from 0 to 1")
        with self._lock:
            self._made += 1
            random_seed = f"{self._seed}/{self._made}" if seed is None else str(seed)
            rule = Rule(next(_NUMBERS), faults, where, probability, count, random.Random(random_seed), self)
            self._rules.append(rule)
        return rule

    def remove(self, rule: Rule[FaultT]) -> None:
        """Stop a rule. Twice does no harm."""
        with self._lock:
            if rule in self._rules:
                self._rules.remove(rule)

    def clear(self) -> None:
        """Nothing goes wrong any more; what was injected stays counted."""
        with self._lock:
            self._rules.clear()
            self._made = 0

    @property
    def rules(self) -> tuple[Rule[FaultT], ...]:
        """The rules in force, in the order in which they are asked."""
        with self._lock:
            return tuple(self._rules)

    @property
    def armed(self) -> bool:
        """Whether anything can go wrong."""
        return bool(self._rules)

    @property
    def injected(self) -> Mapping[str, int]:
        """How many faults were injected, by kind."""
        with self._lock:
            return dict(self._injected)

    def _draw_from(self, rule: Rule[FaultT]) -> FaultT | None:
        """Draw once, under the lock; a rule that is used up is removed."""
        fault = rule.draw()
        if rule.left == 0:
            self._rules.remove(rule)
        if fault is not None:
            self._injected[fault.kind] += 1
        return fault
