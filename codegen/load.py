"""Reads the folder ``spec/`` into one ``Spec``, or says in which file and line it is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from codegen.documents import Document, Problem, SpecError, parse
from codegen.explain import explain
from codegen.spec_model import (
    Enum,
    EnvironmentsFile,
    ErrorsFile,
    Host,
    LimitsFile,
    Market,
    Operation,
    Schema,
    Source,
    SpecFile,
)

NodeT = TypeVar("NodeT")
ModelT = TypeVar("ModelT", bound=BaseModel)

MARKETS: tuple[Market, ...] = ("spot", "futures")
SCOPES: tuple[str, ...] = ("shared", "spot", "futures")
_FOLDERS = {"shared": "schemas", "spot": "spot", "futures": "futures"}


@dataclass(frozen=True)
class Placed(Generic[NodeT]):
    """A node of the spec together with where it was written."""

    name: str
    scope: str
    value: NodeT
    document: Document
    path: tuple[str | int, ...]

    def problem(self, message: str, *path: str | int) -> Problem:
        return Problem(self.document.file, self.document.line(*self.path, *path), f"{self.name}: {message}")


@dataclass
class Spec:
    """All files together. ``scope`` of a node is ``shared``, ``spot`` or ``futures``."""

    folder: Path
    environments: EnvironmentsFile
    limits: LimitsFile
    errors: ErrorsFile
    enums: dict[tuple[str, str], Placed[Enum]] = field(default_factory=dict)
    schemas: dict[tuple[str, str], Placed[Schema]] = field(default_factory=dict)
    operations: dict[tuple[str, str], Placed[Operation]] = field(default_factory=dict)
    sources: dict[tuple[str, str], Source] = field(default_factory=dict)
    hosts: dict[tuple[str, str], list[Host]] = field(default_factory=dict)
    fixtures: dict[str, bytes] = field(default_factory=dict)
    """File name below ``fixtures/`` to its bytes."""

    def enum(self, scope: str, name: str) -> Placed[Enum] | None:
        return self.enums.get((scope, name)) or self.enums.get(("shared", name))

    def schema(self, scope: str, name: str) -> Placed[Schema] | None:
        return self.schemas.get((scope, name)) or self.schemas.get(("shared", name))

    def of_market(self, market: str) -> Iterator[Placed[Operation]]:
        return (placed for (scope, _), placed in self.operations.items() if scope == market)


def load(folder: Path) -> Spec:
    """Read and check a spec folder.

    Raises:
        SpecError: with every mistake, each at its file and line.
    """
    from codegen.checks import check

    problems: list[Problem] = []
    top = {
        name: _read(folder, f"{name}.yaml", model, problems)
        for name, model in (("environments", EnvironmentsFile), ("limits", LimitsFile), ("errors", ErrorsFile))
    }
    parsed = [
        (scope, found)
        for scope in SCOPES
        for path in sorted((folder / _FOLDERS[scope]).glob("*.yaml"))
        if (found := _read(folder, path.relative_to(folder).as_posix(), SpecFile, problems)) is not None
    ]
    if problems:
        raise SpecError(problems)
    values = {name: found[1] for name, found in top.items() if found is not None}
    spec = Spec(folder, **values)  # type: ignore[arg-type]
    for scope, (document, file) in parsed:
        _place(spec, scope, document, file, problems)
    fixtures = folder / "fixtures"
    spec.fixtures = {
        path.relative_to(fixtures).as_posix(): path.read_bytes() for path in sorted(fixtures.rglob("*.json"))
    }
    problems += check(spec)
    if problems:
        raise SpecError(problems)
    return spec


def _place(spec: Spec, scope: str, document: Document, file: SpecFile, problems: list[Problem]) -> None:
    for section in ("enums", "schemas", "operations"):
        table: dict[tuple[str, str], Placed[Any]] = getattr(spec, section)
        for name, value in getattr(file, section).items():
            placed = Placed(name, scope, value, document, (section, name))
            other = table.get((scope, name))
            if other is not None:
                place = f"{other.document.file}:{other.document.line(*other.path)}"
                problems.append(placed.problem(f"already defined at {place}; give one of the two another name"))
                continue
            table[scope, name] = placed
    for name, operation in file.operations.items():
        if scope == "shared":
            problems.append(
                Problem(document.file, document.line("operations", name), f"{name}: operations belong to one market")
            )
        spec.sources[scope, name] = operation.source or file.source
        hosts = operation.hosts if operation.hosts is not None else file.hosts
        if hosts is None:
            problem = "no `hosts` here and none at the top of the file; say which environments serve it"
            problems.append(spec.operations[scope, name].problem(problem))
        else:
            spec.hosts[scope, name] = hosts


def _read(folder: Path, name: str, model: type[ModelT], problems: list[Problem]) -> tuple[Document, ModelT] | None:
    try:
        text = (folder / name).read_text(encoding="utf-8")
    except OSError as error:
        text = "there is no such file" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        problems.append(Problem(name, 1, text))
        return None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problems.append(Problem(name, line, f"byte {error.start} of the file is not UTF-8; save it as UTF-8"))
        return None
    try:
        document = parse(name, text)
        return document, model.model_validate(document.value)
    except SpecError as error:
        problems.extend(error.problems)
    except ValidationError as error:
        problems.extend(explain(document, error))
    return None


__all__ = ["MARKETS", "SCOPES", "Document", "Placed", "Problem", "Spec", "SpecError", "load", "parse"]
