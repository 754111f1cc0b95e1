"""Where in the YAML a fact stands, and where in the examples an object of a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from binance_sdk.verify.finding import Finding
from codegen.checks.fixtures import types_of_answers
from codegen.checks.operations import fixture_name
from codegen.proposing.workspace import Workspace
from codegen.proposing.yaml_text import Path
from codegen.spec_model.schemas import ObjectSchema, RowSchema, Schema, UnionSchema
from codegen.spec_model.spec import SHARED, STREAMS, Placed, Spec
from codegen.spec_model.types import TypeRef, parse_type

FIXTURES = "fixtures"

_LAST = re.compile(r"(?P<key>[^.\[\]{}]+)(?P<containers>(?:\[\]|\{\})*)$")
_POSITION = re.compile(r"\[(?P<index>\d+)\]$")


class ByHandError(Exception):
    """A program cannot make this change.

    Args:
        file: Where to make it, below the spec.
        why: Why not, or what to do.
        path: Where in the file.
    """

    def __init__(self, file: str, why: str, path: Path = ()) -> None:
        super().__init__(why)
        self.file, self.why, self.path = file, why, path


def owner_of(spec: Spec, finding: Finding) -> Placed[Schema]:
    """The schema that a finding is about."""
    placed = spec.events.get((finding.market, finding.owner)) if finding.about == "stream" else None
    placed = placed or spec.schema(finding.market, finding.owner)
    if placed is None:
        raise ByHandError(file_of(spec, finding), "no schema is meant, but the answer as a whole")
    return placed


def file_of(spec: Spec, finding: Finding) -> str:
    """The file with the operation or stream of a finding."""
    return subject_of(spec, finding).document.file


def subject_of(spec: Spec, finding: Finding) -> Placed[Any]:
    """The operation or stream of a finding."""
    name = finding.subject.partition(".")[2]
    found: Placed[Any] | None
    if finding.about == "stream":
        found = spec.streams.get((finding.market, name))
    else:
        found = spec.operations.get((finding.market, name))
    if found is None:
        raise ByHandError("markets.yaml", f"the spec has no {finding.about} `{finding.subject}`")
    return found


def last_key(path: str) -> tuple[str, str]:
    """The key at the end of a path, and the containers behind it: ``orderTypes`` and ``[]``."""
    match = _LAST.search(path)
    return (match["key"], match["containers"]) if match else ("", "")


def position_of(path: str) -> int | None:
    """The position of a row that a path ends with."""
    match = _POSITION.search(path)
    return int(match["index"]) if match else None


def wire_path(path: Path) -> str:
    """A path of an example as findings write it: ``symbols[].filters[]``."""
    text = ""
    for step in path:
        text += "[]" if isinstance(step, int) else f".{step}" if text else step
    return text


def field_place(spec: Spec, placed: Placed[Schema], key: str) -> tuple[str, Path]:
    """File and path of a field, in the schema that it was taken over from where it was."""
    found: Placed[Schema] | None = placed
    while found is not None and isinstance(found.value, ObjectSchema):
        if key in found.value.fields:
            return found.document.file, (*found.path, "fields", key)
        found = spec.schema(found.scope, found.value.extends) if found.value.extends else None
    raise ByHandError(placed.document.file, f"{placed.name} has no field `{key}`", placed.path)


# -------------------------------------------------------------------------------------- examples


def own_fixtures(spec: Spec, finding: Finding) -> list[str]:
    """The examples of what a finding is about."""
    name = finding.subject.partition(".")[2]
    if finding.about == "stream":
        return [f"{finding.market}/{STREAMS}/{name}.json"]
    returns = subject_of(spec, finding).value.returns
    return [
        fixture_name(finding.market, name, suffix)
        for variant in returns
        if (variant.variant or "") == finding.variant
        for suffix in variant.fixture_suffixes
    ]


def occurrences(
    workspace: Workspace, owner: Placed[Schema], market: str | None = None
) -> Iterator[tuple[str, Path, Any]]:
    """Every value of a schema in the examples, or in those of a market: file below the spec, path and value."""
    spec = workspace.spec
    types = types_of_answers(spec)
    types |= {
        f"{market}/{STREAMS}/{name}.json": (market, placed.value.event)
        for (market, name), placed in spec.streams.items()
    }
    for name, (scope, type_) in sorted(types.items()):
        if owner.scope not in (scope, SHARED) or market not in (scope, None):
            continue
        file = f"{FIXTURES}/{name}"
        value = json.loads(workspace.text(file).text)
        yield from ((file, path, one) for path, one in _within(spec, scope, parse_type(type_), value, (), owner))


def _within(
    spec: Spec, scope: str, type_: TypeRef, value: Any, path: Path, owner: Placed[Schema]
) -> Iterator[tuple[Path, Any]]:
    if type_.item is not None:
        items: list[tuple[int | str, Any]] = []
        if isinstance(value, dict):
            items = [*value.items()]
        elif isinstance(value, list):
            items = [*enumerate(value)]
        for step, inner in items:
            yield from _within(spec, scope, type_.item, inner, (*path, step), owner)
        return
    placed = spec.schema(scope, type_.name) if type_.kind == "name" else None
    if placed is None:
        return
    if placed is owner:
        yield path, value
    schema = placed.value
    if isinstance(schema, UnionSchema) and isinstance(value, dict):
        member = schema.members.get(value.get(schema.discriminator, ""))
        if member is not None:
            yield from _within(spec, scope, parse_type(member), value, path, owner)
    elif not isinstance(schema, RowSchema) and isinstance(value, dict):
        for wire, field in spec.fields(scope, schema).items():
            if wire in value:
                yield from _within(spec, scope, parse_type(field.type), value[wire], (*path, wire), owner)
