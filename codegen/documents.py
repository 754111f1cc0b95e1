"""YAML that still knows its lines, and the mistakes found in it."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in the spec, where it stands and what to write instead."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class SpecError(Exception):
    """The spec cannot be used; ``problems`` holds every mistake found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True)
class Document:
    """One parsed file that still knows the line of each of its nodes."""

    file: str
    root: yaml.Node
    value: Any

    def line(self, *path: str | int) -> int:
        """Line of the node at ``path``, or of its nearest ancestor that exists."""
        node, line = self.root, self.root.start_mark.line
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            key, node = found
            line = key.start_mark.line
        return line + 1


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


if TYPE_CHECKING:
    _InC = yaml.SafeLoader
else:
    _InC = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(yaml.SafeLoader):
    """YAML without its surprises: no sexagesimal or octal numbers, no yes/no, no key twice."""


class _FastLoader(_InC):
    """The same in C, where PyYAML was built with it. It only reads what is right: it words mistakes in another way."""


for _loader in (_Loader, _FastLoader):
    _loader.yaml_implicit_resolvers = {}
    for _tag, _regexp, _first in (
        ("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf"),
        ("tag:yaml.org,2002:int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
        ("tag:yaml.org,2002:null", r"^(?:null|)$", ["n", ""]),
        ("tag:yaml.org,2002:timestamp", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "0123456789"),
        ("tag:yaml.org,2002:merge", r"^<<$", "<"),
    ):
        _loader.add_implicit_resolver(_tag, re.compile(_regexp), list(_first))


def _day(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    """A date, or its text where no calendar has that day; the model then says what is wrong and where."""
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        return node.value


for _loader in (_Loader, _FastLoader):
    _loader.add_constructor("tag:yaml.org,2002:timestamp", _day)

FILL = "FILL"
"""Begins a text that ``python -m codegen new`` could not know and that somebody has to write."""

_DEEPEST = 50
_LARGEST = 50_000
"""Nodes of one file with every alias written out; the largest of ours has a tenth of it."""
_MOST_DIGITS = 18
_STRANGE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""Control characters and halves of surrogate pairs, which an escape in quotes can bring in."""

_HINTS = {
    "mapping values are not allowed here": (
        "; a text with `: ` in it needs quotes, and the keys of one mapping stand in one column"
    ),
    "expected ','": "; a text with `: `, `, ` or brackets in it needs quotes, and every bracket a partner",
    "found undefined alias": "; an anchor of that name must stand above",
    "could not determine a constructor": "; write the value without a tag",
    "found character '\\t' that cannot start any token": "; indent with spaces, not with tabs",
    "found unknown escape character": "; inside of double quotes a backslash is written twice",
}


def parse(file: str, text: str, *, largest: int = _LARGEST, ours: bool = True) -> Document:
    """Parse one YAML text.

    Args:
        file: Its name in messages.
        text: What stands in it.
        largest: Nodes it may have, every alias written out.
        ours: Whether it is a spec, whose texts and numbers end in generated code.

    Raises:
        SpecError: for broken YAML and for a key written twice.
    """
    # A tab parts words for the C library, and is a mistake for the other.
    if not ours or "\t" not in text:
        try:
            return _parsed(file, text, _FastLoader, largest, ours=ours)
        except yaml.YAMLError:
            pass
    try:
        return _parsed(file, text, _Loader, largest, ours=ours)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SpecError(
            [Problem(file, line, f"the character U+{ord(text[error.position]):04X} is not allowed")]
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = str(error.problem)
        hint = next((hint for start, hint in _HINTS.items() if words.startswith(start)), "")
        raise SpecError([Problem(file, mark.line + 1 if mark else 1, f"not YAML: {words}{hint}")]) from error


def _parsed(file: str, text: str, kind: type[yaml.SafeLoader], largest: int, *, ours: bool) -> Document:
    """One text as one of the two loaders reads it.

    Raises:
        yaml.YAMLError: it is not YAML.
        SpecError: it is YAML that no spec may hold.
    """
    root = _root(file, text, kind, largest, ours)  # type: ignore[arg-type]  # a class can be hashed
    loader = kind("")
    try:
        return Document(file, root, loader.construct_document(root))
    finally:
        loader.dispose()


@lru_cache(maxsize=64)
def _root(file: str, text: str, kind: type[yaml.SafeLoader], largest: int, ours: bool) -> yaml.Node:
    """The nodes of a text that a spec may hold; a command that loads a spec again reads what has changed only."""
    _refuse_depth(file, text, kind)
    loader = kind(text)
    try:
        root = loader.get_single_node()
    finally:
        loader.dispose()
    if root is None:
        raise SpecError([Problem(file, 1, "the file is empty; it begins with `description:` and `source:`")])
    _refuse_double_keys(file, root, set())
    nodes = list(_nodes(root))
    if ours:
        _refuse_scalars(file, nodes)
        _refuse_marks(file, nodes)
    _refuse_size(file, nodes, largest)
    return root


def parse_json(file: str, body: bytes) -> Any:
    """Parse an example answer.

    Raises:
        SpecError: it is no JSON, or holds what JSON cannot carry on.
    """
    try:
        value = json.loads(body, parse_constant=_no_number)
        # A half of a surrogate pair can be read, and not be written again.
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        words = f"not JSON: {error.msg[0].lower()}{error.msg[1:]} at column {error.colno}"
        raise SpecError([Problem(file, error.lineno, words)]) from error
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        words = f"byte {error.start} of the file is not UTF-8; save it as UTF-8"
        raise SpecError([Problem(file, line, words)]) from error
    except UnicodeEncodeError as error:
        raise SpecError([Problem(file, 1, f"a text holds {error.object[error.start]!a}, half a character")]) from error
    except RecursionError as error:
        raise SpecError([Problem(file, 1, "too many lists and objects lie in each other")]) from error
    except ValueError as error:
        raise SpecError([Problem(file, 1, f"holds a number that is none: {error}")]) from error
    mark = re.search(rf'"({FILL}(?: [^"]*)?)"(?!\s*:)', body.decode())
    if mark is not None:
        line = body.decode().count("\n", 0, mark.start()) + 1
        raise SpecError([Problem(file, line, mark_words(mark[1]))])
    return value


def _no_number(text: str) -> float:
    raise ValueError(text)


def _refuse_depth(file: str, text: str, kind: type[yaml.SafeLoader]) -> None:
    """Nothing that reads a document further on calls itself more often than this."""
    depth = 0
    for event in yaml.parse(text, Loader=kind):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            line = 1 if event.start_mark is None else event.start_mark.line + 1
            text = f"more than {_DEEPEST} levels lie in each other; no spec needs so many"
            raise SpecError([Problem(file, line, text)])


def _refuse_scalars(file: str, nodes: Sequence[yaml.Node]) -> None:
    """Texts and numbers that the generated code cannot hold, or that nobody meant."""
    for node in nodes:
        if not isinstance(node, yaml.ScalarNode):
            continue
        line, value = node.start_mark.line + 1, str(node.value)
        if node.tag == "tag:yaml.org,2002:int" and len(value) > _MOST_DIGITS:
            raise SpecError([Problem(file, line, f"the number has {len(value)} digits; it must fit into 64 bits")])
        strange = _STRANGE.search(value)
        if strange is not None:
            code = f"U+{ord(strange[0]):04X}"
            raise SpecError([Problem(file, line, f"the text holds the character {code}, which is not allowed")])


def _refuse_marks(file: str, nodes: Sequence[yaml.Node]) -> None:
    """Everything that is still to be written, at once."""
    marks = [node for node in nodes if isinstance(node, yaml.ScalarNode) and is_mark(node.value)]
    if marks:
        raise SpecError([Problem(file, node.start_mark.line + 1, mark_words(node.value)) for node in marks])


def is_mark(text: str) -> bool:
    return text == FILL or text.startswith(f"{FILL} ")


def mark_words(text: str) -> str:
    """What a mark asks for."""
    wanted = text.removeprefix(FILL).strip()
    return f"fill{f' {wanted}' if wanted else ' in this mark'}"


def _refuse_size(file: str, nodes: Sequence[yaml.Node], largest: int) -> None:
    """Aliases within aliases make a small file a huge document, and one that holds itself an endless one."""
    sizes: dict[int, int | None] = {}
    for node in reversed(nodes):
        # From the leaves up; what is not yet sized holds itself.
        size = 1
        for child in _children(node):
            below = sizes.get(id(child))
            if below is None:
                raise SpecError([Problem(file, child.start_mark.line + 1, "the anchor holds itself")])
            size += below
        if size > largest:
            line = node.start_mark.line + 1
            raise SpecError([Problem(file, line, f"its aliases make it more than {largest} nodes; write it out")])
        sizes[id(node)] = size


def _nodes(root: yaml.Node) -> Iterator[yaml.Node]:
    """Every node once, each before those below it."""
    order: list[yaml.Node] = []
    left: list[tuple[yaml.Node, bool]] = [(root, False)]
    entered: set[int] = set()
    while left:
        node, is_done = left.pop()
        if is_done:
            order.append(node)
        elif id(node) not in entered:
            entered.add(id(node))
            left.append((node, True))
            left += [(child, False) for child in _children(node)]
    yield from reversed(order)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _refuse_double_keys(file: str, node: yaml.Node, visited: set[int]) -> None:
    if id(node) in visited:
        return
    visited.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_double_keys(file, item, visited)
    elif isinstance(node, yaml.MappingNode):
        seen: dict[Hashable, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = key.value if isinstance(key, yaml.ScalarNode) else id(key)
            if name in seen:
                text = f"the key `{name}` stands here and in line {seen[name]}; drop one"
                raise SpecError([Problem(file, line, text)])
            seen[name] = line
            _refuse_double_keys(file, value, visited)
