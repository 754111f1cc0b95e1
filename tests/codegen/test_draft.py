"""``codegen draft``: an endpoint begun from an answer or an OpenAPI file needs nothing but its marks filled."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from project import Project
from test_import import SYMBOL, UPSTREAM, get, written

from codegen.__main__ import main
from codegen.checks.lint import broken_rules
from codegen.documents import FILL
from codegen.importer.draft import from_openapi
from codegen.importer.openapi import read_openapi
from codegen.load import load
from codegen.scaffold.new import new_endpoint
from codegen.spec_model.spec import Spec
from tests.shared_facts import REPOSITORY, needs_facts

TABLES = ("tests/contract/endpoint_table.py",)
PATH = "/api/v3/liquidity"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    for file in TABLES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text((REPOSITORY / file).read_text(encoding="utf-8"), encoding="utf-8")
    return project


def draft(project: Project, *arguments: str) -> int:
    return main(["--spec", str(project.root / "spec"), "draft", "--root", str(project.root), *arguments])


def filled(project: Project, types: str = "any") -> Spec:
    """The spec, with every mark replaced by something that fits."""
    count = itertools.count(1)
    file = project.root / "spec" / "spot" / "liquidity.yaml"
    text = file.read_text(encoding="utf-8")
    text = text.replace(f"type: {FILL}", f"type: {types}").replace(f"weight: {FILL}", "weight: 3")
    text = text.replace(f"max: {FILL}", "max: 1000")
    text = re.sub(rf"name: {FILL}\b", lambda _: f"part_{next(count)}", text).replace("{part_", "{name: part_")
    text = re.sub(rf"\b{FILL} in a value", "1h", text)
    text = re.sub(rf"\b{FILL}( in [^\"\n]*)?", lambda _: f"Something number {next(count)} here.", text)
    file.write_text(text, encoding="utf-8")
    return load(project.root / "spec")


ANSWER = [
    {
        "symbol": "BTCUSDT",
        "openTime": 1764028800000,
        "spreadBps": "0.12",
        "dealId": 7,
        "isThin": False,
        "hint": None,
        "ratio": 0.5,
        "label": "calm",
        "parts": [{"sideName": "bid", "share": "0.5"}],
        "steps": [["1.0", 3, "x"]],
        "tags": ["a"],
        "later": 1,
    },
    {
        "symbol": "BTCUSDT",
        "openTime": 1764028801000,
        "spreadBps": "",
        "dealId": 8,
        "isThin": True,
        "hint": "x",
        "ratio": 2,
        "label": "wild",
        "parts": [],
        "steps": [],
        "tags": [],
    },
]


def test_an_answer_tells_its_types(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "answer.json").write_text(json.dumps([*ANSWER, ANSWER[0]]), encoding="utf-8")
    assert draft(project, "spot", "liquidity", PATH, "--from-answer", str(tmp_path / "answer.json")) == 0
    assert capsys.readouterr().out.splitlines()[1] == "  spec/spot/liquidity.yaml"
    # Nothing can be generated before a human has filled it in.
    assert main(["--spec", str(project.root / "spec"), "lint"]) == 2
    assert "spot/liquidity.yaml:2: fill in a sentence" in capsys.readouterr().err
    spec = filled(project)
    assert broken_rules(spec, spec.source_of(spec.operations["spot", "liquidity"]).date) == []
    fields = spec.schemas["spot", "Liquidity"].value.fields  # type: ignore[union-attr]
    assert {wire: field.type for wire, field in fields.items()} == {
        "symbol": "symbol",
        "openTime": "time",
        "spreadBps": "decimal",
        "dealId": "id",
        "isThin": "bool",
        "hint": "string",
        "ratio": "number",
        "label": "string",
        "parts": "list<Part>",
        "steps": "list<Step>",
        "tags": "list<string>",
        "later": "int",
    }
    flags = {wire: (field.optional, field.nullable, field.empty) for wire, field in fields.items()}
    assert flags["later"] == (True, False, False)
    assert flags["hint"] == (False, True, False)
    assert flags["spreadBps"] == (False, False, True)
    row = spec.schemas["spot", "Step"].value
    assert [position.type for position in row.row] == ["decimal", "int", "string"]  # type: ignore[union-attr]
    # Two rows are enough.
    assert len(json.loads(spec.fixtures["spot/liquidity.json"])) == 2


def test_a_neighbour_of_endpoints_that_take_pairs_takes_one(project: Project, tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text(json.dumps([{"time": 1764028800000}]), encoding="utf-8")
    arguments = ("coin_futures", "liquidity", "/futures/data/liquidity", "--from-answer", str(tmp_path / "answer.json"))
    assert draft(project, *arguments) == 0
    text = (project.root / "spec/coin_futures/liquidity.yaml").read_text(encoding="utf-8")
    assert 'pair: {type: symbol, pair: true, required: true, description: "Pair, e.g. BTCUSD."}\n' in text
    assert 'example: {"pair": "BTCUSD"}\n' in text


def test_names_and_schemas_that_are_there_are_used(project: Project, tmp_path: Path) -> None:
    answer = {"depth": {"bids": [["1.0", "2.0"]]}, "serverTime": 1764028800000, "count": 3}
    (tmp_path / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    assert draft(project, "spot", "liquidity", PATH, "--from-answer", str(tmp_path / "answer.json")) == 0
    spec = filled(project)
    fields = spec.schemas["spot", "Liquidity"].value.fields  # type: ignore[union-attr]
    assert fields["count"].name == "trade_count"
    assert spec.schemas["spot", "Depth"].value.fields["bids"].type == "list<PriceLevel>"  # type: ignore[union-attr]


def test_what_was_drafted_is_generated_and_answers(project: Project, tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text(json.dumps(ANSWER), encoding="utf-8")
    assert draft(project, "spot", "liquidity", PATH, "--from-answer", str(tmp_path / "answer.json")) == 0
    filled(project)
    weights = project.root / "binance_sdk" / "simulator" / "rest" / "weights.py"
    text = re.sub(rf"_flat\(1\),  # {FILL}.*", "_flat(3),", weights.read_text(encoding="utf-8"))
    weights.write_text(text, encoding="utf-8")
    project.generate()
    project.run(
        "-W",
        "error",
        "-c",
        "from binance_sdk.simulator import Simulator\n"
        "with Simulator() as simulator, simulator.sync_client() as client:\n"
        "    rows = client.spot.liquidity('BTCUSDT')\n"
        "    assert str(rows[0].spread_bps) == '0.12' and rows[1].spread_bps is None, rows\n"
        "    assert simulator.used_weight('spot') == 3\n",
    )


def test_an_openapi_file_tells_the_rest(project: Project, tmp_path: Path) -> None:
    choice = {"name": "mood", "in": "query", "schema": {"type": "string", "enum": ["CALM", "WILD"]}}
    interval = {
        "name": "interval",
        "in": "query",
        "required": True,
        "schema": {
            "type": "string",
            "enum": sorted(load(REPOSITORY / "spec").enums["spot", "KlineInterval"].value.values),
        },
    }
    limit = {"name": "limit", "in": "query", "description": "Default 500; max 1000.", "schema": {"type": "integer"}}
    start = {"name": "startTime", "in": "query", "schema": {"type": "integer"}}
    properties = {"spreadBps": {"type": "string", "example": "1.5"}, "note": {"type": "string"}}
    paths = get(
        PATH,
        [SYMBOL, choice, interval, limit, start],
        {"type": "array", "items": {"type": "object", "properties": properties}},
        "| Limit | Weight |\n|--|--|\n| 1-100 | 5 |\n| 101-1000 | 25 |\n",
    )
    file = written(tmp_path, paths)
    assert draft(project, "spot", "liquidity", PATH, "--from-openapi", str(file)) == 0
    text = (project.root / "spec/spot/liquidity.yaml").read_text(encoding="utf-8")
    assert 'summary: "One."' in text
    fixture = project.root / "spec/fixtures/spot/liquidity.json"
    assert json.loads(fixture.read_text(encoding="utf-8")) == [{"spreadBps": "1.5", "note": f"{FILL} in a value"}]
    fixture.write_text('[{"spreadBps": "1.5", "note": "x"}]', encoding="utf-8")
    operation = filled(project, "string").operations["spot", "liquidity"].value
    assert operation.weight.model_dump()["bands"][1]["weight"] == 25  # type: ignore[union-attr]
    types = {
        wire: (parameter.type, parameter.enum, parameter.required) for wire, parameter in operation.parameters.items()
    }
    assert types == {
        "symbol": ("symbol", None, True),
        "mood": ("enum", "Mood", False),
        "interval": ("enum", "KlineInterval", True),
        "limit": ("int", None, False),
        "startTime": ("time", None, False),
    }
    assert (operation.parameters["limit"].default, operation.parameters["limit"].max) == (500, 1000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from-openapi", "{file}"], "has no public GET of `/api/v3/liquidity`; nothing was written"),
        (["--from-answer", "{folder}/none.json"], "none.json:1: cannot be read: No such file or directory"),
        (["--from-answer", "{file}"], "api.yaml:1: not JSON: "),
    ],
)
def test_what_cannot_be_drafted(
    arguments: list[str], message: str, project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, get("/api/v3/other", [], {}))
    told = [argument.format(file=file, folder=tmp_path) for argument in arguments]
    assert draft(project, "spot", "liquidity", PATH, *told) == 2
    assert message in capsys.readouterr().err
    assert not (project.root / "spec/spot/liquidity.yaml").exists()


def test_what_is_there_is_not_drafted(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "answer.json").write_text("{}", encoding="utf-8")
    assert draft(project, "spot", "depth", "/api/v3/depth", "--from-answer", str(tmp_path / "answer.json")) == 2
    assert "there is an endpoint spot.depth" in capsys.readouterr().err


@needs_facts
def test_every_endpoint_that_binance_published_can_be_drafted(project: Project) -> None:
    api = read_openapi(UPSTREAM)
    folder, table = project.root / "spec", project.root / TABLES[0]
    weights = project.root / "binance_sdk/simulator/rest/weights.py"
    before = {path: path.read_text(encoding="utf-8") for path in (table, weights)}
    spec = load(folder)
    drafted = 0
    for path, endpoint in api.endpoints.items():
        if not path.startswith("/api/"):
            continue
        renamed = replace(endpoint, path=f"{path}/again")
        made: Any = from_openapi(spec, "spot", "liquidity", api, renamed)
        new_endpoint(project.root, spec, "spot", "liquidity", renamed.path, made)
        fixture = folder / "fixtures/spot/liquidity.json"
        text = re.sub(rf'"{FILL}[^"]*"', '"1.0"', fixture.read_text(encoding="utf-8"))
        fixture.write_text(text, encoding="utf-8")
        assert ("spot", "liquidity") in filled(project).operations, path
        drafted += 1
        for file in (folder / "spot/liquidity.yaml", fixture):
            file.unlink()
        for file, text in before.items():
            file.write_text(text, encoding="utf-8")
    assert drafted >= 14
