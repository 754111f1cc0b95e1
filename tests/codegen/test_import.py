"""``codegen import``: what an OpenAPI file has that the spec lacks or contradicts, or where the file is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny import REPOSITORY

from codegen.__main__ import main
from codegen.documents import SpecError
from codegen.importer.findings import findings
from codegen.importer.openapi import read_openapi
from codegen.importer.weights import told_weight
from codegen.load import load
from tests.shared_facts import FACTS, needs_facts

SPEC = load(REPOSITORY / "spec")
UPSTREAM = FACTS / "upstream" / "spot_api_2024-10.yaml"
SYMBOL = {"name": "symbol", "in": "query", "required": True, "schema": {"type": "string"}}


def get(path: str, parameters: list[Any], answer: Any, description: str = "", **more: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": answer}}
    body = {"summary": "One.", "description": description, "parameters": parameters, **more}
    return {path: {"get": {**body, "responses": {"200": {"description": "OK", "content": content}}}}}


def written(folder: Path, paths: dict[str, Any], **more: Any) -> Path:
    file = folder / "api.yaml"
    file.write_text(yaml.safe_dump({"openapi": "3.0.2", "paths": paths, **more}, sort_keys=False), encoding="utf-8")
    return file


def told(folder: Path, paths: dict[str, Any], **more: Any) -> list[str]:
    return [str(finding) for finding in findings(SPEC, "spot", read_openapi(written(folder, paths, **more)))]


def here(file: str, text: str) -> str:
    """``file:line`` of the first line that has a text."""
    lines = (REPOSITORY / "spec" / file).read_text(encoding="utf-8").splitlines()
    return f"{file}:{next(number for number, line in enumerate(lines, 1) if text in line)}"


def test_an_endpoint_that_the_spec_lacks(tmp_path: Path) -> None:
    paths = get("/api/v3/spread", [SYMBOL], {"type": "object"})
    (finding,) = findings(SPEC, "spot", read_openapi(written(tmp_path, paths)))
    assert str(finding) == "lacks /api/v3/spread: One.; `python -m codegen draft` begins it"
    lines = (tmp_path / "api.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[finding.there - 1].strip() == "get:"


def test_what_is_about_an_account_or_another_market_is_left_alone(tmp_path: Path) -> None:
    paths = {
        **get("/api/v3/account", [SYMBOL, {"name": "signature", "in": "query", "schema": {}}], {}),
        **get("/api/v3/order", [SYMBOL], {}, security=[{"ApiKeyAuth": []}]),
        **get("/sapi/v1/spread", [SYMBOL], {}),
        "/api/v3/order/test": {"post": {"responses": {}}},
    }
    assert told(tmp_path, paths) == []


def test_what_agrees_is_no_finding(tmp_path: Path) -> None:
    average = {
        "type": "object",
        "properties": {"mins": {"type": "integer"}, "price": {"type": "string"}, "closeTime": {"type": "integer"}},
    }
    assert told(tmp_path, get("/api/v3/avgPrice", [SYMBOL], average, "Weight(IP): 2")) == []


def test_parts_that_the_spec_lacks(tmp_path: Path) -> None:
    parameters = [
        SYMBOL,
        {"name": "zone", "in": "query", "schema": {"type": "string"}},
        {"name": "symbolStatus", "in": "query", "schema": {"type": "string", "enum": ["TRADING", "ASLEEP"]}},
        {"name": "X-KEY", "in": "header", "schema": {"type": "string"}},
    ]
    answer = {
        "type": "object",
        "properties": {
            "lastUpdateId": {"type": "integer"},
            "serverTime": {"type": "integer"},
            "bids": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
        },
    }
    depth = here("spot/market.yaml", "/api/v3/depth")
    file, line = depth.split(":")
    at = f"{file}:{int(line)}"
    found = told(tmp_path, get("/api/v3/depth", parameters, answer))
    assert [text.rpartition(" (")[0] for text in found] == [
        "lacks spot.depth: the parameter `zone`",
        "lacks spot.depth: the value `ASLEEP` of `symbolStatus`",
        "lacks spot.depth: `serverTime` in the answer",
    ]
    assert at.split(":")[0] == "spot/market.yaml"
    assert f"({here('spot/general.yaml', 'SymbolStatusFilter:').split(':')[0]}:" in found[1]


def test_fields_inside_of_fields(tmp_path: Path) -> None:
    symbol = {"type": "object", "properties": {"symbol": {"type": "integer"}, "mood": {"type": "string"}}}
    answer = {"type": "object", "properties": {"symbols": {"type": "array", "items": symbol}}}
    found = told(tmp_path, get("/api/v3/exchangeInfo", [], answer))
    assert found[0].startswith(
        "contradicts spot.exchange_info: `symbol` in `symbols`[] is of type integer, not symbol (spot/"
    )
    assert found[1].startswith("lacks spot.exchange_info: `mood` in `symbols`[] (spot/")


@pytest.mark.parametrize(
    ("path", "parameter", "text"),
    [
        ("/api/v3/depth", {**SYMBOL, "required": False}, "`symbol` is not required"),
        ("/api/v3/depth", {**SYMBOL, "schema": {"type": "integer"}}, "`symbol` is of type integer, not symbol"),
        (
            "/api/v3/depth",
            {"name": "limit", "in": "query", "schema": {"default": 7}},
            "`limit` has the default 7, not 100",
        ),
        (
            "/api/v3/depth",
            {"name": "limit", "in": "query", "schema": {"maximum": 7}},
            "`limit` has the max 7, not 5000",
        ),
        (
            "/api/v3/depth",
            {"name": "limit", "in": "query", "description": "Default 100; max 1000.", "schema": {"type": "integer"}},
            "`limit` has the max 1000, not 5000",
        ),
    ],
)
def test_a_parameter_that_is_another(path: str, parameter: dict[str, Any], text: str, tmp_path: Path) -> None:
    (found,) = told(tmp_path, get(path, [parameter], {}))
    assert found.startswith(f"contradicts spot.depth: {text} (spot/market.yaml:")


BANDS = "| Limit | Weight(IP) |\n|---|---|\n| 1-100 | 5 |\n| 101-500 | 25 |\n| 501-5000 | 90 |\n"


@pytest.mark.parametrize(
    ("path", "description", "text"),
    [
        ("/api/v3/klines", "Bars.\n\nWeight(IP): 1\n", "a call 1, not 2"),
        ("/api/v3/depth", BANDS, "limit from 501 on 90, not 50"),
        ("/api/v3/depth", "Weight: 3", "a call 3"),
        (
            "/api/v3/ticker/price",
            "Weight(IP):\n- `1` for a single symbol;\n- `4` when the symbol parameter is omitted;",
            "a call with symbol 1, not 2",
        ),
        (
            "/api/v3/ticker",
            "Weight(IP): 2 for each requested symbol.\nThe weight will cap at 100 once more than 50.",
            "a call with symbol 2, not 4; each symbol 2, not 4; at most 100, not 200",
        ),
    ],
)
def test_a_weight_that_is_another(path: str, description: str, text: str, tmp_path: Path) -> None:
    (found,) = told(tmp_path, get(path, [], {}, description))
    assert f": the weight: {text} (spot/" in found


def test_a_weight_in_other_words_is_none() -> None:
    assert told_weight("It depends.") is None
    assert told_weight("Weight(IP): 2") == 2


# ------------------------------------------------------------------------------------- wrong files


def refused(file: Path) -> list[str]:
    with pytest.raises(SpecError) as caught:
        findings(SPEC, "spot", read_openapi(file))
    return [line.removeprefix(f"{file}:") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("openapi: [", "1: not YAML: "),
        ("", "1: the file is empty"),
        ("- a\n", "1: the file: must be a mapping of keys to values"),
        ("info: {}\nswagger: '2.0'\n", "2: swagger: this is Swagger 2.0; convert it to OpenAPI 3 first"),
        ("info: {}\nopenapi: 4.0.0\n", "2: openapi: the file is of version 4.0.0; versions 3.0 and 3.1 can be read"),
        ("info: {}\n", "1: openapi: the file has no key `openapi`; versions 3.0 and 3.1 can be read"),
        ("openapi: 3.1.0\npaths: []\n", "2: paths: must be a mapping of keys to values"),
        ("openapi: 3.1.0\npaths:\n  /api/v3/x:\n    get: 7\n", "4: paths./api/v3/x.get: must be a mapping"),
        (
            "openapi: 3.1.0\npaths:\n  /api/v3/x:\n    get:\n      parameters: 7\n",
            "5: paths./api/v3/x.get.parameters: must be a list",
        ),
        (
            "openapi: 3.1.0\npaths:\n  /api/v3/x:\n    get:\n      parameters:\n        - in: query\n",
            "6: paths./api/v3/x.get.parameters.0: a parameter needs a `name`",
        ),
        (
            "openapi: 3.1.0\npaths:\n  /api/v3/x:\n    get:\n      parameters:\n        - $ref: other.yaml#/a\n",
            "6: paths./api/v3/x.get.parameters.0.$ref: `other.yaml#/a` leads out of the file; put what it means into ",
        ),
        (
            "openapi: 3.1.0\npaths:\n  /api/v3/x:\n    get:\n      parameters:\n        - $ref: '#/parts/a'\n",
            "6: paths./api/v3/x.get.parameters.0.$ref: `#/parts/a` leads nowhere: there is no `parts`",
        ),
        (
            "openapi: 3.1.0\na: {$ref: '#/b'}\nb: {$ref: '#/a'}\npaths:\n  /api/v3/x:\n    get:\n      parameters:\n"
            "        - $ref: '#/a'\n",
            "8: paths./api/v3/x.get.parameters.0: its references lead in a circle",
        ),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "api.yaml"
    file.write_text(text, encoding="utf-8")
    (line,) = refused(file)
    assert line.startswith(message)


def test_schemas_that_hold_themselves(tmp_path: Path) -> None:
    symbols = {"type": "array", "items": {"$ref": "#/components/node"}}
    node = {"type": "object", "properties": {"symbols": symbols}}
    more = {"components": {"node": node, "one": {"oneOf": [{"$ref": "#/components/one"}]}}}
    file = written(tmp_path, get("/api/v3/exchangeInfo", [], {"$ref": "#/components/node"}), **more)
    assert [line.partition(": ")[2] for line in refused(file)] in (
        [],
        ["components.node: it holds itself; write it out as deep as it goes"],
    )
    file = written(tmp_path, get("/api/v3/exchangeInfo", [], {"$ref": "#/components/one"}), **more)
    assert [line.partition(": ")[2] for line in refused(file)] == ["components.one: its references lead in a circle"]


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.yaml") == ["1: cannot be read: No such file or directory"]
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xff\n")
    assert refused(tmp_path / "latin.yaml") == ["2: byte 8 of the file is not UTF-8"]


# ---------------------------------------------------------------------------------------- the command


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, get("/api/v3/klines", [], {}, "Weight(IP): 1"))
    assert main(["import", str(file)]) == 0
    line, count = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{file}:4: contradicts spot.klines: the weight: a call 1, not 2 (spot/klines.yaml:")
    assert count.startswith("1 public endpoints; the spec lacks 0 and contradicts 1: ")
    assert main(["import", str(file), "--json"]) == 0
    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["kind"], finding["subject"], finding["there"]) == ("contradicts", "spot.klines", 4)
    assert main(["import", str(file), "--market", "swaps"]) == 2
    assert "no market is called `swaps`; there are spot" in capsys.readouterr().err
    assert main(["import", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml:1: cannot be read" in capsys.readouterr().err


@needs_facts
def test_the_file_that_binance_published() -> None:
    api = read_openapi(UPSTREAM)
    assert len(api.endpoints) >= 15
    found = {(finding.kind, finding.subject, finding.text) for finding in findings(SPEC, "spot", api)}
    assert found == {
        ("contradicts", "spot.exchange_info", "the weight: a call 10, not 20"),
        ("contradicts", "spot.trades", "the weight: a call 10, not 25"),
        ("contradicts", "spot.historical_trades", "the weight: a call 10, not 25"),
        ("contradicts", "spot.agg_trades", "the weight: a call 2, not 4"),
        # A mistake of the file.
        ("contradicts", "spot.agg_trades", "`T` in the answer[] is of type boolean, not time"),
    }
