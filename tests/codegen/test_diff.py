"""``codegen diff``: every change of a spec is found, and is what callers feel."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from tiny import FOLDER, REPOSITORY, TinySpec

from codegen.diff.compare import _CLASSES, is_node, strip, without_prose
from codegen.diff.report import Change, changes
from codegen.diff.rules import RULES, THINGS
from codegen.diff.sides import TABLES, Name, Side, read_folder, read_record, record_text
from codegen.releasing.release import side_of
from codegen.spec_model.base import Node
from codegen.spec_model.files import MODELS

Told = tuple[str, str, str]
OLD = read_folder(FOLDER)


def against(tiny: TinySpec) -> list[Change]:
    return changes(OLD, read_folder(tiny.folder))


def told(found: list[Change]) -> list[Told]:
    return [(change.kind.word, change.subject, change.text) for change in found]


# ------------------------------------------------------------------------------------ nothing is ignored


def nodes_of(annotation: Any) -> Iterator[type[Node]]:
    annotation = strip(annotation)
    if is_node(annotation):
        yield annotation
    for inner in get_args(annotation):
        yield from nodes_of(inner)


def test_every_word_of_the_model_is_classified() -> None:
    """Where this fails, put the new word into ``RULES``: what does a change of it mean for callers?"""
    todo, seen = list(MODELS), set[type[Node]]()
    missing, stray = [], []
    while todo:
        cls = todo.pop()
        if cls in seen:
            continue
        seen.add(cls)
        words = {info.alias or name: info for name, info in cls.model_fields.items()}
        tables = {word for owner, word in TABLES if owner is cls}
        missing += [f"{cls.__name__}.{word}" for word in words.keys() - tables - RULES.get(cls, {}).keys()]
        stray += [f"{cls.__name__}.{word}" for word in RULES.get(cls, {}).keys() - (words.keys() - tables)]
        for word, info in words.items():
            rule = RULES.get(cls, {}).get(word)
            # Rules between parameters and weights are compared as they are.
            if (rule is None or not rule.whole) and word != "rules":
                todo += nodes_of(info.annotation)
    assert (missing, stray) == ([], [])
    assert set(TABLES.values()) | {"file"} == THINGS.keys() == _CLASSES.keys() | {"schema", "file"}


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path


def changed_at(value: Any, path: tuple[str | int, ...]) -> Any:
    whole = copy.deepcopy(value)
    inner = whole
    for step in path[:-1]:
        inner = inner[step]
    leaf = inner[path[-1]]
    inner[path[-1]] = not leaf if isinstance(leaf, bool) else leaf + 1 if isinstance(leaf, int) else f"{leaf}2"
    return whole


def test_no_change_of_any_value_is_ignored() -> None:
    count = 0
    for name, thing in OLD.things.items():
        for path in leaves(thing.value):
            new = replace(OLD, things=OLD.things | {name: replace(thing, value=changed_at(thing.value, path))})
            found = changes(OLD, new)
            assert found, (name, path)
            assert all(change.difference.known for change in found), (name, path)
            count += 1
    assert count > 300


def test_a_spec_is_like_itself() -> None:
    assert changes(OLD, read_folder(FOLDER)) == []
    ours = read_folder(REPOSITORY / "spec")
    assert changes(ours, read_folder(REPOSITORY / "spec")) == []


def test_a_word_that_the_generator_does_not_know_is_told(tiny: TinySpec) -> None:
    tiny.change("spot/market.yaml", "    path: /v1/time\n", "    path: /v1/time\n    colour: red\n")
    assert told(against(tiny)) == [
        ("behavioural", "spot.time", "`colour`, which this version of the generator does not know, added red")
    ]


# ------------------------------------------------------------------------------------ what is what

CASES = {case["case"]: case for case in yaml.safe_load((Path(__file__).parent / "diff_cases.yaml").read_text())}


@pytest.mark.parametrize("case", CASES)
def test_a_change_is_what_callers_feel(case: str, tiny: TinySpec) -> None:
    one = CASES[case]
    assert told(against(tiny.change(one["file"], one["old"], one["new"]))) == [tuple(line) for line in one["told"]]


def test_moving_something_to_another_file_is_no_change(tiny: TinySpec) -> None:
    tiny.change(
        "spot/market.yaml", "  Detail:\n    description: How much a price tells.\n    values: [FULL, MINI]\n", ""
    )
    tiny.write(
        "spot/detail.yaml",
        "description: Detail.\nsource: {document: Tiny docs, date: 2026-01-02}\n"
        "enums:\n  Detail:\n    description: How much a price tells.\n    values: [FULL, MINI]\n",
    )
    assert told(against(tiny)) == [("docs", "file spot/detail.yaml", "new: a file")]


def test_what_an_object_takes_over_is_its_own(tiny: TinySpec) -> None:
    tiny.change(
        "spot/market.yaml",
        "  Price:\n    description: Price of a symbol.\n    fields:\n"
        "      symbol: {type: symbol, description: Symbol.}\n",
        "  Named:\n    description: One.\n    fields:\n      symbol: {type: symbol, description: Symbol.}\n"
        "  Price:\n    description: Price of a symbol.\n    extends: Named\n    fields:\n",
    )
    assert told(against(tiny)) == [("additive", "spot.Named", "new: a schema")]


def test_a_market_tells_for_all_that_it_has(tiny: TinySpec) -> None:
    text = (tiny.folder / "markets.yaml").read_text(encoding="utf-8")
    begin = text.index("  futures:\n    title")
    tiny.write("markets.yaml", text[:begin])
    shutil.rmtree(tiny.folder / "futures")
    shutil.rmtree(tiny.folder / "fixtures" / "futures")
    assert told(against(tiny)) == [
        ("breaking", "market futures", "gone, with 1 endpoints and 0 streams"),
        ("docs", "file futures/market.yaml", "gone: a file"),
    ]
    found = changes(read_folder(tiny.folder), OLD)
    assert told(found)[0] == ("additive", "market futures", "new, with 1 endpoints and 0 streams")
    assert found[0].affected.methods == ("client.futures",)


def test_a_schema_that_both_markets_now_share_is_still_there(tiny: TinySpec) -> None:
    schema = "  Bar:\n    description: One bar.\n    row:\n"
    text = (tiny.folder / "spot/market.yaml").read_text(encoding="utf-8")
    begin = text.index(schema)
    end = text.index("  Price:\n")
    tiny.write("spot/market.yaml", text[:begin] + text[end:])
    tiny.write(
        "schemas/market.yaml", (tiny.folder / "schemas/market.yaml").read_text(encoding="utf-8") + text[begin:end]
    )
    assert told(against(tiny)) == []


def test_what_is_affected(tiny: TinySpec) -> None:
    tiny.change("schemas/market.yaml", "{name: qty, type: decimal", "{name: quantity, type: decimal")
    tiny.change("spot/market.yaml", "min: 1, max: 1000", "min: 1, max: 500")
    tiny.change("spot/market.yaml", "values: [1m, 1h]", "values: [1m, 1h, 1d]")
    tiny.change("markets.yaml", "weight: {limit: 50,", "weight: {limit: 60,")
    found = {change.subject: change.affected for change in against(tiny)}
    assert found["shared.Level"].models == ("binance_sdk.futures.Level",)
    assert found["shared.Level"].fields == ("Level.quantity",)
    assert found["shared.Level"].methods == ("client.futures.book",)
    assert found["spot.bars"].methods == ("client.spot.bars", "client.spot.iter_bars")
    assert found["spot.bars"].fields == ("bars(limit)",)
    assert found["pool futures"].methods == ("client.futures",)
    assert found["spot.Step"].methods == ("client.spot.bars", "client.spot.iter_bars", "client.spot.streams.bar")


def test_a_schema_becomes_another_kind_of_thing() -> None:
    name = Name("schema", "spot", "Bar")
    union = {"description": "One.", "discriminator": "kind", "members": {}, "unknown": "UnknownBar"}
    new = Side("new", OLD.things | {name: replace(OLD.things[name], value=union)}, OLD.fixtures)
    assert told(changes(OLD, new)) == [("breaking", "spot.Bar", "is another kind of thing")]


def test_the_order_of_markets_is_that_of_their_ports(tiny: TinySpec, tmp_path: Path) -> None:
    record = tmp_path / "released.json"
    record.write_bytes(record_text(without_prose(side_of(tiny.load())), "1.0.0"))
    text = (tiny.folder / "markets.yaml").read_text(encoding="utf-8")
    before, markets, after = text.partition("markets:\n")
    spot, futures, rest = after.partition("  futures:\n")
    swapped = f"{before}{markets}{futures}{rest}{spot}"
    found = ("behavioural", "file markets.yaml", "markets in another order: spot, futures -> futures, spot")
    tiny.write("markets.yaml", swapped)
    assert told(against(tiny)) == [found]
    assert told(changes(read_record(record), read_folder(tiny.folder))) == [found]
    # One that comes at the end moves nobody; one in front of others does.
    further = spot.replace("  spot:", "  further:")
    tiny.write("markets.yaml", f"{text}{further}")
    assert [change.subject for change in against(tiny)] == ["market further"]
    tiny.write("markets.yaml", f"{before}{markets}{further}{spot}{futures}{rest}")
    assert [change.subject for change in against(tiny)] == ["market further", "file markets.yaml"]


def test_a_record_is_compared_as_its_spec(tiny: TinySpec, tmp_path: Path) -> None:
    path = tmp_path / "released.json"
    path.write_bytes(record_text(without_prose(side_of(tiny.load())), "1.0.0"))
    released = read_record(path)
    assert "Clock of the server" not in path.read_text(encoding="utf-8")
    assert released.version == "1.0.0"
    assert changes(released, read_folder(tiny.folder)) == []
    assert changes(released, OLD) == []
    for case in ("weight of a band", "prose", "field renamed", "silence", "choice of a stream"):
        fresh = TinySpec(tmp_path / case.replace(" ", "_"))
        one = CASES[case]
        found = changes(released, read_folder(fresh.change(one["file"], one["old"], one["new"]).folder))
        assert told(found) == [tuple(line) for line in one["told"]]
