"""What the generator says where its tools are not installed."""

from __future__ import annotations

import sys

import pytest

from codegen.__main__ import main


@pytest.mark.parametrize("command", ["check", "generate"])
@pytest.mark.parametrize("tool", ["datamodel_code_generator", "ruff"])
def test_a_missing_tool_is_named_with_the_remedy(
    command: str, tool: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # None in its place makes the import fail as if it were not installed.
    monkeypatch.setitem(sys.modules, tool, None)
    assert main([command]) == 2
    shown = capsys.readouterr()
    assert f"has no {tool}" in shown.err
    assert "make check" in shown.err
    assert not shown.out
