"""Everything that must hold between nodes of the spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codegen.checks.archive import check_archive
from codegen.checks.books import check_books
from codegen.checks.deprecations import check_deprecations
from codegen.checks.facts import check_facts
from codegen.checks.fixtures import check_fixtures, types_of_answers
from codegen.checks.markets import check_endpoints
from codegen.checks.operations import check_operation
from codegen.checks.schemas import check_schemas
from codegen.checks.streams import check_streams
from codegen.checks.symbols import check_symbols
from codegen.documents import Problem
from codegen.spec_model.spec import Placed, Spec


def check(spec: Spec) -> list[Problem]:
    """Every mistake that no single node can see."""
    problems = list(check_schemas(spec))
    if not problems:
        # A name that is no name at all would be told to be the wrong one as well.
        problems += check_facts(spec)
    for operation in spec.operations.values():
        problems += check_operation(spec, operation)
    problems += _paths(spec)
    problems += _fixtures(spec)
    problems += check_streams(spec)
    problems += check_books(spec)
    problems += check_deprecations(spec)
    problems += check_endpoints(spec)
    problems += check_symbols(spec)
    # What is wrong with a schema would be told again for every example of it, and for files that hold the same.
    return problems or [*check_archive(spec), *check_fixtures(spec)]


def _paths(spec: Spec) -> Iterator[Problem]:
    first: dict[tuple[str, str], Placed[Any]] = {}
    for placed in spec.operations.values():
        other = first.setdefault((placed.scope, placed.value.path), placed)
        if other is not placed:
            text = f"{other.name} has this path too; give one operation several `returns` instead"
            yield placed.problem(text, "path")


def _fixtures(spec: Spec) -> Iterator[Problem]:
    for name in sorted(set(spec.fixtures).difference(types_of_answers(spec))):
        yield Problem(f"fixtures/{name}", 1, "no operation uses this fixture; rename or delete it")
