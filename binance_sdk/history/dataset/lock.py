"""One run at a time on a dataset, and how the next one knows that the last one is dead.

Who wants to run writes a claim under a name of its own, then looks whether there are others. Of two that come at once
at least one sees the other and withdraws, on a folder as in an object store, which has no other way to keep two apart.
The claims of the dead are in nobody's way: whoever finds one removes it.
"""

from __future__ import annotations

import os
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from pydantic import TypeAdapter, ValidationError

from binance_sdk.errors import DatasetError
from binance_sdk.history.dataset.files import Storage
from binance_sdk.history.dataset.layout import CLAIMS

BEAT = 15.0
"""Seconds after which a claim says again that its owner is alive."""

SILENCE = 120.0
"""Seconds without that after which an owner on another machine is dead, by clocks that may be some seconds apart."""

_FRESH = 2.0
"""Seconds within which another claim may be that of one who has come at the same time and will withdraw."""

_TRIES = 6


@dataclass(frozen=True, slots=True)
class Claim:
    """Who runs on a dataset, or wants to.

    Attributes:
        host: Name of the machine.
        machine: What tells machines apart that have the same name, since their last start.
        pid: The process.
        started: When the process started, in the machine's own count; empty where it does not tell.
        since: When the claim was made, in seconds since 1970.
        alive_at: When the owner last said that it lives, likewise.
    """

    host: str
    machine: str
    pid: int
    started: str
    since: float
    alive_at: float


_CLAIM = TypeAdapter(Claim)


class DatasetLock:
    """The right to run on a dataset, from entering to leaving.

    Attributes:
        path: Where its claim lies in the dataset.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._sleep = sleep
        self._ended = threading.Event()
        self._lost = False
        self._thread: threading.Thread
        self.path: str = f"{CLAIMS}/{secrets.token_hex(8)}.json"

    def __enter__(self) -> DatasetLock:
        for attempt in range(_TRIES):
            now = self._clock()
            claim = Claim(socket.gethostname(), _machine(), os.getpid(), _started(os.getpid()) or "", now, now)
            try:
                self._storage.put(self.path, _CLAIM.dump_json(claim))
                others = self._others()
                if not others:
                    self._thread = threading.Thread(
                        target=self._beat, args=(claim,), name="binance-sdk-dataset-lock", daemon=True
                    )
                    self._thread.start()
                    return self
            except BaseException:
                with suppress(DatasetError):
                    self._storage.delete(self.path)
                raise
            self._storage.delete(self.path)
            if attempt == _TRIES - 1 or all(now - other.since > _FRESH for other in others):
                raise self._refused(others[0])
            self._sleep(random.uniform(0.02, 0.2))
        raise AssertionError("the last try ends the loop")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        if error is None:
            self.ensure_held()
        self._storage.delete(self.path)

    def ensure_held(self) -> None:
        """Do nothing while the right is held.

        Raises:
            DatasetError: Another run has taken it over, as this one did not say for minutes that it is alive.
        """
        if self._lost:
            text = (
                f"{self._storage.url}: another run has taken this dataset over, as this one was not heard of for "
                f"{SILENCE:.0f} s (was the machine asleep?); start it again when the other one has ended"
            )
            raise DatasetError(text, path=self._storage.url)

    def _beat(self, claim: Claim) -> None:
        while not self._ended.wait(BEAT):
            # A storage that cannot be reached now may be there for the next beat.
            with suppress(DatasetError):
                if self._storage.read(self.path) is None:
                    self._lost = True
                    return
                self._storage.put(self.path, _CLAIM.dump_json(replace(claim, alive_at=self._clock())))

    def _others(self) -> list[Claim]:
        """Claims of the living; those of the dead are removed."""
        found: list[Claim] = []
        for file in self._storage.files(CLAIMS):
            if file.path == self.path or not file.path.endswith(".json"):
                continue
            data = self._storage.read(file.path)
            if data is None:
                continue
            try:
                claim = _CLAIM.validate_json(data)
            except ValidationError as error:
                where = self._storage.location(file.path)
                text = f"{where} is no claim of a run; remove it where no run is at work"
                raise DatasetError(text, path=where) from error
            if self._alive(claim):
                found.append(claim)
            else:
                self._storage.delete(file.path)
        return sorted(found, key=lambda claim: claim.since)

    def _alive(self, claim: Claim) -> bool:
        if claim.machine != _machine() or os.name == "nt":
            return self._clock() - claim.alive_at < SILENCE
        started = _started(claim.pid)
        return started is not None and started == claim.started

    def _refused(self, other: Claim) -> DatasetError:
        since = f"{datetime.fromtimestamp(other.since, UTC):%Y-%m-%d %H:%M:%S}"
        text = (
            f"{self._storage.url} is in use by process {other.pid} on {other.host} since {since} UTC; "
            "wait for it to end, or choose another folder"
        )
        return DatasetError(text, path=self._storage.url)


def _machine() -> str:
    """This machine since it started, and the space that its process ids hold in: containers have their own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def _started(pid: int) -> str | None:
    """When a process of this machine started; empty where that is not told, None where it does not run."""
    try:
        # The name in parentheses may have anything in it, but no field after it.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        if Path("/proc/self/stat").exists() or os.name == "nt":
            return None
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            return ""
        return ""
    # A zombie has ended; only its parent has not asked yet.
    return None if fields[0] in "ZX" else fields[19]
