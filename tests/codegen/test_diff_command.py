"""``codegen diff`` as a command: what it compares, in which form it tells, and which version it demands."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tiny import FOLDER, TinySpec

from codegen.__main__ import main
from codegen.diff.kinds import Kind, demanded, next_version, numbers


@pytest.mark.parametrize(
    ("version", "level", "wanted"),
    [
        ("1.2.3", "major", "2.0.0"),
        ("1.2.3", "minor", "1.3.0"),
        ("1.2.3", "patch", "1.2.4"),
        ("0.1.2", "major", "0.2.0"),
        ("0.1.2", "minor", "0.1.3"),
        ("0.1.2", "patch", "0.1.3"),
        ("2.0.0rc1", "patch", "2.0.1"),
    ],
)
def test_the_version_that_is_demanded(version: str, level: str, wanted: str) -> None:
    assert next_version(version, level) == wanted


def test_the_gravest_change_decides() -> None:
    assert demanded([]) is None
    assert demanded([Kind.DOCS]) == "patch"
    assert demanded([Kind.DOCS, Kind.BEHAVIOURAL]) == demanded([Kind.ADDITIVE]) == "minor"
    assert demanded([Kind.ADDITIVE, Kind.BREAKING, Kind.DOCS]) == "major"
    with pytest.raises(ValueError, match="`one` is no version"):
        numbers("one")


# ---------------------------------------------------------------------------------------- the command


def diff(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["diff", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_folders_for_people_and_for_programs(tiny: TinySpec, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.change("spot/market.yaml", "min: 1, max: 1000", "min: 1, max: 500")
    line = (tiny.folder / "spot/market.yaml").read_text(encoding="utf-8").split("max: 500, desc")[0].count("\n") + 1
    code, out, _ = diff(str(FOLDER), str(tiny.folder), capsys=capsys)
    assert code == 0
    assert out.splitlines() == [
        "behavioural (1)",
        f"  spot.bars: parameters.limit.max: 1000 -> 500  [spot/market.yaml:{line}]",
        "    concerns bars(limit)",
        "",
        "demands: minor",
    ]
    code, out, _ = diff(str(FOLDER), str(tiny.folder), "--json", capsys=capsys)
    value = json.loads(out)
    assert (code, value["demands"], value["version"]) == (0, "minor", None)
    assert value["changes"] == [
        {
            "kind": "behavioural",
            "thing": "operation",
            "name": "spot.bars",
            "how": "changed",
            "path": ["parameters", "limit", "max"],
            "old": 1000,
            "new": 500,
            "text": "parameters.limit.max: 1000 -> 500",
            "methods": ["client.spot.bars", "client.spot.iter_bars"],
            "models": [],
            "fields": ["bars(limit)"],
            "place": f"spot/market.yaml:{line}",
        }
    ]


def test_nothing_has_changed(tiny: TinySpec, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = diff(str(FOLDER), str(tiny.folder), capsys=capsys)
    assert (code, out) == (0, f"{tiny.folder} says what {FOLDER} says\n")


def test_single_files(tiny: TinySpec, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.change("streams/spot.yaml", "speed: every second\n    quiet", "speed: every hour\n    quiet")
    copy_elsewhere = shutil.copy(tiny.folder / "streams/spot.yaml", tmp_path / "new.yaml")
    code, out, _ = diff(str(FOLDER / "streams/spot.yaml"), str(copy_elsewhere), capsys=capsys)
    assert code == 0
    assert "  spot.streams.all_prices: speed: every second -> every hour" in out
    code, _, err = diff(str(FOLDER / "streams/spot.yaml"), str(tiny.folder), capsys=capsys)
    assert (code, err) == (2, f"a file is compared with another file; {tiny.folder} is none\n")


def test_a_git_revision(tiny: TinySpec, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    root = tiny.folder.parent

    def git(*arguments: str) -> None:
        name = ["-c", "user.name=n", "-c", "user.email=e@e.invalid", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(root), *name, *arguments], check=True, capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "one")
    git("tag", "v1")
    monkeypatch.setattr("codegen.__main__.ROOT", root)
    tiny.change("spot/market.yaml", "    weight: 1\n", "    weight: 4\n")
    code, out, _ = diff("v1", str(tiny.folder), capsys=capsys)
    assert code == 0
    assert "spot.time: weight: 1 -> 4" in out
    git("commit", "-qam", "two")
    code, out, _ = diff("HEAD~1", "HEAD:spec", capsys=capsys)
    assert "spot.time: weight: 1 -> 4" in out
    code, _, err = diff("v9", str(tiny.folder), capsys=capsys)
    assert code == 2
    assert err.startswith("`v9` is no folder or file, and no git revision with a spec: ")


def test_what_cannot_be_compared(tiny: TinySpec, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.write("spot/other.yaml", "a: 1\nb: [\n").write("spot/list.yaml", "- a\n")
    code, _, err = diff(str(FOLDER), str(tiny.folder), capsys=capsys)
    assert code == 2
    assert err.splitlines()[0] == "spot/list.yaml:1: the file: must be a mapping of keys to values"
    assert err.splitlines()[1].startswith("spot/other.yaml:3: not YAML")
    (tmp_path / "empty").mkdir()
    code, _, err = diff(str(tmp_path / "empty"), str(FOLDER), capsys=capsys)
    assert code == 2
    assert "holds no spec" in err
    (tmp_path / "some.json").write_text("[]")
    code, _, err = diff(str(tmp_path / "some.json"), str(FOLDER), capsys=capsys)
    assert code == 2
    assert "is no record of a release" in err
