"""A spec that says something else than the last release wants a version and a changelog entry to go with it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from tiny import TinySpec

from codegen.__main__ import main
from codegen.releasing.changelog import with_entry
from codegen.releasing.release import Project, ReleaseError, breaches, record, since_release, write_changelog

TODAY = date(2026, 3, 1)
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n- Something.\n\n## [0.1.0] - 2026-01-01\n\n- All of it.\n"


class Repository:
    """The tiny spec with a package's version and a changelog, released as 0.1.0."""

    def __init__(self, folder: Path) -> None:
        self.tiny = TinySpec(folder)
        (folder / "binance_sdk").mkdir()
        self.project = Project(self.tiny.folder, folder / "binance_sdk" / "_version.py", folder / "CHANGELOG.md")
        self.version("0.1.0")
        self.project.changelog.write_text(CHANGELOG, encoding="utf-8")
        record(self.tiny.load(), self.project, TODAY, again=True)

    def version(self, text: str) -> None:
        self.project.version_file.write_text(f'__version__ = "{text}"\n', encoding="utf-8")

    @property
    def changelog(self) -> str:
        return self.project.changelog.read_text(encoding="utf-8")

    def breaches(self) -> list[str]:
        return [str(problem) for problem in breaches(self.tiny.load(), self.project)]

    def write_changelog(self) -> bool:
        found = since_release(self.tiny.load(), self.project)
        assert found is not None
        return write_changelog(found[0], self.project.changelog)

    def run(self, *arguments: str) -> int:
        out = self.project.version_file.parent / "_generated"
        return main(["--spec", str(self.project.spec), "--out", str(out), *arguments])


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_the_spec_that_was_released(repository: Repository) -> None:
    assert repository.breaches() == []
    assert repository.changelog == CHANGELOG


def test_where_nothing_was_released_nothing_has_to_follow(repository: Repository) -> None:
    repository.project.record.unlink()
    repository.tiny.change("spot/market.yaml", "    weight: 1\n", "    weight: 4\n")
    assert repository.breaches() == []


def test_a_change_wants_a_version_and_an_entry(repository: Repository) -> None:
    repository.tiny.change("spot/market.yaml", "    weight: 1\n", "    weight: 4\n")
    no_entry = "CHANGELOG.md:1: does not tell what changed since the last release; run `python -m codegen changelog`"
    assert repository.breaches() == [
        "binance_sdk/_version.py:1: version 0.1.0 does not follow: since 0.1.0 the spec has behavioural changes of "
        "spot.time, which demand 0.1.1 (`python -m codegen diff spec/released.json` tells all; `python -m codegen "
        "release --again` if 0.1.0 was never published)",
        no_entry,
    ]
    repository.version("0.1.1")
    assert repository.breaches() == [no_entry]
    assert repository.write_changelog()
    assert repository.breaches() == []
    assert not repository.write_changelog()
    assert repository.changelog == CHANGELOG.replace(
        "### Fixed\n",
        "### Changed at Binance\n\n"
        "<!-- Written by `python -m codegen changelog`, up to the mark of the end; all else is yours. -->\n\n"
        "Behaves otherwise:\n\n- `spot.time`: weight: 1 -> 4\n\n<!-- The end of it. -->\n\n### Fixed\n",
    )


def test_a_break_wants_more_of_a_version(repository: Repository) -> None:
    repository.tiny.change("spot/market.yaml", "name: is_buyer_maker", "name: buyer_was_first")
    repository.version("0.1.1")
    repository.write_changelog()
    (told,) = repository.breaches()
    assert "breaking changes of spot.Price, which demand 0.2.0" in told
    repository.version("0.2.0")
    assert repository.breaches() == []


def test_prose_wants_nothing(repository: Repository) -> None:
    repository.tiny.change("spot/market.yaml", "Clock of the server.\n    path", "The server's clock.\n    path")
    assert repository.breaches() == []
    assert not repository.write_changelog()


def test_the_entry_follows_the_spec(repository: Repository) -> None:
    repository.tiny.change("spot/market.yaml", "    weight: 1\n", "    weight: 4\n")
    repository.write_changelog()
    repository.tiny.change("spot/market.yaml", "    weight: 4\n", "    weight: 5\n")
    repository.tiny.change("spot/market.yaml", "values: [1m, 1h]", "values: [1m, 1h, 1d]")
    repository.version("0.1.1")
    assert repository.breaches() != []
    repository.write_changelog()
    assert repository.breaches() == []
    assert "New:\n\n- `spot.Step`: values.1d: added 1d\n\nBehaves otherwise:\n\n- `spot.time`: weight: 1 -> 5\n" in (
        repository.changelog
    )
    repository.tiny.change("spot/market.yaml", "    weight: 5\n", "    weight: 1\n")
    repository.tiny.change("spot/market.yaml", "values: [1m, 1h, 1d]", "values: [1m, 1h]")
    repository.write_changelog()
    assert repository.changelog == CHANGELOG


@pytest.mark.parametrize(
    "text", ["", "# Changelog\n", "# Changelog\n\n## [0.1.0] - 2026-01-01\n\n- All.\n", "## [Unreleased]\n", CHANGELOG]
)
def test_an_entry_comes_and_goes_in_any_changelog(text: str, repository: Repository) -> None:
    repository.tiny.change("spot/market.yaml", "    weight: 1\n", "    weight: 4\n")
    repository.write_changelog()
    entry = repository.changelog[
        repository.changelog.index("### Changed") : repository.changelog.index("### Fixed") - 1
    ]
    there = with_entry(text, entry)
    assert there.count("weight: 1 -> 4") == 1
    assert with_entry(there, entry) == there
    assert there.index("## [Unreleased]") < there.index("weight: 1") < there.find("## [0.1.0]") % (len(there) + 1)
    gone = with_entry(there, "")
    assert gone.replace("## [Unreleased]", "").split() == text.replace("## [Unreleased]", "").split()


def test_a_release(repository: Repository) -> None:
    repository.tiny.change("spot/market.yaml", "    weight: 1\n", "    weight: 4\n")
    with pytest.raises(ReleaseError, match=r"demand 0\.1\.1"):
        record(repository.tiny.load(), repository.project, TODAY, again=False)
    repository.version("0.1.1")
    repository.write_changelog()
    assert record(repository.tiny.load(), repository.project, TODAY, again=False) == "0.1.1"
    assert repository.breaches() == []
    assert "## [Unreleased]\n\n## [0.1.1] - 2026-03-01\n\n### Changed at Binance\n" in repository.changelog
    assert not repository.write_changelog()
    with pytest.raises(ReleaseError, match=r"0\.1\.1 is recorded already"):
        record(repository.tiny.load(), repository.project, TODAY, again=False)


def test_a_release_that_never_was_is_recorded_again(repository: Repository) -> None:
    repository.tiny.change("spot/market.yaml", "    weight: 1\n", "    weight: 4\n")
    repository.write_changelog()
    assert record(repository.tiny.load(), repository.project, TODAY, again=True) == "0.1.0"
    assert repository.breaches() == []
    assert repository.changelog == CHANGELOG


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version": "0.1.0"}', '{"version": 1, "things": {"a": 1}, "fixtures": {}}']
)
def test_a_record_that_is_none(text: str, repository: Repository) -> None:
    repository.project.record.write_text(text)
    (told,) = repository.breaches()
    assert told.startswith("spec/released.json:1: ")
    assert "is no record of a release" in told


def test_a_changelog_that_is_not_there(repository: Repository) -> None:
    repository.tiny.change("spot/market.yaml", "    weight: 1\n", "    weight: 4\n")
    repository.version("0.1.1")
    repository.project.changelog.unlink()
    assert repository.breaches() == ["CHANGELOG.md:1: there is no such file, and the spec has changed"]
    with pytest.raises(ReleaseError, match=r"there is no .*CHANGELOG"):
        repository.write_changelog()


def test_the_commands(repository: Repository, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert repository.run("changelog") == 0
    assert capsys.readouterr().out == "CHANGELOG.md told already what changed\n"
    assert repository.run("release") == 2
    assert "0.1.0 is recorded already" in capsys.readouterr().err
    before = tmp_path / "before"
    shutil.copytree(repository.project.spec, before)
    repository.tiny.change("spot/market.yaml", "    weight: 1\n", "    weight: 4\n")
    repository.tiny.change("spot/market.yaml", "values: [1m, 1h]", "values: [1m, 1h, 1d]")
    assert repository.run("changelog") == 0
    assert capsys.readouterr().out == "CHANGELOG.md tells what changed\n"
    repository.version("0.1.1")
    assert repository.run("release") == 0
    assert capsys.readouterr().out == "spec/released.json is the spec of 0.1.1\n"
    # Against something else than the record.
    assert repository.run("changelog", str(before)) == 0
    assert repository.changelog.count("`spot.Step`: values.1d: added 1d") == 2
    assert repository.run("changelog", str(tmp_path / "nowhere")) == 2
    assert "is no folder or file" in capsys.readouterr().err
