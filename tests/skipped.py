"""Says at the end of a run why tests were skipped and what makes them run: each reason once, with its number of tests.

So every reason of a skip in this suite names its remedy, where there is one.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter


def _reason(report: Any) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(text).removeprefix("Skipped: ")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", []))
    if not reasons:
        return
    terminalreporter.section(f"{reasons.total()} skipped, and why")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count:6}  {reason}")
