"""How a change is felt, and the version that it demands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import IntEnum


class Kind(IntEnum):
    """What a change is for whoever calls the client; the higher weighs more."""

    DOCS = 0
    """Nothing that a program would notice."""
    BEHAVIOURAL = 1
    """The same code does something else: a weight, a bound, a host."""
    ADDITIVE = 2
    """There is more than before, and all that was there is."""
    BREAKING = 3
    """Code that was right is wrong: a name is gone, a type is another, an argument is needed."""

    @property
    def word(self) -> str:
        return self.name.lower()


_LEVELS = {Kind.DOCS: "patch", Kind.BEHAVIOURAL: "minor", Kind.ADDITIVE: "minor", Kind.BREAKING: "major"}
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def demanded(kinds: Iterable[Kind]) -> str | None:
    """``major``, ``minor`` or ``patch``; None where nothing changed."""
    most = max(kinds, default=None)
    return None if most is None else _LEVELS[most]


def numbers(version: str) -> tuple[int, int, int]:
    """``"0.1.0"`` as numbers; what follows them (``rc1``) does not count.

    Raises:
        ValueError: It is no such version.
    """
    match = _VERSION.match(version)
    if match is None:
        raise ValueError(f"`{version}` is no version such as 1.2.3")
    return int(match[1]), int(match[2]), int(match[3])


def next_version(version: str, level: str) -> str:
    """The least version that may follow.

    Before 1.0.0 every level is one place lower, as Cargo and npm read it: 0.2.0 may break what 0.1.0 promised.
    """
    major, minor, patch = numbers(version)
    if major == 0:
        return f"0.{minor + 1}.0" if level == "major" else f"0.{minor}.{patch + 1}"
    if level == "major":
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if level == "minor" else f"{major}.{minor}.{patch + 1}"
