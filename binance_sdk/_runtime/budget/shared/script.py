"""The script that runs inside the store, and the name of the key it runs on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from hashlib import sha1
from importlib.resources import files
from urllib.parse import quote

POOL_PARTS = (
    "fixed_window.lua",
    "sliding_window.lua",
    "fairness.lua",
    "turns.lua",
    "clock.lua",
    "limits.lua",
    "pool.lua",
)
PARTS = (*POOL_PARTS, "sync.lua")


@cache
def source(names: tuple[str, ...]) -> str:
    """The parts of a script, one after the other."""
    directory = files("binance_sdk._runtime.budget.shared")
    return "\n".join(directory.joinpath(name).read_text("utf-8") for name in names)


@dataclass(frozen=True, slots=True)
class Script:
    """The script for one key.

    It ends in the name of the key, so that each key has a script of its own in the store: that the store does not know
    it is the sign, free of cost, that the store may have been restarted since this key was last used.
    """

    key: str
    text: str = field(init=False, repr=False)
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        text = f"{source(PARTS)}-- {self.key}\n"
        object.__setattr__(self, "text", text)
        # The store names scripts by this digest; nothing is kept secret with it.
        object.__setattr__(self, "sha", sha1(text.encode(), usedforsecurity=False).hexdigest())


def pool_key(limits_key: str, pool: str) -> str:
    """The key of a pool; one hash slot for all pools of one ``limits_key``, whatever characters that has."""
    return f"binance-sdk:{{{quote(limits_key, safe='')}}}:{quote(pool, safe='')}"
