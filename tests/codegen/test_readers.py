"""A fact that nobody reads is found: a key of the spec, a field of a generated value, a generated constant."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import PACKAGE, REPOSITORY, TinySpec

from codegen.__main__ import main
from codegen.documents import Problem
from codegen.load import load
from codegen.rendering import render
from codegen.rendering.readers import reading, unread_keys, unread_values
from codegen.spec_model.base import Node
from codegen.spec_model.markets import Limit
from codegen.spec_model.operations import Cache, Paging


def test_nothing_in_this_repository_is_read_by_nobody() -> None:
    assert render.unread(load(REPOSITORY / "spec")) == []
    assert unread_values(PACKAGE) == []


def test_a_key_that_no_template_asks_for_is_named_at_its_first_place(tiny: TinySpec) -> None:
    spec = tiny.load()
    with reading() as seen:
        render._texts(spec, lambda bundle, header: header)
    assert unread_keys(spec, seen) == []
    assert unread_keys(spec, seen - {(Cache, "ttl"), (Limit, "interval")}) == [
        Problem(
            "markets.yaml",
            6,
            "nobody reads `interval`: let a template or a docstring, or drop it here and in the model",
        ),
        Problem(
            "spot/market.yaml",
            74,
            "nobody reads `ttl`: let a template or a docstring, or drop it here and in the model",
        ),
    ]


def test_what_is_read_is_told_from_what_is_not(tiny: TinySpec) -> None:
    spec = tiny.load()
    bars = spec.operations["spot", "bars"].value
    paging = bars.paging
    assert paging is not None
    with reading() as seen:
        _ = bars.cache.ttl
    assert seen == {(type(bars), "cache"), (Cache, "ttl")}
    with reading() as seen:
        paging.model_dump()
    assert seen == {(Paging, name) for name in Paging.model_fields}
    assert "__getattribute__" not in vars(Node)


def package(root: Path, template: str, code: str) -> Path:
    folder = root / "binance_sdk"
    for name, text in {
        "_runtime/operation.py": "from dataclasses import dataclass\n\n@dataclass(frozen=True)\n"
        "class Limit:\n    limit: int\n    seconds: int\n    colour: str\n",
        "_generated/environments.py": f"from binance_sdk._runtime.operation import Limit\n{template}",
        "user.py": code,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        (
            "from binance_sdk._generated.environments import LIMIT\nprint(LIMIT.limit, LIMIT.seconds)\n",
            ["binance_sdk/_runtime/operation.py:7: nobody reads `Limit.colour`: drop it"],
        ),
        (
            "match x:\n    case Limit(limit, seconds): pass\nprint(getattr(x, 'colour'))\n",
            ["binance_sdk/_generated/environments.py:2: nobody imports `LIMIT`: drop it from the template"],
        ),
        (
            "from binance_sdk._generated.environments import LIMIT\nLIMIT.limit = LIMIT.seconds + LIMIT.colour\n",
            ["binance_sdk/_runtime/operation.py:5: nobody reads `Limit.limit`: drop it"],
        ),
    ],
)
def test_a_generated_value_that_nobody_looks_at(code: str, printed: list[str], tmp_path: Path) -> None:
    folder = package(tmp_path, "LIMIT: Limit = Limit(1, 2, 'red')\n", code)
    assert [str(problem) for problem in unread_values(folder)] == printed


def test_a_private_constant_is_for_its_own_module(tmp_path: Path) -> None:
    code = "from binance_sdk._generated.environments import LIMIT\nprint(LIMIT.limit, LIMIT.seconds, LIMIT.colour)\n"
    folder = package(tmp_path, "_RED = 'red'\n_BLUE = 'blue'\nLIMIT: Limit = Limit(1, 2, _RED)\n", code)
    (problem,) = unread_values(folder)
    text = "binance_sdk/_generated/environments.py:3: nobody imports `_BLUE`: drop it from the template"
    assert str(problem) == text


@pytest.mark.parametrize("command", ["lint", "check"])
def test_the_command_says_so(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem("limits.yaml", 3, "nobody reads `colour`")
    monkeypatch.setattr(render, "unread_keys", lambda spec, seen: [problem])
    assert main([command]) == 1
    assert capsys.readouterr().err == "limits.yaml:3: nobody reads `colour`\n1 fact that nobody reads\n"
