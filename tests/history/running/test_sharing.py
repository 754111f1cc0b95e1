"""Workers together stay within the limits of one address."""

from __future__ import annotations

from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from binance_sdk.errors import ConfigError
from binance_sdk.history import FetchSettings
from binance_sdk.history.running.sharing import settings_for_workers


class Cluster(Executor):
    """One that tells nothing of its workers."""


def test_each_worker_of_a_pool_has_its_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BINANCE_SDK_LIMITS_URL", raising=False)
    with ProcessPoolExecutor(4) as pool:
        for given, margin in (({}, 0.05), ({"safety_margin": 0.2}, 0.2), ({"safety_margin": 0}, 0.0)):
            found = settings_for_workers(pool, "auto", FetchSettings(client=given)).client["safety_margin"]
            assert isinstance(found, float)
            assert 4 * (1 - found) == pytest.approx(1 - margin)


@pytest.mark.parametrize("client", [{"limits_url": "redis://127.0.0.1/0"}, {"budget": False}])
def test_a_budget_that_is_shared_or_switched_off_stays_as_it_is(client: dict[str, object]) -> None:
    settings = FetchSettings(client=client)
    assert settings_for_workers(Cluster(), "auto", settings) is settings


def test_threads_have_one_ledger_and_files_cost_nothing() -> None:
    settings = FetchSettings()
    with ThreadPoolExecutor(4) as threads:
        assert settings_for_workers(threads, "auto", settings) is settings
    assert settings_for_workers(Cluster(), "archive", settings) is settings


def test_a_budget_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = FetchSettings()
    monkeypatch.setenv("BINANCE_SDK_LIMITS_URL", "redis://127.0.0.1/0")
    assert settings_for_workers(Cluster(), "auto", settings) is settings


def test_nobody_knows_the_part_of_an_unknown_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BINANCE_SDK_LIMITS_URL", raising=False)
    with pytest.raises(ConfigError, match=r"executor=Cluster does not tell how many workers it has, .*limits_url"):
        settings_for_workers(Cluster(), "rest", FetchSettings())
