"""Facts of the spec that nobody reads: neither the generator, nor the runtime what the generator makes of them.

A fact without a reader is wrong sooner or later, and nobody notices. So ``lint`` and ``check`` name every key that
stands in the spec and that rendering never asks for, and every field of a generated value that no code of the package
ever looks at.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from codegen.documents import Document, Problem
from codegen.spec_model.base import Node, Source, nodes_below
from codegen.spec_model.dictionary import Fact, NamesFile
from codegen.spec_model.markets import MarketEntry
from codegen.spec_model.operations import Operation, SpecFile
from codegen.spec_model.schemas import RowSchema, SchemaField
from codegen.spec_model.spec import Spec
from codegen.spec_model.streams import StreamsFile
from codegen.spec_model.weights import Band

REMARKS = frozenset({"description", "uncertain", "observed", "since", "notes", "source"})
"""Keys for whoever reads the YAML, in every node; a docstring may have them too."""
_BY_THE_LOADER: Mapping[type[Node], frozenset[str]] = {
    # Taken apart into one table for each kind of node, which rendering then reads.
    Operation: frozenset({"hosts"}),
    SpecFile: frozenset({"enums", "schemas", "operations", "hosts"}),
    StreamsFile: frozenset({"enums", "schemas", "streams", "own_rows"}),
}
_BY_THE_CHECKS: Mapping[type[Node], frozenset[str]] = {
    Band: frozenset({"min"}),
    MarketEntry: frozenset({"paths"}),
    NamesFile: frozenset(NamesFile.model_fields),
    Fact: frozenset(Fact.model_fields),
    RowSchema: frozenset({"replaces_shared"}),
    SchemaField: frozenset({"unused"}),
}
"""What is there to find mistakes in the rest of the spec."""
_FOR_USERS = frozenset(
    {
        "Catalogue.spec_hash",
        *("StreamOperation.event_type", "StreamOperation.live_only", "Variant.example"),
    }
)
"""Fields of generated values that whoever uses the catalogue reads, as the contract tests do."""
_RUNTIME = "binance_sdk._runtime"

Read = set[tuple[type[Node], str]]


@contextmanager
def reading() -> Iterator[Read]:
    """Collects which fields of which nodes are asked for meanwhile."""
    seen: Read = set()

    def look(node: Node, name: str) -> Any:
        kind = type(node)
        if name in kind.model_fields:
            seen.add((kind, name))
        elif name == "model_dump":
            # It reads the fields without asking for them.
            seen.update((kind, field) for field in kind.model_fields)
        return BaseModel.__getattribute__(node, name)

    Node.__getattribute__ = look  # type: ignore[assignment]
    try:
        yield seen
    finally:
        del Node.__getattribute__


def unread_keys(spec: Spec, seen: Read) -> list[Problem]:
    """The first place of every key that rendering did not ask for."""
    found: dict[tuple[type[Node], str], Problem] = {}
    for document, file in spec.documents:
        for node, path in nodes_below(file, ()):
            kind = type(node)
            allowed = REMARKS | _BY_THE_LOADER.get(kind, frozenset()) | _BY_THE_CHECKS.get(kind, frozenset())
            for name in sorted(node.model_fields_set - allowed):
                if (kind, name) not in seen and (kind, name) not in found and kind is not Source:
                    key = kind.model_fields[name].alias or name
                    found[kind, name] = _unread(document, (*path, key), key)
    return list(found.values())


def _unread(document: Document, path: tuple[str | int, ...], key: str) -> Problem:
    text = f"nobody reads `{key}`: let a template or a docstring, or drop it here and in the model"
    return Problem(document.file, document.line(*path), text)


# --------------------------------------------------------------------------------- generated values


def unread_values(package: Path) -> list[Problem]:
    """Fields of generated values, and generated constants, that no code of ``package`` looks at."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(package.rglob("*.py"))}
    generated = {path: tree for path, tree in trees.items() if "_generated" in path.parts}
    classes = _classes(package, generated.values(), trees)
    written = {path: tree for path, tree in trees.items() if path not in generated}
    read = {name for tree in written.values() for node in ast.walk(tree) for name in _looked_at(node, classes)}
    problems = [
        Problem(path.relative_to(package.parent).as_posix(), line, f"nobody reads `{name}.{field}`: drop it")
        for name, (path, fields) in classes.items()
        for field, line in fields.items()
        if field not in read and f"{name}.{field}" not in _FOR_USERS
    ]
    tops = {path: tree for path, tree in generated.items() if path.parent.name == "_generated"}
    imported = {name for tree in trees.values() for name in _imported(tree.body)}
    for path, tree in tops.items():
        if path.stem not in ("catalogue", "spec"):
            file = path.relative_to(package.parent).as_posix()
            unused = ((name, line) for name, line in _constants(tree) if name not in imported)
            problems += [
                Problem(file, line, f"nobody imports `{name}`: drop it from the template") for name, line in unused
            ]
    return problems


def _classes(package: Path, generated: Any, trees: Mapping[Path, ast.Module]) -> dict[str, tuple[Path, dict[str, int]]]:
    """Dataclasses of the runtime that generated code makes: name to (file, field to line)."""
    modules = {
        name
        for tree in generated
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_RUNTIME)
        for name in (node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names))
    }
    found: dict[str, tuple[Path, dict[str, int]]] = {}
    for module in sorted(modules):
        path = package.parent / Path(*module.split(".")).with_suffix(".py")
        for node in trees[path].body if path in trees else ():
            if isinstance(node, ast.ClassDef) and any(
                "dataclass" in ast.unparse(decorator) for decorator in node.decorator_list
            ):
                fields = {
                    item.target.id: item.lineno
                    for item in node.body
                    if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
                }
                found[node.name] = (path, fields)
    return found


def _imported(statements: list[ast.stmt]) -> Iterator[str]:
    """Names that are imported somewhere below."""
    for statement in statements:
        if isinstance(statement, ast.ImportFrom):
            yield from (alias.name for alias in statement.names)
        for value in vars(statement).values():
            if (
                isinstance(value, list)
                and value
                and isinstance(value[0], (ast.stmt, ast.ExceptHandler, ast.match_case))
            ):
                yield from _imported(value)


def _looked_at(node: ast.AST, classes: Mapping[str, tuple[Path, dict[str, int]]]) -> Iterator[str]:
    """Names of attributes that a node reads, by dot, ``getattr`` or pattern."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        yield node.attr
    elif isinstance(node, ast.MatchClass):
        yield from node.kwd_attrs
        name = ast.unparse(node.cls).split(".")[-1]
        if name in classes:
            yield from list(classes[name][1])[: len(node.patterns)]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
        yield from (
            argument.value
            for argument in node.args
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        )


def _constants(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in tree.body:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        targets = node.targets if isinstance(node, ast.Assign) else [target] if target is not None else []
        yield from ((assigned.id, node.lineno) for assigned in targets if isinstance(assigned, ast.Name))
