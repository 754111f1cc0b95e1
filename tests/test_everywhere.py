"""What ``make test-all`` runs, what it says, and when it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.everywhere import HOUSE, IMAGES, ROOT, SUITE, Absent, Run, find, image_packages, plan, run_all


def nobody(version: str) -> Path | None:
    return None


def everybody(version: str) -> Path | None:
    return Path("/pythons") / version / "python"


def test_every_supported_python_is_run_or_named() -> None:
    names = [run.name for run in plan(everybody, "3.11")]
    assert names == [
        "Python 3.11, locked versions",
        "Python 3.11, lowest versions",
        "Python 3.11, newest versions",
        "Python 3.12, locked versions",
        "Python 3.13, locked versions",
        "the commands of deploy/worker, installed as in its image",
        "the commands of deploy/cli, installed as in its image",
    ]
    alone = plan(nobody, "3.12")
    assert [run.name for run in alone if isinstance(run, Absent)] == ["Python 3.11", "Python 3.13"]
    assert len(alone) == 7


def test_other_pythons_get_an_environment_of_their_own() -> None:
    (other,) = [run for run in plan(everybody, "3.11") if "3.12" in run.name]
    assert isinstance(other, Run)
    assert other.environment == ROOT / ".venv" / "3.12"
    assert "/pythons/3.12/python" in other.install[0]


@pytest.mark.parametrize(
    ("image", "packages"),
    [("worker", ".[metrics,shared]"), ("cli", ".[cli,history,shared,simulator]")],
)
def test_what_an_image_starts_runs_in_an_environment_of_its_packages_alone(image: str, packages: str) -> None:
    assert image_packages(image) == [packages]
    (run,) = [run for run in plan(nobody, "3.11") if f"deploy/{image}," in run.name]
    assert isinstance(run, Run)
    assert run.environment == ROOT / ".venv" / "dev"
    assert run.install[1][-1] == packages
    ((test,),) = run.tests
    assert (ROOT / test).is_file()
    (option,) = run.options
    assert option == f"--image-python={ROOT / '.venv' / f'image-{image}' / 'bin' / 'python'}"


def test_every_image_is_among_them() -> None:
    assert {path.parent.name for path in (ROOT / "deploy").rglob("Dockerfile")} == set(IMAGES)


def test_what_is_left_out_with_the_lowest_versions_exists() -> None:
    assert [name for name in HOUSE if not (ROOT / "tests" / name).exists()] == []


def test_the_suite_is_divided_as_make_test_divides_it() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(PARALLEL)", "-n auto --dist worksteal")
    for arguments in SUITE:
        assert f"\t$(DEV) -m pytest {' '.join(arguments)}\n" in makefile


class Machine:
    """Does nothing, and fails where it is told to."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.commands: list[str] = []

    def __call__(self, command: Sequence[str]) -> int:
        text = " ".join(command)
        self.commands.append(text)
        return int(any(part in text for part in self.failing))


def test_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    machine = Machine()
    lines, good = run_all(plan(everybody, "3.11"), machine)
    assert good
    assert [line.split()[0] for line in lines] == ["passed"] * 7
    suites = [command for command in machine.commands if " -m pytest " in command and "--image" not in command]
    assert len(suites) == 2 * 5
    assert sum("--image-python" in command for command in machine.commands) == 2
    assert "=== Python 3.13, locked versions" in capsys.readouterr().out


def test_what_is_not_here_is_said_and_fails_nothing() -> None:
    lines, good = run_all(plan(nobody, "3.11"), Machine())
    assert good
    assert lines[-3] == "skipped  Python 3.13: there is no Python 3.13 here: uv python install 3.13"


@pytest.mark.parametrize(
    ("failing", "said"),
    [
        (".venv/lowest/bin/python -m pytest", "FAILED  Python 3.11, lowest versions"),
        ("--upgrade", "FAILED to install  Python 3.11, newest versions"),
    ],
)
def test_one_failure_fails_all_and_stops_nothing(failing: str, said: str) -> None:
    machine = Machine(failing)
    lines, good = run_all(plan(everybody, "3.11"), machine)
    assert not good
    assert len(lines) == 7
    assert [line for line in lines if line.startswith(said)]
    assert "--image-python" in machine.commands[-1]


def test_an_environment_that_cannot_be_made_runs_nothing() -> None:
    machine = Machine("--upgrade")
    run_all(plan(everybody, "3.11"), machine)
    assert not [command for command in machine.commands if ".venv/newest/bin/python -m pytest" in command]


def test_a_python_on_the_path_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    folder = Path(sys.base_prefix, "bin")
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), os.environ["PATH"]]))
    found = find(f"{sys.version_info[0]}.{sys.version_info[1]}")
    assert found is not None
    assert found.parent.samefile(folder)


def test_a_python_is_found_where_pyenv_keeps_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = tmp_path / "versions" / "3.99.1" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert find("3.99") == python
    assert find("3.98") is None


def test_make_names_its_commands() -> None:
    # Within another make it would also say which folder it is in.
    command = ["make", "--no-print-directory", "help"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = [line for line in makefile.splitlines() if line.startswith(".PHONY:")]
    assert [line.split()[0] for line in told.splitlines()[1:]] == phony.split()[1:]
    assert all(len(line.split()) > 2 for line in told.splitlines()[1:])
