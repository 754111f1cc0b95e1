"""CONTRIBUTING's "add an endpoint in five minutes", done as it says: YAML, JSON, generate, use."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

# It works on copies of the house, as a new maintainer would.
pytestmark = pytest.mark.timeout(900)
ROOT = Path(__file__).parent.parent
_FILE = re.compile(r"<!-- file: (?P<name>\S+) -->\s*```\w+\n(?P<body>.*?)\n\s*```", re.DOTALL)
_PYTHON = re.compile(r"<!-- python -->\s*```python\n(?P<body>.*?)\n\s*```", re.DOTALL)
_MISTAKE = re.compile(r"`(spot/spread\.yaml:\d+: .*?)`\.", re.DOTALL)

_AROUND = """
import functools, pathlib
from decimal import Decimal
import httpx
import binance_sdk
assert pathlib.Path(binance_sdk.__file__).is_relative_to(pathlib.Path.cwd()), binance_sdk.__file__
body = pathlib.Path("spec/fixtures/spot/spread.json").read_bytes()
answer = httpx.MockTransport(lambda request: httpx.Response(200, content=body))
SyncBinanceClient = functools.partial(binance_sdk.SyncBinanceClient, http_client=httpx.Client(transport=answer))
{body}
assert "Weight" in binance_sdk.BinanceClient().spot.spread.__doc__
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder in ("spec", "codegen", "binance_sdk"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=checkout, capture_output=True, text=True, check=False)


def test_the_five_minutes_work_as_written(checkout: Path) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    files = {match["name"]: textwrap.dedent(match["body"]) for match in _FILE.finditer(text)}
    assert sorted(files) == ["spec/fixtures/spot/spread.json", "spec/spot/spread.yaml"]
    for name, body in files.items():
        (checkout / name).write_text(body + "\n", encoding="utf-8")

    generated = run(checkout, "-m", "codegen", "generate")
    assert generated.returncode == 0, generated.stderr

    snippet = _PYTHON.search(text)
    assert snippet is not None
    used = run(checkout, "-c", _AROUND.format(body=textwrap.dedent(snippet["body"])))
    assert used.returncode == 0, used.stderr


def test_the_mistake_is_told_as_written(checkout: Path) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    body = next(textwrap.dedent(match["body"]) for match in _FILE.finditer(text) if match["name"].endswith(".yaml"))
    (checkout / "spec/spot/spread.yaml").write_text(body.replace("min: 101", "min: 102"), encoding="utf-8")
    said = run(checkout, "-m", "codegen", "lint")
    assert said.returncode == 2
    promised = _MISTAKE.search(text)
    assert promised is not None
    assert " ".join(promised[1].split()) in " ".join(said.stderr.split())
