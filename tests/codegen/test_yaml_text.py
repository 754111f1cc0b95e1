"""A text is changed in one place, and nothing else of it: not a comment, a blank, an anchor or another's alias."""

from __future__ import annotations

import difflib
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import REPOSITORY

from codegen.documents import SpecError
from codegen.proposing.yaml_text import Path, YamlText, scalar

SPEC = REPOSITORY / "spec"

ODD = """\
# What stands at the top.
description: Odd, but ours.   # and beside it

schemas:   {}
one:
     # Five columns in.
     fields: &fields
          a:   &price {type: decimal,  description: "Price, in the quote asset."}   # first
          b: *price
          c: *price

          d:
            type: int   # an int
            description: |
              Two lines
              of prose.
     # The end of one.
two: {fields: *fields, values: [A,  B,   # both
   C ]}
three:
-   x
-   {y: 1}   # last

four:
  <<: &more {p: {type: int, description: P.}, q: 2}
  r: 3
five:
  <<: *more"""


def changed(text: YamlText, before: str) -> list[str]:
    """Lines that went and came."""
    lines = difflib.ndiff(before.splitlines(), text.text.splitlines())
    return sorted(line for line in lines if line[0] in "+-")


@pytest.mark.parametrize(
    ("path", "key", "lines"),
    [
        (
            ("one", "fields", "b"),
            "optional",
            [
                "-           b: *price",
                '+           b: {type: decimal, optional: true, description: "Price, in the quote asset."}',
            ],
        ),
        (
            ("one", "fields", "a"),
            "optional",
            [
                '-           a:   &price {type: decimal,  description: "Price, in the quote asset."}   # first',
                "-           b: *price",
                '+           a:   {type: decimal,  optional: true, description: "Price, in the quote asset."}'
                "   # first",
                '+           b: &price {type: decimal, description: "Price, in the quote asset."}',
            ],
        ),
        (("one", "fields", "d"), "optional", ["+             optional: true"]),
        (("four", "p"), "optional", ["+   p: {type: int, optional: true, description: P.}"]),
    ],
)
def test_a_word_is_set_for_one_place_alone(path: Path, key: str, lines: list[str]) -> None:
    text = YamlText("odd.yaml", ODD)
    if path[:2] == ("one", "fields"):
        # Else all of it would move to where it is meant by an alias.
        text.replace(("two", "fields"), "{}")
    before = text.text
    text.set_word(path, key, "true")
    assert changed(text, before) == sorted(lines)
    assert yaml.safe_load(text.text)["one"]["fields"]["c"] == {
        "type": "decimal",
        "description": "Price, in the quote asset.",
    }


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (lambda text: text.add_entry(("schemas",), "X", "1"), ["- schemas:   {}", "+ schemas:   {X: 1}"]),
        (lambda text: text.add_item(("two", "values"), "D"), ["-    C ]}", "+    C,", "+    D ]}"]),
        (lambda text: text.add_item(("three",), "z"), ["+ -   z"]),
        (lambda text: text.drop_item(("three",), 1), ["- -   {y: 1}   # last"]),
        (lambda text: text.drop_item(("two", "values"), 0), None),
        (lambda text: text.rename(("four", "r"), "s"), ["-   r: 3", "+   s: 3"]),
        (lambda text: text.replace(("four", "r"), "[1, 2]"), ["-   r: 3", "+   r: [1, 2]"]),
        (lambda text: text.add_entry((), "six", "6"), ["+ six: 6"]),
        (
            lambda text: text.add_lines(("one",), ["  more:", "    a: 1"]),
            ["+      more:", "+        a: 1"],
        ),
    ],
)
def test_what_is_added_dropped_and_renamed_touches_nothing_else(change: Any, lines: list[str] | None) -> None:
    text = YamlText("odd.yaml", ODD)
    change(text)
    yaml.safe_load(text.text)
    if lines is None:
        assert yaml.safe_load(text.text)["two"]["values"] == ["B", "C"]
    else:
        assert changed(text, ODD) == sorted(lines)


def test_the_line_ends_of_a_file_stay() -> None:
    text = YamlText("odd.yaml", "a:\r\n  b: 1 # one\r\n")
    text.add_entry(("a",), "c", "2")
    text.set_word(("a",), "description", "x")
    assert text.text == "a:\r\n  b: 1 # one\r\n  c: 2\r\n  description: x\r\n"


def test_json_gets_lines_as_it_has_them() -> None:
    text = YamlText("x.json", '[\n {\n  "a": 1\n },\n {"a": 2, "b": [1, "x"]}\n]\n')
    text.add_entry((0,), '"c"', "true")
    text.add_entry((1,), '"c"', "true")
    text.add_item((1, "b"), "null")
    assert text.text == '[\n {\n  "a": 1,\n  "c": true\n },\n {"a": 2, "b": [1, "x", null], "c": true}\n]\n'


def test_what_is_not_there_is_told() -> None:
    text = YamlText("odd.yaml", ODD)
    with pytest.raises(KeyError):
        text.replace(("one", "fields", "z"), "1")
    with pytest.raises(KeyError):
        text.set_word(("nowhere",), "a", "1")
    assert text.at(("one", "z", "y")) is None
    assert text.line(("one", "fields", "b", "description")) == text.line(("one", "fields", "b")) == 9
    assert text.text == ODD
    with pytest.raises(SpecError, match=r"odd\.yaml"):
        YamlText("odd.yaml", "a: [")


@pytest.mark.parametrize(
    "value", ["A", "TRD_GRP_026", "1h", "24", "no", "true", "null", "a b", "a: b", "", 5, None, 'x"y']
)
def test_a_scalar_is_read_as_it_was_meant(value: object) -> None:
    assert yaml.safe_load(f"[{scalar(value)}]") == [value]


def test_every_file_of_the_spec_is_read_as_it_is() -> None:
    for path in sorted(SPEC.rglob("*.yaml")):
        text = YamlText(path.name, path.read_text(encoding="utf-8"))
        assert _plain(text) == json.loads(json.dumps(yaml.safe_load(text.text), default=str))


def _plain(text: YamlText) -> Any:
    return json.loads(json.dumps(yaml.safe_load(text.text), default=str))


# ------------------------------------------------------------------------------- any text at all

KEYS = ("a", "b", "c", "description")


@st.composite
def texts(draw: st.DrawFn) -> str:
    """YAML as somebody might write it by hand: odd indentation, comments, blank lines, anchors and aliases."""
    anchors: list[str] = []

    def margin() -> str:
        return draw(st.sampled_from(["", "", "   # a comment", " # {odd: [1"]))

    def flow(depth: int) -> str:
        kind = draw(st.integers(0, 5 if depth else 2))
        if kind >= 4:
            keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=3))
            space = draw(st.sampled_from([" ", "  "]))
            return f"{{{f',{space}'.join(f'{key}: {flow(depth - 1)}' for key in keys)}}}"
        if kind == 3:
            return f"[{', '.join(flow(depth - 1) for _ in range(draw(st.integers(0, 3))))}]"
        return draw(st.sampled_from(["1", "x", '"a: b, [c] # d"', "'it''s'", "-7", "null"]))

    def named(value: str) -> str:
        if not draw(st.booleans()):
            return value
        anchors.append(f"n{len(anchors)}")
        return f"&{anchors[-1]} {value}"

    def block(depth: int, indent: int) -> list[str]:
        lines: list[str] = []
        for key in draw(st.lists(st.sampled_from(KEYS), unique=True, min_size=1, max_size=4)):
            if draw(st.integers(0, 4)) == 0:
                lines += draw(st.sampled_from([[""], [f"{' ' * indent}# above"]]))
            kind = draw(st.integers(0, 5 if depth else 2))
            head = f"{' ' * indent}{key}:"
            if kind == 0 and anchors:
                lines.append(f"{head} *{draw(st.sampled_from(anchors))}{margin()}")
            elif kind >= 4:
                name = ""
                if draw(st.booleans()):
                    anchors.append(f"n{len(anchors)}")
                    name = f" &{anchors[-1]}"
                inner = indent + draw(st.integers(1, 5))
                mine = len(anchors)
                below = block(depth - 1, inner)
                # Nothing within may mean what is not yet whole.
                if name and any(f"*{anchors[mine - 1]}" in line for line in below):
                    name = ""
                lines += [f"{head}{name}{margin()}", *below]
            elif kind == 3:
                dash = " " * (indent + draw(st.integers(0, 2)))
                lines += [f"{head}{margin()}"]
                lines += [
                    f"{dash}-{' ' * draw(st.integers(1, 3))}{flow(1)}{margin()}" for _ in range(draw(st.integers(1, 3)))
                ]
            else:
                lines.append(f"{head} {named(flow(2))}{margin()}")
        return lines

    whole = "\n".join(block(3, 0))
    return whole + draw(st.sampled_from(["", "\n", "\n\n# the end\n"]))


def _is_loop(text: str) -> bool:
    try:
        json.dumps(yaml.safe_load(text))
    except (ValueError, yaml.YAMLError):
        return True
    return False


def _paths(value: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    found = [(path, value)]
    for step, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        found += _paths(inner, (*path, step))
    return found


@given(texts(), st.data())
@settings(max_examples=80, deadline=None)
def test_any_text_is_another_in_the_one_place_only(source: str, data: st.DataObject) -> None:
    if _is_loop(source):
        return
    text = YamlText("any.yaml", source)
    expected = _plain(text)
    path, value = data.draw(st.sampled_from(_paths(expected)))
    at: Any = expected
    for step in path[:-1]:
        at = at[step]
    if isinstance(value, dict):
        text.set_word(path, "flag", "true")
        value["flag"] = True
    elif isinstance(value, list):
        text.add_item(path, "9")
        value.append(9)
    elif path:
        text.replace(path, "9")
        at[path[-1]] = 9
    assert _plain(text) == expected
    gone = [line for line in changed(text, source) if line[0] == "-"]
    # The line itself, each alias on the way that had to be written out, and where an anchor moved to.
    assert len(gone) <= 1 + source.count("*") + source.count("&")
    for line in source.splitlines():
        if line.strip().startswith("#"):
            assert line in text.text.splitlines()
