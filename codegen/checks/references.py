"""Names that one node of the spec uses and another must define."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codegen.documents import Problem
from codegen.names import english_list
from codegen.spec_model.explain import did_you_mean
from codegen.spec_model.operations import Operation
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.types import parse_type


def type_exists(spec: Spec, placed: Placed[Any], text: str, *path: str | int) -> Iterator[Problem]:
    """A problem where the type expression ``text`` names no schema and no enum."""
    leaf = parse_type(text).leaf
    if leaf.kind == "name" and not spec.schema(placed.scope, leaf.name) and not spec.enum(placed.scope, leaf.name):
        known = {name for scope, name in (*spec.schemas, *spec.enums) if scope in (placed.scope, "shared")}
        hint = did_you_mean(leaf.name, sorted(known)) or "; define it under `schemas:` or `enums:`"
        yield placed.problem(f"no schema or enum is called `{leaf.name}`{hint}", *path)


def enum_exists(spec: Spec, placed: Placed[Any], name: str, *path: str | int) -> Iterator[Problem]:
    """A problem where no enum is called ``name``."""
    if spec.enum(placed.scope, name) is None:
        known = sorted(other for scope, other in spec.enums if scope in (placed.scope, "shared"))
        hint = did_you_mean(name, known) or "; define it under `enums:`"
        yield placed.problem(f"no enum is called `{name}`{hint}", *path)


def parameter_exists(placed: Placed[Operation], wire: str, *path: str | int) -> Iterator[Problem]:
    """A problem where ``wire`` is not a parameter of the operation."""
    known = placed.value.parameters
    if wire not in known:
        there = f"it has {english_list(list(known))}" if known else "it has none"
        hint = did_you_mean(wire, known) or f"; {there}"
        yield placed.problem(f"`{wire}` is no parameter of this operation{hint}", *path)
