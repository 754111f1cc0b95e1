"""Facts of the spec that nobody reads: neither the generator, nor the runtime what the generator makes of them.

A fact without a reader is wrong sooner or later, and nobody notices. So ``lint`` and ``check`` name every key that
stands in the spec and that rendering never asks for, and every field of a generated value that no code of the package
ever looks at.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from codegen.documents import Document, Problem
from codegen.spec_model.archive import ArchiveColumn
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
    ArchiveColumn: frozenset({"unused"}),
}
"""What is there to find mistakes in the rest of the spec."""
_FOR_USERS = frozenset(
    {
        "Catalogue.spec_hash",
        *("ArchiveColumn.description", "ArchiveKind.description"),
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
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(package.rglob("*.py"))}
    generated = {path: _tree(text) for path, text in texts.items() if "_generated" in path.parts}
    classes = _classes(package, generated.values(), texts)
    unread = _unread_fields(classes, [text for path, text in texts.items() if path not in generated])
    problems = [
        Problem(path.relative_to(package.parent).as_posix(), line, f"nobody reads `{name}.{field}`: drop it")
        for name, (path, fields) in classes.items()
        for field, line in fields.items()
        if field in unread and f"{name}.{field}" not in _FOR_USERS
    ]
    tops = {
        path: dict(_constants(tree))
        for path, tree in generated.items()
        if path.parent.name == "_generated" and path.stem not in ("catalogue", "spec")
    }
    unused = _unimported({name for constants in tops.values() for name in constants}, texts.values())
    for path, constants in tops.items():
        file = path.relative_to(package.parent).as_posix()
        inside = _used_inside(generated[path])
        problems += [
            Problem(file, line, f"nobody imports `{name}`: drop it from the template")
            for name, line in constants.items()
            if name in unused and name not in inside
        ]
    return problems


_Classes = Mapping[str, tuple[Path, Mapping[str, int]]]


def _unread_fields(classes: _Classes, texts: Iterable[str]) -> set[str]:
    """Names of fields that no text looks at; one is parsed only where it may look at a field that none did before."""
    left = {field for name, (_, fields) in classes.items() for field in fields if f"{name}.{field}" not in _FOR_USERS}
    for text in texts:
        words = _words(text)
        kinds = {name for name, (_, fields) in classes.items() if not left.isdisjoint(fields)}
        if not left.isdisjoint(words) or ("case" in words and not words.isdisjoint(kinds)):
            looks = _looks(text)
            left -= looks.names
            for kind, positions in looks.patterns:
                if kind in classes:
                    left.difference_update(list(classes[kind][1])[:positions])
    return left


def _unimported(names: set[str], texts: Iterable[str]) -> set[str]:
    """Those names that no text imports."""
    left = set(names)
    for text in texts:
        if not left.isdisjoint(_words(text)):
            left.difference_update(_imported(_tree(text).body))
    return left


def _classes(
    package: Path, generated: Iterable[ast.Module], texts: Mapping[Path, str]
) -> dict[str, tuple[Path, dict[str, int]]]:
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
        for node in _tree(texts[path]).body if path in texts else ():
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


@dataclass(frozen=True)
class _Looks:
    """What a module looks at: names of attributes, and classes in patterns with how many positions they name."""

    names: frozenset[str]
    patterns: frozenset[tuple[str, int]]


# A command that looks at the package again has changed a few of its files at most.
@lru_cache(maxsize=1024)
def _words(text: str) -> frozenset[str]:
    """Whatever may be a name there, which is found in a tenth of the time of parsing."""
    return frozenset(re.findall(r"\w+", text))


@lru_cache(maxsize=1024)
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


@lru_cache(maxsize=1024)
def _looks(text: str) -> _Looks:
    """By dot, ``getattr`` or pattern."""
    names: set[str] = set()
    patterns: set[tuple[str, int]] = set()
    for node in ast.walk(_tree(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            names.add(node.attr)
        elif isinstance(node, ast.MatchClass):
            names.update(node.kwd_attrs)
            patterns.add((ast.unparse(node.cls).split(".")[-1], len(node.patterns)))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            names.update(
                argument.value
                for argument in node.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )
    return _Looks(frozenset(names), frozenset(patterns))


def _used_inside(tree: ast.Module) -> set[str]:
    """Private names that a module itself reads: parts of its values that stand there once."""
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    return {node.id for node in names if node.id.startswith("_")}


def _constants(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in tree.body:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        targets = node.targets if isinstance(node, ast.Assign) else [target] if target is not None else []
        yield from ((assigned.id, node.lineno) for assigned in targets if isinstance(assigned, ast.Name))
