"""What a run, a sync and a check refuse before anything is opened or asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from binance_sdk import history
from binance_sdk.errors import ConfigError, ParameterError

from .scenes import make


@pytest.mark.parametrize("plan", [None, [], {}, "plan", 5])
def test_a_plan_that_is_none(plan: Any, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"plan=.* must be what history.plan\(\) gave"):
        history.run(plan, tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("settings", [5, {}, {"client": {}}, "settings"])
def test_settings_that_are_none(settings: Any, tmp_path: Path) -> None:
    out = tmp_path / "data"
    history.Dataset.create(out)
    for work in (
        lambda: history.plan("BTCUSDT", interval="1h", since="2020-01-01", settings=settings),
        lambda: history.run(make(), out, settings=settings),
        lambda: history.sync(out, settings=settings),
        lambda: history.check(out, deep=True, settings=settings),
    ):
        with pytest.raises(ConfigError, match=r"settings=.* must be FetchSettings\(client="):
            work()


def test_progress_that_cannot_be_called(tmp_path: Path) -> None:
    history.Dataset.create(tmp_path / "data")
    progress: Any = 5
    for work in (
        lambda: history.run(make(), tmp_path / "data", progress=progress),
        lambda: history.sync(tmp_path / "data", progress=progress),
    ):
        with pytest.raises(ParameterError, match="progress=5 must be a function that takes a Progress"):
            work()
