"""Weight rules as values: what one request costs, decided by its parameters *in force*.

A parameter in force is the value that was passed or, if none was, the default that the server assumes. ``Arguments``
holds values by wire name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

ArgumentValue = int | str | bool | Sequence[str]
Arguments = Mapping[str, ArgumentValue]


class WeightRule(Protocol):
    """Anything that gives the weight of a request."""

    def weight(self, given: Arguments, in_force: Arguments) -> int: ...

    def edges(self) -> tuple[int, ...]:
        """Values of the deciding parameter just before the weight rises."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same for every request."""

    value: int

    def weight(self, given: Arguments, in_force: Arguments) -> int:
        return self.value

    def edges(self) -> tuple[int, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Bands:
    """By the value of an integer parameter; each step is (inclusive upper bound, weight)."""

    by: str
    steps: tuple[tuple[int, int], ...]
    above: int
    """Weight beyond the last step."""

    def weight(self, given: Arguments, in_force: Arguments) -> int:
        return _step(int_argument(in_force, self.by), self.steps, self.above)

    def edges(self) -> tuple[int, ...]:
        return tuple(upper for upper, _ in self.steps)


@dataclass(frozen=True, slots=True)
class Values:
    """By the value of a parameter that has few values."""

    by: str
    table: Mapping[int | str, int]

    def weight(self, given: Arguments, in_force: Arguments) -> int:
        value = in_force[self.by]
        if isinstance(value, (int, str)) and value in self.table:
            return self.table[value]
        # Parameters are validated before, so only a spec that contradicts itself leads here.
        raise LookupError(f"no weight for {self.by}={value!r}")

    def edges(self) -> tuple[int, ...]:
        return tuple(value for value in self.table if isinstance(value, int))


@dataclass(frozen=True, slots=True)
class Counts:
    """By the number of items in a list parameter."""

    of: str
    steps: tuple[tuple[int, int], ...]
    above: int

    def weight(self, given: Arguments, in_force: Arguments) -> int:
        return _step(count_argument(given, self.of), self.steps, self.above)

    def edges(self) -> tuple[int, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class PerItem:
    """So much for each item of a list parameter, at most ``cap`` in all."""

    of: str
    each: int
    cap: int | None = None

    def weight(self, given: Arguments, in_force: Arguments) -> int:
        total = self.each * count_argument(given, self.of)
        return total if self.cap is None else min(total, self.cap)

    def edges(self) -> tuple[int, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Cases:
    """By the first case whose parameter was passed; the case ``None`` always applies."""

    cases: tuple[tuple[str | None, WeightRule], ...]

    def weight(self, given: Arguments, in_force: Arguments) -> int:
        for name, rule in self.cases:
            if name is None or name in given:
                return rule.weight(given, in_force)
        names = ", ".join(str(name) for name, _ in self.cases)
        raise LookupError(f"no weight without one of {names}")

    def edges(self) -> tuple[int, ...]:
        return tuple(edge for _, rule in self.cases for edge in rule.edges())


def _step(value: int, steps: tuple[tuple[int, int], ...], above: int) -> int:
    for upper, weight in steps:
        if value <= upper:
            return weight
    return above


def int_argument(arguments: Arguments, name: str) -> int:
    value = arguments[name]
    if not isinstance(value, int):
        raise TypeError(f"{name} is {value!r}, not an int")
    return value


def count_argument(arguments: Arguments, name: str) -> int:
    value = arguments[name]
    return 1 if isinstance(value, (str, int)) else len(value)
