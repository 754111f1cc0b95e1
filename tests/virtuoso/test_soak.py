"""An hour of polling with faults and outages, in seconds; a whole day is ``python -m benchmarks adapter``."""

from __future__ import annotations

import logging

import pytest

from .soak_run import soak


async def test_an_hour_of_faults_leave_no_wrong_value_and_no_gap_untold(caplog: pytest.LogCaptureFixture) -> None:
    # Thousands of warnings are part of it, and would be kept.
    caplog.set_level(logging.CRITICAL)
    report = await soak(70, seed=11)
    assert report.failed > 50
    assert report.gaps > 20
    assert report.checked > 3000
    assert report.wrong == []
    assert report.unflagged == []
    assert report.growth < 0.05
