"""Reads the folder ``spec/`` into one ``Spec``, or says in which file and line it is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from codegen.checks.check import check
from codegen.checks.markets import check_markets
from codegen.documents import Document, Problem, SpecError, parse
from codegen.names import english_list
from codegen.spec_model.archive import ArchiveFile
from codegen.spec_model.dictionary import NamesFile
from codegen.spec_model.errors import ErrorsFile
from codegen.spec_model.explain import did_you_mean, explain
from codegen.spec_model.files import TOP_FILES, WRITTEN
from codegen.spec_model.markets import EnvironmentsFile, MarketsFile
from codegen.spec_model.operations import Operation, SpecFile
from codegen.spec_model.spec import SHARED, STREAMS, Placed, Spec
from codegen.spec_model.streams import StreamsFile

ModelT = TypeVar("ModelT", bound=BaseModel)

_SCHEMAS = "schemas"
"""Folder of the schemas that several markets share; those of one market stand in the folder of its name."""
_FIXTURES = "fixtures"
_READ_BY_SUFFIX = {".yaml": ".yaml", ".yml": ".yaml", ".json": ".json"}
"""Endings in small letters to the one that is read."""


def load(folder: Path) -> Spec:
    """Read and check a spec folder.

    Raises:
        SpecError: with every mistake, each at its file and line.
    """
    if not folder.is_dir():
        raise SpecError([Problem(folder.name, 1, "there is no such folder")])
    problems: list[Problem] = []
    environments = _read(folder, "environments.yaml", EnvironmentsFile, problems)
    markets = _read(folder, "markets.yaml", MarketsFile, problems)
    errors = _read(folder, "errors.yaml", ErrorsFile, problems)
    names = _read(folder, "names.yaml", NamesFile, problems)
    archive = _read(folder, "archive.yaml", ArchiveFile, problems)
    if markets is not None:
        problems += check_markets(*markets, environments and environments[1])
    market_names = _market_names(folder) if markets is None else tuple(markets[1].markets)
    parsed = [
        (scope, found)
        for scope in (SHARED, *market_names)
        for path in sorted((folder / (_SCHEMAS if scope == SHARED else scope)).glob("*.yaml"))
        if (found := _read(folder, path.relative_to(folder).as_posix(), SpecFile, problems)) is not None
    ]
    streams = [
        (market, read)
        for market in market_names
        if (folder / STREAMS / f"{market}.yaml").is_file()
        and (read := _read(folder, f"{STREAMS}/{market}.yaml", StreamsFile, problems)) is not None
    ]
    if market_names:
        problems += _unread(folder, market_names)
    if environments is None or markets is None or errors is None or names is None or archive is None or problems:
        raise SpecError(problems)
    spec = Spec(folder, environments[1], markets[1], errors[1], names[1], names[0], archive[1])
    spec.documents += [
        environments,
        markets,
        errors,
        names,
        archive,
        *(found for _, found in parsed),
        *(read for _, read in streams),
    ]
    for scope, (document, file) in parsed:
        _place(spec, scope, document, file, problems)
    for market, (document, streams_file) in streams:
        _place_streams(spec, market, document, streams_file, problems)
    fixtures = folder / _FIXTURES
    for path in sorted(fixtures.rglob("*.json")):
        table = spec.stream_fixtures if path.parent.name == STREAMS else spec.fixtures
        table[path.relative_to(fixtures).as_posix()] = path.read_bytes()
    problems += check(spec)
    if problems:
        raise SpecError(problems)
    return spec


def _market_names(folder: Path) -> tuple[str, ...]:
    """The markets of a file with a mistake, so that those of other files are told in the same run."""
    try:
        value = parse("markets.yaml", (folder / "markets.yaml").read_text(encoding="utf-8")).value
    except (OSError, UnicodeDecodeError, SpecError):
        return ()
    entries = value.get("markets") if isinstance(value, dict) else None
    return tuple(name for name in entries if isinstance(name, str)) if isinstance(entries, dict) else ()


def _unread(folder: Path, markets: Sequence[str]) -> Iterator[Problem]:
    """Files that somebody wrote for the generator and that it would silently pass over."""
    for path in sorted(folder.rglob("*")):
        suffix = _READ_BY_SUFFIX.get(path.suffix.lower())
        name = path.relative_to(folder).as_posix()
        if suffix is None or name in WRITTEN or not path.is_file():
            continue
        *folders, file = name.split("/")
        remedy = f"call it {suffix}" if path.suffix != suffix else _remedy(folders, file, suffix, markets)
        if remedy is not None:
            yield Problem(name, 1, f"is not read; {remedy}")


def _remedy(folders: Sequence[str], file: str, suffix: str, markets: Sequence[str]) -> str | None:
    """Where a file of this kind belongs, or None where it is in its place."""
    first = folders[0] if folders else ""
    known = (_SCHEMAS, *markets, STREAMS, _FIXTURES)
    if first and first not in known:
        hint = did_you_mean(first, known) or f"; there are {english_list(known)}."
        return f"no folder is called `{first}`{hint} A market of that name needs an entry in markets.yaml"
    if suffix == ".json":
        # A fixture in a wrong place has no operation or stream of its name, and is told so.
        return None if first == _FIXTURES else f"example answers go below {_FIXTURES}/"
    if first == _FIXTURES:
        return "an example answer is a .json file"
    if not first:
        there = f"endpoints go below {_folders(markets)}, schemas of several markets below {_SCHEMAS}/"
        return None if file in TOP_FILES else (did_you_mean(file, TOP_FILES).removeprefix("; ") or there)
    if first == STREAMS:
        files = [f"{STREAMS}/{market}.yaml" for market in markets]
        return None if "/".join((*folders, file)) in files else f"streams stand in {english_list(files)}"
    return None if len(folders) == 1 else f"move it up: files of {first} lie side by side in {first}/"


def _folders(markets: Iterable[str]) -> str:
    return english_list([f"{market}/" for market in markets], "or")


def _place(spec: Spec, scope: str, document: Document, file: SpecFile, problems: list[Problem]) -> None:
    problems += _unknown_environments(spec, document, file)
    for section in ("enums", "schemas", "operations"):
        table: dict[tuple[str, str], Placed[Any]] = getattr(spec, section)
        for name, value in getattr(file, section).items():
            placed = Placed(name, scope, value, document, (section, name))
            other = table.get((scope, name))
            if other is not None:
                place = f"{other.document.file}:{other.document.line(*other.path)}"
                problems.append(placed.problem(f"already defined at {place}; give one of the two another name"))
            elif section == "operations" and scope == SHARED:
                homes = _folders(spec.market_names)
                problems.append(placed.problem(f"an operation belongs to one market; move it below {homes}"))
            else:
                table[scope, name] = placed
                if section == "operations":
                    _complete(spec, placed, file, problems)


def _place_streams(spec: Spec, market: str, document: Document, file: StreamsFile, problems: list[Problem]) -> None:
    if file.own_rows is not None:
        spec.own_rows[market] = Placed("own_rows", market, file.own_rows, document, ("own_rows",))
    for section, target in (("enums", spec.enums), ("schemas", spec.events), ("streams", spec.streams)):
        table: dict[tuple[str, str], Placed[Any]] = target
        for name, value in getattr(file, section).items():
            placed = Placed(name, market, value, document, (section, name))
            other = table.get((market, name))
            if other is not None:
                place = f"{other.document.file}:{other.document.line(*other.path)}"
                problems.append(placed.problem(f"already defined at {place}; give one of the two another name"))
            table[market, name] = placed


def _complete(spec: Spec, placed: Placed[Operation], file: SpecFile, problems: list[Problem]) -> None:
    """What an operation takes over from the top of its file."""
    operation = placed.value
    hosts = operation.hosts or file.hosts
    if hosts is None:
        text = "no `hosts` here and none at the top of the file; write for example `hosts: [mainnet, testnet]`"
        problems.append(placed.problem(text))
        return
    spec.hosts[placed.scope, placed.name] = hosts
    for host in hosts:
        if spec.urls(host, placed.scope) is None and host in spec.environments.environments:
            text = f"markets.yaml has no hosts of {placed.scope} for {host}; add them there or drop the host here"
            problems.append(placed.problem(text, "hosts"))


def _unknown_environments(spec: Spec, document: Document, file: SpecFile) -> Iterator[Problem]:
    """Each where it is named, as a whole file takes over those at its top."""
    known = list(spec.environments.environments)
    lists = [
        (("hosts",), file.hosts),
        *((("operations", name, "hosts"), it.hosts) for name, it in file.operations.items()),
    ]
    for path, hosts in lists:
        for index, host in enumerate(hosts or ()):
            if host not in known:
                at = ".".join(path)
                hint = did_you_mean(host, known) or f"; it has {english_list(known)}"
                text = f"{at}[{index}]: environments.yaml has no `{host}`{hint}"
                yield Problem(document.file, document.line(*path, index), text)


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
    document, value, mistakes = _understood(name, text, model)
    problems.extend(mistakes)
    return None if document is None or value is None else (document, value)


@lru_cache(maxsize=64)
def _understood(name: str, text: str, model: type[ModelT]) -> tuple[Document | None, ModelT | None, Sequence[Problem]]:
    """One text with its mistakes; nodes are frozen, so whoever loads a spec again reads what has changed only."""
    try:
        document = parse(name, text)
    except SpecError as error:
        return None, None, error.problems
    try:
        return document, model.model_validate(document.value), ()
    except ValidationError as error:
        return document, None, tuple(explain(document, error))


__all__ = ["Document", "Placed", "Problem", "Spec", "SpecError", "load", "parse"]
