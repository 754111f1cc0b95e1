"""YAML that still knows its lines, and the mistakes found in it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

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


class _Loader(yaml.SafeLoader):
    """YAML without its surprises: no sexagesimal or octal numbers, no yes/no, no key twice."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _regexp, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf"),
    ("tag:yaml.org,2002:int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("tag:yaml.org,2002:null", r"^(?:null|)$", ["n", ""]),
    ("tag:yaml.org,2002:timestamp", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "0123456789"),
    ("tag:yaml.org,2002:merge", r"^<<$", "<"),
):
    _Loader.add_implicit_resolver(_tag, re.compile(_regexp), list(_first))


def _day(loader: _Loader, node: yaml.ScalarNode) -> Any:
    """A date, or its text where no calendar has that day; the model then says what is wrong and where."""
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        return node.value


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _day)

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


def parse(file: str, text: str) -> Document:
    """Parse one YAML text.

    Raises:
        SpecError: for broken YAML and for a key written twice.
    """
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SpecError(
            [Problem(file, line, f"the character U+{ord(text[error.position]):04X} is not allowed")]
        ) from None
    try:
        root = loader.get_single_node()
        if root is None:
            raise SpecError([Problem(file, 1, "the file is empty; it begins with `description:` and `source:`")])
        _refuse_double_keys(file, root, set())
        value = loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = str(error.problem)
        hint = next((hint for start, hint in _HINTS.items() if words.startswith(start)), "")
        raise SpecError([Problem(file, mark.line + 1 if mark else 1, f"not YAML: {words}{hint}")]) from error
    finally:
        loader.dispose()
    return Document(file, root, value)


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
