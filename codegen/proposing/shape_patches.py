"""Changes of schemas, enums and unions, and of the examples that they contradict."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from binance_sdk.verify.finding import Finding, Kind
from codegen.documents import FILL
from codegen.importer.shapes import Shapes
from codegen.names import english_list, pascal, snake
from codegen.proposing.places import (
    FIXTURES,
    ByHandError,
    field_place,
    last_key,
    occurrences,
    own_fixtures,
    owner_of,
    position_of,
    wire_path,
)
from codegen.proposing.widening import common_ending, filled, fits, stand_in, wider
from codegen.proposing.workspace import Workspace
from codegen.proposing.yaml_text import Path, scalar
from codegen.proposing.yaml_tree import Spot
from codegen.spec_model.schemas import ObjectSchema, RowSchema, Schema, UnionSchema
from codegen.spec_model.spec import Placed

Patch = Callable[[], None]

_WIRE = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_ORDER = ("unused", "name", "type", "optional", "nullable", "empty", "description", "uncertain", "source")
_LONGEST_SAMPLE = 40


@dataclass
class ShapePatches:
    """Makes the changes of one run.

    Attributes:
        workspace: What is changed.
        findings: All of the run: what several say together decides some changes.
        source: Who saw it, where and when, as the YAML writes a source.
    """

    workspace: Workspace
    findings: Sequence[Finding]
    source: str

    def __post_init__(self) -> None:
        self._makers: Mapping[Kind, Callable[[Finding], list[Patch]]] = {
            "field_added": self._field_added,
            "field_missing": self._field_missing,
            "field_renamed": self._field_renamed,
            "type_changed": self._type_changed,
            "null": self._null,
            "empty_string": self._empty_string,
            "value_added": self._value_added,
            "member_added": self._member_added,
            "positions_added": self._positions_added,
            "positions_missing": self._positions_missing,
        }
        self._copied: dict[tuple[str, str], str] = {}
        """Rows that a market got for itself, by market and name: in which file."""

    def of(self, finding: Finding) -> list[Patch] | None:
        """Ways to make the spec say what was seen, the best first; None for kinds that are not about shapes.

        Raises:
            ByHandError: there is none.
        """
        make = self._makers.get(finding.kind)
        return None if make is None else make(finding)

    # ------------------------------------------------------------------------------------ fields

    def _field_added(self, finding: Finding) -> list[Patch]:
        owner = owner_of(self.workspace.spec, finding)
        key = last_key(finding.path)[0]
        place = (*owner.path, "fields")
        if not isinstance(owner.value, ObjectSchema) or not _WIRE.fullmatch(key):
            raise ByHandError(owner.document.file, f"a key such as `{key}` has no place in a schema", owner.path)
        keys = [*self.workspace.spec.fields(owner.scope, owner.value), key]

        def add(words: Mapping[str, str]) -> None:
            text = self.workspace.text(owner.document.file)
            if text.at((*place, key)) is None:
                text.add_entry(place, key, _braces(words))
                self._into_examples(finding, owner.name, key)

        def drafted() -> None:
            shapes = self._shapes_of(finding.market, owner.document.file)
            words = shapes.words(key, keys, [finding.seen])
            if shapes.lines:
                self.workspace.text(owner.document.file).add_lines(owner.path[:1], filled(shapes.lines))
            add(self._described(key, finding.seen, words))

        def anything() -> None:
            add(self._described(key, finding.seen, {"type": "any"}))

        return [drafted, anything]

    def _described(self, key: str, seen: Any, words: Mapping[str, str]) -> dict[str, str]:
        """The words of a new field, marks filled with what is known: that it was seen."""
        sample = json.dumps(seen, ensure_ascii=False)
        sample = sample if len(sample) <= _LONGEST_SAMPLE else f"{sample[:_LONGEST_SAMPLE]}…"
        found = {"type": "any"} if words["type"] in (FILL, f"list<{FILL}>") else dict(words)
        if FILL in found.get("name", "") or ("name" not in found and len(key) == 1):
            found["name"] = stand_in(key)
        if FILL in found.get("description", FILL):
            found["description"] = json.dumps(f"Undocumented `{key}`; the first value seen was {sample}.")
        found |= {"optional": "true", "uncertain": json.dumps(_remark("Seen")), "source": self.source}
        return found

    def _field_missing(self, finding: Finding) -> list[Patch]:
        return [lambda: self._flag(finding, "optional")]

    def _field_renamed(self, finding: Finding) -> list[Patch]:
        spec = self.workspace.spec
        owner = owner_of(spec, finding)
        old = last_key(finding.path)[0]
        seen = finding.seen
        if not isinstance(seen, dict) or len(seen) != 1:
            raise ByHandError(owner.document.file, "the new name is not known", owner.path)
        ((new, value),) = seen.items()
        file, path = field_place(spec, owner, old)

        def rename() -> None:
            text = self.workspace.text(file)
            if text.at((*path[:-1], new)) is not None:
                return
            named = text.at((*path, "name"))
            if named is None:
                text.set_word(path, "name", snake(old), before="type")
            elif named.value == snake(new):
                text.drop_word(path, "name")
            self._remember(file, path)
            text.rename(path, new)
            for name, at, found in list(occurrences(self.workspace, owner)):
                if isinstance(found, dict) and old in found:
                    self.workspace.text(name).rename((*at, old), json.dumps(new))

        def both() -> None:
            self._flag(finding, "optional")
            prefix = finding.path.removesuffix(old)
            added = Finding(
                kind="field_added",
                severity="noted",
                about=finding.about,
                subject=finding.subject,
                market=finding.market,
                where=finding.where,
                variant=finding.variant,
                arguments=finding.arguments,
                path=f"{prefix}{new}",
                owner=finding.owner,
                seen=value,
            )
            self._field_added(added)[0]()

        return [rename, both]

    def _type_changed(self, finding: Finding) -> list[Patch]:
        found = wider(str(finding.spec), finding.seen)
        return [partial(self._retype, finding, type_) for type_ in ([found, "any"] if found else ["any"])]

    def _null(self, finding: Finding) -> list[Patch]:
        if last_key(finding.path)[1] or position_of(finding.path) is not None:
            return [lambda: self._retype(finding, "any")]
        return [lambda: self._flag(finding, "nullable")]

    def _empty_string(self, finding: Finding) -> list[Patch]:
        if last_key(finding.path)[1] or position_of(finding.path) is not None:
            return [lambda: self._retype(finding, "any")]
        return [lambda: self._flag(finding, "empty"), lambda: self._retype(finding, "any")]

    def _flag(self, finding: Finding, flag: str) -> None:
        owner = owner_of(self.workspace.spec, finding)
        if not isinstance(owner.value, ObjectSchema):
            raise ByHandError(owner.document.file, f"{owner.name} is told apart by it", owner.path)
        file, path = field_place(self.workspace.spec, owner, last_key(finding.path)[0])
        text = self.workspace.text(file)
        known = text.at((*path, flag))
        if known is None or known.value != "true":
            text.set_word(path, flag, "true")
            self._remember(file, path)

    def _retype(self, finding: Finding, type_: str) -> None:
        spec = self.workspace.spec
        owner = owner_of(spec, finding)
        position = position_of(finding.path)
        if position is not None and isinstance(owner.value, RowSchema):
            own_file, own = self._own_row(finding, owner)
            self.workspace.text(own_file).set_word((*own, "row", position), "type", type_)
            return
        key, containers = last_key(finding.path)
        if not key:
            raise ByHandError(owner.document.file, "the answer as a whole is another; give it another type", owner.path)
        file, path = field_place(spec, owner, key)
        text = self.workspace.text(file)
        there = text.at((*path, "type"))
        old = "" if there is None else there.value
        inner = str(finding.spec)
        new = f"{old[: old.rindex(inner)]}{type_}{'>' * old.count('<')}" if inner in old and containers else type_
        if old != new:
            text.set_word(path, "type", new)
            self._remember(file, path)

    def _remember(self, file: str, path: Path, what: str = "Seen so") -> None:
        """Say beside a fact where this was read, unless something is said there already."""
        text = self.workspace.text(file)
        if text.at((*path, "uncertain")) is None:
            spot = text.at(path)
            assert spot is not None
            text.set_word(path, "uncertain", json.dumps(_remark(what), ensure_ascii=False), before="")
        if text.at((*path, "source")) is None:
            text.set_word(path, "source", self.source, before="")

    def _into_examples(self, finding: Finding, owner: str, key: str) -> None:
        """Show the new field in the examples of what had it."""
        placed = owner_of(self.workspace.spec, finding)
        mine = {f"{FIXTURES}/{name}" for name in own_fixtures(self.workspace.spec, finding)}
        sample = json.dumps(finding.seen, ensure_ascii=False)
        for file, path, value in list(occurrences(self.workspace, placed)):
            if file in mine and isinstance(value, dict) and key not in value:
                self.workspace.text(file).add_entry(path, json.dumps(key), sample)

    def _shapes_of(self, market: str, file: str) -> Shapes:
        """Drafts schemas for a file, under names that none has there by now."""
        schemas = self.workspace.text(file).at(("schemas",))
        taken = {key.value for key, _ in schemas.children if key is not None} if schemas is not None else set[str]()
        return Shapes(self.workspace.spec, market, taken=taken)

    # ---------------------------------------------------------------------------- enums and unions

    def _value_added(self, finding: Finding) -> list[Patch]:
        enum = self.workspace.spec.enum(finding.market, finding.owner)
        if enum is None or not isinstance(finding.seen, str):
            raise ByHandError("names.yaml", f"there is no enum `{finding.owner}`")

        def add() -> None:
            text = self.workspace.text(enum.document.file)
            values = text.at((*enum.path, "values"))
            if values is not None and finding.seen not in [value.value for _, value in values.children]:
                text.add_item((*enum.path, "values"), scalar(finding.seen))
                self._remember(enum.document.file, enum.path, f"`{finding.seen}` was seen")

        return [add]

    def _member_added(self, finding: Finding) -> list[Patch]:
        union = owner_of(self.workspace.spec, finding)
        seen = finding.seen
        schema = union.value
        if not isinstance(schema, UnionSchema) or not isinstance(seen, dict):
            raise ByHandError(union.document.file, "the new kind of object is not known", union.path)
        tag = str(seen.get(schema.discriminator, ""))
        name = f"{pascal(tag.lower())}{common_ending(list(schema.members.values()))}"
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
            raise ByHandError(union.document.file, f"no class can be called after `{tag}`", union.path)

        def add(plain: bool) -> None:
            text = self.workspace.text(union.document.file)
            if text.at((*union.path, "members", tag)) is not None:
                return
            shapes = self._shapes_of(finding.market, union.document.file)
            fields: list[str] = []
            for key, value in seen.items():
                words = {"type": "any"} if plain else shapes.words(key, list(seen), [value])
                words = self._described(key, value, words)
                # What holds of all of it is said of the schema.
                words = {word: text for word, text in words.items() if word not in ("optional", "uncertain", "source")}
                if key == schema.discriminator:
                    words = {"type": "string", "description": json.dumps(f"Kind of object: {tag}.")}
                fields.append(f"      {key}: {_braces(words)}")
            about = json.dumps(f"Undocumented {tag}.", ensure_ascii=False)
            head = [f"  {name}:", f"    description: {about}", f"    source: {self.source}", "    fields:"]
            whole = [*filled(shapes.lines), *head, *fields]
            text.add_lines(union.path[:1], whole)
            text.add_entry((*union.path, "members"), scalar(tag), name)

        return [lambda: add(plain=False), lambda: add(plain=True)]

    # --------------------------------------------------------------------------------------- rows

    def _positions_added(self, finding: Finding) -> list[Patch]:
        row, seen = self._row(finding)

        def add() -> None:
            file, path = self._own_row(finding, row)
            text = self.workspace.text(file)
            there = _length(text.at((*path, "row")))
            for index in range(there, len(seen)):
                sample = json.dumps(seen[index], ensure_ascii=False)
                about = f"Undocumented position {index}; the first value seen was {sample}."
                words = {"unused": "true", "description": json.dumps(about, ensure_ascii=False)}
                words |= {"uncertain": json.dumps(_remark("Seen")), "source": self.source}
                text.add_item((*path, "row"), _braces(words))
            for file, path, value in list(occurrences(self.workspace, row, finding.market)):
                for index in range(len(value), len(seen)):
                    self.workspace.text(file).add_item(path, json.dumps(seen[index], ensure_ascii=False))

        return [add]

    def _positions_missing(self, finding: Finding) -> list[Patch]:
        row, seen = self._row(finding)
        positions = row.value.row if isinstance(row.value, RowSchema) else []
        fitting = all(fits(position.type, value) for position, value in zip(positions, seen, strict=False))
        if not seen or not fitting:
            text = "which positions are gone is not plain from the values that are left"
            raise ByHandError(row.document.file, text, (*row.path, "row"))

        def drop() -> None:
            file, path = self._own_row(finding, row)
            text = self.workspace.text(file)
            for index in reversed(range(len(seen), _length(text.at((*path, "row"))))):
                text.drop_item((*path, "row"), index)
            for file, path, value in list(occurrences(self.workspace, row, finding.market)):
                for index in reversed(range(len(seen), len(value))):
                    self.workspace.text(file).drop_item(path, index)

        return [drop]

    def _row(self, finding: Finding) -> tuple[Any, list[Any]]:
        row = owner_of(self.workspace.spec, finding)
        if not isinstance(row.value, RowSchema) or not isinstance(finding.seen, list):
            raise ByHandError(row.document.file, "the row is not known", row.path)
        mine = {f"{FIXTURES}/{name}" for name in own_fixtures(self.workspace.spec, finding)}
        found = occurrences(self.workspace, row, finding.market)
        places = {wire_path(path) for file, path, _ in found if file in mine}
        like = [one for one in self.findings if (one.subject, one.kind) == (finding.subject, finding.kind)]
        others = places - {one.path for one in like}
        if others:
            text = f"{finding.path} has it, and {english_list(sorted(others))} of the same answer has not"
            raise ByHandError(row.document.file, text, row.path)
        return row, finding.seen

    def _own_row(self, finding: Finding, row: Placed[Schema]) -> tuple[str, Path]:
        """File and path of the row of the finding's market; one that all share is left alone, and copied for it."""
        spec, path = self.workspace.spec, ("schemas", row.name)
        if row.scope == finding.market:
            return row.document.file, row.path
        copies = {
            market: file
            for (market, name), file in self._copied.items()
            if name == row.name and self.workspace.text(file).at(path) is not None
        }
        others = {market for market in spec.market_names if (market, row.name) not in spec.schemas}
        file = copies.get(finding.market, "")
        if not file and not others - copies.keys() - {finding.market}:
            # Nobody else has it, or has it any more.
            return row.document.file, row.path
        if not file:
            operations = spec.of_market(finding.market)
            mine = {placed.name: placed.document.file for placed in operations}
            name = finding.subject.partition(".")[2]
            file = mine[name] if finding.about == "operation" else next(iter(mine.values()))
            lines = self.workspace.text(row.document.file).lines_of(row.path)
            text = self.workspace.text(file)
            if text.at(("schemas",)) is None:
                text.add_section("schemas", lines, before="operations")
            else:
                text.add_lines(("schemas",), lines)
            text.set_word(path, "replaces_shared", "true", before="row")
            self._copied[finding.market, row.name] = file
        return file, path


def _remark(what: str) -> str:
    return f"{what}, and no document was read."


def _braces(words: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{key}: {words[key]}' for key in _ORDER if key in words)}}}"


def _length(spot: Spot | None) -> int:
    return 0 if spot is None else len(spot.children)
