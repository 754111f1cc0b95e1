"""What a comparison came to: as JSON for programs and as Markdown for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

from binance_sdk.verify.compare import Difference
from binance_sdk.verify.finding import Finding, NotJudged, Severity, Where, severity_of, worst


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a finding is about."""

    about: Literal["operation", "stream"]
    market: str
    name: str
    variant: str = ""
    arguments: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    @property
    def id(self) -> str:
        """E.g. ``spot.klines``."""
        return f"{self.market}.{self.name}"

    def finding(self, difference: Difference, where: Where) -> Finding:
        """The difference as a finding about this."""
        severity = severity_of(
            difference.kind, difference.spec, difference.seen, uncertain=difference.read or bool(difference.uncertain)
        )
        return Finding(
            kind=difference.kind,
            severity=severity,
            about=self.about,
            subject=self.id,
            market=self.market,
            variant=self.variant,
            arguments=self.arguments,
            where=where,
            path=difference.path,
            owner=difference.owner,
            spec=difference.spec,
            seen=difference.seen,
            uncertain=difference.uncertain,
        )


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that was found.

    Attributes:
        findings: Every difference, breaking ones first.
        not_judged: What could not be compared, and why.
        requests: Requests that were made.
        weight: What they cost, by market.
        operations: Endpoints that answered.
        streams: Streams that sent something.
        seconds: How long it took.
    """

    findings: tuple[Finding, ...]
    not_judged: tuple[NotJudged, ...]
    requests: int
    weight: Mapping[str, int]
    operations: int
    streams: int
    seconds: float

    @property
    def severity(self) -> Severity | None:
        """The worst one; None where the exchange is what the spec says."""
        return worst(self.findings)

    @property
    def compared(self) -> bool:
        """Whether anything at all could be compared."""
        return self.operations + self.streams > 0

    def as_json(self) -> str:
        """All of it, for programs."""
        whole = {
            "severity": self.severity,
            "requests": self.requests,
            "weight": dict(self.weight),
            "operations": self.operations,
            "streams": self.streams,
            "seconds": round(self.seconds, 1),
            "findings": [finding.as_json() for finding in self.findings],
            "not_judged": [one.as_json() for one in self.not_judged],
        }
        return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"

    def as_markdown(self) -> str:
        """All of it, for an issue or a page."""
        return "\n".join(_markdown(self)) + "\n"

    def summary(self) -> str:
        """One line."""
        count = len(self.findings)
        found = "no difference" if not count else f"{count} difference{'' if count == 1 else 's'}"
        return (
            f"{found} in {self.operations} operations and {self.streams} streams; "
            f"{len(self.not_judged)} not judged; {self.requests} requests in {self.seconds:.0f} s"
        )


class Collector:
    """Collects findings while they are made: each shape once."""

    def __init__(self) -> None:
        self._findings: dict[tuple[object, ...], Finding] = {}
        self._not_judged: dict[tuple[object, ...], NotJudged] = {}

    def add(self, finding: Finding) -> None:
        """Keep a finding, unless its like is known."""
        weighed = finding.kind in ("weight_changed", "refused", "bound_changed", "value_added", "member_added")
        apart = json.dumps([dict(finding.arguments), finding.seen], sort_keys=True, default=str) if weighed else ""
        if finding.kind in ("value_added", "member_added"):
            apart = json.dumps(finding.seen, sort_keys=True)
        key = (finding.subject, finding.variant, finding.kind, finding.path, finding.owner, apart)
        self._findings.setdefault(key, finding)

    def skip(self, subject: Subject, what: str, because: str) -> None:
        """Keep what could not be judged."""
        one = NotJudged(about=subject.about, subject=subject.id, variant=subject.variant, what=what, because=because)
        self._not_judged.setdefault((one.subject, one.variant, what, because), one)

    def findings(self) -> tuple[Finding, ...]:
        """All of them, breaking ones first."""
        return tuple(sorted(self._findings.values(), key=lambda one: (one.severity != "breaking", one.subject)))

    def not_judged(self) -> tuple[NotJudged, ...]:
        """What could not be compared."""
        return tuple(self._not_judged.values())


def grouped(not_judged: Sequence[NotJudged]) -> list[tuple[str, str, list[str]]]:
    """By reason, as one reason often holds for many: what, why, and of which."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in not_judged:
        name = f"{one.subject} ({one.variant})" if one.variant else one.subject
        names = found.setdefault((one.what, one.because), [])
        if name not in names:
            names.append(name)
    return [(what, because, names) for (what, because), names in found.items()]


def _markdown(report: Report) -> Iterator[str]:
    yield f"# Exchange and spec: {report.summary()}"
    if report.findings:
        yield ""
        yield "| severity | of | where | path | what | spec | seen | remedy |"
        yield "|---|---|---|---|---|---|---|---|"
    for one in report.findings:
        of = f"{one.subject} ({one.variant})" if one.variant else one.subject
        cells = (one.severity, of, one.where, one.path, f"{one.kind}: {one.meaning}", _json(one.spec), _json(one.seen))
        yield _row((*cells, one.remedy))
    if report.not_judged:
        yield ""
        yield "## Not judged"
        yield ""
        yield "| what | because | of |"
        yield "|---|---|---|"
    for what, because, names in grouped(report.not_judged):
        yield _row((what, because, ", ".join(names)))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in cells)} |"


def _json(value: JsonValue) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False)
    return f"`{text if len(text) <= 120 else text[:120] + '…'}`"
