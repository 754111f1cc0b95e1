"""One fact, one name: every schema against ``spec/names.yaml``, and what two schemas say of themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from codegen.documents import Document, Problem
from codegen.names import english_list, snake
from codegen.spec_model.dictionary import Fact, split
from codegen.spec_model.schemas import ObjectSchema, RowSchema, Schema
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.types import parse_type

_TYPES = {"time_or_digits": "time", "number": "decimal", "decimal_or_number": "decimal"}
"""Types whose values are those of another."""
_TEXTS = frozenset({"string", "symbol", "enum"})


@dataclass(frozen=True)
class _Field:
    """A field of an object or a position of a row, with where it stands."""

    name: str
    wire: str | None
    type: str
    description: str
    path: tuple[str | int, ...]

    @property
    def kind(self) -> str:
        """Its type in the words of the dictionary."""
        type_ = parse_type(self.type)
        if type_.kind in ("list", "map"):
            return type_.kind
        return "enum" if type_.kind == "name" else _TYPES.get(type_.name, type_.name)


@dataclass
class Dictionary:
    """The facts, by what a field can be recognised by."""

    document: Document
    facts: Mapping[str, Fact]
    by_key: dict[str, list[tuple[frozenset[str], str]]] = field(default_factory=dict)
    refused: dict[str, list[tuple[frozenset[str], str]]] = field(default_factory=dict)
    """Python names that are not to be used, with those beside which they are not, and the right name."""

    def __post_init__(self) -> None:
        for name, fact in self.facts.items():
            for text in fact.wire:
                key, beside = split(text)
                self.by_key.setdefault(key, []).append((beside, name))
                if not beside and len(key) > 1 and snake(key) not in self.facts:
                    self.refused.setdefault(snake(key), []).append((beside, name))
            for text in fact.never:
                key, beside = split(text)
                self.refused.setdefault(key, []).append((beside, name))

    def line(self, name: str) -> str:
        return f"{self.document.file}:{self.document.line('names', name)}"


def check_facts(spec: Spec) -> Iterator[Problem]:
    """Fields that call a fact otherwise than the dictionary does, or than another schema does."""
    dictionary = Dictionary(spec.names_document, spec.names.names)
    used: set[str] = set()
    keys: set[tuple[str | None, frozenset[str]]] = set()
    told: dict[tuple[str, str], tuple[Placed[Schema], _Field]] = {}
    for placed in (*spec.schemas.values(), *spec.events.values()):
        inherited = {
            schema_field.name or snake(wire): wire
            for wire, schema_field in spec.fields(placed.scope, placed.value).items()
        }
        own = list(_fields(placed))
        names = {own_field.name for own_field in own} | inherited.keys()
        yield from _unused(dictionary, placed)
        wires = {own_field.wire for own_field in own if own_field.wire} | set(inherited.values())
        for own_field in own:
            if own_field.name in dictionary.facts:
                used.add(own_field.name)
            keys |= {
                (own_field.wire, beside)
                for beside, _ in dictionary.by_key.get(own_field.wire or "", ())
                if beside <= wires
            }
            # A field with the wrong name would be told to be described like one with the right one as well.
            yield from list(_named(dictionary, placed, own_field, wires, names)) or _told_before(
                told, placed, own_field
            )
    yield from _idle(dictionary, used, keys)


def _fields(placed: Placed[Schema]) -> Iterator[_Field]:
    schema = placed.value
    if isinstance(schema, ObjectSchema):
        for wire, schema_field in schema.fields.items():
            if schema_field.unused:
                continue  # Whatever its key is elsewhere, here it holds nothing.
            yield _Field(
                schema_field.name or snake(wire), wire, schema_field.type, schema_field.description, ("fields", wire)
            )
    elif isinstance(schema, RowSchema):
        for index, position in enumerate(schema.row):
            if position.name is not None:
                yield _Field(position.name, None, position.type, position.description, ("row", index))


def _unused(dictionary: Dictionary, placed: Placed[Schema]) -> Iterator[Problem]:
    """Fields that hold nothing, under the name of something."""
    fields = placed.value.fields if isinstance(placed.value, ObjectSchema) else {}
    for wire, schema_field in fields.items():
        name = schema_field.name or snake(wire)
        if schema_field.unused and name in dictionary.facts:
            text = f"`{name}` is a fact ({dictionary.line(name)}), and this is to be ignored; give it another name"
            yield placed.problem(text, "fields", wire)


def _named(
    dictionary: Dictionary, placed: Placed[Schema], one: _Field, wires: Set[str], names: Set[str]
) -> Iterator[Problem]:
    right = best(dictionary.by_key.get(one.wire or "", ()), wires)
    if right is not None and right != one.name:
        # The key says more than the name: what it carries is known.
        yield placed.problem(_wrong_name(dictionary, f"`{one.wire}`", one, right), *one.path)
        return
    if right is None:
        right = best(dictionary.refused.get(one.name, ()), names)
        if right is not None:
            yield placed.problem(_wrong_name(dictionary, f"`{one.name}`", one, right), *one.path)
            return
    fact = dictionary.facts.get(one.name)
    if fact is not None and one.kind != fact.type and not {one.kind, fact.type} <= _TEXTS:
        text = f"`{one.name}` is {_article(fact.type)} ({dictionary.line(one.name)}: {fact.means}), and this is"
        yield placed.problem(f"{text} {_article(one.kind)}; correct its type or give it another name", *one.path)


def best(candidates: Sequence[tuple[frozenset[str], str]], there: Set[str]) -> str | None:
    """The name whose conditions hold; of several that with most of them."""
    fitting = [(len(beside), name) for beside, name in candidates if beside <= there]
    return max(fitting)[1] if fitting else None


def _wrong_name(dictionary: Dictionary, what: str, one: _Field, right: str) -> str:
    remedy = "drop its `name:`" if one.wire is not None and snake(one.wire) == right else f"write `name: {right}`"
    means = dictionary.facts[right].means
    return f"{what} is called `{right}` everywhere ({dictionary.line(right)}: {means}); {remedy}"


def _article(type_: str) -> str:
    return f"{'an' if type_[0] in 'aeiou' else 'a'} {type_}"


def _told_before(
    told: dict[tuple[str, str], tuple[Placed[Schema], _Field]], placed: Placed[Schema], one: _Field
) -> Iterator[Problem]:
    """A field described in the words of another one, and named otherwise."""
    # What follows a semicolon is about this place, not about the fact.
    words = one.description.partition(";")[0].rstrip(".").casefold()
    if " " not in words:
        return  # "Kind." says too little for two of them to be the same.
    other, first = told.setdefault((one.kind, words), (placed, one))
    if first.name != one.name:
        place = f"{other.document.file}:{other.document.line(*other.path, *first.path)}"
        text = f"`{one.name}` is described as `{first.name}` of {other.name} is ({place})"
        yield placed.problem(f"{text}; give one fact one name, or two facts two descriptions", *one.path)


def _idle(dictionary: Dictionary, used: Set[str], keys: Set[object]) -> Iterator[Problem]:
    """Entries that hold nobody to anything: a misspelt key would switch a check off in silence."""
    for name, fact in dictionary.facts.items():
        line = dictionary.document.line("names", name)
        if name not in used:
            yield Problem(dictionary.document.file, line, f"{name}: no schema has a field of this name; drop it")
            continue
        idle = [f"`{text}`" for text in fact.wire if split(text) not in keys]
        if idle:
            text = f"{name}: no schema has the key {english_list(idle, 'or')}; correct it or drop it"
            yield Problem(dictionary.document.file, line, text)
