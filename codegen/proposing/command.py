"""What ``verify --propose FILE`` and ``--write`` do and tell."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from binance_sdk.verify.finding import Finding
from codegen.proposing.proposal import Proposal, propose
from codegen.releasing.release import Project, breaches
from codegen.spec_model.spec import Spec


def run_proposal(
    spec: Spec, findings: Sequence[Finding], where: str, today: date, project: Project, file: Path | None
) -> None:
    """Write the change that makes the spec say what was found, and tell what else there is to do.

    Args:
        spec: What was compared.
        findings: What was found.
        where: Whom was asked.
        today: The day.
        project: The files that follow from a change of the spec.
        file: Where the patch goes; None changes the spec itself.

    Raises:
        OSError: a file cannot be written.
    """
    proposal = propose(spec, findings, where, today)
    if file is not None:
        file.write_text(proposal.as_patch(project.spec.name), encoding="utf-8", newline="")
    else:
        proposal.write(project.spec)
    for one in proposal.by_hand:
        sys.stderr.write(f"{one}\n")
    sys.stdout.write("\n".join([*_told(proposal, project, file), ""]))


def _told(proposal: Proposal, project: Project, file: Path | None) -> Iterator[str]:
    folder = project.spec.name
    count, left = len(proposal.patched), len(proposal.by_hand)
    if not proposal.changed:
        yield f"nothing to change by a program; {left} by hand" if left else "nothing to change"
        return
    where = f"{folder}/" if file is None else str(file)
    hand = f", {left} left for hands" if left else ""
    yield f"{where}: {count} difference{'' if count == 1 else 's'} in {len(proposal.changed)} files{hand}"
    steps = [f"git apply {file}"] if file is not None else []
    steps.append("read it: what was seen once is marked `uncertain`, and nothing is described; then Binance's page")
    steps.append("python -m codegen generate")
    steps += [f"by hand, so that a mistake does not go unseen: {table}" for table in proposal.tables_by_hand()]
    steps += [f"{problem}" for problem in breaches(proposal.spec, project)]
    steps.append("python -m codegen changelog && make test")
    yield from (f"  {number}. {step}" for number, step in enumerate(steps, 1))
