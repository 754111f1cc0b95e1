"""The same spec gives the same bytes wherever and however the generator runs; nothing is written without need."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import FOLDER, PACKAGE, REPOSITORY, TinySpec

from binance_sdk.catalogue import MARKETS
from codegen.__main__ import main
from codegen.load import load
from codegen.rendering.render import MARK, render, spec_hash

GENERATED = PACKAGE / "_generated"
SPEC = REPOSITORY / "spec"

HOSTILE_PROJECT = """\
[tool.black]
line-length = 40
skip-string-normalization = true
target-version = ["py27"]

[tool.isort]
profile = "google"
force_single_line = true

[tool.ruff]
line-length = 40
target-version = "py37"
extend-exclude = ["*"]

[tool.ruff.format]
quote-style = "single"
indent-style = "tab"

[tool.ruff.lint.isort]
force-single-line = true

[tool.datamodel-codegen]
snake-case-field = true
use-default = true
"""


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def committed() -> dict[str, bytes]:
    return tree(GENERATED)


# ----------------------------------------------------------------------------------- the same bytes


def test_the_committed_tree_is_what_the_spec_gives(committed: dict[str, bytes]) -> None:
    fresh = render(load(SPEC))
    assert sorted(committed) == sorted(fresh)
    differing = [name for name, content in fresh.items() if committed[name] != content]
    assert differing == [], "run `python -m codegen generate`"


# A third seed is that of this process, in which the test above renders.
@pytest.mark.parametrize("seed", ["0", "1"])
def test_neither_hash_seed_nor_folder_nor_settings_matter(
    seed: str, tmp_path: Path, committed: dict[str, bytes]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "pyproject.toml").write_text(HOSTILE_PROJECT, encoding="utf-8")
    (elsewhere / "ruff.toml").write_text("line-length = 40\n[format]\nquote-style = 'single'\n", encoding="utf-8")
    (elsewhere / ".editorconfig").write_text(
        "root = true\n[*]\nend_of_line = crlf\nindent_style = tab\n", encoding="utf-8"
    )
    out = elsewhere / "out"
    if seed == "1":
        # An earlier run left another tree behind.
        assert main(["--spec", str(FOLDER), "--out", str(out), "generate"]) == 0
    environment = os.environ | {
        "PYTHONHASHSEED": seed,
        "PYTHONPATH": str(REPOSITORY),
        "RUFF_LINE_LENGTH": "40",
        "RUFF_OUTPUT_FORMAT": "json",
        "LC_ALL": "C",
        "TZ": "Pacific/Kiritimati",
    }
    command = [sys.executable, "-m", "codegen", "--spec", str(SPEC), "--out", str(out), "generate"]
    done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert tree(out) == committed


def test_the_order_of_files_and_of_what_stands_in_them_does_not_matter(tiny: TinySpec) -> None:
    before = render(tiny.load())
    text = (tiny.folder / "spot" / "market.yaml").read_text(encoding="utf-8")
    head, operations = text.split("operations:\n")
    bars, rest = operations.split("  price:\n")
    price, time = rest.split("  time:\n")
    top = head.split("enums:\n")[0]
    tiny.write("spot/market.yaml", head)
    tiny.write("spot/a.yaml", f"{top}operations:\n  time:\n{time}  price:\n{price}{bars}")
    after = render(tiny.load())
    assert {name: _body(content) for name, content in after.items()} == {
        name: _body(content) for name, content in before.items()
    }


def _body(content: bytes) -> bytes:
    """Without the spec hash, which is over the files as they are."""
    return b"\n".join(line for line in content.splitlines() if b"SPEC_HASH = " not in line)


# ------------------------------------------------------------------------------------------ header


def test_every_module_says_where_it_comes_from(committed: dict[str, bytes]) -> None:
    head = f"{MARK}\n".encode()
    modules = {name: content for name, content in committed.items() if name.endswith(".py")}
    assert [name for name, content in modules.items() if not content.startswith(head)] == []
    # JSON has no comments: what is no module is data, the fixtures and what exchanges are compared with.
    assert set(committed) - set(modules) == {
        f"{market}/{name}.json" for market in MARKETS for name in ("fixtures", "stream_fixtures", "verify")
    }


def test_counts_and_hash_stand_in_one_file(committed: dict[str, bytes]) -> None:
    spec = load(SPEC)
    told = [f"ENDPOINTS = {len(spec.operations)}\n", f"STREAMS = {len(spec.streams)}\n", spec_hash(spec)]
    for text in told:
        assert [name for name, content in committed.items() if text.encode() in content] == ["spec.py"]


def test_the_hash_is_over_every_file_and_name(tiny: TinySpec) -> None:
    seen = {spec_hash(tiny.load())}
    tiny.change("markets.yaml", "limit: 100,", "limit: 101,")
    seen.add(spec_hash(tiny.load()))
    tiny.write("fixtures/spot/time.json", '{"serverTime": 1700000000001}')
    seen.add(spec_hash(tiny.load()))
    (tiny.folder / "spot" / "market.yaml").rename(tiny.folder / "spot" / "other.yaml")
    seen.add(spec_hash(tiny.load()))
    assert len(seen) == 4


def test_fixtures_are_the_same_values_in_one_file(committed: dict[str, bytes]) -> None:
    for market in ("spot", "futures"):
        packed = json.loads(committed[f"{market}/fixtures.json"])
        folder = SPEC / "fixtures" / market
        assert packed == {path.stem: json.loads(path.read_bytes()) for path in folder.glob("*.json")}


# ------------------------------------------------------------------------------------- the commands


@pytest.fixture
def out(tmp_path: Path, tiny: TinySpec, capsys: pytest.CaptureFixture[str]) -> Path:
    target = tmp_path / "out"
    assert main(["--spec", str(tiny.folder), "--out", str(target), "generate"]) == 0
    capsys.readouterr()
    return target


def run(tiny: TinySpec, out: Path, command: str) -> int:
    return main(["--spec", str(tiny.folder), "--out", str(out), command])


def test_check_passes_on_this_repository(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert capsys.readouterr().out.endswith(" files agree with the spec\n")


def test_check_prints_what_would_change(tiny: TinySpec, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.change("spot/market.yaml", "summary: Clock of the server.", "summary: Time of the server.")
    before = tree(out)
    assert run(tiny, out, "check") == 1
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert "--- on disk/spot/api.py" in lines
    assert "+++ from spec/spot/api.py" in lines
    assert '-        """Clock of the server.' in lines
    assert '+        """Time of the server.' in lines
    assert captured.err == "the written code differs from the spec; run `python -m codegen generate`\n"
    assert tree(out) == before


def test_check_sees_edited_missing_and_stray_files(
    tiny: TinySpec, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (out / "errors.py").write_bytes((out / "errors.py").read_bytes() + b"# edited by hand\n")
    (out / "environments.py").unlink()
    (out / "spot" / "old.py").write_text("x = 1\n", encoding="utf-8")
    assert run(tiny, out, "check") == 1
    lines = capsys.readouterr().out.splitlines()
    assert "-# edited by hand" in lines
    assert "+++ from spec/environments.py" in lines
    assert "-x = 1" in lines


def test_check_on_a_folder_that_is_not_there(tiny: TinySpec, tmp_path: Path) -> None:
    assert run(tiny, tmp_path / "nowhere", "check") == 1
    assert not (tmp_path / "nowhere").exists()


def test_generate_writes_only_what_differs(tiny: TinySpec, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.py")}
    count = len(tree(out))
    for path in before:
        os.utime(path, ns=(1_000_000_000, 1_000_000_000))
    (out / "errors.py").write_text("edited", encoding="utf-8")
    (out / "spot" / "old.py").write_text("x = 1\n", encoding="utf-8")
    (out / "gone").mkdir()
    (out / "gone" / "api.py").write_text("x = 1\n", encoding="utf-8")
    (out / "spot" / "__pycache__").mkdir()
    (out / "spot" / "__pycache__" / "api.pyc").write_bytes(b"")
    assert run(tiny, out, "generate") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{count} files, 3 changed",
        "  errors.py",
        "  gone/api.py",
        "  spot/old.py",
    ]
    rewritten = {path.name for path in out.rglob("*.py") if path.stat().st_mtime_ns != 1_000_000_000}
    assert rewritten == {"errors.py"}
    assert (out / "spot" / "__pycache__" / "api.pyc").exists()
    assert not (out / "gone").exists()
    assert run(tiny, out, "check") == 0


def test_generate_leaves_a_folder_alone_that_it_did_not_write(
    tiny: TinySpec, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter.txt").write_text("dear", encoding="utf-8")
    assert run(tiny, home, "generate") == 2
    assert capsys.readouterr().err == f"{home} holds files the generator did not write; choose an empty folder\n"
    assert tree(home) == {"letter.txt": b"dear"}


def test_a_second_run_changes_nothing(tiny: TinySpec, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tiny, out, "generate") == 0
    assert capsys.readouterr().out == f"{len(tree(out))} files, 0 changed\n"


def test_what_a_template_breaks_is_said_and_not_written(
    tiny: TinySpec, out: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(REPOSITORY / "codegen" / "rendering" / "templates", templates)
    (templates / "errors.py.j2").write_text("{{ header }}\nCODES = (\n", encoding="utf-8")
    monkeypatch.setattr("codegen.rendering.render._TEMPLATES", templates)
    before = tree(out)
    with pytest.raises(RuntimeError, match=r"ruff could not read what the templates wrote:(?s:.)*errors\.py"):
        run(tiny, out, "generate")
    assert tree(out) == before
