"""The part of CHANGELOG.md that follows from the spec."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from datetime import date
from itertools import groupby

from codegen.diff.kinds import Kind
from codegen.diff.report import Change

_HEADING = "### Changed at Binance"
_BEGIN = "<!-- Written by `python -m codegen changelog`, up to the mark of the end; all else is yours. -->"
_END = "<!-- The end of it. -->"
_BLOCK = re.compile(rf"{re.escape(_HEADING)}\n\n{re.escape(_BEGIN)}\n.*?{re.escape(_END)}\n\n?", re.DOTALL)
_UNRELEASED = re.compile(r"^## \[Unreleased\]\n+", re.MULTILINE)
_NEXT = re.compile(r"^## ", re.MULTILINE)
_WIDTH = 120
_WORDS = {Kind.BREAKING: "Breaking", Kind.ADDITIVE: "New", Kind.BEHAVIOURAL: "Behaves otherwise"}


def entry_of(changed: Sequence[Change]) -> str:
    """What a changelog says of changes; nothing where callers feel none of them."""
    lines: list[str] = []
    for kind, group in groupby(
        (change for change in changed if change.kind is not Kind.DOCS), key=lambda change: change.kind
    ):
        lines += ["", f"{_WORDS[kind]}:", ""]
        for subject, about in groupby(group, key=lambda change: change.subject):
            text = f"- `{subject}`: {'; '.join(dict.fromkeys(change.text for change in about))}"
            lines += textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    if not lines:
        return ""
    body = "\n".join(lines)
    return f"{_HEADING}\n\n{_BEGIN}\n{body}\n\n{_END}\n"


def with_entry(text: str, entry: str) -> str:
    """A changelog with the entry under what is unreleased, in the place of the one that was there."""
    start = _UNRELEASED.search(text)
    if start is None:
        # There is room above the first release, or nowhere.
        first = _NEXT.search(text)
        at = first.start() if first else len(text)
        return f"{text[:at]}## [Unreleased]\n\n{entry}\n{text[at:]}" if entry else text
    following = _NEXT.search(text, start.end())
    end = following.start() if following else len(text)
    section = text[start.end() : end]
    if _BLOCK.search(section):
        section = _BLOCK.sub(lambda _: f"{entry}\n" if entry else "", section, count=1)
    elif entry:
        section = f"{entry}\n{section}"
    return text[: start.end()] + section + text[end:]


def with_release(text: str, version: str, today: date) -> str:
    """A changelog in which what is unreleased has become a release."""
    return _UNRELEASED.sub(lambda _: f"## [Unreleased]\n\n## [{version}] - {today.isoformat()}\n\n", text, count=1)
