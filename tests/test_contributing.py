"""CONTRIBUTING's "add an endpoint" and "add a stream", followed step by step in a copy until its suite is green."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from codegen.__main__ import main
from codegen.scaffold.hand_tables import Line, unfilled, with_line
from tests.pages import blocks

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
_MISTAKE = re.compile(r"`(spot/spread\.yaml:\d+: .*?)`\.", re.DOTALL)
# Bytecode goes along, so that each process compiles what was changed and no more; another worker writes x.pyc.140.
_LEFT_OUT = shutil.ignore_patterns(".*", "*.pyc.*", "site", "benchmarks", "docs", "examples", "node_modules")

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
BY_HAND = ("tests/contract/test_streams.py", "tests/contract/test_weights.py", "tests/simulator/test_weights_agree.py")
"""What reads the tables that are written by hand."""


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("BINANCE_", "PYTEST_"))}
    environment |= {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def succeeds(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    return done.stdout


def lint(spec: Path, out: Path | None = None) -> tuple[int, str]:
    """What ``python -m codegen lint`` ends with and complains of, in this process, which has read most of it before."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as errors:
        code = main(["--spec", str(spec), *(["--out", str(out)] if out else []), "lint"])
    return code, errors.getvalue()


def steps(kind: str) -> list[tuple[str, str]]:
    """Where something goes, and what, in the order of the page."""
    # Parts of a file are indented on the page as they are there.
    found = blocks("CONTRIBUTING.md", mark=kind)
    return [(block.place, textwrap.dedent(block.code).removesuffix("\n")) for block in found]


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
        code, said = lint(checkout / "spec")
        assert code == 2
        assert "fill in" in said
        _fill(checkout, is_stream=number == 1)
    succeeds(run(checkout, "-m", "codegen", "generate"))
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
    assert lint(checkout / "spec", checkout / "binance_sdk" / "_generated") == (0, "")


def test_the_page_as_written_ends_in_a_green_suite(begun: Path) -> None:
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
    texts = {}
    for where, body in steps("line"):
        path = begun / where.split()[0]
        texts.setdefault(path, path.read_text(encoding="utf-8"))
        path.write_text(path.read_text(encoding="utf-8").replace(f"{body}\n", "", 1), encoding="utf-8")
    try:
        done = run(begun, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "spread", *BY_HAND)
    finally:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    assert done.returncode == 1
    for where, body in steps("line"):
        file, table = where.split()
        assert f"{file}, {table}:" in done.stdout, file
        if table != "_SPOT":  # The page spells the choice of the name in its own way.
            assert body in done.stdout, body


def test_the_mistake_is_told_as_written(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "spec", tmp_path / "spec")
    body = next(body for where, body in steps("file") if where.endswith(".yaml"))
    (tmp_path / "spec/spot/spread.yaml").write_text(body.replace("min: 101", "min: 102"), encoding="utf-8")
    code, said = lint(tmp_path / "spec")
    assert code == 2
    promised = _MISTAKE.search(PAGE)
    assert promised is not None
    assert " ".join(promised[1].split()) in " ".join(said.split())
