"""CONTRIBUTING's "add an endpoint" and "add a stream", followed step by step in a copy until its suite is green."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from codegen.scaffold.hand_tables import Line, unfilled, with_line

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
_STEP = re.compile(
    r"<!-- (?P<kind>run|file|part|line|python):? ?(?P<where>[^\n]*?) ?-->\s*```\w*\n(?P<body>.*?)\n\s*```", re.DOTALL
)
_MISTAKE = re.compile(r"`(spot/spread\.yaml:\d+: .*?)`\.", re.DOTALL)
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "site", "benchmarks", "docs", "examples", "node_modules")

_AROUND = """
import pathlib
from decimal import Decimal
import binance_sdk
from binance_sdk.simulator import Simulator
assert pathlib.Path(binance_sdk.__file__).is_relative_to(pathlib.Path.cwd()), binance_sdk.__file__
{body}
with Simulator() as simulator:
    assert simulator.from_spec.weights == simulator.from_spec.stream_names == ()
"""
CONCERNED = (
    "tests/contract",
    "tests/simulator/test_answers.py",
    "tests/simulator/test_from_spec.py",
    "tests/simulator/test_walks.py",
    "tests/simulator/test_weights_agree.py",
)
"""What has a case for each endpoint or stream, or looks at all of them."""


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("BINANCE_", "PYTEST_"))}
    environment |= {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def succeeds(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    return done.stdout


def steps(kind: str) -> list[tuple[str, str]]:
    """Where something goes, and what, in the order of the page."""
    found = [match for match in _STEP.finditer(PAGE) if match["kind"] == kind]
    return [(match["where"], textwrap.dedent(match["body"])) for match in found]


def fill_part(text: str, name: str, body: str) -> str:
    """``text`` with the mapping of that name, as ``codegen new`` began it, replaced."""
    begun = re.compile(rf"^  {name}:\n(?:    .*\n)+", re.MULTILINE)
    assert "FILL" in begun.findall(text)[-1]
    return begun.sub(lambda match: f"{body}\n", text)


def fill_line(text: str, line: Line) -> str:
    """``text`` with a line in its table: in the place of the one that ``codegen new`` began, where it did."""
    key = re.match(r'"[^"]*"|\S+', line.text)
    assert key is not None
    begun = re.compile(rf"^( *){re.escape(key[0])}.*FILL.*\n", re.MULTILINE)
    if begun.search(text) is None:
        return with_line(text, line)
    return begun.sub(lambda match: f"{match[1]}{line.text}\n", text)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout") / "copy"
    shutil.copytree(ROOT, folder, ignore=_LEFT_OUT)
    return folder


@pytest.fixture(scope="module")
def begun(checkout: Path) -> Path:
    """Every command of the page was given, and what it wrote was filled in as the page has it."""
    assert {where for where, _ in steps("file")} == {
        "spec/spot/spread.yaml",
        "spec/fixtures/spot/spread.json",
        "spec/fixtures/spot/streams/spread.json",
    }
    for number, (_, body) in enumerate(steps("run")):
        python, *arguments = shlex.split(body)
        assert python == "python"
        succeeds(run(checkout, *arguments))
        said = run(checkout, "-m", "codegen", "lint")
        assert said.returncode == 2
        assert "fill in" in said.stderr
        _fill(checkout, is_stream=number == 1)
    return checkout


def _fill(checkout: Path, *, is_stream: bool) -> None:
    for where, body in steps("file"):
        if ("/streams/" in where) == is_stream:
            (checkout / where).write_text(body + "\n", encoding="utf-8")
    for where, body in steps("part") if is_stream else ():
        file, name = where.split()
        path = checkout / file
        indented = textwrap.indent(body, "  ")
        path.write_text(fill_part(path.read_text(encoding="utf-8"), name, indented), encoding="utf-8")
    for where, body in steps("line"):
        file, table = where.split()
        if ("stream" in file) == is_stream:
            path = checkout / file
            path.write_text(fill_line(path.read_text(encoding="utf-8"), Line(file, table, body)), encoding="utf-8")
    assert unfilled(checkout) == []
    succeeds(run(checkout, "-m", "codegen", "lint"))


def test_the_page_as_written_ends_in_a_green_suite(begun: Path) -> None:
    succeeds(run(begun, "-m", "codegen", "generate"))
    # Of what has a case for each endpoint or stream, those of the new ones; and all that looks at the whole.
    chosen = "spread or not (spot. or futures.)"
    told = succeeds(run(begun, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, *CONCERNED))
    assert re.search(r"^\d+ passed", told, re.MULTILINE)
    snippets = [body for _, body in steps("python")]
    assert len(snippets) == 2
    for body in snippets:
        succeeds(run(begun, "-W", "error", "-c", _AROUND.format(body=body)))


def test_a_forgotten_line_is_named_with_its_file(begun: Path) -> None:
    """Without the lines by hand the suite is red, and says what to paste and where."""
    succeeds(run(begun, "-m", "codegen", "generate"))
    texts = {}
    for where, body in steps("line"):
        path = begun / where.split()[0]
        texts.setdefault(path, path.read_text(encoding="utf-8"))
        path.write_text(path.read_text(encoding="utf-8").replace(f"{body}\n", "", 1), encoding="utf-8")
    try:
        done = run(begun, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "spread", *CONCERNED[:1], CONCERNED[-1])
    finally:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    assert done.returncode == 1
    for where, body in steps("line"):
        file, table = where.split()
        assert f"{file}, {table}:" in done.stdout, file
        if table != "_SPOT":  # The page spells the choice of the name in its own way.
            assert body in done.stdout, body


def test_the_mistake_is_told_as_written(checkout: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "spec", tmp_path / "spec")
    body = next(body for where, body in steps("file") if where.endswith(".yaml"))
    (tmp_path / "spec/spot/spread.yaml").write_text(body.replace("min: 101", "min: 102"), encoding="utf-8")
    said = run(checkout, "-m", "codegen", "--spec", str(tmp_path / "spec"), "lint")
    assert said.returncode == 2
    promised = _MISTAKE.search(PAGE)
    assert promised is not None
    assert " ".join(promised[1].split()) in " ".join(said.stderr.split())
