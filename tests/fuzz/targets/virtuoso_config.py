"""Virtuoso's configuration: the first line is a variable of the environment, the rest is ``config.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from binance_sdk.errors import ConfigError
from virtuoso_binance import load_config, load_settings, validate
from virtuoso_binance.config import section_of
from virtuoso_binance.sources import read_data_sources

_EXAMPLE = Path(__file__).parents[3] / "examples" / "virtuoso" / "config.yaml"
_VARIABLES = ("ENABLE_BINANCE_DATA=true", "MIN_QUALITY=7", "NOTHING=")
_SOURCES = """
  bybit: {enabled: true}
data_sources:
  primary: bybit
  secondary: [binance]
  aggregation_mode: primary_with_fallback
  cross_validation: true
  timeout: 15
  min_quality: ${MIN_QUALITY:90}
"""


def seeds() -> list[bytes]:
    text = _EXAMPLE.read_text(encoding="utf-8")
    return [f"{value}\n{text if 'data_sources:' in text else text + _SOURCES}".encode() for value in _VARIABLES]


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="config")


def target(data: bytes) -> bool:
    """It is read, or refused by a ConfigError that names a place; ``validate`` always answers."""
    variable, _, text = data.partition(b"\n")
    name, _, value = variable.decode("latin-1").partition("=")
    names = {name: value}
    file = Path(_folder().name) / "config.yaml"
    file.write_bytes(text)
    try:
        config = load_config(file, dotenv=None)
    except ConfigError as error:
        assert "config.yaml" in str(error)
        return False
    read = True
    try:
        section = section_of(config)
    except ConfigError as error:
        assert str(error).startswith("exchanges.binance")
        read = False
    else:
        judged = validate(section, names)
        try:
            load_settings(section, names)
        except ConfigError as error:
            assert str(error).startswith("exchanges.binance")
            assert judged.errors
            read = False
    exchanges = config.get("exchanges")
    known = [str(name).lower() for name in exchanges] if isinstance(exchanges, Mapping) else []
    try:
        read_data_sources(config.get("data_sources", {}), known, names=names)
    except ConfigError as error:
        assert str(error).startswith("data_sources")
        read = False
    return read
