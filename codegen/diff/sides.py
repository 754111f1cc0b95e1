"""One of the two specs that are compared: a folder, a file, a git revision, or the record of a release.

Files are read as plain values and not through the model, so that a spec of another version of the generator, or one
that breaks a rule, can be compared too.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from codegen.documents import Document, Problem, SpecError, parse
from codegen.spec_model.archive import ArchiveFile
from codegen.spec_model.base import Node
from codegen.spec_model.dictionary import NamesFile
from codegen.spec_model.editor_schema import plain
from codegen.spec_model.errors import ErrorsFile
from codegen.spec_model.files import RELEASED, TOP_FILES, WRITTEN, model_of
from codegen.spec_model.markets import EnvironmentsFile, MarketsFile
from codegen.spec_model.operations import SpecFile
from codegen.spec_model.streams import StreamsFile

TABLES: Mapping[tuple[type[Node], str], str] = {
    (SpecFile, "enums"): "enum",
    (SpecFile, "schemas"): "schema",
    (SpecFile, "operations"): "operation",
    (StreamsFile, "enums"): "enum",
    (StreamsFile, "schemas"): "schema",
    (StreamsFile, "streams"): "stream",
    (MarketsFile, "pools"): "pool",
    (MarketsFile, "markets"): "market",
    (EnvironmentsFile, "environments"): "environment",
    (ErrorsFile, "statuses"): "status",
    (ErrorsFile, "codes"): "code",
    (NamesFile, "names"): "fact",
    (ArchiveFile, "kinds"): "archive",
}
"""Words of a file that hold things with names; where in the spec such a thing stands makes no difference."""

ORDERED: Mapping[type[Node], str] = {MarketsFile: "markets", EnvironmentsFile: "environments"}
"""Words whose order is a fact: of markets that of the simulator's ports, of environments which is the default."""

SHARED = "shared"


class Name(NamedTuple):
    """What a thing of the spec is known by."""

    kind: str
    scope: str
    """A market, ``shared``, or nothing."""
    name: str

    def __str__(self) -> str:
        return f"{self.scope}.{self.name}" if self.scope else self.name


@dataclass(frozen=True)
class Thing:
    """An endpoint, a schema, a pool, ...: the unit in which specs are compared."""

    value: Any
    document: Document | None = None
    path: tuple[str | int, ...] = ()

    def place(self, *path: str) -> str | None:
        """``file:line`` of a part of it."""
        if self.document is None:
            return None
        return f"{self.document.file}:{self.document.line(*self.path, *path)}"


@dataclass
class Side:
    """A spec as it is compared."""

    label: str
    things: dict[Name, Thing] = field(default_factory=dict)
    fixtures: dict[str, str] = field(default_factory=dict)
    """File below ``fixtures/`` to the digest of its value."""
    version: str | None = None
    """That of the package, of a record."""
    orders: dict[str, list[str]] = field(default_factory=dict)
    """File to the names of what it holds in its order, where the order says something."""

    @property
    def markets(self) -> set[str]:
        named = {name.name for name in self.things if name.kind == "market"}
        return named | {name.scope for name in self.things if name.kind in ("operation", "stream")}

    def find(self, kind: str, scope: str, name: str) -> Thing | None:
        """A schema or enum as a market sees it."""
        return self.things.get(Name(kind, scope, name)) or self.things.get(Name(kind, SHARED, name))


class NoSpecError(Exception):
    """There is nothing to compare where the user says."""


def read_sides(old: str, new: str, root: Path) -> tuple[Side, Side]:
    """Both specs, each a folder, a file, a record, or a git revision of the repository at ``root``.

    Raises:
        NoSpecError: One of them is nothing of that kind, or a file stands against a whole spec.
        SpecError: A file is no YAML.
    """
    paths = [Path(text) for text in (old, new)]
    single = [path.is_file() and path.suffix in (".yaml", ".yml") for path in paths]
    if all(single):
        known = [name for path in paths if (name := _place_of(path)) is not None]
        # A copy that lies elsewhere is compared as what the other is.
        name = known[0] if known else f"spot/{paths[1].name}"
        return _of_texts(old, {name: _text(paths[0])}), _of_texts(new, {name: _text(paths[1])})
    if any(single):
        raise NoSpecError(f"a file is compared with another file; {old if single[1] else new} is none")
    return _side(old, root), _side(new, root)


def _place_of(path: Path) -> str | None:
    """Where below ``spec/`` a file belongs, as far as its name and folder tell."""
    path = path.resolve()
    if path.name in TOP_FILES:
        return path.name
    above = next((parent for parent in path.parents if (parent / "markets.yaml").is_file()), None)
    return None if above is None else path.relative_to(above).as_posix()


def _side(text: str, root: Path) -> Side:
    path = Path(text)
    if path.is_dir():
        return read_folder(path, text)
    if path.is_file():
        return read_record(path)
    return _of_texts(text, _revision(text, root))


def read_folder(folder: Path, label: str | None = None) -> Side:
    """The spec in a folder.

    Raises:
        NoSpecError: No file of a spec lies there.
        SpecError: A file is no YAML.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".yaml", ".json") and path.is_file())
    texts = {path.relative_to(folder).as_posix(): _text(path) for path in files}
    return _of_texts(label or folder.name, texts)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        text = f"byte {error.start} of the file is not UTF-8; save it as UTF-8"
        raise SpecError([Problem(str(path), line, text)]) from None
    except OSError as error:
        raise NoSpecError(f"{path} cannot be read: {error.strerror}") from None


def _revision(text: str, root: Path) -> dict[str, str]:
    """The files of ``REVISION`` (its folder ``spec/``) or ``REVISION:FOLDER``."""
    revision, _, folder = text.partition(":")
    if not revision or revision.startswith("-"):
        raise NoSpecError(f"`{text}` is no folder, file or git revision")
    command = ["git", "-C", str(root), "archive", "--format=tar", f"{revision}:{folder or 'spec'}"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        raise NoSpecError(f"`{text}` is no folder or file, and git is not installed") from None
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        reason = words[-1].removeprefix("fatal: ") if words else "git says no more"
        raise NoSpecError(f"`{text}` is no folder or file, and no git revision with a spec: {reason}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        found: dict[str, str] = {}
        for member in archive:
            body = archive.extractfile(member)
            if body is not None and member.name.endswith((".yaml", ".json")):
                found[member.name] = body.read().decode()
        return found


def _of_texts(label: str, texts: Mapping[str, str]) -> Side:
    side = Side(label)
    problems: list[Problem] = []
    for file, text in sorted(texts.items()):
        if file in WRITTEN:
            continue
        if file.startswith("fixtures/"):
            side.fixtures[file.removeprefix("fixtures/")] = digest_of_example(text)
        elif file.endswith(".yaml"):
            try:
                add_document(side, parse(file, text))
            except SpecError as error:
                problems += error.problems
    if problems:
        raise SpecError(problems)
    if not side.things:
        raise NoSpecError(f"{label} holds no spec: no .yaml file such as markets.yaml")
    resolve(side)
    return side


def digest_of_example(text: str) -> str:
    """The same for what is laid out in another way."""
    try:
        return digest(json.loads(text))
    except ValueError:
        return digest(text)


def add_document(side: Side, document: Document) -> None:
    """Take a file apart into the things that it describes.

    Raises:
        SpecError: It is YAML, and not a mapping.
    """
    model = model_of(document.file)
    content = plain(document.value)
    if not isinstance(content, dict):
        raise SpecError([Problem(document.file, 1, "the file: must be a mapping of keys to values")])
    for word, kind in _tables(model):
        table = content.pop(word, None)
        if ORDERED.get(model) == word and isinstance(table, dict):
            side.orders[document.file] = list(table)
        for name, value in table.items() if isinstance(table, dict) else ():
            if kind == "operation" and isinstance(value, dict) and "hosts" in content:
                value.setdefault("hosts", content["hosts"])
            side.things[Name(kind, _scope(document.file), name)] = Thing(value, document, (word, name))
    content.pop("hosts", None)
    side.things[Name("file", "", document.file)] = Thing(content, document)


def _tables(model: type[Node]) -> Iterator[tuple[str, str]]:
    return ((word, kind) for (owner, word), kind in TABLES.items() if owner is model)


def _scope(file: str) -> str:
    if "/" not in file:
        return ""
    folder, _, rest = file.partition("/")
    return {"schemas": SHARED, "streams": rest.removesuffix(".yaml")}.get(folder, folder)


def resolve(side: Side) -> None:
    """Write out what an object takes over from another one: callers see no difference."""
    for name, thing in list(side.things.items()):
        if name.kind != "schema" or not isinstance(thing.value, dict) or "extends" not in thing.value:
            continue
        base = side.find("schema", name.scope, thing.value["extends"])
        if base is None or not isinstance(base.value, dict):
            continue
        value = {key: inner for key, inner in thing.value.items() if key != "extends"}
        value["fields"] = {**base.value.get("fields", {}), **thing.value.get("fields", {})}
        side.things[name] = Thing(value, thing.document, thing.path)


# ------------------------------------------------------------------------------------- the record


def digest(value: Any) -> str:
    """Eight hex digits that stand for a text whose wording nobody has to keep."""
    if isinstance(value, str) and len(value) == 9 and value.startswith("#"):
        return value  # It is one already, of a record.
    return "#" + hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def read_record(path: Path) -> Side:
    """What ``record_text`` wrote.

    Raises:
        NoSpecError: It is something else.
    """
    try:
        content = json.loads(_text(path))
        things = {Name(*key.split(" ", 2)): Thing(value) for key, value in content["things"].items()}
        version, orders = content["version"], dict(content.get("orders", {}))
        return Side(f"release {version}", things, dict(content["fixtures"]), version, orders)
    except (ValueError, TypeError, KeyError, AttributeError):
        text = f"{path} is no record of a release; `python -m codegen release` writes one, as {RELEASED}"
        raise NoSpecError(text) from None


def record_text(side: Side, version: str) -> bytes:
    """A spec as the record of a release: one line for each thing, so that changes are read line by line."""

    def lines(table: Mapping[str, Any]) -> str:
        parts = [f"{json.dumps(key)}:{json.dumps(value, ensure_ascii=False)}" for key, value in sorted(table.items())]
        return "{\n" + ",\n".join(parts) + "\n}"

    things = lines({" ".join(name): thing.value for name, thing in side.things.items()})
    parts = [f'"version": {json.dumps(version)}', f'"orders": {lines(side.orders)}']
    parts += [f'"fixtures": {lines(side.fixtures)}', f'"things": {things}']
    return ("{" + ",\n".join(parts) + "}\n").encode()
