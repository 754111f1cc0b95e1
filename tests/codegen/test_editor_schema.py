"""``spec/spec.schema.json``: every file of the spec fits it, and what no file may say does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from project import Project
from tiny import FOLDER, REPOSITORY, TinySpec

from codegen.__main__ import main
from codegen.documents import parse
from codegen.load import load
from codegen.spec_model.editor_schema import modeline, plain, render_schema
from codegen.spec_model.files import EDITOR_SCHEMA, MODELS, model_of

SPEC = REPOSITORY / "spec"
FILES = sorted(path.relative_to(SPEC).as_posix() for path in SPEC.rglob("*.yaml"))
ENVIRONMENTS = load(SPEC).environments.environments
SCHEMA: dict[str, Any] = json.loads(render_schema(ENVIRONMENTS))


def validator(file: str) -> Draft7Validator:
    """Of the part of the schema that the file names."""
    pointer = modeline(file).strip().rpartition("#")[2]
    whole = Draft7Validator({"$ref": f"#{pointer}", "definitions": SCHEMA["definitions"]})
    Draft7Validator.check_schema(whole.schema)
    return whole


def mistakes(file: str, text: str) -> list[str]:
    found = validator(file).iter_errors(plain(parse(file, text).value))
    return ["/".join(map(str, error.absolute_path)) for error in found]


def test_the_file_is_up_to_date() -> None:
    assert (SPEC / EDITOR_SCHEMA).read_bytes() == render_schema(ENVIRONMENTS)


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_the_spec(file: str) -> None:
    text = (SPEC / file).read_text(encoding="utf-8")
    assert mistakes(file, text) == []
    # Without this line an editor would not know.
    assert text.startswith(modeline(file))
    named = modeline(file).partition("=")[2].partition("#")[0]
    assert (SPEC / file).parent.joinpath(named).resolve() == (SPEC / EDITOR_SCHEMA).resolve()


@pytest.mark.parametrize("file", sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.yaml")))
def test_a_file_of_the_tiny_spec(file: str) -> None:
    assert mistakes(file, (FOLDER / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "where"),
    [
        ("spot/market.yaml", "path: /v1/bars", "paht: /v1/bars", "operations/bars"),
        ("spot/market.yaml", "path: /v1/bars", "path: v1/bars", "operations/bars/path"),
        (
            "spot/market.yaml",
            "type: enum, enum: Step",
            "type: enm, enum: Step",
            "operations/bars/parameters/interval/type",
        ),
        ("spot/market.yaml", "      startTime: {", "      start-time: {", "operations/bars/parameters"),
        ("spot/market.yaml", "date: 2026-01-02", "date: [2026]", "source/date"),
        ("spot/market.yaml", "  Price:\n", "  price:\n", "schemas"),
        ("futures/market.yaml", "security: api_key", "security: key", "operations/book/security"),
        (
            "futures/market.yaml",
            "weight: {by: size, values: {5: 1, 10: 1, 20: 3}}",
            "weight: {by: size}",
            "operations/book/weight",
        ),
        ("streams/spot.yaml", "period_ms: 1000", "period_ms: fast", "streams/all_prices/quiet/period_ms"),
        ("markets.yaml", "    pool: spot\n", "    pol: spot\n", "markets/spot"),
    ],
)
def test_what_no_file_may_say(file: str, old: str, new: str, where: str | None, tiny: TinySpec) -> None:
    text = (tiny.folder / file).read_text(encoding="utf-8")
    if old not in text:
        pytest.fail(f"{old!r} is not in {file}")
    found = mistakes(file, text.replace(old, new, 1))
    assert found
    assert where is None or where in found


def test_every_word_is_explained_where_the_model_explains_it() -> None:
    limit = SCHEMA["definitions"]["Parameter"]["properties"]["list"]
    assert limit["description"] == "Takes several values, sent as one JSON array."
    assert SCHEMA["definitions"]["Operation"]["description"] == "One endpoint."


def test_each_model_is_a_part() -> None:
    assert {model.__name__ for model in MODELS} <= SCHEMA["definitions"].keys()
    assert all(model_of(file) in MODELS for file in FILES)


def test_check_tells_one_that_is_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = Project(tmp_path)
    project.complete()
    command = ["--spec", str(tmp_path / "spec"), "--out", str(tmp_path / "binance_sdk" / "_generated")]
    schema = tmp_path / "spec" / EDITOR_SCHEMA
    right = schema.read_text("utf-8")
    schema.write_text("{}\n")
    assert main([*command, "check"]) == 1
    assert f"+++ from spec/{EDITOR_SCHEMA}" in capsys.readouterr().out
    # That `check` is content with what stands there is what the suite of the generator begins with.
    project.generate()
    assert schema.read_text("utf-8") == right
