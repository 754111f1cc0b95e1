"""The wheel and the sdist: the same bytes wherever they are built, nothing missing, and the sdist makes both again."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALLED = {"binance_sdk/": "", "adapters/virtuoso_binance/": "adapters/"}
"""Folders of the wheel, and what their names lose in it."""


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("BINANCE_", "PYTEST_"))}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@dataclass(frozen=True)
class Built:
    """Both distributions, built in one folder."""

    wheel: Path
    sdist: Path


def build(source: Path, out: Path, **variables: str) -> Built:
    run(source, "-m", "hatchling", "build", "-d", str(out), **variables)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return Built(wheel, sdist)


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    found = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=False, cwd=ROOT)
    if found.returncode:
        pytest.skip("no git here, so nobody knows which files belong to the project")
    return [name for name in found.stdout.split("\0") if name and (ROOT / name).is_file()]


def copy(tracked: list[str], to: Path) -> Path:
    for name in tracked:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, to / name)
    return to


@pytest.fixture(scope="module")
def built(tracked: list[str], tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    return build(copy(tracked, folder / "here"), folder / "dist")


@pytest.fixture(scope="module")
def unpacked(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(built.sdist) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    return root


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_both_are_the_same_wherever_and_whenever_they_are_built(
    built: Built, tracked: list[str], tmp_path: Path
) -> None:
    there = copy(tracked, tmp_path / "elsewhere" / "with a longer name")
    for path in there.rglob("*"):
        os.utime(path, (1, 1_000_000_000))
        if path.is_file():
            path.chmod(0o600 | (path.stat().st_mode & 0o100))
    again = build(there, tmp_path / "dist", PYTHONHASHSEED="7", TZ="Asia/Tokyo")
    assert digest(again.wheel) == digest(built.wheel)
    assert digest(again.sdist) == digest(built.sdist)


def test_the_wheel_has_every_file_of_the_packages(built: Built, tracked: list[str]) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        content = {name for name in wheel.namelist() if ".dist-info/" not in name}
    wanted = {
        name.removeprefix(dropped)
        for name in tracked
        for folder, dropped in INSTALLED.items()
        if name.startswith(folder)
    }
    assert sorted(wanted - content) == [], "missing in the wheel"
    assert sorted(content - wanted) == [], "in the wheel, and nobody knows why"


def test_the_sdist_is_the_repository(unpacked: Path, tracked: list[str]) -> None:
    content = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert sorted(set(tracked) - content) == [], "missing in the sdist"
    assert sorted(content - set(tracked) - {"PKG-INFO"}) == [], "in the sdist, and nobody knows why"


def test_the_sdist_builds_the_same_wheel(unpacked: Path, built: Built, tmp_path: Path) -> None:
    run(unpacked, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    assert digest(wheel) == digest(built.wheel)


def test_who_has_the_sdist_generates_the_same_code(unpacked: Path) -> None:
    done = run(unpacked, "-m", "codegen", "generate", PYTHONPATH=str(unpacked), PYTHONDONTWRITEBYTECODE="1")
    assert done.stdout.strip().endswith(" files, 0 changed")
