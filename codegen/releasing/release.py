"""What was released, and that a spec that says something else has the version and the changelog entry to go with it.

``spec/released.json`` records the spec of the last release, its prose as digests. No history of git is needed to
compare with it, so a shallow clone and an unpacked sdist can check as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from codegen.diff.compare import without_prose
from codegen.diff.kinds import Kind, demanded, next_version, numbers
from codegen.diff.report import Change, changes
from codegen.diff.sides import NoSpecError, Side, add_document, digest_of_example, read_record, record_text, resolve
from codegen.documents import Problem
from codegen.names import english_list
from codegen.releasing.changelog import entry_of, with_entry, with_release
from codegen.spec_model.files import RELEASED
from codegen.spec_model.spec import Spec

_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
_MOST_NAMES = 3


class ReleaseError(Exception):
    """A release cannot be recorded; nothing was written."""


@dataclass(frozen=True)
class Project:
    """The files that follow from a change of the spec."""

    spec: Path
    version_file: Path
    changelog: Path

    @property
    def record(self) -> Path:
        return self.spec / RELEASED

    @property
    def version(self) -> str:
        match = _VERSION.search(self.version_file.read_text(encoding="utf-8"))
        if match is None:
            raise ReleaseError(f'{self.version_file} has no line such as `__version__ = "0.1.0"`')
        return match[1]


def side_of(spec: Spec) -> Side:
    """A spec that was loaded, as one side of a comparison."""
    side = Side(f"{spec.folder.name}/")
    for document, _ in spec.documents:
        add_document(side, document)
    for name, body in (*spec.fixtures.items(), *spec.stream_fixtures.items()):
        side.fixtures[name] = digest_of_example(body.decode())
    resolve(side)
    return side


def since_release(spec: Spec, project: Project) -> tuple[list[Change], Side] | None:
    """What changed since the last release, and that; None where nothing was ever released.

    Raises:
        NoSpecError: The record is none.
    """
    if not project.record.is_file():
        return None
    released = read_record(project.record)
    return changes(released, side_of(spec)), released


def breaches(spec: Spec, project: Project) -> list[Problem]:
    """Where version or changelog do not follow from what changed since the last release."""
    try:
        found = since_release(spec, project)
    except NoSpecError as error:
        return [Problem(f"{spec.folder.name}/{RELEASED}", 1, str(error))]
    if found is None:
        return []
    changed, released = found
    return [*_version(changed, released, project), *_changelog(changed, project)]


def _version(changed: Sequence[Change], released: Side, project: Project) -> Iterator[Problem]:
    felt = [change for change in changed if change.kind is not Kind.DOCS]
    level = demanded(change.kind for change in felt)
    if level is None or released.version is None:
        return
    wanted = next_version(released.version, level)
    if numbers(project.version) < numbers(wanted):
        most = felt[0].kind
        names = list(dict.fromkeys(change.subject for change in felt if change.kind is most))
        more = [f"{len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []
        file = project.version_file
        text = (
            f"version {project.version} does not follow: since {released.version} the spec has {most.word} changes of "
            f"{english_list([*names[:_MOST_NAMES], *more])}, which demand {wanted} (`python -m codegen diff "
            f"{project.spec.name}/{RELEASED}` tells all; `python -m codegen release --again` if {released.version} "
            "was never published)"
        )
        yield Problem(f"{file.parent.name}/{file.name}", 1, text)


def _changelog(changed: Sequence[Change], project: Project) -> Iterator[Problem]:
    there = project.changelog.is_file()
    text = project.changelog.read_text(encoding="utf-8") if there else ""
    if with_entry(text, entry_of(changed)) != text:
        words = "does not tell what changed since the last release; run `python -m codegen changelog`"
        yield Problem(project.changelog.name, 1, words if there else "there is no such file, and the spec has changed")


def write_changelog(changed: Sequence[Change], changelog: Path) -> bool:
    """Put the entry in the place of the last one; whether that made a difference.

    Raises:
        ReleaseError: There is no changelog.
    """
    if not changelog.is_file():
        raise ReleaseError(f"there is no {changelog}")
    text = changelog.read_text(encoding="utf-8")
    now = with_entry(text, entry_of(changed))
    changelog.write_text(now, encoding="utf-8")
    return now != text


def record(spec: Spec, project: Project, today: date, *, again: bool) -> str:
    """Record the spec as released under the version of the package; returns that version.

    Args:
        again: The version that is recorded was never published: this takes its place.

    Raises:
        ReleaseError: Version or changelog do not follow, or the version is recorded already.
        NoSpecError: The record is none.
    """
    version = project.version
    found = since_release(spec, project)
    if found is not None and not again:
        problems = breaches(spec, project)
        if problems:
            raise ReleaseError("\n".join(map(str, problems)))
        released = found[1].version or "0.0.0"
        if numbers(version) <= numbers(released):
            raise ReleaseError(f"{released} is recorded already, and the package has version {version}: raise it first")
    side = without_prose(side_of(spec))
    if project.changelog.is_file():
        text = project.changelog.read_text(encoding="utf-8")
        text = with_entry(text, "") if again else with_release(text, version, today)
        project.changelog.write_text(text, encoding="utf-8")
    project.record.write_bytes(record_text(side, version))
    return version
