"""Eight hours of faults with a timetable, a poll every eight minutes; the benchmark polls every minute."""

from __future__ import annotations

import logging
from functools import partial

import pytest

from tests.virtuoso.integration.eight_hours import eight_hours
from tests.virtuoso.integration.venues import Venues
from tests.virtuoso.sources.ccxt_on_loopback import LimiterClock

pytest.importorskip("ccxt", reason="ccxt is missing: install the extra ccxt")


def test_eight_hours_of_faults(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    LimiterClock().install(monkeypatch)
    report = Venues().run(partial(eight_hours, every=8))
    assert report.wrong == []
    assert report.invalid == []
    assert (report.polls, report.nothing) == (60, 1)
    # Each of the eleven in which a source is bad, but not all: there, and back. Each fault is told.
    assert report.switches == 22
    assert len(report.failures) == 14
