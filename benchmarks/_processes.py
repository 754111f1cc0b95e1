"""A server in a process of its own, so that only the client's CPU time is measured."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def served(run: Callable[..., None], *arguments: object) -> Iterator[int]:
    """The port of a server; ``run`` takes a queue, into which it puts its port, and the arguments."""
    context = multiprocessing.get_context("spawn")
    ports: Any = context.Queue()
    process = context.Process(target=run, args=(ports, *arguments), daemon=True)
    process.start()
    try:
        yield ports.get(timeout=30)
    finally:
        process.terminate()
        process.join()
