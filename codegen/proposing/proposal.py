"""From findings to the change of the spec, and to what is left for hands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import unified_diff
from pathlib import Path

from binance_sdk.verify.finding import Finding
from codegen.documents import Problem, SpecError
from codegen.proposing.places import ByHandError
from codegen.proposing.promise_patches import PromisePatches, remedy_by_hand
from codegen.proposing.shape_patches import Patch, ShapePatches
from codegen.proposing.workspace import Workspace
from codegen.spec_model.spec import Spec


@dataclass(frozen=True)
class ByHand:
    """A finding that somebody has to look at.

    Attributes:
        finding: What was found.
        place: File and line below the spec.
        why: What to do, or why no program does it.
    """

    finding: Finding
    place: str
    why: str

    def __str__(self) -> str:
        at = f" at {self.finding.path}" if self.finding.path else ""
        return f"by hand, in {self.place}: {self.finding.subject}{at}: {self.finding.meaning}; {self.why}"


@dataclass(frozen=True)
class Proposal:
    """What to change.

    Attributes:
        spec: The changed spec, loaded.
        changed: Each file below the spec that is another: before and after.
        patched: Findings that the change answers.
        by_hand: The others.
    """

    spec: Spec
    changed: dict[str, tuple[str, str]]
    patched: tuple[Finding, ...]
    by_hand: tuple[ByHand, ...]

    def as_patch(self, folder: str) -> str:
        """As a text for ``git apply``."""
        lines: list[str] = []
        for file, (before, after) in self.changed.items():
            name = f"{folder}/{file}"
            old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
            for line in unified_diff(old, new, f"a/{name}", f"b/{name}"):
                lines += [line] if line.endswith("\n") else [line, "\n\\ No newline at end of file\n"]
        return "".join(lines)

    def write(self, folder: Path) -> None:
        """Make the change."""
        for file, (_, after) in self.changed.items():
            (folder / file).write_bytes(after.encode())

    def tables_by_hand(self) -> Iterator[str]:
        """What else says the same a second time, so that no mistake of the spec goes unseen."""
        kinds = {finding.kind for finding in self.patched}
        if "weight_changed" in kinds:
            yield "binance_sdk/simulator/rest/weights.py and WEIGHTS of tests/contract/endpoint_table.py: the weights"
        if "limit_changed" in kinds:
            yield "binance_sdk/simulator/rest/pools.py: the limits"
        if kinds & {"field_renamed", "positions_added", "positions_missing", "page_size_changed"}:
            yield "binance_sdk/simulator/rest/: what the simulator answers by itself"
        if kinds & {"event_type_changed", "interval_changed"}:
            yield "binance_sdk/simulator/streams/ and tests/contract/stream_table.py: the streams"


def propose(spec: Spec, findings: Sequence[Finding], where: str, today: date) -> Proposal:
    """The least change with which the spec says what was seen, and loads.

    Args:
        spec: As it is.
        findings: What ``verify`` found.
        where: Whom it asked, e.g. ``mainnet``.
        today: The day.
    """
    workspace = Workspace(spec, today)
    seen_by = f"verify at {where} on {today}"
    source = f"{{document: {json.dumps(f'verify at {where}', ensure_ascii=False)}, date: {today}}}"
    makers = (
        ShapePatches(workspace, findings, source),
        PromisePatches(workspace, findings, seen_by, source, str(today)),
    )
    by_hand: list[ByHand] = []
    ways: list[tuple[Finding, list[Patch]]] = []
    for finding in findings:
        try:
            found = next((patches for maker in makers if (patches := maker.of(finding)) is not None), None)
            if found is None:
                raise remedy_by_hand(workspace, finding)
        except ByHandError as error:
            by_hand.append(_by_hand(workspace, finding, error))
        else:
            ways.append((finding, found))
    # Mostly the best way of each is right; then trying the whole once is enough.
    patched = _settled(workspace, ways, by_hand)
    return Proposal(workspace.loaded(), workspace.changed(), tuple(patched), tuple(by_hand))


def _settled(workspace: Workspace, ways: Sequence[tuple[Finding, list[Patch]]], by_hand: list[ByHand]) -> list[Finding]:
    """Change what can be changed; returns the findings that are answered by that."""
    before = workspace.snapshot()
    if not ways or _all_at_once(workspace, ways):
        return [finding for finding, _ in ways]
    workspace.restore(before)
    if len(ways) == 1:
        ((finding, patches),) = ways
        return [finding] if _one(workspace, finding, patches, by_hand) else []
    half = len(ways) // 2
    return [*_settled(workspace, ways[:half], by_hand), *_settled(workspace, ways[half:], by_hand)]


def _all_at_once(workspace: Workspace, ways: Sequence[tuple[Finding, list[Patch]]]) -> bool:
    try:
        for _, patches in ways:
            patches[0]()
    except (ByHandError, KeyError, SpecError):
        return False
    return not workspace.problems()


def _one(workspace: Workspace, finding: Finding, patches: Sequence[Patch], by_hand: list[ByHand]) -> bool:
    """Change what one finding wants, in the first way after which the spec loads."""
    error = ByHandError("", "")
    before = workspace.snapshot()
    for patch in patches:
        try:
            patch()
            problems = workspace.problems()
        except ByHandError as why:
            error, problems = why, [Problem(why.file, 1, why.why)]
        except (KeyError, SpecError) as why:
            error, problems = remedy_by_hand(workspace, finding), [Problem("", 1, str(why))]
        else:
            if not problems:
                return True
            first = problems[0]
            error = ByHandError(first.file, f"{finding.remedy}; a change of that alone is refused: {first.message}")
        workspace.restore(before)
    by_hand.append(_by_hand(workspace, finding, error))
    return False


def _by_hand(workspace: Workspace, finding: Finding, error: ByHandError) -> ByHand:
    folder = workspace.spec.folder.name
    line = f":{workspace.text(error.file).line(error.path)}" if error.path else ""
    return ByHand(finding, f"{folder}/{error.file}{line}", error.why)
