"""Which methods, models and fields of the client a change is about."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from codegen.diff.compare import Difference
from codegen.diff.sides import SHARED, Name, Side
from codegen.names import snake

_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")


@dataclass(frozen=True)
class Affected:
    """By the names that users of the package write."""

    methods: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


class Reach:
    """What can be met in the answers, events and arguments of which methods."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.methods: Mapping[Name, set[str]] = self._walk()

    def _walk(self) -> Mapping[Name, set[str]]:
        found: dict[Name, set[str]] = defaultdict(set)
        for name, thing in self.side.things.items():
            if name.kind not in ("operation", "stream") or not isinstance(thing.value, dict):
                continue
            todo = list(_names(thing.value.get("returns"), thing.value.get("event"), thing.value.get("parameters")))
            seen: set[str] = set()
            while todo:
                text = todo.pop()
                if text in seen:
                    continue
                seen.add(text)
                for kind in ("schema", "enum"):
                    for scope in (name.scope, SHARED):
                        key = Name(kind, scope, text)
                        if key in self.side.things:
                            found[key] |= set(methods_of(name, thing.value))
                            todo += _names(self.side.things[key].value)
                            break
        return found


def _names(*values: Any) -> Iterator[str]:
    """Every name of a class in a value of the YAML; words in prose are no schemas."""
    for value in values:
        if isinstance(value, dict):
            yield from _names(*(inner for key, inner in value.items() if key not in ("description", "summary")))
        elif isinstance(value, list):
            yield from _names(*value)
        elif isinstance(value, str) and " " not in value:
            yield from _NAME.findall(value)


def methods_of(name: Name, value: Any) -> list[str]:
    """The methods that an endpoint or a stream becomes."""
    if name.kind == "stream":
        return [f"client.{name.scope}.streams.{name.name}"]
    paged = isinstance(value, dict) and value.get("paging")
    return [f"client.{name.scope}.{name.name}", *([f"client.{name.scope}.iter_{name.name}"] if paged else [])]


def affected(difference: Difference, old: Reach, new: Reach) -> Affected:
    """What is affected, by the side on which there is more to be seen."""
    name, path = difference.name, difference.path
    thing = new.side.things.get(name) or old.side.things.get(name)
    value = thing.value if thing is not None and isinstance(thing.value, dict) else {}
    if name.kind in ("operation", "stream"):
        return Affected(tuple(methods_of(name, value)), (), tuple(_arguments(name, path, value, difference)))
    if name.kind in ("schema", "enum"):
        methods = old.methods.get(name, set()) | new.methods.get(name, set())
        homes = sorted({method.split(".")[1] for method in methods}) if name.scope == SHARED else [name.scope]
        models = tuple(f"binance_sdk.{home}.{name.name}" for home in homes)
        return Affected(tuple(sorted(methods)), models, tuple(_attributes(name, path, value, difference)))
    if name.kind == "market":
        return Affected((f"client.{name.name}",))
    if name.kind == "pool":
        return Affected(tuple(sorted({f"client.{market}" for market in _drawing(name.name, old.side, new.side)})))
    return Affected()


def _drawing(pool: str, *sides: Side) -> Iterator[str]:
    for side in sides:
        for name, thing in side.things.items():
            if name.kind == "market" and isinstance(thing.value, dict) and thing.value.get("pool") == pool:
                yield name.name


def _arguments(name: Name, path: tuple[str, ...], value: Any, difference: Difference) -> Iterator[str]:
    if len(path) >= 2 and path[0] == "parameters":
        parameter = value.get("parameters", {}).get(path[1]) or difference.old
        yield f"{name.name}({_python(path[1], parameter)})"


def _attributes(name: Name, path: tuple[str, ...], value: Any, difference: Difference) -> Iterator[str]:
    if len(path) < 2:
        return
    if path[0] == "fields":
        field = value.get("fields", {}).get(path[1]) or difference.old
        yield f"{name.name}.{_python(path[1], field)}"
    elif path[0] == "from_name":
        yield f"{name.name}.{path[1]}"
    elif path[0] == "row":
        row = value.get("row") or []
        index = int(path[1].split(" ")[0])
        field = row[index] if index < len(row) else difference.old
        if isinstance(field, dict) and field.get("name"):
            yield f"{name.name}.{field['name']}"


def _python(wire: str, one: Any) -> str:
    return str(one.get("name") or snake(wire)) if isinstance(one, dict) else snake(wire)
