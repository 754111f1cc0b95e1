"""Libraries of the extra ``history``, loaded where they are used."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from binance_sdk.errors import ConfigError


def library(name: str, extra: str = "history") -> ModuleType:
    """A module of a library that need not be installed.

    Args:
        name: The module, e.g. ``pyarrow.parquet``.
        extra: What brings it along; empty where no extra of ours does.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        remedy = f"'binance-market-sdk[{extra}]'" if extra else package
        raise ConfigError(f"this needs {package}, which cannot be imported ({error}): pip install {remedy}") from error
