"""The page on history: every command and every line of code runs on the simulator; its tables leave nothing out."""

from __future__ import annotations

import ast
import re
import runpy
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import CliRunner

from binance_sdk._runtime.clock import AsyncClock
from binance_sdk.catalogue import ARCHIVE
from binance_sdk.cli.app import app
from binance_sdk.history import HoleReason
from binance_sdk.simulator import ManualClock, Simulator
from tests.pages import blocks

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "history.md").read_text("utf-8")
NOT_REMARKS = {"missing_file", "unreadable_file"}
"""Words of the same form that are none: kinds of defects."""
NOW = int(datetime(2026, 6, 15, 8, 2, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(clock=ManualClock(NOW), history_days=60, symbols=["BTCUSDT", "ETHUSDT"]) as running:
        yield running


def test_every_command_and_all_code_runs_in_the_order_of_the_page(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def time(_: AsyncClock) -> float:
        return NOW / 1000

    monkeypatch.setattr(AsyncClock, "time", time)
    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", simulator.url)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    ran = {"bash": 0, "python": 0}
    for block in blocks("docs/history.md"):
        if block.mark == "not run" or not block.language:
            continue
        ran[block.language] += 1
        if block.language == "python":
            exec(compile(block.code, block.page, "exec"), names)
            continue
        for line in block.code.splitlines():
            program, *arguments = shlex.split(line)
            result = CliRunner().invoke(app, arguments, prog_name=program)
            assert result.exit_code == 0, (line, result.output, result.stderr)
    assert ran == {"bash": 3, "python": 4}
    assert names["daily"].height == 45 + 1
    assert names["report"].rows == 14 * 288
    assert names["table"].num_rows == 2 * (45 * 24 + 8)
    assert float(names["highest"][0][0]) == float(names["daily"]["high"].max())


def first_cells(heading: str) -> set[str]:
    """The words in the first column of the first table below a heading."""
    table = PAGE.split(f"\n{heading}\n", 1)[1]
    rows = re.findall(r"^\| (`[^|]*`) \|", table.split("\n\n## ", 1)[0], re.MULTILINE)
    return set(re.findall(r"`([a-z_]+)`", " ".join(rows)))


def test_every_kind_is_in_its_table() -> None:
    assert first_cells("## Plan, then fetch") == {name for _, name in ARCHIVE.kinds}


def test_every_reason_of_a_hole_is_in_its_table() -> None:
    assert first_cells("## Keep it up to date, prove it") == set(get_args(HoleReason))


REMARK = re.compile(
    r"uncertain|[a-z]+_(rows|values|ids|cells|lines|file|files|checksum|differs|header|columns|day|month)"
)
"""How kinds of remarks are called."""


def test_every_remark_is_in_its_table() -> None:
    """Read from the source that makes remarks: whoever adds one explains it."""
    made: set[str] = set()
    for path in (ROOT / "binance_sdk" / "history").rglob("*.py"):
        text = path.read_text("utf-8")
        if "Remark(" in text:
            words = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
            made |= {word for word in words if isinstance(word, str) and REMARK.fullmatch(word)}
    assert len(made) > 15
    assert first_cells("## What the remarks mean") == made - NOT_REMARKS


def test_the_terms_on_the_page_are_those_of_the_spec() -> None:
    terms, text = ARCHIVE.terms, " ".join(PAGE.split())
    for said in (f"{terms.name} {terms.version} of {terms.date}", terms.licence, terms.url, terms.commercial[2:]):
        assert said in text


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with Simulator(history_days=5, symbols=["BTCUSDT", "ETHUSDT"]) as running:
        monkeypatch.setenv("BINANCE_SDK_SIMULATOR", running.url)
        example = runpy.run_path(str(ROOT / "examples" / "history.py"))
        example["main"](str(tmp_path / "data"), days=3)
        again = example["keep"]
        again(str(tmp_path / "data"), ["BTCUSDT", "ETHUSDT"], 3)
    told = capsys.readouterr().out
    assert "CC BY-NC-SA 4.0" in told
    assert "BTCUSDT: " in told
    assert "0 pieces, weight 0" in told or "2 pieces" in told
