"""A YAML or JSON text as nodes that know their places in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

Step = str | int

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""In C, where PyYAML was built with it: ten times as fast."""
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s+)*")


@dataclass
class Spot:
    """A node with its place in the text.

    Attributes:
        kind: What it is.
        begin: Where it begins, with its anchor.
        start: Where its content begins.
        end: Behind its last character.
        column: Of its content.
        anchor: Its name, or that of an alias.
        is_flow: Written in braces, brackets or as one text.
        value: Of a scalar.
        children: Of a mapping with their keys, of a sequence without.
    """

    kind: Literal["mapping", "sequence", "scalar", "alias"]
    begin: int
    start: int
    end: int
    column: int = 0
    anchor: str = ""
    is_flow: bool = True
    value: str = ""
    children: list[tuple[Spot | None, Spot]] = field(default_factory=list["tuple[Spot | None, Spot]"])

    def child(self, step: Step) -> Spot | None:
        """The value of a key, or the item at an index."""
        found = self.entry(step)
        return found and found[1]

    def entry(self, step: Step) -> tuple[Spot | None, Spot] | None:
        """The same with its key."""
        if self.kind == "sequence" and isinstance(step, int):
            return self.children[step] if 0 <= step < len(self.children) else None
        for key, value in self.children if self.kind == "mapping" else ():
            if key is not None and key.kind == "scalar" and key.value == str(step):
                return key, value
        return None


def all_spots(spot: Spot) -> Iterator[Spot]:
    """Every node, in the order of the text."""
    yield spot
    for key, value in spot.children:
        if key is not None:
            yield from all_spots(key)
        yield from all_spots(value)


def read_tree(text: str) -> Spot:
    """The root of a text.

    Raises:
        yaml.YAMLError: it is no YAML.
    """
    return _Tree(text).read()


def _index(mark: Any) -> int:
    return int(mark.index)


class _Tree:
    """Reads a text into nodes that know their places, aliases as they are written."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._events = iter(yaml.parse(text, Loader=_LOADER))

    def read(self) -> Spot:
        for event in self._events:
            if isinstance(event, yaml.NodeEvent):
                return self._node(event)
        return Spot("mapping", 0, 0, 0)

    def _node(self, event: yaml.NodeEvent) -> Spot:
        begin, end = _index(event.start_mark), _index(event.end_mark)
        if isinstance(event, yaml.AliasEvent):
            return Spot("alias", begin, begin, end, anchor=event.anchor or "")
        properties = _PROPERTIES.match(self._text, begin)
        start = begin if properties is None else properties.end()
        column = start - (self._text.rfind("\n", 0, start) + 1)
        anchor = event.anchor or ""
        if isinstance(event, yaml.ScalarEvent):
            return Spot("scalar", begin, start, end, column, anchor, value=event.value)
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        spot = Spot("mapping" if is_mapping else "sequence", begin, start, end, column, anchor)
        spot.is_flow = bool(getattr(event, "flow_style", True))
        for following in self._events:
            if isinstance(following, yaml.CollectionEndEvent):
                spot.end = _index(following.end_mark)
                break
            if not isinstance(following, yaml.NodeEvent):
                continue
            first = self._node(following)
            if not is_mapping:
                spot.children.append((None, first))
                continue
            value = next(self._events)
            assert isinstance(value, yaml.NodeEvent)
            spot.children.append((first, self._node(value)))
        return spot
