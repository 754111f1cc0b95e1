"""A YAML or JSON text that is changed in single places: all else stays as it is, to the last blank and comment.

A round trip through a library that writes YAML anew would break lines, quotes and indentation of what nobody touched.
So the parser only tells where things stand, and each change is a cut in the text, which is parsed again after it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import yaml

from codegen.documents import Problem, SpecError
from codegen.proposing.yaml_tree import Spot, Step, all_spots, read_tree

Path = tuple[Step, ...]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Words that some reader of YAML takes for no text."""
_ANCHOR = re.compile(r"&[^\s,\[\]{}]+\s+")
_MERGE = "<<"


class YamlText:
    """One file.

    Args:
        file: Its name in messages.
        text: What stands in it.

    Raises:
        SpecError: it is no YAML.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._set(text)

    def _set(self, text: str) -> None:
        try:
            root = read_tree(text)
        except yaml.YAMLError as error:
            raise SpecError([Problem(self.file, 1, f"is no YAML: {error}")]) from None
        self.text, self.root = text, root

    # ----------------------------------------------------------------------------------- looking

    def at(self, path: Path) -> Spot | None:
        """The node at a path, aliases followed."""
        spot = self._followed(self.root)
        for step in path:
            if spot is None:
                return None
            spot = self._followed(spot.child(step) or self._merged(spot, step))
        return spot

    def _followed(self, spot: Spot | None) -> Spot | None:
        if spot is None or spot.kind != "alias":
            return spot
        # The nearest anchor of the name above it: a name may be used again.
        named = [one for one in all_spots(self.root) if one.anchor == spot.anchor and one.kind != "alias"]
        above = [one for one in named if one.begin < spot.begin]
        return above[-1] if above else None

    def _merged(self, spot: Spot, step: Step) -> Spot | None:
        """What a mapping takes over from others."""
        merged = spot.child(_MERGE) if spot.kind == "mapping" else None
        for one in [] if merged is None else [merged] if merged.kind != "sequence" else [v for _, v in merged.children]:
            found = self._followed(one)
            value = None if found is None else found.child(step) or self._merged(found, step)
            if value is not None:
                return value
        return None

    def line(self, path: Path) -> int:
        """Line of a node, or of the nearest one above it that is there."""
        spot = self.root
        for step in path:
            entry = spot.entry(step)
            if entry is None:
                break
            spot = entry[1]
        return self.text.count("\n", 0, spot.begin) + 1

    # ---------------------------------------------------------------------------------- changing

    def set_word(self, path: Path, key: str, value: str, before: str = "description") -> None:
        """Give a mapping a key, or another value for it; a new one stands before ``before`` where there is that."""
        spot = self._own(path)
        if spot.child(key) is not None:
            self.replace((*path, key), value)
            return
        entry = spot.entry(before)
        if entry is None or entry[0] is None:
            self.add_entry(path, key, value)
            return
        follows = ", " if spot.is_flow else f"{self._newline}{' ' * entry[0].column}"
        self._cut(entry[0].begin, entry[0].begin, f"{key}: {value}{follows}")

    def add_entry(self, path: Path, key: str, value: str) -> None:
        """Append an entry to a mapping."""
        spot = self._own(path)
        if spot.is_flow:
            self._append(spot, f"{key}: {value}")
        else:
            first = spot.children[0][0]
            assert first is not None
            self._add_line(spot, f"{' ' * first.column}{key}: {value}")

    def add_lines(self, path: Path, lines: Sequence[str]) -> None:
        """Append entries of more than one line to a mapping; they stand two columns in, as entries of a file do."""
        spot = self._own(path)
        if spot.is_flow or not spot.children:
            raise KeyError(path)
        first = spot.children[0][0]
        assert first is not None
        indent = " " * first.column
        self._add_line(spot, self._newline.join(indent + line[2:] for line in lines))

    def add_section(self, key: str, lines: Sequence[str], before: str) -> None:
        """Begin a section of a file, in front of another one."""
        entry = self.root.entry(before)
        if entry is None or entry[0] is None:
            raise KeyError(before)
        text = self._newline.join([f"{key}:", *lines, "", ""])
        self._cut(entry[0].begin, entry[0].begin, text)

    def lines_of(self, path: Path) -> list[str]:
        """An entry as it is written, two columns in, as ``add_lines`` wants it."""
        entry = self._there(path[:-1]).entry(path[-1])
        if entry is None or entry[0] is None:
            raise KeyError(path)
        begun = entry[0].begin - entry[0].column
        text = self.text[begun : self._line_end(self._end(entry[1]))]
        return [f"  {line[entry[0].column :]}" if line.strip() else "" for line in text.splitlines()]

    def add_item(self, path: Path, value: str) -> None:
        """Append an item to a list."""
        spot = self._own(path)
        if spot.is_flow:
            self._append(spot, value)
            return
        last = spot.children[-1][1]
        dash = self.text.rfind("-", 0, last.begin)
        begun = self.text.rfind("\n", 0, dash) + 1
        self._add_line(spot, self.text[begun : last.begin].replace(self.text[begun:dash], " " * (dash - begun)) + value)

    def drop_word(self, path: Path, key: str) -> None:
        """Take a key from a mapping that has others too."""
        spot = self._own(path)
        at = next(index for index, (name, _) in enumerate(spot.children) if name is not None and name.value == key)
        self._drop(spot, at)

    def drop_item(self, path: Path, index: int) -> None:
        """Leave out an item of a list."""
        self._drop(self._own(path), index)

    def _drop(self, spot: Spot, at: int) -> None:
        key, value = spot.children[at]
        first = value if key is None else key
        if not spot.is_flow:
            mark = self.text.rfind("-", 0, first.begin) if key is None else first.begin
            begun, ended = self.text.rfind("\n", 0, mark) + 1, self._line_end(self._end(value))
            self._cut(begun, min(ended + len(self._newline), len(self.text)), "")
        elif at:
            self._cut(self._end(spot.children[at - 1][1]), self._end(value), "")
        elif len(spot.children) > 1:
            follows, inner = spot.children[1]
            self._cut(first.begin, (inner if follows is None else follows).begin, "")
        else:
            self._cut(first.begin, self._end(value), "")

    def replace(self, path: Path, value: str) -> None:
        """Another value in the place of the one that is there."""
        if self.at(path) is None:
            raise KeyError(path)
        self._own(path[:-1])
        self._detach(path)
        spot = self._there(path)
        self._cut(spot.begin, self._end(spot), value)

    def rename(self, path: Path, key: str) -> None:
        """Another key for a value."""
        entry = self._own(path[:-1]).entry(path[-1])
        if entry is None or entry[0] is None:
            raise KeyError(path)
        self._cut(entry[0].begin, entry[0].end, key)

    # ------------------------------------------------------------------------------------ pieces

    def _there(self, path: Path) -> Spot:
        spot = self.root
        for step in path:
            found = spot.child(step)
            if found is None:
                raise KeyError(path)
            spot = found
        return spot

    def _own(self, path: Path) -> Spot:
        """The node at a path as one that belongs to this place alone, so that a change of it is one of nothing else."""
        if self.at(path) is None:
            raise KeyError(path)
        for length in range(1, len(path) + 1):
            part = path[:length]
            if self._there(part[:-1]).child(part[-1]) is None:
                merged = self.at(part)
                assert merged is not None
                self.add_entry(part[:-1], str(part[-1]), self._as_flow(merged))
            self._detach(part)
            spot = self._there(part)
            if spot.kind == "alias":
                original = self.at(part)
                assert original is not None
                self._cut(spot.begin, spot.end, self._as_flow(original))
        return self._there(path)

    def _detach(self, path: Path) -> None:
        """Take the anchor from a node; the first that means it by an alias gets it, with a copy."""
        spot = self._there(path)
        if spot.kind == "alias" or not spot.anchor:
            return
        aliases = [one for one in all_spots(self.root) if one.kind == "alias" and one.anchor == spot.anchor]
        aliases = [one for one in aliases if one.begin > spot.begin]
        again = [one for one in all_spots(self.root) if one.anchor == spot.anchor and one.kind != "alias"]
        later = [one.begin for one in again if one.begin > spot.begin]
        aliases = [one for one in aliases if not later or one.begin < later[0]]
        if not aliases:
            return
        copy = self._as_flow(spot)
        if len(aliases) > 1:
            copy = f"&{spot.anchor} {copy}"
        text = self.text[: aliases[0].begin] + copy + self.text[aliases[0].end :]
        properties = text[spot.begin : spot.start]
        kept = _ANCHOR.sub("", properties, count=1)
        if "\n" in properties and not kept:
            # A block below its anchor: the line break stays.
            kept = properties[properties.index(f"&{spot.anchor}") + len(spot.anchor) + 1 :]
            begin = spot.begin - len(self.text[: spot.begin]) + len(self.text[: spot.begin].rstrip(" "))
            self._set(text[:begin] + kept + text[spot.start :])
            return
        self._set(text[: spot.begin] + kept + text[spot.start :])

    def _as_flow(self, spot: Spot) -> str:
        """A copy of a node for another place: in one line, without anchors."""
        if spot.kind == "alias":
            return f"*{spot.anchor}"
        if spot.kind == "scalar":
            raw = self.text[spot.start : spot.end]
            return raw if raw and "\n" not in raw and raw[0] not in "|>" else json.dumps(spot.value, ensure_ascii=False)
        if spot.kind == "sequence":
            return f"[{', '.join(self._in_flow(value) for _, value in spot.children)}]"
        entries = [f"{self._as_flow(key)}: {self._in_flow(value)}" for key, value in spot.children if key is not None]
        return f"{{{', '.join(entries)}}}"

    def _in_flow(self, spot: Spot) -> str:
        text = self._as_flow(spot)
        if spot.kind == "scalar" and text == self.text[spot.start : spot.end] and text[:1] not in "\"'":
            # What a block says without quotes may end a text in braces.
            return json.dumps(spot.value, ensure_ascii=False) if re.search(r"[,\[\]{}]", text) else text
        return text

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def _end(self, spot: Spot) -> int:
        """Behind the last character of a node, without the lines that the parser counts to a block."""
        if spot.is_flow or not spot.children:
            return spot.start + len(self.text[spot.start : spot.end].rstrip())
        return self._end(spot.children[-1][1])

    def _line_end(self, place: int) -> int:
        found = self.text.find("\n", place)
        end = len(self.text) if found < 0 else found
        return end - 1 if end and self.text[end - 1 : end] == "\r" else end

    def _add_line(self, spot: Spot, line: str) -> None:
        end = self._line_end(self._end(spot))
        self._cut(end, end, self._newline + line)

    def _append(self, spot: Spot, text: str) -> None:
        if not spot.children:
            self._cut(spot.start + 1, spot.start + 1, text)
            return
        key, value = spot.children[-1]
        first = value if key is None else key
        begun = self.text.rfind("\n", 0, first.begin) + 1
        margin = self.text[begun : first.begin]
        # Where each entry has a line of its own, so has the new one.
        between = f",{self._newline}{margin}" if begun and not margin.strip() else ", "
        end = self._end(value)
        self._cut(end, end, f"{between}{text}")

    def _cut(self, begin: int, end: int, text: str) -> None:
        self._set(self.text[:begin] + text + self.text[end:])


def scalar(value: object) -> str:
    """A value as YAML has it within braces."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
