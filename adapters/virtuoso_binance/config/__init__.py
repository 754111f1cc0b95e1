"""The section ``exchanges.binance`` of Virtuoso's configuration: where it comes from and what it may hold."""

from virtuoso_binance.config.loading import is_switched_off, load_config, section_of, uses_ccxt
from virtuoso_binance.config.settings import Section, Settings, Validation, load_settings, log_warnings, validate

__all__ = [
    "Section",
    "Settings",
    "Validation",
    "is_switched_off",
    "load_config",
    "load_settings",
    "log_warnings",
    "section_of",
    "uses_ccxt",
    "validate",
]
