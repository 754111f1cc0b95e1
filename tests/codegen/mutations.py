"""Small changes of a spec file, such as a hand that slips or a day at Binance makes them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Any

Path = tuple[str | int, ...]

_SCALARS: tuple[Any, ...] = (
    0,
    1,
    -1,
    7,
    100,
    10**20,
    True,
    False,
    None,
    "",
    "x",
    "startTime",
    "list<Bar>",
    "any",
    "decimal",
)
_SCALARS += (
    "5m",
    "1 h",
    "/v1/other",
    "{symbol}@x",
    "FILL in a name",
    "\u00b5",
    date(2026, 1, 1),
    [],
    {},
    [1],
    {"a": 1},
    "class",
)


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place below the top."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in items:
        yield (*path, step)
        yield from places(inner, (*path, step))


def mutated(value: Any, random: Random) -> tuple[Any, str]:
    """A copy with one change, and what it is."""
    whole = copy.deepcopy(value)
    path = random.choice(list(places(whole)))
    owner = whole
    for step in path[:-1]:
        owner = owner[step]
    key, old = path[-1], owner[path[-1]]
    kind = random.choice(("drop", "scalar", "near", "near", "rename", "twice", "swap"))
    if kind == "drop":
        del owner[key]
    elif kind == "scalar":
        owner[key] = random.choice(_SCALARS)
    elif kind == "near":
        owner[key] = _near(old, random)
    elif kind == "rename" and isinstance(owner, dict):
        renamed = random.choice((f"{key}2", str(key).upper(), f"other_{key}", ""))
        items = [(renamed if step == key else step, inner) for step, inner in owner.items()]
        owner.clear()
        owner.update(items)
    elif kind == "twice":
        if isinstance(owner, dict):
            owner[f"{key}Again"] = copy.deepcopy(old)
        else:
            owner.append(copy.deepcopy(old))
    else:
        other = random.choice(list(owner) if isinstance(owner, dict) else range(len(owner)))
        owner[key], owner[other] = owner[other], owner[key]
    return whole, f"{kind} {'.'.join(map(str, path))}"


def _near(value: Any, random: Random) -> Any:
    """Something of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return max(value + random.choice((-1, 1, 10, 1000)), 0)
    if isinstance(value, str):
        return random.choice((f"{value}x", f'{value} It\'s "so".', value[:-1], value.swapcase()))
    return value
