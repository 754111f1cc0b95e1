"""Examples and recordings of other people, read in place: every answer decodes, and none of our fixtures is theirs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from contract.calls import CASES, Case, canonical, written
from contract.walk import places
from pydantic import BaseModel, TypeAdapter
from shared_facts import answer_of, answers, found, load, market_of, name_of, needs_facts

from binance_sdk import BinanceClient, SyncBinanceClient, errors, spot
from binance_sdk._runtime.answers.row import Row
from binance_sdk.catalogue import CATALOGUE, Operation, Variant

pytestmark = needs_facts

OUTDATED = {
    "recorded/spot/exchange_info.json": {
        "otoAllowed",
        "opoAllowed",
        "allowTrailingStop",
        "cancelReplaceAllowed",
        "amendAllowed",
        "pegInstructionsAllowed",
        "permissionSets",
        "defaultSelfTradePreventionMode",
        "allowedSelfTradePreventionModes",
    },
    "examples/futures/exchange_info.json": {"orderTypes"},
}
NOT_ANSWERS = {"examples/spot/filters.json"}
# The newer page has an example of its own beside the outdated one.
BETTER = {"futures.exchange_info": "examples/futures/exchange_info.documented_2026.json"}


def reads(path: Path) -> tuple[Operation[Any], Variant[Any]]:
    """The operation a file answers and the variant that gets it."""
    name, *rest = path.stem.split(".")
    operation = CATALOGUE[market_of(path)].operations[name]  # type: ignore[arg-type]
    for variant in operation.variants:
        if any(suffix in rest for suffix in variant.fixtures if suffix):
            return operation, variant
    return operation, operation.variants[0]


ANSWERS = [
    path
    for path in (
        *answers(),
        *found("observed-2026-10/rest/*.json"),
        *found("recorded/*/depth*.json"),
        *found("recorded/*/exchange_info.json"),
    )
    if ".error_" not in path.name and name_of(path) not in NOT_ANSWERS
]
GOOD = [path for path in ANSWERS if name_of(path) not in OUTDATED]
REFUSED = found("examples/spot/*.error_*.json")


def call(path: Path, *, status: int = 200) -> Any:
    """What a user of the client gets who is answered with this file."""
    operation, variant = reads(path)
    content = path.read_bytes()
    arguments = {operation.by_wire[name].name: value for name, value in variant.example.items()}

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == operation.path
        return httpx.Response(status, content=content)

    with (
        httpx.Client(transport=httpx.MockTransport(answer)) as over,
        SyncBinanceClient(api_key="an-api-key-of-a-test", http_client=over) as client,
    ):
        return getattr(getattr(client, operation.market), operation.name)(**arguments)


def test_the_files_are_where_they_are_looked_for() -> None:
    assert len(GOOD) >= 90
    assert {name_of(path) for path in ANSWERS} >= set(OUTDATED)
    assert len(REFUSED) == 2
    assert {reads(path)[0].id for path in ANSWERS} == {operation.id for operation in CATALOGUE.operations}


@pytest.mark.parametrize("path", GOOD, ids=name_of)
def test_an_answer_is_read_and_written_back(path: Path) -> None:
    data = call(path)
    assert canonical(written(reads(path)[1], data)) == canonical(path.read_bytes())


@pytest.mark.parametrize("path", found("observed-2026-10/rest/*.json"), ids=name_of)
async def test_the_async_client_reads_the_same(path: Path) -> None:
    operation, variant = reads(path)
    arguments = {operation.by_wire[name].name: value for name, value in variant.example.items()}
    answer = httpx.MockTransport(lambda _: httpx.Response(200, content=path.read_bytes()))
    async with httpx.AsyncClient(transport=answer) as over, BinanceClient(http_client=over) as client:
        assert await getattr(client.futures, operation.name)(**arguments) == call(path)


@pytest.mark.parametrize("path", [path for path in ANSWERS if name_of(path) in OUTDATED], ids=name_of)
def test_an_outdated_answer_names_what_it_lacks(path: Path) -> None:
    with pytest.raises(errors.DecodeError) as caught:
        call(path)
    missing = OUTDATED[name_of(path)]
    *told, last = caught.value.problems
    if last != "and more":
        # Few enough to be told all of them.
        told.append(last)
    assert {problem.partition(" (and")[0] for problem in told} == {
        f"symbols[0].{field}: is missing" for field in missing
    }
    assert all(f"symbols[0].{field}: is missing" in str(caught.value) for field in missing)
    assert caught.value.body == path.read_bytes()
    assert caught.value.operation == f"{market_of(path)}.exchange_info"


@pytest.mark.parametrize("path", REFUSED, ids=name_of)
def test_an_error_is_no_answer(path: Path) -> None:
    with pytest.raises(errors.BadRequestError) as caught:
        call(path, status=400)
    assert (caught.value.code, caught.value.message) == (-2043, load(path)["msg"])


def test_every_spot_filter_is_known() -> None:
    document = load("examples/spot/filters.json")
    adapter = TypeAdapter(list[spot.SymbolFilter])
    filters = adapter.validate_json(json.dumps(document))
    text = adapter.dump_json(filters, by_alias=True, exclude_unset=True)
    assert canonical(text) == canonical(json.dumps(document))
    unknown = {found.filter_type for found in filters if isinstance(found, spot.UnknownSymbolFilter)}
    exchange_wide = {entry["filterType"] for entry in document if entry["filterType"].startswith("EXCHANGE_")}
    # MAX_ASSET is of an account endpoint.
    assert unknown == exchange_wide | {"MAX_ASSET"}
    assert len({type(found) for found in filters}) == 15 + 1
    for entry in document:
        if entry["filterType"] in exchange_wide:
            read = TypeAdapter[spot.ExchangeFilter](spot.ExchangeFilter).validate_json(json.dumps(entry))
            assert not isinstance(read, spot.UnknownExchangeFilter)


# ---------------------------------------------------------------------------- our fixtures and theirs


def example_of(case: Case) -> str:
    return BETTER.get(case.operation.id) or answer_of(*case.id.split(".", 1))


def shape(case: Case, document: Any) -> Mapping[tuple[str, str], set[str]]:
    """JSON types by (class, key), over all objects and rows of an answer."""
    data = case.variant.adapter.validate_json(json.dumps(document))
    types: dict[tuple[str, str], set[str]] = defaultdict(set)
    for place in places(data, document):
        parts = place.wire.items() if isinstance(place.wire, dict) else enumerate(place.wire)
        for key, value in parts:
            types[type(place.value).__name__, str(key)].add(json_type(value))
    return types


def json_type(value: Any) -> str:
    if isinstance(value, list):
        return f"[{'|'.join(sorted({json_type(item) for item in value}))}]"
    return {str: "string", bool: "boolean", dict: "object", type(None): "null"}.get(type(value), "number")


def fields_of(case: Case) -> dict[tuple[str, str], Any]:
    """Model fields inside an answer by (class, key)."""
    fields, todo, seen = {}, [case.variant.type], set()
    while todo:
        type_: Any = todo.pop()
        if id(type_) in seen:
            continue
        seen.add(id(type_))
        todo += get_args(type_)
        if isinstance(type_, type) and issubclass(type_, BaseModel):
            for name, field in type_.model_fields.items():
                fields[type_.__name__, field.alias or name] = field
                todo.append(field.annotation)
        elif isinstance(type_, type) and issubclass(type_, Row):
            fields.update({(type_.__name__, str(index)): None for index in range(len(type_._positions))})
    return fields


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_fixture_has_the_shape_of_the_example(case: Case) -> None:
    ours, theirs = shape(case, json.loads(case.body)), shape(case, load(example_of(case)))
    fields = fields_of(case)
    classes = {name for name, _ in ours} & {name for name, _ in theirs}
    assert classes or not fields
    for key in sorted(set(ours) | set(theirs)):
        if key[0] not in classes:
            continue  # a filter that only one of the two shows, or an example that is `{}`
        if key[0] == "PriceFilter" and key not in ours and case.operation.id in BETTER:
            # That page writes the keys of all filters into one object.
            assert key[1] in {name for owner, name in fields if owner.endswith("Filter")}
            continue
        assert key in fields, f"{key} is not in the spec"
        optional = fields[key] is not None and not fields[key].is_required()
        if key not in ours or key not in theirs:
            assert optional, f"{key} is in {'the example' if key in theirs else 'our fixture'} only"
            continue
        # Null is a value of its own, and an empty list says nothing of its items.
        mine, other = ours[key] - {"null", "[]"}, theirs[key] - {"null", "[]"}
        if mine and other and not accepts_both(fields[key]):
            assert mine == other, key


def accepts_both(field: Any) -> bool:
    """Whether the spec says that a key comes as number or as string."""
    adapter = TypeAdapter(field.annotation if not field.metadata else field.rebuild_annotation()) if field else None
    kinds = str(adapter.json_schema()) if adapter else ""
    return "'string'" in kinds and ("'number'" in kinds or "'integer'" in kinds)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_fixture_is_no_copy(case: Case) -> None:
    """``{}`` is the only answer two people must write alike; values of a row may meet by chance, whole rows do not."""
    ours = json.loads(case.body)
    if ours == {}:
        return
    theirs = [load(path) for path in found(f"**/{case.operation.name}*.json")]
    assert theirs
    assert ours not in theirs
    rows = [row for document in theirs for row in (document if isinstance(document, list) else [document])]
    for row in ours if isinstance(ours, list) else [ours]:
        assert row not in rows
