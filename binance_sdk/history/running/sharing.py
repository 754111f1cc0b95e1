"""One budget for many workers: the one they share in a store, or else a part of it for each."""

from __future__ import annotations

import os
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace

from binance_sdk._arguments import VARIABLES, Arguments
from binance_sdk.errors import ConfigError
from binance_sdk.history.planning.arguments import SourceChoice
from binance_sdk.history.planning.settings import FetchSettings


def workers_of(executor: Executor) -> int | None:
    """How many workers there are; None where the executor does not tell."""
    known = getattr(executor, "_max_workers", None)
    return known if isinstance(known, int) and known > 0 else None


def settings_for_workers(executor: Executor, source: SourceChoice, settings: FetchSettings) -> FetchSettings:
    """Settings with which all workers together stay within the limits of one address.

    Args:
        executor: Whose workers they are for.
        source: Where data may come from.
        settings: What was given.

    Raises:
        ConfigError: nobody knows how many workers there are, so that none knows its part.
    """
    shared = settings.client.get("limits_url") or os.environ.get(VARIABLES["limits_url"], "").strip()
    if shared or source == "archive" or settings.client.get("budget") is False:
        return settings
    if isinstance(executor, ThreadPoolExecutor):
        # Threads of one process have one ledger.
        return settings
    count = workers_of(executor)
    if count is None:
        raise ConfigError(
            f"executor={type(executor).__name__} does not tell how many workers it has, and each would spend the whole "
            "limit of the address: give all one budget, settings=FetchSettings(client={'limits_url': ...}), or take "
            "source='archive'"
        )
    given = settings.client.get("safety_margin", Arguments.safety_margin)
    margin = given if isinstance(given, (int, float)) else 0.0
    return replace(settings, client={**settings.client, "safety_margin": 1 - (1 - margin) / count})
