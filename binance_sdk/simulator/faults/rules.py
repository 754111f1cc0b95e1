"""Rules that say what meets a fault: patterns of names, a share, an end; drawn from a seed, so it can be repeated.

REST and streams have faults of their own and this in common.
"""

from __future__ import annotations

import random
import threading
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


def matches(names: Iterable[str], patterns: Iterable[str]) -> bool:
    """Whether one of the names fits one of the patterns."""
    known = tuple(names)
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in known)


@dataclass(eq=False)
class Rule(Generic[FaultT]):
    """Faults for some of what happens, as ``add`` made it.

    Attributes:
        faults: One of them is drawn each time.
        where: Patterns of names.
        probability: Share of what matches that meets one.
        left: How many more are injected; ``None`` for no end.
        injected: How many were.
    """

    faults: tuple[FaultT, ...]
    where: tuple[str, ...]
    probability: float
    left: int | None
    draws: random.Random = field(repr=False)
    owner: Rules[FaultT] = field(repr=False)
    injected: int = 0

    def remove(self) -> None:
        """Stop injecting. Twice does no harm."""
        self.owner.remove(self)

    def draw(self) -> FaultT | None:
        """A fault, or nothing this time."""
        # Always as many draws: something is hit or missed whatever hit the one before it.
        hit, choice = self.draws.random(), self.draws.random()
        if hit >= self.probability or self.left == 0:
            return None
        if self.left is not None:
            self.left -= 1
        self.injected += 1
        return self.faults[int(choice * len(self.faults))]


class Rules(Generic[FaultT]):
    """Rules that can be added and removed at any time, from any thread."""

    def __init__(self, seed: str, example: str) -> None:
        """``seed`` is where draws come from; ``example`` is shown to who names no fault."""
        self._seed = seed
        self._example = example
        self._rules: list[Rule[FaultT]] = []
        self._made = 0
        self._injected: Counter[str] = Counter()
        self._lock = threading.Lock()

    def _add(
        self,
        faults: tuple[FaultT, ...],
        where: str | Iterable[str],
        probability: float,
        count: int | None,
        seed: int | None,
    ) -> Rule[FaultT]:
        if not faults:
            raise SimulatorError(f"which fault? add({self._example}, ...)")
        if not 0.0 <= probability <= 1.0:
            raise SimulatorError(f"probability={probability} must be from 0 to 1")
        patterns = (where,) if isinstance(where, str) else tuple(where)
        with self._lock:
            self._made += 1
            drawn_from = f"{self._seed}/{self._made}" if seed is None else str(seed)
            rule = Rule(faults, patterns, probability, count, random.Random(drawn_from), self)
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

    def _hit(self, rule: Rule[FaultT]) -> FaultT | None:
        """Draw once, under the lock; a rule that is used up leaves."""
        fault = rule.draw()
        if rule.left == 0:
            self._rules.remove(rule)
        if fault is not None:
            self._injected[fault.kind] += 1
        return fault
