"""The dictionary of this repository holds: no field whose key it knows can get another name in one schema alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tiny import REPOSITORY, TinySpec

from codegen.checks.facts import check_facts
from codegen.load import load
from codegen.names import snake
from codegen.spec_model.dictionary import split
from codegen.spec_model.schemas import ObjectSchema
from codegen.spec_model.spec import Spec

LEAST = 470
"""Fields that the dictionary recognises by their key; fewer would say that an entry lost its grip."""


@pytest.fixture(scope="module")
def spec() -> Spec:
    return load(REPOSITORY / "spec")


def test_every_known_key_is_held_to_its_name(spec: Spec) -> None:
    keys = [split(text) for fact in spec.names.names.values() for text in fact.wire]
    held = 0
    for table in ("schemas", "events"):
        placed_by_name = getattr(spec, table)
        for place_of, placed in placed_by_name.items():
            if not isinstance(placed.value, ObjectSchema):
                continue
            wires = spec.fields(placed.scope, placed.value).keys()
            known = [
                (wire, field)
                for wire, field in placed.value.fields.items()
                if not field.unused and any(key == wire and beside <= wires for key, beside in keys)
            ]
            others = {
                wire: field.model_copy(update={"name": f"other_{number}"}) for number, (wire, field) in enumerate(known)
            }
            schema = placed.value.model_copy(update={"fields": placed.value.fields | others})
            changed = replace(spec, **{table: placed_by_name | {place_of: replace(placed, value=schema)}})
            told = {problem.message.partition(" (")[0] for problem in check_facts(changed)}
            right = {
                f"{placed.name}: `{wire}` is called `{field.name or snake(wire)}` everywhere" for wire, field in known
            }
            assert right <= told, right - told
            held += len(known)
    assert held >= LEAST


def test_the_names_in_rows_are_those_of_events(spec: Spec) -> None:
    """A row has no keys; its positions are held by what fills an event from it, which has one name for both."""
    filled = {
        path.rpartition(".")[2]
        for stream in spec.streams.values()
        if stream.value.fill
        for path in stream.value.fill.fields
    }
    row = spec.schemas["shared", "Kline"].value
    positions = {position.name for position in row.row if position.name}  # type: ignore[union-attr]
    assert positions <= filled


def test_what_is_to_be_ignored_is_not_the_fact_that_its_key_tells_elsewhere(tmp_path: Path) -> None:
    tiny = TinySpec(tmp_path)
    tiny.change("streams/spot.yaml", "n: {name: trade_count,", "n: {name: ignored, unused: true,")
    assert [line for line in tiny.mistakes() if "is called `trade_count`" in line] == []
