"""The scripts that run inside the store."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class CacheScript:
    """A script, and the digest by which the store names it; nothing is kept secret with that."""

    text: str
    sha: str


@cache
def script(name: str) -> CacheScript:
    """``find``, ``keep`` or ``lock``."""
    text = files("binance_sdk._runtime.calls.shared_cache").joinpath(f"{name}.lua").read_text("utf-8")
    return CacheScript(text, sha1(text.encode(), usedforsecurity=False).hexdigest())
