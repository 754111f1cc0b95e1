"""Each test that docs/threats.md names is there, and each of its sections says what is left to the user."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

from binance_sdk.cli.app import app
from binance_sdk.simulator import Simulator, serve

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


@cache
def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_is_named_is_there(file: str, name: str) -> None:
    assert name.startswith("test_")
    assert name in functions(file)


def test_nothing_is_promised_without_a_test_and_what_is_left_is_said() -> None:
    assert len(NAMED) > 30
    assert PAGE.count("tests/") == len(NAMED) + PAGE.count("`tests/fuzz`")
    for section in PAGE.split("\n## ")[1:-1]:
        assert "Held by `tests/" in section, section[:60]
        assert section.count("**Left to you:**") == 1, section[:60]


def test_the_policy_leads_to_the_page() -> None:
    assert "docs/threats.md" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_the_simulator_listens_on_loopback_unless_told_otherwise() -> None:
    for opened in (Simulator, serve):
        assert inspect.signature(opened).parameters["host"].default == "127.0.0.1"
    (command,) = [
        one for one in app.registered_commands if one.callback is not None and one.callback.__name__ == "simulate"
    ]
    assert command.callback is not None
    assert inspect.signature(command.callback).parameters["host"].default == "127.0.0.1"


def test_what_is_installed_has_a_hash() -> None:
    assert "--require-hashes" in (ROOT / "Makefile").read_text(encoding="utf-8")
    for lock in ("requirements-dev.lock", "requirements-demo.lock"):
        text = re.sub(r"\\\n\s*", " ", (ROOT / lock).read_text(encoding="utf-8"))
        lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        assert len(lines) > 10
        assert all(re.search(r"==\S+ .*--hash=sha256:[0-9a-f]{64}", line) for line in lines), lock
