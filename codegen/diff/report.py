"""Differences as people and programs read them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pydantic import ValidationError

from codegen.diff.affected import Affected, Reach, affected
from codegen.diff.compare import ORDER, Difference, compare
from codegen.diff.kinds import Kind, demanded, next_version
from codegen.diff.sides import Name, Side
from codegen.names import english_list
from codegen.rendering import words
from codegen.spec_model.operations import Operation

_MOST_NAMES = 6
"""So many names of methods in a line for people."""


@dataclass(frozen=True)
class Change:
    """A difference with what it means for callers."""

    difference: Difference
    subject: str
    text: str
    affected: Affected
    place: str | None
    """``file:line`` in the new spec, or in the old one where it is gone."""

    @property
    def kind(self) -> Kind:
        return self.difference.kind


def changes(old: Side, new: Side) -> list[Change]:
    """Every change, the gravest first."""
    before, after = Reach(old), Reach(new)
    found = [
        Change(
            difference,
            subject(difference.name),
            _text(difference, old, new),
            affected(difference, before, after),
            _place(difference, old, new),
        )
        for difference in compare(old, new)
    ]
    return sorted(found, key=lambda change: -change.kind)


def subject(name: Name) -> str:
    """What a thing is called in a report."""
    if name.kind == "stream":
        return f"{name.scope}.streams.{name.name}"
    return f"{name}" if name.kind in ("operation", "schema", "enum", "fixture") else f"{name.kind} {name}"


def _place(one: Difference, old: Side, new: Side) -> str | None:
    for side in (new, old):
        thing = side.things.get(one.name)
        if thing is not None and not (side is new and one.how == "removed" and old.things.get(one.name)):
            return thing.place(*one.path)
    return None


# --------------------------------------------------------------------------------------------- words


def _text(one: Difference, old: Side, new: Side) -> str:
    if one.renamed is not None:
        return f"is called `{one.renamed}` now"
    if not one.path:
        return _whole(one, old if one.how == "removed" else new)
    where = _where(one.path)
    if one.word == ORDER:
        return f"{where} in another order: {', '.join(one.old)} -> {', '.join(one.new)}"
    if not one.known:
        return f"`{where}`, which this version of the generator does not know, {_what(one.old, one.new)}"
    if one.word == "weight" and one.name.kind == "operation":
        before, after = (_weight(side.things[one.name].value) for side in (old, new))
        return f"weight: {before} -> {after}"
    if one.word == "deprecated" and one.how == "added" and isinstance(one.new, dict):
        return f"is deprecated: {'use `{}`'.format(one.new['use']) if 'use' in one.new else 'nothing takes its place'}"
    if one.word == "description" or (one.kind is Kind.DOCS and isinstance(one.new or one.old, (str, list))):
        return f"{where}: {'reworded' if one.how == 'changed' else one.how}"
    return f"{where}: {_what(one.old, one.new)}"


def _whole(one: Difference, side: Side) -> str:
    if one.how == "changed":
        return "is another kind of thing" if one.name.kind != "fixture" else "the example is another one"
    if one.name.kind == "market":
        scope = one.name.name
        counts = [
            f"{sum(name.kind == kind and name.scope == scope for name in side.things)} {word}"
            for kind, word in (("operation", "endpoints"), ("stream", "streams"))
        ]
        return f"{'new' if one.how == 'added' else 'gone'}, with {english_list(counts)}"
    what = {"operation": "endpoint", "fixture": "example"}.get(one.name.kind, one.name.kind)
    return f"{'new' if one.how == 'added' else 'gone'}: {'an' if what[0] in 'aeiou' else 'a'} {what}"


def _where(path: Sequence[str]) -> str:
    return ".".join(path)


def _what(old: Any, new: Any) -> str:
    if old is None:
        return f"added {_shown(new)}"
    return f"removed {_shown(old)}" if new is None else f"{_shown(old)} -> {_shown(new)}"


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _weight(value: Any) -> str:
    try:
        priced = {key: value[key] for key in ("summary", "path", "weight", "cache")}
        priced |= {"parameters": value.get("parameters", {}), "returns": [{"type": "any", "example": {}}]}
        operation = Operation.model_validate_json(json.dumps(priced))
        return words.weight(operation.weight, operation, left_out=False)
    except (ValidationError, KeyError, TypeError):
        # Of a spec that the generator refuses, or that is older than its model.
        return _shown(value.get("weight") if isinstance(value, dict) else value)


# -------------------------------------------------------------------------------------------- reports


def version_after(found: Sequence[Change], old: Side) -> tuple[str | None, str | None]:
    """The level that the changes demand, and the least version, where that of the old spec is known."""
    level = demanded(change.kind for change in found)
    return level, None if level is None or old.version is None else next_version(old.version, level)


def text_report(found: Sequence[Change], old: Side, new: Side) -> Iterator[str]:
    """Lines for people."""
    if not found:
        yield f"{new.label} says what {old.label} says"
        return
    for kind, group in groupby(found, key=lambda change: change.kind):
        members = list(group)
        yield f"{kind.word} ({len(members)})"
        for change in members:
            place = f"  [{change.place}]" if change.place else ""
            yield f"  {change.subject}: {change.text}{place}"
            named = english_list(_few(change.affected.fields) or _few(change.affected.methods))
            if named and change.difference.path:
                yield f"    concerns {named}"
        yield ""
    level, version = version_after(found, old)
    yield f"demands: {level}" + (f", {version} after {old.version}" if version else "")


def _few(names: Sequence[str]) -> list[str]:
    more = len(names) - _MOST_NAMES
    return [*names[:_MOST_NAMES], *([f"{more} more"] if more > 0 else [])]


def json_report(found: Sequence[Change], old: Side, new: Side) -> str:
    """The same for programs."""
    level, version = version_after(found, old)
    value = {
        "old": old.label,
        "new": new.label,
        "changes": [
            {
                "kind": change.kind.word,
                "thing": change.difference.name.kind,
                "name": change.subject,
                "how": change.difference.how,
                "path": list(change.difference.path),
                "old": change.difference.old,
                "new": change.difference.new,
                "text": change.text,
                "methods": list(change.affected.methods),
                "models": list(change.affected.models),
                "fields": list(change.affected.fields),
                "place": change.place,
            }
            for change in found
        ],
        "demands": level,
        "version": version,
    }
    return json.dumps(value, ensure_ascii=False, indent=2)
