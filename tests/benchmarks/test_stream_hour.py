"""What is made of an hour of streams, also where a busy machine lost some of its seconds."""

from __future__ import annotations

import pytest

from benchmarks import _stream_hour
from benchmarks._stream_hour import _Hour


def test_memory_is_noted_once_in_five_minutes_in_whichever_second_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stream_hour, "resident", lambda: 100.0)
    hour = _Hour()
    for second in (1, 2, 300, 301, 899, 900, 1201, 1202, 3600):
        hour.look(second)
    assert list(hour.resident) == [1, 300, 899, 900, 1201, 3600]


def test_a_second_that_was_lost_with_a_connection_is_judged_by_the_nearest() -> None:
    hour = _Hour(resident={900: 90.0, 1201: 100.0, 3300: 104.0, 3603: 101.0}, lags=[0.001, 0.002])
    growth = next(found for found in _stream_hour._figures(hour) if "resident memory" in found.name)
    assert growth.ours == pytest.approx(0.01)
    assert growth.met
