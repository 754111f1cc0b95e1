"""The sources that are measured can be made: what refuses wrong ones must not refuse these."""

from __future__ import annotations

import pytest

from benchmarks import sources


def test_an_exchange_and_its_sources_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_ROUNDS", 1)
    monkeypatch.setattr(sources, "_SNAPSHOTS", 1)
    timed = sources._cpu()
    assert min(timed.samples["exchange"]) > 0
    assert min(timed.samples["source"]) > 0
