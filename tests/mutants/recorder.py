"""A pytest plugin: which test runs which line, and how long each takes. ``-p tests.mutants.recorder``."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path

import coverage
import pytest

FOLDER = "MUTANTS_RECORD"
"""Variable with the folder to write to; the modules to watch stand in ``MUTANTS_MODULES``, with commas."""

_durations: dict[str, float] = {}
_coverage: list[coverage.Coverage] = []


def pytest_configure(config: pytest.Config) -> None:
    watched = os.environ["MUTANTS_MODULES"].split(",")
    file = str(Path(os.environ[FOLDER], "coverage"))
    _coverage.append(coverage.Coverage(data_file=file, include=watched, config_file=False, messages=False))
    _coverage[0].start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    _coverage[0].switch_context(item.nodeid)
    try:
        return (yield)
    finally:
        _coverage[0].switch_context("")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _durations[report.nodeid] = _durations.get(report.nodeid, 0.0) + report.duration


def pytest_unconfigure(config: pytest.Config) -> None:
    _coverage[0].stop()
    _coverage[0].save()
    Path(os.environ[FOLDER], "durations.json").write_text(json.dumps(_durations), encoding="utf-8")
