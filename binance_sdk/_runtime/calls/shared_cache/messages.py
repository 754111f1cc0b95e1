"""What calls say to the thread that speaks to the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from binance_sdk._runtime.calls.shared_cache.stored_answer import AnswerKeys, StoredAnswer

Right = Literal["yours", "theirs", "alone"]


@dataclass(eq=False)
class Question:
    """What a call asks the store, and what the store says. The thread fills it in, and wakes the call."""

    keys: AnswerKeys
    token: str
    """Empty where the right to get the answer is not asked for."""
    most_age: int | None
    """Milliseconds; None as the spec says."""
    worthless: bool
    """What the key holds is known to be of no use."""
    wake: Callable[[], None]
    done: bool = False
    given_up: bool = False
    right: Right = "alone"
    found: StoredAnswer | None = None
    left: float = 0.0
    """Seconds for which it stays valid, from the moment of the question."""
    asked_at: float = 0.0
    away: bool = False
    """The store cannot tell."""
    problem: str = ""
    """What is wrong with what the key holds."""
    failure: str = ""
    """Why the store cannot be used as it is set up."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer on its way into the store."""

    keys: AnswerKeys
    token: str
    answer: StoredAnswer
    received: float
    kept: float
    valid: float


@dataclass(frozen=True, slots=True)
class LetGo:
    """A right on its way back."""

    keys: AnswerKeys
    token: str
    failed: bool


Job = Question | Kept | LetGo | None
"""None wakes the thread."""
