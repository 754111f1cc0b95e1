"""Compares two specs thing by thing and word by word, along the model and not along a list of words."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic_core import PydanticUndefined

from codegen.diff.kinds import Kind
from codegen.diff.rules import RULES, THINGS, UNKNOWN, Rule
from codegen.diff.sides import ORDERED, SHARED, Name, Side, Thing, digest
from codegen.spec_model.archive import ArchiveColumn, ArchiveKind, ArchiveTwin
from codegen.spec_model.base import Node
from codegen.spec_model.dictionary import Fact
from codegen.spec_model.editor_schema import plain
from codegen.spec_model.errors import ErrorCode, ErrorStatus
from codegen.spec_model.files import model_of
from codegen.spec_model.markets import Environment, MarketEntry, Pool
from codegen.spec_model.operations import Operation, Variant
from codegen.spec_model.schemas import Enum, ObjectSchema, RowPosition, RowSchema, UnionSchema
from codegen.spec_model.streams import StreamNode

How: TypeAlias = Literal["added", "removed", "changed"]
Path: TypeAlias = tuple[str, ...]

_CLASSES: Mapping[str, type[Node]] = {
    "operation": Operation,
    "stream": StreamNode,
    "enum": Enum,
    "market": MarketEntry,
    "pool": Pool,
    "environment": Environment,
    "status": ErrorStatus,
    "code": ErrorCode,
    "fact": Fact,
    "archive": ArchiveKind,
}
_KNOWN_BY: Mapping[type[Node], str] = {ArchiveColumn: "wire", ArchiveTwin: "operation"}
"""The word by which the items of a list are told apart."""
_UNUSED = " (unused)"
ORDER = "order"
"""In the place of a word, where nothing but the order of names differs."""
_ASKED_BY = {"operation": "path", "stream": "pattern"}
"""What a thing is at Binance, whatever we call it."""


@dataclass(frozen=True)
class Difference:
    """One word, one entry of it, or a whole thing, that is not the same in both."""

    name: Name
    path: Path
    """Keys of the YAML below the thing; empty where the thing itself came or went."""
    how: How
    kind: Kind
    old: Any
    new: Any
    word: str = ""
    """The word of the model that it is about."""
    known: bool = True
    """False for a word that this version of the generator does not know."""
    renamed: str | None = None
    """What the thing is called now."""


def class_of(name: Name, value: Any) -> type[Node]:
    """The class of the model that describes a thing."""
    if name.kind == "file":
        return model_of(name.name)
    if name.kind == "schema":
        keys = value if isinstance(value, dict) else {}
        return RowSchema if "row" in keys else UnionSchema if "discriminator" in keys else ObjectSchema
    return _CLASSES[name.kind]


def compare(old: Side, new: Side) -> list[Difference]:
    """Everything that differs, in the order of the specs."""
    found: list[Difference] = []
    pairs, gone, come = _paired(old, new)
    for before, after in pairs:
        walk = _Walk(old, new, after)
        if before.name != after.name:
            # What it holds is compared with what it was.
            kind = Kind.BREAKING
            found.append(Difference(before, (), "changed", kind, before.name, after.name, renamed=after.name))
        found += walk.things(old.things[before], new.things[after])
    lost, won = old.markets - new.markets, new.markets - old.markets
    for names, side, markets in ((gone, old, lost), (come, new, won)):
        is_new = side is new
        for name in names:
            rule, value = THINGS[name.kind], side.things[name].value
            if name.scope in markets:
                continue  # A market says it for all that it has.
            if name.kind == "market" and name.name not in markets:
                rule = UNKNOWN  # It was there, or still is, described elsewhere.
            kind = rule.added if is_new else rule.removed
            found.append(
                Difference(
                    name,
                    (),
                    "added" if is_new else "removed",
                    kind,
                    None if is_new else value,
                    value if is_new else None,
                )
            )
    found += _orders(old, new)
    found += _examples(old, new, lost | won)
    return found


def _orders(old: Side, new: Side) -> Iterator[Difference]:
    """Files that hold the same in another order, where that says something."""
    for file in old.orders.keys() & new.orders.keys():
        before, after = old.orders[file], new.orders[file]
        word = ORDERED[model_of(file)]
        # The first environment is the default; the ports of a market are moved by what is put in front of it too.
        places = [(before.index(name), after.index(name)) for name in before if name in after]
        moved = before[:1] != after[:1] if word == "environments" else any(was != now for was, now in places)
        if moved:
            yield Difference(Name("file", "", file), (word,), "changed", Kind.BEHAVIOURAL, before, after, ORDER)


def _paired(old: Side, new: Side) -> tuple[list[tuple[Name, Name]], list[Name], list[Name]]:
    """What is there on both sides, what only before, and what only after."""
    pairs = [(name, name) for name in old.things if name in new.things]
    gone = [name for name in old.things if name not in new.things]
    come = [name for name in new.things if name not in old.things]
    for name in list(gone):
        match = _moved(name, new, come) or _renamed(name, old, new, come)
        if match is not None:
            pairs.append((name, match))
            gone.remove(name)
            come.remove(match)
    return pairs, gone, come


def _moved(name: Name, new: Side, come: list[Name]) -> Name | None:
    """A schema that two markets now share is still where it was for each of them."""
    if name.scope == SHARED:
        mine = [other for other in come if (other.kind, other.name) == (name.kind, name.name)]
        # Whoever has none of its own has lost it.
        return mine[0] if mine and {other.scope for other in mine} == new.markets else None
    shared = Name(name.kind, SHARED, name.name)
    return shared if shared in come else None


def _renamed(name: Name, old: Side, new: Side, come: list[Name]) -> Name | None:
    key = _ASKED_BY.get(name.kind)
    value = old.things[name].value
    for other in come:
        if (other.kind, other.scope) != (name.kind, name.scope) or name.kind == "file":
            continue
        now = new.things[other].value
        if key is not None and isinstance(value, dict) and isinstance(now, dict):
            same = value.get(key) == now.get(key)
        else:
            same = value == now
        if same:
            return other
    return None


def _examples(old: Side, new: Side, markets: set[str]) -> Iterator[Difference]:
    for file in sorted(old.fixtures.keys() | new.fixtures.keys()):
        before, after = old.fixtures.get(file), new.fixtures.get(file)
        if before != after and file.partition("/")[0] not in markets:
            how: How = "added" if before is None else "removed" if after is None else "changed"
            yield Difference(Name("fixture", "", f"fixtures/{file}"), (), how, Kind.DOCS, before, after)


def strip(annotation: Any) -> Any:
    """``annotation`` without its metadata and without None."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [strip(member) for member in get_args(annotation) if member is not type(None)]
        return rest[0] if len(rest) == 1 else annotation
    return annotation


def is_node(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Node)


@cache
def _fields(cls: type[Node]) -> dict[str, tuple[Any, Any]]:
    """Key of the YAML to the type of its value and to what holds where it is left out."""
    found: dict[str, tuple[Any, Any]] = {}
    for name, info in cls.model_fields.items():
        default = info.get_default(call_default_factory=True, validated_data={})
        found[info.alias or name] = (info.annotation, None if default is PydanticUndefined else plain(default))
    return found


def _positional(value: Any) -> list[str]:
    """Parameters of an endpoint that may be given by position, in the order of its method."""
    table = value.get("parameters") if isinstance(value, dict) else None
    parameters = table if isinstance(table, dict) else {}
    needed = {wire for wire, one in parameters.items() if isinstance(one, dict) and one.get("required")}
    return sorted((wire for wire in parameters if wire in needed or wire == "symbol"), key=lambda w: w not in needed)


@dataclass
class _Walk:
    """Along one thing of both specs."""

    old: Side
    new: Side
    name: Name

    def things(self, old: Thing, new: Thing) -> Iterator[Difference]:
        before, after = class_of(self.name, old.value), class_of(self.name, new.value)
        if before is not after:
            yield Difference(self.name, (), "changed", Kind.BREAKING, old.value, new.value)
            return
        yield from self.node(after, old.value, new.value, ())
        if after is Operation:
            first, then = _positional(old.value), _positional(new.value)
            first, then = ([name for name in one if name in other] for one, other in ((first, then), (then, first)))
            if first != then:
                yield Difference(self.name, ("parameters",), "changed", Kind.BREAKING, first, then, ORDER)

    def node(self, cls: type[Node], old: Any, new: Any, path: Path) -> Iterator[Difference]:
        if not isinstance(old, dict) or not isinstance(new, dict):
            yield from self.changed(UNKNOWN, path[-1] if path else "", old, new, path)
            return
        if old == new:
            return
        fields = _fields(cls)
        for key in dict.fromkeys([*fields, *old, *new]):
            if key not in fields:
                if old.get(key) != new.get(key):
                    yield from self.changed(UNKNOWN, key, old.get(key), new.get(key), (*path, key), known=False)
                continue
            annotation, default = fields[key]
            rule = RULES.get(cls, {}).get(key, UNKNOWN)
            before, after = old.get(key, default), new.get(key, default)
            yield from self.value(annotation, rule, key, before, after, (*path, key))

    def value(self, annotation: Any, rule: Rule, word: str, old: Any, new: Any, path: Path) -> Iterator[Difference]:
        if old == new or (rule.is_prose and _digest(old) == _digest(new)):
            return
        annotation = strip(annotation)
        arguments = get_args(annotation)
        if rule.whole or old is None or new is None:
            yield from self.changed(rule, word, old, new, path)
        elif get_origin(annotation) is dict and isinstance(old, dict) and isinstance(new, dict):
            for key in dict.fromkeys([*old, *new]):
                before, after = old.get(key), new.get(key)
                if key in old and key in new:
                    yield from self.value(arguments[1], rule, word, before, after, (*path, key))
                else:
                    yield from self.changed(rule, word, before, after, (*path, key))
        elif get_origin(annotation) is list and isinstance(old, list) and isinstance(new, list):
            yield from self.items(strip(arguments[0]), rule, word, old, new, path)
        elif is_node(annotation):
            yield from self.node(annotation, old, new, path)
        else:
            yield from self.changed(rule, word, old, new, path)

    def items(
        self, item: Any, rule: Rule, word: str, old: list[Any], new: list[Any], path: Path
    ) -> Iterator[Difference]:
        before, after = _keyed(item, old), _keyed(item, new)
        for key in dict.fromkeys([*before, *after]):
            if key in before and key in after:
                yield from self.value(item, rule, word, before[key], after[key], (*path, key))
            else:
                yield from self.changed(rule, word, before.get(key), after.get(key), (*path, key))
        if before.keys() == after.keys() and list(before) != list(after):
            yield from self.changed(rule, word, old, new, path)

    def changed(
        self, rule: Rule, word: str, old: Any, new: Any, path: Path, *, known: bool = True
    ) -> Iterator[Difference]:
        how: How = "added" if old is None else "removed" if new is None else "changed"
        kind = self.kind(how, rule, word, old, new, path)
        yield Difference(self.name, path, how, kind, old, new, word, known)

    def kind(self, how: How, rule: Rule, word: str, old: Any, new: Any, path: Path) -> Kind:
        if how == "changed":
            return rule.changed if isinstance(rule.changed, Kind) else rule.changed(old, new, self.is_enum)
        is_new = how == "added"
        value = new if is_new else old
        if word == "parameters" and is_new and len(path) == 2 and isinstance(new, dict):
            # What nobody can leave out is no addition.
            is_needed = new.get("required") or (self.name.kind == "stream" and "default" not in new)
            return Kind.BREAKING if is_needed else rule.added
        if word == "values" and path[0] == "parameters" and isinstance(value, list):
            # A list of values where any was taken, or the other way round.
            return Kind.BREAKING if is_new else Kind.ADDITIVE
        if word == "row" and path[-1].endswith(_UNUSED):
            return Kind.DOCS
        return rule.added if is_new else rule.removed

    def is_enum(self, name: str) -> bool:
        sides = (self.old, self.new)
        return any(side.find("enum", self.name.scope, name) is not None for side in sides)


def without_prose(side: Side) -> Side:
    """A spec as the record of a release keeps it: of texts for people only the digests."""
    things = {name: Thing(_digested(class_of(name, thing.value), thing.value)) for name, thing in side.things.items()}
    return replace(side, things=things)


def _digested(annotation: Any, value: Any) -> Any:
    annotation = strip(annotation)
    arguments = get_args(annotation)
    if is_node(annotation) and isinstance(value, dict):
        fields = _fields(annotation)
        rules = RULES.get(annotation, {})
        return {
            key: _digest(inner)
            if key in rules and rules[key].is_prose
            else _digested(fields[key][0] if key in fields else None, inner)
            for key, inner in value.items()
        }
    if get_origin(annotation) is dict and isinstance(value, dict):
        return {key: _digested(arguments[1], inner) for key, inner in value.items()}
    if get_origin(annotation) is list and isinstance(value, list):
        return [_digested(arguments[0], inner) for inner in value]
    return value


def _digest(value: Any) -> str | None:
    return None if value in (None, [], {}) else digest(value)


def _keyed(item: Any, values: list[Any]) -> dict[str, Any]:
    """Items of a list by what they are known by: a name, their place, or what they are."""
    if item is Variant:
        return {str(value.get("variant") or "the answer"): value for value in values if isinstance(value, dict)}
    if item is RowPosition:
        return {f"{index}{_UNUSED if value.get('unused') else ''}": value for index, value in enumerate(values)}
    if item in _KNOWN_BY:
        return {str(value.get(_KNOWN_BY[item])): value for value in values if isinstance(value, dict)}
    return {value if isinstance(value, str) else json.dumps(value, sort_keys=True): value for value in values}
