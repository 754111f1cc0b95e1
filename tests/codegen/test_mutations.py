"""A changed spec is refused with a located message, or becomes code that imports, is typed and keeps its contract."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mutations import mutated
from project import Project
from tiny import FOLDER

from codegen.documents import SpecError
from codegen.load import load
from codegen.rendering import render

# Those of libyaml, where it is there, take a tenth of the time.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.yaml"))


def change(folder: Path, random: Random, files: list[str], most: int) -> str:
    """One to ``most`` changes of one file; what they are."""
    file = random.choice(files)
    value = yaml.load((folder / file).read_text(encoding="utf-8"), Loader=_LOADER)
    told = []
    for _ in range(random.randint(1, most)):
        if isinstance(value, dict) and value:
            value, text = mutated(value, random)
            told.append(text)
    text = yaml.dump(value, Dumper=_DUMPER, sort_keys=False, allow_unicode=True)
    (folder / file).write_text(text, encoding="utf-8")
    return f"{file}: {', '.join(told)}"


def is_located(error: SpecError, folder: Path) -> None:
    """Each message names a line that there is, and says something in one line."""
    assert error.problems
    for problem in error.problems:
        lines = (folder / problem.file).read_bytes().count(b"\n") + 1 if (folder / problem.file).is_file() else 1
        assert 1 <= problem.line <= lines, problem
        assert len(problem.message) > 8, problem
        assert "\n" not in problem.message, problem
        assert "validation error" not in problem.message, problem


@pytest.fixture(scope="module")
def seen() -> dict[str, int]:
    return {"refused": 0, "rendered": 0}


@settings(
    max_examples=100, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(random=st.randoms(use_true_random=False))
def refused_or_rendered(folder: Path, seen: dict[str, int], random: Random) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(FOLDER, folder)
    change(folder, random, FILES, 1)
    try:
        spec = load(folder)
    except SpecError as error:
        is_located(error, folder)
        seen["refused"] += 1
        return
    for name, text in render._texts(spec, lambda bundle, header: header).items():
        compile(text, name, "exec", dont_inherit=True)
    seen["rendered"] += 1


def test_a_changed_spec_is_refused_at_its_line_or_rendered(tmp_path: Path, seen: dict[str, int]) -> None:
    refused_or_rendered(tmp_path / "spec", seen)
    # Both happen, or this would prove nothing.
    assert seen["refused"] > 20, seen
    assert seen["rendered"] > 10, seen


CONTRACT = """
import json
from importlib import import_module
from pydantic import TypeAdapter
from binance_sdk.catalogue import CATALOGUE, MARKETS, STREAMS, fixture, stream_fixture
from binance_sdk import SyncBinanceClient

calls, client = 0, SyncBinanceClient(api_key="key")
for market in MARKETS:
    import_module(f"binance_sdk.{market}")
    namespace = client.market(market)
    for operation in CATALOGUE[market]:
        assert callable(getattr(namespace, operation.name))
        for variant in operation.variants:
            plan = getattr(namespace.plan, operation.name)(**{
                operation.by_wire[wire].name: list(value) if isinstance(value, tuple) else value
                for wire, value in dict(variant.example).items()
            })
            assert plan.weight >= 0
            for suffix in variant.fixtures:
                body = fixture(market, operation.name, suffix)
                value = variant.adapter.validate_json(body)
                again = variant.adapter.dump_json(value, by_alias=True, exclude_unset=True)
                assert json.loads(again) == json.loads(body), operation.id
                calls += 1
for stream in STREAMS:
    TypeAdapter(stream.type).validate_json(stream_fixture(stream.market, stream.name))
print(calls)
"""


@pytest.mark.timeout(600)
def test_what_is_accepted_keeps_its_contract(tmp_path: Path) -> None:
    project, random = Project(tmp_path), Random(7)
    spec = tmp_path / "spec"
    files = [path.relative_to(spec).as_posix() for path in sorted(spec.rglob("*.yaml"))]
    files = [file for file in files if file not in ("names.yaml", "errors.yaml")]
    kept, refused = [], 0
    for _ in range(40):
        before = {file: (spec / file).read_bytes() for file in files}
        text = change(spec, random, files, 1)
        try:
            load(spec)
        except SpecError as error:
            is_located(error, spec)
            refused += 1
            for file, body in before.items():
                (spec / file).write_bytes(body)
        else:
            kept.append(text)
    assert len(kept) > 10, kept
    assert refused > 10
    project.generate()
    (tmp_path / "contract.py").write_text(CONTRACT, encoding="utf-8")
    assert int(project.run("-W", "error::SyntaxWarning", "contract.py")) > 60, kept
    sys.stdout.write("\n".join(kept))
    project.check_types("-p", "binance_sdk._generated")
