"""What a target of fuzzing is, and how one input is run within bounds."""

from __future__ import annotations

import hashlib
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tests.fuzz.mutating import Mutate

CORPUS = Path(__file__).parent / "corpus"
SECONDS = 5.0
"""Of processor time; the slowest input of the corpus takes a hundredth of it."""
MEBIBYTES = 256
"""By which one input may raise the most memory that the process ever had."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that reads what comes from outside.

    Args:
        name: Its name, and that of its folder in the corpus.
        run: Takes an input and tells whether it was read, or refused as documented (False). It raises whatever else
            comes.
        seeds: Good inputs, made of what the repository has.
        mutate: Makes another input of one.
    """

    name: str
    run: Callable[[bytes], bool]
    seeds: Callable[[], list[bytes]]
    mutate: Mutate

    @property
    def folder(self) -> Path:
        return CORPUS / self.name

    def corpus(self) -> list[Path]:
        """Inputs that are kept: those that failed once, and those that are of use to begin with."""
        return sorted(path for path in self.folder.glob("*") if path.is_file())


class BeyondBoundsError(BaseException):
    """An input took too long or too much memory. Not an ``Exception``: no target may take it for a refusal."""


@contextmanager
def within_bounds() -> Iterator[None]:
    """Raise BeyondBoundsError where what is inside takes too much processor time, or memory."""

    def too_long(number: int, frame: object) -> NoReturn:
        raise BeyondBoundsError(f"it took more than {SECONDS:g} s of processor time")

    before, most = signal.signal(signal.SIGVTALRM, too_long), _most_memory()
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)
    grown = _most_memory() - most
    if grown > MEBIBYTES:
        raise BeyondBoundsError(f"it took {grown:.0f} MiB of memory")


def _most_memory() -> float:
    """In MiB."""
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found / (1024 * 1024 if sys.platform == "darwin" else 1024)


def save(target: Target, data: bytes) -> Path:
    """Put an input into the corpus; its name is that of its bytes, so the same one is kept once."""
    target.folder.mkdir(parents=True, exist_ok=True)
    path = target.folder / f"failed-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    return path
