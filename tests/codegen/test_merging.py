"""Two changes of the spec made side by side meet without a conflict, generated code included."""

from __future__ import annotations

import runpy
import shutil
import subprocess
from pathlib import Path

import pytest
from project import Project
from tiny import REPOSITORY

HERE = Path(__file__).parent
NAME = "-c user.name=tests -c user.email=tests@example.invalid -c commit.gpgsign=false -c core.hooksPath="

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(project: Project, *arguments: str) -> str:
    command = ["git", *NAME.split(), *arguments]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def commit(project: Project, branch: str) -> None:
    project.generate()
    git(project, "add", "--all", "spec", "binance_sdk/_generated", ".gitattributes")
    git(project, "commit", "--quiet", "--message", branch)


def test_two_changes_side_by_side(tmp_path: Path) -> None:
    project = Project(tmp_path)
    spec, summary = project.root / "spec", project.root / "binance_sdk" / "_generated" / "spec.py"
    shutil.copy(REPOSITORY / ".gitattributes", project.root)
    git(project, "init", "--quiet", "--initial-branch", "main")
    commit(project, "main")
    before = runpy.run_path(str(summary))

    git(project, "switch", "--quiet", "--create", "endpoint")
    shutil.copy(HERE / "new_endpoint" / "liquidity.yaml", spec / "spot")
    shutil.copytree(HERE / "new_endpoint" / "fixtures", spec / "fixtures", dirs_exist_ok=True)
    project.change("futures/market.yaml", "summary: Open interest of a contract now.", "summary: Open interest now.")
    commit(project, "endpoint")

    git(project, "switch", "--quiet", "--create", "weight", "main")
    project.change("spot/market.yaml", "{min: 1, max: 100, weight: 5}", "{min: 1, max: 100, weight: 7}")
    project.change("spot/trades.yaml", "Newest trades of a symbol", "The newest trades of a symbol")
    commit(project, "weight")

    git(project, "merge", "--no-edit", "endpoint")
    merged = runpy.run_path(str(summary))
    project.generate()
    after = runpy.run_path(str(summary))
    assert after["ENDPOINTS"] == merged["ENDPOINTS"] > before["ENDPOINTS"]
    # Only the counts and the hash, of which both changes wrote their own, were left to be generated.
    assert git(project, "status", "--porcelain", "--untracked-files=no").split() == [
        "M",
        "binance_sdk/_generated/spec.py",
    ]
