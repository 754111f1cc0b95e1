"""What the page on support states is what pyproject, the lock, the spec and the rules of releases say."""

from __future__ import annotations

import re
import tomllib
from types import ModuleType
from typing import Any

import pytest

from codegen.diff.kinds import Kind, demanded, next_version
from codegen.load import load
from tests.docs.hooks import hook
from tests.everywhere import PYTHONS
from tests.pages import ROOT

TEXT = (ROOT / "docs" / "support.md").read_text("utf-8")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module", name="hook")
def support_hook() -> ModuleType:
    return hook("support")


def table(lines: list[str]) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_each_library_has_its_bound_and_its_locked_versions(hook: ModuleType) -> None:
    project = {
        "name": "ours",
        "dependencies": ["httpx>=0.28"],
        "optional-dependencies": {
            "frames": ["numpy>=2", "ours[cli]"],
            "socks": ["httpx[socks]>=0.28", "python-socks[asyncio]>=2.7.1"],
            "dev": ["mypy>=1.17"],
        },
    }
    lock = "httpx==0.28.1 \\\nnumpy==2.4.6 ; python_full_version < '3.12' \\\nnumpy==2.5.5 \\\npython-socks==3.2.1 \\\n"
    assert table(list(hook.libraries(project, lock))) == [
        ["httpx", "everything, `[socks]`", "0.28", "0.28.1"],
        ["numpy", "`[frames]`", "2", "2.4.6, 2.5.5"],
        ["python-socks", "`[socks]`", "2.7.1", "3.2.1"],
    ]
    with pytest.raises(LookupError, match="numpy is not in the lock file"):
        list(hook.libraries(project, "httpx==0.28.1 \\\n"))


def test_every_extra_for_users_is_in_the_table_of_this_package(hook: ModuleType) -> None:
    drawn = table(list(hook.libraries(PROJECT, (ROOT / "requirements-dev.lock").read_text("utf-8"))))
    extras = {one.strip("`[]") for _, cell, _, _ in drawn for one in cell.split(", ")}
    assert extras == {"everything", *PROJECT["optional-dependencies"]} - set(hook.FOR_DEVELOPERS)
    assert all(len(row) == 4 and all(row) for row in drawn)


def test_every_market_is_in_the_table_of_environments(hook: ModuleType) -> None:
    spec = load(ROOT / "spec")
    drawn = {name.strip("`"): cells for name, *cells in table(list(hook.environments(spec)))}
    assert list(drawn) == list(spec.environments.environments)
    assert drawn["data_only"][:3] == ["yes", "–", "–"]
    for environment, cells in drawn.items():
        served = [environment in market.hosts for market in spec.markets.markets.values()]
        assert [cell == "yes" for cell in cells[: len(served)]] == served


def test_the_page_asks_for_both_tables() -> None:
    assert TEXT.count("<!--libraries-->") == TEXT.count("<!--environments-->") == 1


def test_the_pythons_are_those_that_are_tried_and_declared() -> None:
    (stated,) = re.findall(r"^(3\.\d+(?:, 3\.\d+)* and 3\.\d+), CPython", TEXT, re.MULTILINE)
    pythons = re.findall(r"3\.\d+", stated)
    declared = [
        one.removeprefix("Programming Language :: Python :: ")
        for one in PROJECT["classifiers"]
        if one.startswith("Programming Language :: Python :: 3.")
    ]
    assert pythons == list(PYTHONS) == declared
    assert PROJECT["requires-python"] == f">={pythons[0]}"


def test_there_are_no_upper_bounds() -> None:
    for extra, requirements in {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}.items():
        if extra != "codegen":
            assert [one for one in requirements if "<" in one or "==" in one] == []


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_of_change_demands_what_the_page_says(kind: Kind) -> None:
    (row,) = re.findall(rf"^\|[^|]*\|[^|]*\| {kind.word} \| (\w+) \| (\w+) \|$", TEXT, re.MULTILINE)
    level = demanded([kind])
    assert level is not None
    after = {"2.0.0": "major", "1.3.0": "minor", "1.2.4": "patch"}[next_version("1.2.3", level)]
    before = {"1.0.0": "major", "0.4.0": "minor", "0.3.2": "patch"}[next_version("0.3.1", level)]
    assert row == (after, before)


def test_every_store_that_is_named_is_one_that_tests_start() -> None:
    servers = (ROOT / "tests" / "shared" / "servers.py").read_text("utf-8")
    objects = (ROOT / "tests" / "history" / "dataset" / "test_object_store.py").read_text("utf-8")
    assert "valkey" in servers
    assert "redis-server" in servers
    assert "ThreadedMotoServer" in objects


def test_what_is_public_is_there() -> None:
    assert "binance-sdk" in PROJECT["scripts"]
    assert "binance_simulator" in PROJECT["entry-points"]["pytest11"]
